/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paper's comparison of backbones: what was measured of each family, and
 * its figures 9, 10 and 17 to 20 with a page around them.
 */
#ifndef CLI_COMPARISON_H
#define CLI_COMPARISON_H

#include <stdbool.h>

#include "cli/decision_probe.h"
#include "cli/families.h"
#include "cli/training_curve.h"

struct comparison_arm {
	const struct family *family;
	struct training_curve curve;
	struct decision_probe decision;
	double train_s;	     /* wall time of the run with the adapter */
	double full_train_s; /* of one epoch of full fine-tuning; NaN: not run */
	double lora_epoch_s; /* of one epoch with the adapter, mean */
	double train_peak_bytes, full_peak_bytes;
};

struct comparison {
	struct comparison_arm arms[FAMILIES]; /* the first has the baselines too */
	size_t count;
	bool whole;	   /* the paper's shapes */
	const char *notes; /* the commands that were run */
	bool has_picture;  /* false: no gnuplot, numbers only */
};

/* Writes `folder`/figures and `folder`/report.html. */
int comparison_write(struct comparison *comparison, const char *folder, struct error *error);

/* The table on standard output: as text, or as a JSON array with one object an arm. */
void comparison_print(const struct comparison *comparison, bool json);

#endif
