/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pi2: the single queue of De Schepper et al. 2016 for user space.
 */
#include "aqm/ops.h"
#include "aqm/pi2.h"

struct pi2_params {
	struct aqm_pi2_params core;
	uint32_t limit_pkts;
};

#define CORE(member) offsetof(struct pi2_params, core.member)

static const struct aqm_param params[] = {
	{"target_ms", AQM_PARAM_MS_AS_NS, CORE(target_ns), "20", 0.01, 4000, NULL,
	 "queue delay aimed at (the paper's 20 ms)"},
	{"tupdate_ms", AQM_PARAM_MS_AS_NS, CORE(tupdate_ns), "32", 0.1, 4000, NULL,
	 "time between updates (T)"},
	{"alpha", AQM_PARAM_GAIN_Q16, CORE(alpha_q16), "0.3125", 0, 64, NULL,
	 "integral gain, per second (5/16)"},
	{"beta", AQM_PARAM_GAIN_Q16, CORE(beta_q16), "3.125", 0, 64, NULL,
	 "proportional gain, per second (50/16)"},
	{"k", AQM_PARAM_GAIN_Q16, CORE(k_q16), "2", 0.0625, 64, NULL,
	 "coupling factor: scalable packets are marked with k p'"},
	{"max_burst_ms", AQM_PARAM_MS_AS_NS, CORE(max_burst_ns), "0", 0, 4000, NULL,
	 "burst let through after a quiet time, as in PIE; the paper has none"},
	{"ecn_max_p", AQM_PARAM_Q32, CORE(ecn_max_p_q32), "0.25", 0, 1, NULL,
	 "Classic probability from which on packets are dropped whatever their ECN field says"},
	{"limit_packets", AQM_PARAM_U32, offsetof(struct pi2_params, limit_pkts), "10000", 1, 1e9,
	 NULL, "packets the queue has room for"},
	{"mtu_bytes", AQM_PARAM_U32, CORE(mtu_bytes), "1500", 64, 65535, NULL,
	 "longest packet: nothing is signalled while less than two wait"},
	{0},
};

static void pi2_init(const void *p, void *vars, void *stats)
{
	const struct pi2_params *own = p;

	aqm_pi2_init(&own->core, vars, stats);
}

static enum aqm_verdict pi2_on_enqueue(const void *p, void *vars, void *stats,
				       const struct aqm_facts *facts, uint32_t *cookie)
{
	const struct pi2_params *own = p;

	*cookie = 0;
	return aqm_pi2_on_enqueue(&own->core, vars, stats, facts);
}

static uint64_t pi2_tick_due_ns(const void *p, const void *vars)
{
	const struct aqm_pi2_vars *state = vars;

	(void)p;
	return state->update_due_ns;
}

static void pi2_tick(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	const struct pi2_params *own = p;

	aqm_pi2_update(&own->core, vars, stats, facts->head_sojourn_ns[AQM_QUEUE_C]);
}

static void pi2_record(const void *p, const void *vars, const struct aqm_facts *facts,
		       bool decided, struct aqm_record *record)
{
	const struct pi2_params *own = p;

	(void)decided;
	aqm_pi2_record(&own->core, vars, facts, record);
}

static void pi2_view(const void *p, const void *vars, struct aqm_view *view)
{
	const struct pi2_params *own = p;
	const struct aqm_pi2_vars *state = vars;
	const uint64_t coupled = aqm_coupled_q32(own->core.k_q16, state->p_q32);

	view->p_base = state->p_q32;
	view->p_c = aqm_square_q32(state->p_q32);
	view->p_l = coupled > AQM_Q32_ONE ? AQM_Q32_ONE : coupled;
}

const struct aqm_ops aqm_pi2 = {
	.name = "pi2",
	.summary = "PI with a square for Classic, linear for scalable flows (De Schepper 2016)",
	.params_size = sizeof(struct pi2_params),
	.vars_size = sizeof(struct aqm_pi2_vars),
	.stats_size = sizeof(struct aqm_pi2_stats),
	.params = params,
	.init = pi2_init,
	.on_enqueue = pi2_on_enqueue,
	.tick_due_ns = pi2_tick_due_ns,
	.tick = pi2_tick,
	.record = pi2_record,
	.view = pi2_view,
};
