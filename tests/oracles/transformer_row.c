/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A student of one transformer's block, with random weights: tokens, attention over the last
 * decisions, a residual behind two dense layers, and chances of verdicts, one of which is drawn.
 */
#include <math.h>

#include "aqm/ref/student.h"
#include "aqm/student.h"
#include "base/rng.h"
#include "tests/oracles/rows.h"

#define INPUTS 9
#define WIDTH 7
#define WINDOW 5
#define SAID (3 * WIDTH + WINDOW)
#define INNER 12
#define OUTPUTS 3
#define UNIT 4096.0

struct transformer_state {
	struct aqm_student_model model;
	struct aqm_student_state state;
	double w[5][512], b[5][32]; /* of the five layers, as the oracle has them */
	double key[WINDOW * WIDTH], value[WINDOW * WIDTH]; /* by lag, the newest first */
};

static const struct aqm_student_layer shape[5] = {
	{AQM_STUDENT_dense, AQM_STUDENT_linear, INPUTS, WIDTH, 0, 0},
	{AQM_STUDENT_attention, AQM_STUDENT_linear, WIDTH, SAID, 80, 16},
	{AQM_STUDENT_dense, AQM_STUDENT_relu, WIDTH, INNER, 208, 48},
	{AQM_STUDENT_residual, AQM_STUDENT_linear, INNER, WIDTH, 272, 64},
	{AQM_STUDENT_dense, AQM_STUDENT_linear, WIDTH, OUTPUTS, 368, 80},
};

/* Weights of up to 1/4, so that numbers are of about 1. */
static void draw_row(struct transformer_state *own, struct rng *rng, int l, int row)
{
	const struct aqm_student_layer *layer = &own->model.layer[l];
	const uint32_t rows = aqm_student_rows(layer->outputs);
	const int32_t bias = (int32_t)rng_below(rng, 1 << 20) - (1 << 19);
	const int shift = 9;

	own->model.net.shift[layer->first_row + row] = (uint8_t)shift;
	own->model.net.bias[layer->first_row + row] = bias;
	own->b[l][row] = ldexp(bias, -12 - shift);
	for (int i = 0; i < layer->inputs; i++) {
		const int weight = (int)rng_below(rng, 255) - 127;
		int16_t *pair =
			&own->model.net.pair[layer->first_pair + (uint32_t)(i / 2) * rows + row];

		*pair = (int16_t)(i % 2 ? (*pair & 255) | (uint16_t)((uint8_t)weight << 8)
					: (uint8_t)weight);
		own->w[l][row * layer->inputs + i] = ldexp(weight, -shift);
	}
}

static void transformer_open(void *state, struct rng *rng)
{
	struct transformer_state *own = state;

	*own = (struct transformer_state){0};
	own->model.inputs = INPUTS;
	own->model.outputs = OUTPUTS;
	own->model.layers = 5;
	for (int l = 0; l < 5; l++) {
		own->model.layer[l] = shape[l];
		for (int row = 0; row < shape[l].outputs; row++)
			draw_row(own, rng, l, row);
	}
}

/* `said` is the newest from now on. */
static void remember(double *rows, const double *said)
{
	for (int i = WINDOW * WIDTH - 1; i >= 0; i--)
		rows[i] = i >= WIDTH ? rows[i - WIDTH] : said[i];
}

static void think(struct transformer_state *own, const double *x, double *out)
{
	double token[WIDTH], said[SAID], heeded[WIDTH], inner[INNER], more[WIDTH];

	oracle_student_dense(WIDTH, INPUTS, own->w[0], own->b[0], 0, x, token);
	oracle_student_dense(SAID, WIDTH, own->w[1], own->b[1], 0, token, said);
	remember(own->key, said + WIDTH);
	remember(own->value, said + 2 * WIDTH);
	oracle_student_heed(WIDTH, WINDOW, said, own->key, own->value, said + 3 * WIDTH, heeded);
	for (int i = 0; i < WIDTH; i++)
		token[i] = fmin(fmax(token[i] + heeded[i], -8), 8);
	oracle_student_dense(INNER, WIDTH, own->w[2], own->b[2], 1, token, inner);
	oracle_student_dense(WIDTH, INNER, own->w[3], own->b[3], 0, inner, more);
	for (int i = 0; i < WIDTH; i++)
		token[i] = fmin(fmax(token[i] + more[i], -8), 8);
	oracle_student_dense(OUTPUTS, WIDTH, own->w[4], own->b[4], 0, token, out);
}

/* The verdict drawn; so near to another one that rounding decides, they are not compared. */
static void draw(const int16_t *output, const double *out, struct rng *rng,
		 struct oracle_score *score)
{
	const uint32_t bits = (uint32_t)rng_u64(rng);
	const double pass = exp2(out[AQM_PASS]), mark = exp2(out[AQM_MARK]);
	const double drop = exp2(out[AQM_DROP]), all = pass + mark + drop;
	const double u = bits / 4294967296.0, dropped = drop / all, marked = (drop + mark) / all;

	if (fabs(u - dropped) > 0.01 && fabs(u - marked) > 0.01)
		oracle_verdict(score, aqm_student_draw(output, bits),
			       u < dropped ? AQM_DROP : u < marked ? AQM_MARK : AQM_PASS);
}

static void transformer_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct transformer_state *own = state;
	int16_t input[AQM_STUDENT_PLACES], output[AQM_STUDENT_OUTPUTS];
	double x[INPUTS], out[OUTPUTS];

	for (int i = 0; i < INPUTS; i++) {
		input[i] = (int16_t)((int)rng_below(rng, 16384) - 8192);
		x[i] = input[i] / UNIT;
	}
	aqm_student_net_plain(&own->model, &own->state, input, output);
	think(own, x, out);
	for (int i = 0; i < OUTPUTS; i++)
		oracle_compare(score, output[i], out[i] * UNIT);
	draw(output, out, rng, score);
}

const struct oracle_row oracle_transformer = {
	.name = "transformer",
	.compared = "outputs of a student with attention (2^-12); verdicts exactly",
	.allowed = 16,
	.size = sizeof(struct transformer_state),
	.open = transformer_open,
	.step = transformer_step,
};
