/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The impairments of a path, put together from its end.
 */
#include "sim/impair.h"

#include <string.h>

/* Labels of the generators that a path's own is split into. */
enum stream { STREAM_LOSS = 1, STREAM_BURST, STREAM_JITTER, STREAM_REORDER, STREAM_STALL };

bool impairments_any(const struct impairments *plan)
{
	return plan->loss_percent > 0 || plan->burst.enter_percent > 0 ||
	       plan->reorder_percent > 0 || plan->jitter_ms > 0 || plan->stall.every_ms > 0;
}

void impaired_path_init(struct impaired_path *path, const struct impairments *plan,
			struct clock *clock, struct sim_node *next, const struct rng *random,
			struct packet_pool *pool)
{
	memset(path, 0, sizeof(*path));
	path->entry = next;
	if (plan->reorder_percent > 0) {
		reorder_init(&path->reorder, clock, path->entry, plan,
			     rng_split(random, STREAM_REORDER));
		path->entry = &path->reorder.node;
	}
	if (plan->stall.every_ms > 0) {
		stall_init(&path->stall, clock, path->entry, &plan->stall,
			   rng_split(random, STREAM_STALL));
		path->entry = &path->stall.node;
	}
	if (plan->jitter_ms > 0) {
		jitter_init(&path->jitter, clock, path->entry, plan,
			    rng_split(random, STREAM_JITTER));
		path->entry = &path->jitter.node;
	}
	if (plan->burst.enter_percent > 0) {
		loss_burst_init(&path->burst, clock, path->entry, &plan->burst,
				rng_split(random, STREAM_BURST), pool);
		path->entry = &path->burst.node;
	}
	if (plan->loss_percent > 0) {
		loss_init(&path->loss, clock, path->entry, plan->loss_percent,
			  rng_split(random, STREAM_LOSS), pool);
		path->entry = &path->loss.node;
	}
}

void impaired_path_free(struct impaired_path *path)
{
	jitter_free(&path->jitter);
}

uint64_t impaired_path_lost(const struct impaired_path *path)
{
	return path->loss.lost + path->burst.lost;
}

uint64_t impaired_path_held(const struct impaired_path *path)
{
	return path->jitter.count + path->stall.count + delay_line_held(&path->reorder.detour);
}
