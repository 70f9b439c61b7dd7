/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statistics of a run: what is remembered when warm-up ends, the bins of the
 * time series, and the totals.
 */
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "sim/world.h"

void world_end_warmup(struct world *world)
{
	for (uint64_t i = 0; i < world->flows; i++)
		host_end_warmup(&world->hosts[i]);
	for (int q = 0; q < AQM_QUEUES; q++)
		world->result->queues[q].marks = world->queue->counts[q].marks;
	paths_end_warmup(world);
}

static void fill_flow_bins(struct world *world)
{
	for (uint64_t i = 0; i < world->flows; i++) {
		struct host *host = &world->hosts[i];
		struct endpoint_stats sent, received;
		uint64_t delivered_bytes;

		host_stats(host, &sent, &received);
		delivered_bytes = received.delivered_bytes - host->delivered_at_bin;
		world->flow_bins[i] = (struct sim_flow_bin){
			.goodput_mbps = (double)delivered_bytes * 8 / world->result->bin_s / 1e6,
			.rtt_ms = ms_from_ns(sent.srtt_ns),
			.cwnd_bytes = (double)sent.cwnd_bytes,
		};
		host->delivered_at_bin = received.delivered_bytes;
	}
}

/* Signals since the last bin. */
static void fill_signals(struct world *world, struct sim_bin *bin)
{
	for (int q = 0; q < AQM_QUEUES; q++) {
		const struct queue_counts *counts = &world->queue->counts[q];

		bin->marks[q] = counts->marks - world->marks_before_bin[q];
		bin->drops[q] = counts->drops - world->drops_before_bin[q];
		bin->marks[SIM_ALL] += bin->marks[q];
		bin->drops[SIM_ALL] += bin->drops[q];
		world->marks_before_bin[q] = counts->marks;
		world->drops_before_bin[q] = counts->drops;
	}
}

static void fill_bin(struct world *world, struct sim_bin *bin, double start_s)
{
	const uint64_t *backlog = world->queue->backlog_bytes;
	struct aqm_view view = {0};

	for (int q = 0; q < SIM_QUEUES; q++) {
		bin->qdelay_ms[q] = world->bin_pkts[q] ? world->bin_delay_ns[q] /
								 (double)world->bin_pkts[q] / 1e6
						       : NAN;
		bin->backlog_bytes[q] =
			(double)(q == SIM_ALL ? backlog[0] + backlog[1] : backlog[q]);
	}
	world->queue->law->view(world->queue->params, world->queue->vars, &view);
	bin->p_base = (double)view.p_base / (double)AQM_Q32_ONE;
	bin->utilisation =
		(double)world->bin_bytes /
		capacity_bytes(&world->rate, start_s, start_s + world->result->bin_s);
	fill_signals(world, bin);
}

static void keep_bin(const struct world *world, uint64_t index, const struct sim_bin *bin)
{
	struct sim_result *result = world->result;

	result->bins[index] = *bin;
	for (uint64_t i = 0; i < world->flows; i++) {
		result->flow_goodput_mbps[index * world->flows + i] =
			world->flow_bins[i].goodput_mbps;
		result->flow_rtt_ms[index * world->flows + i] = world->flow_bins[i].rtt_ms;
	}
}

void world_end_bin(struct world *world, uint64_t index)
{
	const struct sim_options *options = world->options;
	struct sim_bin bin = {0};
	const struct sim_moment moment = {
		.t_s = (double)(index + 1) * world->result->bin_s,
		.bin = &bin,
		.flows = world->flow_bins,
		.flow_count = world->flows,
	};

	fill_bin(world, &bin, (double)index * world->result->bin_s);
	fill_flow_bins(world);
	if (options->bin)
		world->stopped |= options->bin(options->context, &moment);
	else
		keep_bin(world, index, &bin);
	world->bin_bytes = 0;
	memset(world->bin_pkts, 0, sizeof(world->bin_pkts));
	memset(world->bin_delay_ns, 0, sizeof(world->bin_delay_ns));
}

int world_finish(struct world *world, struct error *error)
{
	struct sim_result *result = world->result;

	for (int q = 0; q < AQM_QUEUES; q++) {
		result->queues[q].marks = world->queue->counts[q].marks - result->queues[q].marks;
		result->queues[SIM_ALL].marks += result->queues[q].marks;
		result->arrived_packets += world->queue->counts[q].arrived_pkts;
	}
	result->utilisation = capacity_share(&world->rate, world->bytes_after_warmup,
					     result->warmup_s, result->duration_s);
	for (int q = 0; world->two_queues && q < AQM_QUEUES; q++)
		result->class_qdelay_ns[q] = result->queues[q].qdelay_ns;
	paths_finish(world);
	for (uint64_t i = 0; i < world->flows; i++)
		host_finish(&world->hosts[i]);
	return world_check_accounting(world, error);
}
