/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cost of a run is nearly proportional to what its link can send, so the
 * model has no more than that in it.
 */
#include "cli/trial_cost.h"

#include <stdlib.h>

#define PACKET_BITS 12000.0
#define DECISION_PACKETS 2000.0 /* that a decision of a small policy takes as long as */

double trial_cost(const struct trial_job *job)
{
	const struct scenario *scenario = job->scenario;
	double from_s = 0, rate_mbps = scenario->rate_mbps, megabits = 0, packets;

	for (uint64_t i = 0; i < scenario->step_count; i++) {
		megabits += rate_mbps * (scenario->steps[i].at_s - from_s);
		from_s = scenario->steps[i].at_s;
		rate_mbps = scenario->steps[i].rate_mbps;
	}
	megabits += rate_mbps * (scenario->duration_s - from_s);
	packets = megabits * 1e6 / PACKET_BITS;
	if (job->arm->policy && job->arm->interval)
		packets *= 1 + DECISION_PACKETS / (double)job->arm->interval;
	return packets;
}

/* A run and its cost. */
struct ranked {
	double cost;
	size_t index;
};

static int dearest_first(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;

	if (left->cost != right->cost)
		return left->cost < right->cost ? 1 : -1;
	return (left->index > right->index) - (left->index < right->index);
}

void trial_order(const struct trial *trial, size_t *order)
{
	const size_t runs = trial_runs(trial);
	struct ranked *ranked = calloc(runs + 1, sizeof(*ranked));

	for (size_t i = 0; i < runs; i++) {
		const struct trial_job job = trial_job_at(trial, i);

		order[i] = i;
		if (ranked)
			ranked[i] = (struct ranked){trial_cost(&job), i};
	}
	/* Without the memory the order is what it is. */
	if (ranked)
		qsort(ranked, runs, sizeof(*ranked), dearest_first);
	for (size_t i = 0; ranked && i < runs; i++)
		order[i] = ranked[i].index;
	free(ranked);
}
