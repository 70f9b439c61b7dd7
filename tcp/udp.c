/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP: datagrams at a constant rate or as an application writes them, and a
 * receiver that counts.
 *
 * What is written leaves at once, in datagrams of at most the MTU; between a
 * write and the packets being taken the sizes wait in a list.
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "tcp/endpoint.h"

struct udp_endpoint {
	struct endpoint endpoint; /* first */
	struct endpoint_config config;
	struct endpoint_stats stats;
	uint64_t due_ns; /* of the next packet at a constant rate; TIME_NEVER_NS: none */
	uint32_t *written; /* (written_count): payloads to send, oldest first; owned */
	size_t written_count, written_capacity;
};

static void receive(struct endpoint *endpoint, const struct packet *packet, uint64_t now_ns)
{
	struct udp_endpoint *udp = (struct udp_endpoint *)endpoint;

	udp->stats.received_pkts++;
	udp->stats.received_bytes += packet->len_bytes;
	udp->stats.ce_received += packet->ecn == 3;
	udp->stats.delivered_bytes += packet->len_bytes - UDP_HEADER_BYTES;
	if (udp->config.on_datagram) {
		const struct datagram datagram = {packet->datagram.number,
						  now_ns - packet->datagram.sent_ns,
						  packet->len_bytes};

		udp->config.on_datagram(udp->config.context, now_ns, &datagram);
	}
}

static void add_written(struct udp_endpoint *udp, uint32_t payload_bytes)
{
	if (udp->written_count == udp->written_capacity) {
		const size_t capacity = udp->written_capacity ? 2 * udp->written_capacity : 4;
		uint32_t *grown = realloc(udp->written, capacity * sizeof(*grown));

		if (grown == NULL)
			return; /* a datagram is lost, as at any full socket */
		udp->written = grown;
		udp->written_capacity = capacity;
	}
	udp->written[udp->written_count++] = payload_bytes;
}

static void write_datagrams(struct endpoint *endpoint, uint64_t bytes, uint64_t now_ns)
{
	struct udp_endpoint *udp = (struct udp_endpoint *)endpoint;
	const uint64_t most = udp->config.mtu_bytes - UDP_HEADER_BYTES;

	(void)now_ns;
	for (; bytes > most; bytes -= most)
		add_written(udp, (uint32_t)most);
	add_written(udp, (uint32_t)bytes);
}

/* IP length of the datagram to send now; 0: none. */
static uint32_t next_len(struct udp_endpoint *udp, uint64_t now_ns)
{
	uint32_t len_bytes;

	if (udp->written_count) {
		len_bytes = udp->written[0] + UDP_HEADER_BYTES;
		udp->written_count--;
		memmove(udp->written, udp->written + 1,
			udp->written_count * sizeof(*udp->written));
		return len_bytes;
	}
	if (now_ns < udp->due_ns)
		return 0;
	len_bytes = udp->config.mtu_bytes;
	udp->due_ns += transmission_ns(len_bytes, udp->config.rate_bps);
	if (udp->due_ns >= udp->config.stop_ns)
		udp->due_ns = TIME_NEVER_NS;
	return len_bytes;
}

static bool emit(struct endpoint *endpoint, struct packet *packet, uint64_t now_ns)
{
	struct udp_endpoint *udp = (struct udp_endpoint *)endpoint;
	const uint32_t len_bytes = next_len(udp, now_ns);

	if (len_bytes == 0)
		return false;
	packet->flow = udp->config.flow;
	packet->protocol = NET_UDP;
	packet->len_bytes = len_bytes;
	packet->to_server = true;
	if (udp->config.ecn == ENDPOINT_ECN_CLASSIC)
		packet->ecn = 2;
	else if (udp->config.ecn != ENDPOINT_ECN_NONE)
		packet->ecn = 1;
	packet->datagram.number = ++udp->stats.sent_pkts;
	packet->datagram.sent_ns = now_ns;
	udp->stats.sent_bytes += packet->len_bytes;
	return true;
}

static uint64_t next_ns(const struct endpoint *endpoint)
{
	return ((const struct udp_endpoint *)endpoint)->due_ns;
}

static void run(struct endpoint *endpoint, uint64_t now_ns)
{
	(void)endpoint;
	(void)now_ns;
}

static void stats(const struct endpoint *endpoint, struct endpoint_stats *out)
{
	*out = ((const struct udp_endpoint *)endpoint)->stats;
}

static void destroy(struct endpoint *endpoint)
{
	free(((struct udp_endpoint *)endpoint)->written);
	free(endpoint);
}

static const struct endpoint_ops udp_ops = {
	.name = "udp",
	.receive = receive,
	.emit = emit,
	.next_ns = next_ns,
	.run = run,
	.write = write_datagrams,
	.stats = stats,
	.destroy = destroy,
};

static struct endpoint *udp_new(const struct endpoint_config *config, uint64_t due_ns)
{
	struct udp_endpoint *udp = calloc(1, sizeof(*udp));

	if (udp == NULL)
		return NULL;
	udp->endpoint.ops = &udp_ops;
	udp->config = *config;
	udp->due_ns = due_ns;
	return &udp->endpoint;
}

struct endpoint *udp_sender_new(const struct endpoint_config *config)
{
	const bool sends = !config->from_application && config->rate_bps > 0 &&
			   config->start_ns < config->stop_ns;

	return udp_new(config, sends ? config->start_ns : TIME_NEVER_NS);
}

struct endpoint *udp_receiver_new(const struct endpoint_config *config)
{
	return udp_new(config, TIME_NEVER_NS);
}
