/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several bottlenecks in a row, and who crosses which of them (a parking lot).
 *
 * Places are numbered along the way: 0 is the scenario's bottleneck, i + 1 its hop i.  Behind each
 * stands a junction that sends packets to the next place on their group's path, or out.
 */
#ifndef SIM_ROUTES_H
#define SIM_ROUTES_H

#include "sim/hop.h"

struct junction {
	struct sim_node node;
	struct world *world;
	uint64_t place;
};

struct routes {
	struct hop *hops; /* (count) */
	uint64_t count;
	struct junction junctions[SCENARIO_MAX_HOPS]; /* behind the places that are not the last */
	uint32_t places[SCENARIO_MAX_GROUPS];         /* of each group: bit i is place i */
	struct sim_node *exit;                        /* behind the last place of a path */
};

/* Builds the hops into the world; on failure routes_free() still is due. */
int routes_build(struct world *world, struct sim_node *exit, const struct rng *random,
		 struct error *error);
void routes_free(struct routes *routes);

/* Behind the bottleneck's delay. */
struct sim_node *routes_behind_bottleneck(struct routes *routes);

/* Where data of a group enters; the bottleneck's own entry is the world's. */
struct sim_node *routes_entry(struct world *world, const struct scenario_group *group);

#endif
