/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dualpi2: RFC 9332 for user space, in the profiles of Linux and of the RFC.
 */
#include <string.h>

#include "aqm/dual_scheduler.h"
#include "aqm/dualpi2.h"
#include "aqm/ops.h"

struct dualpi2_params {
	struct aqm_dualpi2_params core;
	struct aqm_dual_scheduler_params scheduler;
	uint32_t limit_pkts;
};

struct dualpi2_vars {
	struct aqm_dualpi2_vars core;
	struct aqm_wrr_vars wrr;
};

#define CORE(member) offsetof(struct dualpi2_params, core.member)
#define OWN(member) offsetof(struct dualpi2_params, member)

static const struct aqm_param params[] = {
	{"profile", AQM_PARAM_CHOICE, CORE(profile), "linux", 0, 0, "linux/rfc9332",
	 "set of defaults: sch_dualpi2's, or those of RFC 9332 appendix A.1; set it first"},
	{"target_ms", AQM_PARAM_MS_AS_NS, CORE(target_ns), "15", 0.01, 4000, NULL,
	 "Classic queue delay aimed at"},
	{"tupdate_ms", AQM_PARAM_MS_AS_NS, CORE(tupdate_ns), "16", 0.1, 4000, NULL,
	 "time between updates of the base probability"},
	{"alpha", AQM_PARAM_GAIN_Q16, CORE(alpha_q16), "0.160071", 0, 64, NULL,
	 "integral gain, per second (Linux holds 0.16 as 41/256)"},
	{"beta", AQM_PARAM_GAIN_Q16, CORE(beta_q16), "3.197783", 0, 64, NULL,
	 "proportional gain, per second (Linux holds 3.2 as 819/256)"},
	{"k", AQM_PARAM_GAIN_Q16, CORE(k_q16), "2", 0.0625, 64, NULL,
	 "coupling factor: p_CL = k p' (section 2.1)"},
	{"step_ms", AQM_PARAM_MS_AS_NS, CORE(step.threshold_ns), "1", 0, 4000, NULL,
	 "sojourn above which L packets are marked (rfc9332: middle of its ramp)"},
	{"min_qlen_step", AQM_PARAM_U32, CORE(step.min_qlen_pkts), "0", 0, 1e6, NULL,
	 "packets L must have held at arrival for the step to mark"},
	{"c_protection_percent", AQM_PARAM_U32, OWN(scheduler.wrr.c_percent), "10", 1, 99, NULL,
	 "wrr: share of the link kept for Classic"},
	{"limit_packets", AQM_PARAM_U32, OWN(limit_pkts), "10000", 1, 1e9, NULL,
	 "packets both queues together have room for"},
	{"mtu_bytes", AQM_PARAM_U32, CORE(mtu_bytes), "1500", 64, 65535, NULL,
	 "longest packet: scale of the scheduler and of the two-packet rule"},
	{"drop_early", AQM_PARAM_BOOL, CORE(drop_early), "0", 0, 1, NULL,
	 "decide at enqueue instead of dequeue"},
	{"drop_overload", AQM_PARAM_BOOL, CORE(drop_overload), "1", 0, 1, NULL,
	 "drop on overload instead of capping the probability (section 4.2.3)"},
	{"scheduler", AQM_PARAM_CHOICE, OWN(scheduler.kind), "wrr", 0, 0, "wrr/tsf",
	 "who is served next: weighted round robin, or time-shifted FIFO (section 4.2.2)"},
	{"tshift_ms", AQM_PARAM_MS_AS_NS, OWN(scheduler.tshift_ns), "50", 0, 4000, NULL,
	 "tsf: head start of L over Classic"},
	{0},
};

/* The values that the chosen profile stands for. */
static void dualpi2_was_set(void *p, const char *name)
{
	struct dualpi2_params *own = p;
	const bool rfc = own->core.profile == AQM_DUALPI2_RFC9332;

	if (strcmp(name, "profile") != 0)
		return;
	own->core.tupdate_ns = rfc ? 15000000 : 16000000;
	own->core.alpha_q16 = rfc ? 9830 : 10490;   /* Linux: 41/256, 0.160071 in effect */
	own->core.beta_q16 = rfc ? 3 << 16 : 209570; /* Linux: 819/256, 3.197783 in effect */
	own->core.step.min_qlen_pkts = rfc ? 1 : 0;
}

static void dualpi2_init(const void *p, void *vars, void *stats)
{
	const struct dualpi2_params *own = p;
	struct dualpi2_vars *state = vars;

	aqm_dualpi2_init(&own->core, &state->core, stats);
	aqm_wrr_reset(&own->scheduler.wrr, &state->wrr, own->core.mtu_bytes);
}

static enum aqm_queue dualpi2_classify(const void *p, const struct aqm_facts *facts)
{
	(void)p;
	return aqm_dual_classify(facts->ecn);
}

/* The cookie is how many packets L held at arrival, for the step's floor. */
static enum aqm_verdict dualpi2_on_enqueue(const void *p, void *vars, void *stats,
					   const struct aqm_facts *facts, uint32_t *cookie)
{
	const struct dualpi2_params *own = p;
	struct dualpi2_vars *state = vars;

	*cookie = facts->backlog_pkts[AQM_QUEUE_L] & ~AQM_COOKIE_DECIDED;
	return aqm_dualpi2_on_enqueue(&own->core, &state->core, stats, facts);
}

static enum aqm_verdict dualpi2_on_dequeue(const void *p, void *vars, void *stats,
					   const struct aqm_facts *facts)
{
	const struct dualpi2_params *own = p;
	struct dualpi2_vars *state = vars;

	return aqm_dualpi2_on_dequeue(&own->core, &state->core, stats, facts,
				      facts->cookie & ~AQM_COOKIE_DECIDED);
}

static uint64_t dualpi2_tick_due_ns(const void *p, const void *vars)
{
	const struct dualpi2_vars *state = vars;

	(void)p;
	return state->core.update_due_ns;
}

static void dualpi2_tick(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	const struct dualpi2_params *own = p;
	struct dualpi2_vars *state = vars;

	aqm_dualpi2_update(&own->core, &state->core, stats, facts);
}

static enum aqm_queue dualpi2_schedule(const void *p, void *vars,
				       const struct aqm_head heads[AQM_QUEUES])
{
	const struct dualpi2_params *own = p;
	const struct dualpi2_vars *state = vars;

	return aqm_dual_choose(&own->scheduler, &state->wrr, heads);
}

static void dualpi2_served(const void *p, void *vars, enum aqm_queue queue, uint32_t len_bytes,
			   bool other_waits)
{
	const struct dualpi2_params *own = p;
	struct dualpi2_vars *state = vars;

	aqm_wrr_served(&own->scheduler.wrr, &state->wrr, queue, len_bytes, other_waits);
}

static void dualpi2_idle(const void *p, void *vars)
{
	const struct dualpi2_params *own = p;
	struct dualpi2_vars *state = vars;

	aqm_wrr_reset(&own->scheduler.wrr, &state->wrr, own->core.mtu_bytes);
}

static void dualpi2_record(const void *p, const void *vars, const struct aqm_facts *facts,
			   bool decided, struct aqm_record *record)
{
	const struct dualpi2_params *own = p;
	const struct dualpi2_vars *state = vars;

	(void)decided;
	aqm_dualpi2_record(&own->core, &state->core, facts, record);
}

static void dualpi2_view(const void *p, const void *vars, struct aqm_view *view)
{
	const struct dualpi2_params *own = p;
	const struct dualpi2_vars *state = vars;
	const uint64_t coupled = aqm_coupled_q32(own->core.k_q16, state->core.p_q32);

	view->p_base = state->core.p_q32;
	view->p_c = aqm_square_q32(state->core.p_q32);
	view->p_l = coupled > AQM_Q32_ONE ? AQM_Q32_ONE : coupled;
}

const struct aqm_ops aqm_dualpi2 = {
	.name = "dualpi2",
	.summary = "coupled dual queue with PI squared (RFC 9332)",
	.params_size = sizeof(struct dualpi2_params),
	.vars_size = sizeof(struct dualpi2_vars),
	.stats_size = sizeof(struct aqm_dualpi2_stats),
	.params = params,
	.dual = true,
	.late = true,
	.was_set = dualpi2_was_set,
	.init = dualpi2_init,
	.classify = dualpi2_classify,
	.on_enqueue = dualpi2_on_enqueue,
	.on_dequeue = dualpi2_on_dequeue,
	.tick_due_ns = dualpi2_tick_due_ns,
	.tick = dualpi2_tick,
	.schedule = dualpi2_schedule,
	.served = dualpi2_served,
	.idle = dualpi2_idle,
	.record = dualpi2_record,
	.view = dualpi2_view,
};
