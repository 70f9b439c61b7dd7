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
#include "cli/trial_outcome.h"
#include "policy/student_model.h"

#define TRIAL_MAX_ARMS 512
#define TRIAL_NAME_BYTES 512

struct trial_arm {
	char name[TRIAL_NAME_BYTES]; /* as reports tell it */
	const char *law;	     /* NULL: the scenario's own */
	const char *settings;	     /* of the law: "NAME=VALUE:NAME=VALUE"; NULL: none */
	bool plain;		     /* what the scenario says of this law does not hold */
	const char *policy;	     /* folder, or NULL: the law alone */
	const char *label;	     /* of the policy, in names and figures: cli/policy_label.h */
	bool student;		     /* `policy` is a student (policy/student_file.h) */
	struct policy_manner manner; /* of the policy */
	const char *device;	     /* where its backbone computes; NULL: cpu */
	uint64_t interval;
	double latency_ms;
	enum aqm_policy_choice choice;
	bool unguarded;
};

/* A text that arms point into. */
struct trial_text {
	struct trial_text *next;
	char text[];
};

/* What a run is a function of, as one digest. */
struct trial_key {
	unsigned char bytes[DIGEST_BYTES];
};

/* One run of a trial. */
struct trial_job {
	const struct scenario *scenario;
	const struct trial_arm *arm;
	uint64_t seed;
};

/* What is otherwise than a sampled suite has it; 0: nothing. */
struct trial_sampling {
	double duration_s, warmup_s; /* both or none */
	double most_mbps;
};

struct trial {
	struct trial_sampling sampling;
	struct scenario *scenarios; /* owned */
	size_t scenario_count;
	bool sampled; /* the scenarios are a sampled suite's, by its name */
	struct trial_arm arms[TRIAL_MAX_ARMS];
	size_t arm_count;
	struct trial_text *texts; /* owned: trial_keep_text() */
	uint64_t first_seed, seeds;
	double bin_s;
	struct trial_key *keys;		/* (scenario, arm, seed): trial_keys(); owned */
	const char *folder;		/* that keeps finished runs, in its runs/ */
	const bool *wanted;		/* (scenario, arm, seed): what to run; NULL: all */
	struct trial_outcome *outcomes; /* (scenario, arm, seed); owned */
	size_t kept;			/* runs that the folder held already */
	void *context;
	double share;			/* of the cost of runs that were due, paid so far */
	/* After every run; calls come one at a time.  A true return stops the trial. */
	bool (*progress)(void *context, size_t done, size_t total);
	/* Asked often, also during runs; true stops the trial.  Optional. */
	bool (*stop)(void *context);
};

/*
 * Reads a suite: a scenario file, a folder of them (in order of their names),
 * the name of either in the library (cli/library.h), or a sampled suite
 * (sim/suite.h) as NAME, NAME:N or NAME:N:SEED.
 */
int trial_read_suite(struct trial *trial, const char *suite, struct error *error);

/* When scenarios, arms and seeds are chosen: the keys of all runs. */
int trial_keys(struct trial *trial, struct error *error);

/* A copy that lives as long as the trial, to be split into arms; NULL without memory. */
char *trial_keep_text(struct trial *trial, const char *text);

/* Names an arm.  ERR_RANGE when that does not fit: a name that was cut could be another arm's. */
int trial_arm_call(struct trial_arm *arm, struct error *error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ERR_RANGE when there are TRIAL_MAX_ARMS, ERR_INVALID when one has this name already. */
int trial_add_arm(struct trial *trial, const struct trial_arm *arm, struct error *error);

/* As trial_arm_law(). */
int trial_add_law(struct trial *trial, char *text, bool plain, const char *option,
		  struct error *error);

/*
 * The student paths[index] (policy_label()): a law of its own, asked when it wants to be.  Where a
 * law has its label already, its own becomes longer.
 */
int trial_add_student(struct trial *trial, const char *const *paths, size_t count, size_t index,
		      bool unguarded, struct error *error);

/*
 * An arm from "LAW" or "LAW:NAME=VALUE:...", which is split in place and outlives
 * the arm; settings are tried on the law's defaults.  The error names `option`.
 */
int trial_arm_law(struct trial_arm *arm, char *text, const char *option, struct error *error);

/* Sets a law's parameters as the arm wants them.  ERR_INVALID, ERR_RANGE. */
int trial_arm_set(const struct trial_arm *arm, const struct aqm_ops *law, void *params,
		  struct error *error);

/* The arm's law in the job's scenario, parameters set (the caller frees); `model` outlives both. */
int trial_law(const struct trial_job *job, struct aqm_student_model *model,
	      const struct aqm_ops **law, void **params, struct error *error);

/* Letters of the longest name of an arm. */
int trial_longest_name(const struct trial *trial);

size_t trial_runs(const struct trial *trial);

/* How many of them are wanted, and whether one is. */
size_t trial_wanted_runs(const struct trial *trial);
bool trial_is_wanted(const struct trial *trial, size_t index);

struct trial_job trial_job_at(const struct trial *trial, size_t index);

/* One run, on its own.  `stop` is asked about 100 times; true ends it with ERR_INTERRUPTED. */
int trial_run(const struct trial_job *job, double bin_s, void *context,
	      bool (*stop)(void *context, double done), struct trial_outcome *outcome,
	      struct error *error);

/*
 * Runs on `threads` threads (0: one per core) what the folder does not hold yet;
 * the folder keeps every run as it ends, so an interrupted trial goes on where
 * it was.
 */
int trial_run_all(struct trial *trial, unsigned threads, struct error *error);

const struct trial_outcome *trial_outcome_of(const struct trial *trial, size_t scenario, size_t arm,
					     size_t seed);

/* Outcomes only; the trial can be run again, perhaps wanting other runs. */
void trial_forget(struct trial *trial);
void trial_free(struct trial *trial);

#endif
