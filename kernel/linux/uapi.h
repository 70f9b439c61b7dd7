/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What tc and the qdisc say to each other in TCA_OPTIONS and TCA_STATS_APP.
 *
 * Every option is an attribute of 64 bits in the unit that the law holds it in: ns, Q16, a count.
 */
#ifndef AQMLLM_UAPI_H
#define AQMLLM_UAPI_H

#include <linux/types.h>

#define AQMLLM_MODEL_MAX 32768 /* bytes of an *.aqms file */

/*
 * X(ATTRIBUTE, name, kind, member, least, most, text): options whose values are the law's own.
 * kind: MS, ns told in ms; GAIN, 16 fraction bits; COUNT; SWITCH, 0 or 1; WORD, an index of
 * AQMLLM_SCHEDULERS.  member: of struct dual_host_params.  Names are those of --set.
 */
#define AQMLLM_OPTIONS(X)                                                                          \
	X(TARGET, target_ms, MS, own.base.target_ns, 10000, 4000000000ULL,                         \
	  "Classic queue delay aimed at")                                                          \
	X(TUPDATE, tupdate_ms, MS, own.base.tupdate_ns, 100000, 4000000000ULL,                     \
	  "time between updates of the base probability")                                          \
	X(ALPHA, alpha, GAIN, own.base.alpha_q16, 0, 4194304, "integral gain, per second")         \
	X(BETA, beta, GAIN, own.base.beta_q16, 0, 4194304, "proportional gain, per second")        \
	X(K, k, GAIN, own.base.k_q16, 4096, 4194304, "coupling factor")                            \
	X(STEP, step_ms, MS, own.base.step.threshold_ns, 0, 4000000000ULL,                         \
	  "sojourn above which L packets are marked")                                              \
	X(MIN_QLEN_STEP, min_qlen_step, COUNT, own.base.step.min_qlen_pkts, 0, 1000000,            \
	  "packets L must have held at arrival for the step to mark")                              \
	X(C_PROTECTION, c_protection_percent, COUNT, own.scheduler.wrr.c_percent, 1, 99,           \
	  "wrr: share of the link kept for Classic")                                               \
	X(LIMIT, limit_packets, COUNT, own.limit_pkts, 1, 1000000,                                 \
	  "packets both queues together have room for")                                            \
	X(MTU, mtu_bytes, COUNT, own.base.mtu_bytes, 64, 65535,                                    \
	  "longest packet: scale of the scheduler and of the two-packet rule")                     \
	X(DROP_EARLY, drop_early, SWITCH, own.base.drop_early, 0, 1,                               \
	  "decide at enqueue instead of dequeue")                                                  \
	X(DROP_OVERLOAD, drop_overload, SWITCH, own.base.drop_overload, 0, 1,                      \
	  "drop on overload instead of capping the probability")                                   \
	X(SCHEDULER, scheduler, WORD, own.scheduler.kind, 0, 1, "who is served next: wrr or tsf")  \
	X(TSHIFT, tshift_ms, MS, own.scheduler.tshift_ns, 0, 4000000000ULL,                        \
	  "tsf: head start of L over Classic")                                                     \
	X(GUARD, guard, SWITCH, own.guarded, 0, 1, "student: keep it near the law")                \
	X(PAUSES, pauses, GAIN, own.pauses_q16, 0, 262144,                                         \
	  "student: least step, in pauses of a link that takes batches")

/* Words, by their index. */
#define AQMLLM_LAWS {"dualpi2", "student"}
#define AQMLLM_PROFILES {"linux", "rfc9332"}
#define AQMLLM_SCHEDULERS {"wrr", "tsf"}

#define AQMLLM_ATTRIBUTE(attribute, name, kind, member, least, most, text)                         \
	AQMLLM_ATTR_##attribute,
enum aqmllm_attribute {
	AQMLLM_ATTR_UNSPEC,
	AQMLLM_ATTR_PAD,
	AQMLLM_ATTR_LAW,       /* set first: 0 dualpi2, 1 student; another one starts anew */
	AQMLLM_ATTR_PROFILE,   /* set next: the defaults of Linux's sch_dualpi2, or of RFC 9332 */
	AQMLLM_ATTR_SPLIT_GSO, /* 1: super-packets are cut up on arrival */
	AQMLLM_ATTR_LOG,       /* 1: the tracepoint aqmllm:aqmllm_packet has a line a packet */
	AQMLLM_ATTR_MODEL,     /* an *.aqms file; empty: the model that the module carries */
	AQMLLM_ATTR_CHECKSUM,  /* dumped: that of the model's file, 0 the module's own */
	AQMLLM_OPTIONS(AQMLLM_ATTRIBUTE) AQMLLM_ATTR_COUNT,
};
#undef AQMLLM_ATTRIBUTE
#define AQMLLM_ATTR_MAX (AQMLLM_ATTR_COUNT - 1)
#define AQMLLM_ATTR_FIRST_OPTION AQMLLM_ATTR_TARGET

/* X(name): of each queue since the qdisc was made; backlog, and its first packet's age, now */
#define AQMLLM_QUEUE_STATS(X)                                                                      \
	X(arrived_pkts)                                                                            \
	X(arrived_bytes)                                                                           \
	X(left_pkts)                                                                               \
	X(left_bytes)                                                                              \
	X(marks)                                                                                   \
	X(drops)                                                                                   \
	X(overflows)                                                                               \
	X(backlog_pkts)                                                                            \
	X(backlog_bytes)                                                                           \
	X(delay_ns)

/*
 * X(name): of the law.  Probabilities have 32 fraction bits, k, gains and room 16; settings are
 * those in force.  Of a student: `decisions` of the network; `overridden`, packets that got the
 * law's verdict in the place of the network's, or left under settings that the guard had cut;
 * `guard_open`, it lets the network's verdicts through; `room`, octaves that it leaves settings
 * (aqm/room.h).
 */
#define AQMLLM_LAW_STATS(X)                                                                        \
	X(p_q32)                                                                                   \
	X(p_c_q32)                                                                                 \
	X(p_l_q32)                                                                                 \
	X(updates)                                                                                 \
	X(step_marks)                                                                              \
	X(overload_packets)                                                                        \
	X(target_ns)                                                                               \
	X(step_ns)                                                                                 \
	X(k_q16)                                                                                   \
	X(alpha_q16)                                                                               \
	X(beta_q16)                                                                                \
	X(decisions)                                                                               \
	X(overridden)                                                                              \
	X(guard_open)                                                                              \
	X(room_q16)

#define AQMLLM_STAT(name) __u64 name;
struct aqmllm_queue_stats {
	AQMLLM_QUEUE_STATS(AQMLLM_STAT)
};

struct aqmllm_stats {
	struct aqmllm_queue_stats queue[2]; /* 0 Classic, 1 L4S */
	AQMLLM_LAW_STATS(AQMLLM_STAT)
};
#undef AQMLLM_STAT

#endif
