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
 * shares.  There is no factor of 1 / sqrt(width): it is part of the weights that make queries; nor
 * a projection of what comes out, which with one head is part of those that make values.
 *
 * Ranges, in which every sum stays: queries have 8 fraction bits within +-2^11, keys 11 within
 * +-2^14, so a product is within 2^25 and a score, of at most 31 of them, within 2^30 with 19
 * fraction bits; down to 12 it is within 2^23, with its lag within 2^23 + 2^15.  Powers are from
 * 2^8 to 2^16, and the largest is 2^16, so their sum is from 2^16 to 2^20, its inverse at most
 * 2^30, and a power by it at most 2^46.  Shares have 14 fraction bits and are 2^14 together at
 * most, values are within 2^15: their sums are within 2^29, and what comes out is within int16.
 */
#ifndef AQM_STUDENT_ATTENTION_H
#define AQM_STUDENT_ATTENTION_H

#include "aqm/log2.h"

#define AQM_STUDENT_WINDOW 16 /* most decisions that are looked back on, this one included */
#define AQM_STUDENT_TOKEN 32  /* most places of a token */
#define AQM_STUDENT_RING 256  /* places of all keys, and of all values */
#define AQM_STUDENT_TOKEN_LANES 8

#define AQM_STUDENT_QUERY_SHIFT 4 /* from 12 fraction bits */
#define AQM_STUDENT_KEY_SHIFT 1
#define AQM_STUDENT_SCORE_SHIFT 7 /* back to 12 */
#define AQM_STUDENT_SCORE_DEPTH (8 << 12)
#define AQM_STUDENT_SHARE_BITS 14

/* What was said of the last decisions; all zeros before the first. */
struct aqm_student_ring {
	int16_t key[AQM_STUDENT_RING]; /* decision after decision, a token's places each */
	int16_t value[AQM_STUDENT_RING];
	uint32_t next; /* where the next decision goes */
};

/* Places that a token of so many numbers takes: whole vectors, for compilers, zeros behind. */
AQM_INLINE uint32_t aqm_student_token(uint32_t width)
{
	return (width + AQM_STUDENT_TOKEN_LANES - 1) & ~(AQM_STUDENT_TOKEN_LANES - 1U);
}

/* value / 2^bits, to the nearest; bits at least 1. */
AQM_INLINE int32_t aqm_student_nearest(int32_t value, unsigned bits)
{
	return (value + (1 << (bits - 1))) >> bits;
}

/* This decision's key and value take the place of the oldest ones; returns which it is. */
AQM_INLINE uint32_t aqm_student_ring_put(struct aqm_student_ring *restrict ring, uint32_t width,
					 uint32_t window, const int16_t *restrict said)
{
	const uint32_t at = ring->next < window ? ring->next : 0;
	const uint32_t token = aqm_student_token(width);
	int16_t *key = ring->key + at * token, *value = ring->value + at * token;

	for (uint32_t i = 0; i < width; i++)
		key[i] = (int16_t)aqm_student_nearest(said[width + i], AQM_STUDENT_KEY_SHIFT);
	for (uint32_t i = 0; i < width; i++)
		value[i] = said[2 * width + i];
	ring->next = at + 1 < window ? at + 1 : 0;
	return at;
}

/* 2^-below, 16 fraction bits, of a score so far below the largest, as far as that counts. */
AQM_INLINE uint32_t aqm_student_power(uint32_t below)
{
	return aqm_exp2_q16(below < AQM_STUDENT_SCORE_DEPTH ? -(int32_t)below
							    : -AQM_STUDENT_SCORE_DEPTH);
}

/* Shares, 14 fraction bits, from scores, 12 fraction bits within +-2^24; window at least 1. */
AQM_INLINE void aqm_student_shares(const int32_t *score, uint32_t window, int16_t *share)
{
	int32_t largest = score[0];
	uint32_t power[AQM_STUDENT_WINDOW], sum;
	uint64_t inverse;

	for (uint32_t i = 1; i < window; i++)
		largest = score[i] > largest ? score[i] : largest;
	sum = power[0] = aqm_student_power((uint32_t)(largest - score[0]));
	for (uint32_t i = 1; i < window; i++) {
		power[i] = aqm_student_power((uint32_t)(largest - score[i]));
		sum += power[i];
	}
	inverse = aqm_div64(UINT64_C(1) << 46, sum);
	for (uint32_t i = 0; i < window; i++)
		share[i] = (int16_t)(power[i] * inverse >> (46 - AQM_STUDENT_SHARE_BITS));
}

/* The scores of `window` decisions, of which `own` is the newest, by their places in the ring. */
AQM_INLINE void aqm_student_scores(const struct aqm_student_ring *ring, uint32_t width,
				   uint32_t window, uint32_t own, const int16_t *said,
				   const int16_t *lag, int32_t *score)
{
	const uint32_t token = aqm_student_token(width);
	int16_t query[AQM_STUDENT_TOKEN] = {0};

	for (uint32_t i = 0; i < width; i++)
		query[i] = (int16_t)aqm_student_nearest(said[i], AQM_STUDENT_QUERY_SHIFT);
	for (uint32_t place = 0; place < window; place++) {
		const int16_t *key = ring->key + place * token;
		int32_t sum = 0;

		for (uint32_t i = 0; i < token; i++)
			sum += query[i] * key[i];
		score[place] = aqm_student_nearest(sum, AQM_STUDENT_SCORE_SHIFT) +
			       lag[own >= place ? own - place : own + window - place];
	}
}

/*
 * What the token whose query, key, value and lags are in `said`, one behind the other, 12 fraction
 * bits, takes from the last `window` ones, itself included: `width` numbers into `y`.  Window 1 to
 * AQM_STUDENT_WINDOW, window x aqm_student_token(width) at most AQM_STUDENT_RING.
 */
AQM_INLINE void aqm_student_attend(struct aqm_student_ring *restrict ring, uint32_t width,
				   uint32_t window, const int16_t *restrict said,
				   int16_t *restrict y)
{
	const uint32_t own = aqm_student_ring_put(ring, width, window, said);
	const uint32_t token = aqm_student_token(width);
	int32_t score[AQM_STUDENT_WINDOW], sum[AQM_STUDENT_TOKEN];
	int16_t share[AQM_STUDENT_WINDOW];

	aqm_student_scores(ring, width, window, own, said, said + 3 * width, score);
	aqm_student_shares(score, window, share);
	for (uint32_t i = 0; i < token; i++)
		sum[i] = 1 << (AQM_STUDENT_SHARE_BITS - 1);
	for (uint32_t place = 0; place < window; place++) {
		const int16_t *value = ring->value + place * token;

		for (uint32_t i = 0; i < token; i++)
			sum[i] += share[place] * value[i];
	}
	for (uint32_t i = 0; i < width; i++)
		y[i] = (int16_t)(sum[i] >> AQM_STUDENT_SHARE_BITS);
}

#endif
