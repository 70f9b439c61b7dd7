/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rotary position embedding (Su et al. 2021), pairs (j, j + width/2) as in the
 * Llama checkpoints of Hugging Face.  Angles are computed in double.
 */
#include "tensor/rope.h"

#include <math.h>

#include "tensor/threads.h"
#include "tensor/vector.h"

#define GRAIN_FLOATS 16384

struct rope_call {
	float *x;
	const float *table;
	const struct rope_shape *shape;
	float direction;
};

/*
 * Llama 3: between the two bounds the frequency goes from w / factor to w in
 * proportion to the turns that it makes within the original positions.
 */
static double llama3_frequency(double w, const struct rope_scaling *scaling)
{
	const double turns = scaling->original_positions * w / (2 * M_PI);
	double share = (turns - scaling->low_turns) / (scaling->high_turns - scaling->low_turns);

	share = fmin(fmax(share, 0), 1);
	return (1 - share) * w / scaling->factor + share * w;
}

void rope_frequencies(double *frequency, int64_t width, double theta,
		      const struct rope_scaling *scaling)
{
	const enum rope_scaling_kind kind = scaling ? scaling->kind : ROPE_SCALING_NONE;

	for (int64_t j = 0; j < width / 2; j++) {
		const double w = pow(theta, -2.0 * (double)j / (double)width);

		frequency[j] = w;
		if (kind == ROPE_SCALING_LINEAR)
			frequency[j] = w / scaling->factor;
		else if (kind == ROPE_SCALING_LLAMA3)
			frequency[j] = llama3_frequency(w, scaling);
	}
}

void rope_table_fill(float *table, int64_t positions, int64_t width, const double *frequency)
{
	const int64_t half = width / 2;

	for (int64_t p = 0; p < positions; p++)
		for (int64_t j = 0; j < half; j++) {
			const double angle = (double)p * frequency[j];

			table[p * width + j] = (float)cos(angle);
			table[p * width + half + j] = (float)sin(angle);
		}
}

TENSOR_CLONES
static void rows_rotate(void *context, int worker, int64_t begin, int64_t end)
{
	const struct rope_call *call = context;
	const struct rope_shape *shape = call->shape;
	const int64_t half = shape->width / 2;

	(void)worker;
	for (int64_t row = begin; row < end; row++) {
		const int64_t position = shape->first_position + row % shape->tokens;
		const float *cosine = call->table + position * shape->width;
		const float *sine = cosine + half;

		for (int64_t head = 0; head < shape->heads; head++) {
			float *low = call->x + row * shape->row_stride + head * shape->width;
			float *high = low + half;

			for (int64_t j = 0; j < half; j++) {
				const float s = call->direction * sine[j];
				const float a = low[j], b = high[j];

				low[j] = a * cosine[j] - b * s;
				high[j] = b * cosine[j] + a * s;
			}
		}
	}
}

static void rotate(float *x, const float *table, const struct rope_shape *shape, float direction)
{
	struct rope_call call = {x, table, shape, direction};

	tensor_split(shape->batch * shape->tokens,
		     1 + GRAIN_FLOATS / (shape->heads * shape->width), rows_rotate, &call);
}

void rope_forward(float *x, const float *table, const struct rope_shape *shape)
{
	rotate(x, table, shape, 1.0f);
}

void rope_backward(float *d_x, const float *table, const struct rope_shape *shape)
{
	rotate(d_x, table, shape, -1.0f);
}
