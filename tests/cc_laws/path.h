/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two endpoints and a path without a queue: a fixed delay that loses or marks
 * by a pattern.  What a congestion control holds here is its law and nothing else.
 */
#ifndef TESTS_CC_LAWS_PATH_H
#define TESTS_CC_LAWS_PATH_H

#include "base/rng.h"
#include "tcp/endpoint.h"

/* Which packets something happens to: evenly spread, or independent of each other. */
struct pattern {
	double share;  /* of packets, 0..1 */
	bool random;
	double due;    /* even: share of the next one that has come together */
};

struct path_config {
	const char *cc;            /* as in scenarios */
	struct tcp_options options;
	enum endpoint_ecn ecn;
	uint64_t rtt_ns;
	double lose, mark, lose_acks; /* shares of packets */
	bool random;               /* losses and marks; of acknowledgements always */
	uint64_t seed;
};

struct path {
	struct endpoint *sender, *receiver;
	struct path_config config;
	struct pattern lose, mark, lose_acks;
	struct rng random;
	struct path_line *lines;   /* data, acknowledgements */
	uint64_t now_ns;
	bool dark;                 /* nothing arrives */
	uint64_t data_pkts, marks, losses;
	uint32_t segment_bytes;    /* payload of a full packet */
};

/* NULL when out of memory or there is no such control. */
struct path *path_new(const struct path_config *config);
void path_free(struct path *path);

/* Lets `seconds` pass. */
void path_run(struct path *path, double seconds);

/* Payload that the receiver's application got. */
uint64_t path_delivered_bytes(const struct path *path);

/* Segments delivered per round trip while the next `seconds` pass. */
double path_mean_window(struct path *path, double seconds);

struct endpoint_stats path_sender_stats(const struct path *path);

#endif
