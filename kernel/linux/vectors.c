// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A qdisc on the loopback device that no packet of the system ever sees; its clock and randomness
 * are the vectors'.
 */
#include "kernel/linux/vectors.h"

#include <linux/ip.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/pkt_sched.h>

#include "kernel/linux/qdisc.h"

#define CASE_NAME(name, law, settings) #name,
const char *const aqmllm_vectors_names[VECTORS_END] = {
	VECTORS_CASES(CASE_NAME) VECTORS_SINGLE_CASES(CASE_NAME)};
#undef CASE_NAME

/* One run; what a packet's random bits were is in its control block. */
struct run {
	struct vectors vectors;
	struct Qdisc *sch;
	bool wrong; /* a header was not as it should be */
};

static struct aqmllm *qdisc_of(const struct run *run)
{
	return qdisc_priv(run->sch);
}

/* The DSCP, which has to stay, tells which queue a packet went to, marked or not. */
#define DSCP_CLASSIC 0xb8
#define DSCP_L4S 0x88
#define DSCP_MASK 0xfc

static unsigned int queue_of(const struct sk_buff *skb)
{
	return (ip_hdr(skb)->tos & DSCP_MASK) == DSCP_L4S ? AQM_QUEUE_L : AQM_QUEUE_C;
}

static struct sk_buff *packet_of(const struct vectors_op *op)
{
	struct sk_buff *skb = alloc_skb(op->len_bytes + 32, GFP_KERNEL);
	struct iphdr *header;

	if (!skb)
		return NULL;
	skb_reset_network_header(skb);
	header = skb_put_zero(skb, op->len_bytes);
	header->version = 4;
	header->ihl = 5;
	header->tos = op->ecn;
	header->tos |= aqm_dual_classify(op->ecn) == AQM_QUEUE_L ? DSCP_L4S : DSCP_CLASSIC;
	header->tot_len = htons(op->len_bytes);
	ip_send_check(header);
	skb->protocol = htons(ETH_P_IP);
	qdisc_skb_cb(skb)->pkt_len = skb->len;
	return skb;
}

/* Is the header whole, and does it carry CE where it should? */
static void look(struct run *run, const struct sk_buff *skb, bool marked)
{
	const struct iphdr *header = ip_hdr(skb);

	const unsigned int dscp = header->tos & DSCP_MASK;

	if (ip_fast_csum((const u8 *)header, header->ihl) != 0 ||
	    (dscp != DSCP_CLASSIC && dscp != DSCP_L4S) || (marked && (header->tos & 3) != 3))
		run->wrong = true;
}

static u64 marks_of(const struct run *run)
{
	const struct dual_host_counts *counts = qdisc_of(run)->host.counts;

	return counts[0].marks + counts[1].marks;
}

static int arrive(struct run *run, const struct vectors_op *op)
{
	struct sk_buff *skb = packet_of(op), *to_free = NULL;
	const unsigned int queue = aqm_dual_classify(op->ecn);
	const u64 marks = marks_of(run);
	enum aqm_verdict verdict = AQM_DROP;

	if (!skb)
		return -ENOMEM;
	if (aqmllm_enqueue_at(skb, run->sch, &to_free, op->at_ns, op->random) == NET_XMIT_SUCCESS)
		verdict = marks_of(run) != marks ? AQM_MARK : AQM_PASS;
	vectors_told(&run->vectors, op->random, queue, verdict);
	kfree_skb_list(to_free);
	return 0;
}

/* Dropped on leaving: told in their order, which is the list's from behind. */
static void tell_dropped(struct run *run, struct sk_buff *list)
{
	struct sk_buff *skb, *next, *forwards = NULL;

	for (skb = list; skb; skb = next) {
		next = skb->next;
		skb->next = forwards;
		forwards = skb;
	}
	for (skb = forwards; skb; skb = skb->next)
		vectors_told(&run->vectors, aqmllm_cb(skb)->random,
			     queue_of(skb), AQM_DROP);
	kfree_skb_list(forwards);
}

static void depart(struct run *run, u64 now_ns)
{
	const u64 marks = marks_of(run);
	struct sk_buff *to_free = NULL;
	struct sk_buff *skb = aqmllm_dequeue_at(run->sch, &to_free, now_ns);
	const bool marked = marks_of(run) != marks;

	tell_dropped(run, to_free);
	if (!skb) {
		vectors_told_empty(&run->vectors);
		return;
	}
	look(run, skb, marked);
	vectors_told(&run->vectors, aqmllm_cb(skb)->random, queue_of(skb),
		     marked ? AQM_MARK : AQM_PASS);
	kfree_skb(skb);
}

static int go_through(struct run *run, u64 packets)
{
	while (run->vectors.arrivals < packets) {
		struct vectors_op op;
		int status = 0;

		vectors_next(&run->vectors, &op);
		local_bh_disable();
		if (op.kind == VECTORS_ARRIVAL)
			status = arrive(run, &op);
		else
			depart(run, op.at_ns);
		local_bh_enable();
		if (status)
			return status;
		cond_resched();
	}
	return run->wrong ? -EBADMSG : 0;
}

/* The case's parameters in the place of the options'. */
static int set_case(struct run *run, u32 which, bool logged)
{
	struct aqmllm *q = qdisc_of(run);
	struct dual_host_params params;

	vectors_params(which, &params);
	params.own.model = aqmllm_shipped_model();
	if (params.law == DUAL_HOST_STUDENT && which != VECTORS_shipped) {
		q->model = kvzalloc(sizeof(*q->model), GFP_KERNEL);
		if (!q->model)
			return -ENOMEM;
		vectors_model(which, q->model);
		params.own.model = q->model;
	}
	dual_host_init(&q->host, &params, 0);
	q->log = logged ? aqmllm_log_new(params.own.limit_pkts, "vectors") : NULL;
	return 0;
}

static int run_single(u32 which, u64 packets, u64 seed, u64 *sum)
{
	struct vectors_single *bench = kvzalloc(sizeof(*bench), GFP_KERNEL);

	if (!bench)
		return -ENOMEM;
	vectors_single_init(bench, seed, which);
	while (bench->vectors.arrivals < packets || bench->busy) {
		vectors_single_step(bench);
		cond_resched();
	}
	*sum = vectors_close(&bench->vectors, 0);
	kvfree(bench);
	return 0;
}

static int run_pair(u32 which, u64 packets, u64 seed, bool logged, u64 *sum)
{
	struct run *run = kvzalloc(sizeof(*run), GFP_KERNEL);
	int status = -ENOMEM;

	if (!run)
		return status;
	rtnl_lock();
	run->sch = qdisc_create_dflt(netdev_get_tx_queue(init_net.loopback_dev, 0),
				     &aqmllm_qdisc_ops, 0, NULL);
	if (run->sch)
		status = set_case(run, which, logged);
	if (!status) {
		vectors_init(&run->vectors, seed);
		status = go_through(run, packets);
		*sum = vectors_close(&run->vectors, dual_host_p_q32(&qdisc_of(run)->host));
		while (run->sch->q.qlen) /* so that every packet's log line is there */
			depart(run, run->vectors.turn_ns);
	}
	if (run->sch)
		qdisc_put(run->sch);
	rtnl_unlock();
	kvfree(run);
	return status;
}

int aqmllm_vectors_run(u32 which, u64 packets, u64 seed, bool logged, u64 *sum)
{
	return vectors_is_single(which) ? run_single(which, packets, seed, sum)
					: run_pair(which, packets, seed, logged, sum);
}
