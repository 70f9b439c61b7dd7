/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A controller to start a supervisor from, in place of one that does nothing.
 *
 * It is as bold as there is room (aqm/room.h): room in octaves r is 0 where the
 * link idles after signals and grows to 2 where it stays busy.
 *
 *     target = 2^-(target x r), step and k alike,
 *     gain = 2^(gain x min(1, r / 0.6)), decay = decay x r, regularity as it is
 */
#ifndef LEARN_STUDENT_START_H
#define LEARN_STUDENT_START_H

#include "learn/student_float.h"

/* X(name, default, text) */
#define STUDENT_START_TABLE(X)                                                                     \
	X(target, 1, "octaves by which the target falls for each octave of room")                  \
	X(step, 0.5, "octaves by which the step falls")                                            \
	X(k, 0.5, "octaves by which the coupling rises")                                           \
	X(gain, 2.9, "octaves of gain where there is room for them")                               \
	X(decay, 0.03, "share of p' given up for each octave, where the link only idled")          \
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
 * Writes the controller into `theta` of a supervisor with hidden layers that are dense and relu,
 * of at least two outputs each, and with the feature `room`.  Other weights of hidden layers
 * stay; those from them to outputs become 0.  ERR_INVALID.
 */
int student_start_write(const struct student_start *start, const struct aqm_student_model *shape,
			float *theta, struct error *error);

#endif
