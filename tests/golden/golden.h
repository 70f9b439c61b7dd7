/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Golden runner: compares this program with reference vectors, case by case.
 *
 * A case is a row in golden_run.c: a name, a function, what the function is to
 * run, and its tolerance.  The function reads every dimension from the files,
 * compares through golden_compare() and returns 0; ERR_UNSUPPORTED turns into
 * a SKIP line with the error's text, any other code into FAIL.
 */
#ifndef TESTS_GOLDEN_GOLDEN_H
#define TESTS_GOLDEN_GOLDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/safetensors.h"

/* The verdict of one case grows here. */
struct golden_report {
	const char *folder;    /* of the golden files */
	double tolerance;      /* of the case, absolute */
	double largest;        /* largest difference / tolerance of its own comparison */
	double largest_difference;
	char where[128];       /* name of the comparison that showed it */
	uint64_t comparisons;  /* arrays compared */
	bool failed;           /* one difference was over its tolerance, or not a number */
};

struct golden_case {
	const char *name;
	int (*run)(struct golden_report *report, const char *subject, struct error *error);
	const char *subject; /* what `run` is to look at, e.g. a folder below report->folder */
	double tolerance;
};

/* Compares `count` numbers; `name` tells which array.  Any NaN fails. */
void golden_compare(struct golden_report *report, const char *name, const float *got,
		    const float *want, int64_t count, double tolerance);

/* As golden_compare() for a difference already worked out. */
void golden_note(struct golden_report *report, const char *name, double difference,
		 double tolerance);

/* "folder/subject/name" of the golden directory; `subject` may be NULL. */
int golden_path(const struct golden_report *report, const char *subject, const char *name,
		char *path, size_t size, struct error *error);

/* A tensor of an open file as malloc'd floats, which the caller frees.  ERR_INVALID: missing. */
int golden_floats(const struct safetensors *file, const char *name, float **out, int64_t *count,
		  struct error *error);

/* Cases of golden_backbone.c: `subject` is an architecture's folder. */
int golden_backbone(struct golden_report *report, const char *subject, struct error *error);

/* Cases of golden_gguf.c: `subject` is an architecture's folder. */
int golden_gguf(struct golden_report *report, const char *subject, struct error *error);

/* The case of golden_dataset.c: `subject` is a safetensors file. */
int golden_dataset(struct golden_report *report, const char *subject, struct error *error);

/* Cases of golden_policy.c: `subject` is a folder below policy/. */
int golden_policy(struct golden_report *report, const char *subject, struct error *error);

#endif
