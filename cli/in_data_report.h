/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The released code's evaluation as a page: walks through recorded rows, with
 * the walk of a policy that always says enqueue beside each.
 */
#ifndef CLI_IN_DATA_REPORT_H
#define CLI_IN_DATA_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/policy.h"

struct in_data_report {
	const char *pool;             /* the recording */
	const char *const *policies;  /* (policy_count) folders */
	size_t policy_count;
	struct policy_manner manner;  /* how each is run */
	const double *intervals;      /* (interval_count) steps between questions */
	size_t interval_count;
	size_t steps;                 /* of a walk */
	const char *folder;
};

/* Writes report.html, walks.csv and figures/. */
int in_data_report_write(const struct in_data_report *report, struct error *error);

#endif
