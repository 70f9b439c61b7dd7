/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arms of a trial, from words of a command line.
 *
 * Baselines come first, then laws, then policies.  Baseline `own` is the
 * scenario's own law: laws then stand in its place with what the scenario says
 * of them, and policies decide on top of it.  Any other baseline is a law on its
 * own defaults, and so are all laws beside it, whatever a scenario says; policies
 * decide on top of the first.
 */
#ifndef CLI_TRIAL_ARMS_H
#define CLI_TRIAL_ARMS_H

#include "cli/options.h"
#include "cli/trial.h"

/* DualPI2 as Linux has it, but for a step that asks for a packet in the queue (docs/laws.md). */
#define TRIAL_REFERENCE "dualpi2:profile=linux:min_qlen_step=1"

struct trial_arms_wanted {
	const char *baselines; /* LAW[:NAME=VALUE...],... or own; NULL: as the suite has it */
	const char *against;   /* the same of laws; NULL: none */
	const struct option_list *policies;
	const struct policy_manner *manner; /* of policies, as all below */
	const char *intervals;		    /* packets, "10,100" */
	const char *decisions;		    /* ms, or `measured` */
	const char *verdict, *device;
	bool unguarded;
};

/*
 * Adds the arms to a trial whose scenarios are read; the number of baselines in `baselines`, 0
 * where it is the scenario's own law.
 */
int trial_arms_add(struct trial *trial, const struct trial_arms_wanted *wanted, size_t *baselines,
		   struct error *error);

#define NUMBER_LIST_MAX 8

struct number_list {
	double values[NUMBER_LIST_MAX];
	size_t count;
};

/* "1,10" into numbers from `low`; the word `measured` becomes NaN where it is allowed. */
int number_list_parse(struct number_list *list, const char *option, const char *text, double low,
		      bool measured, struct error *error);

#endif
