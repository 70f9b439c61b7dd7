/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backward functions against difference quotients: those whose own tests hold
 * them to formulas.  (Attention, affine maps, norms and gates have theirs in
 * their tests; whole models in backbone/gradient_test.c, the encoder and the
 * head in policy/net_test.c, the loss in learn/loss_test.c.)
 */
#include "tensor/test_support.h"

#include "tensor/activation.h"
#include "tensor/linear.h"
#include "tensor/matrix.h"
#include "tensor/rope.h"

#define COUNT 203

/* loss = out . slope, out = forward(in) */
struct probe {
	float *in, *out, *slope;
	int64_t out_count;
	void (*forward)(struct probe *probe);
	/* What forward() may need beside. */
	void (*map)(float *out, const float *in, int64_t count);
	const float *table;
	const struct matrix *matrix;
	void *scratch;
};

static double loss(void *context)
{
	struct probe *probe = context;

	probe->forward(probe);
	return test_product(probe->out, probe->slope, probe->out_count);
}

static void probe_make(struct probe *probe, int64_t in, int64_t out)
{
	*probe = (struct probe){.in = test_normal(in), .out = test_zeros(out),
				.slope = test_normal(out), .out_count = out};
}

static void probe_free(struct probe *probe)
{
	free(probe->in);
	free(probe->out);
	free(probe->slope);
}

static void map_forward(struct probe *probe)
{
	probe->map(probe->out, probe->in, COUNT);
}

static void activations(void **state)
{
	static const struct {
		const char *name;
		void (*forward)(float *out, const float *in, int64_t count);
		void (*backward)(float *d_in, const float *d_out, const float *in, int64_t count);
	} maps[] = {{"gelu_new", gelu_new_forward, gelu_new_backward},
		    {"relu", relu_forward, relu_backward}};

	(void)state;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		float *d_in = test_zeros(COUNT);
		struct probe probe;

		probe_make(&probe, COUNT, COUNT);
		probe.forward = map_forward;
		probe.map = maps[i].forward;
		for (int64_t j = 0; j < COUNT; j++) /* away from the corner of relu */
			probe.in[j] += probe.in[j] > 0 ? 0.1f : -0.1f;
		maps[i].backward(d_in, probe.slope, probe.in, COUNT);
		test_gradient(maps[i].name, probe.in, d_in, COUNT, 0.01, 2e-3, loss, &probe);
		probe_free(&probe);
		free(d_in);
	}
}

static const struct rope_shape rotation = {
	.batch = 2, .tokens = 5, .heads = 2, .width = 6, .row_stride = 14, .first_position = 3};

static void rotation_forward(struct probe *probe)
{
	memcpy(probe->out, probe->in, (size_t)probe->out_count * sizeof(float));
	rope_forward(probe->out, probe->table, &rotation);
}

static void rotary_positions(void **state)
{
	const int64_t count = 2 * 5 * 14;
	float *table = test_zeros(8 * 6), *d_in;
	double frequency[3];
	struct probe probe;

	(void)state;
	rope_frequencies(frequency, 6, 100, NULL);
	rope_table_fill(table, 8, 6, frequency);
	probe_make(&probe, count, count);
	probe.forward = rotation_forward;
	probe.table = table;
	d_in = test_copy(probe.slope, count);
	rope_backward(d_in, table, &rotation);
	test_gradient("rope", probe.in, d_in, count, 0.1, 1e-4, loss, &probe);
	probe_free(&probe);
	free(table);
	free(d_in);
}

static const int64_t looked_up[] = {3, 0, 3, 1};

static void table_forward(struct probe *probe)
{
	embedding_forward(probe->out, probe->in, looked_up, 4, 7);
}

static void looked_up_rows(void **state)
{
	float *d_table = test_zeros(5 * 7);
	struct probe probe;

	(void)state;
	probe_make(&probe, 5 * 7, 4 * 7);
	probe.forward = table_forward;
	embedding_backward(d_table, probe.slope, looked_up, 4, 7);
	test_gradient("embedding", probe.in, d_table, 5 * 7, 0.1, 1e-4, loss, &probe);
	probe_free(&probe);
	free(d_table);
}

enum { MATRIX_ROWS = 21, MATRIX_IN = 64, MATRIX_OUT = 37 };

static const struct matrix_rows dense = {MATRIX_ROWS, MATRIX_IN, MATRIX_OUT};

static void matrix_probe_forward(struct probe *probe)
{
	matrix_forward(probe->out, probe->in, probe->matrix, NULL, NULL, &dense, probe->scratch);
}

/* The map is linear: a large step leaves only what activations are rounded to. */
static void matrices_of_every_type(void **state)
{
	(void)state;
	for (int type = 0; type < MATRIX_TYPES; type++) {
		struct matrix matrix = {.type = (enum matrix_type)type, .layout = LINEAR_OUT_IN,
					.blocked = type == MATRIX_BF16 || type == MATRIX_INT8,
					.in = MATRIX_IN, .out = MATRIX_OUT};
		float *weight = test_normal(MATRIX_IN * MATRIX_OUT);
		float *d_in = test_zeros(MATRIX_ROWS * MATRIX_IN);
		float *scales = test_zeros(MATRIX_OUT + 16);
		void *data = malloc(matrix_data_bytes(&matrix));
		void *scratch;
		struct probe probe;

		assert_non_null(data);
		matrix_from_f32(&matrix, data, scales, weight, LINEAR_OUT_IN);
		scratch = malloc(matrix_scratch_bytes(&matrix, MATRIX_ROWS) + 64);
		assert_non_null(scratch);
		probe_make(&probe, MATRIX_ROWS * MATRIX_IN, MATRIX_ROWS * MATRIX_OUT);
		probe.forward = matrix_probe_forward;
		probe.matrix = &matrix;
		probe.scratch = scratch;
		matrix_backward_input(d_in, probe.slope, &matrix, false, &dense, scratch);
		test_gradient(matrix_type_name(matrix.type), probe.in, d_in,
			      MATRIX_ROWS * MATRIX_IN, 0.5, 5e-3, loss, &probe);
		probe_free(&probe);
		free(weight);
		free(d_in);
		free(scales);
		free(data);
		free(scratch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(activations),
		cmocka_unit_test(rotary_positions),
		cmocka_unit_test(looked_up_rows),
		cmocka_unit_test(matrices_of_every_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
