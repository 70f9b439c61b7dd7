/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool as the network reads it: scaled, with returns, timesteps and windows.
 */
#ifndef LEARN_DATASET_H
#define LEARN_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "experience/pool.h"
#include "policy/config.h"

#define DATASET_MAX_INTERVALS 8
#define DATASET_MAX_STRATA 64

/* `steps` steps of a window are the rows first, first + interval, ... */
struct dataset_window {
	uint32_t first, interval;
	float weight; /* of its loss, so that sampling leaves the expected loss alone */
};

struct dataset {
	size_t rows;
	int features;
	float *states;			    /* (rows, features), scaled */
	float *returns;			    /* (rows), scaled return-to-go as it came true */
	int32_t *labels;		    /* (rows), enum pool_action */
	uint32_t *episode;		    /* (rows): first row of the row's episode */
	float target;			    /* scaled target return */
	const struct policy_config *config; /* not owned */
	const struct pool *pool;	    /* not owned; must outlive the data set */
	size_t columns[POOL_MAX_FEATURES];  /* of the pool, by feature */
	uint8_t *parts;			    /* (rows), enum metrics_part */
};

/* How a configuration is fitted to a pool. */
struct dataset_fit {
	int scaling;  /* enum scaling_kind for all features, or -1: quantile */
	double gamma; /* negative: the pool's, 0.95 where it says none */
	bool compat;  /* the released code's features, rewards and timesteps */
};

/*
 * Fits features, scalings and returns of `config` to rows [0, cut) of a pool
 * (compat: rewards and timesteps to all rows, as released).
 */
int dataset_fit_config(struct policy_config *config, const struct pool *pool, size_t cut,
		       const struct dataset_fit *fit, struct error *error);

/*
 * Rows [0, cut) train: their returns know nothing of later rows' rewards (as
 * released with `compat`: they do).  A cut of 0 or of all rows parts nothing.
 * ERR_INVALID names a feature of the policy that the pool lacks, or a row that
 * is not finite.
 */
int dataset_new(struct dataset *dataset, const struct pool *pool, size_t cut,
		const struct policy_config *config, struct error *error);
void dataset_free(struct dataset *dataset);

/* Index of a feature of the policy by name, or -1. */
int dataset_feature(const struct dataset *dataset, const char *name);

/* What states hold for a row and feature if the router's number was `factor` times as large. */
float dataset_scaled(const struct dataset *dataset, size_t row, int feature, double factor);

/* Row of the timestep table for row `row` as a step of a window of this interval. */
int32_t dataset_timestep(const struct dataset *dataset, size_t row, uint32_t interval);

/* Windows of `steps` steps within rows [first, end). */
struct dataset_windows {
	struct dataset_window *all; /* by stratum; in each those with nothing but enqueues first */
	size_t count, quiet;	    /* `quiet` of them hold only enqueues */
	int64_t steps;
	struct dataset_stratum {
		size_t first, count, quiet;
	} stratum[DATASET_MAX_STRATA];
	size_t strata;
};

/*
 * Every `stride` rows, at each of the `intervals` (count of them; a window's
 * first row is then at every stride x interval), not across episodes unless
 * `cross`.  With strata, windows stay within them too.  ERR_INVALID when there,
 * or in one of the strata, is no window.
 */
struct dataset_window_options {
	int64_t steps, stride;
	uint32_t intervals[DATASET_MAX_INTERVALS];
	int interval_count;
	bool cross;
	const size_t *stratum_end; /* (strata): rows; the first stratum begins at `first` */
	size_t strata;		   /* 0: one, all rows */
};
int dataset_windows_new(struct dataset_windows *windows, const struct dataset *dataset,
			size_t first, size_t end, const struct dataset_window_options *options,
			struct error *error);
void dataset_windows_free(struct dataset_windows *windows);

/*
 * Draws one epoch's `count` windows without replacement (again from the start
 * when a kind runs out), shuffled.  With `event_share` in (0, 1) that share
 * has an action other than enqueue, and weights undo the bias; with a negative
 * share, or when all windows are taken, they come as they are.  Every stratum
 * gives the same number, whatever it has.
 */
void dataset_windows_draw(const struct dataset_windows *windows, struct rng *rng, size_t count,
			  double event_share, struct dataset_window *out);

#endif
