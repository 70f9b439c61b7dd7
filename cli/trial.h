/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trials: every scenario under every arm (a law, or a policy on top of one) on
 * the same seeds.
 *
 * Runs are independent and go to all cores; results do not depend on how many.
 */
#ifndef CLI_TRIAL_H
#define CLI_TRIAL_H

#include "cli/closed_loop.h"

#define TRIAL_MAX_ARMS 32
#define TRIAL_NAME_BYTES 64

struct trial_arm {
	char name[TRIAL_NAME_BYTES]; /* as reports tell it */
	const char *law;             /* NULL: the scenario's own */
	const char *policy;          /* folder, or NULL: the law alone */
	uint64_t interval;
	double latency_ms;
	enum aqm_policy_choice choice;
	bool unguarded;
};

struct trial_run {
	struct sim_result result;
	struct aqm_policy_counts counts;
	struct policy_cost cost;     /* zero without a policy */
};

struct trial {
	struct scenario *scenarios;  /* owned */
	size_t scenario_count;
	struct trial_arm arms[TRIAL_MAX_ARMS];
	size_t arm_count;
	uint64_t first_seed, seeds;
	double bin_s;
	struct trial_run *runs;      /* (scenario, arm, seed); owned */
	void *context;
	/* After every run; calls come one at a time.  A true return stops the trial. */
	bool (*progress)(void *context, size_t done, size_t total);
};

/*
 * Reads a suite: a scenario file, a folder of them (in order of their names),
 * or the name of one that comes with the program.
 */
int trial_read_suite(struct trial *trial, const char *suite, struct error *error);

/* Runs everything on `threads` threads (0: one per core). */
int trial_run_all(struct trial *trial, unsigned threads, struct error *error);

const struct trial_run *trial_run_of(const struct trial *trial, size_t scenario, size_t arm,
				     size_t seed);
void trial_free(struct trial *trial);

#endif
