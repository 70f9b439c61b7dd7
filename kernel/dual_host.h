/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a kernel's pair of queues does with its law, whatever the kernel calls a packet.
 *
 * The shims (linux/, freebsd/, bpf/) hold packets, clocks, locks and randomness; this holds the
 * law's state and all counting, asks the law, and turns a mark that a packet cannot carry into a
 * drop.  It is queue/queue.c for hosts that cannot link it, decision by decision: the vectors of
 * tests/vectors/ are the proof.
 *
 * A host calls, under its lock and with a clock that does not run backwards:
 *
 *     arrival    dual_host_arrive(); unless it says AQM_DROP, append the packet
 *     departure  dual_host_take(); AQM_QUEUES: nothing is there.  Remove that queue's first packet,
 *                ask dual_host_depart(); AQM_DROP: free it and start again
 *     time       dual_host_run(), at least once a tupdate while it may matter
 */
#ifndef KERNEL_DUAL_HOST_H
#define KERNEL_DUAL_HOST_H

#include "aqm/student_replace.h"

enum dual_host_law { DUAL_HOST_DUALPI2, DUAL_HOST_STUDENT };

struct dual_host_params {
	uint32_t law; /* enum dual_host_law */
	/* DualPI2 has use for base, scheduler and limit_pkts. */
	struct aqm_student_params own;
};

struct dual_host_counts {
	uint64_t arrived_pkts, arrived_bytes;
	uint64_t accepted_pkts, accepted_bytes;
	uint64_t left_pkts, left_bytes;
	uint64_t marks, drops; /* drops: by the law or for lack of room */
	uint64_t overflows;    /* of those, for lack of room */
};

/* A packet as a host keeps it; `cookie` and `queue` are dual_host_arrive()'s. */
struct dual_host_packet {
	uint64_t enqueued_ns;
	uint64_t random;    /* drawn by the host, 64 bits, one for each arrival */
	uint32_t len_bytes; /* IP length, not 0 */
	uint32_t cookie;
	uint8_t ecn;   /* enum aqm_ecn, as it stands in the header */
	uint8_t queue; /* enum aqm_queue */
};

/* The first packets of both queues; len_bytes 0: it is empty. */
struct dual_host_heads {
	uint64_t enqueued_ns[AQM_QUEUES];
	uint32_t len_bytes[AQM_QUEUES];
};

struct dual_host {
	struct dual_host_params params;
	union {
		struct {
			struct aqm_dualpi2_vars vars;
			struct aqm_wrr_vars wrr;
			struct aqm_dualpi2_stats stats;
		} pi2;
		struct {
			struct aqm_student_vars vars;
			struct aqm_student_stats stats;
		} student;
	} law;
	uint64_t backlog_bytes[AQM_QUEUES];
	uint32_t backlog_pkts[AQM_QUEUES];
	uint64_t emptied_ns; /* when a packet was last taken out */
	struct dual_host_counts counts[AQM_QUEUES];
	struct aqm_facts facts; /* of the decision at hand: a third of all the stack that BPF has */
};

/* The cookie: how many packets L held at arrival, what was decided there, and that it was. */
#define DUAL_HOST_VERDICT_SHIFT 26
#define DUAL_HOST_HELD ((UINT32_C(1) << DUAL_HOST_VERDICT_SHIFT) - 1)
#define DUAL_HOST_DECIDED (UINT32_C(1) << 28)

AQM_INLINE bool dual_host_is_student(const struct dual_host *host)
{
	return host->params.law == DUAL_HOST_STUDENT;
}

/* When the law's next update is due. */
AQM_INLINE uint64_t dual_host_due_ns(const struct dual_host *host)
{
	return dual_host_is_student(host) ? host->law.student.vars.law.update_due_ns
					  : host->law.pi2.vars.update_due_ns;
}

/* The law's next update comes a tupdate from now. */
AQM_INLINE void dual_host_wait(struct dual_host *host, uint64_t now_ns)
{
	const uint64_t next_ns = now_ns + host->params.own.base.tupdate_ns;

	if (dual_host_is_student(host))
		host->law.student.vars.law.update_due_ns = next_ns;
	else
		host->law.pi2.vars.update_due_ns = next_ns;
}

/* The law starts, or starts anew, at now_ns; counts and packets stay. */
AQM_INLINE void dual_host_start(struct dual_host *host, uint64_t now_ns)
{
	const struct aqm_student_params *own = &host->params.own;

	if (dual_host_is_student(host)) {
		aqm_student_init(own, own->model, &host->law.student.vars,
				 &host->law.student.stats);
		host->law.student.vars.law.update_due_ns += now_ns;
		return;
	}
	aqm_dualpi2_init(&own->base, &host->law.pi2.vars, &host->law.pi2.stats);
	aqm_wrr_reset(&own->scheduler.wrr, &host->law.pi2.wrr, own->base.mtu_bytes);
	host->law.pi2.vars.update_due_ns += now_ns;
}

/* Empty, with nothing counted; `params` are good ones, and a student has its model there. */
AQM_INLINE void dual_host_init(struct dual_host *host, const struct dual_host_params *params,
			       uint64_t now_ns)
{
	host->params = *params;
	host->emptied_ns = now_ns;
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		host->backlog_bytes[q] = 0;
		host->backlog_pkts[q] = 0;
		host->counts[q] = (struct dual_host_counts){0};
	}
	dual_host_start(host, now_ns);
}

/*
 * Other parameters, packets and counts untouched.  Another law starts anew; the same one goes on
 * from its p'.  A packet in the queues keeps what was decided when it came.
 */
AQM_INLINE void dual_host_change(struct dual_host *host, const struct dual_host_params *params,
				 uint64_t now_ns)
{
	const bool same = params->law == host->params.law;
	const bool taught = params->own.model != host->params.own.model;
	struct aqm_student_vars *vars = &host->law.student.vars;

	host->params = *params;
	if (!same) {
		dual_host_start(host, now_ns);
		return;
	}
	/* A tupdate that became shorter holds at once. */
	if (dual_host_due_ns(host) > now_ns + params->own.base.tupdate_ns)
		dual_host_wait(host, now_ns);
	if (!dual_host_is_student(host))
		return;
	if (taught)
		aqm_student_replace(&host->params.own, vars, params->own.model);
	else
		aqm_student_settings_forget(&host->params.own, vars);
	aqm_guard_set(&vars->guard_params, params->own.base.target_ns,
		      params->own.base.step.threshold_ns);
}

/* Length of a queue's first packet, 0: it is empty.  No index: BPF allows none on its stack. */
AQM_INLINE uint32_t dual_host_length(const struct dual_host_heads *heads, unsigned queue)
{
	const uint32_t c = heads->len_bytes[AQM_QUEUE_C], l = heads->len_bytes[AQM_QUEUE_L];

	return queue == AQM_QUEUE_L ? l : c;
}

AQM_INLINE uint64_t dual_host_age_ns(const struct dual_host_heads *heads, unsigned queue,
				     uint64_t now_ns)
{
	return heads->len_bytes[queue] ? now_ns - heads->enqueued_ns[queue] : 0;
}

AQM_INLINE void dual_host_fill(const struct dual_host *host, const struct dual_host_heads *heads,
			       uint64_t now_ns, struct aqm_facts *facts)
{
	*facts = (struct aqm_facts){.now_ns = now_ns};
	if (host->backlog_pkts[0] + host->backlog_pkts[1] == 0)
		facts->idle_ns = now_ns - host->emptied_ns;
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		facts->head_sojourn_ns[q] = dual_host_age_ns(heads, q, now_ns);
		facts->backlog_bytes[q] = host->backlog_bytes[q];
		facts->backlog_pkts[q] = host->backlog_pkts[q];
		facts->total_pkts[q] = host->counts[q].accepted_pkts;
		facts->total_bytes[q] = host->counts[q].accepted_bytes;
		facts->total_drops[q] = host->counts[q].drops;
	}
}

AQM_INLINE void dual_host_fill_packet(const struct dual_host_packet *packet,
				      struct aqm_facts *facts)
{
	facts->random = packet->random;
	facts->len_bytes = packet->len_bytes;
	facts->cookie = packet->cookie;
	facts->ecn = packet->ecn;
	facts->queue = packet->queue;
}

/* The law's update that is due, as of the time at which it was. */
AQM_INLINE void dual_host_tick(struct dual_host *host, const struct dual_host_heads *heads)
{
	dual_host_fill(host, heads, dual_host_due_ns(host), &host->facts);
	if (dual_host_is_student(host))
		aqm_student_tick(&host->params.own, &host->law.student.vars,
				 &host->law.student.stats, &host->facts);
	else
		aqm_dualpi2_update(&host->params.own.base, &host->law.pi2.vars,
				   &host->law.pi2.stats, &host->facts);
}

/* Updates still due at now_ns are left out: the next one comes a tupdate from now. */
AQM_INLINE void dual_host_skip(struct dual_host *host, uint64_t now_ns)
{
	if (dual_host_due_ns(host) <= now_ns)
		dual_host_wait(host, now_ns);
}

/*
 * Updates due at or before now_ns, at most `most` of them; a host that was asleep for longer loses
 * the rest.
 */
AQM_INLINE void dual_host_run(struct dual_host *host, const struct dual_host_heads *heads,
			      uint64_t now_ns, uint32_t most)
{
	for (uint32_t i = 0; i < most && dual_host_due_ns(host) <= now_ns; i++)
		dual_host_tick(host, heads);
	dual_host_skip(host, now_ns);
}

/* The law's word on an arrival. */
AQM_INLINE enum aqm_verdict dual_host_ask(struct dual_host *host, const struct aqm_facts *facts,
					  uint32_t *cookie)
{
	const uint32_t held = facts->backlog_pkts[AQM_QUEUE_L];
	enum aqm_verdict verdict;
	bool decided = false;

	if (dual_host_is_student(host))
		verdict = aqm_student_on_enqueue(&host->params.own, &host->law.student.vars,
						 &host->law.student.stats, facts, &decided);
	else
		verdict = aqm_dualpi2_on_enqueue(&host->params.own.base, &host->law.pi2.vars,
						 &host->law.pi2.stats, facts);
	*cookie = (held < DUAL_HOST_HELD ? held : DUAL_HOST_HELD) |
		  (uint32_t)verdict << DUAL_HOST_VERDICT_SHIFT | (decided ? DUAL_HOST_DECIDED : 0);
	return verdict;
}

/* What the host is to do, counted. */
AQM_INLINE enum aqm_verdict dual_host_carry_out(struct dual_host *host, unsigned queue,
						uint8_t ecn, enum aqm_verdict verdict)
{
	if (verdict == AQM_MARK && ecn == AQM_NOT_ECT)
		verdict = AQM_DROP;
	host->counts[queue].marks += verdict == AQM_MARK;
	host->counts[queue].drops += verdict == AQM_DROP;
	return verdict;
}

/*
 * A packet arrives at now_ns; updates up to then have run.  AQM_PASS and AQM_MARK: it goes to the
 * end of packet->queue, with CE if marked.  Sets enqueued_ns, cookie and queue.
 */
AQM_INLINE enum aqm_verdict dual_host_arrive(struct dual_host *host,
					     const struct dual_host_heads *heads,
					     struct dual_host_packet *packet, uint64_t now_ns)
{
	const unsigned queue = aqm_dual_classify(packet->ecn) & 1U;
	struct dual_host_counts *counts = &host->counts[queue];
	enum aqm_verdict verdict = AQM_DROP;

	packet->enqueued_ns = now_ns;
	packet->cookie = 0;
	packet->queue = (uint8_t)queue;
	dual_host_fill(host, heads, now_ns, &host->facts);
	dual_host_fill_packet(packet, &host->facts);
	counts->arrived_pkts++;
	counts->arrived_bytes += packet->len_bytes;
	if (host->backlog_pkts[0] + host->backlog_pkts[1] < host->params.own.limit_pkts)
		verdict = dual_host_ask(host, &host->facts, &packet->cookie);
	else
		counts->overflows++;
	verdict = dual_host_carry_out(host, queue, packet->ecn, verdict);
	if (verdict == AQM_DROP)
		return verdict;
	host->backlog_pkts[queue]++;
	host->backlog_bytes[queue] += packet->len_bytes;
	counts->accepted_pkts++;
	counts->accepted_bytes += packet->len_bytes;
	return verdict;
}

AQM_INLINE struct aqm_wrr_vars *dual_host_wrr(struct dual_host *host)
{
	return dual_host_is_student(host) ? &host->law.student.vars.wrr : &host->law.pi2.wrr;
}

/*
 * Whose first packet leaves now; AQM_QUEUES when there is none.  That packet no longer counts as
 * held: the host removes it, and dual_host_depart() is due.  Updates up to now_ns have run.
 */
AQM_INLINE unsigned dual_host_take(struct dual_host *host, const struct dual_host_heads *heads,
				   uint64_t now_ns)
{
	struct aqm_head head[AQM_QUEUES];
	unsigned queue;

	if (heads->len_bytes[0] == 0 && heads->len_bytes[1] == 0) {
		if (dual_host_is_student(host))
			aqm_student_on_empty(&host->params.own, &host->law.student.vars, now_ns);
		return AQM_QUEUES;
	}
	for (unsigned q = 0; q < AQM_QUEUES; q++)
		head[q] = (struct aqm_head){dual_host_age_ns(heads, q, now_ns),
					    heads->len_bytes[q]};
	queue = aqm_dual_choose(&host->params.own.scheduler, dual_host_wrr(host), head) & 1U;
	host->backlog_pkts[queue]--;
	host->backlog_bytes[queue] -= dual_host_length(heads, queue);
	host->emptied_ns = now_ns;
	return queue;
}

/* It was sent: the scheduler's credit, and the counts. */
AQM_INLINE void dual_host_sent(struct dual_host *host, const struct dual_host_heads *heads,
			       const struct dual_host_packet *packet)
{
	const unsigned queue = packet->queue & 1U;
	const bool other_waits = dual_host_length(heads, !queue) != 0;

	host->counts[queue].left_pkts++;
	host->counts[queue].left_bytes += packet->len_bytes;
	aqm_wrr_served(&host->params.own.scheduler.wrr, dual_host_wrr(host),
		       (enum aqm_queue)queue, packet->len_bytes, other_waits);
}

/* The law's word on a departure. */
AQM_INLINE enum aqm_verdict dual_host_judge(struct dual_host *host, const struct aqm_facts *facts)
{
	const uint32_t cookie = facts->cookie, held = cookie & DUAL_HOST_HELD;

	if (dual_host_is_student(host))
		return aqm_student_on_dequeue(
			&host->params.own, &host->law.student.vars, &host->law.student.stats,
			facts, held, cookie & DUAL_HOST_DECIDED,
			(enum aqm_verdict)(cookie >> DUAL_HOST_VERDICT_SHIFT & 3));
	return aqm_dualpi2_on_dequeue(&host->params.own.base, &host->law.pi2.vars,
				      &host->law.pi2.stats, facts, held);
}

/*
 * What becomes of the packet that was taken: AQM_DROP frees it, AQM_MARK sets CE, and both others
 * send it.  `heads` are those without it.
 */
AQM_INLINE enum aqm_verdict dual_host_depart(struct dual_host *host,
					     const struct dual_host_heads *heads,
					     const struct dual_host_packet *packet,
					     uint64_t now_ns)
{
	enum aqm_verdict verdict;

	dual_host_fill(host, heads, now_ns, &host->facts);
	dual_host_fill_packet(packet, &host->facts);
	host->facts.sojourn_ns = now_ns - packet->enqueued_ns;
	verdict = dual_host_carry_out(host, packet->queue & 1U, packet->ecn,
				      dual_host_judge(host, &host->facts));
	if (verdict != AQM_DROP)
		dual_host_sent(host, heads, packet);
	if (heads->len_bytes[0] == 0 && heads->len_bytes[1] == 0)
		aqm_wrr_reset(&host->params.own.scheduler.wrr, dual_host_wrr(host),
			      host->params.own.base.mtu_bytes);
	return verdict;
}

/* p' of the law. */
AQM_INLINE uint64_t dual_host_p_q32(const struct dual_host *host)
{
	return dual_host_is_student(host) ? host->law.student.vars.law.p_q32
					  : host->law.pi2.vars.p_q32;
}

/* The settings in force: the parameters' own, or a supervisor's. */
AQM_INLINE const struct aqm_dualpi2_params *dual_host_settings(const struct dual_host *host)
{
	return dual_host_is_student(host) ? &host->law.student.vars.now : &host->params.own.base;
}

/* The law's probability of signalling a packet of this queue, at most 1. */
AQM_INLINE uint64_t dual_host_chance_q32(const struct dual_host *host, unsigned queue)
{
	const uint64_t p_q32 = dual_host_p_q32(host);
	const uint64_t coupled = aqm_coupled_q32(dual_host_settings(host)->k_q16, p_q32);

	if (queue == AQM_QUEUE_C)
		return aqm_square_q32(p_q32);
	return coupled > AQM_Q32_ONE ? AQM_Q32_ONE : coupled;
}

/*
 * The log line of an arrival, as queue/ makes it: to be called after dual_host_arrive(), with
 * `heads` from before and the verdict that it gave.  The packet itself does not count as held.
 */
AQM_INLINE void dual_host_record(const struct dual_host *host, const struct dual_host_heads *heads,
				 const struct dual_host_packet *packet, enum aqm_verdict verdict,
				 struct aqm_record *record)
{
	const unsigned queue = packet->queue & 1U;
	struct aqm_facts facts;

	dual_host_fill(host, heads, packet->enqueued_ns, &facts);
	dual_host_fill_packet(packet, &facts);
	if (verdict == AQM_DROP) {
		facts.total_drops[queue]--;
	} else {
		facts.total_pkts[queue]--;
		facts.total_bytes[queue] -= packet->len_bytes;
		facts.backlog_pkts[queue]--;
		facts.backlog_bytes[queue] -= packet->len_bytes;
	}
	*record = (struct aqm_record){.dequeue_action = aqm_record_action(verdict)};
	aqm_record_fill_host(&facts, record);
	if (dual_host_is_student(host))
		aqm_student_record(&host->law.student.vars, &facts, record);
	else
		aqm_dualpi2_record(&host->params.own.base, &host->law.pi2.vars, &facts, record);
}

#endif
