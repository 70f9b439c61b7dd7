/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * l4s_dctcp: a congestion control with DCTCP's answer to marks (RFC 8257), as a BPF struct_ops
 * program, for kernels that have BTF and no scalable congestion control of their own.
 *
 * Once a window's worth of data, of what was acknowledged since: alpha moves by 1/16 of the way to
 * the share of it that was marked; on the first ECN echo of a round trip the kernel asks for a new
 * threshold, which is cwnd (1 - alpha / 2).  A receiver tells of every change of the CE mark at
 * once, with an acknowledgement for what came before (section 3.2), so that shares are exact with
 * classic feedback.  Loss halves the window (section 3.5).  Senders pace (RFC 9331 section 4.3).
 *
 * It needs ECN at both ends, and this congestion control at both: the receiver's half of the
 * feedback is here too.  Its packets carry ECT(0); ect1.bpf.c makes them L4S.
 *
 * Register:    bpftool struct_ops register dctcp.bpf.o
 * Unregister:  bpftool struct_ops unregister name l4s_dctcp
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char license_text[] SEC("license") = "Dual BSD/GPL";

/* Of the kernel's headers; BTF has no macros. */
#define ACK_NOW 0x10            /* ICSK_ACK_NOW */
#define ACK_DELAYED 0x02        /* ICSK_ACK_TIMER: an acknowledgement is held back */
#define DEMAND_CWR 4            /* TCP_ECN_DEMAND_CWR: echo CE */
#define ANYONE 1                /* TCP_CONG_NON_RESTRICTED: network namespaces may default to it */
#define NEEDS_ECN 2             /* TCP_CONG_NEEDS_ECN */
#define PACING_NEEDED 1         /* SK_PACING_NEEDED */
#define CWND_MIN 2U

#define ALPHA_ONE 1024U         /* alpha has 10 fraction bits */
#define GAIN_SHIFT 4            /* g = 1/16 */

struct dctcp {
	u32 alpha;
	u32 window_end;       /* the round is over when this is acknowledged */
	u32 delivered, marked; /* of the connection, when the round began */
	u32 received;         /* rcv_nxt when the CE state last changed */
	u32 ce;               /* the last data packet carried CE */
	u32 loss_cwnd;        /* before the last loss */
};

static struct tcp_sock *tcp_of(const struct sock *sk)
{
	return (struct tcp_sock *)sk;
}

static struct inet_connection_sock *connection_of(const struct sock *sk)
{
	return (struct inet_connection_sock *)sk;
}

static struct dctcp *state_of(const struct sock *sk)
{
	return (struct dctcp *)connection_of(sk)->icsk_ca_priv;
}

static void round_begins(const struct tcp_sock *tp, struct dctcp *ca)
{
	ca->window_end = tp->snd_nxt;
	ca->delivered = tp->delivered;
	ca->marked = tp->delivered_ce;
}

SEC("struct_ops")
void BPF_PROG(l4s_dctcp_init, struct sock *sk)
{
	const struct tcp_sock *tp = tcp_of(sk);
	struct dctcp *ca = state_of(sk);

	ca->alpha = ALPHA_ONE; /* cautious at first: RFC 8257 section 3.3 */
	ca->received = tp->rcv_nxt;
	ca->ce = 0;
	ca->loss_cwnd = 0;
	round_begins(tp, ca);
	sk->sk_pacing_status = PACING_NEEDED;
}

SEC("struct_ops")
__u32 BPF_PROG(l4s_dctcp_ssthresh, struct sock *sk)
{
	const struct tcp_sock *tp = tcp_of(sk);
	struct dctcp *ca = state_of(sk);
	/* cwnd x alpha / 2, rounded to nearest: a small window rounded down never answers */
	const u32 less = (tp->snd_cwnd * ca->alpha + ALPHA_ONE) / (2 * ALPHA_ONE);

	ca->loss_cwnd = tp->snd_cwnd;
	return tp->snd_cwnd > less + CWND_MIN ? tp->snd_cwnd - less : CWND_MIN;
}

/* Acknowledged: at the end of a round alpha learns what share was marked. */
SEC("struct_ops")
void BPF_PROG(l4s_dctcp_in_ack_event, struct sock *sk, __u32 flags)
{
	const struct tcp_sock *tp = tcp_of(sk);
	struct dctcp *ca = state_of(sk);
	u32 delivered, marked, share;

	if ((int)(tp->snd_una - ca->window_end) < 0)
		return;
	delivered = tp->delivered - ca->delivered;
	marked = tp->delivered_ce - ca->marked;
	round_begins(tp, ca);
	if (delivered == 0)
		return;
	if (marked > delivered)
		marked = delivered;
	share = (u32)(((u64)marked << (10 - GAIN_SHIFT)) / delivered);
	/* What is left of alpha below 1/16 would never go: take it in one step. */
	ca->alpha -= ca->alpha >> GAIN_SHIFT ? ca->alpha >> GAIN_SHIFT : ca->alpha;
	ca->alpha += share;
	if (ca->alpha > ALPHA_ONE)
		ca->alpha = ALPHA_ONE;
}

/* Loss is loss: half the window, once. */
static void answer_loss(struct sock *sk)
{
	struct tcp_sock *tp = tcp_of(sk);

	state_of(sk)->loss_cwnd = tp->snd_cwnd;
	tp->snd_ssthresh = tp->snd_cwnd > 2 * CWND_MIN ? tp->snd_cwnd / 2 : CWND_MIN;
}

/* The CE mark of arriving data changed: acknowledge what came before under the old one, now. */
static void tell_change(struct sock *sk, u32 ce)
{
	struct inet_connection_sock *icsk = connection_of(sk);
	struct tcp_sock *tp = tcp_of(sk);
	struct dctcp *ca = state_of(sk);

	if (ca->ce != ce) {
		if (icsk->icsk_ack.pending & ACK_DELAYED) {
			if (ca->ce)
				tp->ecn_flags |= DEMAND_CWR;
			else
				tp->ecn_flags &= ~DEMAND_CWR;
			bpf_tcp_send_ack(tp, ca->received);
		}
		icsk->icsk_ack.pending |= ACK_NOW;
	}
	ca->received = tp->rcv_nxt;
	ca->ce = ce;
	if (ce)
		tp->ecn_flags |= DEMAND_CWR;
	else
		tp->ecn_flags &= ~DEMAND_CWR;
}

SEC("struct_ops")
void BPF_PROG(l4s_dctcp_cwnd_event, struct sock *sk, enum tcp_ca_event event)
{
	if (event == CA_EVENT_LOSS)
		answer_loss(sk);
	else if (event == CA_EVENT_ECN_IS_CE || event == CA_EVENT_ECN_NO_CE)
		tell_change(sk, event == CA_EVENT_ECN_IS_CE);
}

SEC("struct_ops")
void BPF_PROG(l4s_dctcp_set_state, struct sock *sk, __u8 new_state)
{
	/* The kernel asked for DCTCP's threshold on entering recovery; a loss asks for more. */
	if (new_state == TCP_CA_Recovery && new_state != connection_of(sk)->icsk_ca_state)
		answer_loss(sk);
}

SEC("struct_ops")
__u32 BPF_PROG(l4s_dctcp_undo_cwnd, struct sock *sk)
{
	const u32 before = state_of(sk)->loss_cwnd, now = tcp_of(sk)->snd_cwnd;

	return before > now ? before : now;
}

/* Growth is Reno's. */
extern void tcp_reno_cong_avoid(struct sock *sk, u32 ack, u32 acked) __ksym;

SEC("struct_ops")
void BPF_PROG(l4s_dctcp_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
	tcp_reno_cong_avoid(sk, ack, acked);
}

SEC(".struct_ops")
struct tcp_congestion_ops l4s_dctcp = {
	.init = (void *)l4s_dctcp_init,
	.ssthresh = (void *)l4s_dctcp_ssthresh,
	.cong_avoid = (void *)l4s_dctcp_cong_avoid,
	.in_ack_event = (void *)l4s_dctcp_in_ack_event,
	.cwnd_event = (void *)l4s_dctcp_cwnd_event,
	.set_state = (void *)l4s_dctcp_set_state,
	.undo_cwnd = (void *)l4s_dctcp_undo_cwnd,
	.flags = ANYONE | NEEDS_ECN,
	.name = "l4s_dctcp",
};
