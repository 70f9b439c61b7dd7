/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies between the bottleneck and the hosts, on the way there and back.
 *
 *   bottleneck -> delay -> impairments of all -> impairments of the group -> gate -> hosts
 *   hosts -> return delay of the flow -> return impairments of the group -> gate -> hosts
 *
 * What a scenario does not speak of is not there: its packets take no further step.
 */
#ifndef SIM_PATHS_H
#define SIM_PATHS_H

#include "sim/impair.h"
#include "sim/run.h"

struct world;

struct group_paths {
	struct impaired_path forward, back;
};

struct paths {
	struct impaired_path all;
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

/* Packets lost so far; packets on these paths now. */
uint64_t paths_lost(const struct world *world);
uint64_t paths_held(const struct world *world);

#endif
