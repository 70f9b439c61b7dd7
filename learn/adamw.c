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

static void update_tensor(const struct backbone_param *param, float *restrict m, float *restrict v,
			  const struct step_scalars *s)
{
	float *restrict value = param->value;
	const float *restrict gradient = param->gradient;

	for (int64_t i = 0; i < param->count; i++) {
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
		update_tensor(&params[i], adamw->moment1 + at, adamw->moment2 + at, &scalars);
		at += (size_t)params[i].count;
	}
}

void gradients_zero(const struct backbone_param *params, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (params[i].gradient)
			memset(params[i].gradient, 0, (size_t)params[i].count * sizeof(float));
}

double gradients_norm(const struct backbone_param *params, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		if (!params[i].gradient)
			continue;
		for (int64_t j = 0; j < params[i].count; j++)
			sum += (double)params[i].gradient[j] * (double)params[i].gradient[j];
	}
	return sqrt(sum);
}

double gradients_clip(const struct backbone_param *params, size_t count, double max_norm)
{
	const double norm = gradients_norm(params, count);
	const float scale = (float)(max_norm / (norm + 1e-6));

	if (max_norm <= 0 || scale >= 1.0f)
		return norm;
	for (size_t i = 0; i < count; i++) {
		if (!params[i].gradient)
			continue;
		for (int64_t j = 0; j < params[i].count; j++)
			params[i].gradient[j] *= scale;
	}
	return norm;
}
