/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP at a constant rate, and a receiver that counts.
 */
#include <stdlib.h>

#include "base/units.h"
#include "tcp/endpoint.h"

struct udp_endpoint {
	struct endpoint endpoint; /* first */
	struct endpoint_config config;
	struct endpoint_stats stats;
	uint64_t due_ns; /* of the next packet; TIME_NEVER_NS for a receiver */
};

static void receive(struct endpoint *endpoint, const struct packet *packet, uint64_t now_ns)
{
	struct udp_endpoint *udp = (struct udp_endpoint *)endpoint;

	(void)now_ns;
	udp->stats.received_pkts++;
	udp->stats.received_bytes += packet->len_bytes;
	udp->stats.ce_received += packet->ecn == 3;
	udp->stats.delivered_bytes += packet->len_bytes - UDP_HEADER_BYTES;
}

static bool emit(struct endpoint *endpoint, struct packet *packet, uint64_t now_ns)
{
	struct udp_endpoint *udp = (struct udp_endpoint *)endpoint;

	if (now_ns < udp->due_ns)
		return false;
	packet->flow = udp->config.flow;
	packet->protocol = NET_UDP;
	packet->len_bytes = udp->config.mtu_bytes;
	packet->sent_ns = now_ns;
	packet->to_server = true;
	if (udp->config.ecn == ENDPOINT_ECN_CLASSIC)
		packet->ecn = 2;
	else if (udp->config.ecn != ENDPOINT_ECN_NONE)
		packet->ecn = 1;
	udp->stats.sent_pkts++;
	udp->stats.sent_bytes += packet->len_bytes;
	udp->due_ns += transmission_ns(packet->len_bytes, udp->config.rate_bps);
	if (udp->due_ns >= udp->config.stop_ns)
		udp->due_ns = TIME_NEVER_NS;
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
	free(endpoint);
}

static const struct endpoint_ops udp_ops = {
	.name = "udp",
	.receive = receive,
	.emit = emit,
	.next_ns = next_ns,
	.run = run,
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
	const bool sends = config->rate_bps > 0 && config->start_ns < config->stop_ns;

	return udp_new(config, sends ? config->start_ns : TIME_NEVER_NS);
}

struct endpoint *udp_receiver_new(const struct endpoint_config *config)
{
	return udp_new(config, TIME_NEVER_NS);
}
