/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * curvy_red: RFC 9332 appendix B for user space.
 *
 * A law of its own and not a coupling within dualpi2: of the other it shares the
 * two queues and their scheduler, but neither controller, clock nor parameters.
 */
#include "aqm/curvy_red.h"
#include "aqm/dual_scheduler.h"
#include "aqm/ops.h"

struct curvy_params {
	struct aqm_curvy_params core;
	struct aqm_dual_scheduler_params scheduler;
	uint32_t limit_pkts, mtu_bytes;
};

struct curvy_vars {
	struct aqm_curvy_vars core;
	struct aqm_wrr_vars wrr;
};

#define CORE(member) offsetof(struct curvy_params, core.member)
#define SCHEDULER(member) offsetof(struct curvy_params, scheduler.member)
#define OWN(member) offsetof(struct curvy_params, member)

static const struct aqm_param params[] = {
	{"min_ms", AQM_PARAM_MS_AS_NS, CORE(min_ns), "0", 0, 4000, NULL,
	 "average Classic delay below which nothing is signalled (minTh)"},
	{"range_ms", AQM_PARAM_MS_AS_NS, CORE(range_ns), "500", 0.01, 4000, NULL,
	 "from there to the delay at which every Classic packet is (2^S_C s)"},
	{"k", AQM_PARAM_GAIN_Q16, CORE(k_q16), "2", 0.0625, 64, NULL,
	 "coupling factor: p_CL = k sqrt(p_C)"},
	{"smoothing", AQM_PARAM_U32, CORE(smoothing), "5", 0, 16, NULL,
	 "of the average delay: a packet counts 2^-smoothing (g_C)"},
	{"step_ms", AQM_PARAM_MS_AS_NS, CORE(step.threshold_ns), "1", 0, 4000, NULL,
	 "sojourn above which L packets are marked (T)"},
	{"min_qlen_step", AQM_PARAM_U32, CORE(step.min_qlen_pkts), "0", 0, 1e6, NULL,
	 "packets L must have held at arrival for the step to mark"},
	{"scheduler", AQM_PARAM_CHOICE, SCHEDULER(kind), "tsf", 0, 0, "wrr/tsf",
	 "who is served next: weighted round robin, or time-shifted FIFO"},
	{"tshift_ms", AQM_PARAM_MS_AS_NS, SCHEDULER(tshift_ns), "50", 0, 4000, NULL,
	 "tsf: head start of L"},
	{"c_protection_percent", AQM_PARAM_U32, SCHEDULER(wrr.c_percent), "10", 1, 99, NULL,
	 "wrr: share of the link kept for Classic"},
	{"limit_packets", AQM_PARAM_U32, OWN(limit_pkts), "10000", 1, 1e9, NULL,
	 "packets both queues together have room for"},
	{"mtu_bytes", AQM_PARAM_U32, OWN(mtu_bytes), "1500", 64, 65535, NULL,
	 "longest packet: scale of the weighted round robin"},
	{0},
};

static void curvy_init(const void *p, void *vars, void *stats)
{
	const struct curvy_params *own = p;
	struct curvy_vars *state = vars;

	aqm_curvy_init(&state->core, stats);
	aqm_wrr_reset(&own->scheduler.wrr, &state->wrr, own->mtu_bytes);
}

static enum aqm_queue curvy_classify(const void *p, const struct aqm_facts *facts)
{
	(void)p;
	return aqm_dual_classify(facts->ecn);
}

/* The cookie is how many packets L held at arrival, for the step's floor. */
static enum aqm_verdict curvy_on_enqueue(const void *p, void *vars, void *stats,
					 const struct aqm_facts *facts, uint32_t *cookie)
{
	(void)p;
	(void)vars;
	(void)stats;
	*cookie = facts->backlog_pkts[AQM_QUEUE_L] & ~AQM_COOKIE_DECIDED;
	return AQM_PASS;
}

static enum aqm_verdict curvy_on_dequeue(const void *p, void *vars, void *stats,
					 const struct aqm_facts *facts)
{
	const struct curvy_params *own = p;
	struct curvy_vars *state = vars;

	return aqm_curvy_on_dequeue(&own->core, &state->core, stats, facts,
				    facts->cookie & ~AQM_COOKIE_DECIDED);
}

static enum aqm_queue curvy_schedule(const void *p, void *vars,
				     const struct aqm_head heads[AQM_QUEUES])
{
	const struct curvy_params *own = p;
	const struct curvy_vars *state = vars;

	return aqm_dual_choose(&own->scheduler, &state->wrr, heads);
}

static void curvy_served(const void *p, void *vars, enum aqm_queue queue, uint32_t len_bytes,
			 bool other_waits)
{
	const struct curvy_params *own = p;
	struct curvy_vars *state = vars;

	aqm_wrr_served(&own->scheduler.wrr, &state->wrr, queue, len_bytes, other_waits);
}

static void curvy_idle(const void *p, void *vars)
{
	const struct curvy_params *own = p;
	struct curvy_vars *state = vars;

	aqm_wrr_reset(&own->scheduler.wrr, &state->wrr, own->mtu_bytes);
}

static void curvy_view(const void *p, const void *vars, struct aqm_view *view)
{
	const struct curvy_params *own = p;
	const struct curvy_vars *state = vars;
	const uint64_t root = aqm_curvy_root_q32(&own->core, state->core.average_q16);
	const uint64_t coupled = aqm_coupled_q32(own->core.k_q16, root);

	view->p_base = root;
	view->p_c = aqm_square_q32(root);
	view->p_l = coupled > AQM_Q32_ONE ? AQM_Q32_ONE : coupled;
}

static void curvy_record(const void *p, const void *vars, const struct aqm_facts *facts,
			 bool decided, struct aqm_record *record)
{
	const struct curvy_vars *state = vars;
	struct aqm_view view;
	uint64_t shown;

	(void)decided;
	curvy_view(p, vars, &view);
	shown = facts->queue == AQM_QUEUE_L ? view.p_l : view.p_c;
	record->status_flags = 3;
	record->drop_probability = (int64_t)(shown - (shown >> 31)) >> 1;
	record->current_queue_delay = (int64_t)(facts->head_sojourn_ns[facts->queue] / 1000);
	record->previous_queue_delay = (int64_t)((state->core.average_q16 >> 16) / 1000);
}

const struct aqm_ops aqm_curvy_red = {
	.name = "curvy_red",
	.summary = "coupled dual queue with Curvy RED (RFC 9332 appendix B)",
	.params_size = sizeof(struct curvy_params),
	.vars_size = sizeof(struct curvy_vars),
	.stats_size = sizeof(struct aqm_curvy_stats),
	.params = params,
	.dual = true,
	.late = true,
	.init = curvy_init,
	.classify = curvy_classify,
	.on_enqueue = curvy_on_enqueue,
	.on_dequeue = curvy_on_dequeue,
	.schedule = curvy_schedule,
	.served = curvy_served,
	.idle = curvy_idle,
	.record = curvy_record,
	.view = curvy_view,
};
