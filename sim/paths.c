/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths beyond the bottleneck: built, counted.
 */
#include "sim/paths.h"

#include <stdlib.h>

#include "sim/world.h"

/* Labels of generators: of all, then two of every group. */
enum place { PLACE_ALL, PLACE_ACK_PATH, PLACE_HOPS, PLACE_GROUPS };

static bool groups_are_impaired(const struct scenario *scenario)
{
	for (uint64_t g = 0; g < scenario->group_count; g++)
		if (impairments_any(&scenario->groups[g].impairments) ||
		    impairments_any(&scenario->groups[g].return_impairments))
			return true;
	return false;
}

/* Packets of connections that are gone have no group any more: the gate ends them. */
static void fork_forward(struct sim_node *node, struct packet *packet)
{
	struct world *world = (struct world *)((char *)node - offsetof(struct world, paths.fork));
	const struct connection *connection = world->switchboard.lines[packet->flow].connection;
	struct sim_node *next = &world->gate;

	if (connection)
		next = world->paths.groups[connection->host->group - world->scenario->groups]
			       .forward.entry;
	node_forward(next, packet);
}

static const struct sim_node_ops fork_ops = {.forward = fork_forward};

static int build_groups(struct world *world, const struct rng *random, struct error *error)
{
	const struct scenario *scenario = world->scenario;

	world->paths.groups = calloc(scenario->group_count, sizeof(*world->paths.groups));
	if (world->paths.groups == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the paths");
	for (uint64_t g = 0; g < scenario->group_count; g++) {
		const struct rng there = rng_split(random, PLACE_GROUPS + 2 * g);
		const struct rng back = rng_split(random, PLACE_GROUPS + 2 * g + 1);
		struct group_paths *paths = &world->paths.groups[g];

		impaired_path_init(&paths->forward, &scenario->groups[g].impairments, &world->clock,
				   &world->gate, &there, &world->pool);
		impaired_path_init(&paths->back, &scenario->groups[g].return_impairments,
				   &world->clock, world->paths.ack.entry, &back, &world->pool);
	}
	return 0;
}

/* A router with a clock of its own serves both ways by one pipe: there is nothing behind it. */
static int refuse_pipe(const struct world *world, struct error *error)
{
	const struct scenario *scenario = world->scenario;
	const char *key = scenario->hop_count        ? "hops"
			  : scenario->ack_path.given ? "ack_path"
						     : "impairments";

	if (world->pipe.rate_bps == 0 ||
	    (scenario->hop_count == 0 && !scenario->ack_path.given &&
	     !impairments_any(&scenario->impairments) && !groups_are_impaired(scenario)))
		return 0;
	return error_at(error, ERR_UNSUPPORTED, scenario->path, 0, key,
			"a router with a clock of its own (%s) has none of these",
			world->queue->law->name);
}

static int build_all(struct world *world, const struct rng *random, struct error *error)
{
	const struct scenario *scenario = world->scenario;
	const struct rng of_all = rng_split(random, PLACE_ALL);
	const struct rng of_ack_path = rng_split(random, PLACE_ACK_PATH);
	const struct rng of_hops = rng_split(random, PLACE_HOPS);
	const bool fork = groups_are_impaired(scenario);
	int code = ack_path_build(&world->paths.ack, world, &world->gate, &of_ack_path, error);

	if (code == 0 && fork)
		code = build_groups(world, random, error);
	node_init(&world->paths.fork, &fork_ops, &world->clock, NULL);
	impaired_path_init(&world->paths.all, &scenario->impairments, &world->clock,
			   fork ? &world->paths.fork : &world->gate, &of_all, &world->pool);
	world->result->network.told = fork || impairments_any(&scenario->impairments);
	return code ? code : routes_build(world, world->paths.all.entry, &of_hops, error);
}

int paths_build(struct world *world, const struct rng *random, struct error *error)
{
	int code = refuse_pipe(world, error);

	if (code == 0)
		code = build_all(world, random, error);
	if (code == 0 && world->pipe.rate_bps == 0)
		world->forward_delay.node.next = routes_behind_bottleneck(&world->routes);
	return code;
}

void paths_free(struct world *world)
{
	impaired_path_free(&world->paths.all);
	ack_path_free(&world->paths.ack);
	routes_free(&world->routes);
	for (uint64_t g = 0; world->paths.groups && g < world->scenario->group_count; g++) {
		impaired_path_free(&world->paths.groups[g].forward);
		impaired_path_free(&world->paths.groups[g].back);
	}
	free(world->paths.groups);
}

struct sim_node *paths_back(struct world *world, const struct scenario_group *group)
{
	return world->paths.groups ? world->paths.groups[group - world->scenario->groups].back.entry
				   : world->paths.ack.entry;
}

/* Counts since the start. */
static struct sim_network_result count(const struct world *world)
{
	const struct paths *paths = &world->paths;
	struct sim_network_result counts = {
		.lost = impaired_path_lost(&paths->all),
		.reordered = paths->all.reorder.reordered,
	};

	for (uint64_t g = 0; paths->groups && g < world->scenario->group_count; g++) {
		counts.lost += impaired_path_lost(&paths->groups[g].forward);
		counts.reordered += paths->groups[g].forward.reorder.reordered +
				    paths->groups[g].back.reorder.reordered;
		counts.return_lost += impaired_path_lost(&paths->groups[g].back);
	}
	return counts;
}

void paths_end_warmup(struct world *world)
{
	world->paths.at_warmup = count(world);
	ack_path_end_warmup(&world->paths.ack);
	for (uint64_t i = 0; i < world->routes.count; i++)
		hop_end_warmup(&world->routes.hops[i]);
}

void paths_finish(struct world *world)
{
	const struct sim_network_result *before = &world->paths.at_warmup;
	struct sim_network_result *result = &world->result->network;
	const struct sim_network_result now = count(world);

	result->lost = now.lost - before->lost;
	result->reordered = now.reordered - before->reordered;
	result->return_lost = now.return_lost - before->return_lost;
	ack_path_finish(&world->paths.ack, world->result);
	for (uint64_t i = 0; i < world->routes.count; i++)
		hop_finish(&world->routes.hops[i]);
}

uint64_t paths_lost(const struct world *world)
{
	const struct sim_network_result counts = count(world);
	uint64_t lost = counts.lost + counts.return_lost + ack_path_lost(&world->paths.ack);

	for (uint64_t i = 0; i < world->routes.count; i++)
		lost += hop_dropped(&world->routes.hops[i]);
	return lost;
}

uint64_t paths_held(const struct world *world)
{
	uint64_t held = impaired_path_held(&world->paths.all) + ack_path_held(&world->paths.ack);

	for (uint64_t i = 0; i < world->routes.count; i++)
		held += hop_held(&world->routes.hops[i]);
	for (uint64_t g = 0; world->paths.groups && g < world->scenario->group_count; g++)
		held += impaired_path_held(&world->paths.groups[g].forward) +
			impaired_path_held(&world->paths.groups[g].back);
	return held;
}
