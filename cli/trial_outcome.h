/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of a run: its figures, its delays, its course over time.
 *
 * A run's whole result is large; a sweep has thousands of runs.  An outcome is
 * a few kilobytes, becomes bytes for a file or another machine, and comes back
 * from them bit for bit.
 */
#ifndef CLI_TRIAL_OUTCOME_H
#define CLI_TRIAL_OUTCOME_H

#include "base/digest.h"
#include "learn/objective.h"
#include "policy/aqm_policy.h"
#include "sim/run.h"

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

/* A histogram's filled buckets. */
struct trial_delays {
	uint64_t count, max;
	double sum;
	uint64_t used;
	uint32_t *bucket;  /* (used), ascending; owned */
	uint64_t *packets; /* (used); owned */
};

struct trial_outcome {
	double values[TRIAL_METRICS];
	struct objective_figures figures; /* what rewards read */
	struct policy_cost cost; /* zero without a policy */
	double warmup_s, bin_s;
	uint64_t bin_count;
	double *qdelay_ms;	       /* (bin_count): mean of both queues; owned */
	double *utilisation;	       /* (bin_count); owned */
	struct trial_delays qdelay_ns; /* of both queues, after warm-up */
};

/* Keeps what reports need of a result.  ERR_NO_MEMORY: `outcome` is then zero. */
int trial_outcome_keep(struct trial_outcome *outcome, const struct sim_result *result,
		       const struct aqm_policy_counts *counts, const struct policy_cost *cost);
void trial_outcome_free(struct trial_outcome *outcome);

/* Adds an outcome's delays to a histogram. */
void trial_delays_merge(struct histogram *into, const struct trial_delays *delays);

/*
 * An outcome as bytes (malloc'd, the caller frees) that say which run they are
 * (`key`) and end in their own digest.  ERR_NO_MEMORY.
 */
int trial_outcome_write(const struct trial_outcome *outcome, const unsigned char *key, char **bytes,
			size_t *size);

/* Back again.  ERR_INVALID when the bytes are of another run, cut or damaged. */
int trial_outcome_read(struct trial_outcome *outcome, const unsigned char *key, const char *bytes,
		       size_t size);

#endif
