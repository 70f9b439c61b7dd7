/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests: two endpoints and a network between them that delays, loses,
 * marks, doubles and reorders, one step of time after another.
 */
#ifndef TCP_TEST_PATH_H
#define TCP_TEST_PATH_H

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "tcp/endpoint.h"

#define WIRE_PACKETS 8192

/* Packets on their way, in no particular order. */
struct wire {
	struct packet *packets;
	uint64_t *due_ns;
	size_t count;
	/* what this direction does to packets */
	double loss, mark, twice;
	uint64_t delay_ns, jitter_ns; /* jitter reorders */
	bool down;                    /* loses everything */
	uint64_t lost, marked;        /* packets, so far */
};

struct path {
	struct endpoint *sender, *receiver;
	struct wire forward, back;
	struct rng rng;
	uint64_t now_ns, step_ns;
	uint64_t ect; /* data packets sent with ECT */
	/* Optional: sees every packet as it is sent. */
	void (*watch)(struct path *path, const struct packet *packet);
	/* Optional: true loses a packet. */
	bool (*drop)(struct path *path, const struct packet *packet);
	uint64_t seen; /* for these two */
};

static inline void wire_put(struct path *path, struct wire *wire, const struct packet *packet)
{
	if (wire->down || rng_uniform(&path->rng) < wire->loss ||
	    (path->drop && path->drop(path, packet))) {
		wire->lost++;
		return;
	}
	for (int copies = rng_uniform(&path->rng) < wire->twice ? 2 : 1; copies > 0; copies--) {
		const uint64_t jitter_ns =
			wire->jitter_ns ? rng_below(&path->rng, wire->jitter_ns) : 0;

		if (wire->count == WIRE_PACKETS)
			abort();
		wire->packets[wire->count] = *packet;
		wire->due_ns[wire->count++] = path->now_ns + wire->delay_ns + jitter_ns;
	}
}

/* The packet that is due first, of equals the one that was sent first. */
static inline bool wire_get(struct wire *wire, struct packet *packet, uint64_t now_ns)
{
	size_t best = 0;

	for (size_t i = 1; i < wire->count; i++)
		if (wire->due_ns[i] < wire->due_ns[best])
			best = i;
	if (wire->count == 0 || wire->due_ns[best] > now_ns)
		return false;
	*packet = wire->packets[best];
	wire->count--;
	memmove(wire->packets + best, wire->packets + best + 1,
		(wire->count - best) * sizeof(*wire->packets));
	memmove(wire->due_ns + best, wire->due_ns + best + 1,
		(wire->count - best) * sizeof(*wire->due_ns));
	return true;
}

static inline void path_emit(struct path *path, struct endpoint *from, struct wire *wire)
{
	struct packet packet = {0};

	while (from->ops->emit(from, &packet, path->now_ns)) {
		path->ect += from == path->sender && packet.ecn != 0;
		if (path->watch)
			path->watch(path, &packet);
		if (packet.ecn && rng_uniform(&path->rng) < wire->mark) {
			packet.ecn = 3;
			wire->marked++;
		}
		wire_put(path, wire, &packet);
		memset(&packet, 0, sizeof(packet));
	}
}

static inline void path_step(struct path *path)
{
	struct endpoint *ends[] = {path->sender, path->receiver};
	struct packet packet;

	path->now_ns += path->step_ns;
	while (wire_get(&path->forward, &packet, path->now_ns)) {
		path->receiver->ops->receive(path->receiver, &packet, path->now_ns);
		path_emit(path, path->receiver, &path->back);
	}
	while (wire_get(&path->back, &packet, path->now_ns)) {
		path->sender->ops->receive(path->sender, &packet, path->now_ns);
		path_emit(path, path->sender, &path->forward);
	}
	for (int i = 0; i < 2; i++)
		if (ends[i]->ops->next_ns(ends[i]) <= path->now_ns)
			ends[i]->ops->run(ends[i], path->now_ns);
	path_emit(path, path->sender, &path->forward);
	path_emit(path, path->receiver, &path->back);
}

static inline void path_run(struct path *path, uint64_t milliseconds)
{
	const uint64_t end_ns = path->now_ns + milliseconds * NS_PER_MS;

	while (path->now_ns < end_ns)
		path_step(path);
}

static inline void wire_open(struct wire *wire)
{
	wire->packets = calloc(WIRE_PACKETS, sizeof(*wire->packets));
	wire->due_ns = calloc(WIRE_PACKETS, sizeof(*wire->due_ns));
	wire->delay_ns = 10 * NS_PER_MS;
	if (wire->packets == NULL || wire->due_ns == NULL)
		abort();
}

/* Ten milliseconds each way and one step a millisecond, until told otherwise. */
static inline struct path *path_open(const struct endpoint_config *config)
{
	struct path *path = calloc(1, sizeof(*path));

	if (path == NULL)
		abort();
	rng_seed(&path->rng, 9);
	path->step_ns = NS_PER_MS;
	wire_open(&path->forward);
	wire_open(&path->back);
	path->sender = tcp_sender_new(config);
	path->receiver = tcp_receiver_new(config);
	if (path->sender == NULL || path->receiver == NULL)
		abort();
	return path;
}

static inline void path_close(struct path *path)
{
	path->sender->ops->destroy(path->sender);
	path->receiver->ops->destroy(path->receiver);
	free(path->forward.packets);
	free(path->forward.due_ns);
	free(path->back.packets);
	free(path->back.due_ns);
	free(path);
}

static inline struct endpoint_stats stats_of(const struct endpoint *endpoint)
{
	struct endpoint_stats stats;

	endpoint->ops->stats(endpoint, &stats);
	return stats;
}

#endif
