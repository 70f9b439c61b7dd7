/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decisions in words: what a language model is asked, and what it answered.
 *
 * A prompt is a line that says what is wanted, a line a step with the
 * features by name and the action taken, and the line of the step to be
 * decided, up to "action=".
 */
#ifndef LEARN_SPOKEN_H
#define LEARN_SPOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "experience/pool.h"

/* Room for any line of spoken_step(). */
#define SPOKEN_LINE_BYTES (POOL_MAX_FEATURES * (POOL_NAME_BYTES + 32) + 32)

/* The first line. */
extern const char spoken_question[];

/* "queue_type=1 ... packet_length=1500 action=drop\n", or without action and newline. */
void spoken_step(char *text, size_t size, const struct pool *pool, size_t row, bool with_action);

/*
 * The action that an answer names first: enqueue, drop or mark in any case, or
 * 0, 1 or 2 alone; -1 when it names none.
 */
int spoken_answer(const char *answer);

#endif
