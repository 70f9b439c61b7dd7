/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A controller to start a supervisor from, in place of one that does nothing.
 *
 * It is bolder the longer the link has been kept busy: while Classic is being
 * signalled and nothing idles, a level falls, and with it the target by as many
 * octaves, while gains rise; idle time that the law may have caused lifts it
 * again.  With boldness b = max(0, -level):
 *
 *     speed of the level = lift x idle_blamed - fall x (signalled_c - b / 4) - max(0, level)
 *     target = 2^-b, gain = 2^(gain + eager x b), decay = decay
 *
 * Lifts and falls are in the level's own unit (aqm/student.h: 1 is 4 octaves in
 * 2^30 ns); the idle share that keeps the level where it is is fall / lift.
 */
#ifndef LEARN_STUDENT_START_H
#define LEARN_STUDENT_START_H

#include "learn/student_float.h"

/* X(name, default, text) */
#define STUDENT_START_TABLE(X)                                                                     \
	X(lift, 4.3, "speed at which the level rises while the link idles")                        \
	X(fall, 0.075, "speed at which it falls while Classic is signalled")                       \
	X(eager, 0.4, "octaves of gain for each octave of the target")                             \
	X(gain, 1.4, "octaves of gain at the law's own target")                                    \
	X(decay, 0.12, "share of p' given up at an update before which the link only idled")

struct student_start {
#define STUDENT_START_FIELD(name, value, text) double name;
	STUDENT_START_TABLE(STUDENT_START_FIELD)
#undef STUDENT_START_FIELD
};

void student_start_default(struct student_start *start);

/* "lift=8,fall=0.2" over what `start` holds.  ERR_INVALID. */
int student_start_set(struct student_start *start, const char *text, struct error *error);

/*
 * Writes the controller into `theta` of a supervisor with hidden layers that are dense and relu,
 * of at least four outputs each, and with the features it reads.  Other weights of hidden layers
 * stay; those from them to outputs become 0.  ERR_INVALID.
 */
int student_start_write(const struct student_start *start, const struct aqm_student_model *shape,
			float *theta, struct error *error);

#endif
