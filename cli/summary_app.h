/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What applications measured, as part of a run's summary.
 */
#ifndef CLI_SUMMARY_APP_H
#define CLI_SUMMARY_APP_H

#include <jansson.h>
#include <stdio.h>

#include "sim/run.h"

/* The quantiles that every distribution is told by. */
#define SUMMARY_QUANTILES 5

extern const struct summary_quantile {
	const char *name;
	double q;
} summary_quantiles[SUMMARY_QUANTILES];

/* A distribution: nanoseconds in, milliseconds out. */
json_t *summary_sketch_json(const struct sketch *sketch);

/* Adds to a flow's object what its application measured. */
void summary_app_json(json_t *flow, const struct sim_app_result *app);

/* The same as tables, one for each kind of application that ran. */
void summary_app_print(FILE *out, const struct sim_result *result);

#endif
