/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a simulated run is told as: one JSON object, a table for people, and
 * time series as CSV.
 */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"
#include "policy/aqm_policy.h"
#include "sim/run.h"

/* Width of the time series' bins. */
#define SUMMARY_BIN_S 0.1

/* The summary as one object (the caller owns it); NULL when out of memory. */
json_t *summary_json(const struct sim_result *result, const struct aqm_policy_counts *policy);

/* The same as tables. */
void summary_print(FILE *out, const struct sim_result *result,
		   const struct aqm_policy_counts *policy);

/*
 * Writes summary.json, queue.csv and flows.csv into `folder`, which is made
 * when it does not exist.  Each file is replaced atomically.  The series need
 * a run with bins; a bin in which no packet left has an empty qdelay_ms.
 */
int summary_write(const char *folder, const struct sim_result *result,
		  const struct aqm_policy_counts *policy, struct error *error);

#endif
