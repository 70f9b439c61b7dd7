/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Marks from a virtual queue, as a tc program at an egress: for machines where no module may be
 * loaded.  DualPI2 or a student over kernel/virtual_queue.h; `vqueue` (vqueue.c) loads it, sets it
 * up and reads it.
 *
 * One processor at a time works on the queue; a packet that finds another one at it passes as it
 * is, and is counted.  An update or a departure that was due and could not be made within
 * STEPS_A_PACKET is left to the next packet; updates missed beyond that are left out.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define AQM_STUDENT_OWN "kernel/bpf/student_own.h"
#include "kernel/bpf/vqueue.h"

char license_text[] SEC("license") = "Dual BSD/GPL";

struct vqueue vqueue SEC(".data.vqueue");

#define STEPS_A_PACKET 128

static long step(uint32_t i, void *context)
{
	(void)i;
	(void)context;
	return virtual_queue_step(&vqueue.queue, vqueue.now_ns) ? 0 : 1;
}

/* The ECN field of an IP packet; anything else is Not-ECT. */
static uint8_t ecn_of(struct __sk_buff *skb)
{
	unsigned char first[2];

	if (bpf_skb_load_bytes_relative(skb, 0, first, sizeof(first), BPF_HDR_START_NET))
		return AQM_NOT_ECT;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return first[1] & 3;
	return skb->protocol == bpf_htons(ETH_P_IPV6) ? first[1] >> 4 & 3 : AQM_NOT_ECT;
}

static enum aqm_verdict decide(struct __sk_buff *skb)
{
	struct dual_host_packet packet = {
		.random = (uint64_t)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32(),
		.len_bytes = skb->len > vqueue.link_bytes ? skb->len - vqueue.link_bytes : 1,
		.ecn = ecn_of(skb),
	};

	vqueue.now_ns = bpf_ktime_get_ns();
	bpf_loop(STEPS_A_PACKET, step, NULL, 0);
	dual_host_skip(&vqueue.queue.host, vqueue.now_ns);
	return virtual_queue_arrive(&vqueue.queue, &packet, vqueue.now_ns);
}

SEC("tc")
int vqueue_mark(struct __sk_buff *skb)
{
	enum aqm_verdict verdict;

	if (__sync_lock_test_and_set(&vqueue.busy, 1)) {
		__sync_fetch_and_add(&vqueue.passed_by, 1);
		return TC_ACT_UNSPEC;
	}
	verdict = decide(skb);
	__sync_lock_test_and_set(&vqueue.busy, 0);
	if (verdict == AQM_MARK)
		bpf_skb_ecn_set_ce(skb);
	/* Filters behind this one are asked too. */
	return verdict == AQM_DROP ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}
