/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * l4s-freebsd: the released router's law for user space.
 */
#include "aqm/fixed.h"
#include "aqm/l4s_freebsd.h"
#include "aqm/ops.h"

struct freebsd_params {
	struct aqm_freebsd_params core;
	uint32_t limit_pkts;
	bool shared_pipe;
};

struct freebsd_vars {
	struct aqm_freebsd_vars core;
	enum aqm_verdict logged; /* of the last decision: the log may differ from the deed */
};

#define CORE(member) offsetof(struct freebsd_params, core.member)
#define OWN(member) offsetof(struct freebsd_params, member)

static const struct aqm_param params[] = {
	{"target_ms", AQM_PARAM_MS_AS_US, CORE(target_us), "15", 0.01, 4000, NULL,
	 "queue delay aimed at, of each queue"},
	{"tupdate_ms", AQM_PARAM_MS_AS_US, CORE(tupdate_us), "15", 0.1, 4000, NULL,
	 "time between updates"},
	{"alpha", AQM_PARAM_FIX13, CORE(alpha_fix), "0.125", 0, 7, NULL,
	 "gain on the distance from the target, per second"},
	{"beta", AQM_PARAM_FIX13, CORE(beta_fix), "1.25", 0, 7, NULL,
	 "gain on the change of delay, per second"},
	{"max_burst_ms", AQM_PARAM_MS_AS_US, CORE(max_burst_us), "150", 0, 4000, NULL,
	 "burst let through after a quiet time"},
	{"ecn_max_p", AQM_PARAM_FIX13, CORE(ecn_max_fix), "0.1", 0, 1, NULL,
	 "ECN-capable packets are marked below this probability, dropped from there on"},
	{"limit_packets", AQM_PARAM_U32, OWN(limit_pkts), "10240", 1, 1e9, NULL,
	 "packets each queue has room for"},
	{"hz", AQM_PARAM_U32, CORE(hz), "100", 1, 1000000, NULL,
	 "ticks a second of the router's clock"},
	{"flags", AQM_PARAM_U32, CORE(flags), "19", 0, 31, NULL,
	 "dummynet's PIE flags: 1 ECN, 2 capped adjustment, 16 de-randomisation"},
	{"l_weight", AQM_PARAM_U32, CORE(l_weight), "2", 1, 100, NULL,
	 "share of L in the deficit round robin"},
	{"c_weight", AQM_PARAM_U32, CORE(c_weight), "1", 1, 100, NULL,
	 "share of Classic in the deficit round robin"},
	{"shared_pipe", AQM_PARAM_BOOL, OWN(shared_pipe), "0", 0, 1, NULL,
	 "one pipe for both directions, passed on input and again on output, as in the testbed"},
	{0},
};

static void freebsd_init(const void *p, void *vars, void *stats)
{
	const struct freebsd_params *own = p;
	struct freebsd_vars *state = vars;

	aqm_freebsd_init(&own->core, &state->core, stats);
	state->logged = AQM_PASS;
}

static enum aqm_queue freebsd_classify(const void *p, const struct aqm_facts *facts)
{
	(void)p;
	return facts->ecn == AQM_ECT1 ? AQM_QUEUE_L : AQM_QUEUE_C;
}

static enum aqm_verdict freebsd_on_enqueue(const void *p, void *vars, void *stats,
					   const struct aqm_facts *facts, uint32_t *cookie)
{
	const struct freebsd_params *own = p;
	struct freebsd_vars *state = vars;

	*cookie = 0;
	return aqm_freebsd_on_enqueue(&own->core, &state->core, stats, facts, &state->logged);
}

static enum aqm_verdict freebsd_on_dequeue(const void *p, void *vars, void *stats,
					   const struct aqm_facts *facts)
{
	const struct freebsd_params *own = p;
	struct freebsd_vars *state = vars;

	(void)stats;
	aqm_freebsd_on_dequeue(&own->core, &state->core, facts);
	return AQM_PASS;
}

static uint64_t freebsd_tick_due_ns(const void *p, const void *vars)
{
	const struct freebsd_vars *state = vars;

	(void)p;
	return state->core.update_due_ns;
}

static void freebsd_tick(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	const struct freebsd_params *own = p;
	struct freebsd_vars *state = vars;

	aqm_freebsd_update(&own->core, &state->core, stats, facts);
}

static enum aqm_queue freebsd_schedule(const void *p, void *vars,
				       const struct aqm_head heads[AQM_QUEUES])
{
	const struct freebsd_params *own = p;
	struct freebsd_vars *state = vars;

	return aqm_freebsd_schedule(&own->core, &state->core, heads);
}

/* What the log calls the deed (its action is set here, so that a shielded drop is logged as one).
 */
static int64_t logged_action(enum aqm_verdict verdict)
{
	if (verdict == AQM_PASS)
		return AQM_LOGGED_ENQUEUE;
	return verdict == AQM_DROP ? AQM_LOGGED_DROP : AQM_LOGGED_MARK;
}

static void freebsd_record(const void *p, const void *vars, const struct aqm_facts *facts,
			   bool decided, struct aqm_record *record)
{
	const struct freebsd_params *own = p;
	const struct freebsd_vars *state = vars;
	const struct aqm_freebsd_pie *pie = &state->core.pie[facts->queue];
	const bool forget = !decided && pie->reset_pending;

	record->qdelay_reference = (int64_t)own->core.target_us;
	record->tupdate = (int64_t)own->core.tupdate_us;
	record->max_burst = (int64_t)own->core.max_burst_us;
	record->max_ecn_threshold = own->core.ecn_max_fix;
	record->alpha = own->core.alpha_fix;
	record->beta = own->core.beta_fix;
	record->flags = own->core.flags;
	record->burst_allowance = (int64_t)pie->burst_allowance_us;
	record->drop_probability = pie->p;
	record->current_queue_delay = (int64_t)pie->qdelay_us;
	record->previous_queue_delay = (int64_t)pie->previous_qdelay_us;
	record->accumulated_probability = forget ? 0 : (int64_t)pie->accumulated;
	record->measurement_start_time = (int64_t)(uint32_t)pie->measured_us;
	record->status_flags = pie->status;
	if (decided)
		record->dequeue_action = logged_action(state->logged);
}

/* The gates and draws of aqm_freebsd_acts(), from what the log shows. */
static double freebsd_act_probability(const void *p, const struct aqm_record *before)
{
	const struct freebsd_params *own = p;
	const double share = (double)before->drop_probability /
			     (double)AQM_FREEBSD_PROBABILITY_ONE;
	const int64_t accumulated = before->drop_probability == 0
					    ? 0
					    : before->accumulated_probability +
						      before->drop_probability;

	if ((before->previous_queue_delay < (int64_t)own->core.target_us / 2 &&
	     before->drop_probability < AQM_FREEBSD_SAFE_PROBABILITY) ||
	    before->length_in_bytes <= AQM_FREEBSD_SAFE_BYTES)
		return 0;
	if (own->core.flags & AQM_FREEBSD_DERANDOMISE) {
		if (accumulated < AQM_FREEBSD_ACCUMULATED_LEAST)
			return 0;
		if (accumulated >= AQM_FREEBSD_ACCUMULATED_SURE)
			return 1;
	}
	return before->queue_type == AQM_QUEUE_C ? share * share : share;
}

static void freebsd_view(const void *p, const void *vars, struct aqm_view *view)
{
	const struct freebsd_vars *state = vars;

	(void)p;
	view->p_base = (uint64_t)state->core.pie[AQM_QUEUE_C].p << 1;
	view->p_c = aqm_square_q32(view->p_base);
	view->p_l = (uint64_t)state->core.pie[AQM_QUEUE_L].p << 1;
}

const struct aqm_ops aqm_l4s_freebsd = {
	.name = "l4s-freebsd",
	.summary = "two independent PIE queues, as the paper's released router runs them",
	.params_size = sizeof(struct freebsd_params),
	.vars_size = sizeof(struct freebsd_vars),
	.stats_size = sizeof(struct aqm_freebsd_stats),
	.params = params,
	.dual = true,
	.limit_each = true,
	.init = freebsd_init,
	.classify = freebsd_classify,
	.on_enqueue = freebsd_on_enqueue,
	.on_dequeue = freebsd_on_dequeue,
	.tick_due_ns = freebsd_tick_due_ns,
	.tick = freebsd_tick,
	.schedule = freebsd_schedule,
	.record = freebsd_record,
	.view = freebsd_view,
	.act_probability = freebsd_act_probability,
};
