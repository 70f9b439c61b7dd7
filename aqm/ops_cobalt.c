/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cobalt: CoDel and BLUE for user space; and cake, an instance of it in every
 * flow queue, with CAKE's set-associative hash and fairness between hosts.
 *
 * Of CAKE, cake has flow and host isolation, DRR++ and COBALT; as if unlimited and
 * in one tin: no shaper, no overhead compensation, no diffserv tins, no filter of
 * acknowledgements, no NAT lookup, no ingress mode.
 *
 * The base probability is BLUE's.  Of CoDel's half the share of packets that are
 * signalled stands for one, as in codel; p_c is the larger of the two.
 */
#include "aqm/cobalt.h"
#include "aqm/ops.h"
#include "aqm/signal_share.h"

/* Queues of a set that a flow may choose from. */
#define CAKE_WAYS 8

struct cobalt_params {
	struct aqm_cobalt_params core;
	uint32_t limit_pkts;
};

struct cake_params {
	struct cobalt_params cobalt; /* first: the hooks of cobalt read it */
	struct aqm_flow_shape shape;
};

struct cobalt_vars {
	struct aqm_cobalt_vars core;
	struct aqm_signal_share share;
};

#define CORE(member) offsetof(struct cobalt_params, core.member)

/* Rows of both laws' tables. */
#define COBALT_PARAMS                                                                              \
	{"target_ms", AQM_PARAM_MS_AS_NS, CORE(target_ns), "5", 0.01, 4000, NULL,                  \
	 "sojourn time that may stand (as RFC 8289 section 4.3)"},                                 \
	{"interval_ms", AQM_PARAM_MS_AS_NS, CORE(interval_ns), "100", 0.01, 4000, NULL,            \
	 "how long it may be above: a worst-case round trip (as RFC 8289 section 4.2)"}

static const struct aqm_param params[] = {
	COBALT_PARAMS,
	{"limit_packets", AQM_PARAM_U32, offsetof(struct cobalt_params, limit_pkts), "10000", 1,
	 1e9, NULL, "packets the queue has room for"},
	{0},
};

#define SHAPE(member) offsetof(struct cake_params, shape.member)

static const struct aqm_param cake_params[] = {
	COBALT_PARAMS,
	{"isolation", AQM_PARAM_CHOICE, SHAPE(isolation), "triple-isolate", 0, 0,
	 AQM_ISOLATION_CHOICES, "what queues are for, and what shares equally (names of tc-cake)"},
	{"limit_packets", AQM_PARAM_U32, SHAPE(limit_pkts), "10240", 1, 1e9, NULL,
	 "packets all queues have room for"},
	{"limit_bytes", AQM_PARAM_U64, SHAPE(limit_bytes), "15503360", 1, 1e12, NULL,
	 "bytes all queues have room for (10240 packets of 1514)"},
	{"quantum_bytes", AQM_PARAM_U32, SHAPE(quantum_bytes), "1514", 256, 1e6, NULL,
	 "a queue's share of a round, before hosts divide theirs"},
	{"flows", AQM_PARAM_U32, SHAPE(flows), "1024", 8, 1048576, NULL,
	 "queues, in sets of 8 over which flows are hashed; a multiple of 8"},
	{0},
};

static void cobalt_init(const void *p, void *vars, void *stats)
{
	struct cobalt_vars *own = vars;

	(void)p;
	*own = (struct cobalt_vars){0};
	aqm_cobalt_init(&own->core);
	*(struct aqm_cobalt_stats *)stats = (struct aqm_cobalt_stats){0};
}

static enum aqm_verdict cobalt_on_enqueue(const void *p, void *vars, void *stats,
					  const struct aqm_facts *facts, uint32_t *cookie)
{
	(void)p;
	(void)vars;
	(void)stats;
	(void)facts;
	*cookie = 0;
	return AQM_PASS;
}

static enum aqm_verdict cobalt_on_dequeue(const void *p, void *vars, void *stats,
					  const struct aqm_facts *facts)
{
	const struct cobalt_params *own = p;
	struct cobalt_vars *state = vars;
	const enum aqm_verdict verdict =
		aqm_cobalt_on_dequeue(&own->core, &state->core, stats, facts);

	aqm_signal_share_count(&state->share, verdict);
	return verdict;
}

static void cobalt_on_empty(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	const struct cobalt_params *own = p;
	struct cobalt_vars *state = vars;

	aqm_cobalt_on_empty(&own->core, &state->core, stats, facts->now_ns);
}

static void cobalt_on_overflow(const void *p, void *vars, void *stats,
			       const struct aqm_facts *facts)
{
	const struct cobalt_params *own = p;
	struct cobalt_vars *state = vars;

	aqm_cobalt_on_overflow(&own->core, &state->core, stats, facts->now_ns);
}

static bool cobalt_at_rest(const void *p, const void *vars, uint64_t now_ns)
{
	const struct cobalt_params *own = p;
	const struct cobalt_vars *state = vars;

	return aqm_cobalt_at_rest(&own->core, &state->core, now_ns);
}

static int cake_check(const void *p, struct error *error)
{
	const struct cake_params *own = p;

	if (own->shape.flows % CAKE_WAYS)
		return error_at(error, ERR_INVALID, NULL, 0, "flows",
				"%u is not a multiple of %d, the queues of a set",
				own->shape.flows, CAKE_WAYS);
	return 0;
}

static struct aqm_flow_shape cake_shape(const void *p)
{
	struct aqm_flow_shape shape = ((const struct cake_params *)p)->shape;

	shape.ways = CAKE_WAYS;
	shape.drop_batch_pkts = 1;
	shape.leave_at_once = true;
	return shape;
}

static uint64_t shown_q32(const struct cobalt_vars *state)
{
	const uint64_t share = aqm_signal_share_q32(&state->share, state->core.dropping);

	return share > state->core.p_q32 ? share : state->core.p_q32;
}

static void cobalt_record(const void *p, const void *vars, const struct aqm_facts *facts,
			  bool decided, struct aqm_record *record)
{
	const struct cobalt_params *own = p;
	const struct cobalt_vars *state = vars;
	const uint64_t shown = shown_q32(state);

	(void)decided;
	record->qdelay_reference = (int64_t)(own->core.target_ns / 1000);
	record->tupdate = (int64_t)(own->core.interval_ns / 1000);
	record->status_flags = state->core.dropping;
	record->drop_probability = (int64_t)(shown - (shown >> 31)) >> 1;
	record->current_queue_delay = (int64_t)(facts->head_sojourn_ns[facts->queue] / 1000);
	record->dequeue_count = state->core.count;
}

static void cobalt_view(const void *p, const void *vars, struct aqm_view *view)
{
	const struct cobalt_vars *state = vars;

	(void)p;
	*view = (struct aqm_view){.p_base = state->core.p_q32, .p_c = shown_q32(state)};
}

const struct aqm_ops aqm_cobalt = {
	.name = "cobalt",
	.summary = "CoDel and BLUE (as in CAKE), with ECN",
	.params_size = sizeof(struct cobalt_params),
	.vars_size = sizeof(struct cobalt_vars),
	.stats_size = sizeof(struct aqm_cobalt_stats),
	.params = params,
	.late = true,
	.on_overflow = cobalt_on_overflow,
	.init = cobalt_init,
	.on_enqueue = cobalt_on_enqueue,
	.on_dequeue = cobalt_on_dequeue,
	.on_empty = cobalt_on_empty,
	.record = cobalt_record,
	.view = cobalt_view,
};

const struct aqm_ops aqm_cake = {
	.name = "cake",
	.summary = "CAKE's isolation of flows and hosts, COBALT in each queue; no shaper, no tins",
	.params_size = sizeof(struct cake_params),
	.vars_size = sizeof(struct cobalt_vars),
	.stats_size = sizeof(struct aqm_cobalt_stats),
	.params = cake_params,
	.late = true,
	.flow_shape = cake_shape,
	.at_rest = cobalt_at_rest,
	.on_overflow = cobalt_on_overflow,
	.check = cake_check,
	.init = cobalt_init,
	.on_enqueue = cobalt_on_enqueue,
	.on_dequeue = cobalt_on_dequeue,
	.on_empty = cobalt_on_empty,
	.record = cobalt_record,
	.view = cobalt_view,
};
