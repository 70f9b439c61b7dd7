/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attention against plain loops in double, over lengths around the block of 64
 * queries, grouped heads, rows with gaps and keys that lie further back than
 * the queries, causal and not, with and without a bias by distance; gradients
 * against difference quotients.
 */
#include "tensor/test_support.h"

#include "tensor/attention.h"

struct attention_case {
	struct attention_shape shape;
	struct attention_bias bias;
	float *q, *k, *v, *out, *weights, *scratch, *slope, *bias_values;
	int64_t q_count, kv_count, out_count, bias_count;
};

/* What a case has besides its sizes. */
enum { PLAIN = 0, BIDIRECTIONAL = 1, BIASED = 2, FORMS = 4 };

static void case_make(struct attention_case *c, const int64_t *sizes, int form)
{
	const int64_t tokens = sizes[0], keys = sizes[1], heads = sizes[2], kv_heads = sizes[3];
	struct attention_shape *s = &c->shape;

	*s = (struct attention_shape){.batch = 2, .tokens = tokens, .keys = keys, .heads = heads,
				      .kv_heads = kv_heads, .width = 6, .scale = 0.4f};
	s->q_stride = heads * 6 + 5;
	s->kv_stride = kv_heads * 6 + 2;
	s->out_stride = heads * 6 + 1;
	c->q_count = 2 * tokens * s->q_stride;
	c->kv_count = 2 * keys * s->kv_stride;
	c->out_count = 2 * tokens * s->out_stride;
	c->q = test_normal(c->q_count);
	c->k = test_normal(c->kv_count);
	c->v = test_normal(c->kv_count);
	c->out = test_zeros(c->out_count);
	c->slope = test_zeros(c->out_count);
	for (int64_t row = 0; row < 2 * tokens; row++)
		for (int64_t i = 0; i < heads * 6; i++)
			c->slope[row * s->out_stride + i] = (float)rng_normal(&test_rng);
	c->weights = test_zeros(attention_weights_floats(s));
	c->scratch = test_zeros(attention_scratch_floats(s));
	c->bias.stride = 2 * keys + 3;
	c->bias.zero = keys + 1;
	c->bias_count = heads * c->bias.stride;
	c->bias_values = test_normal(c->bias_count);
	c->bias.values = c->bias_values;
	s->bidirectional = form & BIDIRECTIONAL;
	s->bias = form & BIASED ? &c->bias : NULL;
}

static void case_free(struct attention_case *c)
{
	free(c->q);
	free(c->k);
	free(c->v);
	free(c->out);
	free(c->slope);
	free(c->weights);
	free(c->scratch);
	free(c->bias_values);
}

static double score(const struct attention_case *c, int64_t b, int64_t head, int64_t i, int64_t j)
{
	const struct attention_shape *s = &c->shape;
	const float *q = c->q + (b * s->tokens + i) * s->q_stride + head * s->width;
	const float *k = c->k + (b * s->keys + j) * s->kv_stride +
			 head / (s->heads / s->kv_heads) * s->width;

	const int64_t distance = j - (s->keys - s->tokens + i);

	return (double)s->scale * test_product(q, k, s->width) +
	       (s->bias ? c->bias_values[head * c->bias.stride + c->bias.zero + distance] : 0);
}

/* Output of one query of one head, by the definition. */
static void plain_output(const struct attention_case *c, int64_t b, int64_t head, int64_t i,
			 double *out)
{
	const struct attention_shape *s = &c->shape;
	const int64_t seen = s->bidirectional ? s->keys : s->keys - s->tokens + i + 1;
	double total = 0;

	memset(out, 0, (size_t)s->width * sizeof(*out));
	for (int64_t j = 0; j < seen; j++) {
		const float *v = c->v + (b * s->keys + j) * s->kv_stride +
				 head / (s->heads / s->kv_heads) * s->width;
		const double weight = exp(score(c, b, head, i, j));

		total += weight;
		for (int64_t d = 0; d < s->width; d++)
			out[d] += weight * v[d];
	}
	for (int64_t d = 0; d < s->width; d++)
		out[d] /= total;
}

static void outputs_check(const struct attention_case *c)
{
	const struct attention_shape *s = &c->shape;
	double wanted[6];

	for (int64_t row = 0; row < 2 * s->tokens; row++)
		for (int64_t head = 0; head < s->heads; head++) {
			plain_output(c, row / s->tokens, head, row % s->tokens, wanted);
			for (int64_t d = 0; d < 6; d++)
				assert_true(fabs(c->out[row * s->out_stride + head * 6 + d] -
						 wanted[d]) < 1e-5);
		}
}

static const int64_t shapes[][4] = {
	/* tokens, keys, heads, kv_heads */
	{1, 1, 1, 1}, {5, 5, 2, 2}, {64, 64, 2, 1}, {65, 65, 4, 2}, {130, 130, 3, 3},
	{1, 40, 2, 1}, {9, 100, 4, 2}, {70, 75, 2, 2},
};

static void forward_equals_definition(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMS * sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct attention_case c;

		case_make(&c, shapes[i / FORMS], (int)i % FORMS);
		attention_forward(c.out, NULL, c.q, c.k, c.v, c.scratch, &c.shape);
		outputs_check(&c);
		memset(c.out, 0, (size_t)c.out_count * sizeof(float));
		attention_forward(c.out, c.weights, c.q, c.k, c.v, c.scratch, &c.shape);
		outputs_check(&c);
		case_free(&c);
	}
}

/* Scores far apart must not overflow: the largest takes all. */
static void large_scores_survive(void **state)
{
	struct attention_case c;

	(void)state;
	case_make(&c, (const int64_t[]){3, 3, 1, 1}, PLAIN);
	for (int64_t i = 0; i < c.q_count; i++)
		c.q[i] *= 1e6f;
	attention_forward(c.out, NULL, c.q, c.k, c.v, c.scratch, &c.shape);
	for (int64_t i = 0; i < c.out_count; i++)
		assert_true(isfinite(c.out[i]));
	case_free(&c);
}

static double case_loss(void *context)
{
	struct attention_case *c = context;

	attention_forward(c->out, NULL, c->q, c->k, c->v, c->scratch, &c->shape);
	return test_product(c->out, c->slope, c->out_count);
}

/* The gradient of the bias, summed over the two sequences of the batch. */
static void bias_check(struct attention_case *c, float *d_bias)
{
	for (int64_t i = 0; i < c->bias_count; i++)
		d_bias[i] += d_bias[c->bias_count + i] - 4;
	test_gradient("bias", c->bias_values, d_bias, c->bias_count, 0.01, 4e-3, case_loss, c);
}

static void gradients_check(const int64_t *sizes, int form)
{
	struct attention_case c;
	float *d_q, *d_k, *d_v, *d_bias;

	case_make(&c, sizes, form);
	d_q = test_zeros(c.q_count);
	d_k = test_zeros(c.kv_count);
	d_v = test_zeros(c.kv_count);
	d_bias = test_zeros(2 * c.bias_count);
	d_k[0] = d_v[0] = 7; /* backward overwrites these */
	for (int64_t i = 0; i < 2 * c.bias_count; i++)
		d_bias[i] = 2; /* and adds to this */
	attention_forward(c.out, c.weights, c.q, c.k, c.v, c.scratch, &c.shape);
	attention_backward(d_q, d_k, d_v, d_bias, c.slope, c.q, c.k, c.v, c.weights, c.scratch,
			   &c.shape);
	test_gradient("q", c.q, d_q, c.q_count, 0.01, 4e-3, case_loss, &c);
	test_gradient("k", c.k, d_k, c.kv_count, 0.01, 4e-3, case_loss, &c);
	test_gradient("v", c.v, d_v, c.kv_count, 0.01, 4e-3, case_loss, &c);
	if (c.shape.bias)
		bias_check(&c, d_bias);
	case_free(&c);
	free(d_q);
	free(d_k);
	free(d_v);
	free(d_bias);
}

static void gradients_are_slopes(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMS * sizeof(shapes) / sizeof(shapes[0]); i++)
		gradients_check(shapes[i / FORMS], (int)i % FORMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forward_equals_definition),
		cmocka_unit_test(large_scores_survive),
		cmocka_unit_test(gradients_are_slopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
