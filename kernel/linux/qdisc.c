// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sch_aqmllm: DualPI2 (RFC 9332), or a learned student beside it, as a Linux qdisc.
 *
 * Two lists of packets, L and Classic, for kernel/dual_host.h: it says who is served next and what
 * becomes of a packet, with the very code of the user-space program.  Here are packets, the clock,
 * randomness, and what Linux wants of a qdisc: GSO packets cut up, backlogs told to parents, peek.
 *
 * The law's updates run when a packet comes or goes, each as of the time at which it was due, so
 * an idle qdisc costs nothing and a busy one needs no timer.
 */
#include "kernel/linux/qdisc.h"

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/skbuff.h>
#include <net/inet_ecn.h>
#include <net/pkt_sched.h>

#include "kernel/linux/compat.h"
#include "kernel/linux/uapi.h"

/* The ECN field, and the header where a mark can be set; everything but IP is Not-ECT. */
static u8 ecn_of(struct sk_buff *skb)
{
	const int network = skb_network_offset(skb);

	switch (skb_protocol(skb, true)) {
	case htons(ETH_P_IP):
		if (pskb_may_pull(skb, network + sizeof(struct iphdr)))
			return ipv4_get_dsfield(ip_hdr(skb)) & INET_ECN_MASK;
		break;
	case htons(ETH_P_IPV6):
		if (pskb_may_pull(skb, network + sizeof(struct ipv6hdr)))
			return ipv6_get_dsfield(ipv6_hdr(skb)) & INET_ECN_MASK;
		break;
	}
	return AQM_NOT_ECT;
}

/* From the network header on; never 0, which would mean that there is no packet. */
static u32 length_of(const struct sk_buff *skb)
{
	const int length = (int)skb->len - skb_network_offset(skb);

	return length > 0 ? length : 1;
}

static void describe(struct sk_buff *skb, unsigned int queue, struct dual_host_packet *packet)
{
	const struct aqmllm_cb *cb = aqmllm_cb(skb);

	*packet = (struct dual_host_packet){
		.enqueued_ns = cb->enqueued_ns,
		.random = cb->random,
		.len_bytes = length_of(skb),
		.cookie = cb->cookie,
		.ecn = ecn_of(skb),
		.queue = queue,
	};
}

void aqmllm_heads(const struct aqmllm *q, struct dual_host_heads *heads)
{
	unsigned int i;

	for (i = 0; i < AQM_QUEUES; i++) {
		const struct sk_buff *first = q->queue[i].head;

		heads->enqueued_ns[i] = first ? aqmllm_cb(first)->enqueued_ns : 0;
		heads->len_bytes[i] = first ? length_of(first) : 0;
	}
}

/* Updates due; returns the first packets, which every decision asks for. */
static struct aqmllm *run(struct Qdisc *sch, u64 now_ns, struct dual_host_heads *heads)
{
	struct aqmllm *q = qdisc_priv(sch);

	aqmllm_heads(q, heads);
	dual_host_run(&q->host, heads, now_ns, AQMLLM_MOST_UPDATES);
	return q;
}

int aqmllm_enqueue_at(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free,
		      u64 now_ns, u64 random)
{
	struct dual_host_heads heads;
	struct aqmllm *q = run(sch, now_ns, &heads);
	struct aqmllm_cb *cb = aqmllm_cb(skb);
	struct dual_host_packet packet;
	enum aqm_verdict verdict;

	cb->random = random;
	describe(skb, 0, &packet);
	verdict = dual_host_arrive(&q->host, &heads, &packet, now_ns);
	if (q->log)
		aqmllm_log_arrival(q->log, &q->host, &heads, &packet, verdict);
	cb->enqueued_ns = packet.enqueued_ns;
	cb->cookie = packet.cookie;
	if (verdict == AQM_DROP)
		return qdisc_drop(skb, sch, to_free);
	if (verdict == AQM_MARK)
		INET_ECN_set_ce(skb);
	__qdisc_enqueue_tail(skb, &q->queue[packet.queue]);
	sch->q.qlen++;
	qdisc_qstats_backlog_inc(sch, skb);
	return NET_XMIT_SUCCESS;
}

/* A super-packet as the packets that it stands for; parents have counted it as one. */
static int enqueue_segments(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free)
{
	const unsigned int whole = qdisc_pkt_len(skb);
	struct sk_buff *segment, *next, *segments;
	unsigned int bytes = 0, count = 0;

	segments = skb_gso_segment(skb, netif_skb_features(skb) & ~NETIF_F_GSO_MASK);
	if (IS_ERR_OR_NULL(segments))
		return qdisc_drop(skb, sch, to_free);
	skb_list_walk_safe(segments, segment, next) {
		unsigned int length;

		skb_mark_not_on_list(segment);
		/* Headers below the network's, as the parents counted them. */
		qdisc_skb_cb(segment)->pkt_len = segment->len;
		length = segment->len;
		if (aqmllm_enqueue_at(segment, sch, to_free, ktime_get_ns(), get_random_u64()) !=
		    NET_XMIT_SUCCESS)
			continue;
		bytes += length;
		count++;
	}
	consume_skb(skb);
	if (count == 0)
		return NET_XMIT_DROP;
	qdisc_tree_reduce_backlog(sch, 1 - (int)count, (int)whole - (int)bytes);
	return NET_XMIT_SUCCESS;
}

static int aqmllm_enqueue(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free)
{
	const struct aqmllm *q = qdisc_priv(sch);

	if (skb_is_gso(skb) && q->split_gso)
		return enqueue_segments(skb, sch, to_free);
	return aqmllm_enqueue_at(skb, sch, to_free, ktime_get_ns(), get_random_u64());
}

/* Takes the packet out of the statistics of the qdisc that holds it. */
static void forget(struct Qdisc *sch, const struct sk_buff *skb)
{
	sch->q.qlen--;
	qdisc_qstats_backlog_dec(sch, skb);
}

static void drop_late(struct Qdisc *sch, struct aqmllm *q, struct sk_buff *skb,
		      struct sk_buff **to_free)
{
	q->told_pkts++;
	q->told_bytes += qdisc_pkt_len(skb);
	qdisc_qstats_drop(sch);
	__qdisc_drop(skb, to_free);
}

/* Parents are told of drops on leaving; not of an empty qdisc, which some of them take ill. */
static void tell_parents(struct Qdisc *sch, struct aqmllm *q)
{
	if (q->told_pkts == 0 || sch->q.qlen == 0)
		return;
	qdisc_tree_reduce_backlog(sch, q->told_pkts, q->told_bytes);
	q->told_pkts = 0;
	q->told_bytes = 0;
}

/* One packet leaves its queue: sent, or dropped; *skb is NULL when there was none. */
static enum aqm_verdict take(struct Qdisc *sch, struct aqmllm *q, struct dual_host_heads *heads,
			     u64 now_ns, struct sk_buff **skb)
{
	const unsigned int queue = dual_host_take(&q->host, heads, now_ns);
	struct dual_host_packet packet;
	enum aqm_verdict verdict;

	*skb = NULL;
	if (queue >= AQM_QUEUES)
		return AQM_PASS;
	*skb = __qdisc_dequeue_head(&q->queue[queue]);
	forget(sch, *skb);
	aqmllm_heads(q, heads);
	describe(*skb, queue, &packet);
	verdict = dual_host_depart(&q->host, heads, &packet, now_ns);
	if (q->log)
		aqmllm_log_departure(q->log, queue, verdict);
	return verdict;
}

struct sk_buff *aqmllm_dequeue_at(struct Qdisc *sch, struct sk_buff **to_free, u64 now_ns)
{
	struct dual_host_heads heads;
	struct aqmllm *q = run(sch, now_ns, &heads);
	enum aqm_verdict verdict;
	struct sk_buff *skb;

	while ((verdict = take(sch, q, &heads, now_ns, &skb)) == AQM_DROP)
		drop_late(sch, q, skb, to_free);
	if (skb && verdict == AQM_MARK)
		INET_ECN_set_ce(skb);
	if (skb)
		qdisc_bstats_update(sch, skb);
	tell_parents(sch, q);
	return skb;
}

static struct sk_buff *aqmllm_dequeue(struct Qdisc *sch)
{
	struct sk_buff *to_free = NULL;
	struct sk_buff *skb = aqmllm_dequeue_at(sch, &to_free, ktime_get_ns());

	if (to_free)
		kfree_skb_list(to_free);
	return skb;
}

static void aqmllm_reset(struct Qdisc *sch)
{
	struct aqmllm *q = qdisc_priv(sch);
	unsigned int i;

	for (i = 0; i < AQM_QUEUES; i++) {
		__qdisc_reset_queue(&q->queue[i]);
		q->host.backlog_pkts[i] = 0;
		q->host.backlog_bytes[i] = 0;
	}
	sch->q.qlen = 0;
	sch->qstats.backlog = 0;
	q->told_pkts = 0;
	q->told_bytes = 0;
	if (q->log)
		aqmllm_log_clear(q->log);
	q->host.emptied_ns = ktime_get_ns();
	dual_host_start(&q->host, q->host.emptied_ns);
}

static void queue_stats(const struct aqmllm *q, const struct dual_host_heads *heads,
			unsigned int queue, struct aqmllm_queue_stats *stats)
{
	const struct dual_host_counts *counts = &q->host.counts[queue];

	*stats = (struct aqmllm_queue_stats){
		.arrived_pkts = counts->arrived_pkts,
		.arrived_bytes = counts->arrived_bytes,
		.left_pkts = counts->left_pkts,
		.left_bytes = counts->left_bytes,
		.marks = counts->marks,
		.drops = counts->drops,
		.overflows = counts->overflows,
		.backlog_pkts = q->host.backlog_pkts[queue],
		.backlog_bytes = q->host.backlog_bytes[queue],
		.delay_ns = dual_host_age_ns(heads, queue, ktime_get_ns()),
	};
}

/* Into `stats`, which is all zeros. */
static void law_stats(const struct aqmllm *q, struct aqmllm_stats *stats)
{
	const struct dual_host *host = &q->host;
	const bool student = dual_host_is_student(host);
	const struct aqm_dualpi2_params *now = dual_host_settings(host);
	const struct aqm_dualpi2_stats *law =
		student ? &host->law.student.stats.law : &host->law.pi2.stats;

	stats->p_q32 = dual_host_p_q32(host);
	stats->p_c_q32 = dual_host_chance_q32(host, AQM_QUEUE_C);
	stats->p_l_q32 = dual_host_chance_q32(host, AQM_QUEUE_L);
	stats->updates = law->updates;
	stats->step_marks = law->step_marks;
	stats->overload_packets = law->overload_packets;
	stats->target_ns = now->target_ns;
	stats->step_ns = now->step.threshold_ns;
	stats->k_q16 = now->k_q16;
	stats->alpha_q16 = now->alpha_q16;
	stats->beta_q16 = now->beta_q16;
	if (!student)
		return;
	stats->decisions = host->law.student.stats.decisions;
	stats->overridden = host->law.student.stats.overridden;
	stats->guard_open = aqm_guard_trusts(&host->law.student.vars.guard);
	stats->room_q16 = aqm_room_octaves(&host->law.student.vars.room, 16);
}

static int aqmllm_dump_stats(struct Qdisc *sch, struct gnet_dump *dump)
{
	struct aqmllm_stats stats = {};
	struct dual_host_heads heads;
	struct aqmllm *q;
	unsigned int i;

	sch_tree_lock(sch);
	q = run(sch, ktime_get_ns(), &heads);
	for (i = 0; i < AQM_QUEUES; i++)
		queue_stats(q, &heads, i, &stats.queue[i]);
	law_stats(q, &stats);
	sch_tree_unlock(sch);
	return gnet_stats_copy_app(dump, &stats, sizeof(stats));
}

struct Qdisc_ops aqmllm_qdisc_ops __read_mostly = {
	.id = "aqmllm",
	.priv_size = sizeof(struct aqmllm),
	.enqueue = aqmllm_enqueue,
	.dequeue = aqmllm_dequeue,
	.peek = qdisc_peek_dequeued,
	.init = aqmllm_init,
	.reset = aqmllm_reset,
	.destroy = aqmllm_destroy,
	.change = aqmllm_change,
	.dump = aqmllm_dump,
	.dump_stats = aqmllm_dump_stats,
	.owner = THIS_MODULE,
};
