/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/agreement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/student_fit.h"
#include "learn/student_float.h"

#define CLASSES 3
#define LEAST 1e-9 /* probability in a logarithm */

struct tally {
	double rows, agreed, kl, error;
	double answers[CLASSES], agreed_on[CLASSES];
	float *differences; /* float against integers */
	size_t compared;
};

static int most_likely(const double *p)
{
	int best = 0;

	for (int c = 1; c < CLASSES; c++)
		if (p[c] > p[best])
			best = c;
	return best;
}

static double distance(const double *a, const double *b)
{
	double largest = 0;

	for (int c = 0; c < CLASSES; c++)
		largest = fmax(largest, fabs(a[c] - b[c]));
	return largest;
}

static void tally_add(struct tally *tally, const float *target, const double *student)
{
	const double teacher[CLASSES] = {(double)target[0], (double)target[1], (double)target[2]};
	const int answer = most_likely(teacher);
	const bool agreed = answer == most_likely(student);

	tally->rows++;
	tally->agreed += agreed;
	tally->answers[answer]++;
	tally->agreed_on[answer] += agreed;
	tally->error += distance(teacher, student);
	for (int c = 0; c < CLASSES; c++)
		if (teacher[c] > 0)
			tally->kl += teacher[c] * log(teacher[c] / fmax(student[c], LEAST));
}

static void integers_run(const struct aqm_student_model *model, struct aqm_student_state *state,
			 const int16_t *seen, double *probability)
{
	int16_t output[AQM_STUDENT_OUTPUTS];

	aqm_student_run(model, state, seen, output);
	student_probabilities(output, probability);
}

static void floats_run(const struct aqm_student_model *model, const float *theta,
		       struct student_float_state *state, const int16_t *seen, double *probability)
{
	float input[AQM_STUDENT_INPUTS], output[AQM_STUDENT_OUTPUTS];

	student_float_inputs(model, seen, input);
	student_float_forward(model, theta, state, input, output, NULL);
	student_float_probabilities(output, probability);
}

static void segment_add(struct tally *tally, const struct aqm_student_model *model,
			const float *theta, const struct visits *visits,
			const struct visits_part *part, int64_t segment)
{
	const bool remembers = student_fit_remembers(model);
	struct aqm_student_state state = {0};
	struct student_float_state float_state = {0};

	for (int64_t step = 0; step < VISITS_SEGMENT; step++) {
		const int64_t row = segment * VISITS_SEGMENT + step;
		const int16_t *seen = part->seen + row * visits->features;
		const float *target = part->target + row * CLASSES;
		double integers[CLASSES], floats[CLASSES];

		integers_run(model, &state, seen, integers);
		if (theta)
			floats_run(model, theta, &float_state, seen, floats);
		if (remembers && step < STUDENT_FIT_BURN_IN)
			continue;
		if (part->law[row] > 0)
			tally->differences[tally->compared++] =
				theta ? (float)distance(integers, floats) : 0;
		if (visits_asked(target))
			tally_add(tally, target, integers);
	}
}

static int by_size(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void summarise(struct agreement *agreement, struct tally *tally)
{
	double present = 0, most = 0;

	*agreement = (struct agreement){.rows = tally->rows};
	for (size_t i = 0; i < tally->compared; i++)
		agreement->float_mean += (double)tally->differences[i] / (double)tally->compared;
	qsort(tally->differences, tally->compared, sizeof(*tally->differences), by_size);
	if (tally->compared)
		agreement->float_p99 = (double)tally->differences[(tally->compared - 1) * 99 / 100];
	if (tally->rows == 0)
		return;
	for (int c = 0; c < CLASSES; c++) {
		most = fmax(most, tally->answers[c]);
		if (tally->answers[c] == 0)
			continue;
		present++;
		agreement->balanced += tally->agreed_on[c] / tally->answers[c];
	}
	agreement->majority = most / tally->rows;
	agreement->agreement = tally->agreed / tally->rows;
	agreement->balanced /= present;
	agreement->kl = tally->kl / tally->rows;
	agreement->error = tally->error / tally->rows;
}

int agreement_measure(struct agreement *agreement, const struct aqm_student_model *model,
		      const float *theta, const struct visits *visits,
		      const struct visits_part *part, struct error *error)
{
	struct tally tally = {0};

	tally.differences = malloc(((size_t)(part->segments * VISITS_SEGMENT) + 1) *
				   sizeof(*tally.differences));
	if (!tally.differences)
		return error_set(error, ERR_NO_MEMORY, "out of memory for differences");
	for (int64_t s = 0; s < part->segments; s++)
		segment_add(&tally, model, theta, visits, part, s);
	summarise(agreement, &tally);
	free(tally.differences);
	return 0;
}
