/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random draws stand in for the appendix's recur(), as its notes allow and Linux
 * does; a square is the larger of two draws.
 */
#include "aqm/ref/pi2.h"

#include <math.h>

#include "aqm/facts.h"

void oracle_pi_update(struct oracle_pi *pi, double cur_q)
{
	pi->p += pi->alpha * (cur_q - pi->target) + pi->beta * (cur_q - pi->prev_q);
	pi->p = fmin(fmax(pi->p, 0), pi->highest);
	pi->prev_q = cur_q;
}

int oracle_pi2_arrival(const struct oracle_pi2 *pi2, const struct oracle_arrival *packet)
{
	const bool scalable = packet->ecn == AQM_ECT1 || packet->ecn == AQM_CE;
	const bool overload = pi2->p * pi2->p >= pi2->ecn_max_p;
	const bool classic_signal = fmax(packet->u1, packet->u2) < pi2->p;

	if (pi2->burst_allowance > 0 || packet->queued_bytes < 2 * pi2->mtu_bytes)
		return AQM_PASS;
	if (classic_signal && (packet->ecn == AQM_NOT_ECT || overload))
		return AQM_DROP;
	if (scalable)
		return packet->u1 < pi2->k * pi2->p ? AQM_MARK : AQM_PASS;
	return classic_signal ? AQM_MARK : AQM_PASS;
}

/* laqm() of appendix A.1; where the thresholds meet, Linux's step. */
static double native_probability(const struct oracle_dualpi2 *law,
				 const struct oracle_arrival *packet)
{
	const double q = packet->sojourn;

	if (packet->found_pkts < law->th_pkts || packet->ecn == AQM_NOT_ECT)
		return 0;
	if (law->min_th == law->max_th)
		return q > law->max_th ? 1 : 0;
	if (q >= law->max_th)
		return 1;
	return q > law->min_th ? (q - law->min_th) / (law->max_th - law->min_th) : 0;
}

static int marked(const struct oracle_arrival *packet)
{
	return packet->ecn == AQM_NOT_ECT ? AQM_DROP : AQM_MARK;
}

/* With p_L the larger of p'_L, given, and p_CL. */
static int fate(const struct oracle_dualpi2 *law, const struct oracle_arrival *packet,
		double p_l_native)
{
	const bool acts = packet->queued_bytes >= 2 * law->mtu_bytes;
	const double p = acts ? law->p : 0;
	const double p_cmax = fmin(1 / (law->k * law->k), 1), p_cl = law->k * p;
	const bool classic_signal = fmax(packet->u1, packet->u2) < p;

	if (packet->queue == AQM_QUEUE_C) {
		if (!classic_signal)
			return AQM_PASS;
		return p * p >= p_cmax ? AQM_DROP : marked(packet);
	}
	if (p_cl >= 1)
		return law->drop_overload && classic_signal ? AQM_DROP : AQM_MARK;
	if (packet->u1 < fmax(p_l_native, p_cl))
		return packet->u1 < p_cl ? marked(packet) : AQM_MARK;
	return AQM_PASS;
}

int oracle_dualpi2_coupled(const struct oracle_dualpi2 *law, const struct oracle_arrival *packet)
{
	return fate(law, packet, 0);
}

int oracle_dualpi2_dequeue(const struct oracle_dualpi2 *law, const struct oracle_arrival *packet)
{
	return fate(law, packet, native_probability(law, packet));
}

int oracle_dualpi2_native(const struct oracle_dualpi2 *law, const struct oracle_arrival *packet)
{
	return packet->queue == AQM_QUEUE_L && packet->u1 < native_probability(law, packet)
		       ? AQM_MARK
		       : AQM_PASS;
}
