/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * codel: RFC 8289 for user space; and fq_codel, an instance of it in every flow
 * queue (RFC 8290; parameters of its section 5.2).
 *
 * CoDel has no probability.  What it shows as one, for plots and guards, is the
 * share of packets it signals while in drop state, 0 outside.
 */
#include "aqm/codel.h"
#include "aqm/ops.h"
#include "aqm/signal_share.h"

struct codel_params {
	struct aqm_codel_params core;
	uint32_t limit_pkts;
};

struct fq_codel_params {
	struct codel_params codel; /* first: the hooks of codel read it */
	struct aqm_flow_shape shape;
};

struct codel_vars {
	struct aqm_codel_vars core;
	struct aqm_signal_share share;
};

#define CORE(member) offsetof(struct codel_params, core.member)

/* Rows of both laws' tables. */
#define CODEL_PARAMS                                                                               \
	{"target_ms", AQM_PARAM_MS_AS_NS, CORE(target_ns), "5", 0.01, 4000, NULL,                  \
	 "sojourn time that may stand (RFC 8289 section 4.3, TARGET)"},                            \
	{"interval_ms", AQM_PARAM_MS_AS_NS, CORE(interval_ns), "100", 0.01, 4000, NULL,            \
	 "how long it may be above: a worst-case round trip (section 4.2, INTERVAL)"},             \
	{"ecn", AQM_PARAM_BOOL, CORE(ecn), "1", 0, 1, NULL,                                        \
	 "mark packets that can carry a mark instead of dropping them"},                           \
	{"mtu_bytes", AQM_PARAM_U32, CORE(mtu_bytes), "1500", 0, 65535, NULL,                      \
	 "a backlog up to this is never above (section 5.6, MAXPACKET)"}

static const struct aqm_param params[] = {
	CODEL_PARAMS,
	{"limit_packets", AQM_PARAM_U32, offsetof(struct codel_params, limit_pkts), "10000", 1, 1e9,
	 NULL, "packets the queue has room for"},
	{0},
};

#define SHAPE(member) offsetof(struct fq_codel_params, shape.member)

static const struct aqm_param fq_params[] = {
	CODEL_PARAMS,
	{"limit_packets", AQM_PARAM_U32, SHAPE(limit_pkts), "10240", 1, 1e9, NULL,
	 "packets all queues have room for (RFC 8290 section 5.2.3)"},
	{"limit_bytes", AQM_PARAM_U64, SHAPE(limit_bytes), "33554432", 1, 1e12, NULL,
	 "bytes all queues have room for (Linux: memory_limit)"},
	{"quantum_bytes", AQM_PARAM_U32, SHAPE(quantum_bytes), "1514", 256, 1e6, NULL,
	 "a queue's share of a round (section 5.2.4)"},
	{"flows", AQM_PARAM_U32, SHAPE(flows), "1024", 1, 1048576, NULL,
	 "queues that flows are hashed over (section 5.2.5)"},
	{"drop_batch", AQM_PARAM_U32, SHAPE(drop_batch_pkts), "64", 1, 1e6, NULL,
	 "packets at most that the fattest queue loses at once for lack of room"},
	{0},
};

static void codel_init(const void *p, void *vars, void *stats)
{
	struct codel_vars *own = vars;

	(void)p;
	*own = (struct codel_vars){0};
	*(struct aqm_codel_stats *)stats = (struct aqm_codel_stats){0};
}

static enum aqm_verdict codel_on_enqueue(const void *p, void *vars, void *stats,
					 const struct aqm_facts *facts, uint32_t *cookie)
{
	(void)p;
	(void)vars;
	(void)stats;
	(void)facts;
	*cookie = 0;
	return AQM_PASS;
}

static enum aqm_verdict codel_on_dequeue(const void *p, void *vars, void *stats,
					 const struct aqm_facts *facts)
{
	const struct codel_params *own = p;
	struct codel_vars *state = vars;
	const enum aqm_verdict verdict =
		aqm_codel_on_dequeue(&own->core, &state->core, stats, facts);

	aqm_signal_share_count(&state->share, verdict);
	return verdict;
}

static void codel_on_empty(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	struct codel_vars *state = vars;

	(void)p;
	(void)stats;
	(void)facts;
	aqm_codel_on_empty(&state->core);
}

static bool codel_at_rest(const void *p, const void *vars, uint64_t now_ns)
{
	const struct codel_params *own = p;
	const struct codel_vars *state = vars;

	return aqm_codel_at_rest(&own->core, &state->core, now_ns);
}

static void codel_on_overflow(const void *p, void *vars, void *stats,
			      const struct aqm_facts *facts)
{
	struct codel_vars *state = vars;

	(void)p;
	(void)stats;
	(void)facts;
	aqm_codel_on_overflow(&state->core);
}

static struct aqm_flow_shape fq_codel_shape(const void *p)
{
	struct aqm_flow_shape shape = ((const struct fq_codel_params *)p)->shape;

	shape.ways = 1;
	return shape;
}

static uint64_t share_q32(const struct codel_vars *state)
{
	return aqm_signal_share_q32(&state->share, state->core.dropping);
}

static void codel_record(const void *p, const void *vars, const struct aqm_facts *facts,
			 bool decided, struct aqm_record *record)
{
	const struct codel_params *own = p;
	const struct codel_vars *state = vars;

	(void)decided;
	aqm_codel_record(&own->core, &state->core, share_q32(state), facts, record);
}

static void codel_view(const void *p, const void *vars, struct aqm_view *view)
{
	const uint64_t share = share_q32(vars);

	(void)p;
	*view = (struct aqm_view){.p_base = share, .p_c = share};
}

const struct aqm_ops aqm_codel = {
	.name = "codel",
	.summary = "Controlled Delay (RFC 8289), with ECN",
	.params_size = sizeof(struct codel_params),
	.vars_size = sizeof(struct codel_vars),
	.stats_size = sizeof(struct aqm_codel_stats),
	.params = params,
	.late = true,
	.init = codel_init,
	.on_enqueue = codel_on_enqueue,
	.on_dequeue = codel_on_dequeue,
	.on_empty = codel_on_empty,
	.record = codel_record,
	.view = codel_view,
};

const struct aqm_ops aqm_fq_codel = {
	.name = "fq_codel",
	.summary = "FlowQueue-CoDel (RFC 8290): flows in turn, CoDel in each, with ECN",
	.params_size = sizeof(struct fq_codel_params),
	.vars_size = sizeof(struct codel_vars),
	.stats_size = sizeof(struct aqm_codel_stats),
	.params = fq_params,
	.late = true,
	.flow_shape = fq_codel_shape,
	.at_rest = codel_at_rest,
	.on_overflow = codel_on_overflow,
	.init = codel_init,
	.on_enqueue = codel_on_enqueue,
	.on_dequeue = codel_on_dequeue,
	.on_empty = codel_on_empty,
	.record = codel_record,
	.view = codel_view,
};
