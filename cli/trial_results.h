/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trial's runs as rows of results.
 */
#ifndef CLI_TRIAL_RESULTS_H
#define CLI_TRIAL_RESULTS_H

#include "cli/trial.h"
#include "report/results.h"

/* X(metric, how it is read in a table, what it is) */
#define TRIAL_METRIC_TABLE(X)                                                                      \
	X(utilisation, "utilisation", "bytes sent over what the link could send")                  \
	X(qdelay_ms_mean, "queue delay, mean ms", "sojourn of packets that left, both queues")     \
	X(qdelay_ms_p50, "p50 ms", "")                                                             \
	X(qdelay_ms_p99, "p99 ms", "")                                                             \
	X(l_qdelay_ms_mean, "L mean ms", "")                                                       \
	X(l_qdelay_ms_p99, "L p99 ms", "")                                                         \
	X(c_qdelay_ms_mean, "C mean ms", "")                                                       \
	X(c_qdelay_ms_p99, "C p99 ms", "")                                                         \
	X(drop_percent, "drops %", "of packets that arrived")                                      \
	X(mark_percent, "marks %", "")                                                             \
	X(goodput_mbps, "goodput Mbit/s", "of all flows")                                          \
	X(jain, "Jain index", "fairness of the flows' goodput, 1 is equal")                        \
	X(rtt_ms_mean, "RTT mean ms", "of the flows' samples")                                     \
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

/* Every metric of every run. */
int trial_results(const struct trial *trial, struct results *results, struct error *error);

#endif
