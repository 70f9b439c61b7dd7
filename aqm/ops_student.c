/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * student: a learned law over DualPI2's queues, for user space.
 */
#include "aqm/ops.h"
#include "aqm/student_shipped.h"
#include "aqm/student_vector.h"

#define AQM_STUDENT_NET aqm_student_net_vector
#define AQM_STUDENT_ARRIVAL aqm_student_arrival_vector
#include "aqm/student.h"

/* The cookie: how many packets L held at arrival, what was decided there, and that it was. */
#define VERDICT_SHIFT 26
#define HELD ((UINT32_C(1) << VERDICT_SHIFT) - 1)
#define DECIDED (UINT32_C(1) << 28)

#define BASE(member) offsetof(struct aqm_student_params, base.member)
#define OWN(member) offsetof(struct aqm_student_params, member)

static const struct aqm_param params[] = {
	{"target_ms", AQM_PARAM_MS_AS_NS, BASE(target_ns), "15", 1, 60, NULL,
	 "Classic queue delay aimed at where the network's output is 0"},
	{"tupdate_ms", AQM_PARAM_MS_AS_NS, BASE(tupdate_ns), "16", 0.1, 4000, NULL,
	 "time between updates of p', and between the network's decisions; models are made at 16"},
	{"alpha", AQM_PARAM_GAIN_Q16, BASE(alpha_q16), "0.160071", 0, 8, NULL,
	 "integral gain, per second, where the network's output is 0"},
	{"beta", AQM_PARAM_GAIN_Q16, BASE(beta_q16), "3.197783", 0, 8, NULL,
	 "proportional gain, per second, where the network's output is 0"},
	{"k", AQM_PARAM_GAIN_Q16, BASE(k_q16), "2", 0.25, 8, NULL,
	 "coupling factor where the network's output is 0"},
	{"step_ms", AQM_PARAM_MS_AS_NS, BASE(step.threshold_ns), "1", 0.25, 4, NULL,
	 "sojourn above which L packets are marked where the network's output is 0"},
	{"min_qlen_step", AQM_PARAM_U32, BASE(step.min_qlen_pkts), "1", 1, 1e6, NULL,
	 "packets L must have held at arrival for the step to mark"},
	{"c_protection_percent", AQM_PARAM_U32, OWN(scheduler.wrr.c_percent), "10", 1, 99, NULL,
	 "wrr: share of the link kept for Classic"},
	{"limit_packets", AQM_PARAM_U32, OWN(limit_pkts), "10000", 1, 1e9, NULL,
	 "packets both queues together have room for"},
	{"mtu_bytes", AQM_PARAM_U32, BASE(mtu_bytes), "1500", 64, 65535, NULL,
	 "longest packet: scale of the scheduler and of the two-packet rule"},
	{"drop_overload", AQM_PARAM_BOOL, BASE(drop_overload), "1", 0, 1, NULL,
	 "drop on overload instead of capping the probability"},
	{"scheduler", AQM_PARAM_CHOICE, OWN(scheduler.kind), "wrr", 0, 0, "wrr/tsf",
	 "who is served next: weighted round robin, or time-shifted FIFO"},
	{"tshift_ms", AQM_PARAM_MS_AS_NS, OWN(scheduler.tshift_ns), "50", 0, 4000, NULL,
	 "tsf: head start of L over Classic"},
	{"pauses", AQM_PARAM_GAIN_Q16, OWN(pauses_q16), "1", 0, 4, NULL,
	 "least step, in pauses behind a link's batches; modes supervise and share, 0: none"},
	{"guard", AQM_PARAM_BOOL, OWN(guarded), "1", 0, 1, NULL,
	 "keep the network's verdicts and settings near those of the law"},
	{0},
};

static void student_init(const void *p, void *vars, void *stats)
{
	aqm_student_init(p, aqm_student_shipped(), vars, stats);
}

static enum aqm_queue student_classify(const void *p, const struct aqm_facts *facts)
{
	(void)p;
	return aqm_dual_classify(facts->ecn);
}

static enum aqm_verdict student_on_enqueue(const void *p, void *vars, void *stats,
					   const struct aqm_facts *facts, uint32_t *cookie)
{
	const uint32_t held = facts->backlog_pkts[AQM_QUEUE_L];
	enum aqm_verdict verdict;
	bool decided;

	verdict = aqm_student_on_enqueue(p, vars, stats, facts, &decided);
	*cookie = (held < HELD ? held : HELD) | (uint32_t)verdict << VERDICT_SHIFT |
		  (decided ? DECIDED : 0);
	return verdict;
}

static enum aqm_verdict student_on_dequeue(const void *p, void *vars, void *stats,
					   const struct aqm_facts *facts)
{
	return aqm_student_on_dequeue(p, vars, stats, facts, facts->cookie & HELD,
				      facts->cookie & DECIDED,
				      (enum aqm_verdict)(facts->cookie >> VERDICT_SHIFT & 3));
}

static uint64_t student_tick_due_ns(const void *p, const void *vars)
{
	(void)p;
	return ((const struct aqm_student_vars *)vars)->law.update_due_ns;
}

static void student_tick(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	aqm_student_tick(p, vars, stats, facts);
}

static enum aqm_queue student_schedule(const void *p, void *vars,
				       const struct aqm_head heads[AQM_QUEUES])
{
	return aqm_dual_choose(&((const struct aqm_student_params *)p)->scheduler,
			       &((const struct aqm_student_vars *)vars)->wrr, heads);
}

static void student_served(const void *p, void *vars, enum aqm_queue queue, uint32_t len_bytes,
			   bool other_waits)
{
	aqm_wrr_served(&((const struct aqm_student_params *)p)->scheduler.wrr,
		       &((struct aqm_student_vars *)vars)->wrr, queue, len_bytes, other_waits);
}

static void student_idle(const void *p, void *vars)
{
	const struct aqm_student_params *own = p;

	aqm_wrr_reset(&own->scheduler.wrr, &((struct aqm_student_vars *)vars)->wrr,
		      own->base.mtu_bytes);
}

static void student_on_empty(const void *p, void *vars, void *stats, const struct aqm_facts *facts)
{
	(void)stats;
	aqm_student_on_empty(p, vars, facts->now_ns);
}

static void student_record(const void *p, const void *vars, const struct aqm_facts *facts,
			   bool decided, struct aqm_record *record)
{
	(void)p;
	(void)decided;
	aqm_student_record(vars, facts, record);
}

static void student_view(const void *p, const void *vars, struct aqm_view *view)
{
	const struct aqm_student_vars *state = vars;

	(void)p;
	view->p_base = state->law.p_q32;
	view->p_c = aqm_student_law_p_q32(state, AQM_QUEUE_C);
	view->p_l = aqm_student_law_p_q32(state, AQM_QUEUE_L);
}

const struct aqm_ops aqm_student = {
	.name = "student",
	.summary = "a small network that sets DualPI2 as the traffic wants it, or decides itself",
	.params_size = sizeof(struct aqm_student_params),
	.vars_size = sizeof(struct aqm_student_vars),
	.stats_size = sizeof(struct aqm_student_stats),
	.params = params,
	.dual = true,
	.late = true,
	.init = student_init,
	.classify = student_classify,
	.on_enqueue = student_on_enqueue,
	.on_dequeue = student_on_dequeue,
	.tick_due_ns = student_tick_due_ns,
	.tick = student_tick,
	.schedule = student_schedule,
	.served = student_served,
	.idle = student_idle,
	.on_empty = student_on_empty,
	.record = student_record,
	.view = student_view,
};
