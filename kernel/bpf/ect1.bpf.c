/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ECT(0) becomes ECT(1) on the way out, for sockets whose congestion control needs ECN to work
 * (TCP_CONG_NEEDS_ECN: l4s_dctcp, the kernel's dctcp, Prague): those are the scalable ones, and
 * ECT(1) is how the network tells them (RFC 9331).  Everything else passes as it is.
 *
 *     tc qdisc add dev DEV clsact
 *     tc filter add dev DEV egress bpf direct-action obj ect1.bpf.o sec tc
 *
 * Reading the congestion control asks for a kernel with BTF, and for CAP_PERFMON.
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char license_text[] SEC("license") = "Dual BSD/GPL";

#define NEEDS_ECN 2
#define PASS -1 /* TC_ACT_UNSPEC: the filters behind this one are asked too */
#define ETHERTYPE_IP 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ECT0 2
#define ECT1 1
#define ECN_MASK 3

static bool is_scalable(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tcp;

	if (!sk)
		return false;
	tcp = bpf_skc_to_tcp_sock(sk);
	return tcp && tcp->inet_conn.icsk_ca_ops->flags & NEEDS_ECN;
}

/* Of the header at `at`; its checksum is at `checksum_at`, 0: it has none. */
static int set_ect1(struct __sk_buff *skb, u32 at, u32 checksum_at)
{
	u16 word, changed, flip = bpf_htons(ECT0 ^ ECT1);

	if (!checksum_at)
		flip = bpf_htons((ECT0 ^ ECT1) << 4);
	/* The field lies in the first 16 bits of both headers: IPv4's in the second byte, where a
	 * checksum sees its low half; IPv6's across the two.
	 */
	if (bpf_skb_load_bytes(skb, at, &word, sizeof(word)))
		return PASS;
	changed = word ^ flip;
	if (bpf_skb_store_bytes(skb, at, &changed, sizeof(changed), 0))
		return PASS;
	if (checksum_at)
		bpf_l3_csum_replace(skb, checksum_at, word, changed, sizeof(word));
	return PASS;
}

/* Where the IP header begins: behind Ethernet's, or at once on devices that have none (TUN). */
static u32 network_offset(struct __sk_buff *skb)
{
	u64 network[2], first[2];

	if (bpf_skb_load_bytes_relative(skb, 0, network, sizeof(network), BPF_HDR_START_NET) ||
	    bpf_skb_load_bytes(skb, 0, first, sizeof(first)))
		return sizeof(struct ethhdr);
	return network[0] == first[0] && network[1] == first[1] ? 0 : sizeof(struct ethhdr);
}

SEC("tc")
int ect1(struct __sk_buff *skb)
{
	u32 network;
	u16 word;

	if (!is_scalable(skb))
		return PASS;
	network = network_offset(skb);
	if (bpf_skb_load_bytes(skb, network, &word, sizeof(word)))
		return PASS;
	word = bpf_ntohs(word);
	if (skb->protocol == bpf_htons(ETHERTYPE_IP) && (word & ECN_MASK) == ECT0)
		return set_ect1(skb, network, network + 10);
	if (skb->protocol == bpf_htons(ETHERTYPE_IPV6) && (word >> 4 & ECN_MASK) == ECT0)
		return set_ect1(skb, network, 0);
	return PASS;
}
