/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two schedulers of a dual queue over random heads: who is served, and the
 * credit of the round robin in shares instead of percent.
 */
#include "aqm/dual_scheduler.h"
#include "tests/oracles/rows.h"

struct scheduler_state {
	struct world world;
	struct aqm_dual_scheduler_params params;
	struct aqm_wrr_vars wrr;
	double credit; /* bytes, of which C earns its share when L is served */
};

static void open_kind(struct scheduler_state *scheduler, struct rng *rng, uint32_t kind)
{
	const uint32_t mtu_bytes = (uint32_t)draw_log(rng, 64, 65535);

	world_open(&scheduler->world, rng);
	scheduler->params = (struct aqm_dual_scheduler_params){
		.kind = kind,
		.wrr.c_percent = (uint32_t)draw_between(rng, 1, 99),
		.tshift_ns = draw_log(rng, 0, 4000000000),
	};
	aqm_wrr_reset(&scheduler->params.wrr, &scheduler->wrr, mtu_bytes);
	scheduler->credit = mtu_bytes * (2 * scheduler->params.wrr.c_percent / 100.0 - 1);
}

static void wrr_open(void *state, struct rng *rng)
{
	open_kind(state, rng, AQM_SCHEDULER_WRR);
}

static void tsf_open(void *state, struct rng *rng)
{
	open_kind(state, rng, AQM_SCHEDULER_TSF);
}

static enum aqm_queue oracle_choice(const struct scheduler_state *scheduler,
				    const struct aqm_head *heads)
{
	const double l = (double)heads[AQM_QUEUE_L].sojourn_ns;
	const double c = (double)heads[AQM_QUEUE_C].sojourn_ns;

	if (heads[AQM_QUEUE_L].len_bytes == 0 || heads[AQM_QUEUE_C].len_bytes == 0)
		return heads[AQM_QUEUE_L].len_bytes ? AQM_QUEUE_L : AQM_QUEUE_C;
	if (scheduler->params.kind == AQM_SCHEDULER_TSF)
		return l + (double)scheduler->params.tshift_ns >= c ? AQM_QUEUE_L : AQM_QUEUE_C;
	/* A hundredth of a byte's share is the least that can stand. */
	return scheduler->credit < 0.005 ? AQM_QUEUE_L : AQM_QUEUE_C;
}

static void scheduler_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct scheduler_state *scheduler = state;
	const double share = scheduler->params.wrr.c_percent / 100.0;
	struct aqm_head heads[AQM_QUEUES];
	enum aqm_queue queue;
	struct aqm_facts facts;
	bool other_waits;

	world_next(&scheduler->world, rng, &facts);
	for (int i = 0; i < AQM_QUEUES; i++)
		heads[i] = (struct aqm_head){
			facts.head_sojourn_ns[i],
			facts.backlog_bytes[i] ? (uint32_t)draw_between(rng, 40, 1500) : 0};
	if (heads[0].len_bytes + heads[1].len_bytes == 0)
		return;
	if (rng_below(rng, 2))
		heads[AQM_QUEUE_C].sojourn_ns = heads[AQM_QUEUE_L].sojourn_ns +
						scheduler->params.tshift_ns + rng_below(rng, 3) -
						(scheduler->params.tshift_ns > 0);
	queue = aqm_dual_choose(&scheduler->params, &scheduler->wrr, heads);
	oracle_equal(score, queue, oracle_choice(scheduler, heads));
	score->signals += queue == AQM_QUEUE_C;
	other_waits = heads[!queue].len_bytes > 0;
	aqm_wrr_served(&scheduler->params.wrr, &scheduler->wrr, queue, heads[queue].len_bytes,
		       other_waits);
	if (other_waits)
		scheduler->credit += queue == AQM_QUEUE_L
					     ? share * heads[queue].len_bytes
					     : -(1 - share) * heads[queue].len_bytes;
	if (scheduler->params.kind == AQM_SCHEDULER_WRR)
		oracle_compare(score, (double)scheduler->wrr.credit, scheduler->credit * 100);
}

const struct oracle_row oracle_wrr = {
	.name = "wrr",
	.compared = "credit (bytes / 100, summed in doubles); choices exactly",
	.allowed = 1,
	.size = sizeof(struct scheduler_state),
	.open = wrr_open,
	.step = scheduler_step,
};

const struct oracle_row oracle_tsf = {
	.name = "tsf",
	.compared = "choices exactly",
	.allowed = 0,
	.size = sizeof(struct scheduler_state),
	.open = tsf_open,
	.step = scheduler_step,
};
