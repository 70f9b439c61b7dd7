/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Differences of counters from bin to bin.
 */
#include "router/monitor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define SMOOTHING_S 0.5
#define SILENT_S 10 /* a flow that shows nothing for so long may lose its place to a larger one */

void monitor_init(struct monitor *monitor, const char *law, const char *policy)
{
	memset(monitor, 0, sizeof(*monitor));
	snprintf(monitor->law, sizeof(monitor->law), "%s", law);
	snprintf(monitor->policy, sizeof(monitor->policy), "%s", policy ? policy : "");
}

/* Flows start anew; what is known of sequence numbers stays. */
static void forget_flows(struct flows *flows, uint64_t now_ns)
{
	for (uint32_t i = 0; i < flows->used_count; i++) {
		struct flow_entry *entry = &flows->entries[flows->used[i]];

		entry->arrived_pkts = entry->arrived_bytes = 0;
		entry->left_pkts = entry->left_bytes = 0;
		entry->marks = entry->drops = 0;
		entry->payload_bytes = entry->seen_bytes = 0;
		entry->first_ns = now_ns;
	}
}

void monitor_begin(struct monitor *monitor, struct router *router, uint64_t now_ns)
{
	monitor->since_s = seconds_from_ns(now_ns);
	for (int w = 0; w < ROUTER_WAYS; w++) {
		struct path *path = &router->ways[w];

		memcpy(monitor->base[w], path->queue->counts, sizeof(monitor->base[w]));
		monitor->base_counts[w] = router->counts[w];
		monitor->base_bytes[w] = path->sent_bytes;
		forget_flows(path->flows, now_ns);
		for (int q = 0; q < AQM_QUEUES; q++) {
			histogram_init(&path->stats[q].sojourn_ns);
			path->stats[q].ect_drops = 0;
		}
	}
	memset(monitor->last_sojourns, 0, sizeof(monitor->last_sojourns));
	memset(monitor->last_sojourn_sum, 0, sizeof(monitor->last_sojourn_sum));
}

static void read_queue(struct monitor_queue *out, const struct path *path, int q,
		       const struct queue_counts *base)
{
	const struct queue_counts *counts = &path->queue->counts[q];

	out->packets = counts->left_pkts - base->left_pkts;
	out->bytes = counts->left_bytes - base->left_bytes;
	out->marks = counts->marks - base->marks;
	out->drops = counts->drops - base->drops;
	out->backlog_pkts = path->queue->backlog_pkts[q];
	out->backlog_bytes = path->queue->backlog_bytes[q];
	out->sojourn_ns = path->stats[q].sojourn_ns;
	out->ect_drops = path->stats[q].ect_drops;
}

static double share_of(const struct path *path, uint64_t bytes, double from_s, double to_s)
{
	return path->shaped && to_s > from_s ? capacity_share(&path->rate, bytes, from_s, to_s)
					     : NAN;
}

static void read_way(struct monitor *monitor, const struct router *router, int w)
{
	const struct path *path = &router->ways[w];
	const struct router_counts *now = &router->counts[w], *base = &monitor->base_counts[w];
	struct monitor_way *out = &monitor->ways[w];
	const uint64_t bytes = path->sent_bytes - monitor->base_bytes[w];
	const double width_s = monitor->t_s - monitor->since_s;

	for (int q = 0; q < AQM_QUEUES; q++)
		read_queue(&out->queues[q], path, q, &monitor->base[w][q]);
	out->counts = (struct router_counts){
		now->received - base->received,
		now->malformed - base->malformed,
		now->no_room - base->no_room,
		now->sent - base->sent,
		now->not_sent - base->not_sent,
	};
	out->rate_mbps = width_s > 0 ? (double)bytes * 8 / width_s / 1e6 : 0;
	out->utilisation = share_of(path, bytes, monitor->since_s, monitor->t_s);
	out->inside_pkts = path_held(path);
}

static void read_law(struct monitor_bin *bin, const struct queue *queue)
{
	struct aqm_view view = {0};

	if (queue->law->view)
		queue->law->view(queue->params, queue->vars, &view);
	bin->p_base = (double)view.p_base / (double)AQM_Q32_ONE;
	bin->p_c = (double)view.p_c / (double)AQM_Q32_ONE;
	bin->p_l = (double)view.p_l / (double)AQM_Q32_ONE;
}

static void read_bin(struct monitor *monitor, struct monitor_bin *bin, const struct path *path,
		     double begun_s)
{
	const double width_s = monitor->t_s - begun_s;
	const uint64_t bytes = path->sent_bytes - monitor->last_bytes;

	bin->t_s = monitor->t_s;
	bin->rate_mbps = width_s > 0 ? (double)bytes * 8 / width_s / 1e6 : 0;
	bin->utilisation = share_of(path, bytes, begun_s, monitor->t_s);
	monitor->last_bytes = path->sent_bytes;
	for (int q = 0; q < AQM_QUEUES; q++) {
		const struct histogram *sojourn = &path->stats[q].sojourn_ns;
		const struct queue_counts *counts = &path->queue->counts[q];
		const uint64_t left = sojourn->count - monitor->last_sojourns[q];

		bin->qdelay_ms[q] =
			left ? (sojourn->sum - monitor->last_sojourn_sum[q]) / (double)left / 1e6
			     : NAN;
		bin->backlog_bytes[q] = (double)path->queue->backlog_bytes[q];
		bin->marks[q] = counts->marks - monitor->last[q].marks;
		bin->drops[q] = counts->drops - monitor->last[q].drops;
		monitor->last_sojourns[q] = sojourn->count;
		monitor->last_sojourn_sum[q] = sojourn->sum;
	}
	memcpy(monitor->last, path->queue->counts, sizeof(monitor->last));
	read_law(bin, path->queue);
}

/* The smallest of the flows that are shown and silent, which has to go first; NULL: none. */
static struct monitor_flow *least_of(struct monitor *monitor)
{
	struct monitor_flow *least = NULL;

	for (uint32_t i = 0; i < monitor->flow_count; i++) {
		struct monitor_flow *flow = &monitor->flows[i];

		if (monitor->t_s - seconds_from_ns(flow->entry.last_ns) > SILENT_S &&
		    (least == NULL || flow->entry.left_bytes < least->entry.left_bytes))
			least = flow;
	}
	return least;
}

/* Place of a flow in the monitor: its own, a new one, or `*least`, which is then taken. */
static struct monitor_flow *place_of(struct monitor *monitor, struct flow_entry *entry,
				     struct monitor_flow **least)
{
	struct monitor_flow *flow = *least;

	if (entry->place && monitor->flows[entry->place - 1].entry.hash == entry->hash)
		return &monitor->flows[entry->place - 1];
	if (monitor->flow_count < MONITOR_FLOWS)
		flow = &monitor->flows[monitor->flow_count++];
	else if (flow == NULL || flow->entry.left_bytes >= entry->left_bytes)
		return NULL;
	else
		*least = NULL;
	entry->place = (uint8_t)(flow - monitor->flows + 1);
	return flow;
}

static void read_flows(struct monitor *monitor, struct monitor_bin *bin, struct flows *flows,
		       double width_s)
{
	const double weight = 1 - exp(-width_s / SMOOTHING_S);
	struct monitor_flow *least = least_of(monitor);

	monitor->flows_known = flows->known;
	for (uint32_t i = 0; i < flows->used_count; i++) {
		struct flow_entry *entry = &flows->entries[flows->used[i]];
		const uint64_t more = entry->payload_bytes - entry->seen_bytes;
		const double begun_s = fmax(monitor->since_s, seconds_from_ns(entry->first_ns));
		struct monitor_flow *flow;

		entry->seen_bytes = entry->payload_bytes;
		entry->goodput_mbps +=
			((double)more * 8 / width_s / 1e6 - entry->goodput_mbps) * weight;
		flow = place_of(monitor, entry, &least);
		if (flow == NULL)
			continue;
		flow->entry = *entry;
		flow->mean_mbps = monitor->t_s > begun_s ? (double)entry->payload_bytes * 8 /
								   (monitor->t_s - begun_s) / 1e6
							 : 0;
	}
	for (uint32_t i = 0; i < monitor->flow_count; i++)
		bin->goodput_mbps[i] = monitor->flows[i].entry.goodput_mbps;
}

void monitor_bin(struct monitor *monitor, struct router *router, uint64_t now_ns)
{
	struct monitor_bin *bin = &monitor->bins[monitor->bin_count % MONITOR_BINS];
	const double begun_s = monitor->t_s;

	monitor->t_s = seconds_from_ns(now_ns);
	if (monitor->t_s <= begun_s)
		return;
	/* What was due in this bin belongs to it, though nobody came to do it yet. */
	for (int w = 0; w < ROUTER_WAYS; w++)
		path_run(&router->ways[w], now_ns);
	memset(bin, 0, sizeof(*bin));
	read_bin(monitor, bin, &router->ways[0], begun_s);
	read_flows(monitor, bin, router->ways[0].flows, monitor->t_s - begun_s);
	for (int w = 0; w < ROUTER_WAYS; w++)
		read_way(monitor, router, w);
	monitor->bin_count++;
}

const struct monitor_bin *monitor_bin_ago(const struct monitor *monitor, uint64_t ago)
{
	if (ago >= monitor->bin_count || ago >= MONITOR_BINS)
		return NULL;
	return &monitor->bins[(monitor->bin_count - 1 - ago) % MONITOR_BINS];
}
