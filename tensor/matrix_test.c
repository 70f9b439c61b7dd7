/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weight matrices in every storage: rounding within half a step, products
 * against their definition for few and many rows, both layouts, gaps between
 * rows, bias and residual; gradients against the transposed product.
 */
#include "tensor/test_support.h"

#include <stdio.h>

#include "tensor/gemm.h"
#include "tensor/level.h"
#include "tensor/matrix.h"
#include "tensor/threads.h"

#define GAP 3

struct subject {
	struct matrix matrix;
	float *weight; /* what was rounded, (out, in) */
	float *exact;  /* what it was rounded to, (out, in) */
	void *data;
	float *scales;
};

/* Ways for a matrix to lie. */
enum lie { OUT_IN, IN_OUT, BLOCKED, LIES };

static void subject_make(struct subject *s, enum matrix_type type, enum lie lie, int64_t in,
			 int64_t out)
{
	s->matrix = (struct matrix){.type = type, .in = in, .out = out, .blocked = lie == BLOCKED,
				    .layout = lie == IN_OUT ? LINEAR_IN_OUT : LINEAR_OUT_IN};
	s->weight = test_normal(in * out);
	s->exact = test_zeros(in * out);
	s->data = malloc(matrix_data_bytes(&s->matrix));
	s->scales = malloc(matrix_scales_bytes(&s->matrix) + 1);
	assert_non_null(s->data);
	assert_non_null(s->scales);
	matrix_from_f32(&s->matrix, s->data, s->scales, s->weight, LINEAR_OUT_IN);
	matrix_to_f32(s->exact, LINEAR_OUT_IN, &s->matrix);
}

static void subject_free(struct subject *s)
{
	free(s->weight);
	free(s->exact);
	free(s->data);
	free(s->scales);
}

static bool possible(enum matrix_type type, enum lie lie)
{
	if (lie == BLOCKED)
		return type == MATRIX_F32 || type == MATRIX_BF16 || type == MATRIX_INT8;
	return type != MATRIX_INT8 && (type != MATRIX_INT4 || lie == OUT_IN);
}

/* Largest distance that rounding may leave, for weight `o`, `i`. */
static double step_half(const struct subject *s, int64_t o, int64_t i)
{
	const int64_t in = s->matrix.in, first = i / MATRIX_BLOCK * MATRIX_BLOCK;
	double size = fabs(s->weight[o * in + i]), largest = 0;

	switch (s->matrix.type) {
	case MATRIX_F32:
		return 0;
	case MATRIX_BF16:
		return size * 0x1p-8;
	case MATRIX_F16:
		return size * 0x1p-11 + 0x1p-25;
	case MATRIX_INT8:
		for (int64_t j = 0; j < in; j++)
			largest = fmax(largest, fabs(s->weight[o * in + j]));
		return largest / 127 * 0.501;
	default: /* the side away from -8 ends at 7: a whole step */
		for (int64_t j = first; j < in && j < first + MATRIX_BLOCK; j++)
			largest = fmax(largest, fabs(s->weight[o * in + j]));
		return largest / 8 * 1.01;
	}
}

static void rounding_is_within_a_step(void **state)
{
	(void)state;
	for (int type = 0; type < MATRIX_TYPES; type++)
		for (int lie = 0; lie < LIES; lie++) {
			struct subject s;
			double squares = 0, rounding = 0;

			if (!possible(type, lie))
				continue;
			subject_make(&s, type, lie, 70, 33);
			for (int64_t i = 0; i < 70 * 33; i++) {
				const double error = (double)s.exact[i] - s.weight[i];

				assert_true(fabs(error) <= step_half(&s, i / 70, i % 70));
				squares += (double)s.weight[i] * s.weight[i];
				rounding += error * error;
			}
			/* int4: a step of about 2.2 / 8 deviations, uniform error */
			assert_true(sqrt(rounding / squares) < 0.11);
			subject_free(&s);
		}
}

static void storages_return_what_they_hold(void **state)
{
	(void)state;
	for (int type = 0; type < MATRIX_TYPES; type++) {
		struct subject s;
		struct matrix again;
		float *weight = test_zeros(64 * 9);

		subject_make(&s, type, type == MATRIX_INT8 ? BLOCKED : OUT_IN, 64, 9);
		again = s.matrix;
		matrix_from_f32(&again, s.data, s.scales, s.exact, LINEAR_OUT_IN);
		matrix_to_f32(weight, LINEAR_OUT_IN, &again);
		test_close("twice rounded", weight, s.exact, 64 * 9, 2e-6);
		matrix_to_f32(weight, LINEAR_IN_OUT, &again);
		for (int64_t o = 0; o < 9; o++)
			for (int64_t i = 0; i < 64; i++)
				test_close("turned", &weight[i * 9 + o], &s.exact[o * 64 + i], 1,
					   2e-6);
		free(weight);
		subject_free(&s);
	}
}

/*
 * Most that outputs of standard normal inputs may be off: f32 sums; or
 * activations rounded to steps of 4.5 / 32767, uniformly, 4e-5 each, five
 * deviations of their sum.
 */
static double tolerance(const struct matrix *m)
{
	const bool whole = m->type == MATRIX_INT8 || m->type == MATRIX_INT4;

	return (whole ? 2e-4 : 1e-5) * sqrt((double)m->in + 1);
}

/* Larger products are not worth asking the reference, weight by weight, what a matrix holds. */
#define REFERENCE_PRODUCTS 4096

/* The product with what the weights were rounded to. */
static void forward_plain(float *out, const float *in, const struct subject *s, const float *bias,
			  const float *residual, const struct matrix_rows *rows)
{
	const int64_t count = s->matrix.in;

	for (int64_t row = 0; row < rows->rows; row++)
		for (int64_t o = 0; o < s->matrix.out; o++) {
			const float *x = in + row * rows->in_stride, *w = s->exact + o * count;
			const int64_t place = row * rows->out_stride + o;
			double sum = (bias ? bias[o] : 0) + (residual ? residual[place] : 0);

			for (int64_t i = 0; i < count; i++)
				sum += (double)w[i] * x[i];
			out[place] = (float)sum;
		}
}

/* With the kernels for each instruction set that this machine has. */
static void forward_check(struct subject *s, int64_t count, bool bias, bool residual)
{
	const enum tensor_level most = tensor_level();
	const struct matrix *m = &s->matrix;
	const struct matrix_rows rows = {count, m->in + GAP, m->out + GAP};
	float *in = test_normal(count * rows.in_stride), *b = test_normal(m->out);
	float *r = test_normal(count * rows.out_stride);
	float *wanted = test_zeros(count * rows.out_stride);
	void *scratch = malloc(matrix_scratch_bytes(m, count) + 1);

	assert_non_null(scratch);
	if (count * m->in * m->out <= REFERENCE_PRODUCTS)
		matrix_forward_reference(wanted, in, m, bias ? b : NULL, residual ? r : NULL,
					 &rows);
	else
		forward_plain(wanted, in, s, bias ? b : NULL, residual ? r : NULL, &rows);
	for (int level = 0; level <= (int)most; level++) {
		float *out = test_zeros(count * rows.out_stride);
		char what[64];

		tensor_level_cap((enum tensor_level)level);
		assert_int_equal(tensor_level(), level);
		matrix_forward(out, in, m, bias ? b : NULL, residual ? r : NULL, &rows, scratch);
		snprintf(what, sizeof(what), "%s, %s", matrix_type_name(m->type),
			 tensor_level_name((enum tensor_level)level));
		for (int64_t row = 0; row < count; row++) {
			test_close(what, out + row * rows.out_stride,
				   wanted + row * rows.out_stride, m->out, tolerance(m));
			for (int64_t i = 0; i < GAP && !residual && !bias; i++)
				assert_true(out[row * rows.out_stride + m->out + i] == 0);
		}
		free(out);
	}
	tensor_level_cap(most);
	free(in);
	free(b);
	free(r);
	free(wanted);
	free(scratch);
}

static const int64_t extents[][2] = {
	/* in, out */
	{1, 1}, {7, 5}, {32, 16}, {40, 33}, {96, 64}, {160, 640}, {1100, 70}, {768, 130},
	{5000, 10},
};

static void forward_equals_definition(void **state)
{
	static const int64_t counts[] = {1, 2, 3, 6, 7, 9, 12, 13, 40, 65};

	(void)state;
	for (int type = 0; type < MATRIX_TYPES; type++)
		for (int lie = 0; lie < LIES; lie++)
			for (size_t i = 0; i < sizeof(extents) / sizeof(extents[0]); i++) {
				struct subject s;

				if (!possible(type, lie))
					continue;
				subject_make(&s, type, lie, extents[i][0], extents[i][1]);
				for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
					forward_check(&s, counts[c], c % 2, c % 3 == 0);
				subject_free(&s);
			}
}

/* What is no number in one row of inputs makes all of its outputs none, and no other row's. */
static void nothing_hides_what_is_no_number(void **state)
{
	static const float special[] = {NAN, INFINITY, -INFINITY};

	(void)state;
	for (int type = 0; type < MATRIX_TYPES; type++)
		for (int i = 0; i < LIES * 3; i++) {
			const struct matrix_rows rows = {3, 40, 20};
			float *in, *out;
			struct subject s;
			void *scratch;

			if (!possible(type, i / 3))
				continue;
			in = test_normal(3 * 40);
			out = test_zeros(3 * 20);
			subject_make(&s, type, i / 3, 40, 20);
			scratch = malloc(matrix_scratch_bytes(&s.matrix, 3) + 1);
			assert_non_null(scratch);
			in[40 + 7] = special[i % 3];
			matrix_forward(out, in, &s.matrix, NULL, NULL, &rows, scratch);
			for (int o = 0; o < 3 * 20; o++)
				assert_int_equal(isfinite(out[o]) != 0, o / 20 != 1);
			free(scratch);
			free(in);
			free(out);
			subject_free(&s);
		}
}

static void threads_give_the_same(void **state)
{
	const int threads = tensor_threads_get();

	tensor_threads_set(3);
	forward_equals_definition(state);
	tensor_threads_set(threads);
}

static void backward_check(struct subject *s, int64_t count, bool add)
{
	const struct matrix *m = &s->matrix;
	const struct matrix_rows rows = {count, m->in + GAP, m->out + GAP};
	float *d_in = test_normal(count * rows.in_stride);
	float *wanted = test_copy(d_in, count * rows.in_stride);
	float *d_out = test_normal(count * rows.out_stride);
	void *scratch = malloc(matrix_scratch_bytes(m, count) + 1);
	const struct gemm gemm = {.m = count, .n = m->in, .k = m->out, .alpha = 1,
				  .beta = add ? 1 : 0, .a = d_out, .a_stride = rows.out_stride,
				  .b = s->exact, .b_stride = m->in, .c = wanted,
				  .c_stride = rows.in_stride};

	assert_non_null(scratch);
	matrix_backward_input(d_in, d_out, m, add, &rows, scratch);
	gemm_reference(&gemm);
	test_close("gradient", d_in, wanted, count * rows.in_stride,
		   1e-5 * sqrt((double)m->out + 1));
	free(d_in);
	free(wanted);
	free(d_out);
	free(scratch);
}

static void backward_is_the_transpose(void **state)
{
	(void)state;
	for (int type = 0; type < MATRIX_TYPES; type++)
		for (int lie = 0; lie < LIES; lie++)
			for (size_t i = 0; i < sizeof(extents) / sizeof(extents[0]); i++) {
				struct subject s;

				if (!possible(type, lie))
					continue;
				subject_make(&s, type, lie, extents[i][0], extents[i][1]);
				backward_check(&s, 1, true);
				backward_check(&s, 21, false);
				backward_check(&s, 40, true);
				subject_free(&s);
			}
}

static void sizes_and_names(void **state)
{
	static const struct {
		struct matrix matrix;
		size_t bytes;
	} sizes[] = {
		{{.type = MATRIX_F32, .in = 3, .out = 5}, 60},
		{{.type = MATRIX_F32, .in = 4, .out = 32, .blocked = true}, 512},
		{{.type = MATRIX_BF16, .in = 3, .out = 5}, 30},
		{{.type = MATRIX_BF16, .in = 3, .out = 5, .blocked = true}, 128},
		{{.type = MATRIX_INT8, .in = 33, .out = 17, .blocked = true}, 32 * 34 + 128},
		{{.type = MATRIX_INT4, .in = 64, .out = 5}, 180},
		{{.type = MATRIX_INT4, .in = 65, .out = 5}, 270},
	};
	enum matrix_type type;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_int_equal(matrix_bytes(&sizes[i].matrix), sizes[i].bytes);
	for (int i = 0; i < MATRIX_TYPES; i++) {
		assert_true(matrix_type_find(&type, matrix_type_name((enum matrix_type)i)));
		assert_int_equal(type, i);
	}
	assert_false(matrix_type_find(&type, "int3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounding_is_within_a_step),
		cmocka_unit_test(storages_return_what_they_hold),
		cmocka_unit_test(forward_equals_definition),
		cmocka_unit_test(nothing_hides_what_is_no_number),
		cmocka_unit_test(threads_give_the_same),
		cmocka_unit_test(backward_is_the_transpose),
		cmocka_unit_test(sizes_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
