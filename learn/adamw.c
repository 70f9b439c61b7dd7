/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AdamW (Loshchilov and Hutter 2019, algorithm 2) in the arrangement of
 * PyTorch's optimizer, which golden/ pins:
 *
 *   p *= 1 - rate * decay
 *   m  = b1 m + (1 - b1) g          v = b2 v + (1 - b2) g^2
 *   p -= rate / (1 - b1^k) * m / (sqrt(v) / sqrt(1 - b2^k) + eps)
 *
 * Scalars are computed in double and used in float, moments are float.  There
 * is one step count for all tensors, since every trainable tensor takes part
 * in every step.
 */
#include "learn/adamw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/threads.h"
#include "tensor/vector.h"

#define GRAIN_FLOATS (1 << 14)
#define NORM_BLOCK (1 << 16) /* floats summed alone, so that threads do not change the norm */
#define NORM_BLOCKS 64	     /* at a time */

const struct adamw_options adamw_defaults = {
	.weight_decay = 1e-4,
	.beta1 = 0.9,
	.beta2 = 0.999,
	.epsilon = 1e-8,
};

size_t gradients_elements(const struct backbone_param *params, size_t count)
{
	size_t elements = 0;

	for (size_t i = 0; i < count; i++)
		if (params[i].gradient)
			elements += (size_t)params[i].count;
	return elements;
}

int adamw_init(struct adamw *adamw, const struct adamw_options *options,
	       const struct backbone_param *params, size_t count, struct error *error)
{
	memset(adamw, 0, sizeof(*adamw));
	adamw->options = *options;
	adamw->elements = gradients_elements(params, count);
	adamw->moment1 = calloc(adamw->elements + 1, sizeof(float));
	adamw->moment2 = calloc(adamw->elements + 1, sizeof(float));
	if (adamw->moment1 && adamw->moment2)
		return 0;
	adamw_free(adamw);
	return error_set(error, ERR_NO_MEMORY, "optimizer state for %zu parameters",
			 gradients_elements(params, count));
}

void adamw_free(struct adamw *adamw)
{
	free(adamw->moment1);
	free(adamw->moment2);
	memset(adamw, 0, sizeof(*adamw));
}

/* What is the same for every element of one step. */
struct step_scalars {
	float scale, keep, beta1, beta2, rest1, rest2, size, bias2, epsilon;
};

static struct step_scalars step_scalars(const struct adamw *adamw, double rate, float scale)
{
	const struct adamw_options *o = &adamw->options;
	const double k = (double)adamw->steps;

	return (struct step_scalars){
		.scale = scale,
		.keep = (float)(1.0 - rate * o->weight_decay),
		.beta1 = (float)o->beta1,
		.beta2 = (float)o->beta2,
		.rest1 = (float)(1.0 - o->beta1),
		.rest2 = (float)(1.0 - o->beta2),
		.size = (float)(rate / (1.0 - pow(o->beta1, k))),
		.bias2 = (float)sqrt(1.0 - pow(o->beta2, k)),
		.epsilon = (float)o->epsilon,
	};
}

struct update_call {
	float *value, *gradient, *moment1, *moment2;
	const struct step_scalars *scalars;
};

TENSOR_CLONES
static void range_update(void *context, int worker, int64_t begin, int64_t end)
{
	const struct update_call *call = context;
	const struct step_scalars s = *call->scalars;
	float *restrict m = call->moment1, *restrict v = call->moment2;
	float *restrict value = call->value, *restrict gradient = call->gradient;

	(void)worker;
	for (int64_t i = begin; i < end; i++) {
		const float g = gradient[i] * s.scale;

		m[i] = s.beta1 * m[i] + s.rest1 * g;
		v[i] = s.beta2 * v[i] + s.rest2 * g * g;
		value[i] = value[i] * s.keep -
			   s.size * (m[i] / (sqrtf(v[i]) / s.bias2 + s.epsilon));
		gradient[i] = 0;
	}
}

void adamw_step(struct adamw *adamw, const struct backbone_param *params, size_t count, double rate,
		float scale)
{
	struct step_scalars scalars;
	size_t at = 0;

	adamw->steps++;
	scalars = step_scalars(adamw, rate, scale);
	for (size_t i = 0; i < count; i++) {
		struct update_call call = {params[i].value, params[i].gradient, adamw->moment1 + at,
					   adamw->moment2 + at, &scalars};

		if (!params[i].gradient)
			continue;
		tensor_split(params[i].count, GRAIN_FLOATS, range_update, &call);
		at += (size_t)params[i].count;
	}
}

void gradients_zero(const struct backbone_param *params, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (params[i].gradient)
			memset(params[i].gradient, 0, (size_t)params[i].count * sizeof(float));
}

struct norm_call {
	const struct backbone_param *param;
	double *sums; /* of each block */
};

/* Lanes in a fixed order, as everywhere: the same on every machine. */
TENSOR_CLONES
static void blocks_square(void *context, int worker, int64_t begin, int64_t end)
{
	const struct norm_call *call = context;

	(void)worker;
	for (int64_t block = begin; block < end; block++) {
		const float *x = call->param->gradient + block * NORM_BLOCK;
		const int64_t left = call->param->count - block * NORM_BLOCK;
		const int64_t count = left < NORM_BLOCK ? left : NORM_BLOCK;
		double lane[TENSOR_LANES] = {0}, sum = 0;
		int64_t i = 0;

		for (; i + TENSOR_LANES <= count; i += TENSOR_LANES)
			for (int j = 0; j < TENSOR_LANES; j++)
				lane[j] += (double)x[i + j] * (double)x[i + j];
		for (int j = 0; i < count; i++, j++)
			lane[j] += (double)x[i] * (double)x[i];
		for (int j = 0; j < TENSOR_LANES; j++)
			sum += lane[j];
		call->sums[block] = sum;
	}
}

/* Sum of squares of one tensor, NORM_BLOCKS blocks at a time. */
static double tensor_square(const struct backbone_param *param)
{
	const int64_t blocks = (param->count + NORM_BLOCK - 1) / NORM_BLOCK;
	double sums[NORM_BLOCKS], sum = 0;

	for (int64_t first = 0; first < blocks; first += NORM_BLOCKS) {
		const int64_t left = blocks - first;
		const int64_t count = left < NORM_BLOCKS ? left : NORM_BLOCKS;
		struct backbone_param part = *param;
		struct norm_call call = {&part, sums};

		part.gradient += first * NORM_BLOCK;
		part.count -= first * NORM_BLOCK;
		tensor_split(count, 1, blocks_square, &call);
		for (int64_t i = 0; i < count; i++)
			sum += sums[i];
	}
	return sum;
}

double gradients_norm(const struct backbone_param *params, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		if (params[i].gradient)
			sum += tensor_square(&params[i]);
	return sqrt(sum);
}

float gradients_clip_scale(double norm, double max_norm)
{
	const float scale = (float)(max_norm / (norm + 1e-6));

	return max_norm <= 0 || scale >= 1.0f ? 1.0f : scale;
}

struct scale_call {
	float *gradient, scale;
};

TENSOR_CLONES
static void range_scale(void *context, int worker, int64_t begin, int64_t end)
{
	const struct scale_call *call = context;

	(void)worker;
	for (int64_t i = begin; i < end; i++)
		call->gradient[i] *= call->scale;
}

double gradients_clip(const struct backbone_param *params, size_t count, double max_norm)
{
	const double norm = gradients_norm(params, count);
	const float scale = gradients_clip_scale(norm, max_norm);

	for (size_t i = 0; scale < 1.0f && i < count; i++) {
		struct scale_call call = {params[i].gradient, scale};

		if (call.gradient)
			tensor_split(params[i].count, GRAIN_FLOATS, range_scale, &call);
	}
	return norm;
}
