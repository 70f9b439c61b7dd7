/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pie: RFC 8033 for user space; and fq_pie, an instance of it in every flow queue
 * (as Linux and FreeBSD have it: all update at once; without room the fattest
 * queue loses its head).
 */
#include "aqm/ops.h"
#include "aqm/pie.h"

struct pie_params {
	struct aqm_pie_params core;
	uint32_t limit_pkts;
};

struct fq_pie_params {
	struct pie_params pie; /* first: the hooks of pie read it */
	struct aqm_flow_shape shape;
};

#define CORE(member) offsetof(struct pie_params, core.member)

/* Rows of both laws' tables. */
#define PIE_PARAMS                                                                                 \
	{"target_ms", AQM_PARAM_MS_AS_NS, CORE(target_ns), "15", 0.01, 4000, NULL,                 \
	 "queue delay aimed at (RFC 8033 section 4.2, QDELAY_REF)"},                               \
	{"tupdate_ms", AQM_PARAM_MS_AS_NS, CORE(tupdate_ns), "15", 0.1, 4000, NULL,                \
	 "time between updates (T_UPDATE)"},                                                       \
	{"alpha", AQM_PARAM_GAIN_Q16, CORE(alpha_q16), "0.125", 0, 64, NULL,                       \
	 "gain on the distance from the target, per second"},                                      \
	{"beta", AQM_PARAM_GAIN_Q16, CORE(beta_q16), "1.25", 0, 64, NULL,                          \
	 "gain on the change of delay, per second"},                                               \
	{"max_burst_ms", AQM_PARAM_MS_AS_NS, CORE(max_burst_ns), "150", 0, 4000, NULL,             \
	 "burst let through after a quiet time (MAX_BURST)"},                                      \
	{"ecn_max_p", AQM_PARAM_Q32, CORE(ecn_max_p_q32), "0.1", 0, 1, NULL,                       \
	 "ECN-capable packets are marked up to this probability, dropped above (section 5.1)"}

static const struct aqm_param params[] = {
	PIE_PARAMS,
	{"limit_packets", AQM_PARAM_U32, offsetof(struct pie_params, limit_pkts), "10000", 1, 1e9,
	 NULL, "packets the queue has room for"},
	{0},
};

#define SHAPE(member) offsetof(struct fq_pie_params, shape.member)

static const struct aqm_param fq_params[] = {
	PIE_PARAMS,
	{"limit_packets", AQM_PARAM_U32, SHAPE(limit_pkts), "10240", 1, 1e9, NULL,
	 "packets all queues have room for"},
	{"limit_bytes", AQM_PARAM_U64, SHAPE(limit_bytes), "33554432", 1, 1e12, NULL,
	 "bytes all queues have room for (Linux: memory_limit)"},
	{"quantum_bytes", AQM_PARAM_U32, SHAPE(quantum_bytes), "1514", 256, 1e6, NULL,
	 "a queue's share of a round"},
	{"flows", AQM_PARAM_U32, SHAPE(flows), "1024", 1, 1048576, NULL,
	 "queues that flows are hashed over"},
	{"drop_batch", AQM_PARAM_U32, SHAPE(drop_batch_pkts), "1", 1, 1e6, NULL,
	 "packets at most that the fattest queue loses at once for lack of room"},
	{0},
};

static void pie_init(const void *p, void *vars, void *stats)
{
	const struct pie_params *own = p;

	aqm_pie_init(&own->core, vars, stats);
}

static enum aqm_verdict pie_on_enqueue(const void *p, void *vars, void *stats,
				       const struct aqm_facts *facts, uint32_t *cookie)
{
	const struct pie_params *own = p;

	*cookie = 0;
	return aqm_pie_on_enqueue(&own->core, vars, stats, facts);
}

static void pie_on_overflow(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	(void)p;
	(void)stats;
	(void)facts;
	aqm_pie_on_overflow(vars);
}

static uint64_t pie_tick_due_ns(const void *p, const void *vars)
{
	const struct aqm_pie_vars *own = vars;

	(void)p;
	return own->update_due_ns;
}

static void pie_tick(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	const struct pie_params *own = p;

	aqm_pie_update(&own->core, vars, stats, facts->head_sojourn_ns[AQM_QUEUE_C]);
}

static bool pie_at_rest(const void *p, const void *vars, uint64_t now_ns)
{
	const struct pie_params *own = p;

	(void)now_ns;
	return aqm_pie_at_rest(&own->core, vars);
}

static struct aqm_flow_shape fq_pie_shape(const void *p)
{
	struct aqm_flow_shape shape = ((const struct fq_pie_params *)p)->shape;

	shape.ways = 1;
	return shape;
}

static void pie_record(const void *p, const void *vars, const struct aqm_facts *facts,
		       bool decided, struct aqm_record *record)
{
	const struct pie_params *own = p;

	(void)facts;
	(void)decided;
	aqm_pie_record(&own->core, vars, record);
}

/* The gates and the de-randomised draw of aqm_pie_on_enqueue(), from what the log shows. */
static double pie_act_probability(const void *p, const struct aqm_record *before)
{
	const struct pie_params *own = p;
	const int64_t one = AQM_RECORD_PROBABILITY_ONE;
	const int64_t accumulated = before->drop_probability == 0
					    ? 0
					    : before->accumulated_probability +
						      before->drop_probability;

	if (before->burst_allowance > 0 || before->length_in_bytes <= AQM_PIE_MIN_BACKLOG_BYTES ||
	    (2000 * before->previous_queue_delay < (int64_t)own->core.target_ns &&
	     before->drop_probability < one / 5))
		return 0;
	if (accumulated < (int64_t)(AQM_PIE_ACCUMULATED_LOW_Q32 >> 1))
		return 0;
	if (accumulated >= (int64_t)(AQM_PIE_ACCUMULATED_HIGH_Q32 >> 1))
		return 1;
	return (double)before->drop_probability / (double)one;
}

static void pie_view(const void *p, const void *vars, struct aqm_view *view)
{
	const struct aqm_pie_vars *state = vars;

	(void)p;
	*view = (struct aqm_view){.p_base = state->p_q32, .p_c = state->p_q32};
}

const struct aqm_ops aqm_pie = {
	.name = "pie",
	.summary = "Proportional Integral controller Enhanced (RFC 8033), with ECN",
	.params_size = sizeof(struct pie_params),
	.vars_size = sizeof(struct aqm_pie_vars),
	.stats_size = sizeof(struct aqm_pie_stats),
	.params = params,
	.init = pie_init,
	.on_enqueue = pie_on_enqueue,
	.on_overflow = pie_on_overflow,
	.tick_due_ns = pie_tick_due_ns,
	.tick = pie_tick,
	.record = pie_record,
	.view = pie_view,
	.act_probability = pie_act_probability,
};

const struct aqm_ops aqm_fq_pie = {
	.name = "fq_pie",
	.summary = "FlowQueue-PIE: flows in turn (RFC 8290), PIE in each, with ECN",
	.params_size = sizeof(struct fq_pie_params),
	.vars_size = sizeof(struct aqm_pie_vars),
	.stats_size = sizeof(struct aqm_pie_stats),
	.params = fq_params,
	.flow_shape = fq_pie_shape,
	.at_rest = pie_at_rest,
	.init = pie_init,
	.on_enqueue = pie_on_enqueue,
	.on_overflow = pie_on_overflow,
	.tick_due_ns = pie_tick_due_ns,
	.tick = pie_tick,
	.record = pie_record,
	.view = pie_view,
};
