/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The step of a difference is small against the token that it moves most, or
 * rather against its deviation from its mean: at that scale the curvature of a
 * layer norm shows, and rounding at that of a step.  A map that stretches more
 * than its outputs are larger moves them far, so its steps are that much
 * smaller.
 */
#include "learn/layer_spectra.h"

#include <math.h>
#include <string.h>

#include "backbone/layers.h"

#define STEP 0.004 /* of a token's deviation */

/* One map at one point. */
struct point {
	struct backbone *backbone;
	struct arena *arena;
	int64_t layer; /* -1: the whole network */
	int64_t tokens, width;
	const float *in;       /* (tokens, width) */
	float *moved, *up, *down; /* likewise: scratch */
	double gain;	       /* the most that a unit vector was stretched so far, */
	double growth;	       /* beside how much larger outputs are than inputs */
	bool last_only;	       /* vectors are of the last token */
};

static int run(const struct point *point, const float *in, float *out, struct error *error)
{
	if (point->layer < 0)
		return backbone_forward(point->backbone, point->arena, in, 1, point->tokens, out,
					NULL, NULL, error);
	return backbone_layer_forward(point->backbone, point->arena, point->layer, in, 1,
				      point->tokens, out, error);
}

static int pull(const struct point *point, const float *d_out, float *d_in, struct error *error)
{
	const struct arena_mark mark = arena_save(point->arena);
	struct backbone_tape *tape;
	int code;

	if (point->layer >= 0)
		return backbone_layer_backward(point->backbone, point->arena, point->layer,
					       point->in, 1, point->tokens, d_out, d_in, error);
	code = backbone_forward(point->backbone, point->arena, point->in, 1, point->tokens,
				point->moved, &tape, NULL, error);
	if (code == 0)
		code = backbone_backward(point->backbone, point->arena, tape, d_out, d_in, error);
	arena_restore(point->arena, mark);
	return code;
}

/* Where vectors begin in a stream, and how many tokens they have. */
static int64_t first_of(const struct point *point)
{
	return point->last_only ? point->tokens - 1 : 0;
}

/* Sum of squares of a token's deviations from its mean. */
static double spread_of(const float *token, int64_t width)
{
	double sum = 0, squares = 0;

	for (int64_t i = 0; i < width; i++) {
		sum += token[i];
		squares += (double)token[i] * token[i];
	}
	return fmax(0, squares - sum * sum / (double)width);
}

/* So large that the token that moves most, for its deviation, moves by STEP of it, or less. */
static double step_of(const struct point *point, const double *v)
{
	double most = 0;

	for (int64_t t = first_of(point); t < point->tokens; t++) {
		const double *d = v + (t - first_of(point)) * point->width;
		const double spread = spread_of(point->in + t * point->width, point->width);
		double moved = 0;

		for (int64_t i = 0; i < point->width; i++)
			moved += d[i] * d[i];
		if (spread > 0)
			most = fmax(most, sqrt(moved / spread));
	}
	return (most > 0 ? STEP / most : STEP) / fmax(1, point->gain / point->growth);
}

static void move(const struct point *point, const double *v, double step)
{
	const int64_t first = first_of(point) * point->width;
	const int64_t floats = point->tokens * point->width;

	memcpy(point->moved, point->in, (size_t)floats * sizeof(float));
	for (int64_t i = first; i < floats; i++)
		point->moved[i] += (float)(step * v[i - first]);
}

static int apply(void *context, const double *in, double *out, struct error *error)
{
	struct point *point = context;
	const int64_t first = first_of(point) * point->width;
	const double step = step_of(point, in);
	double squares = 0;
	int code;

	move(point, in, step);
	code = run(point, point->moved, point->up, error);
	move(point, in, -step);
	if (code == 0)
		code = run(point, point->moved, point->down, error);
	for (int64_t i = first; code == 0 && i < point->tokens * point->width; i++) {
		out[i - first] = ((double)point->up[i] - point->down[i]) / (2 * step);
		squares += out[i - first] * out[i - first];
	}
	point->gain = fmax(point->gain, sqrt(squares));
	return code;
}

static int transposed(void *context, const double *in, double *out, struct error *error)
{
	const struct point *point = context;
	const int64_t floats = point->tokens * point->width;
	int code;

	for (int64_t i = 0; i < floats; i++)
		point->up[i] = (float)in[i];
	code = pull(point, point->up, point->down, error);
	for (int64_t i = 0; code == 0 && i < floats; i++)
		out[i] = point->down[i];
	return code;
}

static int measure(struct point *point, const struct spectrum_options *options,
		   struct layer_spectrum *spectrum, struct error *error)
{
	struct spectrum_map map = {
		.context = point,
		.size = point->tokens * point->width,
		.apply = apply,
		.transposed = transposed,
	};
	double in = 0, out = 0;
	int code = run(point, point->in, point->up, error);

	for (int64_t t = 0; code == 0 && t < point->tokens; t++) {
		in += spread_of(point->in + t * point->width, point->width);
		out += spread_of(point->up + t * point->width, point->width);
	}
	point->gain = 1;
	point->growth = in > 0 ? fmax(1, sqrt(out / in)) : 1;
	point->last_only = false;
	if (code)
		return code;
	code = spectrum_singular(&map, options, &spectrum->singular, error);
	point->last_only = true;
	map.size = point->width;
	return code ? code : spectrum_radius(&map, options, &spectrum->radius, error);
}

int64_t layer_spectra_count(const struct backbone *backbone)
{
	return backbone_layer_count(backbone) + 1;
}

static int measure_all(struct point *point, const float *embeds, float *stream,
		       const struct spectrum_options *options, struct layer_spectrum *spectra,
		       struct error *error)
{
	const int64_t layers = backbone_layer_count(point->backbone);
	const size_t bytes = (size_t)(point->tokens * point->width) * sizeof(float);
	int code = backbone_layer_input(point->backbone, point->arena, embeds, 1, point->tokens,
					stream, error);

	point->in = stream;
	for (point->layer = 0; code == 0 && point->layer < layers; point->layer++) {
		code = measure(point, options, &spectra[point->layer], error);
		if (code == 0)
			code = run(point, stream, point->up, error);
		memcpy(stream, point->up, bytes);
	}
	point->layer = -1;
	point->in = embeds;
	point->width = backbone_shape(point->backbone)->width;
	return code ? code : measure(point, options, &spectra[layers], error);
}

int layer_spectra_measure(struct backbone *backbone, const float *embeds, int64_t tokens,
			  const struct spectrum_options *options, struct layer_spectrum *spectra,
			  struct error *error)
{
	const struct backbone_shape *shape = backbone_shape(backbone);
	const int64_t widest = shape->inner_width > shape->width ? shape->inner_width
								 : shape->width;
	const size_t floats = (size_t)(tokens * widest);
	struct arena arena;
	struct point point = {.backbone = backbone,
			      .arena = &arena,
			      .tokens = tokens,
			      .width = shape->inner_width};
	float *stream;
	int code;

	arena_init(&arena);
	stream = arena_calloc(&arena, floats, sizeof(float));
	point.moved = arena_calloc(&arena, floats, sizeof(float));
	point.up = arena_calloc(&arena, floats, sizeof(float));
	point.down = arena_calloc(&arena, floats, sizeof(float));
	code = stream && point.moved && point.up && point.down
		       ? measure_all(&point, embeds, stream, options, spectra, error)
		       : error_set(error, ERR_NO_MEMORY, "out of memory for Jacobians");
	arena_free(&arena);
	return code;
}
