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

#define GRAIN 32768      /* elements below which a second thread costs more than it brings */
#define NORM_BLOCKS 128  /* of that size, summed side by side */

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
	float keep, beta1, beta2, rest1, rest2, size, bias2, epsilon;
};

static struct step_scalars step_scalars(const struct adamw *adamw, double rate)
{
	const struct adamw_options *o = &adamw->options;
	const double k = (double)adamw->steps;

	return (struct step_scalars){
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

struct update {
	float *value, *m, *v;
	const float *gradient;
	const struct step_scalars *scalars;
};

/* Elements [begin, end) of one tensor. */
static void update_range(void *context, int worker, int64_t begin, int64_t end)
{
	const struct update *update = context;
	const struct step_scalars *s = update->scalars;
	const float *restrict gradient = update->gradient;
	float *restrict value = update->value, *restrict m = update->m, *restrict v = update->v;

	(void)worker;
	for (int64_t i = begin; i < end; i++) {
		const float g = gradient[i];

		m[i] = s->beta1 * m[i] + s->rest1 * g;
		v[i] = s->beta2 * v[i] + s->rest2 * g * g;
		value[i] = value[i] * s->keep -
			   s->size * (m[i] / (sqrtf(v[i]) / s->bias2 + s->epsilon));
	}
}

void adamw_step(struct adamw *adamw, const struct backbone_param *params, size_t count, double rate)
{
	size_t at = 0;

	adamw->steps++;

	const struct step_scalars scalars = step_scalars(adamw, rate);

	for (size_t i = 0; i < count; i++) {
		if (!params[i].gradient)
			continue;

		struct update update = {params[i].value, adamw->moment1 + at, adamw->moment2 + at,
					params[i].gradient, &scalars};

		tensor_split(params[i].count, GRAIN, update_range, &update);
		at += (size_t)params[i].count;
	}
}

static void zero_range(void *context, int worker, int64_t begin, int64_t end)
{
	float *gradient = context;

	(void)worker;
	memset(gradient + begin, 0, (size_t)(end - begin) * sizeof(float));
}

void gradients_zero(const struct backbone_param *params, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (params[i].gradient)
			tensor_split(params[i].count, GRAIN, zero_range, params[i].gradient);
}

/* Sums of squares of blocks of GRAIN elements, NORM_BLOCKS at a time. */
struct squares {
	const float *gradient;
	int64_t count;
	double sum[NORM_BLOCKS];
};

static void squares_range(void *context, int worker, int64_t begin, int64_t end)
{
	struct squares *squares = context;

	(void)worker;
	for (int64_t block = begin; block < end; block++) {
		const int64_t first = block * GRAIN, left = squares->count - first;
		double sum = 0;

		for (int64_t i = first; i < first + (left < GRAIN ? left : GRAIN); i++)
			sum += (double)squares->gradient[i] * (double)squares->gradient[i];
		squares->sum[block] = sum;
	}
}

/* Blocks are cut and added in one order, so that the sum is the same on any number of threads. */
static double squares_sum(const struct backbone_param *param)
{
	const int64_t most = NORM_BLOCKS * GRAIN;
	double sum = 0;

	for (int64_t first = 0; first < param->count; first += most) {
		const int64_t left = param->count - first, count = left < most ? left : most;
		const int64_t blocks = (count + GRAIN - 1) / GRAIN;
		struct squares squares = {.gradient = param->gradient + first, .count = count};

		tensor_split(blocks, 1, squares_range, &squares);
		for (int64_t block = 0; block < blocks; block++)
			sum += squares.sum[block];
	}
	return sum;
}

double gradients_norm(const struct backbone_param *params, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		if (params[i].gradient)
			sum += squares_sum(&params[i]);
	return sqrt(sum);
}

struct scaling {
	float *gradient;
	float scale;
};

static void scale_range(void *context, int worker, int64_t begin, int64_t end)
{
	const struct scaling *scaling = context;

	(void)worker;
	for (int64_t i = begin; i < end; i++)
		scaling->gradient[i] *= scaling->scale;
}

double gradients_clip(const struct backbone_param *params, size_t count, double max_norm)
{
	const double norm = gradients_norm(params, count);
	const float scale = (float)(max_norm / (norm + 1e-6));

	if (max_norm <= 0 || scale >= 1.0f)
		return norm;
	for (size_t i = 0; i < count; i++) {
		struct scaling scaling = {params[i].gradient, scale};

		if (params[i].gradient)
			tensor_split(params[i].count, GRAIN, scale_range, &scaling);
	}
	return norm;
}
