/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The texts: RFC 8033 section 4.2, RFC 9332 appendix A.1, and the description
 * of the released router's controller (probability as a share of 2^31 - 1).
 */
#include "aqm/ref/oracle.h"

#include <math.h>

static double within(double value, double low, double high)
{
	return fmin(fmax(value, low), high);
}

/* "if PIE->drop_prob_ < 0.000001 then p /= 2048, ..." */
static double pie_scale(double p)
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

void oracle_pie_update(struct oracle_pie *pie, double qdelay_s)
{
	double step = pie->alpha * (qdelay_s - pie->target_s) +
		      pie->beta * (qdelay_s - pie->previous_qdelay_s);

	step /= pie_scale(pie->p);
	if (pie->p >= 0.1 && step > 0.02)
		step = 0.02;
	pie->p = within(pie->p + step, 0, 1);
	if (qdelay_s == 0 && pie->previous_qdelay_s == 0)
		pie->p *= 0.98;
	pie->previous_qdelay_s = qdelay_s;
}

void oracle_dualpi2_update(struct oracle_dualpi2 *law, double qdelay_s)
{
	law->p = within(law->p + law->alpha * (qdelay_s - law->target_s) +
				law->beta * (qdelay_s - law->previous_qdelay_s),
			0, law->highest);
	law->previous_qdelay_s = qdelay_s;
}

double oracle_dualpi2_classic(const struct oracle_dualpi2 *law)
{
	return law->p * law->p;
}

double oracle_dualpi2_coupled(const struct oracle_dualpi2 *law)
{
	return law->k * law->p;
}

double oracle_ramp(double low_s, double high_s, double sojourn_s)
{
	return within((sojourn_s - low_s) / (high_s - low_s), 0, 1);
}

/* The same table, with thresholds that are whole numbers of the probability's unit. */
static double freebsd_scale(double p)
{
	static const double below[] = {1e6, 1e5, 1e4, 1e3, 1e2, 1e1};
	static const double scale[] = {2048, 512, 128, 32, 8, 2};

	for (int i = 0; i < 6; i++)
		if (p < floor(2147483647.0 / below[i]))
			return scale[i];
	return 1;
}

void oracle_freebsd_update(struct oracle_freebsd *pie)
{
	const double one = 2147483647.0;
	double step = (pie->alpha * (pie->qdelay_us - pie->target_us) +
		       pie->beta * (pie->qdelay_us - pie->previous_qdelay_us)) /
		      1e6 * one;

	step /= freebsd_scale(pie->p);
	if (pie->capped && pie->p >= 0.1 * one && step > 0.02 * one)
		step = 0.02 * one;
	pie->p = fmax(pie->p + step, 0);
	if (pie->p > 0 && pie->qdelay_us == 0 && pie->previous_qdelay_us == 0)
		pie->p *= 63.0 / 64;
	pie->p = fmin(pie->p, one);
	pie->previous_qdelay_us = pie->qdelay_us;
}
