/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of laws with their settings are tried before anything runs.
 */
#include "cli/trial_arms.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/policy_label.h"
#include "policy/student_file.h"

#define REHEARSALS 30 /* decisions timed for `measured`, the first third left out */
#define OWN "own"

/* Arms being added. */
struct adding {
	struct trial *trial;
	const struct trial_arms_wanted *wanted;
	bool plain; /* laws on their own defaults */
};

/* Mean time of a decision on a router at rest, in ms. */
static int measure_decision(const char *folder, const struct policy_manner *manner,
			    double *decision_ms, struct error *error)
{
	const struct aqm_record record = {.packet_length = 1500, .burst_allowance = 150000};
	struct policy *policy = NULL;
	struct policy_cost before = {0}, after;
	double p[3];
	int code = policy_open_as(&policy, folder, manner, error);

	for (int i = 0; code == 0 && i < REHEARSALS; i++) {
		if (i == REHEARSALS / 3)
			policy->ops->cost(policy, &before);
		code = policy->ops->observe(policy, &record, error);
		if (code == 0)
			code = policy->ops->decide(policy, 0, p, error);
		if (code == 0)
			policy->ops->acted(policy, AQM_PASS);
	}
	if (code == 0) {
		policy->ops->cost(policy, &after);
		*decision_ms = (double)(after.wall_ns - before.wall_ns) /
			       (double)(after.decisions - before.decisions) / 1e6;
	}
	policy_destroy(policy);
	return code;
}

int number_list_parse(struct number_list *list, const char *option, const char *text, double low,
		      bool measured, struct error *error)
{
	const char *at = text;

	while (list->count < NUMBER_LIST_MAX) {
		char *end;
		double value = strtod(at, &end);

		if (measured && strncmp(at, "measured", 8) == 0) {
			value = NAN;
			end = (char *)at + 8;
		} else if (end == at || !(value >= low && value <= 1e9)) {
			break;
		}
		list->values[list->count++] = value;
		if (*end == '\0')
			return 0;
		if (*end != ',')
			break;
		at = end + 1;
	}
	return error_at(error, ERR_INVALID, NULL, 0, option,
			"%s: give up to %d numbers from %g, separated by commas", text,
			NUMBER_LIST_MAX, low);
}

/* At each interval and each time of a decision, on top of the first arm's law. */
static int add_policy(const struct adding *adding, size_t index,
		      const struct number_list *intervals, const struct number_list *decisions,
		      struct error *error)
{
	const struct trial_arms_wanted *wanted = adding->wanted;
	const struct option_list *policies = wanted->policies;
	const char *folder = policies->items[index];
	const int choice = aqm_policy_choice_find(wanted->verdict);
	struct policy *policy = NULL;
	int code = policy_open_as(&policy, folder, wanted->manner, error);

	policy_destroy(policy);

	if (choice < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--verdict",
				"%s is neither drawn nor argmax", wanted->verdict);
	for (size_t i = 0; code == 0 && i < intervals->count * decisions->count; i++) {
		struct trial_arm arm = adding->trial->arms[0];
		char latency[32] = "";

		arm.policy = folder;
		arm.label = policy_label(policies->items, policies->count, index);
		arm.manner = *wanted->manner;
		arm.device = wanted->device;
		arm.interval = (uint64_t)intervals->values[i / decisions->count];
		arm.latency_ms = decisions->values[i % decisions->count];
		arm.choice = (enum aqm_policy_choice)choice;
		arm.unguarded = wanted->unguarded;
		if (isnan(arm.latency_ms))
			code = measure_decision(folder, wanted->manner, &arm.latency_ms, error);
		if (arm.latency_ms > 0)
			snprintf(latency, sizeof(latency), " @%.3gms", arm.latency_ms);
		if (code == 0)
			code = trial_arm_call(&arm, error, "%s/%" PRIu64 "%s", arm.label,
					      arm.interval, latency);
		if (code == 0)
			code = trial_add_arm(adding->trial, &arm, error);
	}
	return code;
}

/* Laws of a list; one that is there already, as the first or as a baseline, is passed over. */
static int add_laws(const struct adding *adding, const char *option, const char *list,
		    struct error *error)
{
	const size_t before = adding->trial->arm_count;
	char *rest = trial_keep_text(adding->trial, list), *law;
	int code = rest ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory");

	while (code == 0 && (law = strsep(&rest, ","))) {
		bool there = false;

		for (size_t i = 0; i < before; i++)
			there = there || strcmp(adding->trial->arms[i].name, law) == 0;
		if (!there)
			code = trial_add_law(adding->trial, law, adding->plain, option, error);
	}
	return code;
}

/* The scenario's own law, under its name where all scenarios have the same. */
static int add_own(struct trial *trial, struct error *error)
{
	const char *own = trial->scenarios[0].aqm;
	struct trial_arm arm = {.law = NULL};
	bool alike = true;
	int code;

	for (size_t i = 1; i < trial->scenario_count; i++)
		alike = alike && strcmp(trial->scenarios[i].aqm, own) == 0;
	code = trial_arm_call(&arm, error, "%s", alike ? own : "its own law");
	return code ? code : trial_add_arm(trial, &arm, error);
}

static int add_baselines(struct adding *adding, size_t *count, struct error *error)
{
	const char *baselines = adding->wanted->baselines;
	int code;

	if (baselines == NULL)
		baselines = adding->trial->sampled ? TRIAL_REFERENCE : OWN;
	*count = 0;
	if (strcmp(baselines, OWN) == 0)
		return add_own(adding->trial, error);
	adding->plain = true;
	code = add_laws(adding, "--baseline", baselines, error);
	*count = adding->trial->arm_count;
	return code;
}

int trial_arms_add(struct trial *trial, const struct trial_arms_wanted *wanted, size_t *baselines,
		   struct error *error)
{
	struct adding adding = {.trial = trial, .wanted = wanted};
	struct number_list intervals = {0}, decisions = {0};
	int code = add_baselines(&adding, baselines, error);

	if (code == 0 && wanted->against)
		code = add_laws(&adding, "--against", wanted->against, error);
	if (code == 0)
		code = number_list_parse(&intervals, "--interval", wanted->intervals, 1, false,
					 error);
	if (code == 0)
		code = number_list_parse(&decisions, "--decision-ms", wanted->decisions, 0, true,
					 error);
	for (size_t i = 0; code == 0 && i < wanted->policies->count; i++) {
		const struct option_list *policies = wanted->policies;

		code = student_file_named(policies->items[i])
			       ? trial_add_student(trial, policies->items, policies->count, i,
						   wanted->unguarded, error)
			       : add_policy(&adding, i, &intervals, &decisions, error);
	}
	return code;
}
