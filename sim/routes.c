/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hops in a row and the junctions between them.
 */
#include "sim/routes.h"

#include <stdlib.h>
#include <string.h>

#include "sim/scenario_network.h"
#include "sim/world.h"

/* The first place of `places` from `from` on. */
static struct sim_node *next_place(struct world *world, uint32_t places, uint64_t from)
{
	struct routes *routes = &world->routes;

	for (uint64_t place = from; place <= routes->count; place++) {
		if (!(places & UINT32_C(1) << place))
			continue;
		return place == 0 ? world->entry : &routes->hops[place - 1].link.node;
	}
	return routes->exit;
}

/* Packets of connections that are gone have no path any more: the gate ends them. */
static void junction_forward(struct sim_node *node, struct packet *packet)
{
	struct junction *junction = (struct junction *)node;
	struct world *world = junction->world;
	const struct connection *connection = world->switchboard.lines[packet->flow].connection;
	struct sim_node *next = &world->gate;

	if (connection)
		next = next_place(world,
				  world->routes.places[connection->host->group -
						       world->scenario->groups],
				  junction->place + 1);
	node_forward(next, packet);
}

static const struct sim_node_ops junction_ops = {.forward = junction_forward};

static void build_junctions(struct world *world)
{
	struct routes *routes = &world->routes;

	for (uint64_t i = 0; i < routes->count; i++) {
		struct junction *junction = &routes->junctions[i];

		node_init(&junction->node, &junction_ops, &world->clock, NULL);
		junction->world = world;
		junction->place = i;
	}
	for (uint64_t g = 0; g < world->scenario->group_count; g++)
		routes->places[g] =
			scenario_places(world->scenario, &world->scenario->groups[g]);
}

int routes_build(struct world *world, struct sim_node *exit, const struct rng *random,
		 struct error *error)
{
	const struct scenario *scenario = world->scenario;
	struct routes *routes = &world->routes;
	int code = 0;

	routes->exit = exit;
	if (scenario->hop_count == 0)
		return 0;
	routes->hops = calloc(scenario->hop_count, sizeof(*routes->hops));
	world->result->hops = calloc(scenario->hop_count, sizeof(*world->result->hops));
	if (routes->hops == NULL || world->result->hops == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the hops");
	routes->count = world->result->hop_count = scenario->hop_count;
	build_junctions(world);
	for (uint64_t i = 0; code == 0 && i < routes->count; i++)
		code = hop_build(&routes->hops[i], world, &scenario->hops[i],
				 i + 1 < routes->count ? &routes->junctions[i + 1].node : exit,
				 rng_split(random, i), &world->result->hops[i], error);
	return code;
}

void routes_free(struct routes *routes)
{
	for (uint64_t i = 0; i < routes->count; i++)
		hop_free(&routes->hops[i]);
	free(routes->hops);
}

struct sim_node *routes_behind_bottleneck(struct routes *routes)
{
	return routes->count ? &routes->junctions[0].node : routes->exit;
}

struct sim_node *routes_entry(struct world *world, const struct scenario_group *group)
{
	return world->routes.count
		       ? next_place(world, world->routes.places[group - world->scenario->groups], 0)
		       : world->entry;
}
