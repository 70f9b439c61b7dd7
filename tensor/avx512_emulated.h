/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The AVX-512 intrinsics that our kernels use, over pairs of AVX2 vectors; for
 * tests only (tensor/avx512.h).  What an instruction leaves undefined is filled
 * with a pattern here, so that a kernel that relies on it fails.
 */
#ifndef TENSOR_AVX512_EMULATED_H
#define TENSOR_AVX512_EMULATED_H

#include <string.h>

typedef struct {
	__m256 half[2];
} emulated_floats;

typedef struct {
	__m256i half[2];
} emulated_integers;

#define __m512 emulated_floats
#define __m512i emulated_integers

#define EMULATED static inline __attribute__((target("avx2,fma,f16c"), always_inline, unused))

/* What both halves do alike: of two vectors, and of integers and a count of bits. */
#define EMULATED_OF_TWO(vectors, name)                                                             \
	EMULATED vectors emulated_##name(vectors a, vectors b)                                     \
	{                                                                                          \
		return (vectors){{_mm256_##name(a.half[0], b.half[0]),                             \
				  _mm256_##name(a.half[1], b.half[1])}};                           \
	}
#define EMULATED_BY_COUNT(name)                                                                    \
	EMULATED emulated_integers emulated_##name(emulated_integers a, int count)                 \
	{                                                                                          \
		return (emulated_integers){                                                        \
			{_mm256_##name(a.half[0], count), _mm256_##name(a.half[1], count)}};       \
	}

EMULATED_OF_TWO(emulated_integers, add_epi32)
EMULATED_OF_TWO(emulated_integers, add_epi64)
EMULATED_OF_TWO(emulated_integers, sub_epi64)
EMULATED_OF_TWO(emulated_integers, sllv_epi64)
EMULATED_OF_TWO(emulated_integers, sub_epi32)
EMULATED_OF_TWO(emulated_integers, sub_epi16)
EMULATED_OF_TWO(emulated_integers, madd_epi16)
EMULATED_OF_TWO(emulated_integers, max_epi32)
EMULATED_OF_TWO(emulated_integers, min_epi32)
EMULATED_OF_TWO(emulated_integers, mullo_epi32)
EMULATED_OF_TWO(emulated_integers, sllv_epi32)
EMULATED_OF_TWO(emulated_integers, srav_epi32)
EMULATED_BY_COUNT(slli_epi32)
EMULATED_BY_COUNT(srai_epi32)
EMULATED_BY_COUNT(srli_epi32)
EMULATED_BY_COUNT(slli_epi64)
EMULATED_BY_COUNT(srli_epi64)
EMULATED_OF_TWO(emulated_floats, add_ps)
EMULATED_OF_TWO(emulated_floats, mul_ps)

EMULATED emulated_integers emulated_and_si512(emulated_integers a, emulated_integers b)
{
	return (emulated_integers){
		{_mm256_and_si256(a.half[0], b.half[0]), _mm256_and_si256(a.half[1], b.half[1])}};
}

EMULATED emulated_integers emulated_abs_epi32(emulated_integers a)
{
	return (emulated_integers){{_mm256_abs_epi32(a.half[0]), _mm256_abs_epi32(a.half[1])}};
}

EMULATED emulated_integers emulated_cvtepu8_epi32(__m128i a)
{
	return (emulated_integers){
		{_mm256_cvtepu8_epi32(a), _mm256_cvtepu8_epi32(_mm_srli_si128(a, 8))}};
}

/* Cut to 16 bits, in order. */
EMULATED __m256i emulated_cvtsepi32_epi16(emulated_integers a)
{
	return _mm256_permute4x64_epi64(_mm256_packs_epi32(a.half[0], a.half[1]), 0xd8);
}

/* A bit for each of 16 lanes. */
EMULATED unsigned short emulated_cmplt_epi32_mask(emulated_integers a, emulated_integers b)
{
	const __m256i low = _mm256_cmpgt_epi32(b.half[0], a.half[0]);
	const __m256i high = _mm256_cmpgt_epi32(b.half[1], a.half[1]);

	return (unsigned short)(_mm256_movemask_ps(_mm256_castsi256_ps(low)) |
				_mm256_movemask_ps(_mm256_castsi256_ps(high)) << 8);
}

/* a - b where the mask has a bit, otherwise `kept`. */
EMULATED emulated_integers emulated_mask_sub_epi32(emulated_integers kept, unsigned short mask,
						   emulated_integers a, emulated_integers b)
{
	int from[16], to[16];

	a = emulated_sub_epi32(a, b);
	memcpy(from, &a, sizeof(from));
	memcpy(to, &kept, sizeof(to));
	for (int i = 0; i < 16; i++)
		to[i] = mask >> i & 1 ? from[i] : to[i];
	memcpy(&kept, to, sizeof(to));
	return kept;
}

EMULATED emulated_floats emulated_fmadd_ps(emulated_floats a, emulated_floats b, emulated_floats c)
{
	return (emulated_floats){{_mm256_fmadd_ps(a.half[0], b.half[0], c.half[0]),
				  _mm256_fmadd_ps(a.half[1], b.half[1], c.half[1])}};
}

EMULATED emulated_floats emulated_castsi512_ps(emulated_integers a)
{
	return (emulated_floats){{_mm256_castsi256_ps(a.half[0]), _mm256_castsi256_ps(a.half[1])}};
}

EMULATED emulated_floats emulated_cvtepi32_ps(emulated_integers a)
{
	return (emulated_floats){{_mm256_cvtepi32_ps(a.half[0]), _mm256_cvtepi32_ps(a.half[1])}};
}

EMULATED emulated_integers emulated_cvtepi8_epi16(__m256i a)
{
	return (emulated_integers){{_mm256_cvtepi8_epi16(_mm256_castsi256_si128(a)),
				    _mm256_cvtepi8_epi16(_mm256_extracti128_si256(a, 1))}};
}

EMULATED emulated_integers emulated_cvtepi16_epi32(__m256i a)
{
	return (emulated_integers){{_mm256_cvtepi16_epi32(_mm256_castsi256_si128(a)),
				    _mm256_cvtepi16_epi32(_mm256_extracti128_si256(a, 1))}};
}

/* The low 16 bits of each lane. */
EMULATED __m128i emulated_cvtepi64_epi16(emulated_integers a)
{
	short from[32], to[8];

	memcpy(from, &a, sizeof(from));
	for (int i = 0; i < 8; i++)
		to[i] = from[4 * i];
	return _mm_loadu_si128((const __m128i *)to);
}

EMULATED emulated_integers emulated_max_epu64(emulated_integers a, emulated_integers b)
{
	unsigned long long left[8], right[8];

	memcpy(left, &a, sizeof(left));
	memcpy(right, &b, sizeof(right));
	for (int i = 0; i < 8; i++)
		left[i] = left[i] > right[i] ? left[i] : right[i];
	memcpy(&a, left, sizeof(a));
	return a;
}

EMULATED emulated_integers emulated_lzcnt_epi64(emulated_integers a)
{
	unsigned long long lanes[8];

	memcpy(lanes, &a, sizeof(lanes));
	for (int i = 0; i < 8; i++)
		lanes[i] = lanes[i] ? (unsigned)__builtin_clzll(lanes[i]) : 64;
	memcpy(&a, lanes, sizeof(a));
	return a;
}

EMULATED emulated_integers emulated_permutexvar_epi16(emulated_integers index, emulated_integers a)
{
	unsigned short places[32], from[32], to[32];

	memcpy(places, &index, sizeof(places));
	memcpy(from, &a, sizeof(from));
	for (int i = 0; i < 32; i++)
		to[i] = from[places[i] & 31];
	memcpy(&a, to, sizeof(a));
	return a;
}

EMULATED emulated_integers emulated_maskz_loadu_epi32(unsigned short mask, const void *from)
{
	int lanes[16] = {0};
	emulated_integers a;

	for (int i = 0; i < 16; i++)
		if (mask >> i & 1)
			memcpy(&lanes[i], (const int *)from + i, sizeof(lanes[i]));
	memcpy(&a, lanes, sizeof(a));
	return a;
}

EMULATED void emulated_mask_storeu_epi32(void *to, unsigned short mask, emulated_integers a)
{
	int lanes[16];

	memcpy(lanes, &a, sizeof(lanes));
	for (int i = 0; i < 16; i++)
		if (mask >> i & 1)
			memcpy((int *)to + i, &lanes[i], sizeof(lanes[i]));
}

EMULATED emulated_integers emulated_cvtepu16_epi32(__m256i a)
{
	return (emulated_integers){{_mm256_cvtepu16_epi32(_mm256_castsi256_si128(a)),
				    _mm256_cvtepu16_epi32(_mm256_extracti128_si256(a, 1))}};
}

EMULATED emulated_floats emulated_cvtph_ps(__m256i a)
{
	return (emulated_floats){{_mm256_cvtph_ps(_mm256_castsi256_si128(a)),
				  _mm256_cvtph_ps(_mm256_extracti128_si256(a, 1))}};
}

EMULATED emulated_integers emulated_set1_epi16(short a)
{
	return (emulated_integers){{_mm256_set1_epi16(a), _mm256_set1_epi16(a)}};
}

EMULATED emulated_integers emulated_set1_epi32(int a)
{
	return (emulated_integers){{_mm256_set1_epi32(a), _mm256_set1_epi32(a)}};
}

EMULATED emulated_integers emulated_set1_epi64(long long a)
{
	return (emulated_integers){{_mm256_set1_epi64x(a), _mm256_set1_epi64x(a)}};
}

EMULATED emulated_floats emulated_set1_ps(float a)
{
	return (emulated_floats){{_mm256_set1_ps(a), _mm256_set1_ps(a)}};
}

EMULATED emulated_floats emulated_setzero_ps(void)
{
	return (emulated_floats){{_mm256_setzero_ps(), _mm256_setzero_ps()}};
}

EMULATED emulated_integers emulated_setzero_si512(void)
{
	return (emulated_integers){{_mm256_setzero_si256(), _mm256_setzero_si256()}};
}

EMULATED emulated_floats emulated_loadu_ps(const float *from)
{
	return (emulated_floats){{_mm256_loadu_ps(from + 8 * 0), _mm256_loadu_ps(from + 8 * 1)}};
}

EMULATED emulated_integers emulated_loadu_si512(const void *from)
{
	return (emulated_integers){{_mm256_loadu_si256((const __m256i *)from + 0),
				    _mm256_loadu_si256((const __m256i *)from + 1)}};
}

EMULATED emulated_integers emulated_castsi256_si512(__m256i a)
{
	return (emulated_integers){{a, _mm256_set1_epi32(0x5a5a5a5a)}};
}

EMULATED __m256i emulated_castsi512_si256(emulated_integers a)
{
	return a.half[0];
}

EMULATED emulated_integers emulated_dpwssd_epi32(emulated_integers sum, emulated_integers a,
						 emulated_integers b)
{
	return emulated_add_epi32(sum, emulated_madd_epi16(a, b));
}

EMULATED emulated_integers emulated_inserti64x4(emulated_integers a, __m256i b, int place)
{
	a.half[place] = b;
	return a;
}

EMULATED void emulated_storeu_ps(float *to, emulated_floats a)
{
	memcpy(to, &a, sizeof(a));
}

/* In the order of the real one: halves are folded over each other. */
EMULATED float emulated_reduce_add_ps(emulated_floats a)
{
	float lanes[16];

	memcpy(lanes, &a, sizeof(a));
	for (int width = 8; width > 0; width /= 2)
		for (int i = 0; i < width; i++)
			lanes[i] += lanes[i + width];
	return lanes[0];
}

#define _mm512_abs_epi32 emulated_abs_epi32
#define _mm512_add_epi32 emulated_add_epi32
#define _mm512_add_epi64 emulated_add_epi64
#define _mm512_add_ps emulated_add_ps
#define _mm512_and_si512 emulated_and_si512
#define _mm512_castsi256_si512 emulated_castsi256_si512
#define _mm512_castsi512_ps emulated_castsi512_ps
#define _mm512_castsi512_si256 emulated_castsi512_si256
#define _mm512_cmplt_epi32_mask emulated_cmplt_epi32_mask
#define _mm512_cvtepi16_epi32 emulated_cvtepi16_epi32
#define _mm512_cvtepi32_ps emulated_cvtepi32_ps
#define _mm512_cvtepi64_epi16 emulated_cvtepi64_epi16
#define _mm512_cvtepi8_epi16 emulated_cvtepi8_epi16
#define _mm512_cvtepu16_epi32 emulated_cvtepu16_epi32
#define _mm512_cvtepu8_epi32 emulated_cvtepu8_epi32
#define _mm512_cvtph_ps emulated_cvtph_ps
#define _mm512_cvtsepi32_epi16 emulated_cvtsepi32_epi16
#define _mm512_dpwssd_epi32 emulated_dpwssd_epi32
#define _mm512_fmadd_ps emulated_fmadd_ps
#define _mm512_inserti64x4 emulated_inserti64x4
#define _mm512_loadu_ps emulated_loadu_ps
#define _mm512_loadu_si512 emulated_loadu_si512
#define _mm512_lzcnt_epi64 emulated_lzcnt_epi64
#define _mm512_madd_epi16 emulated_madd_epi16
#define _mm512_mask_storeu_epi32 emulated_mask_storeu_epi32
#define _mm512_mask_sub_epi32 emulated_mask_sub_epi32
#define _mm512_maskz_loadu_epi32 emulated_maskz_loadu_epi32
#define _mm512_max_epi32 emulated_max_epi32
#define _mm512_max_epu64 emulated_max_epu64
#define _mm512_min_epi32 emulated_min_epi32
#define _mm512_mul_ps emulated_mul_ps
#define _mm512_mullo_epi32 emulated_mullo_epi32
#define _mm512_permutexvar_epi16 emulated_permutexvar_epi16
#define _mm512_reduce_add_ps emulated_reduce_add_ps
#define _mm512_set1_epi16 emulated_set1_epi16
#define _mm512_set1_epi32 emulated_set1_epi32
#define _mm512_set1_epi64 emulated_set1_epi64
#define _mm512_set1_ps emulated_set1_ps
#define _mm512_setzero_ps emulated_setzero_ps
#define _mm512_setzero_si512 emulated_setzero_si512
#define _mm512_slli_epi32 emulated_slli_epi32
#define _mm512_slli_epi64 emulated_slli_epi64
#define _mm512_sllv_epi32 emulated_sllv_epi32
#define _mm512_sllv_epi64 emulated_sllv_epi64
#define _mm512_srai_epi32 emulated_srai_epi32
#define _mm512_srav_epi32 emulated_srav_epi32
#define _mm512_srli_epi32 emulated_srli_epi32
#define _mm512_srli_epi64 emulated_srli_epi64
#define _mm512_storeu_ps emulated_storeu_ps
#define _mm512_sub_epi16 emulated_sub_epi16
#define _mm512_sub_epi32 emulated_sub_epi32
#define _mm512_sub_epi64 emulated_sub_epi64

#endif
