/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With centred rows U of the student and V of the teacher S = U U^T, G = V V^T, and
 *
 *     |S - G|^2 = |U^T U|^2 - 2 |V^T U|^2 + |V^T V|^2,
 *     d|S - G|^2 / dU = 4 (U (U^T U) - V (V^T U)),
 *
 * so nothing of the size rows x rows is ever made: only width x width.
 */
#include "learn/gram.h"

#include "base/error.h"

/* Rows of x less their mean; `out` may be `x`. */
static void centre_rows(int64_t rows, int width, const double *x, double *out)
{
	double mean[GRAM_MAX_WIDTH] = {0};

	for (int64_t r = 0; r < rows; r++)
		for (int c = 0; c < width; c++)
			mean[c] += x[r * width + c] / (double)rows;
	for (int64_t r = 0; r < rows; r++)
		for (int c = 0; c < width; c++)
			out[r * width + c] = x[r * width + c] - mean[c];
}

/* a^T b (width, width); returns the sum of its squares. */
static double products(int64_t rows, int width, const double *a, const double *b,
		       double out[GRAM_MAX_WIDTH][GRAM_MAX_WIDTH])
{
	double squares = 0;

	for (int i = 0; i < width; i++)
		for (int j = 0; j < width; j++) {
			double sum = 0;

			for (int64_t r = 0; r < rows; r++)
				sum += a[r * width + i] * b[r * width + j];
			out[i][j] = sum;
			squares += sum * sum;
		}
	return squares;
}

int gram_difference(struct arena *arena, const struct gram_options *options, const double *student,
		    const double *teacher, int64_t rows, int width, double *difference,
		    double *d_student)
{
	const size_t cells = (size_t)rows * (size_t)width;
	const double least = options->least_square * (double)rows;
	double own[GRAM_MAX_WIDTH][GRAM_MAX_WIDTH], cross[GRAM_MAX_WIDTH][GRAM_MAX_WIDTH];
	double others[GRAM_MAX_WIDTH][GRAM_MAX_WIDTH];
	double *centred = arena_alloc(arena, 2 * cells * sizeof(*centred) + 1);
	double *centred_teacher, size, squares;

	if (!centred)
		return ERR_NO_MEMORY;
	centred_teacher = centred + cells;
	centre_rows(rows, width, student, centred);
	centre_rows(rows, width, teacher, centred_teacher);
	squares = products(rows, width, centred_teacher, centred_teacher, others);
	size = squares > least * least ? squares : least * least;
	*difference = (products(rows, width, centred, centred, own) -
		       2 * products(rows, width, centred_teacher, centred, cross) + squares) /
		      size;
	for (int64_t r = 0; r < rows; r++)
		for (int c = 0; c < width; c++) {
			double sum = 0;

			for (int i = 0; i < width; i++)
				sum += centred[r * width + i] * own[i][c] -
				       centred_teacher[r * width + i] * cross[i][c];
			d_student[r * width + c] = 4 * options->weight * sum / size;
		}
	centre_rows(rows, width, d_student, d_student);
	return 0;
}
