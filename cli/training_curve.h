/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a policy was trained, read back from its folder: metrics.csv, and the
 * baselines of its pool where that still lies where train.json says.
 */
#ifndef CLI_TRAINING_CURVE_H
#define CLI_TRAINING_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "learn/baselines.h"
#include "learn/sources.h"
#include "learn/trainer.h"

struct training_curve {
	struct trainer_epoch *epochs; /* owned */
	size_t count;
	bool has_baselines;
	struct metrics_summary baselines[BASELINES]; /* on the held-out rows */
};

/* A folder without metrics.csv gives an empty curve.  Baselines are not scored. */
int training_curve_read(struct training_curve *curve, const char *folder, struct error *error);

/* Scores the baselines, which reads the pools; they stay unknown where those have moved. */
void training_curve_score(struct training_curve *curve, const char *folder);

/* The pools and the held-out share that train.json of the folder names; sources_free() is due. */
int training_curve_sources(struct sources *sources, const char *folder, struct error *error);
void training_curve_free(struct training_curve *curve);

#endif
