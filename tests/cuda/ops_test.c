/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every operation of tensor/cuda/ beside the one of tensor/ on random inputs:
 * the largest difference over the largest number that it should be.
 *
 * Outputs on the device are poisoned first, so that what nobody wrote shows.
 * bf16 inputs are rounded on both sides; then the difference is one rounding
 * of the output (2^-8), or, where the output is f32, that of another order of
 * the sums.
 */
#include "tests/cuda/compare.h"
#include "tensor/activation.h"
#include "tensor/cuda/ops.h"
#include "tensor/gemm.h"

#define F32_TOLERANCE 1e-5
#define BF16_TOLERANCE 4e-3

static struct cuda *cuda;

static void must(int code, const struct error *error)
{
	if (!code)
		return;
	fprintf(stderr, "cuda_ops_test: %s\n", error->text);
	exit(1);
}

static void finish(void)
{
	struct error error = {0};

	must(cuda_finish(cuda, &error), &error);
}

static void *device_from(const void *host, size_t bytes)
{
	void *memory = cuda_alloc(cuda, bytes);

	finish();
	cuda_copy_in(cuda, memory, host, bytes);
	finish();
	return memory;
}

static float *device_floats(const float *host, int64_t count)
{
	return device_from(host, (size_t)count * sizeof(*host));
}

/* Memory of `count` numbers of `type` that are all NaN. */
static void *device_poison(int64_t count, enum cuda_type type)
{
	const size_t bytes = (size_t)count * cuda_type_bytes(type);
	char *poison = malloc(bytes);
	void *memory;

	memset(poison, 0xff, bytes);
	memory = device_from(poison, bytes);
	free(poison);
	return memory;
}

/* Reads back and frees. */
static float *host_floats(void *device, enum cuda_type type, int64_t count)
{
	const size_t bytes = (size_t)count * cuda_type_bytes(type);
	float *values = floats_zero(count);
	uint16_t *halves = malloc(bytes + 1);

	cuda_copy_out(cuda, type == CUDA_BF16 ? (void *)halves : (void *)values, device, bytes);
	finish();
	for (int64_t i = 0; type == CUDA_BF16 && i < count; i++) {
		const uint32_t bits = (uint32_t)halves[i] << 16;

		memcpy(&values[i], &bits, sizeof(bits));
	}
	free(halves);
	cuda_free(cuda, device);
	return values;
}

/* Compares what the device wrote, and frees both. */
static void check(const char *op, const char *what, void *device, enum cuda_type type,
		  float *want, int64_t count)
{
	float *got = host_floats(device, type, count);
	char name[96];

	snprintf(name, sizeof(name), "%s: %s%s", op, what, type == CUDA_BF16 ? " (bf16)" : "");
	compare(name, got, want, count, type == CUDA_BF16 ? BF16_TOLERANCE : F32_TOLERANCE);
	free(got);
	free(want);
}

/* The device's own rounding of `values`, put back into them; its memory stays. */
static void *device_rounded(float *values, enum cuda_type type, int64_t count)
{
	void *rounded = device_poison(count, type);
	float *f32 = device_floats(values, count);
	void *again = device_poison(count, type);
	float *back;

	cuda_convert(cuda, rounded, type, f32, 1, count, count);
	cuda_convert(cuda, again, type, f32, 1, count, count);
	finish();
	back = host_floats(again, type, count);
	memcpy(values, back, (size_t)count * sizeof(*values));
	free(back);
	cuda_free(cuda, f32);
	return rounded;
}

static void convert_test(void)
{
	enum { ROWS = 7, WIDTH = 33, STRIDE = 41 };
	float *in = floats_normal(ROWS * STRIDE), *want = floats_zero(ROWS * WIDTH);
	float *device = device_floats(in, ROWS * STRIDE);

	for (int i = 0; i < ROWS * WIDTH; i++)
		want[i] = in[i / WIDTH * STRIDE + i % WIDTH];
	for (int type = CUDA_F32; type <= CUDA_BF16; type++) {
		void *out = device_poison(ROWS * WIDTH, (enum cuda_type)type);
		float *copy = floats_zero(ROWS * WIDTH);

		memcpy(copy, want, ROWS * WIDTH * sizeof(*copy));
		cuda_convert(cuda, out, (enum cuda_type)type, device, ROWS, WIDTH, STRIDE);
		check("convert", "rows with gaps", out, (enum cuda_type)type, copy, ROWS * WIDTH);
	}
	cuda_free(cuda, device);
	free(in);
	free(want);
}

static void gemm_case(enum cuda_type type, bool transpose_a, bool transpose_b, int64_t m, int64_t n,
		      int64_t k, float beta, int64_t gap)
{
	const int64_t a_stride = (transpose_a ? m : k) + gap;
	const int64_t b_stride = (transpose_b ? k : n) + gap;
	const int64_t a_count = (transpose_a ? k : m) * a_stride;
	const int64_t b_count = (transpose_b ? n : k) * b_stride, c_stride = n + 1;
	float *a = floats_normal(a_count), *b = floats_normal(b_count);
	float *c = floats_normal(m * c_stride);
	void *device_a = device_rounded(a, type, a_count);
	void *device_b = device_rounded(b, type, b_count);
	float *device_c = device_floats(c, m * c_stride);
	const struct cuda_gemm gemm = {
		.transpose_a = transpose_a, .transpose_b = transpose_b, .m = m, .n = n, .k = k,
		.alpha = 0.5f, .beta = beta, .type = type, .type_c = CUDA_F32, .a = device_a,
		.a_stride = a_stride, .b = device_b, .b_stride = b_stride, .c = device_c,
		.c_stride = c_stride};
	const struct gemm reference = {transpose_a, transpose_b, m, n, k, 0.5f, beta, a, a_stride,
				       b, b_stride, c, c_stride};
	char name[80];

	cuda_gemm_run(cuda, &gemm);
	gemm_reference(&reference);
	snprintf(name, sizeof(name), "%s%s%s %lldx%lldx%lld beta %g",
		 type == CUDA_BF16 ? "bf16 " : "", transpose_a ? "At" : "A",
		 transpose_b ? "Bt" : "B", (long long)m, (long long)n, (long long)k, (double)beta);
	check("gemm", name, device_c, CUDA_F32, c, m * c_stride);
	cuda_free(cuda, device_a);
	cuda_free(cuda, device_b);
	free(a);
	free(b);
}

/* With bias and residual: out = 0.5 A B^T + bias + residual, into another array and in place. */
static void affine_case(enum cuda_type type, int64_t m, int64_t n, int64_t k, bool in_place)
{
	const int64_t stride = n + 7;
	float *a = floats_normal(m * k), *b = floats_normal(n * k), *bias = floats_normal(n);
	float *residual = floats_normal(m * stride), *want = floats_zero(m * stride);
	void *device_a = device_rounded(a, type, m * k), *device_b = device_rounded(b, type, n * k);
	float *device_bias = device_floats(bias, n);
	float *device_residual = device_floats(residual, m * stride);
	float *device_c = in_place ? device_residual : device_floats(want, m * stride);
	const struct cuda_gemm gemm = {
		.transpose_b = true, .m = m, .n = n, .k = k, .alpha = 0.5f, .type = type,
		.type_c = CUDA_F32, .a = device_a, .a_stride = k, .b = device_b, .b_stride = k,
		.c = device_c, .c_stride = stride, .bias = device_bias,
		.residual = device_residual};
	const struct gemm reference = {false, true, m, n, k, 0.5f, 1, a, k, b, k, want, stride};
	char name[80];

	for (int64_t i = 0; i < m * stride; i++) {
		if (in_place || i % stride < n)
			want[i] = residual[i];
		if (i % stride < n)
			want[i] += bias[i % stride];
	}
	gemm_reference(&reference);
	cuda_gemm_run(cuda, &gemm);
	snprintf(name, sizeof(name), "%s%lldx%lldx%lld, bias, residual%s",
		 type == CUDA_BF16 ? "bf16 " : "", (long long)m, (long long)n, (long long)k,
		 in_place ? " in place" : "");
	check("gemm", name, device_c, CUDA_F32, want, m * stride);
	if (!in_place)
		cuda_free(cuda, device_residual);
	cuda_free(cuda, device_a);
	cuda_free(cuda, device_b);
	cuda_free(cuda, device_bias);
	free(a);
	free(b);
	free(bias);
	free(residual);
}

static void affine_test(void)
{
	const int64_t rows[] = {1, 8, 9, 12, 16, 40};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int type = CUDA_F32; type <= CUDA_BF16; type++) {
			affine_case((enum cuda_type)type, rows[i], 48, 160, false);
			affine_case((enum cuda_type)type, rows[i], 768, 2080, true);
			affine_case((enum cuda_type)type, rows[i], 33, 20, false);
		}
}

static void transpose_test(void)
{
	enum { ROWS = 7, WIDTH = 33 };
	float *in = floats_normal(ROWS * WIDTH), *device = device_floats(in, ROWS * WIDTH);

	for (int type = CUDA_F32; type <= CUDA_BF16; type++) {
		void *out = device_poison(ROWS * WIDTH, (enum cuda_type)type);
		float *want = floats_zero(ROWS * WIDTH);

		for (int i = 0; i < ROWS * WIDTH; i++)
			want[i % WIDTH * ROWS + i / WIDTH] = in[i];
		cuda_transpose(cuda, out, (enum cuda_type)type, device, ROWS, WIDTH);
		check("transpose", "rows become columns", out, (enum cuda_type)type, want,
		      ROWS * WIDTH);
	}
	cuda_free(cuda, device);
	free(in);
}

static void gemm_test(void)
{
	for (int type = CUDA_F32; type <= CUDA_BF16; type++)
		for (int way = 0; way < 4; way++) {
			gemm_case((enum cuda_type)type, way & 1, way & 2, 9, 96, 200, 1, 3);
			gemm_case((enum cuda_type)type, way & 1, way & 2, 180, 65, 77, 0, 5);
		}
	for (int64_t rows = 1; rows <= 16; rows += 5)
		for (int beta = 0; beta <= 1; beta++) {
			gemm_case(CUDA_BF16, false, true, rows, 48, 64, (float)beta, 8);
			gemm_case(CUDA_BF16, false, true, rows, 3200, 1056, (float)beta, 0);
			gemm_case(CUDA_BF16, false, true, rows, 96, 2048, (float)beta, 0);
			gemm_case(CUDA_F32, false, true, rows, 50, 68, (float)beta, 8);
			gemm_case(CUDA_F32, false, true, rows, 96, 2052, (float)beta, 0);
		}
}

static void bias_test(void)
{
	enum { ROWS = 5, WIDTH = 37, COUNT = ROWS * WIDTH };
	float *in = floats_normal(COUNT), *bias = floats_normal(WIDTH), *want = floats_zero(COUNT);
	float *device_in = device_floats(in, COUNT), *device_bias = device_floats(bias, WIDTH);
	float *out = device_poison(COUNT, CUDA_F32);

	for (int i = 0; i < COUNT; i++)
		want[i] = in[i] + bias[i % WIDTH];
	cuda_bias_add(cuda, out, device_in, device_bias, ROWS, WIDTH, WIDTH);
	check("bias", "with residual", out, CUDA_F32, want, COUNT);
	out = device_poison(COUNT, CUDA_F32);
	want = floats_zero(COUNT);
	for (int i = 0; i < COUNT; i++)
		want[i] = bias[i % WIDTH];
	cuda_bias_add(cuda, out, NULL, device_bias, ROWS, WIDTH, WIDTH);
	check("bias", "alone", out, CUDA_F32, want, COUNT);
	cuda_free(cuda, device_in);
	cuda_free(cuda, device_bias);
	free(in);
	free(bias);
}

static void positions_test(void)
{
	enum { BATCH = 3, TOKENS = 5, WIDTH = 19, FIRST = 4, COUNT = BATCH * TOKENS * WIDTH };
	float *x = floats_normal(COUNT), *table = floats_normal((TOKENS + FIRST) * WIDTH);
	const int32_t first = FIRST;
	float *device_x = device_floats(x, COUNT);
	float *device_table = device_floats(table, (TOKENS + FIRST) * WIDTH);
	int32_t *device_first = device_from(&first, sizeof(first));

	for (int i = 0; i < COUNT; i++)
		x[i] += table[(FIRST + i / WIDTH % TOKENS) * WIDTH + i % WIDTH];
	cuda_positions_add(cuda, device_x, device_table, device_first, BATCH * TOKENS, TOKENS,
			   WIDTH);
	check("positions", "from the fifth on", device_x, CUDA_F32, x, COUNT);
	cuda_free(cuda, device_table);
	cuda_free(cuda, device_first);
	free(table);
}

/* A share of the mask, and that backward uses the same mask. */
static void dropout_test(void)
{
	enum { COUNT = 100000 };
	const double dropout = 0.3;
	float *ones = floats_zero(COUNT), *zeros = floats_zero(COUNT);
	float share, want = (float)dropout;
	void *in, *out;
	float *sum, *mask;

	for (int i = 0; i < COUNT; i++)
		ones[i] = 1;
	in = device_floats(ones, COUNT);
	out = device_poison(COUNT, CUDA_F32);
	sum = device_floats(zeros, COUNT);
	cuda_dropout(cuda, out, in, CUDA_F32, COUNT, dropout, 77);
	cuda_dropout_backward(cuda, sum, in, COUNT, dropout, 77);
	mask = host_floats(out, CUDA_F32, COUNT);
	check("dropout", "backward has the mask of forward", sum, CUDA_F32, mask, COUNT);
	out = device_poison(COUNT, CUDA_F32);
	cuda_dropout(cuda, out, in, CUDA_F32, COUNT, dropout, 78);
	mask = host_floats(out, CUDA_F32, COUNT);
	share = 0;
	for (int i = 0; i < COUNT; i++)
		share += mask[i] == 0 ? 1.0f / COUNT : 0;
	compare("dropout: share of zeros", &share, &want, 1, 0.03);
	cuda_free(cuda, in);
	free(mask);
	free(ones);
	free(zeros);
}

static void random_test(void)
{
	enum { COUNT = 1 << 20 };
	void *out = device_poison(COUNT, CUDA_F32);
	float moments[2] = {0}, want[2] = {0, 0.25f};
	float *values;

	cuda_random_normal(cuda, out, CUDA_F32, COUNT, 0.5, 3);
	values = host_floats(out, CUDA_F32, COUNT);
	for (int i = 0; i < COUNT; i++) {
		moments[0] += values[i] / COUNT;
		moments[1] += values[i] * values[i] / COUNT;
	}
	compare("random: mean and variance", moments, want, 2, 0.02);
	free(values);
}

static void norm_case(enum cuda_type type, bool centred, int64_t rows, int64_t width)
{
	const struct norm_shape shape = {rows, width, 1e-5f};
	const int64_t count = rows * width;
	float *in = floats_normal(count), *weight = floats_normal(width);
	float *bias = floats_normal(width);
	float *out = floats_zero(count), *stats = floats_zero(2 * rows);
	float *d_out = floats_normal(count), *d_in = floats_normal(count);
	float *device_in = device_floats(in, count), *device_weight = device_floats(weight, width);
	float *device_bias = device_floats(bias, width);
	float *device_d_out = device_floats(d_out, count);
	float *device_d_in = device_floats(d_in, count);
	void *device_out = device_poison(count, type);
	float *device_stats = device_poison(2 * rows, CUDA_F32);
	const char *op = centred ? "layernorm" : "rmsnorm";

	if (centred)
		layernorm_forward(out, stats, in, weight, bias, &shape);
	else
		rmsnorm_forward(out, stats, in, weight, &shape);
	norm_backward_input(d_in, d_out, in, stats, weight, centred, &shape);
	cuda_norm_forward(cuda, device_out, type, device_stats, device_in, device_weight,
			  centred ? device_bias : NULL, centred, &shape);
	cuda_norm_backward_input(cuda, device_d_in, device_d_out, device_in, device_stats,
				 device_weight, centred, &shape);
	check(op, "forward", device_out, type, out, count);
	check(op, "statistics", device_stats, CUDA_F32, stats, 2 * rows);
	check(op, "backward", device_d_in, CUDA_F32, d_in, count);
	cuda_free(cuda, device_in);
	cuda_free(cuda, device_weight);
	cuda_free(cuda, device_bias);
	cuda_free(cuda, device_d_out);
	free(in);
	free(weight);
	free(bias);
	free(d_out);
}

static void norm_test(void)
{
	norm_case(CUDA_F32, true, 9, 20);
	norm_case(CUDA_F32, false, 180, 768);
	norm_case(CUDA_BF16, true, 7, 4096);
	norm_case(CUDA_BF16, false, 3, 5000);
}

static void angles_fill(float *table, int64_t positions, int64_t width)
{
	double frequency[512];

	rope_frequencies(frequency, width, 10000, NULL);
	rope_table_fill(table, positions, width, frequency);
}

static void rope_test(void)
{
	const struct rope_shape shape = {2, 7, 3, 10, 45, 5};
	const int64_t count = 2 * 7 * 45, table_count = 12 * 10;
	float *x = floats_normal(count), *table = floats_zero(table_count);
	float *device_x = device_floats(x, count), *device_table;

	angles_fill(table, 12, 10);
	device_table = device_floats(table, table_count);
	rope_forward(x, table, &shape);
	cuda_rope(cuda, device_x, device_table, &shape, 1);
	check("rope", "forward", device_x, CUDA_F32, x, count);
	x = floats_normal(count);
	device_x = device_floats(x, count);
	rope_backward(x, table, &shape);
	cuda_rope(cuda, device_x, device_table, &shape, -1);
	check("rope", "backward", device_x, CUDA_F32, x, count);
	cuda_free(cuda, device_table);
	free(table);
}

static void relu(float *out, const float *in, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		out[i] = in[i] > 0 ? in[i] : 0;
}

static void activation_case(enum cuda_activation activation, enum cuda_type type, const char *op)
{
	enum { ROWS = 9, WIDTH = 131, COUNT = ROWS * WIDTH };
	const int64_t in_count = activation == CUDA_SILU_GATE ? 2 * COUNT : COUNT;
	float *in = floats_normal(in_count), *d_out = floats_normal(COUNT);
	float *out = floats_zero(COUNT), *d_in = floats_zero(in_count);
	float *device_in = device_floats(in, in_count), *device_d_out = device_floats(d_out, COUNT);
	void *device_out = device_poison(COUNT, type), *device_d_in = device_poison(in_count, type);

	if (activation == CUDA_SILU_GATE) {
		silu_gate_forward(out, in, ROWS, WIDTH);
		silu_gate_backward(d_in, d_out, in, ROWS, WIDTH);
	} else if (activation == CUDA_GELU_NEW) {
		gelu_new_forward(out, in, COUNT);
		gelu_new_backward(d_in, d_out, in, COUNT);
	} else {
		relu(out, in, COUNT);
		for (int i = 0; i < COUNT; i++)
			d_in[i] = in[i] > 0 ? d_out[i] : 0;
	}
	cuda_activation_forward(cuda, activation, device_out, type, device_in, ROWS, WIDTH);
	cuda_activation_backward(cuda, activation, device_d_in, type, device_d_out, device_in, ROWS,
				 WIDTH);
	check(op, "forward", device_out, type, out, COUNT);
	check(op, "backward", device_d_in, type, d_in, in_count);
	cuda_free(cuda, device_in);
	cuda_free(cuda, device_d_out);
	free(in);
	free(d_out);
}

static void activation_test(void)
{
	for (int type = CUDA_F32; type <= CUDA_BF16; type++) {
		activation_case(CUDA_GELU_NEW, (enum cuda_type)type, "gelu_new");
		activation_case(CUDA_SILU_GATE, (enum cuda_type)type, "silu gate");
		activation_case(CUDA_RELU, (enum cuda_type)type, "relu");
	}
}

/* Attention inside rows q | k | v, forward and backward. */
static void attention_case(int64_t batch, int64_t tokens, int64_t heads, int64_t kv_heads,
			   int64_t width)
{
	const int64_t stride = (heads + 2 * kv_heads) * width, rows = batch * tokens;
	const struct attention_shape s = {
		.batch = batch, .tokens = tokens, .keys = tokens, .heads = heads,
		.kv_heads = kv_heads, .width = width, .q_stride = stride, .kv_stride = stride,
		.out_stride = heads * width, .scale = 1 / sqrtf((float)width)};
	const int64_t k = heads * width, v = k + kv_heads * width;
	const int64_t kept = attention_weights_floats(&s);
	float *qkv = floats_normal(rows * stride), *out = floats_zero(rows * k);
	float *d_out = floats_normal(rows * k), *d_qkv = floats_zero(rows * stride);
	float *weights = floats_zero(kept), *scratch = floats_zero(attention_scratch_floats(&s));
	float *device_qkv = device_floats(qkv, rows * stride);
	float *device_d_out = device_floats(d_out, rows * k);
	float *device_out = device_poison(rows * k, CUDA_F32);
	float *device_weights = device_poison(kept, CUDA_F32);
	float *device_d_qkv = device_poison(rows * stride, CUDA_F32);
	void *device_scratch = cuda_alloc(cuda, cuda_attention_scratch_bytes(&s, true));

	attention_forward(out, weights, qkv, qkv + k, qkv + v, scratch, &s);
	attention_backward(d_qkv, d_qkv + k, d_qkv + v, NULL, d_out, qkv, qkv + k, qkv + v, weights,
			   scratch, &s);
	cuda_attention_forward(cuda, device_out, device_weights, device_qkv, device_qkv + k,
			       device_qkv + v, device_scratch, &s);
	cuda_attention_backward(cuda, device_d_qkv, device_d_qkv + k, device_d_qkv + v,
				device_d_out, device_qkv, device_qkv + k, device_qkv + v,
				device_weights, device_scratch, &s);
	check("attention", "forward", device_out, CUDA_F32, out, rows * k);
	check("attention", "weights", device_weights, CUDA_F32, weights, kept);
	check("attention", "backward", device_d_qkv, CUDA_F32, d_qkv, rows * stride);
	cuda_free(cuda, device_qkv);
	cuda_free(cuda, device_d_out);
	cuda_free(cuda, device_scratch);
	free(qkv);
	free(d_out);
	free(scratch);
}

static void attention_test(void)
{
	attention_case(2, 83, 4, 4, 5);
	attention_case(3, 70, 6, 2, 16);
	attention_case(1, 180, 12, 12, 64);
}

/* Tokens fed in two pieces behind a cache, beside one whole call on the CPU. */
static void cache_case(enum cuda_type type, bool rotate, int64_t heads, int64_t kv_heads,
		       int64_t width)
{
	enum { TOKENS = 60, FIRST = 51 };
	const int64_t stride = (heads + 2 * kv_heads) * width, k = heads * width;
	const struct attention_shape s = {
		.batch = 1, .tokens = TOKENS, .keys = TOKENS, .heads = heads, .kv_heads = kv_heads,
		.width = width, .q_stride = stride, .kv_stride = stride, .out_stride = k,
		.scale = 1 / sqrtf((float)width)};
	const struct rope_shape q_rope = {1, TOKENS, heads, width, stride, 0};
	const struct rope_shape k_rope = {1, TOKENS, kv_heads, width, stride, 0};
	float *qkv = floats_normal(TOKENS * stride), *out = floats_zero(TOKENS * k);
	float *table = floats_zero(TOKENS * width);
	float *scratch = floats_zero(attention_scratch_floats(&s));
	const int32_t places[2] = {0, FIRST};
	int32_t *device_places = device_from(places, sizeof(places));
	void *device_out = device_poison(TOKENS * k, type);
	float *device_table;
	struct cuda_cache_step step = {
		.tokens = FIRST, .max_tokens = TOKENS, .heads = heads, .kv_heads = kv_heads,
		.width = width, .scale = s.scale, .first = device_places,
		.qkv = device_floats(qkv, TOKENS * stride),
		.keys = device_poison(TOKENS * kv_heads * width, CUDA_F32),
		.values = device_poison(TOKENS * kv_heads * width, CUDA_F32)};
	struct cuda_cache_step later = step;

	angles_fill(table, TOKENS, width / 2 * 2);
	device_table = device_floats(table, TOKENS * width);
	step.table = rotate ? device_table : NULL;
	if (rotate) {
		rope_forward(qkv, table, &q_rope);
		rope_forward(qkv + k, table, &k_rope);
	}
	attention_forward(out, NULL, qkv, qkv + k, qkv + k + kv_heads * width, scratch, &s);
	later = step;
	later.tokens = TOKENS - FIRST;
	later.first = device_places + 1;
	later.qkv = step.qkv + FIRST * stride;
	cuda_cache_append(cuda, &step);
	cuda_cache_attention(cuda, device_out, type, &step);
	cuda_cache_append(cuda, &later);
	cuda_cache_attention(cuda, (char *)device_out + (size_t)(FIRST * k) * cuda_type_bytes(type),
			     type, &later);
	check("cache", rotate ? "rotated" : "as it is", device_out, type, out, TOKENS * k);
	cuda_free(cuda, step.qkv);
	cuda_free(cuda, step.keys);
	cuda_free(cuda, step.values);
	cuda_free(cuda, device_places);
	cuda_free(cuda, device_table);
	free(qkv);
	free(table);
	free(scratch);
}

static void cache_test(void)
{
	cache_case(CUDA_F32, true, 4, 2, 6);
	cache_case(CUDA_F32, false, 3, 3, 5);
	cache_case(CUDA_F32, true, 2, 1, 512);
	cache_case(CUDA_BF16, true, 8, 8, 128);
}

/* What a recording does, again, after its input changed; and that too much memory is refused. */
static void device_test(void)
{
	enum { COUNT = 1000 };
	float *in = floats_normal(COUNT), *want = floats_zero(COUNT);
	float *x = device_floats(in, COUNT), *y = device_poison(COUNT, CUDA_F32);
	struct cuda_graph *graph;
	struct error error = {0};

	cuda_graph_begin(cuda);
	cuda_convert(cuda, y, CUDA_F32, x, 1, COUNT, COUNT);
	cuda_bias_add(cuda, y, y, x, 1, COUNT, COUNT);
	graph = cuda_graph_end(cuda);
	finish();
	for (int i = 0; i < COUNT; i++) {
		in[i] = (float)i;
		want[i] = (float)(2 * i);
	}
	cuda_copy_in(cuda, x, in, COUNT * sizeof(*in));
	cuda_graph_run(cuda, graph);
	check("device", "recorded work", y, CUDA_F32, want, COUNT);
	cuda_graph_free(graph);
	cuda_free(cuda, x);
	free(in);
	if (cuda_alloc(cuda, (size_t)1 << 50) || cuda_finish(cuda, &error) != ERR_NO_MEMORY ||
	    !strstr(error.text, "out of memory"))
		compare_failed = true;
	printf("%s\n", error.text);
}

int main(void)
{
	struct error error = {0};
	const int code = cuda_open(&cuda, &error);

	if (code == ERR_UNSUPPORTED) {
		printf("SKIP everything: %s\n", error.text);
		return EXIT_SKIPPED;
	}
	must(code, &error);
	printf("%s\n", cuda_name(cuda));
	convert_test();
	transpose_test();
	gemm_test();
	affine_test();
	bias_test();
	positions_test();
	dropout_test();
	random_test();
	norm_test();
	rope_test();
	activation_test();
	attention_test();
	cache_test();
	device_test();
	cuda_close(cuda);
	return compare_failed;
}
