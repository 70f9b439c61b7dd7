/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `aqmllm analyse` measures, part by part.
 *
 * Runs in closed loop are those of a trial whose scenarios are experiments on
 * one network: as it is, with twice the load from half time on, with half the
 * rate from half time on, with a disturbance.  Each leaves a course of the queue
 * delay, the last one what signals hold of the disturbance as well.
 */
#ifndef CLI_ANALYSIS_H
#define CLI_ANALYSIS_H

#include "cli/findings.h"
#include "cli/trial.h"

/* X(name, what it does to the network) */
#define ANALYSIS_EXPERIMENT_TABLE(X)                                                               \
	X(steady, "as the scenario says")                                                          \
	X(load_step, "every group of flows starts once more at half time")                         \
	X(rate_step, "the link's rate halves at half time")                                        \
	X(disturbed, "signals are disturbed (sim/perturbation.h)")

enum analysis_experiment {
#define ANALYSIS_EXPERIMENT_ENUM(name, doc) ANALYSIS_##name,
	ANALYSIS_EXPERIMENT_TABLE(ANALYSIS_EXPERIMENT_ENUM)
#undef ANALYSIS_EXPERIMENT_ENUM
		ANALYSIS_EXPERIMENTS
};

#define ANALYSIS_MAX_EPSILONS 16

struct analysis_options {
	double sample_ms;    /* between samples of the queue delay */
	double target_ms;    /* of V; 0: the law's own */
	double epsilons_ms[ANALYSIS_MAX_EPSILONS];
	size_t epsilon_count;
	double band;	     /* share of the final value that counts as settled */
	unsigned queue;	     /* whose delay: enum aqm_queue, or SIM_ALL */
	unsigned threads;    /* 0: one a core */
	double low_hz, high_hz, depth; /* of the disturbance: sim/perturbation.h */
	size_t tones;		       /* likewise */
};

struct analysis {
	struct analysis_options options;
	struct trial trial;	    /* experiments x arms x seeds; its outcomes are not used */
	enum analysis_experiment experiments[ANALYSIS_EXPERIMENTS]; /* of the trial's scenarios */
	double step_s;		    /* when the steps come */
	double targets_ms[TRIAL_MAX_ARMS];
	/* (runs): ms, `samples` each, from 0 s on; struct perturbation_sums behind; owned */
	double **courses;
	size_t samples;		    /* in a course */
	size_t kept;		    /* runs that the folder held already */
};

/*
 * Experiments on the scenario `name` (a file or a name of the library), as the trial's scenarios:
 * the steady one first, then those of which `wanted` has bit (1 << experiment).  Steps of rate are
 * left out where the link's rate varies of itself.
 */
int analysis_experiments(struct analysis *analysis, const char *name, unsigned wanted,
			 struct error *error);

/*
 * Runs what trial.folder does not hold yet, on all cores; arms and seeds are in place.
 * ERR_INTERRUPTED: the same call goes on.
 */
int analysis_run(struct analysis *analysis, struct error *error);
void analysis_free(struct analysis *analysis);

/* Course of a run from `from_s` on: samples and their number. */
const double *analysis_course(const struct analysis *analysis, size_t scenario, size_t arm,
			      size_t seed, double from_s, size_t *count);

/* Lyapunov drift, P(sup |qdelay - target| <= eps), mixing time. */
int analysis_loop(const struct analysis *analysis, struct findings *findings,
		  struct error *error);

/* What signals held of the disturbance; of other experiments zero. */
const struct perturbation_sums *analysis_sums(const struct analysis *analysis, size_t scenario,
					      size_t arm, size_t seed);

/* The disturbance of runs with this seed: phases differ between seeds, and nothing else. */
void analysis_disturbance(const struct analysis *analysis, uint64_t seed,
			  struct perturbation_plan *plan);

/* Gain and phase margins; nothing without disturbed runs. */
int analysis_margins(const struct analysis *analysis, struct findings *findings,
		     struct error *error);

/* Settling after steps of load and rate. */
int analysis_steps(const struct analysis *analysis, struct findings *findings,
		   struct error *error);

/* Whose layers are looked at, and where. */
struct analysis_layers {
	const char *const *folders; /* (count): policies */
	size_t count, states;	    /* windows of each */
	const char *pool;	    /* NULL: what each policy was trained on */
	uint64_t interval;	    /* rows between steps of a window */
	void *context;
	bool (*progress)(void *context); /* after every state; true: stop */
};

/* Singular values and spectral radii of the layers' Jacobians. */
int analysis_layers(const struct analysis_layers *what, struct findings *findings,
		    struct error *error);

/* ERR_NOT_FOUND where `folder` is not that of a run of train or reinforce. */
int analysis_check_record(const char *folder, struct error *error);

/*
 * Contraction of |J - J*| over training runs: column `column` of the record in each folder (NULL:
 * the held-out loss or reward, or that in training where there is none).  `gamma` as in eq. 9.
 */
int analysis_training(const char *const *folders, size_t count, const char *column, double gamma,
		      struct findings *findings, struct error *error);

#endif
