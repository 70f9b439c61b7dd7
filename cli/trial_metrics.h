/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures of a run, one number each.
 *
 * A figure for which a run has nothing (no packet of a class, no page, no flow
 * of one class to set beside the other) is NaN: it gives no value.
 */
#ifndef CLI_TRIAL_METRICS_H
#define CLI_TRIAL_METRICS_H

#include "policy/aqm_policy.h"
#include "sim/run.h"

/* X(metric, how it is read in a table, what it is) */
#define TRIAL_METRIC_TABLE(X)                                                                      \
	X(utilisation, "utilisation", "bytes sent over what the link could send")                  \
	X(qdelay_ms_mean, "queue delay, mean ms", "sojourn of packets that left, both queues")     \
	X(qdelay_ms_p50, "p50 ms", "")                                                             \
	X(qdelay_ms_p99, "p99 ms", "")                                                             \
	X(l_qdelay_ms_mean, "L mean ms", "of the L queue")                                         \
	X(l_qdelay_ms_p99, "L p99 ms", "")                                                         \
	X(c_qdelay_ms_mean, "C mean ms", "of the Classic queue, or of the only one")               \
	X(c_qdelay_ms_p99, "C p99 ms", "")                                                         \
	X(l4s_delay_ms_mean, "L4S mean ms", "sojourn of L4S packets in whatever queue")            \
	X(l4s_delay_ms_p99, "L4S p99 ms", "")                                                      \
	X(l4s_delay_ms_p99_9, "L4S p99.9 ms", "")                                                  \
	X(l4s_delay_ms_variation, "L4S p99 - p50 ms", "delay variation")                           \
	X(classic_delay_ms_mean, "Classic mean ms",                                                \
	  "sojourn of Classic packets in whatever queue")                                          \
	X(classic_delay_ms_p99, "Classic p99 ms", "")                                              \
	X(classic_delay_ms_p99_9, "Classic p99.9 ms", "")                                          \
	X(classic_delay_ms_variation, "Classic p99 - p50 ms", "delay variation")                   \
	X(drop_percent, "drops %", "of packets that arrived")                                      \
	X(mark_percent, "marks %", "")                                                             \
	X(goodput_mbps, "goodput Mbit/s", "of all flows")                                          \
	X(l4s_goodput_mbps, "L4S Mbit/s", "goodput of all L4S flows")                              \
	X(classic_goodput_mbps, "Classic Mbit/s", "goodput of all Classic flows")                  \
	X(imbalance, "imbalance",                                                                  \
	  "|ln| of the goodput of a long-lived L4S flow over a Classic one's")                     \
	X(unused_percent, "unused %", "of what the link could send")                               \
	X(jain, "Jain index", "fairness of the flows' goodput, 1 is equal")                        \
	X(rtt_ms_mean, "RTT mean ms", "of the flows' samples")                                     \
	X(page_ms_mean, "page ms", "time to load a web page")                                      \
	X(page_ms_p95, "page p95 ms", "mean of the users' 95th percentiles")                       \
	X(video_mbps, "video Mbit/s", "mean bit rate of segments that arrived")                    \
	X(video_stall_percent, "stalled %", "of the time from the first picture on")               \
	X(datagram_ms_p99, "datagram p99 ms", "one way: mean of the flows' 99th percentiles")      \
	X(datagram_jitter_ms, "jitter ms", "mean difference of delay of neighbours (RFC 3393)")    \
	X(guarded_percent, "guarded %", "of packets that a policy or student decided on")          \
	X(decisions, "asked", "packets put to the policy")                                         \
	X(late, "late", "decisions that came when the next was due")                               \
	X(overridden, "guarded", "verdicts that the guard replaced by the law's")                  \
	X(differed, "differed", "packets that fared otherwise than under the law")

enum trial_metric {
#define TRIAL_METRIC_ENUM(name, label, doc) TRIAL_##name,
	TRIAL_METRIC_TABLE(TRIAL_METRIC_ENUM)
#undef TRIAL_METRIC_ENUM
		TRIAL_METRICS
};

const char *trial_metric_name(enum trial_metric metric);
const char *trial_metric_label(enum trial_metric metric);

/*
 * Fills values (TRIAL_METRICS).  Imbalance is |ln(a / b)|, a and b being the
 * mean goodput of the long-lived L4S and Classic flows (sim/scenario.h); a class
 * that got nothing at all counts as one packet of 1500 bytes a flow, so that
 * starvation is a large number and not an absent one.
 */
void trial_metrics_take(double *values, const struct sim_result *result,
			const struct aqm_policy_counts *counts);

#endif
