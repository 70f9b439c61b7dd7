/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Laws of stored numbers: blocks put together by hand from whole numbers
 * decode to what the formula says; encoding loses no more than its step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "backbone/blocks.h"
#include "base/half.h"
#include "base/rng.h"

/* Scales that binary16 holds exactly, so that the formulas below are exact too. */
#define D 0.25f
#define M 1.5f

static void half_put(uint8_t *out, float value)
{
	const uint16_t half = f16_from_f32(value);

	out[0] = (uint8_t)half;
	out[1] = (uint8_t)(half >> 8);
}

/* Blocks of 32 with whole numbers `q`: header of `halves` scales, fifth bits, nibbles. */
static void small_block(uint8_t *block, const int *q, int halves, bool fifth)
{
	uint8_t *bits = block + 2 * halves, *nibbles = bits + (fifth ? 4 : 0);

	half_put(block, D);
	if (halves == 2)
		half_put(block + 2, M);
	if (fifth)
		memset(bits, 0, 4);
	for (int i = 0; i < 32; i++) {
		if (fifth)
			bits[i / 8] |= (uint8_t)((q[i] >> 4) << i % 8);
		if (i < 16)
			nibbles[i] = q[i] & 15;
		else
			nibbles[i - 16] |= (uint8_t)((q[i] & 15) << 4);
	}
}

static void small_blocks(void **state)
{
	static const struct {
		enum block_type type;
		int halves, most, less; /* x = D (q - less) + M (with two halves) */
		bool fifth;
	} rows[] = {
		{BLOCK_Q4_0, 1, 15, 8, false}, {BLOCK_Q4_1, 2, 15, 0, false},
		{BLOCK_Q5_0, 1, 31, 16, true}, {BLOCK_Q5_1, 2, 31, 0, true},
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		uint8_t block[64] = {0};
		float out[32];
		int q[32];

		for (int i = 0; i < 32; i++)
			q[i] = (7 * i + 3) % (rows[r].most + 1);
		small_block(block, q, rows[r].halves, rows[r].fifth);
		block_decode(rows[r].type, block, 32, out);
		for (int i = 0; i < 32; i++) {
			const float want = D * (float)(q[i] - rows[r].less) +
					   (rows[r].halves == 2 ? M : 0);

			if (out[i] != want)
				fail_msg("%s: number %d is %g, not %g",
					 block_format(rows[r].type)->name, i, (double)out[i],
					 (double)want);
		}
	}
}

/* Packs scale and minimum of 8 groups, 6 bits each, as the format of K blocks says. */
static void group_put(uint8_t *packed, const int *scale, const int *minimum)
{
	memset(packed, 0, 12);
	for (int j = 0; j < 4; j++) {
		packed[j] = (uint8_t)(scale[j] | (scale[j + 4] >> 4) << 6);
		packed[j + 4] = (uint8_t)(minimum[j] | (minimum[j + 4] >> 4) << 6);
		packed[j + 8] = (uint8_t)((scale[j + 4] & 15) | (minimum[j + 4] & 15) << 4);
	}
}

static void group_blocks(void **state)
{
	(void)state;
	for (int fifth = 0; fifth < 2; fifth++) {
		uint8_t block[176] = {0}, *nibbles = block + (fifth ? 48 : 16);
		int scale[8], minimum[8], q[256];
		float out[256];

		for (int j = 0; j < 8; j++) {
			scale[j] = (11 * j + 5) % 64;
			minimum[j] = (63 - 9 * j) % 64;
		}
		half_put(block, D);
		half_put(block + 2, M);
		group_put(block + 4, scale, minimum);
		for (int i = 0; i < 256; i++) {
			const int group = i / 32, l = i % 32;

			q[i] = (5 * i + 1) % (fifth ? 32 : 16);
			nibbles[32 * (group / 2) + l] |= (uint8_t)((q[i] & 15) << 4 * (group % 2));
			if (fifth)
				block[16 + l] |= (uint8_t)((q[i] >> 4) << group);
		}
		block_decode(fifth ? BLOCK_Q5_K : BLOCK_Q4_K, block, 256, out);
		for (int i = 0; i < 256; i++)
			assert_true(out[i] == D * (float)(scale[i / 32] * q[i]) -
						      M * (float)minimum[i / 32]);
	}
}

static void six_bits(void **state)
{
	uint8_t block[210] = {0};
	float out[256];
	int q[256];

	(void)state;
	half_put(block + 208, D);
	for (int s = 0; s < 16; s++)
		block[192 + s] = (uint8_t)(int8_t)(9 * s - 70);
	for (int i = 0; i < 256; i++) {
		const int half = i / 128, place = i % 128, l = place % 32;

		q[i] = (13 * i + 2) % 64;
		block[64 * half + place % 64] |= (uint8_t)((q[i] & 15) << (place < 64 ? 0 : 4));
		block[128 + 32 * half + l] |= (uint8_t)((q[i] >> 4) << 2 * (place / 32));
	}
	block_decode(BLOCK_Q6_K, block, 256, out);
	for (int i = 0; i < 256; i++)
		assert_true(out[i] == D * (float)((9 * (i / 16) - 70) * (q[i] - 32)));
}

/* Half a step of the block's scale; d itself is rounded to 11 bits, or to 2^-24 when tiny. */
static void encoding_is_near(void **state)
{
	static const struct {
		enum block_type type;
		double steps; /* from zero to the largest magnitude */
	} rows[] = {{BLOCK_Q8_0, 127}, {BLOCK_Q4_0, 8}};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 7);
	for (int trial = 0; trial < 2000; trial++) {
		const size_t r = (size_t)trial % 2;
		uint8_t block[64];
		float in[32], out[32], most = 0;

		for (int i = 0; i < 32; i++) {
			in[i] = (float)rng_normal(&rng) * (trial % 3 ? 1.0f : 1e-3f);
			most = fmaxf(most, fabsf(in[i]));
		}
		block_encode(rows[r].type, in, 32, block);
		block_decode(rows[r].type, block, 32, out);
		for (int i = 0; i < 32; i++) {
			const double step = (double)most / rows[r].steps;
			/* Of 16 levels, the one opposite the largest number is missing. */
			const bool clipped = r == 1 && fabs((double)in[i]) > 7.5 * step;
			const double bound = (clipped ? 1.0 : 0.5) * step +
					     (double)most * 0x1p-10 + rows[r].steps * 0x1p-25;

			assert_true(fabs((double)out[i] - (double)in[i]) <= bound);
		}
	}
}

static void zeros_and_halves(void **state)
{
	float in[32] = {0}, out[32];
	uint8_t block[128];

	(void)state;
	block_encode(BLOCK_Q8_0, in, 32, block);
	block_decode(BLOCK_Q8_0, block, 32, out);
	assert_memory_equal(in, out, sizeof(in));
	block_encode(BLOCK_Q4_0, in, 32, block);
	block_decode(BLOCK_Q4_0, block, 32, out);
	for (int i = 0; i < 32; i++)
		assert_true(out[i] == 0);
	for (int i = 0; i < 32; i++)
		in[i] = (float)i - 3.5f;
	block_encode(BLOCK_F16, in, 32, block);
	block_decode(BLOCK_F16, block, 32, out);
	assert_memory_equal(in, out, sizeof(in));
	block_encode(BLOCK_BF16, in, 32, block);
	block_decode(BLOCK_BF16, block, 32, out);
	assert_memory_equal(in, out, sizeof(in));
}

static void names(void **state)
{
	(void)state;
	assert_int_equal(block_type_named("q4_0"), BLOCK_Q4_0);
	assert_int_equal(block_type_named("BF16"), BLOCK_BF16);
	assert_int_equal(block_type_named("q4"), -1);
	assert_null(block_format(4));
	assert_null(block_format(UINT32_MAX));
	assert_false(block_format(10)->readable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_blocks),     cmocka_unit_test(group_blocks),
		cmocka_unit_test(six_bits),         cmocka_unit_test(encoding_is_near),
		cmocka_unit_test(zeros_and_halves), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
