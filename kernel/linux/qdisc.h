/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside the module: what a qdisc holds, and what its files have for each other.
 */
#ifndef AQMLLM_QDISC_H
#define AQMLLM_QDISC_H

#include <net/sch_generic.h>

#include "kernel/dual_host.h"
#include "kernel/linux/log.h"

/*
 * Catching up after a time without packets: 8 s of updates at 16 ms.  A probability has gone to 0
 * by then, and the lock is held for a millisecond or so.
 */
#define AQMLLM_MOST_UPDATES 512

/* Everything under the qdisc's root lock. */
struct aqmllm {
	struct dual_host host;
	struct qdisc_skb_head queue[AQM_QUEUES]; /* lists only: their locks are not used */
	struct aqm_student_model *model;         /* own one, or NULL: the module's */
	u64 model_checksum;
	bool split_gso;
	struct aqmllm_log *log; /* NULL: nothing is logged */
	/* Dropped on leaving, to be told to the parents once the qdisc is not empty. */
	u32 told_pkts, told_bytes;
};

/* Bytes of a packet's control block; QDISC_CB_PRIV_LEN is all that there is. */
struct aqmllm_cb {
	u64 enqueued_ns;
	u64 random;
	u32 cookie;
} __packed __aligned(4);

static inline struct aqmllm_cb *aqmllm_cb(const struct sk_buff *skb)
{
	qdisc_cb_private_validate(skb, sizeof(struct aqmllm_cb));
	return (struct aqmllm_cb *)qdisc_skb_cb(skb)->data;
}

/* The module's own model. */
const struct aqm_student_model *aqmllm_shipped_model(void);

/* First packets of both queues. */
void aqmllm_heads(const struct aqmllm *q, struct dual_host_heads *heads);

/*
 * A packet arrives at now_ns with these random bits; takes it in any case.  NET_XMIT_SUCCESS, or
 * NET_XMIT_DROP with the packet on *to_free.
 */
int aqmllm_enqueue_at(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free,
		      u64 now_ns, u64 random);

/* The packet to send, or NULL; those dropped before it are put on *to_free, the last one first. */
struct sk_buff *aqmllm_dequeue_at(struct Qdisc *sch, struct sk_buff **to_free, u64 now_ns);

/* options.c */
int aqmllm_init(struct Qdisc *sch, struct nlattr *options, struct netlink_ext_ack *extack);
int aqmllm_change(struct Qdisc *sch, struct nlattr *options, struct netlink_ext_ack *extack);
int aqmllm_dump(struct Qdisc *sch, struct sk_buff *skb);
void aqmllm_destroy(struct Qdisc *sch);

extern struct Qdisc_ops aqmllm_qdisc_ops;

#endif
