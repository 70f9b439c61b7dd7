/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * l4s-freebsd: the law of the paper's router, a dummynet with two PIE queues.
 *
 * The router is described as DualPI2; the released kernel runs one independent
 * PIE per queue.  What differs from RFC 8033 (aqm/pie.h):
 *
 * - The clock ticks `hz` times a second: every time, so every sojourn, is a
 *   multiple of a tick.  Delay is the sojourn of the packet that left last
 *   (timestamps; no departure rate is estimated), 0 when the queue is empty.
 * - Arithmetic is dummynet's: gains with 13 fraction bits, probability as a
 *   share of 2^31 - 1, microseconds.
 * - Only ECT(1) enters L; CE goes to Classic.  Classic acts with p squared:
 *   two draws have to say yes.  The coupling (k = 2) is never active.
 * - A queue decides from the start ("active"), its delay estimate is reset when
 *   it runs empty, and the burst allowance shields a packet from being dropped
 *   but not from being logged as dropped: the decision is made first.
 * - Below drop probability 819 / 8192 an ECN-capable packet is marked.
 *
 * The two queues are served by deficit round robin, L : C = 2 : 1, quantum 1514.
 */
#ifndef AQM_L4S_FREEBSD_H
#define AQM_L4S_FREEBSD_H

#include "aqm/facts.h"

#define AQM_FREEBSD_FIX_BITS 13
#define AQM_FREEBSD_PROBABILITY_ONE INT64_C(2147483647)
#define AQM_FREEBSD_MEAN_PACKET_BYTES 800
#define AQM_FREEBSD_QUANTUM_BYTES 1514

/* The gates of dummynet's drop_early, as probabilities in the same scale. */
#define AQM_FREEBSD_SAFE_PROBABILITY (AQM_FREEBSD_PROBABILITY_ONE / 5) /* below, if delay is low */
#define AQM_FREEBSD_SAFE_BYTES (2 * AQM_FREEBSD_MEAN_PACKET_BYTES)
#define AQM_FREEBSD_ACCUMULATED_LEAST (AQM_FREEBSD_PROBABILITY_ONE * 17 / 20) /* 0.85: draws */
#define AQM_FREEBSD_ACCUMULATED_SURE (AQM_FREEBSD_PROBABILITY_ONE * 17 / 2)   /* 8.5: acts */

/* status_flags of the log */
enum aqm_freebsd_status { AQM_FREEBSD_ACTIVE = 1, AQM_FREEBSD_IN_MEASUREMENT = 2 };

/* flags of the log: ECN, capped adjustment, de-randomisation = 19 */
enum aqm_freebsd_flag {
	AQM_FREEBSD_ECN = 1,
	AQM_FREEBSD_CAP_DROP = 2,
	AQM_FREEBSD_DERANDOMISE = 16,
};

struct aqm_freebsd_params {
	uint64_t target_us;
	uint64_t tupdate_us;
	uint64_t max_burst_us;
	uint32_t alpha_fix;      /* 13 fraction bits */
	uint32_t beta_fix;       /* 13 fraction bits */
	uint32_t ecn_max_fix;    /* 13 fraction bits */
	uint32_t flags;
	uint32_t hz;
	uint32_t l_weight, c_weight;
};

/* One PIE. */
struct aqm_freebsd_pie {
	int64_t p;                  /* of AQM_FREEBSD_PROBABILITY_ONE */
	uint64_t accumulated;       /* same scale; exceeds 32 bits */
	uint64_t burst_allowance_us;
	uint64_t qdelay_us, previous_qdelay_us;
	uint64_t measured_us;       /* clock of the last dequeue: measurement_start_time */
	uint32_t status;
	bool reset_pending;         /* the last packet was dropped: logged first, then forgotten */
};

struct aqm_freebsd_vars {
	struct aqm_freebsd_pie pie[AQM_QUEUES];
	int64_t deficit_bytes[AQM_QUEUES];
	uint64_t update_due_ns;
	uint32_t turn;              /* queue whose round it is */
};

struct aqm_freebsd_stats {
	uint64_t updates;
	uint64_t shielded; /* decided on, but passed for the burst allowance */
};

/* Time as the router sees it: whole ticks, in microseconds. */
AQM_INLINE uint64_t aqm_freebsd_clock_us(const struct aqm_freebsd_params *params, uint64_t now_ns)
{
	const uint64_t tick_us = aqm_div64(1000000, params->hz);

	return aqm_div64(aqm_div64(now_ns, 1000), tick_us) * tick_us;
}

AQM_INLINE void aqm_freebsd_init(const struct aqm_freebsd_params *params,
				 struct aqm_freebsd_vars *vars, struct aqm_freebsd_stats *stats)
{
	*vars = (struct aqm_freebsd_vars){.update_due_ns = params->tupdate_us * 1000};
	for (int i = 0; i < AQM_QUEUES; i++) {
		vars->pie[i].burst_allowance_us = params->max_burst_us;
		vars->pie[i].status = AQM_FREEBSD_ACTIVE | AQM_FREEBSD_IN_MEASUREMENT;
	}
	vars->turn = AQM_QUEUE_L;
	*stats = (struct aqm_freebsd_stats){0};
}

/* dummynet's auto-tuning: extra right shift while p is small. */
AQM_INLINE int aqm_freebsd_scale_shift(int64_t p)
{
	const int64_t one = AQM_FREEBSD_PROBABILITY_ONE;

	if (p < one / 1000000)
		return 11;
	if (p < one / 100000)
		return 9;
	if (p < one / 10000)
		return 7;
	if (p < one / 1000)
		return 5;
	if (p < one / 100)
		return 3;
	return p < one / 10 ? 1 : 0;
}

/*
 * The change of p: gains (13 bits) x microseconds, times (2^31 - 1) 2^12 / 10^6, shifted back.
 * Gains stay below 2^17 and delays below 2^31 us, so the first product is below 2^48; it is cut
 * to 2^40 before the factor of about 2^23, beyond which p is saturated anyway.
 */
AQM_INLINE int64_t aqm_freebsd_step(const struct aqm_freebsd_params *params,
				    const struct aqm_freebsd_pie *pie)
{
	const int64_t factor =
		(int64_t)aqm_div64((uint64_t)AQM_FREEBSD_PROBABILITY_ONE << 12, 1000000);
	const int64_t error_us = (int64_t)pie->qdelay_us - (int64_t)params->target_us;
	const int64_t change_us = (int64_t)pie->qdelay_us - (int64_t)pie->previous_qdelay_us;
	const int64_t limit = INT64_C(1) << 38;
	int64_t step = params->alpha_fix * error_us + params->beta_fix * change_us;
	const bool negative = step < 0;

	step = negative ? -step : step;
	step = (step > limit ? limit : step) * factor;
	step >>= aqm_freebsd_scale_shift(pie->p) + AQM_FREEBSD_FIX_BITS + 12;
	return negative ? -step : step;
}

AQM_INLINE void aqm_freebsd_update_pie(const struct aqm_freebsd_params *params,
				       struct aqm_freebsd_pie *pie, uint64_t backlog_bytes)
{
	const int64_t one = AQM_FREEBSD_PROBABILITY_ONE;
	int64_t step;

	if (backlog_bytes == 0)
		pie->qdelay_us = 0;
	step = aqm_freebsd_step(params, pie);
	if ((params->flags & AQM_FREEBSD_CAP_DROP) && pie->p >= one / 10 && step > one / 50)
		step = one / 50;
	pie->p += step;
	if (pie->p < 0)
		pie->p = 0;
	else if (pie->qdelay_us == 0 && pie->previous_qdelay_us == 0)
		pie->p -= pie->p >> 6;
	if (pie->p > one)
		pie->p = one;
	pie->previous_qdelay_us = pie->qdelay_us;
	if (pie->burst_allowance_us > params->tupdate_us)
		pie->burst_allowance_us -= params->tupdate_us;
	else
		pie->burst_allowance_us = 0;
}

AQM_INLINE void aqm_freebsd_update(const struct aqm_freebsd_params *params,
				   struct aqm_freebsd_vars *vars,
				   struct aqm_freebsd_stats *stats, const struct aqm_facts *facts)
{
	for (int i = 0; i < AQM_QUEUES; i++)
		aqm_freebsd_update_pie(params, &vars->pie[i], facts->backlog_bytes[i]);
	vars->update_due_ns += params->tupdate_us * 1000;
	stats->updates++;
}

/* True when the law wants to drop or mark: dummynet's drop_early, with Classic's second draw. */
AQM_INLINE bool aqm_freebsd_acts(const struct aqm_freebsd_params *params,
				 struct aqm_freebsd_pie *pie, const struct aqm_facts *facts)
{
	const uint64_t one = (uint64_t)AQM_FREEBSD_PROBABILITY_ONE;
	const uint64_t bits = facts->random & one, more = (facts->random >> 32) & one;

	if ((pie->previous_qdelay_us < params->target_us / 2 &&
	     pie->p < AQM_FREEBSD_SAFE_PROBABILITY) ||
	    facts->backlog_bytes[facts->queue] <= AQM_FREEBSD_SAFE_BYTES)
		return false;
	if (pie->p == 0)
		pie->accumulated = 0;
	if (params->flags & AQM_FREEBSD_DERANDOMISE) {
		pie->accumulated += (uint64_t)pie->p;
		if (pie->accumulated < (uint64_t)AQM_FREEBSD_ACCUMULATED_LEAST)
			return false;
		if (pie->accumulated >= (uint64_t)AQM_FREEBSD_ACCUMULATED_SURE)
			return true;
	}
	if (bits >= (uint64_t)pie->p || (facts->queue == AQM_QUEUE_C && more >= (uint64_t)pie->p))
		return false;
	pie->accumulated = 0;
	return true;
}

/* What is done, and in *logged what the log says is done. */
AQM_INLINE enum aqm_verdict aqm_freebsd_on_enqueue(const struct aqm_freebsd_params *params,
						   struct aqm_freebsd_vars *vars,
						   struct aqm_freebsd_stats *stats,
						   const struct aqm_facts *facts,
						   enum aqm_verdict *logged)
{
	struct aqm_freebsd_pie *pie = &vars->pie[facts->queue];
	const int64_t mark_below = (int64_t)params->ecn_max_fix
				   << (31 - AQM_FREEBSD_FIX_BITS);
	const uint64_t half_us = params->target_us / 2;

	*logged = AQM_PASS;
	if (pie->reset_pending)
		pie->accumulated = 0;
	if (aqm_freebsd_acts(params, pie, facts)) {
		const bool marks = (params->flags & AQM_FREEBSD_ECN) && pie->p < mark_below &&
				   facts->ecn != AQM_NOT_ECT;

		*logged = marks ? AQM_MARK : AQM_DROP;
	}
	if (pie->p == 0 && pie->qdelay_us < half_us && pie->previous_qdelay_us < half_us)
		pie->burst_allowance_us = params->max_burst_us;
	if (*logged == AQM_DROP && pie->burst_allowance_us > 0) {
		stats->shielded++;
		pie->reset_pending = false;
		return AQM_PASS;
	}
	pie->reset_pending = *logged == AQM_DROP;
	return *logged;
}

/* A packet left: its sojourn, in ticks, is the queue's delay. */
AQM_INLINE void aqm_freebsd_on_dequeue(const struct aqm_freebsd_params *params,
				       struct aqm_freebsd_vars *vars,
				       const struct aqm_facts *facts)
{
	struct aqm_freebsd_pie *pie = &vars->pie[facts->queue];
	const uint64_t now_us = aqm_freebsd_clock_us(params, facts->now_ns);

	pie->qdelay_us = now_us - aqm_freebsd_clock_us(params, facts->now_ns - facts->sojourn_ns);
	pie->measured_us = now_us;
}

/* Deficit round robin: each round gives a queue its weight in quanta. */
AQM_INLINE enum aqm_queue aqm_freebsd_schedule(const struct aqm_freebsd_params *params,
					       struct aqm_freebsd_vars *vars,
					       const struct aqm_head heads[AQM_QUEUES])
{
	const uint32_t weight[AQM_QUEUES] = {params->c_weight, params->l_weight};

	for (int i = 0; i < AQM_QUEUES; i++) {
		if (heads[i].len_bytes == 0) {
			vars->deficit_bytes[i] = 0;
			vars->turn = (uint32_t)!i;
		}
	}
	/* A packet fits a quantum, so two turns suffice while packets are at most 1514 bytes. */
	for (int turns = 0; turns < 8; turns++) {
		if (vars->deficit_bytes[vars->turn] >= (int64_t)heads[vars->turn].len_bytes)
			break;
		vars->turn = heads[!vars->turn].len_bytes ? !vars->turn : vars->turn;
		vars->deficit_bytes[vars->turn] +=
			(int64_t)weight[vars->turn] * AQM_FREEBSD_QUANTUM_BYTES;
	}
	vars->deficit_bytes[vars->turn] -= heads[vars->turn].len_bytes;
	return (enum aqm_queue)vars->turn;
}

#endif
