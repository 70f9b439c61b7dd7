/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hops: built, counted.
 */
#include "sim/hop.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "sim/world.h"

static void on_sent(void *context, uint64_t now_ns, const struct packet *packet)
{
	struct hop *hop = context;

	if (now_ns > hop->world->warmup_ns)
		hop->bytes_after_warmup += packet->len_bytes;
}

static void on_leave(void *context, uint64_t now_ns, const struct packet *packet,
		     enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct hop *hop = context;

	if (verdict == AQM_DROP)
		world_show(hop->world, packet, SIM_TAP_DROPPED, sojourn_ns);
	if (now_ns <= hop->world->warmup_ns)
		return;
	sim_queue_result_add(&hop->result->queues[queue], packet, verdict, sojourn_ns);
	sim_queue_result_add(&hop->result->queues[SIM_ALL], packet, verdict, sojourn_ns);
}

static int build_queue(struct hop *hop, struct world *world, const struct hop_plan *plan,
		       struct rng random, struct error *error)
{
	const struct scenario *scenario = world->scenario;
	const struct law_settings settings = {plan->params, plan->param_lines, plan->param_count,
					      plan->limit_packets};
	struct queue_config config = {
		.law = aqm_find(plan->aqm),
		.pool = &world->pool,
		.random = random,
		.sink = {hop, NULL, on_leave},
	};
	void *params = NULL;
	double hz = 0;
	int code;

	if (config.law == NULL)
		return error_at(error, ERR_INVALID, scenario->path, plan->line, "aqm",
				"%s is not a law; aqmllm aqms lists them", plan->aqm);
	code = sim_law_params(scenario, config.law, &settings, &params, error);
	if (code)
		return code;
	config.params = params;
	if (aqm_params_get(config.law, params, "hz", &hz) == 0 && hz > 0)
		code = error_at(error, ERR_UNSUPPORTED, scenario->path, plan->line, "aqm",
				"%s is a router with a clock of its own, not a hop", plan->aqm);
	else
		hop->queue = queue_new(&config, error);
	free(params);
	return code ? code : hop->queue ? 0 : ERR_INVALID;
}

int hop_build(struct hop *hop, struct world *world, const struct hop_plan *plan,
	      struct sim_node *next, struct rng random, struct sim_hop_result *result,
	      struct error *error)
{
	const int code = build_queue(hop, world, plan, random, error);

	hop->world = world;
	hop->result = result;
	if (code)
		return code;
	strcpy(result->name, plan->name);
	strcpy(result->aqm, plan->aqm);
	hop->rate = (struct rate_plan){.rate_mbps = plan->rate_mbps};
	delay_line_init(&hop->delay, &world->clock, next, ns_from_ms(plan->delay_ms));
	bottleneck_init(&hop->link, &world->clock, &hop->delay.node, hop->queue, &hop->rate,
			(struct link_sink){hop, on_sent});
	return 0;
}

void hop_free(struct hop *hop)
{
	queue_destroy(hop->queue);
}

void hop_end_warmup(struct hop *hop)
{
	for (int q = 0; q < AQM_QUEUES; q++)
		hop->result->queues[q].marks = hop->queue->counts[q].marks;
}

void hop_finish(struct hop *hop)
{
	const struct sim_result *run = hop->world->result;
	struct sim_queue_result *queues = hop->result->queues;

	for (int q = 0; q < AQM_QUEUES; q++) {
		queues[q].marks = hop->queue->counts[q].marks - queues[q].marks;
		queues[SIM_ALL].marks += queues[q].marks;
	}
	hop->result->utilisation = capacity_share(&hop->rate, hop->bytes_after_warmup,
						  run->warmup_s, run->duration_s);
}

uint64_t hop_dropped(const struct hop *hop)
{
	return hop->queue->counts[AQM_QUEUE_C].drops + hop->queue->counts[AQM_QUEUE_L].drops;
}

uint64_t hop_held(const struct hop *hop)
{
	return hop->queue->backlog_pkts[AQM_QUEUE_C] + hop->queue->backlog_pkts[AQM_QUEUE_L] +
	       (hop->link.on_wire != NULL) + delay_line_held(&hop->delay);
}
