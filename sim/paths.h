/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies between the bottlenecks and the hosts, on the way there and back.
 *
 *   bottleneck -> delay (-> hops) -> impairments of all -> of the group -> gate -> hosts
 *   hosts -> return delay of the flow -> return impairments of the group -> shared way back ->
 *   gate -> hosts
 *
 * What a scenario does not speak of is not there: its packets take no further step.
 */
#ifndef SIM_PATHS_H
#define SIM_PATHS_H

#include "sim/ack_path.h"
#include "sim/impair.h"
#include "sim/run.h"

struct world;

struct group_paths {
	struct impaired_path forward, back;
};

struct paths {
	struct impaired_path all;
	struct ack_path ack;
	struct sim_node fork;       /* behind it, every group goes its own way */
	struct group_paths *groups; /* (groups of the scenario); NULL: no group is impaired */
	struct sim_network_result at_warmup;
};

/* Puts them behind the world's delay, which must be there; `random` is their generator. */
int paths_build(struct world *world, const struct rng *random, struct error *error);
void paths_free(struct world *world);

/* Where packets go on behind the return delay of a group's flows. */
struct sim_node *paths_back(struct world *world, const struct scenario_group *group);

/* Warm-up is over; the run is over: counts after the one into the result at the other. */
void paths_end_warmup(struct world *world);
void paths_finish(struct world *world);

/* Packets that ended on these paths, hops included, so far; packets on them now. */
uint64_t paths_lost(const struct world *world);
uint64_t paths_held(const struct world *world);

#endif
