/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prompts and answers.
 */
#include "learn/spoken.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const actions[POOL_ACTIONS] = {
	[POOL_ENQUEUE] = "enqueue", [POOL_DROP] = "drop", [POOL_MARK] = "mark"};

const char spoken_question[] =
	"Packets at a router's queue, and what was done: enqueue, drop or mark.\n";

void spoken_step(char *text, size_t size, const struct pool *pool, size_t row, bool with_action)
{
	const double *state = pool->state + row * pool->features;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < pool->features && used < size; i++)
		if (strcmp(pool->columns[i].name, POOL_LAW_COLUMN) != 0)
			used += (size_t)snprintf(text + used, size - used, "%s=%.6g ",
						 pool->columns[i].name, state[i]);
	if (used < size)
		snprintf(text + used, size - used, with_action ? "action=%s\n" : "action=",
			 actions[pool->action[row]]);
}

/* The action that the text begins with, or -1. */
static int action_at(const char *text, char before)
{
	for (int action = 0; action < POOL_ACTIONS; action++)
		if (strncasecmp(text, actions[action], strlen(actions[action])) == 0)
			return action;
	if (text[0] >= '0' && text[0] < '0' + POOL_ACTIONS && !isalnum((unsigned char)before) &&
	    before != '.' && !isalnum((unsigned char)text[1]) && text[1] != '.')
		return text[0] - '0';
	return -1;
}

int spoken_answer(const char *answer)
{
	char before = ' ';

	for (; *answer; before = *answer++) {
		const int action = action_at(answer, before);

		if (action >= 0)
			return action;
	}
	return -1;
}
