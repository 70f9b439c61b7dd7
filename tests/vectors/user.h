/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The vectors through queue/ with the laws' tables, as user space has them: what every other host
 * is held against.
 */
#ifndef TESTS_VECTORS_USER_H
#define TESTS_VECTORS_USER_H

#include "queue/queue.h"
#include "tests/vectors/vectors.h"

struct vectors_user {
	const char *law, *settings;            /* settings are those of --set */
	const struct aqm_student_model *model; /* a student's, or NULL */
	bool single;                           /* a law of one queue: the sum is closed with 0 */
	bool wrong;                            /* other random bits, which must show */
	bool emptied;                          /* at the end, so that each packet has its record */
	/* Who is told of the log's records, or NULL. */
	void (*on_record)(void *context, const struct aqm_record *record);
	void *context;
};

/* The sum; 0: see `error`. */
uint64_t vectors_user_run(const struct vectors_user *user, uint64_t packets, uint64_t seed,
			  struct error *error);

#endif
