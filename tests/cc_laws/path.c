/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path between two endpoints: two delay lines and an event loop.
 */
#include "tests/cc_laws/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define LINE_PKTS 65536

struct path_line {
	struct packet packets[LINE_PKTS];
	uint64_t due_ns[LINE_PKTS];
	uint64_t first, last;
};

static bool happens(struct pattern *pattern, struct rng *random)
{
	if (pattern->random)
		return rng_uniform(random) < pattern->share;
	pattern->due += pattern->share;
	if (pattern->due < 1)
		return false;
	pattern->due -= 1;
	return true;
}

static void put(struct path *path, const struct packet *packet)
{
	struct path_line *line = &path->lines[packet->to_server ? 0 : 1];
	const uint64_t at = line->last % LINE_PKTS;

	if (line->last - line->first == LINE_PKTS)
		return; /* a window that no law here asks for: the figures will say so */
	line->packets[at] = *packet;
	line->due_ns[at] = path->now_ns + path->config.rtt_ns / 2;
	line->last++;
}

static void carry(struct path *path, struct packet *packet)
{
	if (!packet->to_server) {
		if (!happens(&path->lose_acks, &path->random) && !path->dark)
			put(path, packet);
		return;
	}
	path->data_pkts++;
	if (happens(&path->lose, &path->random) || path->dark) {
		path->losses++;
		return;
	}
	if (packet->ecn && happens(&path->mark, &path->random)) {
		packet->ecn = 3;
		path->marks++;
	}
	put(path, packet);
}

static void pump(struct path *path, struct endpoint *endpoint)
{
	struct packet packet = {0};

	while (endpoint->ops->emit(endpoint, &packet, path->now_ns)) {
		carry(path, &packet);
		memset(&packet, 0, sizeof(packet));
	}
}

static void deliver(struct path *path, struct path_line *line, struct endpoint *to)
{
	while (line->first < line->last && line->due_ns[line->first % LINE_PKTS] <= path->now_ns) {
		to->ops->receive(to, &line->packets[line->first % LINE_PKTS], path->now_ns);
		line->first++;
		pump(path, to);
	}
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t line_next_ns(const struct path_line *line)
{
	return line->first < line->last ? line->due_ns[line->first % LINE_PKTS] : TIME_NEVER_NS;
}

void path_run(struct path *path, double seconds)
{
	const uint64_t end_ns = path->now_ns + ns_from_seconds(seconds);

	for (;;) {
		uint64_t next_ns = earlier(line_next_ns(&path->lines[0]),
					   line_next_ns(&path->lines[1]));

		next_ns = earlier(next_ns, path->sender->ops->next_ns(path->sender));
		next_ns = earlier(next_ns, path->receiver->ops->next_ns(path->receiver));
		if (next_ns > end_ns)
			break;
		if (next_ns > path->now_ns)
			path->now_ns = next_ns;
		deliver(path, &path->lines[0], path->receiver);
		deliver(path, &path->lines[1], path->sender);
		path->sender->ops->run(path->sender, path->now_ns);
		path->receiver->ops->run(path->receiver, path->now_ns);
		pump(path, path->sender);
		pump(path, path->receiver);
	}
	path->now_ns = end_ns;
}

uint64_t path_delivered_bytes(const struct path *path)
{
	struct endpoint_stats stats;

	path->receiver->ops->stats(path->receiver, &stats);
	return stats.delivered_bytes;
}

struct endpoint_stats path_sender_stats(const struct path *path)
{
	struct endpoint_stats stats;

	path->sender->ops->stats(path->sender, &stats);
	return stats;
}

double path_mean_window(struct path *path, double seconds)
{
	const uint64_t before = path_delivered_bytes(path);

	path_run(path, seconds);
	return (double)(path_delivered_bytes(path) - before) / path->segment_bytes *
	       seconds_from_ns(path->config.rtt_ns) / seconds;
}

static void make_ends(struct path *path)
{
	const struct endpoint_config config = {
		.mtu_bytes = NET_MTU_BYTES,
		.ecn = path->config.ecn,
		.cc = tcp_cc_find(path->config.cc),
		.options = path->config.options,
		.stop_ns = TIME_NEVER_NS,
		.random = path->random,
	};

	if (config.cc) {
		path->sender = tcp_sender_new(&config);
		path->receiver = tcp_receiver_new(&config);
		path->segment_bytes = NET_MTU_BYTES - TCP_HEADER_BYTES;
	} else if (strcmp(path->config.cc, "udp_prague") == 0) {
		path->sender = udp_prague_sender_new(&config);
		path->receiver = udp_prague_receiver_new(&config);
		path->segment_bytes = NET_MTU_BYTES - UDP_HEADER_BYTES;
	}
}

struct path *path_new(const struct path_config *config)
{
	struct path *path = calloc(1, sizeof(*path));

	if (path == NULL)
		return NULL;
	path->config = *config;
	path->lose = (struct pattern){.share = config->lose, .random = config->random};
	path->mark = (struct pattern){.share = config->mark, .random = config->random};
	path->lose_acks = (struct pattern){.share = config->lose_acks, .random = true};
	rng_seed(&path->random, config->seed);
	path->lines = calloc(2, sizeof(*path->lines));
	make_ends(path);
	if (path->lines == NULL || path->sender == NULL || path->receiver == NULL) {
		path_free(path);
		return NULL;
	}
	return path;
}

void path_free(struct path *path)
{
	if (path->sender)
		path->sender->ops->destroy(path->sender);
	if (path->receiver)
		path->receiver->ops->destroy(path->receiver);
	free(path->lines);
	free(path);
}
