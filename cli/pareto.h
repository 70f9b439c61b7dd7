/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Candidates that are measured in several ways, and which of them no other
 * one beats: tables as text and CSV, and the picture.
 */
#ifndef CLI_PARETO_H
#define CLI_PARETO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

struct pareto_column {
	const char *name, *heading; /* in CSV, in text */
	int digits;                 /* after the point */
};

struct pareto_table {
	const char *what; /* heading of the names */
	const struct pareto_column *columns;
	size_t column_count, row_count;
	const char *const *names; /* (row_count) */
	const double *values;     /* (row_count, column_count); NaN: unknown */
	const bool *front;        /* (row_count) */
};

/*
 * front[i] is true when no other point is as good in both and better in one;
 * less is better.  A point with a NaN is never on the front.
 */
void pareto_front(bool *front, const double *x, const double *y, size_t count);

/* Rows of the front are marked with a star. */
void pareto_print(FILE *out, const struct pareto_table *table);

/* NAME,front,column,... */
int pareto_write(const char *path, const struct pareto_table *table, struct error *error);

/* What is drawn against what: indices of columns. */
struct pareto_axes {
	size_t x, y;
	const char *name, *title, *x_label, *y_label;
};

/*
 * One panel for each pair of axes, a point a row, the front of these axes joined, into
 * `path` (.svg) with its numbers beside.  ERR_UNSUPPORTED without gnuplot.
 */
int pareto_draw(const char *path, const char *title, const struct pareto_table *table,
		const struct pareto_axes *axes, size_t count, struct error *error);

#endif
