/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/advantage.h"

#include <math.h>
#include <stdbool.h>

#include "learn/moments.h"

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

struct advantage_weights advantage_weigh(float *weight, size_t count, double beta, double most)
{
	struct advantage_weights weights = {
		.deviation = sqrt(moments_of(weight, NULL, count).variance)};
	const double unit = beta * weights.deviation;
	double largest = -INFINITY, shift, sum = 0, squares = 0;

	for (size_t i = 0; i < count; i++)
		largest = fmax(largest, unit > 0 ? (double)weight[i] / unit : 0);
	/* Below 1 nothing is bounded, only ratios count: one weight is 1, whatever underflows. */
	shift = fmin(largest, 0);
	for (size_t i = 0; i < count; i++) {
		const double free = unit > 0 ? exp((double)weight[i] / unit - shift) : 1;
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
	const double all = count ? moments_of(returned, NULL, count).variance : 0;

	return all > 0 ? 1 - moments_of(returned, value, count).variance / all : 0;
}
