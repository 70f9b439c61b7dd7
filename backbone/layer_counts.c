/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Heads and feed-forward units of each layer.
 *
 * A pruned backbone keeps the configuration it came from (the number of heads
 * still tells their width) and lists beside it what every layer has left:
 * "layer_heads" counts query heads, "layer_ffn_widths" units.  The keys are our
 * own: other programs refuse such a checkpoint, for its shapes do not fit.
 */
#include "backbone/internal.h"


/* The list `key` has, one whole number in [1, most] a layer; NULL: there is none. */
static int list_read(const struct backbone *backbone, const struct config *config,
		     const char *key, int64_t most, const json_t **list, struct error *error)
{
	*list = json_object_get(config->root, key);
	if (!*list)
		return 0;
	if (!json_is_array(*list) || (int64_t)json_array_size(*list) != backbone->shape.layers)
		return error_at(error, ERR_INVALID, config->path, 0, key,
				"is not a list of %lld numbers, one a layer",
				(long long)backbone->shape.layers);
	for (size_t i = 0; i < json_array_size(*list); i++) {
		const json_t *item = json_array_get(*list, i);

		if (!json_is_integer(item) || json_integer_value(item) < 1 ||
		    json_integer_value(item) > most)
			return error_at(error, ERR_RANGE, config->path, 0, key,
					"layer %zu: give a whole number from 1 to %lld", i,
					(long long)most);
	}
	return 0;
}

static int64_t list_value(const json_t *list, int64_t index, int64_t missing)
{
	return list ? json_integer_value(json_array_get(list, (size_t)index)) : missing;
}

int backbone_layers_read(struct backbone *backbone, const struct config *config,
			 struct error *error)
{
	const struct backbone_shape *shape = &backbone->shape;
	const int64_t group = shape->heads / shape->kv_heads;
	struct decoder *decoder = &backbone->decoder;
	const json_t *heads, *widths;
	int code = list_read(backbone, config, BACKBONE_HEADS_KEY, shape->heads, &heads, error);

	if (!code)
		code = list_read(backbone, config, BACKBONE_FFN_KEY, shape->ffn_width, &widths,
				 error);
	if (code)
		return code;
	decoder->widest.heads = shape->heads;
	decoder->widest.kv_heads = shape->kv_heads;
	decoder->widest.ffn_width = shape->ffn_width;
	for (int64_t i = 0; i < shape->layers; i++) {
		struct backbone_layer *layer = &decoder->layers[i];

		layer->heads = list_value(heads, i, shape->heads);
		layer->kv_heads = layer->heads / group;
		layer->ffn_width = list_value(widths, i, shape->ffn_width);
		if (layer->heads % group)
			return error_at(error, ERR_INVALID, config->path, 0, BACKBONE_HEADS_KEY,
					"layer %lld: %lld is no multiple of the %lld heads that "
					"share keys", (long long)i, (long long)layer->heads,
					(long long)group);
		if (layer->heads < shape->heads || layer->ffn_width < shape->ffn_width)
			decoder->pruned = true;
	}
	return 0;
}

int backbone_layers_refuse(const struct config *config, struct error *error)
{
	static const char *const keys[] = {BACKBONE_HEADS_KEY, BACKBONE_FFN_KEY};

	for (size_t i = 0; i < 2; i++)
		if (json_object_get(config->root, keys[i]))
			return error_at(error, ERR_UNSUPPORTED, config->path, 0, keys[i],
					"layers of different sizes are supported for gpt2, opt "
					"and llama");
	return 0;
}
