/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts of a decoder, and their removal.
 *
 * Which numbers of a projection go is the same on both its sides for all
 * projections of a part: rows and columns are copied by lists of indices.
 */
#include "backbone/prune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/pass.h"
#include "base/file.h"
#include "base/safetensors.h"

static bool is_pruneable(const struct backbone *backbone)
{
	return backbone->architecture->pass == &decoder_pass && !backbone->adapter.count &&
	       backbone_is_plain(backbone);
}

/* Heads that share keys and values. */
static int64_t group_of(const struct backbone *backbone)
{
	return backbone->shape.heads / backbone->shape.kv_heads;
}

/* Outputs of a role that one unit of its part has. */
static int64_t unit_outputs(const struct backbone *backbone, const struct backbone_layer *layer,
			    enum projection_role role)
{
	const int64_t width = backbone->decoder.head_width;

	switch (role) {
	case ROLE_Q: /* fused: keys and values too */
		return (group_of(backbone) + (layer->projections[ROLE_K].weight ? 0 : 2)) * width;
	case ROLE_K:
	case ROLE_V:
		return width;
	default:
		return 1;
	}
}

static struct backbone_part part_make(const struct backbone *backbone, int64_t index,
				      enum backbone_part_kind kind)
{
	const struct backbone_layer *layer = &backbone->decoder.layers[index];
	const bool heads = kind == PART_HEADS;
	const struct backbone_projection *reader =
		&layer->projections[heads ? ROLE_OUT : ROLE_DOWN];
	struct backbone_part part = {
		.kind = kind, .layer = index,
		.units = heads ? layer->kv_heads : layer->ffn_width,
		.unit_inputs = heads ? group_of(backbone) * backbone->decoder.head_width : 1,
		.weight = reader->weight->param.value, .gradient = reader->weight->param.gradient,
		.in = reader->in, .out = reader->out, .layout = reader->layout};

	part.unit_parameters = part.unit_inputs * reader->out;
	for (int role = heads ? ROLE_Q : ROLE_GATE; role <= (heads ? ROLE_V : ROLE_UP); role++) {
		const struct backbone_projection *p = &layer->projections[role];

		if (p->weight)
			part.unit_parameters +=
				unit_outputs(backbone, layer, (enum projection_role)role) *
				(p->in + (p->bias ? 1 : 0));
	}
	return part;
}

size_t backbone_parts(const struct backbone *backbone, struct backbone_part *parts)
{
	if (!is_pruneable(backbone))
		return 0;
	for (int64_t i = 0; parts && i < backbone->decoder.run_layers; i++) {
		parts[2 * i] = part_make(backbone, i, PART_HEADS);
		parts[2 * i + 1] = part_make(backbone, i, PART_FFN);
	}
	return 2 * (size_t)backbone->decoder.run_layers;
}

size_t backbone_matrices(const struct backbone *backbone, struct backbone_matrix *matrices)
{
	size_t count = 0;

	for (size_t i = 0; i < backbone->projection_count; i++) {
		const struct backbone_projection *p = backbone->projections[i];
		int64_t layer = -1;

		if (!p->weight->used)
			continue;
		for (int64_t l = 0; l < backbone->decoder.run_layers; l++)
			if (p >= backbone->decoder.layers[l].projections &&
			    p < backbone->decoder.layers[l].projections + ROLE_COUNT)
				layer = l;
		if (matrices)
			matrices[count] = (struct backbone_matrix){
				.name = p->weight->param.name, .layer = layer,
				.value = p->weight->param.value, .type = p->weight->matrix.type,
				.in = p->in, .out = p->out, .layout = p->layout};
		count++;
	}
	return count;
}

/* Which inputs and outputs of a weight stay; NULL: all. */
struct selection {
	const int64_t *in, *out;
	int64_t in_count, out_count;
};

/* A pruned backbone on its way to a file. */
struct writing {
	const struct backbone *backbone;
	const bool *const *keep;
	struct arena memory;
	struct safetensors_item *items;
	size_t count;
};

/* Appends `count` numbers from `first` on for every unit that stays. */
static void indices_add(int64_t *list, int64_t *used, const bool *keep, int64_t units,
			int64_t first, int64_t each)
{
	for (int64_t u = 0; u < units; u++)
		for (int64_t i = 0; i < each && keep[u]; i++)
			list[(*used)++] = first + u * each + i;
}

/* The numbers of a projection's wide side (outputs; of readers, inputs) that stay. */
static int wide_side(struct writing *writing, const struct backbone_layer *layer,
		     enum projection_role role, const bool *keep, const int64_t **list,
		     int64_t *count)
{
	const struct backbone *backbone = writing->backbone;
	const struct backbone_projection *p = &layer->projections[role];
	const bool ffn = role >= ROLE_GATE, reads = role == ROLE_OUT || role == ROLE_DOWN;
	const int64_t width = backbone->decoder.head_width, units = ffn ? layer->ffn_width
									 : layer->kv_heads;
	const bool narrow = role == ROLE_K || role == ROLE_V;
	const int64_t each = ffn ? 1 : narrow ? width : group_of(backbone) * width;
	int64_t *indices = arena_alloc(&writing->memory,
				       (size_t)(reads ? p->in : p->out) * sizeof(*indices));

	*count = 0;
	if (!indices)
		return ERR_NO_MEMORY;
	indices_add(indices, count, keep, units, 0, each);
	if (role == ROLE_Q && !layer->projections[ROLE_K].weight) { /* q | k | v in one */
		indices_add(indices, count, keep, units, units * each, width);
		indices_add(indices, count, keep, units, units * (each + width), width);
	}
	*list = indices;
	return 0;
}

/* The parameter, cut to the selection, as the next item of the file. */
static int item_add(struct writing *writing, const struct backbone_weight *weight,
		    const struct selection *selection)
{
	const bool matrix = weight->param.dims == 2;
	const bool out_in = !matrix || weight->layout == LINEAR_OUT_IN;
	const int64_t *rows = out_in ? selection->out : selection->in;
	const int64_t *columns = out_in ? selection->in : selection->out;
	const int64_t old_columns = matrix ? weight->param.shape[1] : 1;
	const int64_t row_count = rows ? (out_in ? selection->out_count : selection->in_count)
				       : weight->param.shape[0];
	const int64_t column_count =
		matrix && columns ? (out_in ? selection->in_count : selection->out_count)
				  : old_columns;
	float *values = backbone_floats(&writing->memory, row_count * column_count);

	if (!values)
		return ERR_NO_MEMORY;
	for (int64_t r = 0; r < row_count; r++)
		for (int64_t c = 0; c < column_count; c++)
			values[r * column_count + c] =
				weight->param.value[(rows ? rows[r] : r) * old_columns +
						    (matrix && columns ? columns[c] : c)];
	writing->items[writing->count++] = (struct safetensors_item){
		.name = weight->param.name, .dtype = SAFETENSORS_F32, .dims = weight->param.dims,
		.shape = {row_count, column_count}, .data = values};
	return 0;
}

/* The projection that a weight belongs to, and its layer; NULL: none of a layer. */
static const struct backbone_projection *projection_of(const struct backbone *backbone,
						       const struct backbone_weight *weight,
						       int64_t *layer, int *role)
{
	for (int64_t l = 0; l < backbone->decoder.run_layers; l++)
		for (int r = 0; r < ROLE_COUNT; r++) {
			const struct backbone_projection *p =
				&backbone->decoder.layers[l].projections[r];

			if (p->weight && (p->weight == weight || p->bias == weight)) {
				*layer = l;
				*role = r;
				return p;
			}
		}
	return NULL;
}

static int weight_add(struct writing *writing, const struct backbone_weight *weight)
{
	struct selection selection = {0};
	int64_t layer = 0;
	int role = 0, code = 0;

	if (projection_of(writing->backbone, weight, &layer, &role)) {
		const bool reads = role == ROLE_OUT || role == ROLE_DOWN;
		const bool *keep = writing->keep[2 * layer + (role >= ROLE_GATE)];

		code = wide_side(writing, &writing->backbone->decoder.layers[layer],
				 (enum projection_role)role, keep,
				 reads ? &selection.in : &selection.out,
				 reads ? &selection.in_count : &selection.out_count);
	}
	return code ? code : item_add(writing, weight, &selection);
}

/* Units of part `index` that stay. */
static int64_t kept_count(const struct writing *writing, const struct backbone_part *parts,
			  size_t index)
{
	int64_t count = 0;

	for (int64_t u = 0; u < parts[index].units; u++)
		count += writing->keep[index][u];
	return count;
}

/* config.json with what every layer has left; layers that are not run are not written. */
static int config_write(const struct writing *writing, const struct backbone_part *parts,
			const char *directory, struct error *error)
{
	const struct backbone *backbone = writing->backbone;
	json_t *root = json_copy(backbone->config.root);
	json_t *heads = json_array(), *widths = json_array();
	char path[4096], *text = NULL;
	int code = file_join(path, sizeof(path), directory, "config.json", error);

	for (size_t i = 0; i < 2 * (size_t)backbone->decoder.run_layers; i += 2) {
		json_array_append_new(heads, json_integer(kept_count(writing, parts, i) *
							  group_of(backbone)));
		json_array_append_new(widths, json_integer(kept_count(writing, parts, i + 1)));
	}
	json_object_set_new(root, "architectures",
			    json_pack("[s]", backbone->architecture->class_name));
	json_object_set_new(root, "torch_dtype", json_string("float32"));
	json_object_set_new(root, BACKBONE_HEADS_KEY, heads);
	json_object_set_new(root, BACKBONE_FFN_KEY, widths);
	text = root ? json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	if (!code)
		code = text ? file_write_all(path, text, strlen(text), error)
			    : error_set(error, ERR_NO_MEMORY, "out of memory for %s", path);
	free(text);
	json_decref(root);
	return code;
}

static int weights_write(struct writing *writing, const char *directory, struct error *error)
{
	static const char *const metadata[] = {"format", "pt", NULL};
	const struct backbone *backbone = writing->backbone;
	char path[4096];
	int code = 0;

	writing->items = arena_calloc(&writing->memory, backbone->weight_count,
				      sizeof(*writing->items));
	if (!writing->items)
		code = ERR_NO_MEMORY;
	for (size_t i = 0; i < backbone->weight_count && !code; i++) {
		const struct backbone_weight *weight = &backbone->weights[i];

		if (weight->param.value && weight != backbone->token_embedding &&
		    weight != backbone->lm_head)
			code = weight_add(writing, weight);
	}
	if (code)
		return error_set(error, code, "out of memory for a smaller backbone");
	code = file_make_folders(directory, error);
	if (!code)
		code = file_join(path, sizeof(path), directory, "model.safetensors", error);
	return code ? code : safetensors_write(path, writing->items, writing->count, metadata,
					       error);
}

int backbone_prune(const struct backbone *backbone, const bool *const *keep, const char *directory,
		   struct error *error)
{
	struct writing writing = {.backbone = backbone, .keep = keep};
	const size_t count = backbone_parts(backbone, NULL);
	struct backbone_part *parts = calloc(count + 1, sizeof(*parts));
	int code = 0;

	if (!parts)
		return error_set(error, ERR_NO_MEMORY, "out of memory for parts");
	if (!count || backbone->decoder.run_layers != backbone->shape.layers)
		code = error_set(error, ERR_UNSUPPORTED,
				 "only a whole gpt2, opt or llama, as f32 and without adapter, is "
				 "pruned");
	arena_init(&writing.memory);
	backbone_parts(backbone, parts);
	for (size_t i = 0; i < count && !code; i++)
		if (!kept_count(&writing, parts, i))
			code = error_set(error, ERR_INVALID, "layer %lld would keep no %s",
					 (long long)parts[i].layer,
					 parts[i].kind == PART_HEADS ? "head"
								     : "feed-forward unit");
	if (!code)
		code = weights_write(&writing, directory, error);
	if (!code)
		code = config_write(&writing, parts, directory, error);
	arena_free(&writing.memory);
	free(parts);
	return code;
}
