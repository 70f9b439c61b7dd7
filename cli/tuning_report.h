/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hindsight gains, told: tables as CSV, a picture, a summary.
 */
#ifndef CLI_TUNING_REPORT_H
#define CLI_TUNING_REPORT_H

#include <stdio.h>

#include "cli/tuning.h"

/* How rewards of networks are spread. */
struct tuning_spread {
	size_t count, above; /* networks; those above 0 */
	double mean, q1, median, q3;
	double low, high; /* 95 % interval of the median, by ranks; NaN: too few networks */
};

/* Sorts `values` in place. */
struct tuning_spread tuning_spread_of(double *values, size_t count);

/*
 * Files of `folder`: networks.csv (a row a network), settings.csv (every setting
 * in every network on the seeds for tuning), figures/gain.csv and .svg.
 * `pictured` says whether there was a gnuplot.
 */
int tuning_report_write(const struct tuning *tuning, const char *folder, bool *pictured,
			struct error *error);

/* The summary, for people or as one JSON object.  ERR_NO_MEMORY. */
int tuning_report_print(FILE *out, const struct tuning *tuning, bool json, struct error *error);

#endif
