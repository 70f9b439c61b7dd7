/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `aqmllm reinforce` leaves in its folder: checkpoint.safetensors,
 * progress.csv, figures/, and the best student with its policy.json.
 */
#ifndef CLI_REINFORCE_RECORD_H
#define CLI_REINFORCE_RECORD_H

#include "learn/reinforce.h"

struct reinforce_record {
	const char *folder;
	const char *fingerprint; /* which run: options, networks, the first student */
	const char *suite, *reward; /* for policy.json, as the user said them */
	struct reinforce_row *rows; /* owned */
	size_t count;
};

/* Makes the folder.  ERR_INVALID: it holds a run, and `resume` was not said, or the reverse. */
int reinforce_record_open(struct reinforce_record *record, bool resume,
			  struct error *error);
void reinforce_record_free(struct reinforce_record *record);

/* Goes on from the checkpoint; rows of generations that it does not know are forgotten. */
int reinforce_record_resume(struct reinforce_record *record, struct reinforce *reinforce,
			    struct error *error);

/* A row more; then everything is written: rows, student, and the state last. */
int reinforce_record_add(struct reinforce_record *record, struct reinforce *reinforce,
			 const struct reinforce_row *row, struct error *error);

/* figures/curve.csv and .svg.  Without gnuplot the numbers alone. */
int reinforce_record_picture(const struct reinforce_record *record, struct error *error);

#endif
