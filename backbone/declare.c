/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of weights that an architecture declares, and the list of those
 * that have a gradient.
 */
#include "backbone/pass.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int backbone_reserve(struct backbone *backbone, size_t weights, struct error *error)
{
	struct decoder *decoder = &backbone->decoder;
	const struct backbone_shape *shape = &backbone->shape;
	const int64_t layers = shape->layers > shape->decoder_layers ? shape->layers
								     : shape->decoder_layers;
	const int64_t stop = backbone->options.stop_layer;

	if (stop < 0 || stop > layers)
		return error_set(error, ERR_RANGE,
				 "cannot stop after layer %lld: %s has %lld layers",
				 (long long)stop, backbone->directory, (long long)layers);
	decoder->run_layers = stop ? stop : layers;
	if (!backbone->shape.inner_width)
		backbone->shape.inner_width = backbone->shape.width;
	decoder->layers = arena_calloc(&backbone->memory, (size_t)layers,
				       sizeof(*decoder->layers));
	backbone->weights = arena_calloc(&backbone->memory, weights, sizeof(*backbone->weights));
	backbone->weight_capacity = weights;
	backbone->projections = arena_calloc(&backbone->memory, weights,
					     sizeof(*backbone->projections));
	if (!decoder->layers || !backbone->weights || !backbone->projections)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the layers of %s",
				 backbone->directory);
	return 0;
}

/* The next free row, with its name. */
static struct backbone_weight *weight_add(struct backbone *backbone, const char *name)
{
	struct backbone_weight *weight;

	if (backbone->weight_count == backbone->weight_capacity) {
		backbone->failed = true;
		return &backbone->weights[0];
	}
	weight = &backbone->weights[backbone->weight_count++];
	weight->param.name = arena_strdup(&backbone->memory, name);
	if (!weight->param.name)
		backbone->failed = true;
	return weight;
}

static struct backbone_weight *weight_declare(struct backbone *backbone, const char *name,
					      enum weight_start start, bool used, int dims,
					      const int64_t *shape)
{
	struct backbone_weight *weight = weight_add(backbone, name);

	weight->start = start;
	weight->used = used;
	weight->param.dims = dims;
	weight->param.count = 1;
	for (int i = 0; i < dims; i++) {
		weight->param.shape[i] = shape[i];
		weight->param.count *= shape[i];
	}
	return weight;
}

struct backbone_weight *backbone_declare(struct backbone *backbone, enum weight_start start,
					 int dims, const int64_t *shape, const char *format, ...)
{
	char name[128];
	va_list list;

	va_start(list, format);
	vsnprintf(name, sizeof(name), format, list);
	va_end(list);
	return weight_declare(backbone, name, start, false, dims, shape);
}

void backbone_norm_declare(struct backbone *backbone, struct backbone_norm *norm, bool bias,
			   bool used, const char *format, ...)
{
	const int64_t width = backbone->shape.inner_width;
	char path[64], name[80];
	va_list list;

	va_start(list, format);
	vsnprintf(path, sizeof(path), format, list);
	va_end(list);
	snprintf(name, sizeof(name), "%s.weight", path);
	norm->weight = weight_declare(backbone, name, START_ONE, used, 1, &width);
	if (!bias)
		return;
	snprintf(name, sizeof(name), "%s.bias", path);
	norm->bias = weight_declare(backbone, name, START_ZERO, used, 1, &width);
}

void backbone_projection_declare(struct backbone *backbone,
				 struct backbone_projection *projection, enum weight_start start,
				 bool bias, bool used, const char *format, ...)
{
	const bool out_in = projection->layout == LINEAR_OUT_IN;
	const int64_t shape[] = {out_in ? projection->out : projection->in,
				 out_in ? projection->in : projection->out};
	char name[80];
	va_list list;

	va_start(list, format);
	vsnprintf(projection->path, sizeof(projection->path), format, list);
	va_end(list);
	snprintf(name, sizeof(name), "%s.weight", projection->path);
	projection->weight = weight_declare(backbone, name, start, used, 2, shape);
	projection->weight->layout = projection->layout;
	projection->weight->matrix = (struct matrix){.layout = projection->layout,
						     .in = projection->in, .out = projection->out};
	if (backbone->projection_count < backbone->weight_capacity)
		backbone->projections[backbone->projection_count++] = projection;
	if (!bias)
		return;
	snprintf(name, sizeof(name), "%s.bias", projection->path);
	projection->bias =
		weight_declare(backbone, name, START_ZERO, used, 1, &projection->out);
}

void backbone_rows_declare(struct backbone *backbone, struct backbone_layer *layer,
			   const struct projection_row *rows, size_t count, bool used,
			   const char *path)
{
	for (size_t i = 0; i < count; i++) {
		struct backbone_projection *p = &layer->projections[rows[i].role];

		p->in = rows[i].in;
		p->out = rows[i].out;
		p->layout = LINEAR_OUT_IN;
		backbone_projection_declare(backbone, p, rows[i].start, rows[i].bias, used,
					    "%s.%s", path, rows[i].name);
	}
}

int backbone_lm_head_declare(struct backbone *backbone, const struct config *config, bool tied,
			     struct error *error)
{
	const struct backbone_param *embedding = &backbone->token_embedding->param;
	const int code = config_flag(config, "tie_word_embeddings", &tied, error);

	backbone->lm_head_tied = tied;
	if (code || tied || !backbone->options.lm_head)
		return code;
	backbone->lm_head = backbone_declare(backbone, START_NORMAL, 2, embedding->shape,
					     "lm_head.weight");
	backbone->lm_head->optional = true;
	return 0;
}

int backbone_expose(struct backbone *backbone, struct error *error)
{
	const size_t room = backbone->weight_count + backbone->adapter.count + 1;
	struct backbone_param *exposed = calloc(room, sizeof(*exposed));
	size_t count = 0;

	if (!exposed)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a list of parameters");
	for (size_t i = 0; i < backbone->weight_count; i++)
		if (backbone->weights[i].param.gradient)
			exposed[count++] = backbone->weights[i].param;
	for (size_t i = 0; i < backbone->adapter.used; i++)
		exposed[count++] = backbone->adapter.params[i];
	free(backbone->exposed);
	backbone->exposed = exposed;
	backbone->exposed_count = count;
	if (backbone->device)
		backbone->device->changed(backbone->device, false);
	return 0;
}
