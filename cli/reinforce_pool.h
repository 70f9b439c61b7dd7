/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `aqmllm reinforce --pool`: a student learns from what was recorded (learn/offline.h).
 */
#ifndef CLI_REINFORCE_POOL_H
#define CLI_REINFORCE_POOL_H

#include "cli/command.h"

/* What the user said. */
struct reinforce_pool {
	struct option_list pools; /* each one or several files, separated by commas */
	const char *shape;	  /* hidden layers */
	const uint8_t *features;  /* (feature_count): what the student sees, ascending */
	int feature_count;	  /* 0: all that the pools tell */
	const char *reward;	  /* a name of experience/collect.h; NULL: as the pools have it */
	const char *output;
	double gamma, lambda, beta, most, rate, held_out;
	uint64_t updates, batch, critic_updates, critic_width, seed;
};

/* Learns from `said->pools` and `more` (count) files.  DIR is left out where anything fails. */
int reinforce_pool(const struct command_common *common, const struct reinforce_pool *said,
		   const char **more, size_t count, struct error *error);

#endif
