/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a supervising integer student's settings are from its teacher's, and from
 * its own float twin's.
 */
#ifndef LEARN_SETTINGS_ERROR_H
#define LEARN_SETTINGS_ERROR_H

#include "learn/visits.h"
#include "policy/student_model.h"

/* X(name): in the order of columns; octaves, of the output that is furthest off */
#define SETTINGS_ERROR_TABLE(X)                                                                    \
	X(rows)	      /* visited updates that the teacher was asked about */                       \
	X(spread)     /* mean distance of the teacher's settings from their own mean */            \
	X(error)      /* mean distance of the student's settings from the teacher's */             \
	X(float_mean) /* distance between float and integers: mean */                              \
	X(float_p99)  /* likewise, 99th percentile */

struct settings_error {
#define SETTINGS_ERROR_MEMBER(name) double name;
	SETTINGS_ERROR_TABLE(SETTINGS_ERROR_MEMBER)
#undef SETTINGS_ERROR_MEMBER
};

/*
 * Over all segments of a part; `visits` are of settings.  `theta` are the float twin's parameters,
 * NULL for a tree, which has none: its distances are 0.  ERR_NO_MEMORY.
 */
int settings_error_measure(struct settings_error *out, const struct aqm_student_model *model,
			   const float *theta, const struct visits *visits,
			   const struct visits_part *part, struct error *error);

#endif
