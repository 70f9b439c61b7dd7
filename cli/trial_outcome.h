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
#include "cli/trial_metrics.h"
#include "learn/objective.h"

#define TRIAL_BIN_S 0.5 /* of courses over time */

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
	struct policy_cost cost;	  /* zero without a policy */
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
