/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scalings and their fit.
 *
 * The quantile scaling maps a value to its rank.  Knots stand at evenly spaced
 * ranks; a value that many rows share (0, above all) is one knot at the middle
 * of its ranks, and the distinct values just below and above it are knots too.
 * So "exactly 0" is far from "just above 0" whatever the units, and where rows
 * crowd around a threshold the slope is steep.  Beyond the first and last knot
 * it continues with one unit per range of the training values, so that numbers
 * never seen in training still order.
 */
#include "policy/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RANKS 48 /* evenly spaced knots; each may bring two neighbours */

static const char *const kind_names[SCALING_KINDS] = {
#define SCALING_NAME(name) [SCALING_##name] = #name,
	SCALING_TABLE(SCALING_NAME)
#undef SCALING_NAME
};

const char *scaling_kind_name(enum scaling_kind kind)
{
	return kind_names[kind];
}

int scaling_kind_find(const char *name)
{
	for (int kind = 0; kind < SCALING_KINDS; kind++)
		if (strcmp(name, kind_names[kind]) == 0)
			return kind;
	return -1;
}

static double signed_log(double x, double knee)
{
	return copysign(log1p(fabs(x) / knee), x);
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void fit_moments(struct scaling *scaling, const double *sorted, size_t count)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < count; i++)
		sum += scaling->kind == SCALING_log ? signed_log(sorted[i], scaling->knee)
						    : sorted[i];
	scaling->offset = count ? sum / (double)count : 0;
	for (size_t i = 0; i < count; i++) {
		const double v = scaling->kind == SCALING_log ? signed_log(sorted[i], scaling->knee)
							      : sorted[i];

		squares += (v - scaling->offset) * (v - scaling->offset);
	}

	const double deviation = count ? sqrt(squares / (double)count) : 0;

	scaling->factor = 1.0 / (deviation > 1e-9 * fabs(scaling->offset) && deviation > 0
					 ? deviation
					 : fmax(fabs(scaling->offset), 1.0));
}

/* Knee of the logarithm: the first percentile of the sizes that are not 0. */
static double find_knee(const double *sorted, size_t count)
{
	double *sizes = malloc((count + 1) * sizeof(double));
	size_t used = 0;
	double knee = 1.0;

	if (!sizes)
		return knee;
	for (size_t i = 0; i < count; i++)
		if (sorted[i] != 0)
			sizes[used++] = fabs(sorted[i]);
	qsort(sizes, used, sizeof(double), compare_doubles);
	if (used)
		knee = sizes[used / 100];
	free(sizes);
	return knee;
}

/* One knot for all rows that equal sorted[at], unless the last knot is that value already. */
static void add_knot(struct scaling *scaling, const double *sorted, size_t count, size_t at)
{
	size_t first = at, end = at + 1;

	while (first > 0 && sorted[first - 1] == sorted[at])
		first--;
	while (end < count && sorted[end] == sorted[at])
		end++;
	if (scaling->knots && scaling->x[scaling->knots - 1] >= sorted[at])
		return;
	scaling->x[scaling->knots] = sorted[at];
	scaling->y[scaling->knots] = (double)(first + end) / (double)count - 1.0;
	scaling->knots++;
}

/* Knots for the value at `at` and, if many rows share it, for its two neighbours. */
static void add_rank(struct scaling *scaling, const double *sorted, size_t count, size_t at)
{
	size_t first = at, end = at + 1;

	while (first > 0 && sorted[first - 1] == sorted[at])
		first--;
	while (end < count && sorted[end] == sorted[at])
		end++;

	const bool shared = (end - first) * RANKS > count;

	if (shared && first > 0)
		add_knot(scaling, sorted, count, first - 1);
	add_knot(scaling, sorted, count, at);
	if (shared && end < count)
		add_knot(scaling, sorted, count, end);
}

static void fit_quantiles(struct scaling *scaling, const double *sorted, size_t count)
{
	for (size_t k = 0; k <= RANKS && count; k++)
		add_rank(scaling, sorted, count, (count - 1) * k / RANKS);
	if (scaling->knots == 0) {
		scaling->knots = 1;
		scaling->x[0] = 0;
		scaling->y[0] = 0;
	}
}

int scaling_fit(struct scaling *scaling, enum scaling_kind kind, const double *values, size_t count,
		size_t stride, struct error *error)
{
	double *sorted = malloc((count + 1) * sizeof(double));

	memset(scaling, 0, sizeof(*scaling));
	scaling->kind = kind;
	scaling->factor = 1;
	scaling->knee = 1;
	if (!sorted)
		return error_set(error, ERR_NO_MEMORY, "sorting %zu values", count);
	for (size_t i = 0; i < count; i++)
		sorted[i] = values[i * stride];
	qsort(sorted, count, sizeof(double), compare_doubles);
	if (kind == SCALING_log)
		scaling->knee = find_knee(sorted, count);
	if (kind == SCALING_linear || kind == SCALING_log)
		fit_moments(scaling, sorted, count);
	if (kind == SCALING_quantile)
		fit_quantiles(scaling, sorted, count);
	free(sorted);
	return 0;
}

static double apply_quantiles(const struct scaling *scaling, double x)
{
	const int last = scaling->knots - 1;
	const double range = scaling->x[last] - scaling->x[0];
	const double slope = 1.0 / (range > 0 ? range : fmax(fabs(scaling->x[0]), 1.0));
	int low = 0, high = last;

	if (x <= scaling->x[0])
		return scaling->y[0] + (x - scaling->x[0]) * slope;
	if (x >= scaling->x[last])
		return scaling->y[last] + (x - scaling->x[last]) * slope;
	while (high - low > 1) {
		const int middle = (low + high) / 2;

		if (scaling->x[middle] <= x)
			low = middle;
		else
			high = middle;
	}
	return scaling->y[low] + (x - scaling->x[low]) * (scaling->y[high] - scaling->y[low]) /
					 (scaling->x[high] - scaling->x[low]);
}

double scaling_apply(const struct scaling *scaling, double x)
{
	double y = x;

	switch (scaling->kind) {
	case SCALING_linear:
		y = (x - scaling->offset) * scaling->factor;
		break;
	case SCALING_log:
		y = (signed_log(x, scaling->knee) - scaling->offset) * scaling->factor;
		break;
	case SCALING_quantile:
		y = apply_quantiles(scaling, x);
		break;
	case SCALING_identity:
	case SCALING_KINDS:
		return x;
	}
	return fmin(fmax(y, -SCALING_LIMIT), SCALING_LIMIT);
}
