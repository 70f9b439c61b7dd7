/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/settings_error.h"

#include <math.h>
#include <stdlib.h>

#include "learn/student_fit.h"
#include "learn/student_float.h"

#define WIDTH AQM_STUDENT_SETTING_COUNT

struct tally {
	struct settings_error *out;
	double mean[WIDTH];  /* of the teacher's settings */
	float *differences; /* float against integers */
	size_t compared;
};

static double distance(const double *a, const double *b)
{
	double largest = 0;

	for (int i = 0; i < WIDTH; i++)
		largest = fmax(largest, fabs(a[i] - b[i]));
	return largest;
}

static void target_at(const struct visits_part *part, int64_t row, double *target)
{
	for (int i = 0; i < WIDTH; i++)
		target[i] = (double)part->target[row * WIDTH + i];
}

static void take_means(struct tally *tally, const struct visits_part *part)
{
	double sum[WIDTH] = {0}, target[WIDTH];

	for (int64_t row = 0; row < part->segments * VISITS_SEGMENT; row++) {
		if (!visits_asked(part->target + row * WIDTH))
			continue;
		target_at(part, row, target);
		for (int i = 0; i < WIDTH; i++)
			sum[i] += target[i];
		tally->out->rows++;
	}
	for (int i = 0; i < WIDTH && tally->out->rows > 0; i++)
		tally->mean[i] = sum[i] / tally->out->rows;
}

static void integers_say(const struct aqm_student_model *model, struct aqm_student_state *state,
			 const int16_t *seen, double *octaves)
{
	int16_t output[AQM_STUDENT_OUTPUTS];

	aqm_student_run(model, state, seen, output);
	for (int i = 0; i < WIDTH; i++)
		octaves[i] = (double)output[i] / AQM_STUDENT_ONE;
}

static void floats_say(const struct aqm_student_model *model, const float *theta,
		       struct student_float_state *state, const int16_t *seen, double *octaves)
{
	float input[AQM_STUDENT_INPUTS], output[AQM_STUDENT_OUTPUTS];

	student_float_inputs(model, seen, input);
	student_float_forward(model, theta, state, input, output, NULL);
	for (int i = 0; i < WIDTH; i++)
		octaves[i] = (double)output[i];
}

static void add_segment(struct tally *tally, const struct aqm_student_model *model,
			const float *theta, const struct visits *visits,
			const struct visits_part *part, int64_t segment)
{
	const bool remembers = theta && student_fit_remembers(model);
	struct aqm_student_state state = {0};
	struct student_float_state float_state = {0};

	for (int64_t step = 0; step < VISITS_SEGMENT; step++) {
		const int64_t row = segment * VISITS_SEGMENT + step;
		const int16_t *seen = part->seen + row * visits->features;
		double integers[WIDTH], floats[WIDTH], target[WIDTH];

		integers_say(model, &state, seen, integers);
		if (theta)
			floats_say(model, theta, &float_state, seen, floats);
		if (remembers && step < STUDENT_FIT_BURN_IN)
			continue;
		tally->differences[tally->compared++] =
			theta ? (float)distance(integers, floats) : 0;
		if (!visits_asked(part->target + row * WIDTH))
			continue;
		target_at(part, row, target);
		tally->out->rows++;
		tally->out->error += distance(integers, target);
		tally->out->spread += distance(tally->mean, target);
	}
}

static int by_size(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void summarise(struct tally *tally)
{
	struct settings_error *out = tally->out;

	for (size_t i = 0; i < tally->compared; i++)
		out->float_mean += (double)tally->differences[i] / (double)tally->compared;
	qsort(tally->differences, tally->compared, sizeof(*tally->differences), by_size);
	if (tally->compared)
		out->float_p99 = (double)tally->differences[(tally->compared - 1) * 99 / 100];
	if (out->rows > 0) {
		out->error /= out->rows;
		out->spread /= out->rows;
	}
}

int settings_error_measure(struct settings_error *out, const struct aqm_student_model *model,
			   const float *theta, const struct visits *visits,
			   const struct visits_part *part, struct error *error)
{
	struct tally tally = {.out = out};

	*out = (struct settings_error){0};
	tally.differences = malloc(((size_t)(part->segments * VISITS_SEGMENT) + 1) *
				   sizeof(*tally.differences));
	if (!tally.differences)
		return error_set(error, ERR_NO_MEMORY, "out of memory for differences");
	take_means(&tally, part);
	out->rows = 0;
	for (int64_t s = 0; s < part->segments; s++)
		add_segment(&tally, model, theta, visits, part, s);
	summarise(&tally);
	free(tally.differences);
	return 0;
}
