/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a kernel's single queue does with its law, whatever the kernel calls a packet: dual_host.h
 * for laws of one queue.  It is queue/queue.c for hosts that cannot link it, decision by decision.
 *
 * A host calls, under its lock and with a clock that does not run backwards:
 *
 *     time       single_host_run(), before either of the others
 *     arrival    single_host_arrive(); unless it says AQM_DROP, append the packet
 *     departure  remove the first packet and ask single_host_depart(); AQM_DROP: free it and go on
 *                with the next; where there is none, single_host_found_empty()
 */
#ifndef KERNEL_SINGLE_HOST_H
#define KERNEL_SINGLE_HOST_H

#include "aqm/codel.h"
#include "aqm/pi2.h"
#include "aqm/pie.h"
#include "aqm/red.h"
#include "aqm/signal_share.h"

enum single_host_law { SINGLE_HOST_PI2, SINGLE_HOST_PIE, SINGLE_HOST_CODEL, SINGLE_HOST_RED };

struct single_host_params {
	uint32_t law; /* enum single_host_law */
	union {
		struct aqm_pi2_params pi2;
		struct aqm_pie_params pie;
		struct aqm_codel_params codel;
		struct aqm_red_params red;
	};
};

/* A packet as a host keeps it; enqueued_ns is single_host_arrive()'s. */
struct single_host_packet {
	uint64_t enqueued_ns;
	uint64_t random;    /* drawn by the host, 64 bits, one for each arrival */
	uint32_t len_bytes; /* IP length, not 0 */
	uint8_t ecn;        /* enum aqm_ecn, as it stands in the header */
};

struct single_host {
	union {
		struct {
			struct aqm_pi2_vars vars;
			struct aqm_pi2_stats stats;
		} pi2;
		struct {
			struct aqm_pie_vars vars;
			struct aqm_pie_stats stats;
		} pie;
		struct {
			struct aqm_codel_vars vars;
			struct aqm_codel_stats stats;
			struct aqm_signal_share share;
		} codel;
		struct {
			struct aqm_red_vars vars;
			struct aqm_red_stats stats;
		} red;
	} law;
	uint64_t backlog_bytes;
	uint32_t backlog_pkts;
	uint64_t emptied_ns; /* when a packet was last taken out */
	uint64_t accepted_pkts, accepted_bytes;
	uint64_t marks, drops; /* drops: by the law or for lack of room */
};

/* Empty, with nothing counted, at time 0. */
AQM_INLINE void single_host_init(struct single_host *host, const struct single_host_params *params)
{
	*host = (struct single_host){0};
	if (params->law == SINGLE_HOST_PI2)
		aqm_pi2_init(&params->pi2, &host->law.pi2.vars, &host->law.pi2.stats);
	else if (params->law == SINGLE_HOST_PIE)
		aqm_pie_init(&params->pie, &host->law.pie.vars, &host->law.pie.stats);
	else if (params->law == SINGLE_HOST_CODEL)
		aqm_codel_init(&host->law.codel.vars);
	else
		aqm_red_init(&params->red, &host->law.red.vars, &host->law.red.stats);
}

/* `head`: the first packet, or NULL. */
AQM_INLINE void single_host_fill(const struct single_host *host,
				 const struct single_host_packet *head, uint64_t now_ns,
				 struct aqm_facts *facts)
{
	*facts = (struct aqm_facts){.now_ns = now_ns, .queue = AQM_QUEUE_C};
	if (host->backlog_pkts == 0)
		facts->idle_ns = now_ns - host->emptied_ns;
	if (head)
		facts->head_sojourn_ns[AQM_QUEUE_C] = now_ns - head->enqueued_ns;
	facts->backlog_bytes[AQM_QUEUE_C] = host->backlog_bytes;
	facts->backlog_pkts[AQM_QUEUE_C] = host->backlog_pkts;
	facts->total_pkts[AQM_QUEUE_C] = host->accepted_pkts;
	facts->total_bytes[AQM_QUEUE_C] = host->accepted_bytes;
	facts->total_drops[AQM_QUEUE_C] = host->drops;
}

AQM_INLINE void single_host_fill_packet(const struct single_host_packet *packet,
					struct aqm_facts *facts)
{
	facts->random = packet->random;
	facts->len_bytes = packet->len_bytes;
	facts->ecn = packet->ecn;
}

/* Where the law keeps the time of its next update; NULL: it has none. */
AQM_INLINE uint64_t *single_host_due_ns(const struct single_host_params *params,
					struct single_host *host)
{
	if (params->law == SINGLE_HOST_PI2)
		return &host->law.pi2.vars.update_due_ns;
	if (params->law == SINGLE_HOST_PIE)
		return &host->law.pie.vars.update_due_ns;
	return params->law == SINGLE_HOST_RED ? &host->law.red.vars.adapt_due_ns : NULL;
}

/* The law's update that is due, with the head's age as of that time. */
AQM_INLINE void single_host_tick(const struct single_host_params *params,
				 struct single_host *host, uint64_t qdelay_ns)
{
	if (params->law == SINGLE_HOST_PI2)
		aqm_pi2_update(&params->pi2, &host->law.pi2.vars, &host->law.pi2.stats, qdelay_ns);
	else if (params->law == SINGLE_HOST_PIE)
		aqm_pie_update(&params->pie, &host->law.pie.vars, &host->law.pie.stats, qdelay_ns);
	else
		aqm_red_adapt(&params->red, &host->law.red.vars);
}

/* Updates due at or before now_ns, at most `most` of them: the next one is then due after that. */
AQM_INLINE void single_host_run(const struct single_host_params *params, struct single_host *host,
				const struct single_host_packet *head, uint64_t now_ns,
				uint32_t most)
{
	uint64_t *due_ns = single_host_due_ns(params, host);

	if (due_ns == NULL)
		return;
	for (uint32_t i = 0; i < most && *due_ns <= now_ns; i++)
		single_host_tick(params, host, head ? *due_ns - head->enqueued_ns : 0);
	if (*due_ns <= now_ns)
		*due_ns = now_ns + 1;
}

/* The law's word on an arrival. */
AQM_INLINE enum aqm_verdict single_host_ask(const struct single_host_params *params,
					    struct single_host *host,
					    const struct aqm_facts *facts)
{
	if (params->law == SINGLE_HOST_PI2)
		return aqm_pi2_on_enqueue(&params->pi2, &host->law.pi2.vars, &host->law.pi2.stats,
					  facts);
	if (params->law == SINGLE_HOST_PIE)
		return aqm_pie_on_enqueue(&params->pie, &host->law.pie.vars, &host->law.pie.stats,
					  facts);
	if (params->law == SINGLE_HOST_RED)
		return aqm_red_on_enqueue(&params->red, &host->law.red.vars, &host->law.red.stats,
					  facts);
	return AQM_PASS;
}

/* What the host is to do, counted. */
AQM_INLINE enum aqm_verdict single_host_carry_out(struct single_host *host, uint8_t ecn,
						  enum aqm_verdict verdict)
{
	if (verdict == AQM_MARK && ecn == AQM_NOT_ECT)
		verdict = AQM_DROP;
	host->marks += verdict == AQM_MARK;
	host->drops += verdict == AQM_DROP;
	return verdict;
}

/* The line of a packet that was decided on, and does not count yet. */
AQM_INLINE void single_host_record(const struct single_host_params *params,
				   const struct single_host *host,
				   const struct aqm_facts *facts, enum aqm_verdict verdict,
				   struct aqm_record *record)
{
	*record = (struct aqm_record){.dequeue_action = aqm_record_action(verdict)};
	aqm_record_fill_host(facts, record);
	if (params->law == SINGLE_HOST_PI2)
		aqm_pi2_record(&params->pi2, &host->law.pi2.vars, facts, record);
	else if (params->law == SINGLE_HOST_PIE)
		aqm_pie_record(&params->pie, &host->law.pie.vars, record);
	else if (params->law == SINGLE_HOST_RED)
		aqm_red_record(&host->law.red.vars, facts, record);
	else
		aqm_codel_record(&params->codel, &host->law.codel.vars,
				 aqm_signal_share_q32(&host->law.codel.share,
						      host->law.codel.vars.dropping),
				 facts, record);
}

/*
 * A packet arrives; `full`: there is no room for it.  AQM_PASS and AQM_MARK: it goes to the end of
 * the queue, with CE if marked.  `record`: its line, or NULL.
 */
AQM_INLINE enum aqm_verdict single_host_arrive(const struct single_host_params *params,
					       struct single_host *host,
					       const struct single_host_packet *head,
					       struct single_host_packet *packet, bool full,
					       uint64_t now_ns, struct aqm_record *record)
{
	enum aqm_verdict verdict = AQM_DROP;
	struct aqm_facts facts;

	packet->enqueued_ns = now_ns;
	single_host_fill(host, head, now_ns, &facts);
	single_host_fill_packet(packet, &facts);
	if (!full)
		verdict = single_host_ask(params, host, &facts);
	else if (params->law == SINGLE_HOST_PIE)
		aqm_pie_on_overflow(&host->law.pie.vars);
	verdict = single_host_carry_out(host, packet->ecn, verdict);
	if (record)
		single_host_record(params, host, &facts, verdict, record);
	if (verdict == AQM_DROP)
		return verdict;
	host->backlog_pkts++;
	host->backlog_bytes += packet->len_bytes;
	host->accepted_pkts++;
	host->accepted_bytes += packet->len_bytes;
	return verdict;
}

/* What becomes of the packet that was taken out; `head`: the one that is first now, or NULL. */
AQM_INLINE enum aqm_verdict single_host_depart(const struct single_host_params *params,
					       struct single_host *host,
					       const struct single_host_packet *head,
					       const struct single_host_packet *packet,
					       uint64_t now_ns)
{
	enum aqm_verdict verdict;
	struct aqm_facts facts;

	host->backlog_pkts--;
	host->backlog_bytes -= packet->len_bytes;
	host->emptied_ns = now_ns;
	if (params->law != SINGLE_HOST_CODEL)
		return AQM_PASS;
	single_host_fill(host, head, now_ns, &facts);
	single_host_fill_packet(packet, &facts);
	facts.sojourn_ns = now_ns - packet->enqueued_ns;
	verdict = aqm_codel_on_dequeue(&params->codel, &host->law.codel.vars,
				       &host->law.codel.stats, &facts);
	aqm_signal_share_count(&host->law.codel.share, verdict);
	return single_host_carry_out(host, packet->ecn, verdict);
}

/* The link asked for a packet and there was none. */
AQM_INLINE void single_host_found_empty(const struct single_host_params *params,
					struct single_host *host)
{
	if (params->law == SINGLE_HOST_CODEL)
		aqm_codel_on_empty(&host->law.codel.vars);
}

#endif
