/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Causal attention of a student (Vaswani et al. 2017), one head, over the tokens of its last
 * decisions, in integers only.
 *
 * A token has `width` numbers and gives a query, a key and a value, each as wide, and one number
 * for each lag, which says how far back this token looks (a relative position bias, as of Shaw et
 * al. 2018: the rows' biases are the table that holds whatever the token is).  Keys and values of
 * the last `window` decisions are kept in a ring, of zeros where there was no decision yet.  The
 * token at lag i, 0 for its own, is heeded by
 *
 *     share i = 2^s_i / (2^s_0 + 2^s_1 + ...),  s_i = query . key_i + lag_i
 *
 * with s_i no more than 8 below the largest, and what comes out is the sum of the values by their
 * shares.  There is no factor of 1 / sqrt(width): it is part of the weights that make queries.
 *
 * Ranges, in which every sum stays: queries have 8 fraction bits within +-2^11, keys 11 within
 * +-2^14, so a product is within 2^25 and a score, of at most 31 of them, within 2^30 with 19
 * fraction bits; down to 12 it is within 2^23, with its lag within 2^23 + 2^15.  Powers are from 2^8
 * to 2^16, and the largest is 2^16, so their sum is from 2^16 to 2^20, its inverse at most 2^30, and
 * a power by it at most 2^46.  Shares have 14 fraction bits and are 2^14 together at most, values
 * are within 2^15: their sums are within 2^29, and what comes out is within int16.
 */
#ifndef AQM_STUDENT_ATTENTION_H
#define AQM_STUDENT_ATTENTION_H

#include "aqm/log2.h"

#define AQM_STUDENT_WINDOW 16 /* most decisions that are looked back on, this one included */
#define AQM_STUDENT_TOKEN 31  /* most numbers of a token */
#define AQM_STUDENT_RING 256  /* most numbers of keys, and of values: window x width */

#define AQM_STUDENT_QUERY_SHIFT 4 /* from 12 fraction bits */
#define AQM_STUDENT_KEY_SHIFT 1
#define AQM_STUDENT_SCORE_SHIFT 7 /* back to 12 */
#define AQM_STUDENT_SCORE_DEPTH (8 << 12)
#define AQM_STUDENT_SHARE_BITS 14

/* What was said of the last decisions; all zeros before the first. */
struct aqm_student_ring {
	int16_t key[AQM_STUDENT_RING]; /* decision after decision, `width` numbers each */
	int16_t value[AQM_STUDENT_RING];
	uint32_t next; /* whose place the next decision takes */
};

/* value / 2^bits, to the nearest; bits at least 1. */
AQM_INLINE int32_t aqm_student_nearest(int32_t value, unsigned bits)
{
	return (value + (1 << (bits - 1))) >> bits;
}

/* This decision's key and value take the place of the oldest ones; returns it. */
AQM_INLINE uint32_t aqm_student_ring_put(struct aqm_student_ring *ring, uint32_t width,
					 uint32_t window, const int16_t *key, const int16_t *value)
{
	const uint32_t at = ring->next < window ? ring->next : 0;

	for (uint32_t i = 0; i < width; i++) {
		ring->key[at * width + i] =
			(int16_t)aqm_student_nearest(key[i], AQM_STUDENT_KEY_SHIFT);
		ring->value[at * width + i] = value[i];
	}
	ring->next = at + 1 < window ? at + 1 : 0;
	return at;
}

/* Shares, 14 fraction bits, in the place of scores, 12 fraction bits within +-2^24. */
AQM_INLINE void aqm_student_shares(int32_t *score, uint32_t window)
{
	int32_t largest = score[0];
	uint64_t sum = 0, inverse;

	for (uint32_t i = 1; i < window; i++)
		largest = score[i] > largest ? score[i] : largest;
	for (uint32_t i = 0; i < window; i++) {
		const int32_t below = largest - score[i];

		score[i] = (int32_t)aqm_exp2_q16(
			below < AQM_STUDENT_SCORE_DEPTH ? -below : -AQM_STUDENT_SCORE_DEPTH);
		sum += (uint32_t)score[i];
	}
	inverse = aqm_div64(UINT64_C(1) << 46, sum);
	for (uint32_t i = 0; i < window; i++)
		score[i] = (int32_t)((uint32_t)score[i] * inverse >>
				     (46 - AQM_STUDENT_SHARE_BITS));
}

/*
 * What the token whose query, key, value and lags are in `said`, one behind the other, 12 fraction
 * bits, takes from the last `window` ones, itself included: `width` numbers into `y`.  width 1 to
 * AQM_STUDENT_TOKEN, window 1 to AQM_STUDENT_WINDOW, window x width at most AQM_STUDENT_RING.
 */
AQM_INLINE void aqm_student_attend(struct aqm_student_ring *ring, uint32_t width, uint32_t window,
				   const int16_t *said, int16_t *y)
{
	const int16_t *lag = said + 3 * width;
	const uint32_t own = aqm_student_ring_put(ring, width, window, said + width,
						  said + 2 * width);
	int16_t query[AQM_STUDENT_TOKEN];
	int32_t share[AQM_STUDENT_WINDOW], mixed[AQM_STUDENT_TOKEN];

	for (uint32_t i = 0; i < width; i++) {
		query[i] = (int16_t)aqm_student_nearest(said[i], AQM_STUDENT_QUERY_SHIFT);
		mixed[i] = 0;
	}
	for (uint32_t place = 0; place < window; place++) {
		const int16_t *key = ring->key + place * width;
		int32_t sum = 0;

		for (uint32_t i = 0; i < width; i++)
			sum += query[i] * key[i];
		share[place] = aqm_student_nearest(sum, AQM_STUDENT_SCORE_SHIFT) +
			       lag[own >= place ? own - place : own + window - place];
	}
	aqm_student_shares(share, window);
	for (uint32_t place = 0; place < window; place++) {
		const int16_t *value = ring->value + place * width;
		const int16_t own_share = (int16_t)share[place];

		for (uint32_t i = 0; i < width; i++)
			mixed[i] += own_share * value[i];
	}
	for (uint32_t i = 0; i < width; i++)
		y[i] = (int16_t)aqm_student_nearest(mixed[i], AQM_STUDENT_SHARE_BITS);
}

#endif
