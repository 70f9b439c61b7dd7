/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Squares and Gram matrices, sums in double.
 */
#include "learn/output_loss.h"

#include "base/error.h"
#include "learn/gram.h"

/*
 * Least mean square of a teacher's centred row that counts, octaves^2: below it all states of the
 * batch get the same settings within 1/100 of an octave, and there is nothing to tell apart.
 */
#define LEAST_SQUARE 1e-4

int output_loss(double correlation, struct arena *arena, const float *outputs, const float *teacher,
		int64_t rows, int width, struct distill_terms *terms, float *d_outputs)
{
	const struct gram_options options = {.weight = correlation, .least_square = LEAST_SQUARE};
	const size_t cells = (size_t)rows * (size_t)width;
	double *room = arena_alloc(arena, 3 * cells * sizeof(*room) + 1);
	double *own = room, *wanted = room + cells, *d = room + 2 * cells;
	int status = room ? 0 : ERR_NO_MEMORY;

	*terms = (struct distill_terms){0};
	if (status || rows == 0)
		return status;
	for (size_t i = 0; i < cells; i++) {
		own[i] = (double)outputs[i];
		wanted[i] = (double)teacher[i];
		d[i] = 0;
	}
	if (correlation > 0)
		status = gram_difference(arena, &options, own, wanted, rows, width,
					 &terms->correlation, d);
	for (size_t i = 0; i < cells; i++) {
		const double wrong = own[i] - wanted[i];

		terms->plain += wrong * wrong / (double)rows;
		if (d_outputs)
			d_outputs[i] = (float)(2 * wrong / (double)rows + d[i]);
	}
	return status;
}
