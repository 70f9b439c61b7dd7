/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A pair of inputs meets the pair's weights of 8 or 16 rows at once: pmaddwd
 * multiplies int16 by int16 and adds neighbours into int32.
 *
 * Sums are cut to int16 at the end only: no curve sees the difference.
 *
 * What was just written is read in the pieces it was written in, or smaller ones: a processor
 * that has to put a load together from two stores waits until both are in its cache.
 */
#include "aqm/student_vector.h"

#include "aqm/student_arrival.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_VECTORS 1
#include <immintrin.h>
#else
#define HAS_VECTORS 0
#endif

struct way {
	void (*net)(const struct aqm_student_model *model, struct aqm_student_state *state,
		    int16_t *x, int16_t *out);
	void (*arrival)(const struct aqm_student_model *model, struct aqm_student_state *state,
			const uint64_t *value, bool all, int16_t *feature, int16_t *input,
			int16_t *output);
};

#if HAS_VECTORS
#define AVX2 __attribute__((target("avx2")))

/* A test builds this once more over pairs of AVX2 vectors (tests/meson.build). */
#ifdef AQM_EMULATE_AVX512
#define AVX512 __attribute__((target("avx2,fma,f16c")))
#define HAS_AVX512() __builtin_cpu_supports("avx2")
#else
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512cd")))
#define HAS_AVX512()                                                                               \
	(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&                \
	 __builtin_cpu_supports("avx512cd"))
#endif

static inline int32_t pair_at(const int16_t *x)
{
	int32_t pair;

	__builtin_memcpy(&pair, x, sizeof(pair));
	return pair;
}

/* aqm_student_tanh() of 8 rows. */
AVX2 static inline __m256i tanh_avx2(__m256i z)
{
	const __m256i size = _mm256_min_epi32(_mm256_abs_epi32(z),
					      _mm256_set1_epi32(2 * AQM_STUDENT_ONE));
	const __m256i less = _mm256_srli_epi32(_mm256_mullo_epi32(size, size), 14);

	return _mm256_sign_epi32(_mm256_sub_epi32(size, less), z);
}

/* z / 2, towards 0. */
AVX2 static inline __m256i half_avx2(__m256i z)
{
	return _mm256_srai_epi32(_mm256_add_epi32(z, _mm256_srli_epi32(z, 31)), 1);
}

AVX2 static inline __m256i curve_avx2(uint8_t activation, __m256i z)
{
	const __m256i one = _mm256_set1_epi32(AQM_STUDENT_ONE);

	switch (activation) {
	case AQM_STUDENT_relu:
		return _mm256_max_epi32(z, _mm256_setzero_si256());
	case AQM_STUDENT_tanh:
		return tanh_avx2(z);
	case AQM_STUDENT_sigmoid:
		return _mm256_srai_epi32(_mm256_add_epi32(one, tanh_avx2(half_avx2(z))), 1);
	default:
		return z;
	}
}

/* Rounded and shifted down by each row's own. */
AVX2 static inline __m256i shifted_avx2(__m256i sum, const uint8_t *shift)
{
	const __m256i by = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)shift));
	const __m256i unit = _mm256_sllv_epi32(_mm256_set1_epi32(1), by);

	return _mm256_srav_epi32(_mm256_add_epi32(sum, _mm256_srli_epi32(unit, 1)), by);
}

/* Sums of 16 rows: 8 and 8. */
struct sums_avx2 {
	__m256i low, high;
};

AVX2 static inline void pair_avx2(struct sums_avx2 *sum, const int8_t *weight, int32_t pair)
{
	const __m256i pairs = _mm256_set1_epi32(pair);
	const __m256i low = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)weight));
	const __m256i high = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)weight + 1));

	sum->low = _mm256_add_epi32(sum->low, _mm256_madd_epi16(low, pairs));
	sum->high = _mm256_add_epi32(sum->high, _mm256_madd_epi16(high, pairs));
}

/* Pairs of weights are `stride` bytes apart. */
AVX2 static inline void sum_avx2(struct sums_avx2 *sum, const int8_t *weight, uint32_t stride,
				 uint32_t inputs, const int16_t *x)
{
	uint32_t j = 0;

	for (; j + 8 <= inputs; j += 8, weight += 4 * (size_t)stride) {
		pair_avx2(sum, weight, pair_at(x + j));
		pair_avx2(sum, weight + stride, pair_at(x + j + 2));
		pair_avx2(sum, weight + 2 * (size_t)stride, pair_at(x + j + 4));
		pair_avx2(sum, weight + 3 * (size_t)stride, pair_at(x + j + 6));
	}
	for (; j + 2 <= inputs; j += 2, weight += stride)
		pair_avx2(sum, weight, pair_at(x + j));
	if (j < inputs)
		pair_avx2(sum, weight, (uint16_t)x[j]);
}

AVX2 static void dense_avx2(const struct aqm_student_weights *net,
			    const struct aqm_student_layer *layer, const int16_t *x, int16_t *y)
{
	const uint32_t rows = aqm_student_rows(layer->outputs);

	for (uint32_t row = 0; row < rows; row += 16) {
		const int32_t *bias = net->bias + layer->first_row + row;
		const uint8_t *shift = net->shift + layer->first_row + row;
		struct sums_avx2 sum = {_mm256_loadu_si256((const __m256i *)bias),
					_mm256_loadu_si256((const __m256i *)(bias + 8))};

		sum_avx2(&sum, (const int8_t *)(net->pair + layer->first_pair + row), 2 * rows,
			 layer->inputs, x);
		sum.low = curve_avx2(layer->activation, shifted_avx2(sum.low, shift));
		sum.high = curve_avx2(layer->activation, shifted_avx2(sum.high, shift + 8));
		/* Packs cut to int16, and swap the middle quarters. */
		_mm256_storeu_si256(
			(__m256i *)(y + row),
			_mm256_permute4x64_epi64(_mm256_packs_epi32(sum.low, sum.high), 0xd8));
	}
}

/* Not inlined: what nets without them do stays short. */
AVX2 __attribute__((noinline)) static void cell_avx2(const struct aqm_student_weights *net,
						     const struct aqm_student_layer *layer,
						     int16_t *x, int32_t *hidden, int16_t *y)
{
	aqm_student_cell(dense_avx2, net, layer, x, hidden, y);
}

AVX2 __attribute__((noinline)) static void
other_avx2(const struct aqm_student_weights *net, const struct aqm_student_layer *layer,
	   const int16_t *x, const int16_t *given, struct aqm_student_ring *ring, int16_t *y)
{
	aqm_student_other(dense_avx2, net, layer, x, given, ring, y);
}

static const struct aqm_student_way way_avx2 = {dense_avx2, cell_avx2, other_avx2};

AVX2 static void net_avx2(const struct aqm_student_model *model, struct aqm_student_state *state,
			  int16_t *x, int16_t *out)
{
	aqm_student_net_with(&way_avx2, model, state, x, out);
}

AVX2 static void arrival_avx2(const struct aqm_student_model *model,
			      struct aqm_student_state *state, const uint64_t *value,
			      bool all, int16_t *feature, int16_t *input, int16_t *output)
{
	aqm_student_arrival_with(&way_avx2, model, state, value, all, feature, input, output);
}

AVX512 static inline __m512i tanh_avx512(__m512i z)
{
	const __m512i size = _mm512_min_epi32(_mm512_abs_epi32(z),
					      _mm512_set1_epi32(2 * AQM_STUDENT_ONE));
	const __m512i less = _mm512_srli_epi32(_mm512_mullo_epi32(size, size), 14);
	const __mmask16 negative = _mm512_cmplt_epi32_mask(z, _mm512_setzero_si512());

	return _mm512_mask_sub_epi32(_mm512_sub_epi32(size, less), negative, less, size);
}

AVX512 static inline __m512i half_avx512(__m512i z)
{
	return _mm512_srai_epi32(_mm512_add_epi32(z, _mm512_srli_epi32(z, 31)), 1);
}

AVX512 static inline __m512i curve_avx512(uint8_t activation, __m512i z)
{
	const __m512i one = _mm512_set1_epi32(AQM_STUDENT_ONE);

	if (activation == AQM_STUDENT_tanh)
		return tanh_avx512(z);
	if (activation == AQM_STUDENT_sigmoid)
		return _mm512_srai_epi32(_mm512_add_epi32(one, tanh_avx512(half_avx512(z))), 1);
	return _mm512_max_epi32(
		z, _mm512_set1_epi32(activation == AQM_STUDENT_relu ? 0 : INT32_MIN));
}

AVX512 static inline __m512i shifted_avx512(__m512i sum, const uint8_t *shift)
{
	const __m512i by = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)shift));
	const __m512i unit = _mm512_sllv_epi32(_mm512_set1_epi32(1), by);

	return _mm512_srav_epi32(_mm512_add_epi32(sum, _mm512_srli_epi32(unit, 1)), by);
}

/* What a pair of inputs adds to 16 rows. */
AVX512 static inline __m512i pair_avx512(const int8_t *weight, int32_t pair)
{
	const __m256i bytes = _mm256_loadu_si256((const __m256i *)weight);

	return _mm512_madd_epi16(_mm512_cvtepi8_epi16(bytes), _mm512_set1_epi32(pair));
}

/* What two pairs add; they do not wait for the sum before them.  Weights are `stride` apart. */
AVX512 static inline __m512i pairs_avx512(const int8_t *weight, size_t stride, const int16_t *x)
{
	return _mm512_add_epi32(pair_avx512(weight, pair_at(x)),
				pair_avx512(weight + stride, pair_at(x + 2)));
}

/* Cut to int16. */
AVX512 static inline void narrow_avx512(int16_t *x, __m512i z)
{
	_mm256_storeu_si256((__m256i *)x, _mm512_cvtsepi32_epi16(z));
}

AVX512 static inline void end_avx512(const struct aqm_student_layer *layer, const uint8_t *shift,
				     __m512i sum, int16_t *y)
{
	narrow_avx512(y, curve_avx512(layer->activation, shifted_avx512(sum, shift)));
}

/* 32 rows. */
AVX512 static inline void rows_avx512(const struct aqm_student_layer *layer, const int8_t *weight,
				      size_t stride, const int32_t *bias, const uint8_t *shift,
				      const int16_t *x, int16_t *y)
{
	__m512i first = _mm512_loadu_si512(bias), second = _mm512_loadu_si512(bias + 16);
	const int16_t *const end = x + (layer->inputs & ~3U);

	for (; x != end; x += 4, weight += 2 * stride) {
		first = _mm512_add_epi32(first, pairs_avx512(weight, stride, x));
		second = _mm512_add_epi32(second, pairs_avx512(weight + 32, stride, x));
	}
	if (layer->inputs & 2) {
		first = _mm512_add_epi32(first, pair_avx512(weight, pair_at(x)));
		second = _mm512_add_epi32(second, pair_avx512(weight + 32, pair_at(x)));
		x += 2;
		weight += stride;
	}
	if (layer->inputs & 1) {
		first = _mm512_add_epi32(first, pair_avx512(weight, (uint16_t)*x));
		second = _mm512_add_epi32(second, pair_avx512(weight + 32, (uint16_t)*x));
	}
	end_avx512(layer, shift, first, y);
	end_avx512(layer, shift + 16, second, y + 16);
}

/* 16 rows. */
AVX512 static inline void half_rows_avx512(const struct aqm_student_layer *layer,
					   const int8_t *weight, size_t stride,
					   const int32_t *bias, const uint8_t *shift,
					   const int16_t *x, int16_t *y)
{
	__m512i sum = _mm512_loadu_si512(bias);
	const int16_t *const end = x + (layer->inputs & ~3U);

	for (; x != end; x += 4, weight += 2 * stride)
		sum = _mm512_add_epi32(sum, pairs_avx512(weight, stride, x));
	if (layer->inputs & 2) {
		sum = _mm512_add_epi32(sum, pair_avx512(weight, pair_at(x)));
		x += 2;
		weight += stride;
	}
	if (layer->inputs & 1)
		sum = _mm512_add_epi32(sum, pair_avx512(weight, (uint16_t)*x));
	end_avx512(layer, shift, sum, y);
}

AVX512 static inline __attribute__((always_inline)) void
dense_avx512(const struct aqm_student_weights *net, const struct aqm_student_layer *layer,
	     const int16_t *x, int16_t *y)
{
	const uint32_t rows = aqm_student_rows(layer->outputs);
	const int8_t *weight = (const int8_t *)(net->pair + layer->first_pair);
	const int32_t *bias = net->bias + layer->first_row;
	const uint8_t *shift = net->shift + layer->first_row;
	uint32_t row = 0;

	for (; row + 32 <= rows; row += 32)
		rows_avx512(layer, weight + 2 * row, 2 * rows, bias + row, shift + row, x, y + row);
	if (row < rows)
		half_rows_avx512(layer, weight + 2 * row, 2 * rows, bias + row, shift + row, x,
				 y + row);
}

/* Not inlined, for the same reason. */
AVX512 __attribute__((noinline)) static void call_avx512(const struct aqm_student_weights *net,
							 const struct aqm_student_layer *layer,
							 const int16_t *x, int16_t *y)
{
	dense_avx512(net, layer, x, y);
}

AVX512 static inline __m512i wide_avx512(const int16_t *x)
{
	return _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)x));
}

/* aqm_halved_s32(z, 12) */
AVX512 static inline __m512i unit_avx512(__m512i z)
{
	const __m512i below = _mm512_srli_epi32(_mm512_srai_epi32(z, 31), 20);

	return _mm512_srai_epi32(_mm512_add_epi32(z, below), 12);
}

/* The first ones of 16. */
AVX512 static inline __mmask16 lanes_avx512(uint32_t count)
{
	return (__mmask16)(count < 16 ? (1U << count) - 1 : 0xffff);
}

/* A state's numbers from i on, zeros behind. */
AVX512 static inline __m512i state_avx512(const int32_t *hidden, uint32_t i, uint32_t size)
{
	return _mm512_maskz_loadu_epi32(lanes_avx512(size - i), hidden + i);
}

/* As aqm_student_cell(), 16 numbers at a time; what is behind the state is written over. */
AVX512 __attribute__((noinline)) static void cell_avx512(const struct aqm_student_weights *net,
							 const struct aqm_student_layer *layer,
							 int16_t *x, int32_t *hidden, int16_t *y)
{
	const uint32_t size = layer[1].outputs, inputs = layer->inputs - size;
	int16_t gate[AQM_STUDENT_PLACES];

	for (uint32_t i = 0; i < size; i += 16)
		narrow_avx512(x + inputs + i,
			      _mm512_srai_epi32(state_avx512(hidden, i, size), 4));
	call_avx512(net, layer, x, gate);
	for (uint32_t i = 0; i < size; i += 16)
		narrow_avx512(x + inputs + i,
			      unit_avx512(_mm512_mullo_epi32(wide_avx512(gate + i),
							     wide_avx512(x + inputs + i))));
	call_avx512(net, layer + 1, x, y);
	for (uint32_t i = 0; i < size; i += 16) {
		const __m512i was = state_avx512(hidden, i, size);
		const __m512i to = _mm512_slli_epi32(wide_avx512(y + i), 4);
		const __m512i moves = unit_avx512(_mm512_mullo_epi32(wide_avx512(gate + size + i),
								     _mm512_sub_epi32(to, was)));
		const __m512i is = _mm512_add_epi32(was, moves);

		_mm512_mask_storeu_epi32(hidden + i, lanes_avx512(size - i), is);
		narrow_avx512(y + i, _mm512_srai_epi32(is, 4));
	}
}

AVX512 __attribute__((noinline)) static void
other_avx512(const struct aqm_student_weights *net, const struct aqm_student_layer *layer,
	     const int16_t *x, const int16_t *given, struct aqm_student_ring *ring, int16_t *y)
{
	aqm_student_other(call_avx512, net, layer, x, given, ring, y);
}

static const struct aqm_student_way way_avx512 = {dense_avx512, cell_avx512, other_avx512};

AVX512 static void net_avx512(const struct aqm_student_model *model,
			      struct aqm_student_state *state, int16_t *x, int16_t *out)
{
	aqm_student_net_with(&way_avx512, model, state, x, out);
}

AVX512 static inline __m128i two_avx512(const uint64_t *value)
{
	return _mm_insert_epi64(_mm_loadl_epi64((const __m128i *)value), (int64_t)value[1], 1);
}

/* One by one, as they were written. */
AVX512 static inline __m512i eight_avx512(const uint64_t *value)
{
	const __m256i low = _mm256_set_m128i(two_avx512(value + 2), two_avx512(value));
	const __m256i high = _mm256_set_m128i(two_avx512(value + 6), two_avx512(value + 4));

	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* Of eight values aqm_log2_q8() without its bend: 1 + value = 2^whole (1 + fraction / 256). */
AVX512 static inline __m128i straight_avx512(const uint64_t *value)
{
	const __m512i values = eight_avx512(value);
	const __m512i more =
		_mm512_max_epu64(values, _mm512_add_epi64(values, _mm512_set1_epi64(1)));
	const __m512i zeros = _mm512_lzcnt_epi64(more);
	const __m512i mantissa = _mm512_srli_epi64(_mm512_sllv_epi64(more, zeros), 55);
	const __m512i whole =
		_mm512_slli_epi64(_mm512_sub_epi64(_mm512_set1_epi64(62), zeros), 8);

	return _mm512_cvtepi64_epi16(_mm512_add_epi64(whole, mantissa));
}

AVX512 static inline __m256i logs_avx512(const uint64_t value[AQM_STUDENT_VALUES])
{
	const __m256i straight =
		_mm256_set_m128i(straight_avx512(value + 8), straight_avx512(value));
	const __m256i fraction = _mm256_and_si256(straight, _mm256_set1_epi16(255));
	const __m256i bend =
		_mm256_mullo_epi16(fraction, _mm256_sub_epi16(_mm256_set1_epi16(256), fraction));

	return _mm256_add_epi16(straight, _mm256_mulhi_epu16(bend, _mm256_set1_epi16(88)));
}

/* The first `count` numbers are those of `a`. */
AVX512 static inline void put_avx512(int16_t *to, __m256i a, int count)
{
	const __m256i place =
		_mm256_set_epi16(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	const __m256i old = _mm256_loadu_si256((const __m256i *)to);
	const __m256i is_new = _mm256_cmpgt_epi16(_mm256_set1_epi16((int16_t)count), place);

	_mm256_storeu_si256((__m256i *)to, _mm256_blendv_epi8(old, a, is_new));
}

/* aqm_student_input() of the first inputs. */
AVX512 static inline __m256i inputs_avx512(const struct aqm_student_model *model, __m256i logs)
{
	const __m128i index = _mm_loadu_si128((const __m128i *)model->feature);
	const __m512i feature =
		_mm512_permutexvar_epi16(_mm512_castsi256_si512(_mm256_cvtepu8_epi16(index)),
					 _mm512_castsi256_si512(logs));
	const __m512i above =
		_mm512_sub_epi32(_mm512_cvtepi16_epi32(_mm512_castsi512_si256(feature)),
				 wide_avx512(model->offset));

	return _mm512_cvtsepi32_epi16(_mm512_srai_epi32(
		_mm512_mullo_epi32(above, wide_avx512(model->scale)), 4));
}

AVX512 static void arrival_avx512(const struct aqm_student_model *model,
				  struct aqm_student_state *state, const uint64_t *value,
				  bool all, int16_t *feature, int16_t *input, int16_t *output)
{
	const __m256i logs = logs_avx512(value);

	(void)all; /* they are */
	put_avx512(feature, logs, AQM_STUDENT_FIRST_TICK);
	if (model->kind == AQM_STUDENT_tree) {
		aqm_student_tree_run(model, feature, output);
		return;
	}
	put_avx512(input, inputs_avx512(model, logs), model->fast_inputs);
	net_avx512(model, state, input, output);
}

static const struct way ways[] = {
	{aqm_student_net_plain, aqm_student_arrival_plain},
	{net_avx2, arrival_avx2},
	{net_avx512, arrival_avx512},
};
#else
static const struct way ways[] = {{aqm_student_net_plain, aqm_student_arrival_plain}};
#endif

static struct way chosen = {aqm_student_net_plain, aqm_student_arrival_plain};

static bool machine_has(enum aqm_student_vector vector)
{
#if HAS_VECTORS
	__builtin_cpu_init();
	if (vector == AQM_STUDENT_VECTOR_avx2)
		return __builtin_cpu_supports("avx2");
	if (vector == AQM_STUDENT_VECTOR_avx512)
		return HAS_AVX512();
#endif
	return vector == AQM_STUDENT_VECTOR_plain;
}

enum aqm_student_vector aqm_student_vector_best(void)
{
	enum aqm_student_vector best = AQM_STUDENT_VECTOR_plain;

	for (int i = 0; i < AQM_STUDENT_VECTOR_COUNT; i++)
		if (machine_has((enum aqm_student_vector)i))
			best = (enum aqm_student_vector)i;
	return best;
}

bool aqm_student_vector_use(enum aqm_student_vector vector)
{
	if (!machine_has(vector))
		return false;
	chosen = ways[vector];
	return true;
}

/* Before main() and any thread. */
__attribute__((constructor)) static void choose_best(void)
{
	chosen = ways[aqm_student_vector_best()];
}

void aqm_student_net_vector(const struct aqm_student_model *model, struct aqm_student_state *state,
			    int16_t *x, int16_t *out)
{
	chosen.net(model, state, x, out);
}

void aqm_student_arrival_vector(const struct aqm_student_model *model,
				struct aqm_student_state *state, const uint64_t *value,
				bool all, int16_t *feature, int16_t *input, int16_t *output)
{
	chosen.arrival(model, state, value, all, feature, input, output);
}
