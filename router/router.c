/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns: receive, decide, send.
 */
#include "router/router.h"

#include <string.h>

#include "net/ethernet.h"

int router_open(struct router *router, const struct router_config *config, struct error *error)
{
	memset(router, 0, sizeof(*router));
	packet_pool_init(&router->pool);
	frames_init(&router->frames, config->frame_bytes, config->frame_limit);
	router->clock = config->clock;
	for (int way = 0; way < ROUTER_WAYS; way++) {
		struct path_config own = config->ways[way];
		int code;

		own.pool = &router->pool;
		own.frames = &router->frames;
		code = path_open(&router->ways[way], &own, error);
		if (code) {
			router_close(router);
			return code;
		}
	}
	memcpy(router->ports, config->ports, sizeof(router->ports));
	return 0;
}

void router_close(struct router *router)
{
	for (int i = 0; i < ROUTER_WAYS; i++) {
		path_close(&router->ways[i]);
		if (router->ports[i])
			router->ports[i]->ops->close(router->ports[i]);
		router->ports[i] = NULL;
	}
	packet_pool_free(&router->pool);
	frames_free(&router->frames);
}

/* Takes over a packet that came; what was cut, or no IP where there is nothing else, ends here. */
static void arrive(struct router *router, int way, const struct port_frame *frame, size_t room,
		   uint64_t now_ns)
{
	const bool ethernet = router->ports[way]->ethernet;
	const uint32_t at = ethernet ? ethernet_ip_offset(frame->bytes, frame->size) : 0;
	struct ip_summary ip;
	const bool is_ip = frame->size <= room && (!ethernet || at > 0) &&
			   ip_parse(frame->bytes + at, frame->size - at, &ip) == 0;

	if (frame->size > room || (!is_ip && !ethernet)) {
		router->counts[way].malformed++;
		frames_give(&router->frames, frame->bytes);
		return;
	}
	if (!path_arrive(&router->ways[way], frame->bytes, ethernet ? frame->size : ip.len_bytes,
			 at, is_ip ? &ip : NULL, now_ns))
		router->counts[way].no_room++;
}

/* The first `used` buffers went on with packets: new ones, as far as there are any. */
static void replenish(struct router *router, size_t used)
{
	router->spares -= used;
	memmove(router->spare, router->spare + used, router->spares * sizeof(router->spare[0]));
	while (router->spares < PORT_BATCH &&
	       (router->spare[router->spares].bytes = frames_take(&router->frames)))
		router->spares++;
}

/* Nowhere to put packets: they are read and forgotten, or the port would never fall silent. */
static int read_away(struct router *router, int way)
{
	struct port *port = router->ports[way];
	uint8_t head[64];
	struct port_frame frame = {head, 0};
	int came = 0, got = 1;

	while (came < PORT_BATCH && got > 0) {
		got = port->ops->receive(port, &frame, 1, sizeof(head));
		came += got > 0;
	}
	router->counts[way].received += (uint64_t)came;
	router->counts[way].no_room += (uint64_t)came;
	return got < 0 ? got : came;
}

static int receive(struct router *router, int way, bool *more)
{
	struct port *port = router->ports[way];
	const size_t room = router->frames.bytes;
	uint64_t now_ns;
	int came;

	if (router->spares == 0)
		replenish(router, 0);
	if (router->spares == 0) {
		came = read_away(router, way);
		*more = *more || came == PORT_BATCH;
		return came < 0 ? ERR_IO : 0;
	}
	came = port->ops->receive(port, router->spare, router->spares, room);
	if (came <= 0)
		return came < 0 ? ERR_IO : 0;
	now_ns = router->clock.now_ns(router->clock.context);
	*more = *more || came == (int)router->spares;
	router->counts[way].received += (uint64_t)came;
	for (int i = 0; i < came; i++)
		arrive(router, way, &router->spare[i], room, now_ns);
	replenish(router, (size_t)came);
	return 0;
}

static void send_due(struct router *router, int way, bool *more)
{
	struct path *path = &router->ways[way];
	struct port *port = router->ports[1 - way];
	struct packet *packets[PORT_BATCH];
	struct port_frame frames[PORT_BATCH];
	const uint64_t now_ns = router->clock.now_ns(router->clock.context);
	size_t count = 0, sent;

	path_run(path, now_ns);
	while (count < PORT_BATCH && (packets[count] = path_take(path, now_ns))) {
		frames[count] = (struct port_frame){packets[count]->wire.bytes,
						    packets[count]->wire.size};
		count++;
	}
	if (count == 0)
		return;
	*more = *more || count == PORT_BATCH;
	sent = port->ops->send(port, frames, count);
	router->counts[way].sent += sent;
	router->counts[way].not_sent += count - sent;
	for (size_t i = 0; i < count; i++)
		path_drop(path, packets[i]);
}

int router_turn(struct router *router, bool *more, struct error *error)
{
	*more = false;
	for (int way = 0; way < ROUTER_WAYS; way++) {
		if (receive(router, way, more))
			return error_set(error, ERR_IO, "port %d (%s) is gone", way + 1,
					 router->ports[way]->ops->name);
		send_due(router, way, more);
	}
	return 0;
}

uint64_t router_next_ns(const struct router *router)
{
	const uint64_t one = path_next_ns(&router->ways[0]), two = path_next_ns(&router->ways[1]);

	return one < two ? one : two;
}

uint64_t router_held(const struct router *router)
{
	return router->frames.held - router->spares;
}
