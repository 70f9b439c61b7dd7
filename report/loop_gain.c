/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/loop_gain.h"

#include <math.h>
#include <stdlib.h>

double complex loop_gain(const struct loop_runs *runs, size_t tone, const size_t *chosen,
			 size_t units)
{
	double complex given = 0, met = 0;

	for (size_t i = 0; i < units; i++) {
		given += runs->given[chosen[i] * runs->tones + tone];
		met += runs->met[chosen[i] * runs->tones + tone];
	}
	return -given / met;
}

/* Of a ratio of sums: the scatter of U + L E, whose sum is 0, over the sum below. */
double loop_gain_error(const struct loop_runs *runs, size_t tone)
{
	const double n = (double)runs->runs;
	double complex given = 0, met = 0, gain;
	double squares = 0;

	for (size_t r = 0; r < runs->runs; r++) {
		given += runs->given[r * runs->tones + tone];
		met += runs->met[r * runs->tones + tone];
	}
	gain = -given / met;
	for (size_t r = 0; r < runs->runs; r++) {
		const double off = cabs(runs->given[r * runs->tones + tone] +
					gain * runs->met[r * runs->tones + tone]);

		squares += off * off;
	}
	return n > 1 ? sqrt(squares * n / (n - 1)) / cabs(met) : NAN;
}

void loop_phases(const double complex *gains, size_t count, double *degrees)
{
	for (size_t i = 0; i < count; i++) {
		degrees[i] = carg(gains[i]) * 180 / acos(-1);
		while (i > 0 && degrees[i] - degrees[i - 1] > 180)
			degrees[i] -= 360;
		while (i > 0 && degrees[i] - degrees[i - 1] < -180)
			degrees[i] += 360;
	}
}

/* Share of the way from `from` to `to` at which `level` is passed downwards; NaN: it is not. */
static double fall_through(double from, double to, double level)
{
	return from > level && to <= level ? (from - level) / (from - to) : NAN;
}

static double between(double from, double to, double share)
{
	return from + share * (to - from);
}

struct loop_margins loop_margins_of(const double *hz, const double complex *gains, size_t count)
{
	struct loop_margins margins = {NAN, NAN, NAN, NAN, INFINITY};
	double *phases = calloc(count + 1, sizeof(*phases));

	if (phases)
		loop_phases(gains, count, phases);
	for (size_t i = 0; i < count; i++)
		margins.modulus = fmin(margins.modulus, cabs(1 + gains[i]));
	for (size_t i = 0; phases && i + 1 < count; i++) {
		const double low = log(cabs(gains[i])), high = log(cabs(gains[i + 1]));
		const double cross = fall_through(low, high, 0);
		const double turn = fall_through(phases[i], phases[i + 1], -180);
		const double gain = exp(-between(low, high, turn));

		if (!isnan(cross)) {
			margins.crossover_hz = exp(between(log(hz[i]), log(hz[i + 1]), cross));
			margins.phase_deg = 180 + between(phases[i], phases[i + 1], cross);
		}
		if (!isnan(turn) && !(gain >= margins.gain)) {
			margins.turn_hz = exp(between(log(hz[i]), log(hz[i + 1]), turn));
			margins.gain = gain;
		}
	}
	free(phases);
	return margins;
}
