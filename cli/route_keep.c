/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router's counts in the form of a simulated run's result, of which an outcome is kept.
 */
#include "cli/route_keep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/route_report.h"
#include "cli/trial_real.h"

#define FLOW_PACKETS 10 /* fewer: a connection that only steers others */

static struct sim_bin *next_bin(struct route_keep *keep)
{
	if (keep->bin_count == keep->capacity) {
		const uint64_t capacity = keep->capacity ? 2 * keep->capacity : 128;
		struct sim_bin *more = realloc(keep->bins, capacity * sizeof(*more));

		if (more == NULL) {
			keep->failed = ERR_NO_MEMORY;
			return NULL;
		}
		keep->bins = more;
		keep->capacity = capacity;
	}
	return memset(&keep->bins[keep->bin_count++], 0, sizeof(*keep->bins));
}

int route_keep_check(const char *path, struct error *error)
{
	char folder[4096];
	struct file_replace file;
	int code = 0;

	snprintf(folder, sizeof(folder), "%s", path);
	if (strrchr(folder, '/')) {
		*strrchr(folder, '/') = '\0';
		code = *folder ? file_make_folders(folder, error) : 0;
	}
	if (code == 0)
		code = file_replace_open(&file, path, error);
	if (code == 0)
		file_replace_abort(&file);
	return code;
}

void route_keep_look(struct route_keep *keep, const struct router *router, double now_s)
{
	const struct path *path = &router->ways[0];
	struct sim_bin *bin;
	uint64_t sojourns = 0;
	double sum_ns = 0;

	if (keep->failed || now_s < (double)(keep->bin_count + 1) * TRIAL_BIN_S)
		return;
	for (int q = 0; q < AQM_QUEUES; q++) {
		sojourns += path->stats[q].sojourn_ns.count;
		sum_ns += path->stats[q].sojourn_ns.sum;
	}
	bin = next_bin(keep);
	if (bin == NULL)
		return;
	bin->qdelay_ms[SIM_ALL] = sojourns > keep->sojourns
					  ? (sum_ns - keep->sojourn_sum_ns) /
						    (double)(sojourns - keep->sojourns) / 1e6
					  : NAN;
	bin->utilisation = NAN;
	if (path->shaped)
		bin->utilisation = capacity_share(&path->rate, path->sent_bytes - keep->bytes,
						  keep->begun_s, now_s);
	keep->sojourns = sojourns;
	keep->sojourn_sum_ns = sum_ns;
	keep->bytes = path->sent_bytes;
	keep->begun_s = now_s;
}

void route_keep_begin(struct route_keep *keep)
{
	keep->sojourns = 0;
	keep->sojourn_sum_ns = 0;
}

static void fill_flows(struct sim_result *result, const struct flows *flows)
{
	const double width_s = result->duration_s - result->warmup_s;

	for (uint32_t i = 0; i < flows->used_count; i++) {
		const struct flow_entry *entry = &flows->entries[flows->used[i]];
		struct sim_flow_result *flow = &result->flows[result->flow_count];

		if (entry->hash == 0 || entry->left_pkts < FLOW_PACKETS)
			continue;
		flow->id = result->flow_count++;
		/* Also where one queue is for all. */
		flow->l4s = entry->queue == AQM_QUEUE_L || entry->ecn == 1;
		flow->long_lived =
			(double)(entry->last_ns - entry->first_ns) / 1e9 > width_s / 2;
		flow->goodput_mbps = (double)entry->payload_bytes * 8 / width_s / 1e6;
		flow->marks = entry->marks;
	}
}

static void fill_result(struct sim_result *result, const struct route_keep *keep,
			const struct router *router, const struct monitor *monitor)
{
	result->duration_s = monitor->t_s;
	result->warmup_s = monitor->since_s;
	result->utilisation = monitor->ways[0].utilisation;
	for (int i = 0; i < SIM_QUEUES; i++)
		route_queue_result(monitor, summary_queues[i].index,
				   &result->queues[summary_queues[i].index]);
	/* What each class meets in a queue for all is not told apart here. */
	if (result->queues[AQM_QUEUE_L].packets)
		for (int q = 0; q < AQM_QUEUES; q++)
			result->class_qdelay_ns[q] = result->queues[q].qdelay_ns;
	result->bins = keep->bins;
	result->bin_count = keep->bin_count;
	result->bin_s = TRIAL_BIN_S;
	fill_flows(result, router->ways[0].flows);
}

int route_keep_write(const struct route_keep *keep, const char *path, const struct router *router,
		     const struct monitor *monitor, const struct route_law *law,
		     struct error *error)
{
	struct sim_result *result = calloc(1, sizeof(*result));
	struct sim_flow_result *flows = calloc(FLOWS_PLACES, sizeof(*flows));
	const struct aqm_policy_counts counts = route_law_counts(law);
	struct trial_outcome outcome = {0};
	struct policy_cost cost = {0};
	int code = result && flows && !keep->failed ? 0 : ERR_NO_MEMORY;

	if (code == 0) {
		result->flows = flows;
		fill_result(result, keep, router, monitor);
		if (law->policy)
			law->policy->ops->cost(law->policy, &cost);
		code = trial_outcome_keep(&outcome, result, &counts, &cost);
	}
	if (code)
		error_set(error, code, "out of memory for a run");
	else
		code = trial_real_write(&outcome, path, error);
	trial_outcome_free(&outcome);
	free(flows);
	free(result);
	return code;
}

void route_keep_free(struct route_keep *keep)
{
	free(keep->bins);
	memset(keep, 0, sizeof(*keep));
}
