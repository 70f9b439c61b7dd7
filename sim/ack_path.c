/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared way back: built from its end, counted.
 */
#include "sim/ack_path.h"

#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

/* Labels of generators. */
enum stream { STREAM_LINK = 1, STREAM_LOSS };

static int build_link(struct ack_path *path, struct world *world, struct rng random,
		      struct error *error)
{
	const struct ack_path_plan *plan = &world->scenario->ack_path;
	struct hop_plan *link = calloc(1, sizeof(*link));
	int code;

	if (link == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the ack_path");
	strcpy(link->name, "ack_path");
	strcpy(link->aqm, "fifo");
	link->rate_mbps = plan->rate_mbps;
	link->limit_packets = plan->limit_packets;
	code = hop_build(&path->link, world, link, path->entry, random,
			 &world->result->ack_path->link, error);
	free(link);
	path->entry = &path->link.link.node;
	return code;
}

int ack_path_build(struct ack_path *path, struct world *world, struct sim_node *next,
		   const struct rng *random, struct error *error)
{
	const struct ack_path_plan *plan = &world->scenario->ack_path;
	int code = 0;

	path->entry = next;
	if (!plan->given)
		return 0;
	world->result->ack_path = calloc(1, sizeof(*world->result->ack_path));
	if (world->result->ack_path == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the ack_path");
	if (plan->rate_mbps > 0)
		code = build_link(path, world, rng_split(random, STREAM_LINK), error);
	if (plan->loss_percent > 0) {
		loss_init(&path->loss, &world->clock, path->entry, plan->loss_percent,
			  rng_split(random, STREAM_LOSS), &world->pool);
		path->entry = &path->loss.node;
	}
	if (plan->keep_every > 1) {
		thinning_init(&path->thinning, world, path->entry, plan);
		path->entry = &path->thinning.node;
	}
	return code;
}

void ack_path_free(struct ack_path *path)
{
	hop_free(&path->link);
}

void ack_path_end_warmup(struct ack_path *path)
{
	path->thinned_at_warmup = path->thinning.thinned;
	path->lost_at_warmup = path->loss.lost;
	if (path->link.queue)
		hop_end_warmup(&path->link);
}

void ack_path_finish(struct ack_path *path, struct sim_result *result)
{
	if (result->ack_path == NULL)
		return;
	result->ack_path->thinned = path->thinning.thinned - path->thinned_at_warmup;
	result->ack_path->lost = path->loss.lost - path->lost_at_warmup;
	if (path->link.queue)
		hop_finish(&path->link);
}

uint64_t ack_path_lost(const struct ack_path *path)
{
	return path->thinning.thinned + path->loss.lost +
	       (path->link.queue ? hop_dropped(&path->link) : 0);
}

uint64_t ack_path_held(const struct ack_path *path)
{
	return thinning_held(&path->thinning) + (path->link.queue ? hop_held(&path->link) : 0);
}
