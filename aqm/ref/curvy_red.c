/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "aqm/ref/curvy_red.h"

#include <math.h>

#include "aqm/facts.h"

void oracle_curvy_average(struct oracle_curvy *curvy, double cq_time)
{
	curvy->q_c += curvy->gamma * (cq_time - curvy->q_c);
}

double oracle_curvy_root(const struct oracle_curvy *curvy)
{
	return fmin(fmax((curvy->q_c - curvy->min_th) / curvy->range_c, 0), 1);
}

int oracle_curvy_dequeue(const struct oracle_curvy *curvy, const struct oracle_arrival *packet)
{
	const int signal = packet->ecn == AQM_NOT_ECT ? AQM_DROP : AQM_MARK;
	const double sqrt_p_c = oracle_curvy_root(curvy), p_cl = curvy->k * sqrt_p_c;

	if (packet->queue == AQM_QUEUE_C)
		return sqrt_p_c > fmax(packet->u1, packet->u2) ? signal : AQM_PASS;
	if (p_cl > packet->u1)
		return signal;
	if (packet->sojourn > curvy->threshold && packet->found_pkts >= curvy->th_pkts)
		return packet->ecn == AQM_NOT_ECT ? AQM_PASS : AQM_MARK;
	return AQM_PASS;
}
