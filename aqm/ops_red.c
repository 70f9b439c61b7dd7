/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * red: Floyd and Jacobson 1993 for user space, gentle and adaptive at choice.
 */
#include "aqm/ops.h"
#include "aqm/red.h"

struct red_params {
	struct aqm_red_params core;
	uint32_t limit_pkts;
};

#define CORE(member) offsetof(struct red_params, core.member)

static const struct aqm_param params[] = {
	{"min_bytes", AQM_PARAM_U64, CORE(min_bytes), "7500", 0, 99999999, NULL,
	 "average queue below which packets pass (min_th)"},
	{"max_bytes", AQM_PARAM_U64, CORE(max_bytes), "22500", 1, 1e8, NULL,
	 "average queue at which max_p is reached (max_th; three times min_th)"},
	{"max_p", AQM_PARAM_Q32, CORE(max_p_q32), "0.1", 0, 1, NULL,
	 "signalling probability at max_bytes; where it starts if adaptive"},
	{"weight", AQM_PARAM_Q32, CORE(weight_q32), "0.002", 1e-6, 1, NULL,
	 "of one arrival in the average queue (w_q)"},
	{"adaptive", AQM_PARAM_BOOL, CORE(adaptive), "0", 0, 1, NULL,
	 "move max_p so that the average stays in the middle (Floyd 2001)"},
	{"gentle", AQM_PARAM_BOOL, CORE(gentle), "1", 0, 1, NULL,
	 "probability rises from max_p to 1 between max_bytes and twice that, without a jump"},
	{"ecn", AQM_PARAM_BOOL, CORE(ecn), "1", 0, 1, NULL,
	 "mark packets that can carry a mark, except where all are dropped (RFC 3168 section 7)"},
	{"packet_time_ms", AQM_PARAM_MS_AS_NS, CORE(packet_time_ns), "1", 1e-6, 4000, NULL,
	 "what a packet takes on the idle link: how the average falls when nothing waits"},
	{"limit_packets", AQM_PARAM_U32, offsetof(struct red_params, limit_pkts), "10000", 1, 1e9,
	 NULL, "packets the queue has room for"},
	{0},
};

static int red_check(const void *p, struct error *error)
{
	const struct red_params *own = p;

	if (own->core.min_bytes < own->core.max_bytes)
		return 0;
	return error_at(error, ERR_INVALID, NULL, 0, "min_bytes",
			"%llu is not below max_bytes (%llu); set both",
			(unsigned long long)own->core.min_bytes,
			(unsigned long long)own->core.max_bytes);
}

static void red_init(const void *p, void *vars, void *stats)
{
	const struct red_params *own = p;

	aqm_red_init(&own->core, vars, stats);
}

static enum aqm_verdict red_on_enqueue(const void *p, void *vars, void *stats,
				       const struct aqm_facts *facts, uint32_t *cookie)
{
	const struct red_params *own = p;

	*cookie = 0;
	return aqm_red_on_enqueue(&own->core, vars, stats, facts);
}

static uint64_t red_tick_due_ns(const void *p, const void *vars)
{
	const struct aqm_red_vars *state = vars;

	(void)p;
	return state->adapt_due_ns;
}

static void red_tick(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	const struct red_params *own = p;

	(void)stats;
	(void)facts;
	aqm_red_adapt(&own->core, vars);
}

static void red_record(const void *p, const void *vars, const struct aqm_facts *facts,
		       bool decided, struct aqm_record *record)
{
	(void)p;
	(void)decided;
	aqm_red_record(vars, facts, record);
}

static void red_view(const void *p, const void *vars, struct aqm_view *view)
{
	const struct aqm_red_vars *state = vars;

	(void)p;
	*view = (struct aqm_view){.p_base = state->p_q32, .p_c = state->p_q32};
}

const struct aqm_ops aqm_red = {
	.name = "red",
	.summary = "random early detection (Floyd 1993), adaptive at choice (Floyd 2001), with ECN",
	.params_size = sizeof(struct red_params),
	.vars_size = sizeof(struct aqm_red_vars),
	.stats_size = sizeof(struct aqm_red_stats),
	.params = params,
	.check = red_check,
	.init = red_init,
	.on_enqueue = red_on_enqueue,
	.tick_due_ns = red_tick_due_ns,
	.tick = red_tick,
	.record = red_record,
	.view = red_view,
};
