/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening, random initialisation, saving and closing of backbones.
 *
 * Nothing is allocated for weights before the whole checkpoint has been
 * compared with the configuration, and before the sum of both is known to fit
 * in this machine's memory.
 */
#include "backbone/pass.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/checkpoint.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "tensor/rope.h"

#define CONFIG_NAME "config.json"

static const struct architecture *const architectures[] = {
	&architecture_gpt2,
	&architecture_opt,
	&architecture_llama,
	&architecture_t5,
	NULL,
};

const char *backbone_architecture(size_t index)
{
	return index < sizeof(architectures) / sizeof(architectures[0]) && architectures[index]
		       ? architectures[index]->name : NULL;
}

/* "gpt2, llama" */
static void architectures_text(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; architectures[i] && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 architectures[i]->name);
}

static int architecture_find(struct backbone *backbone, struct error *error)
{
	const char *name = NULL;
	char known[128];
	const int code = config_text(&backbone->config, "model_type", &name, error);

	if (code)
		return code;
	architectures_text(known, sizeof(known));
	if (!name)
		return error_at(error, ERR_INVALID, backbone->config.path, 0, "model_type",
				"is missing; give one of: %s", known);
	for (size_t i = 0; architectures[i]; i++)
		if (strcmp(architectures[i]->name, name) == 0)
			backbone->architecture = architectures[i];
	if (!backbone->architecture)
		return error_at(error, ERR_UNSUPPORTED, backbone->config.path, 0, "model_type",
				"%s is not supported; there are: %s", name, known);
	backbone->shape.architecture = backbone->architecture->name;
	return 0;
}

/* Sum of elements; no overflow: each factor is bounded in internal.h. */
static int64_t parameters_count(const struct backbone *backbone)
{
	int64_t count = 0;

	for (size_t i = 0; i < backbone->weight_count; i++)
		if (!backbone->weights[i].absent)
			count += backbone->weights[i].param.count;
	return count;
}

static const char *precision_name(const struct backbone *backbone)
{
	return backbone->options.as_stored ? "stored"
					   : matrix_type_name(backbone->options.precision);
}

static int memory_check(const struct backbone *backbone, struct error *error)
{
	const double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
	double need = 0;

	for (size_t i = 0; i < backbone->weight_count; i++)
		if (!backbone->weights[i].absent)
			need += (double)weight_bytes(backbone, &backbone->weights[i]);
	if (backbone->options.trainable)
		need *= 2;
	if (need <= have)
		return 0;
	return error_at(error, ERR_RANGE, backbone->config.path, 0, NULL,
			"describes %lld parameters: %.1f GiB as %s, but this machine has %.1f",
			(long long)backbone->shape.parameters, need / 0x1p30,
			precision_name(backbone), have / 0x1p30);
}

/* Everything but the weights' values: reads config.json and declares the weights. */
static int backbone_describe(struct backbone *backbone, const char *directory,
			     const struct backbone_options *options, struct error *error)
{
	int code;

	if (options)
		backbone->options = *options;
	if (strlen(directory) >= sizeof(backbone->directory))
		return error_set(error, ERR_RANGE, "path of %zu bytes is too long",
				 strlen(directory));
	strcpy(backbone->directory, directory);
	if (backbone->options.trainable &&
	    (backbone->options.precision != MATRIX_F32 || backbone->options.as_stored))
		return error_set(error, ERR_UNSUPPORTED,
				 "weights held as %s cannot train themselves: use f32, or an "
				 "adapter", precision_name(backbone));
	code = checkpoint_config(&backbone->config, directory, error);
	if (!code)
		code = architecture_find(backbone, error);
	if (!code)
		code = backbone->architecture->configure(backbone, &backbone->config, error);
	if (code)
		checkpoint_error_name(&backbone->config, error);
	if (!code && backbone->failed)
		code = error_set(error, ERR_NO_MEMORY, "out of memory for %s", directory);
	if (!code)
		backbone->shape.parameters = parameters_count(backbone);
	return code;
}

static int table_build(struct backbone *backbone)
{
	struct decoder *decoder = &backbone->decoder;
	const int64_t positions = backbone->shape.max_positions, width = decoder->head_width;
	double *frequency;

	if (decoder->rope_theta == 0)
		return 0;
	decoder->rope_table = backbone_floats(&backbone->memory, positions * width);
	frequency = arena_alloc(&backbone->memory, (size_t)(width / 2) * sizeof(*frequency));
	if (!decoder->rope_table || !frequency)
		return ERR_NO_MEMORY;
	rope_frequencies(frequency, width, decoder->rope_theta, &decoder->rope_scaling);
	rope_table_fill(decoder->rope_table, positions, width, frequency);
	return 0;
}

static int missing_error(const struct checkpoint *checkpoint, const char *name, struct error *error)
{
	char here[256];

	checkpoint_name(checkpoint, name, here, sizeof(here));
	return error_at(error, ERR_INVALID, checkpoint->path, 0, here,
			"is missing, though the configuration asks for it");
}

/* Which ends of a language model there are; `checkpoint` NULL: as the configuration has them. */
static void ends_look(struct backbone *backbone, const struct checkpoint *checkpoint)
{
	const struct backbone_weight *embedding = backbone->token_embedding;
	const struct backbone_weight head = {.param.name = "lm_head.weight"};
	struct backbone_shape *shape = &backbone->shape;
	struct checkpoint_tensor tensor;

	shape->has_embedding = embedding && !embedding->absent;
	if (backbone->lm_head_tied)
		shape->head = shape->has_embedding ? HEAD_TIED : HEAD_NONE;
	else if (checkpoint ? weight_find(backbone, checkpoint, &head, &tensor)
			    : backbone->lm_head != NULL)
		shape->head = HEAD_OWN;
}

/* Every weight must be there with its extents; those that may be absent are marked. */
static int checkpoint_compare(struct backbone *backbone, const struct checkpoint *checkpoint,
			      struct error *error)
{
	for (size_t i = 0; i < backbone->weight_count; i++) {
		struct backbone_weight *weight = &backbone->weights[i];
		struct checkpoint_tensor tensor;
		int code = 0;

		weight->absent = !weight_find(backbone, checkpoint, weight, &tensor);
		if (!weight->absent)
			weight->stored = weight_stored_type(&tensor);
		if (!weight->absent)
			code = checkpoint_shape_check(&tensor, weight->param.dims,
						      weight->param.shape, error);
		else if (!weight->optional)
			code = missing_error(checkpoint, weight->param.name, error);
		if (code)
			return code;
	}
	backbone->shape.parameters = parameters_count(backbone);
	ends_look(backbone, checkpoint);
	return 0;
}

static int weights_load(struct backbone *backbone, const struct checkpoint *checkpoint,
			struct error *error)
{
	for (size_t i = 0; i < backbone->weight_count; i++) {
		struct backbone_weight *weight = &backbone->weights[i];
		struct checkpoint_tensor tensor;
		int code;

		if (!weight_find(backbone, checkpoint, weight, &tensor))
			continue;
		code = weight_load(backbone, weight, &tensor, error);
		if (code)
			return code;
		file_map_forget(tensor.data, tensor.size_bytes); /* no second copy in memory */
	}
	return 0;
}

static void values_randomise(const struct backbone *backbone,
			     const struct backbone_weight *weight, float *values, struct rng *rng)
{
	double deviation = weight->deviation > 0 ? weight->deviation
						 : backbone->initializer_range;

	if (weight->start == START_RESIDUAL)
		deviation /= sqrt(2.0 * (double)backbone->shape.layers);
	for (int64_t i = 0; i < weight->param.count; i++) {
		if (weight->start == START_ZERO)
			values[i] = 0;
		else if (weight->start == START_ONE)
			values[i] = 1;
		else
			values[i] = (float)(deviation * rng_normal(rng));
	}
}

static int weight_randomise(struct backbone *backbone, struct backbone_weight *weight,
			    struct rng *rng)
{
	float *values;
	int code = 0;

	if (!weight_is_held(backbone, weight)) {
		code = weight_allocate(backbone, weight);
		if (!code)
			values_randomise(backbone, weight, weight->param.value, rng);
		return code;
	}
	values = malloc((size_t)weight->param.count * sizeof(*values));
	if (!values)
		return ERR_NO_MEMORY;
	values_randomise(backbone, weight, values, rng);
	code = weight_hold(backbone, weight, values);
	free(values);
	return code;
}

/* With `device_only` a device makes the matrices of projections, and needs no token embedding. */
static bool weight_stays_empty(const struct backbone *backbone,
			       const struct backbone_weight *weight)
{
	return backbone->device_only && weight->param.dims == 2 &&
	       weight != backbone->decoder.positions;
}

static int weights_randomise(struct backbone *backbone, struct rng *rng, struct error *error)
{
	const int code = backbone->device_only ? 0 : memory_check(backbone, error);

	if (code)
		return code;
	for (size_t i = 0; i < backbone->weight_count; i++) {
		if (weight_stays_empty(backbone, &backbone->weights[i]))
			continue;
		if (weight_randomise(backbone, &backbone->weights[i], rng))
			return error_set(error, ERR_NO_MEMORY, "out of memory for the weights");
	}
	ends_look(backbone, NULL);
	return 0;
}

static void checkpoint_forget(struct backbone *backbone)
{
	if (backbone->checkpoint)
		checkpoint_close(backbone->checkpoint);
	free(backbone->checkpoint);
	backbone->checkpoint = NULL;
}

static int backbone_load(struct backbone *backbone, struct error *error)
{
	struct checkpoint *checkpoint = calloc(1, sizeof(*checkpoint));
	int code;

	if (!checkpoint)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a checkpoint");
	code = checkpoint_open(checkpoint, backbone->directory, error);
	if (code) {
		free(checkpoint);
		return code;
	}
	backbone->checkpoint = checkpoint;
	code = checkpoint_compare(backbone, checkpoint, error);
	if (!code)
		code = memory_check(backbone, error);
	if (!code)
		code = weights_load(backbone, checkpoint, error);
	if (backbone_is_plain(backbone) && !backbone->words_in_file)
		checkpoint_forget(backbone);
	return code;
}

static int backbone_allocate(struct backbone **out, struct error *error)
{
	struct backbone *backbone = calloc(1, sizeof(*backbone));

	*out = backbone;
	if (!backbone)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a backbone");
	arena_init(&backbone->memory);
	arena_init(&backbone->adapter_memory);
	return 0;
}

/* `rng` NULL: the weights come from the directory. */
static int backbone_make(struct backbone **out, const char *directory,
			 const struct backbone_options *options, struct rng *rng,
			 bool device_only, struct error *error)
{
	struct backbone *backbone;
	int code = backbone_allocate(&backbone, error);

	*out = NULL;
	if (!code)
		code = backbone_describe(backbone, directory, options, error);
	if (!code)
		backbone->device_only = device_only;
	if (!code)
		code = rng ? weights_randomise(backbone, rng, error)
			   : backbone_load(backbone, error);
	if (!code && table_build(backbone))
		code = error_set(error, ERR_NO_MEMORY, "out of memory for rotary positions");
	if (!code)
		code = backbone_expose(backbone, error);
	if (!code && !device_only)
		code = backbone_place_opened(backbone, error);
	if (code)
		backbone_close(backbone);
	else
		*out = backbone;
	return code;
}

int backbone_inspect(const char *directory, struct backbone_shape *shape, struct error *error)
{
	struct checkpoint checkpoint;
	struct backbone *backbone;
	int code = backbone_allocate(&backbone, error);

	if (!code)
		code = backbone_describe(backbone, directory, NULL, error);
	if (!code)
		code = checkpoint_open(&checkpoint, directory, error);
	if (!code) {
		code = checkpoint_compare(backbone, &checkpoint, error);
		checkpoint_close(&checkpoint);
	}
	if (!code)
		*shape = backbone->shape;
	backbone_close(backbone);
	return code;
}

int backbone_open(struct backbone **backbone, const char *directory,
		  const struct backbone_options *options, struct error *error)
{
	return backbone_make(backbone, directory, options, NULL, false, error);
}

int backbone_random(struct backbone **backbone, const char *directory,
		    const struct backbone_options *options, struct rng *rng, struct error *error)
{
	return backbone_make(backbone, directory, options, rng, false, error);
}

int backbone_random_placed(struct backbone **backbone, const char *directory,
			   const struct backbone_options *options, const char *device,
			   struct rng *rng, struct error *error)
{
	int code = backbone_make(backbone, directory, options, rng, true, error);

	if (!code)
		code = backbone_place(*backbone, device, error);
	if (!code && !(*backbone)->device)
		code = error_set(error, ERR_INVALID, "%s is not a device with memory of its own",
				 device);
	if (code) {
		backbone_close(*backbone);
		*backbone = NULL;
	}
	return code;
}

void backbone_close(struct backbone *backbone)
{
	if (!backbone)
		return;
	if (backbone->device)
		backbone->device->close(backbone->device);
	checkpoint_forget(backbone);
	config_close(&backbone->config);
	arena_free(&backbone->memory);
	arena_free(&backbone->adapter_memory);
	free(backbone->exposed);
	free(backbone);
}

const struct backbone_shape *backbone_shape(const struct backbone *backbone)
{
	return &backbone->shape;
}

bool backbone_sees_both_ways(const struct backbone *backbone)
{
	return backbone->t5 && backbone->options.bidirectional;
}

size_t backbone_memory_bytes(const struct backbone *backbone)
{
	size_t mapped = 0;

	for (size_t i = 0; i < backbone->weight_count; i++)
		if (backbone->weights[i].mapped)
			mapped += matrix_bytes(&backbone->weights[i].matrix);
	return backbone->memory.used_bytes + backbone->adapter_memory.used_bytes + mapped;
}

size_t backbone_params(const struct backbone *backbone, const struct backbone_param **params)
{
	*params = backbone->exposed;
	return backbone->exposed_count;
}

void backbone_zero_gradients(struct backbone *backbone)
{
	for (size_t i = 0; i < backbone->exposed_count; i++)
		memset(backbone->exposed[i].gradient, 0,
		       (size_t)backbone->exposed[i].count * sizeof(float));
}

const struct backbone_param *backbone_token_embedding(const struct backbone *backbone)
{
	const struct backbone_weight *weight = backbone->token_embedding;

	return weight && weight->param.value ? &weight->param : NULL;
}

const struct backbone_param *backbone_lm_head(const struct backbone *backbone)
{
	const struct backbone_weight *own = backbone->lm_head;

	if (backbone->lm_head_tied)
		return backbone_token_embedding(backbone);
	return own && own->param.value ? &own->param : NULL;
}

int backbone_config_write(const struct backbone *backbone, const char *directory,
			  struct error *error)
{
	json_t *root = json_copy(backbone->config.root);
	char path[4096], *text = NULL;
	int code = file_join(path, sizeof(path), directory, CONFIG_NAME, error);

	if (!code && root) {
		json_object_set_new(root, "architectures",
				    json_pack("[s]", backbone->architecture->class_name));
		json_object_set_new(root, "torch_dtype", json_string("float32"));
		text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
	}
	if (!code)
		code = text ? file_write_all(path, text, strlen(text), error)
			    : error_set(error, ERR_NO_MEMORY, "out of memory for %s", path);
	free(text);
	json_decref(root);
	return code;
}

int backbone_save(const struct backbone *backbone, const char *directory, struct error *error)
{
	static const char *const metadata[] = {"format", "pt", NULL};
	struct safetensors_item *items = calloc(backbone->weight_count, sizeof(*items));
	char path[4096];
	size_t count = 0;
	int code;

	if (!items)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a list of tensors");
	if (backbone->options.precision != MATRIX_F32 || backbone->options.as_stored ||
	    backbone->settled) {
		free(items);
		return error_set(error, ERR_UNSUPPORTED,
				 "weights held as %s%s are not written: open the backbone as f32",
				 precision_name(backbone),
				 backbone->settled ? " in blocks" : "");
	}
	if (backbone->device_only) {
		free(items);
		return error_set(error, ERR_UNSUPPORTED, "the weights exist on the device only");
	}
	for (size_t i = 0; i < backbone->weight_count; i++) {
		const struct backbone_param *param = &backbone->weights[i].param;

		if (!param->value)
			continue;
		items[count] = (struct safetensors_item){.name = param->name,
							 .dtype = SAFETENSORS_F32,
							 .dims = param->dims,
							 .data = param->value};
		memcpy(items[count++].shape, param->shape, sizeof(param->shape));
	}
	code = file_make_folders(directory, error);
	if (!code)
		code = file_join(path, sizeof(path), directory, "model.safetensors", error);
	if (!code)
		code = safetensors_write(path, items, count, metadata, error);
	if (!code)
		code = backbone_config_write(backbone, directory, error);
	free(items);
	return code;
}
