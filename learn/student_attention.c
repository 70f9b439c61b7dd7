/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/student_attention.h"

#include <math.h>
#include <string.h>

#define DEPTH 8.0f /* scores further below the largest count as so far */

static float dot(int width, const float *a, const float *b)
{
	float sum = 0;

	for (int i = 0; i < width; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Rows of decisions move to the next lag, and `newest` becomes lag 0. */
static void move(int width, int window, float *rows, const float *newest)
{
	memmove(rows + width, rows, (size_t)((window - 1) * width) * sizeof(*rows));
	memcpy(rows, newest, (size_t)width * sizeof(*rows));
}

/* Back again: what is by lag 0 leaves, and of the oldest nothing is known. */
static void move_back(int width, int window, float *rows)
{
	memmove(rows, rows + width, (size_t)((window - 1) * width) * sizeof(*rows));
	memset(rows + (window - 1) * width, 0, (size_t)width * sizeof(*rows));
}

/* 2^z as aqm_exp2_q16() has it, a chord and a parabola; its derivative goes to `rise`. */
static float power_of_two(float z, float *rise)
{
	const float bend = 88.0f / 256, whole = floorf(z), f = z - whole;

	*rise = ldexpf(1 - bend * (1 - 2 * f), (int)whole);
	return ldexpf(1 + f - bend * f * (1 - f), (int)whole);
}

/* Shares from scores. */
static void shares(int window, const float *score, struct student_attention_tape *tape)
{
	float sum = 0;

	tape->largest = 0;
	for (int lag = 1; lag < window; lag++)
		if (score[lag] > score[tape->largest])
			tape->largest = lag;
	for (int lag = 0; lag < window; lag++) {
		const float below = score[tape->largest] - score[lag];

		tape->share[lag] = power_of_two(-fminf(below, DEPTH), &tape->rise[lag]);
		if (below >= DEPTH)
			tape->rise[lag] = 0;
		sum += tape->share[lag];
	}
	for (int lag = 0; lag < window; lag++) {
		tape->share[lag] /= sum;
		tape->rise[lag] /= sum;
	}
}

void student_attention_forward(int width, int window, const float *said,
			       struct student_attention_past *past, float *y,
			       struct student_attention_tape *tape)
{
	float score[AQM_STUDENT_WINDOW];

	move(width, window, past->key, said + width);
	move(width, window, past->value, said + 2 * width);
	tape->past = *past;
	for (int lag = 0; lag < window; lag++)
		score[lag] = dot(width, said, past->key + lag * width) + said[3 * width + lag];
	shares(window, score, tape);
	memset(y, 0, (size_t)width * sizeof(*y));
	for (int lag = 0; lag < window; lag++)
		for (int i = 0; i < width; i++)
			y[i] += tape->share[lag] * past->value[lag * width + i];
}

/*
 * Derivatives by scores from those by shares: a power is that of how far its score is below the
 * largest.
 */
static void scores_backward(int window, const struct student_attention_tape *tape,
			    const float *d_share, float *d_score)
{
	const float mean = dot(window, tape->share, d_share);
	float by_largest = 0;

	for (int lag = 0; lag < window; lag++) {
		d_score[lag] = lag == tape->largest ? 0 : tape->rise[lag] * (d_share[lag] - mean);
		by_largest -= d_score[lag];
	}
	d_score[tape->largest] = by_largest;
}

void student_attention_backward(int width, int window, const float *said, const float *d_y,
				const struct student_attention_tape *tape,
				struct student_attention_past *d_past, float *d_said)
{
	float d_share[AQM_STUDENT_WINDOW], d_score[AQM_STUDENT_WINDOW];

	for (int lag = 0; lag < window; lag++)
		d_share[lag] = dot(width, d_y, tape->past.value + lag * width);
	scores_backward(window, tape, d_share, d_score);
	memset(d_said, 0, (size_t)width * sizeof(*d_said));
	for (int lag = 0; lag < window; lag++) {
		for (int i = 0; i < width; i++) {
			const int at = lag * width + i;

			d_said[i] += d_score[lag] * tape->past.key[at];
			d_past->key[at] += d_score[lag] * said[i];
			d_past->value[at] += tape->share[lag] * d_y[i];
		}
	}
	memcpy(d_said + width, d_past->key, (size_t)width * sizeof(*d_said));
	memcpy(d_said + 2 * width, d_past->value, (size_t)width * sizeof(*d_said));
	memcpy(d_said + 3 * width, d_score, (size_t)window * sizeof(*d_said));
	move_back(width, window, d_past->key);
	move_back(width, window, d_past->value);
}
