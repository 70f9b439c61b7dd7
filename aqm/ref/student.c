/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "aqm/ref/student.h"

#include <math.h>

double oracle_student_curve(int curve, double z)
{
	if (curve == 1)
		return fmax(z, 0);
	if (curve == 2)
		return fabs(z) < 2 ? z - z * fabs(z) / 4 : copysign(1, z);
	if (curve == 3)
		return 0.5 + oracle_student_curve(2, z / 2) / 2;
	return z;
}

void oracle_student_dense(int outputs, int inputs, const double *w, const double *b, int curve,
			  const double *x, double *y)
{
	for (int o = 0; o < outputs; o++) {
		double sum = b[o];

		for (int i = 0; i < inputs; i++)
			sum += w[o * inputs + i] * x[i];
		y[o] = oracle_student_curve(curve, fmin(fmax(sum, -8), 8));
	}
}

void oracle_student_cell(int size, int inputs, const double *g, const double *g_b, const double *n,
			 const double *n_b, const double *x, double *h)
{
	double both[256], gate[256], candidate[256];

	for (int i = 0; i < inputs + size; i++)
		both[i] = i < inputs ? x[i] : h[i - inputs];
	oracle_student_dense(2 * size, inputs + size, g, g_b, 3, both, gate);
	for (int i = 0; i < size; i++)
		both[inputs + i] = gate[i] * h[i];
	oracle_student_dense(size, inputs + size, n, n_b, 2, both, candidate);
	for (int i = 0; i < size; i++)
		h[i] = (1 - gate[size + i]) * h[i] + gate[size + i] * candidate[i];
}

void oracle_student_heed(int width, int window, const double *query, const double *key,
			 const double *value, const double *lag, double *heeded)
{
	double score[64], largest = -INFINITY, sum = 0;

	for (int i = 0; i < window; i++) {
		score[i] = lag[i];
		for (int j = 0; j < width; j++)
			score[i] += query[j] * key[i * width + j];
		largest = fmax(largest, score[i]);
	}
	for (int i = 0; i < window; i++)
		sum += exp2(fmax(score[i], largest - 8));
	for (int j = 0; j < width; j++) {
		heeded[j] = 0;
		for (int i = 0; i < window; i++)
			heeded[j] += exp2(fmax(score[i], largest - 8)) / sum * value[i * width + j];
	}
}

double oracle_student_setting(double value, double output, double low, double high)
{
	return fmin(fmax(value * exp2(output), low), high);
}

double oracle_student_distance(double added, double p_c, double regularity, double e)
{
	return added + p_c - (regularity + (1 - regularity) * e);
}

double oracle_student_steep(double p, double below, double above, double sojourn, double target)
{
	const double steepness = sojourn < target ? below : above;

	return fmin(p * fmax(1 + steepness * (fmin(sojourn / target, 3) - 1), 0), 1);
}
