/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cross-entropy and its gradient, (softmax - onehot) / rows: natural
 * logarithm, rows shifted by their largest logit, sums in double.
 */
#include "learn/loss.h"

#include <math.h>

/* ln sum exp(logits), exact where single exponentials would underflow. */
static double log_sum_exp(const float *logits, int classes)
{
	double top = logits[0];
	double sum = 0;

	for (int c = 1; c < classes; c++)
		top = fmax(top, (double)logits[c]);
	for (int c = 0; c < classes; c++)
		sum += exp((double)logits[c] - top);
	return top + log(sum);
}

void softmax_row(const float *logits, int classes, double *probability)
{
	const double total = log_sum_exp(logits, classes);

	for (int c = 0; c < classes; c++)
		probability[c] = exp((double)logits[c] - total);
}

double cross_entropy(const float *logits, const int32_t *labels, int64_t rows, int classes,
		     const float *weight, double scale, float *d_logits)
{
	double loss = 0;

	for (int64_t r = 0; r < rows; r++) {
		const float *row = logits + r * classes;
		const double total = log_sum_exp(row, classes);
		const double w = weight ? (double)weight[r] : 1.0;

		loss += w * (total - (double)row[labels[r]]);
		for (int c = 0; d_logits && c < classes; c++) {
			const double p = exp((double)row[c] - total);
			const double onehot = c == labels[r] ? 1.0 : 0.0;

			d_logits[r * classes + c] =
				(float)((p - onehot) * w * scale / (double)rows);
		}
	}
	return rows ? loss / (double)rows : 0;
}

double cross_entropy_soft(const float *logits, const double *target, int64_t rows, int classes,
			  const float *weight, double scale, float *d_logits)
{
	double loss = 0;

	for (int64_t r = 0; r < rows; r++) {
		const float *row = logits + r * classes;
		const double total = log_sum_exp(row, classes);
		const double w = weight ? (double)weight[r] : 1.0;

		for (int c = 0; c < classes; c++) {
			const double q = target[r * classes + c];

			loss += w * q * (total - (double)row[c]);
			if (d_logits)
				d_logits[r * classes + c] =
					(float)((exp((double)row[c] - total) - q) * w * scale /
						(double)rows);
		}
	}
	return rows ? loss / (double)rows : 0;
}
