/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small nets, one sample at a time: plain loops.
 */
#include "learn/student_float.h"

#include <math.h>
#include <string.h>

#define LIMIT 8.0f /* of an activation of 16 bits with 12 fraction bits */

size_t student_float_count(const struct aqm_student_model *shape)
{
	return student_float_weights_at(shape, shape->layers);
}

size_t student_float_weights_at(const struct aqm_student_model *shape, int layer)
{
	size_t count = 0;

	for (int i = 0; i < layer; i++)
		count += (size_t)shape->layer[i].outputs * (shape->layer[i].inputs + 1U);
	return count;
}

size_t student_float_biases_at(const struct aqm_student_model *shape, int layer)
{
	return student_float_weights_at(shape, layer) +
	       (size_t)shape->layer[layer].outputs * shape->layer[layer].inputs;
}

/* Queries smaller by the square root of their width; every lag is like any other. */
static void init_attention(const struct aqm_student_layer *layer, float *weight)
{
	const int width = layer->inputs;

	for (int j = 0; j < width * width; j++)
		weight[j] /= sqrtf((float)width);
	memset(weight + 3 * width * width, 0,
	       (size_t)(aqm_student_window(layer) * width) * sizeof(*weight));
}

void student_float_init(const struct aqm_student_model *shape, float *theta, struct rng *rng)
{
	memset(theta, 0, student_float_count(shape) * sizeof(*theta));
	for (int i = 0; i < shape->layers - 1; i++) {
		const struct aqm_student_layer *layer = &shape->layer[i];
		const double width = sqrt(6.0 / layer->inputs) *
				     (layer->kind == AQM_STUDENT_dense ? 1 : 0.5);
		float *weight = theta + student_float_weights_at(shape, i);

		for (int j = 0; j < layer->inputs * layer->outputs; j++)
			weight[j] = (float)((2 * rng_uniform(rng) - 1) * width);
		if (layer->kind == AQM_STUDENT_attention)
			init_attention(layer, weight);
	}
}

static float cut(float value)
{
	return value < -LIMIT ? -LIMIT : value > LIMIT ? LIMIT : value;
}

void student_float_inputs(const struct aqm_student_model *shape, const int16_t *features,
			  float *input)
{
	for (int i = 0; i < shape->inputs; i++)
		input[i] = cut((float)(features[shape->feature[i]] - shape->offset[i]) *
			       (float)shape->scale[i] / (AQM_LOG2_ONE * AQM_LOG2_ONE));
}

static float bent(float z)
{
	return fabsf(z) >= 2 ? copysignf(1, z) : z * (1 - fabsf(z) / 4);
}

static float activate(int activation, float z)
{
	switch (activation) {
	case AQM_STUDENT_relu:
		return z < 0 ? 0 : z;
	case AQM_STUDENT_tanh:
		return bent(z);
	case AQM_STUDENT_sigmoid:
		return (1 + bent(z / 2)) / 2;
	default:
		return z;
	}
}

static float slope(int activation, float z)
{
	switch (activation) {
	case AQM_STUDENT_relu:
		return z > 0;
	case AQM_STUDENT_tanh:
		return fabsf(z) >= 2 ? 0 : 1 - fabsf(z) / 2;
	case AQM_STUDENT_sigmoid:
		return fabsf(z) >= 4 ? 0 : (1 - fabsf(z) / 4) / 4;
	default:
		return 1;
	}
}

static void dense(const struct aqm_student_layer *layer, const float *weight, const float *x,
		  float *z, float *y)
{
	const float *bias = weight + (size_t)layer->outputs * layer->inputs;

	for (int i = 0; i < layer->outputs; i++) {
		float sum = bias[i];

		for (int j = 0; j < layer->inputs; j++)
			sum += weight[i * layer->inputs + j] * x[j];
		z[i] = cut(sum);
		y[i] = activate(layer->activation, z[i]);
	}
}

/* As aqm_student_cell(); the candidate's inputs, r h included, go to `in`. */
static void cell(const struct aqm_student_layer *layer, const float *gates_weight,
		 const float *candidate_weight, float *hidden, struct student_float_tape *tape,
		 int l)
{
	const int size = layer[1].outputs, inputs = layer->inputs - size;
	float *x = tape->in[l], *again = tape->in[l + 1], *gate = tape->out[l];

	memcpy(x + inputs, hidden, (size_t)size * sizeof(*x));
	dense(layer, gates_weight, x, tape->z[l], gate);
	memcpy(again, x, (size_t)inputs * sizeof(*x));
	for (int i = 0; i < size; i++)
		again[inputs + i] = gate[i] * hidden[i];
	dense(layer + 1, candidate_weight, again, tape->z[l + 1], tape->out[l + 1]);
	for (int i = 0; i < size; i++)
		hidden[i] += gate[size + i] * (tape->out[l + 1][i] - hidden[i]);
}

/* The layer whose inputs are added to what layer l makes, an attention or a residual. */
static int given_to(const struct aqm_student_layer *layer, int l)
{
	return layer->kind == AQM_STUDENT_residual ? l - 1 : l;
}

/* A layer that is no part of a cell, from tape->in[l]; what it gives stands in tape->out[l]. */
static void layer_forward(const struct aqm_student_model *shape, const float *weight,
			  struct student_float_state *state, struct student_float_tape *tape, int l)
{
	const struct aqm_student_layer *layer = &shape->layer[l];
	float *out = tape->out[l];

	dense(layer, weight, tape->in[l], tape->z[l], out);
	if (layer->kind == AQM_STUDENT_attention)
		student_attention_forward(layer->inputs, aqm_student_window(layer), tape->z[l],
					  &state->past, out, &tape->attention);
	else if (layer->kind != AQM_STUDENT_residual)
		return;
	for (int i = 0; i < (int)aqm_student_gives(layer); i++)
		out[i] = cut(out[i] + tape->in[given_to(layer, l)][i]);
}

void student_float_forward(const struct aqm_student_model *shape, const float *theta,
			   struct student_float_state *state, const float *input, float *output,
			   struct student_float_tape *tape)
{
	struct student_float_tape own;
	float *hidden = state->hidden;
	const float *from = input;

	tape = tape ? tape : &own;
	memcpy(tape->before, state->hidden, sizeof(tape->before));
	for (int l = 0; l < shape->layers; l++) {
		const struct aqm_student_layer *layer = &shape->layer[l];
		const float *weight = theta + student_float_weights_at(shape, l);

		if (layer->kind == AQM_STUDENT_gates) {
			memcpy(tape->in[l], from,
			       (size_t)(layer->inputs - layer[1].outputs) * sizeof(*from));
			cell(layer, weight, theta + student_float_weights_at(shape, l + 1), hidden,
			     tape, l);
			from = hidden;
			hidden += layer[1].outputs;
			l++;
		} else {
			memcpy(tape->in[l], from, layer->inputs * sizeof(*from));
			layer_forward(shape, weight, state, tape, l);
			from = tape->out[l];
		}
	}
	memcpy(output, from, shape->outputs * sizeof(*output));
}

/* d: by the outputs; d_x receives the derivative by the inputs. */
static void dense_backward(const struct aqm_student_layer *layer, const float *weight,
			   const float *x, const float *z, const float *d, float *d_x,
			   float *gradient)
{
	float *d_bias = gradient + (size_t)layer->outputs * layer->inputs;

	memset(d_x, 0, layer->inputs * sizeof(*d_x));
	for (int i = 0; i < layer->outputs; i++) {
		const float d_z = fabsf(z[i]) >= LIMIT ? 0 : d[i] * slope(layer->activation, z[i]);

		d_bias[i] += d_z;
		for (int j = 0; j < layer->inputs; j++) {
			gradient[i * layer->inputs + j] += d_z * x[j];
			d_x[j] += d_z * weight[i * layer->inputs + j];
		}
	}
}

/* d holds the derivative by the new state and receives that by the cell's inputs. */
static void cell_backward(const struct aqm_student_model *shape, const float *theta,
			  const struct student_float_tape *tape, int l, const float *before,
			  float *d, float *d_before, float *gradient)
{
	const struct aqm_student_layer *layer = &shape->layer[l];
	const int size = layer[1].outputs, inputs = layer->inputs - size;
	const size_t gates_at = student_float_weights_at(shape, l);
	const size_t candidate_at = student_float_weights_at(shape, l + 1);
	const float *gate = tape->out[l], *candidate = tape->out[l + 1];
	float d_gate[AQM_STUDENT_WIDTH], d_candidate[AQM_STUDENT_WIDTH];
	float d_again[AQM_STUDENT_INPUTS], d_x[AQM_STUDENT_INPUTS];

	for (int i = 0; i < size; i++) {
		d_candidate[i] = d[i] * gate[size + i];
		d_gate[size + i] = d[i] * (candidate[i] - before[i]);
		d_before[i] = d[i] * (1 - gate[size + i]);
	}
	dense_backward(layer + 1, theta + candidate_at, tape->in[l + 1], tape->z[l + 1],
		       d_candidate, d_again, gradient + candidate_at);
	for (int i = 0; i < size; i++) {
		d_gate[i] = d_again[inputs + i] * before[i];
		d_before[i] += d_again[inputs + i] * gate[i];
	}
	dense_backward(layer, theta + gates_at, tape->in[l], tape->z[l], d_gate, d_x,
		       gradient + gates_at);
	for (int i = 0; i < size; i++)
		d_before[i] += d_x[inputs + i];
	for (int i = 0; i < inputs; i++)
		d[i] = d_again[i] + d_x[i];
}

/*
 * d holds the derivative by what layer l gave, no part of a cell, and receives that by its inputs.
 * d_past, else zeros, goes from a residual to the inputs of the dense layer before it.
 */
static void layer_backward(const struct aqm_student_layer *layer, const float *weight,
			   const struct student_float_tape *tape, int l,
			   struct student_float_state *d_state, float *d, float *d_past,
			   float *gradient)
{
	const int gives = (int)aqm_student_gives(layer);
	float d_x[AQM_STUDENT_INPUTS], d_said[AQM_STUDENT_WIDTH], d_own[AQM_STUDENT_INPUTS] = {0};
	float *added = layer->kind == AQM_STUDENT_attention ? d_own : d_past;

	if (layer->kind != AQM_STUDENT_dense)
		for (int i = 0; i < gives; i++)
			added[i] = d[i] = fabsf(tape->out[l][i]) >= LIMIT ? 0 : d[i];
	if (layer->kind == AQM_STUDENT_attention)
		student_attention_backward(layer->inputs, aqm_student_window(layer), tape->z[l], d,
					   &tape->attention, &d_state->past, d_said);
	else
		memcpy(d_said, d, (size_t)gives * sizeof(*d));
	dense_backward(layer, weight, tape->in[l], tape->z[l], d_said, d_x, gradient);
	for (int i = 0; i < layer->inputs; i++) {
		d[i] = d_x[i];
		if (layer->kind == AQM_STUDENT_residual)
			continue;
		d[i] += added[i];
		added[i] = 0;
	}
}

void student_float_backward(const struct aqm_student_model *shape, const float *theta,
			    const struct student_float_tape *tape, const float *d_output,
			    struct student_float_state *d_state, float *gradient)
{
	float d[AQM_STUDENT_INPUTS] = {0}, d_past[AQM_STUDENT_INPUTS] = {0};
	int remembered = 0;

	for (int l = 0; l < shape->layers; l++)
		remembered += shape->layer[l].kind == AQM_STUDENT_candidate
				      ? shape->layer[l].outputs
				      : 0;
	memcpy(d, d_output, shape->outputs * sizeof(*d));
	for (int l = shape->layers - 1; l >= 0; l--) {
		const struct aqm_student_layer *layer = &shape->layer[l];
		const size_t at = student_float_weights_at(shape, l);

		if (layer->kind == AQM_STUDENT_candidate) {
			float *by_state;

			remembered -= layer->outputs;
			by_state = d_state->hidden + remembered;
			for (int i = 0; i < layer->outputs; i++)
				d[i] += by_state[i];
			l--;
			cell_backward(shape, theta, tape, l, tape->before + remembered, d, by_state,
				      gradient);
			continue;
		}
		layer_backward(layer, theta + at, tape, l, d_state, d, d_past, gradient + at);
	}
}

static void normalise(double probability[3])
{
	const double sum = probability[0] + probability[1] + probability[2];

	for (int i = 0; i < 3; i++)
		probability[i] /= sum;
}

void student_float_probabilities(const float *output, double probability[3])
{
	for (int i = 0; i < 3; i++)
		probability[i] = exp2(output[i]);
	normalise(probability);
}

void student_probabilities(const int16_t *output, double probability[3])
{
	uint32_t chance[3];

	aqm_student_chances(output, chance);
	for (int i = 0; i < 3; i++)
		probability[i] = chance[i];
	normalise(probability);
}

int16_t student_output_of(double probability)
{
	const double output = 7.99 + log2(fmax(probability, 1e-9));

	return (int16_t)lrint(fmax(output, -7.99) * AQM_STUDENT_ONE);
}

int16_t student_setting_of(double octaves)
{
	return (int16_t)lrint(fmin(fmax(octaves, -7.99), 7.99) * AQM_STUDENT_ONE);
}

/* The largest power of two that keeps the row within its integers. */
static int shift_of(const float *weights, int count, float bias)
{
	float largest = 0;
	int shift = AQM_STUDENT_SHIFT_MAX;

	for (int i = 0; i < count; i++)
		largest = fmaxf(largest, fabsf(weights[i]));
	while (shift > 0 && (ldexpf(largest, shift) > 127.49f ||
			     ldexpf(fabsf(bias), 12 + shift) > AQM_STUDENT_BIAS_MAX))
		shift--;
	return shift;
}

static long within(double value, long limit)
{
	return value > (double)limit ? limit : value < (double)-limit ? -limit : lround(value);
}

int student_float_quantise(const struct aqm_student_model *shape, const float *theta,
			   struct aqm_student_model *model, struct error *error)
{
	const size_t count = student_float_count(shape);

	for (size_t i = 0; i < count; i++)
		if (!isfinite(theta[i]))
			return error_at(error, ERR_RANGE, NULL, 0, "theta",
					"number %zu of the student is not finite", i + 1);
	if (model != shape)
		*model = *shape;
	for (int l = 0; l < shape->layers; l++) {
		const struct aqm_student_layer *layer = &shape->layer[l];
		const float *weight = theta + student_float_weights_at(shape, l);
		const float *bias = theta + student_float_biases_at(shape, l);

		for (int row = 0; row < layer->outputs; row++, weight += layer->inputs) {
			const int shift = shift_of(weight, layer->inputs, bias[row]);
			int8_t q[AQM_STUDENT_INPUTS];

			for (int i = 0; i < layer->inputs; i++)
				q[i] = (int8_t)within(ldexp(weight[i], shift), 127);
			student_model_set_row(model, l, row, q,
					      (int32_t)within(ldexp(bias[row], 12 + shift),
							      AQM_STUDENT_BIAS_MAX),
					      (uint8_t)shift);
		}
	}
	return 0;
}

void student_float_from_model(const struct aqm_student_model *model, float *theta)
{
	for (int l = 0; l < model->layers; l++) {
		const struct aqm_student_layer *layer = &model->layer[l];
		float *weight = theta + student_float_weights_at(model, l);
		float *biases = theta + student_float_biases_at(model, l);

		for (int row = 0; row < layer->outputs; row++, weight += layer->inputs) {
			int8_t q[AQM_STUDENT_INPUTS];
			int32_t bias;
			uint8_t shift;

			student_model_get_row(model, l, row, q, &bias, &shift);
			for (int i = 0; i < layer->inputs; i++)
				weight[i] = ldexpf(q[i], -shift);
			biases[row] = (float)ldexp(bias, -12 - shift);
		}
	}
}
