/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "aqm/ref/red.h"

#include <math.h>

#include "aqm/facts.h"

/* "if the queue is nonempty ... else m = f(time - q_time)": the packets that could have left. */
void oracle_red_average(struct oracle_red *red, double q_bytes, double idle_s)
{
	if (q_bytes > 0)
		red->avg += red->w_q * (q_bytes - red->avg);
	else
		red->avg *= pow(1 - red->w_q, floor(idle_s / red->packet_time_s));
}

static double base_probability(const struct oracle_red *red)
{
	if (red->avg < red->max_bytes)
		return red->max_p * (red->avg - red->min_bytes) /
		       (red->max_bytes - red->min_bytes);
	if (red->gentle && red->avg < 2 * red->max_bytes)
		return red->max_p +
		       (1 - red->max_p) * (red->avg - red->max_bytes) / red->max_bytes;
	return 1;
}

int oracle_red_decide(struct oracle_red *red, bool can_mark, double draw)
{
	double p_a;

	if (red->avg < red->min_bytes) {
		red->count = -1;
		red->p_b = 0;
		return AQM_PASS;
	}
	red->count++;
	red->p_b = base_probability(red);
	if (red->avg >= (red->gentle ? 2 : 1) * red->max_bytes) {
		red->count = 0;
		return AQM_DROP;
	}
	p_a = red->count * red->p_b < 1 ? red->p_b / (1 - red->count * red->p_b) : 1;
	if (draw >= p_a)
		return AQM_PASS;
	red->count = 0;
	return can_mark && red->ecn ? AQM_MARK : AQM_DROP;
}

void oracle_red_adapt(struct oracle_red *red)
{
	const double span = red->max_bytes - red->min_bytes;

	if (red->avg > red->min_bytes + 0.6 * span && red->max_p <= 0.5)
		red->max_p += fmin(0.01, red->max_p / 4);
	else if (red->avg < red->min_bytes + 0.4 * span && red->max_p >= 0.01)
		red->max_p *= 0.9;
}
