/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A controller to start a supervisor from, in place of one that does nothing: shares of the room
 * there is (aqm/room.h), the same whatever it sees, or linear in what it sees.
 */
#ifndef LEARN_STUDENT_START_H
#define LEARN_STUDENT_START_H

#include "learn/student_float.h"

/* X(name, default, text); the defaults are an earlier student's (shipped: bench/student.sh) */
#define STUDENT_START_TABLE(X)                                                                     \
	X(target, 0.9, "share of the octaves by which the target may fall")                        \
	X(step, 0.5, "of those by which the step may")                                             \
	X(k, 0.45, "of those by which the coupling may rise")                                      \
	X(gain, 0.95, "of those by which gains may")                                               \
	X(decay, 0.95, "of what may be given up of p' where the link only idled")                  \
	X(regularity, 1, "of Classic signals")                                                     \
	X(steepness, 0, "of the steepest that signals may be")

struct student_start {
	double share[AQM_STUDENT_SETTING_COUNT];
	/* By which a share rises for each 1 of the input that stands for a feature. */
	double slope[AQM_STUDENT_SETTING_COUNT][AQM_STUDENT_FEATURE_COUNT];
};

void student_start_default(struct student_start *start);

/*
 * "target=0.8,k/balance=-0.5" over what `start` holds: shares, slopes by feature.  ERR_INVALID;
 * ERR_RANGE: 1024 characters or more.
 */
int student_start_set(struct student_start *start, const char *text, struct error *error);

/*
 * Writes the controller into `theta` of a student that says shares: biases of its outputs and, in
 * a net without hidden layers, the slopes; weights from hidden layers to outputs become 0.
 * ERR_INVALID: another mode, a tree, or a slope by what the student does not see.
 */
int student_start_write(const struct student_start *start, const struct aqm_student_model *shape,
			float *theta, struct error *error);

#endif
