/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Warm-up as in the released trainer's LambdaLR: step k (from 0) runs at
 * rate * min((k + 1) / warmup, 1).  The cosine is Loshchilov and Hutter's
 * (SGDR, eq. 5) without restarts, ending at a tenth of the peak so that the
 * last epochs still learn.
 */
#include "learn/schedule.h"

#include <math.h>

#define FINAL_FRACTION 0.1

static double decay_factor(const struct schedule *schedule, uint64_t step)
{
	const uint64_t warmup = schedule->warmup_steps;

	if (schedule->decay == SCHEDULE_CONSTANT || step < warmup ||
	    schedule->total_steps <= warmup + 1)
		return 1.0;

	const double span = (double)(schedule->total_steps - warmup - 1);
	const double along = fmin((double)(step - warmup) / span, 1.0);

	return FINAL_FRACTION + (1.0 - FINAL_FRACTION) * 0.5 * (1.0 + cos(M_PI * along));
}

double schedule_rate(const struct schedule *schedule, uint64_t step)
{
	double warm = 1.0;

	if (step + 1 < schedule->warmup_steps)
		warm = (double)(step + 1) / (double)schedule->warmup_steps;
	return schedule->peak_rate * warm * decay_factor(schedule, step);
}
