/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a simulated run is told as: one JSON object, and tables for people.
 */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"
#include "policy/aqm_policy.h"
#include "sim/run.h"

/* The queues in the order in which they are told. */
struct summary_queue {
	const char *name;
	int index; /* enum aqm_queue, or SIM_ALL */
};

extern const struct summary_queue summary_queues[SIM_QUEUES];

/* What one queue of a result tells. */
json_t *summary_queue_json(const struct sim_queue_result *queue);

/* One line of a table of queues. */
void summary_print_queue(FILE *out, const char *name, const struct sim_queue_result *queue);

/* A line of what was decided, of a policy or of a student's settings. */
void summary_print_policy(FILE *out, const struct aqm_policy_counts *policy);

/* Behind that table, if there are any: drops of packets with ECN (overload, or no room). */
void summary_print_ect_drops(FILE *out, const struct sim_queue_result *all);

/* What a policy or student did; `differed` is null where it was not counted. */
json_t *summary_policy_json(const struct aqm_policy_counts *policy);

/* The summary as one object (the caller owns it); NULL when out of memory. */
json_t *summary_json(const struct sim_result *result, const struct aqm_policy_counts *policy);

/* The same as tables. */
void summary_print(FILE *out, const struct sim_result *result,
		   const struct aqm_policy_counts *policy);

/* Writes summary.json into `folder`, atomically. */
int summary_write(const char *folder, const struct sim_result *result,
		  const struct aqm_policy_counts *policy, struct error *error);

#endif
