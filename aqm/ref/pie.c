/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "aqm/ref/pie.h"

#include <math.h>

#include "aqm/facts.h"

#define MEAN_PKTSIZE 1000.0

/* "if PIE->drop_prob_ < 0.000001 then p /= 2048, ..." */
static double scale(double p)
{
	if (p < 0.000001)
		return 2048;
	if (p < 0.00001)
		return 512;
	if (p < 0.0001)
		return 128;
	if (p < 0.001)
		return 32;
	if (p < 0.01)
		return 8;
	return p < 0.1 ? 2 : 1;
}

void oracle_pie_update(struct oracle_pie *pie, double current_qdelay)
{
	double p = pie->alpha * (current_qdelay - pie->qdelay_ref) +
		   pie->beta * (current_qdelay - pie->qdelay_old);

	p /= scale(pie->drop_prob);
	if (pie->drop_prob >= 0.1 && p > 0.02)
		p = 0.02;
	pie->drop_prob = fmin(fmax(pie->drop_prob + p, 0), 1);
	if (current_qdelay == 0 && pie->qdelay_old == 0)
		pie->drop_prob *= 0.98;
	pie->burst_allowance = fmax(0, pie->burst_allowance - pie->t_update);
	if (pie->drop_prob == 0 && current_qdelay < pie->qdelay_ref / 2 &&
	    pie->qdelay_old < pie->qdelay_ref / 2)
		pie->burst_allowance = pie->max_burst;
	pie->qdelay_old = current_qdelay;
}

/* drop_early() */
static bool drops_early(struct oracle_pie *pie, double queue_bytes, double u)
{
	if ((pie->qdelay_old < pie->qdelay_ref / 2 && pie->drop_prob < 0.2) ||
	    queue_bytes <= 2 * MEAN_PKTSIZE)
		return false;
	if (pie->drop_prob == 0)
		pie->accu_prob = 0;
	pie->accu_prob += pie->drop_prob;
	if (pie->accu_prob < 0.85)
		return false;
	return pie->accu_prob >= 8.5 || u < pie->drop_prob;
}

int oracle_pie_arrival(struct oracle_pie *pie, double queue_bytes, bool ecn_capable, double u)
{
	if (pie->burst_allowance > 0 || !drops_early(pie, queue_bytes, u))
		return AQM_PASS;
	pie->accu_prob = 0;
	return ecn_capable && pie->drop_prob <= pie->mark_ecnth ? AQM_MARK : AQM_DROP;
}
