/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/advantage.h"

#include <math.h>
#include <stdbool.h>

void advantage_returns(const struct advantage_rows *rows, const float *value, double gamma,
		       double lambda, float *returned)
{
	double next = 0;

	for (size_t t = rows->count; t-- > 0;) {
		const bool last = t + 1 == rows->count || rows->done[t];
		const double ahead = last ? (double)value[t]
					  : (1 - lambda) * (double)value[t + 1] + lambda * next;

		next = (1 - gamma) * rows->reward[t] + gamma * ahead;
		returned[t] = (float)next;
	}
}

/* Variance of the differences a - b; b NULL: of a. */
static double variance(const float *a, const float *b, size_t count)
{
	double mean = 0, sum = 0;

	for (size_t i = 0; i < count; i++)
		mean += (double)a[i] - (b ? (double)b[i] : 0);
	mean /= (double)count;
	for (size_t i = 0; i < count; i++) {
		const double x = (double)a[i] - (b ? (double)b[i] : 0) - mean;

		sum += x * x;
	}
	return sum / (double)count;
}

struct advantage_weights advantage_weigh(const float *returned, const float *value, size_t count,
					 double beta, double most, float *weight)
{
	struct advantage_weights weights = {.deviation = sqrt(variance(returned, value, count))};
	const double unit = beta * weights.deviation;
	double sum = 0, squares = 0;

	for (size_t i = 0; i < count; i++) {
		const double advantage = (double)returned[i] - (double)value[i];
		const double free = unit > 0 ? exp(advantage / unit) : 1;
		const double bounded = free < most ? free : most;

		weights.bounded += (free > most) / (double)count;
		weight[i] = (float)bounded;
		sum += bounded;
		squares += bounded * bounded;
	}
	weights.effective = sum * sum / ((double)count * squares);
	for (size_t i = 0; i < count; i++)
		weight[i] = (float)((double)weight[i] * (double)count / sum);
	return weights;
}

double advantage_explained(const float *returned, const float *value, size_t count)
{
	const double all = count ? variance(returned, NULL, count) : 0;

	return all > 0 ? 1 - variance(returned, value, count) / all : 0;
}
