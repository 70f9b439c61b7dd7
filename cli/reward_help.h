/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What --help tells of rewards, made from the tables of learn/objective.h.
 */
#ifndef CLI_REWARD_HELP_H
#define CLI_REWARD_HELP_H

#include "learn/objective.h"

#define REWARD_HELP_PRESET(name, settings, doc) #name " (" doc "): " settings "; "
#define REWARD_HELP_TERM(name, doc) #name " = " doc "; "

#define REWARD_HELP                                                                                \
	"A reward is -(sum of weight x term), 0 for the reference r itself; higher is better. "    \
	"Rewards by name: " OBJECTIVE_PRESET_TABLE(REWARD_HELP_PRESET)                             \
	"weights may follow a name, hindsight,loss=5. Terms, x the run, delays in ms of packets "  \
	"that left after warm-up: " OBJECTIVE_TERM_TABLE(REWARD_HELP_TERM)                         \
	"floor (0.995), margin (0.02) and clip (0: none; bounds a run's reward) are set alike. "   \
	"A term is 0 where the reference has nothing to measure, 7 where only the run has: a "     \
	"class was starved."

#endif
