/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Normalisation of rows.
 *
 * LayerNorm (Ba, Kiros, Hinton 2016): y = (x - mu) s w + b, s = 1 / sqrt(var + e).
 * RMSNorm (Zhang, Sennrich 2019): y = x s w, s = 1 / sqrt(mean(x^2) + e).
 * With n = (x - mu) s and g = dy w, the gradient of the input is
 *     dx = s (g - mean(g) - n mean(g n))        (RMSNorm: without mean(g)).
 * Mean and s are kept from forward; n is computed again.
 */
#include "tensor/norm.h"

#include <math.h>
#include <stddef.h>

#include "tensor/threads.h"
#include "tensor/vector.h"

#define GRAIN_FLOATS 16384 /* below this, a second thread costs more than it brings */

struct norm_call {
	float *out, *stats, *d_in, *d_weight, *d_bias;
	const float *in, *weight, *bias, *d_out, *kept;
	bool centred;
	int64_t rows, width;
	float epsilon;
};

static int64_t grain_rows(int64_t width)
{
	return width >= GRAIN_FLOATS ? 1 : GRAIN_FLOATS / (width > 0 ? width : 1);
}

TENSOR_INLINE float sum_squares(const float *x, float mean, int64_t count)
{
	float lane[TENSOR_LANES] = {0};
	int64_t i = 0;

	for (; i + TENSOR_LANES <= count; i += TENSOR_LANES)
		for (int j = 0; j < TENSOR_LANES; j++)
			lane[j] += (x[i + j] - mean) * (x[i + j] - mean);
	for (int j = 0; i < count; i++, j++)
		lane[j] += (x[i] - mean) * (x[i] - mean);
	return vector_lanes_sum(lane);
}

TENSOR_CLONES
static void rows_forward(void *context, int worker, int64_t begin, int64_t end)
{
	const struct norm_call *call = context;
	const float *weight = call->weight, *bias = call->bias;
	const int64_t width = call->width;

	(void)worker;
	for (int64_t row = begin; row < end; row++) {
		const float *x = call->in + row * width;
		float *y = call->out + row * width;
		const float mean = call->centred ? vector_sum(x, width) / (float)width : 0.0f;
		const float scale =
			1.0f / sqrtf(sum_squares(x, mean, width) / (float)width + call->epsilon);

		if (call->stats) {
			call->stats[2 * row] = mean;
			call->stats[2 * row + 1] = scale;
		}
		if (bias)
			for (int64_t i = 0; i < width; i++)
				y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
		else
			for (int64_t i = 0; i < width; i++)
				y[i] = (x[i] - mean) * scale * weight[i];
	}
}

void layernorm_forward(float *out, float *stats, const float *in, const float *weight,
		       const float *bias, const struct norm_shape *shape)
{
	struct norm_call call = {.out = out, .stats = stats, .in = in, .weight = weight,
				 .bias = bias, .centred = true, .width = shape->width,
				 .epsilon = shape->epsilon};

	tensor_split(shape->rows, grain_rows(shape->width), rows_forward, &call);
}

void rmsnorm_forward(float *out, float *stats, const float *in, const float *weight,
		     const struct norm_shape *shape)
{
	struct norm_call call = {.out = out, .stats = stats, .in = in, .weight = weight,
				 .width = shape->width, .epsilon = shape->epsilon};

	tensor_split(shape->rows, grain_rows(shape->width), rows_forward, &call);
}

/* Sums of g and of g n over a row, g = d_out x weight, n the normalised input. */
TENSOR_INLINE void row_sums(const float *d_out, const float *weight, const float *x, float mean,
			    float scale, int64_t width, float sums[2])
{
	float g_lane[TENSOR_LANES] = {0}, gn_lane[TENSOR_LANES] = {0};
	int64_t i = 0;

	for (; i + TENSOR_LANES <= width; i += TENSOR_LANES)
		for (int j = 0; j < TENSOR_LANES; j++) {
			const float g = d_out[i + j] * weight[i + j];

			g_lane[j] += g;
			gn_lane[j] += g * ((x[i + j] - mean) * scale);
		}
	for (int j = 0; i < width; i++, j++) {
		g_lane[j] += d_out[i] * weight[i];
		gn_lane[j] += d_out[i] * weight[i] * ((x[i] - mean) * scale);
	}
	sums[0] = vector_lanes_sum(g_lane);
	sums[1] = vector_lanes_sum(gn_lane);
}

TENSOR_CLONES
static void rows_backward(void *context, int worker, int64_t begin, int64_t end)
{
	const struct norm_call *call = context;
	const float *weight = call->weight;
	const int64_t width = call->width;

	(void)worker;
	for (int64_t row = begin; row < end; row++) {
		const float *x = call->in + row * width, *dy = call->d_out + row * width;
		const float mean = call->kept[2 * row], scale = call->kept[2 * row + 1];
		float *dx = call->d_in + row * width;
		float sums[2], g_mean, gn_mean;

		row_sums(dy, weight, x, mean, scale, width, sums);
		g_mean = call->centred ? sums[0] / (float)width : 0.0f;
		gn_mean = sums[1] / (float)width;
		for (int64_t i = 0; i < width; i++)
			dx[i] += scale * (dy[i] * weight[i] - g_mean -
					  (x[i] - mean) * scale * gn_mean);
	}
}

void norm_backward_input(float *d_in, const float *d_out, const float *in, const float *stats,
			 const float *weight, bool centred, const struct norm_shape *shape)
{
	struct norm_call call = {.d_in = d_in, .d_out = d_out, .in = in, .kept = stats,
				 .weight = weight, .centred = centred, .width = shape->width};

	tensor_split(shape->rows, grain_rows(shape->width), rows_backward, &call);
}

/* Columns [begin, end) of the sums over all rows. */
TENSOR_CLONES
static void columns_backward(void *context, int worker, int64_t begin, int64_t end)
{
	const struct norm_call *call = context;

	(void)worker;
	for (int64_t row = 0; row < call->rows; row++) {
		const float *x = call->in + row * call->width;
		const float *dy = call->d_out + row * call->width;
		const float mean = call->kept[2 * row], scale = call->kept[2 * row + 1];

		for (int64_t i = begin; i < end; i++)
			call->d_weight[i] += dy[i] * ((x[i] - mean) * scale);
		if (call->d_bias)
			for (int64_t i = begin; i < end; i++)
				call->d_bias[i] += dy[i];
	}
}

void norm_backward_weight(float *d_weight, float *d_bias, const float *d_out, const float *in,
			  const float *stats, const struct norm_shape *shape)
{
	struct norm_call call = {.d_weight = d_weight, .d_bias = d_bias, .d_out = d_out,
				 .in = in, .kept = stats, .rows = shape->rows,
				 .width = shape->width};

	tensor_split(shape->width, grain_rows(shape->rows), columns_backward, &call);
}
