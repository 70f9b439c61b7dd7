/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results of many runs: one number a row, under (scenario, seed, aqm, metric).
 */
#ifndef REPORT_RESULTS_H
#define REPORT_RESULTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "report/statistics.h"

/* A name that rows share. */
struct result_name {
	struct result_name *next;
	char text[];
};

struct result_row {
	const char *scenario, *aqm, *metric; /* of the results' names */
	uint64_t seed;
	double value;
};

struct results {
	struct result_row *rows; /* owned */
	size_t count, capacity;
	size_t *order;           /* (ordered): rows by scenario, aqm, metric, seed; owned */
	size_t ordered;
	struct result_name *scenarios, *aqms, *metrics; /* owned; the latest first */
};

void results_init(struct results *results);
void results_free(struct results *results);

/* Copies the names.  ERR_NO_MEMORY. */
int results_add(struct results *results, const char *scenario, uint64_t seed, const char *aqm,
		const char *metric, double value);

/* Makes the rows added so far known to the questions below.  ERR_NO_MEMORY. */
int results_index(struct results *results);

/*
 * Mean over the seeds whose value is finite, with its interval and their
 * number; count 0 when there is none.
 */
struct interval results_interval(const struct results *results, const char *scenario,
				 const char *aqm, const char *metric);

/* Mean of `aqm` minus `baseline` over the seeds for which both have a finite value. */
struct interval results_paired(const struct results *results, const char *scenario,
			       const char *aqm, const char *baseline, const char *metric);

/* scenario,seed,aqm,metric,value; a value that is not finite is an empty cell. */
int results_write_csv(const struct results *results, const char *path, struct error *error);

/* What results_write_csv() wrote, added to `results`; the error names the line. */
int results_read_csv(struct results *results, const char *path, struct error *error);

/* Table `results` with the same columns in a new SQLite database; replaced atomically. */
int results_write_database(const struct results *results, const char *path, struct error *error);

#endif
