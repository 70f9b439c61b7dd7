/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cobalt: CoDel and BLUE for user space.
 *
 * The base probability is BLUE's.  Of CoDel's half the share of packets that are
 * signalled stands for one, as in codel; p_c is the larger of the two.
 */
#include "aqm/cobalt.h"
#include "aqm/ops.h"
#include "aqm/signal_share.h"

struct cobalt_params {
	struct aqm_cobalt_params core;
	uint32_t limit_pkts;
};

struct cobalt_vars {
	struct aqm_cobalt_vars core;
	struct aqm_signal_share share;
};

#define CORE(member) offsetof(struct cobalt_params, core.member)

static const struct aqm_param params[] = {
	{"target_ms", AQM_PARAM_MS_AS_NS, CORE(target_ns), "5", 0.01, 4000, NULL,
	 "sojourn time that may stand (as RFC 8289 section 4.3)"},
	{"interval_ms", AQM_PARAM_MS_AS_NS, CORE(interval_ns), "100", 0.01, 4000, NULL,
	 "how long it may be above: a worst-case round trip (as RFC 8289 section 4.2)"},
	{"limit_packets", AQM_PARAM_U32, offsetof(struct cobalt_params, limit_pkts), "10000", 1,
	 1e9, NULL, "packets the queue has room for"},
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
