/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A controller to start a supervisor from, in place of one that does nothing: the same shares of
 * the room there is (aqm/room.h), whatever it sees.
 */
#ifndef LEARN_STUDENT_START_H
#define LEARN_STUDENT_START_H

#include "learn/student_float.h"

/* X(name, default, text) */
#define STUDENT_START_TABLE(X)                                                                     \
	X(target, 0.9, "share of the octaves by which the target may fall")                        \
	X(step, 0.5, "of those by which the step may")                                             \
	X(k, 0.45, "of those by which the coupling may rise")                                      \
	X(gain, 0.95, "of those by which gains may")                                               \
	X(decay, 0.95, "of what may be given up of p' where the link only idled")                  \
	X(regularity, 1, "of Classic signals")

struct student_start {
#define STUDENT_START_FIELD(name, value, text) double name;
	STUDENT_START_TABLE(STUDENT_START_FIELD)
#undef STUDENT_START_FIELD
};

void student_start_default(struct student_start *start);

/* "target=0.8,gain=2" over what `start` holds.  ERR_INVALID. */
int student_start_set(struct student_start *start, const char *text, struct error *error);

/*
 * Writes the controller into `theta` of a student that says shares: the biases of its outputs;
 * weights from hidden layers to outputs become 0.  ERR_INVALID: another mode, or a tree.
 */
int student_start_write(const struct student_start *start, const struct aqm_student_model *shape,
			float *theta, struct error *error);

#endif
