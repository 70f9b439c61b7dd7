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
}

static void bin_flows(struct world *world, uint64_t index)
{
	struct sim_result *result = world->result;

	for (uint64_t i = 0; i < world->flows; i++) {
		struct host *host = &world->hosts[i];
		struct endpoint_stats sent, received;

		host_stats(host, &sent, &received);
		result->flow_goodput_mbps[index * world->flows + i] =
			(double)(received.delivered_bytes - host->delivered_at_bin) * 8 /
			result->bin_s / 1e6;
		host->delivered_at_bin = received.delivered_bytes;
		result->flow_rtt_ms[index * world->flows + i] = ms_from_ns(sent.srtt_ns);
	}
}

void world_end_bin(struct world *world, uint64_t index)
{
	struct sim_result *result = world->result;
	struct sim_bin *bin = &result->bins[index];
	const double start_s = (double)index * result->bin_s;
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
	bin->utilisation = (double)world->bin_bytes /
			   capacity_bytes(world->scenario, start_s, start_s + result->bin_s);
	bin_flows(world, index);
	world->bin_bytes = 0;
	memset(world->bin_pkts, 0, sizeof(world->bin_pkts));
	memset(world->bin_delay_ns, 0, sizeof(world->bin_delay_ns));
}

/* Packets in the network: handed out by the pool and not returned. */
static int check_accounting(const struct world *world, struct error *error)
{
	uint64_t drops = world->processor.drops;

	for (int q = 0; q < AQM_QUEUES; q++)
		drops += world->queue->counts[q].drops;
	if (world->emitted == world->delivered + drops + world->pool.allocated)
		return 0;
	return error_set(error, ERR_FAILED,
			 "packets do not add up: %llu sent, %llu delivered, %llu dropped, %zu in "
			 "flight",
			 (unsigned long long)world->emitted, (unsigned long long)world->delivered,
			 (unsigned long long)drops, world->pool.allocated);
}

int world_finish(struct world *world, struct error *error)
{
	struct sim_result *result = world->result;

	for (int q = 0; q < AQM_QUEUES; q++) {
		result->queues[q].marks = world->queue->counts[q].marks - result->queues[q].marks;
		result->queues[SIM_ALL].marks += result->queues[q].marks;
	}
	result->utilisation =
		(double)world->bytes_after_warmup /
		capacity_bytes(world->scenario, world->scenario->warmup_s,
			       world->scenario->duration_s);
	for (uint64_t i = 0; i < world->flows; i++)
		host_finish(&world->hosts[i]);
	return check_accounting(world, error);
}
