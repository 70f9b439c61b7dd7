/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way back that all flows share: thinned, lossy, and with a link of its own.
 *
 * It comes behind the return delays and impairments of the flows.
 */
#ifndef SIM_ACK_PATH_H
#define SIM_ACK_PATH_H

#include "sim/hop.h"
#include "sim/impair.h"

/*
 * Of every `keep_every` pure acknowledgements of a connection in a row, only the last survives
 * (what routers do on slow uplinks: RFC 3449 section 5.2).  It leaves when it is complete, and
 * otherwise `hold_ns` after the first of them came.  Acknowledgements with SACK blocks and
 * everything else pass at once.
 */
struct thinning {
	struct sim_node node;
	struct world *world;
	uint64_t keep_every, hold_ns;
	struct packet *first, *last; /* held; enqueued_ns holds the time of leaving */
	uint64_t thinned;
};

void thinning_init(struct thinning *thinning, struct world *world, struct sim_node *next,
		   const struct ack_path_plan *plan);
uint64_t thinning_held(const struct thinning *thinning);

struct ack_path {
	struct thinning thinning;
	struct loss loss;
	struct hop link;
	struct sim_node *entry; /* the first that is there, or what comes behind */
	uint64_t thinned_at_warmup, lost_at_warmup;
};

/* Builds a zeroed one as the scenario says; on failure ack_path_free() still is due. */
int ack_path_build(struct ack_path *path, struct world *world, struct sim_node *next,
		   const struct rng *random, struct error *error);
void ack_path_free(struct ack_path *path);
void ack_path_end_warmup(struct ack_path *path);
void ack_path_finish(struct ack_path *path, struct sim_result *result);

/* Packets that ended in it so far; packets in it now. */
uint64_t ack_path_lost(const struct ack_path *path);
uint64_t ack_path_held(const struct ack_path *path);

#endif
