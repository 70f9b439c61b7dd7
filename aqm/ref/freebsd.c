/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "aqm/ref/freebsd.h"

#include <math.h>

#include "aqm/facts.h"

#define ONE 2147483647.0L
#define MEAN_PKTSIZE 800

/* Where auto-tuning shifts less: whole numbers of the probability's unit. */
static int scale_shift(long double p)
{
	static const long double below[] = {1e6L, 1e5L, 1e4L, 1e3L, 1e2L, 1e1L};
	static const int shift[] = {11, 9, 7, 5, 3, 1};

	for (int i = 0; i < 6; i++)
		if (p < floorl(ONE / below[i]))
			return shift[i];
	return 0;
}

void oracle_freebsd_update(struct oracle_freebsd *pie, bool empty)
{
	const long double qdelay = empty ? 0 : pie->current_qdelay;
	const long double change = pie->alpha * (qdelay - pie->target) +
				   pie->beta * (qdelay - pie->qdelay_old);
	/* Beyond 2^38 the core cuts: the probability is then saturated in any case. */
	const long double size = fminl(fabsl(change), 0x1p38L);
	long double step = floorl(size * floorl(ONE * 4096 / 1e6L) /
				  ldexpl(1, scale_shift(pie->drop_prob) + 13 + 12));

	if (change < 0)
		step = -step;
	else if (pie->cap_drop && pie->drop_prob >= floorl(ONE / 10) && step > floorl(ONE / 50))
		step = floorl(ONE / 50);
	pie->drop_prob = fmaxl(pie->drop_prob + step, 0);
	if (qdelay == 0 && pie->qdelay_old == 0)
		pie->drop_prob -= floorl(pie->drop_prob / 64);
	pie->drop_prob = fminl(pie->drop_prob, ONE);
	pie->current_qdelay = pie->qdelay_old = qdelay;
	pie->burst_allowance = fmaxl(0, pie->burst_allowance - pie->tupdate);
}

/* drop_early(): two draws where the queue is Classic. */
static bool drops_early(struct oracle_freebsd *pie, double queue_bytes, double draw1,
			double draw2)
{
	if ((pie->qdelay_old < floorl(pie->target / 2) && pie->drop_prob < floorl(ONE / 5)) ||
	    queue_bytes <= 2 * MEAN_PKTSIZE)
		return false;
	if (pie->drop_prob == 0)
		pie->accu_prob = 0;
	if (pie->derandomise) {
		pie->accu_prob += pie->drop_prob;
		if (pie->accu_prob < floorl(ONE * 17 / 20))
			return false;
		if (pie->accu_prob >= floorl(ONE * 17 / 2))
			return true;
	}
	if (draw1 >= pie->drop_prob || (pie->classic && draw2 >= pie->drop_prob))
		return false;
	pie->accu_prob = 0;
	return true;
}

int oracle_freebsd_arrival(struct oracle_freebsd *pie, double queue_bytes, bool ecn_capable,
			   double draw1, double draw2, int *done)
{
	const long double half = floorl(pie->target / 2);
	int says = AQM_PASS;

	if (drops_early(pie, queue_bytes, draw1, draw2))
		says = pie->ecn && ecn_capable && pie->drop_prob < pie->max_ecnth * 0x1p18L
			       ? AQM_MARK
			       : AQM_DROP;
	if (pie->drop_prob == 0 && pie->current_qdelay < half && pie->qdelay_old < half)
		pie->burst_allowance = pie->max_burst;
	*done = says == AQM_DROP && pie->burst_allowance > 0 ? AQM_PASS : says;
	return says;
}
