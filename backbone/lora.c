/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Low-rank adapters in PEFT's layout.
 *
 * adapter_config.json holds r, lora_alpha, lora_dropout and target_modules;
 * adapter_model.safetensors holds, for each adapted projection P,
 * base_model.model.P.lora_A.weight (r, in) and .lora_B.weight (out, r).  A
 * projection is adapted when a target is its path or its path's end after a
 * dot.  Variants that change the arithmetic (rslora, per-layer patterns,
 * trained biases, further modules) are refused by name.
 */
#include "backbone/pass.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/checkpoint.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "tensor/gemm.h"

#define ADAPTER_CONFIG_NAME "adapter_config.json"
#define ADAPTER_WEIGHTS_NAME "adapter_model.safetensors"
#define ADAPTER_PREFIX "base_model.model."
#define RANK_MAX 8192
#define TARGETS_MAX 64

static bool path_matches(const char *path, const char *target)
{
	const size_t length = strlen(path), end = strlen(target);

	if (end > length || strcmp(path + length - end, target) != 0)
		return false;
	return end == length || path[length - end - 1] == '.';
}

static bool path_targeted(const char *path, const char *const *targets)
{
	for (; *targets; targets++)
		if (path_matches(path, *targets))
			return true;
	return false;
}

/* Forgets the present adapter. */
static void adapter_clear(struct backbone *backbone)
{
	for (size_t i = 0; i < backbone->projection_count; i++) {
		backbone->projections[i]->lora_a = NULL;
		backbone->projections[i]->lora_b = NULL;
	}
	while (backbone->exposed_count &&
	       backbone->exposed[backbone->exposed_count - 1].is_adapter)
		backbone->exposed_count--;
	memset(&backbone->adapter, 0, sizeof(backbone->adapter));
	arena_reset(&backbone->adapter_memory);
}

static int param_make(struct backbone *backbone, struct backbone_param *param, const char *path,
		      const char *which, int64_t rows, int64_t columns)
{
	struct arena *memory = &backbone->adapter_memory;
	char name[160];

	snprintf(name, sizeof(name), ADAPTER_PREFIX "%s.%s.weight", path, which);
	*param = (struct backbone_param){.dims = 2, .shape = {rows, columns},
					 .count = rows * columns, .is_adapter = true};
	param->name = arena_strdup(memory, name);
	param->value = arena_calloc(memory, (size_t)param->count, sizeof(float));
	param->gradient = arena_calloc(memory, (size_t)param->count, sizeof(float));
	return param->name && param->value && param->gradient ? 0 : ERR_NO_MEMORY;
}

static int projection_adapt(struct backbone *backbone, struct backbone_projection *projection)
{
	struct adapter *adapter = &backbone->adapter;
	struct backbone_param *a = &adapter->params[adapter->count], *b = a + 1;

	if (param_make(backbone, a, projection->path, "lora_A", adapter->rank, projection->in) ||
	    param_make(backbone, b, projection->path, "lora_B", projection->out, adapter->rank))
		return ERR_NO_MEMORY;
	projection->lora_a = a;
	projection->lora_b = b;
	adapter->count += 2;
	return 0;
}

static int targets_copy(struct backbone *backbone, const char *const *targets)
{
	struct adapter *adapter = &backbone->adapter;
	size_t count = 0;

	while (targets[count])
		count++;
	adapter->targets = arena_calloc(&backbone->adapter_memory, count + 1,
					sizeof(*adapter->targets));
	for (size_t i = 0; i < count && adapter->targets; i++) {
		adapter->targets[i] = arena_strdup(&backbone->adapter_memory, targets[i]);
		if (!adapter->targets[i])
			return ERR_NO_MEMORY;
	}
	return adapter->targets ? 0 : ERR_NO_MEMORY;
}

/* The last part of every projection's path, each once, NULL at the end. */
static void target_names(const struct backbone *backbone, const char *names[TARGETS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < backbone->projection_count && count + 1 < TARGETS_MAX; i++) {
		const char *path = backbone->projections[i]->path, *dot = strrchr(path, '.');
		const char *name = dot ? dot + 1 : path;
		bool told = false;

		for (size_t j = 0; j < count && !told; j++)
			told = strcmp(names[j], name) == 0;
		if (!told)
			names[count++] = name;
	}
	names[count] = NULL;
}

/* "q_proj, v_proj" */
static void targets_text(const struct backbone *backbone, char *text, size_t size)
{
	const char *names[TARGETS_MAX];
	size_t used = 0;

	target_names(backbone, names);
	text[0] = '\0';
	for (size_t i = 0; names[i] && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 names[i]);
}

/* Every target must name at least one projection. */
static int targets_check(const struct backbone *backbone, const char *const *targets,
			 struct error *error)
{
	char known[256];

	for (; *targets; targets++) {
		bool found = false;

		for (size_t i = 0; i < backbone->projection_count && !found; i++)
			found = path_matches(backbone->projections[i]->path, *targets);
		if (found)
			continue;
		targets_text(backbone, known, sizeof(known));
		return error_set(error, ERR_INVALID,
				 "adapter target %s matches no projection of %s; there are: %s",
				 *targets, backbone->shape.architecture, known);
	}
	return 0;
}

static int options_check(const struct lora_options *options, struct error *error)
{
	if (options->rank < 1 || options->rank > RANK_MAX)
		return error_set(error, ERR_RANGE, "adapter rank %lld is outside 1 to %d",
				 (long long)options->rank, RANK_MAX);
	if (!(options->alpha > 0 && options->alpha <= 1e6))
		return error_set(error, ERR_RANGE, "adapter alpha %g is not above 0 and at most "
				 "1e6", options->alpha);
	if (!(options->dropout >= 0 && options->dropout < 1))
		return error_set(error, ERR_RANGE, "adapter dropout %g is not in [0, 1)",
				 options->dropout);
	return 0;
}

/* Adapters of zeros on the targeted projections that are `used`, or on those that are not. */
static int projections_adapt(struct backbone *backbone, const char *const *targets, bool used)
{
	int code = 0;

	for (size_t i = 0; i < backbone->projection_count && !code; i++) {
		struct backbone_projection *projection = backbone->projections[i];

		if (projection->weight->used == used && path_targeted(projection->path, targets))
			code = projection_adapt(backbone, projection);
	}
	return code;
}

static int adapter_build(struct backbone *backbone, const struct lora_options *options,
			 struct error *error)
{
	struct adapter *adapter = &backbone->adapter;
	const char *const *targets = options->targets ? options->targets
						      : backbone->architecture->lora_targets;
	const size_t room = 2 * backbone->projection_count;
	const char *all[TARGETS_MAX];
	int code = options_check(options, error);

	if (targets[0] && !targets[1] && strcmp(targets[0], LORA_TARGETS_ALL) == 0) {
		target_names(backbone, all);
		targets = all;
	}
	if (!code)
		code = targets_check(backbone, targets, error);
	if (code)
		return code;
	adapter_clear(backbone);
	adapter->rank = options->rank;
	adapter->alpha = options->alpha;
	adapter->dropout = options->dropout;
	adapter->params = arena_calloc(&backbone->adapter_memory, room, sizeof(*adapter->params));
	if (!adapter->params || targets_copy(backbone, targets))
		code = ERR_NO_MEMORY;
	if (!code)
		code = projections_adapt(backbone, targets, true);
	adapter->used = adapter->count;
	if (!code)
		code = projections_adapt(backbone, targets, false);
	if (code) {
		adapter_clear(backbone);
		return error_set(error, code, "out of memory for an adapter of rank %lld",
				 (long long)options->rank);
	}
	return 0;
}

int backbone_lora_new(struct backbone *backbone, const struct lora_options *options,
		      struct rng *rng, struct error *error)
{
	int code;

	if (options->rank == 0) {
		adapter_clear(backbone);
		return backbone_expose(backbone, error);
	}
	code = adapter_build(backbone, options, error);
	if (code)
		return code;
	for (size_t i = 0; i < backbone->adapter.count; i += 2) {
		const struct backbone_param *a = &backbone->adapter.params[i];
		const double bound = 1 / sqrt((double)a->shape[1]);

		for (int64_t j = 0; j < a->count; j++)
			a->value[j] = (float)(bound * (2 * rng_uniform(rng) - 1));
	}
	return backbone_expose(backbone, error);
}

/* ERR_UNSUPPORTED when `key` is neither missing, null, nor empty. */
static int key_is_empty(const struct config *config, const char *key, struct error *error)
{
	const json_t *value = json_object_get(config->root, key);

	if (!value || json_is_null(value) || (json_is_object(value) && !json_object_size(value)) ||
	    (json_is_array(value) && !json_array_size(value)))
		return 0;
	return error_at(error, ERR_UNSUPPORTED, config->path, 0, key, "is not supported; leave it "
			"empty");
}

static int variants_check(const struct config *config, struct error *error)
{
	static const char *const empty[] = {"rank_pattern", "alpha_pattern", "modules_to_save",
					    "layers_pattern"};
	const char *type = NULL, *bias = NULL;
	int code = config_text(config, "peft_type", &type, error);

	if (!code && type && strcmp(type, "LORA") != 0)
		code = error_at(error, ERR_UNSUPPORTED, config->path, 0, "peft_type",
				"%s is not supported; LORA is", type);
	if (!code)
		code = config_text(config, "bias", &bias, error);
	if (!code && bias && strcmp(bias, "none") != 0)
		code = error_at(error, ERR_UNSUPPORTED, config->path, 0, "bias",
				"%s is not supported; none is", bias);
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]) && !code; i++)
		code = key_is_empty(config, empty[i], error);
	if (!code)
		code = config_flag_is(config, "use_rslora", false, error);
	if (!code)
		code = config_flag_is(config, "use_dora", false, error);
	return code;
}

static int targets_read(const struct config *config, const char **targets, struct error *error)
{
	const json_t *list = json_object_get(config->root, "target_modules");
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count == 0 || count >= TARGETS_MAX)
		return error_at(error, ERR_INVALID, config->path, 0, "target_modules",
				"is not a list of 1 to %d names", TARGETS_MAX - 1);
	for (size_t i = 0; i < count; i++) {
		targets[i] = json_string_value(json_array_get(list, i));
		if (!targets[i])
			return error_at(error, ERR_INVALID, config->path, 0, "target_modules",
					"holds something other than text");
	}
	targets[count] = NULL;
	return 0;
}

static int options_read(const struct config *config, struct lora_options *options,
			const char **targets, struct error *error)
{
	const struct config_integer rank = {"r", &options->rank, 1, RANK_MAX, true};
	int code = variants_check(config, error);

	options->alpha = 8;
	options->targets = targets;
	if (!code)
		code = config_integers(config, &rank, 1, error);
	if (!code)
		code = config_real(config, "lora_alpha", 0, 1e6, &options->alpha, error);
	if (!code) /* 0 is allowed */
		code = config_real(config, "lora_dropout", -1e-300, 0.999, &options->dropout,
				   error);
	if (!code)
		code = targets_read(config, targets, error);
	return code;
}

/* A tensor of the adapter file; names may hold a prefix that our paths lack. */
static const struct safetensors_entry *adapter_find(const struct backbone *backbone,
						    const struct safetensors *file,
						    const char *name)
{
	char full[256];

	for (const char *const *prefix = backbone->architecture->prefixes; *prefix; prefix++) {
		const struct safetensors_entry *entry;

		snprintf(full, sizeof(full), ADAPTER_PREFIX "%s%s", *prefix,
			 name + strlen(ADAPTER_PREFIX));
		entry = safetensors_find(file, full);
		if (entry)
			return entry;
	}
	return NULL;
}

static int adapter_fill(struct backbone *backbone, const struct safetensors *file,
			struct error *error)
{
	for (size_t i = 0; i < backbone->adapter.count; i++) {
		const struct backbone_param *param = &backbone->adapter.params[i];
		const struct safetensors_entry *entry = adapter_find(backbone, file, param->name);
		struct checkpoint_tensor tensor;
		int code;

		if (!entry)
			return error_at(error, ERR_INVALID, file->path, 0, param->name,
					"is missing, though target_modules asks for it");
		tensor = checkpoint_tensor_of(file, entry);
		code = checkpoint_shape_check(&tensor, 2, param->shape, error);
		if (!code)
			code = checkpoint_read(&tensor, param->value, error);
		if (code)
			return code;
	}
	if (file->count != backbone->adapter.count)
		return error_at(error, ERR_INVALID, file->path, 0, NULL,
				"holds %zu tensors where target_modules and %s account for %zu",
				file->count, backbone->shape.architecture,
				backbone->adapter.count);
	return 0;
}

int backbone_lora_load(struct backbone *backbone, const char *directory, struct error *error)
{
	const char *targets[TARGETS_MAX];
	struct lora_options options = {0};
	struct safetensors file = {0};
	struct config config = {0};
	char path[4096];
	int code = config_open(&config, directory, ADAPTER_CONFIG_NAME, error);

	if (!code)
		code = file_join(path, sizeof(path), directory, ADAPTER_WEIGHTS_NAME, error);
	if (!code)
		code = options_read(&config, &options, targets, error);
	if (!code)
		code = safetensors_open(&file, path, error);
	if (!code) {
		struct error unfit = {0};

		code = adapter_build(backbone, &options, &unfit);
		if (code)
			error_at(error, code, config.path, 0, "target_modules", "%s", unfit.text);
		if (!code)
			code = adapter_fill(backbone, &file, error);
		safetensors_close(&file);
	}
	config_close(&config);
	if (!code)
		code = backbone_expose(backbone, error);
	if (code)
		adapter_clear(backbone);
	return code;
}

static json_t *adapter_config(const struct backbone *backbone)
{
	const struct adapter *adapter = &backbone->adapter;
	const bool in_out = backbone->projections[0]->layout == LINEAR_IN_OUT;
	json_t *targets = json_array();

	for (const char **target = adapter->targets; *target; target++)
		json_array_append_new(targets, json_string(*target));
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:f, s:f, s:I, s:o, s:s}",
			 "base_model_name_or_path", backbone->directory, "bias", "none",
			 "peft_type", "LORA", "fan_in_fan_out", in_out, "inference_mode", 1,
			 "lora_alpha", adapter->alpha, "lora_dropout", adapter->dropout, "r",
			 (json_int_t)adapter->rank, "target_modules", targets, "task_type",
			 "FEATURE_EXTRACTION");
}

static int adapter_config_write(const struct backbone *backbone, const char *directory,
				struct error *error)
{
	json_t *root = adapter_config(backbone);
	char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS |
						       JSON_REAL_PRECISION(15)) : NULL;
	char path[4096];
	int code = file_join(path, sizeof(path), directory, ADAPTER_CONFIG_NAME, error);

	if (!code)
		code = text ? file_write_all(path, text, strlen(text), error)
			    : error_set(error, ERR_INVALID, "the path %s is not UTF-8",
					backbone->directory);
	free(text);
	json_decref(root);
	return code;
}

int backbone_lora_save(const struct backbone *backbone, const char *directory,
		       struct error *error)
{
	static const char *const metadata[] = {"format", "pt", NULL};
	const struct adapter *adapter = &backbone->adapter;
	struct safetensors_item *items;
	char path[4096];
	int code;

	if (!adapter->count)
		return error_set(error, ERR_INVALID, "there is no adapter to save");
	items = calloc(adapter->count, sizeof(*items));
	if (!items)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a list of tensors");
	for (size_t i = 0; i < adapter->count; i++)
		items[i] = (struct safetensors_item){
			.name = adapter->params[i].name, .dtype = SAFETENSORS_F32, .dims = 2,
			.shape = {adapter->params[i].shape[0], adapter->params[i].shape[1]},
			.data = adapter->params[i].value};
	code = file_make_folders(directory, error);
	if (!code)
		code = file_join(path, sizeof(path), directory, ADAPTER_WEIGHTS_NAME, error);
	if (!code)
		code = safetensors_write(path, items, adapter->count, metadata, error);
	if (!code)
		code = adapter_config_write(backbone, directory, error);
	free(items);
	return code;
}

/* values, laid out as the projection declares, += alpha / rank (B A). */
static void product_add(const struct adapter *adapter, const struct backbone_projection *p,
			float *values)
{
	const bool out_in = p->layout == LINEAR_OUT_IN;
	const struct gemm gemm = {
		.transpose_a = !out_in, .transpose_b = !out_in, .m = out_in ? p->out : p->in,
		.n = out_in ? p->in : p->out, .k = adapter->rank, .beta = 1,
		.alpha = (float)(adapter->alpha / (double)adapter->rank),
		.a = out_in ? p->lora_b->value : p->lora_a->value,
		.a_stride = out_in ? adapter->rank : p->in,
		.b = out_in ? p->lora_a->value : p->lora_b->value,
		.b_stride = out_in ? p->in : adapter->rank,
		.c = values, .c_stride = out_in ? p->in : p->out};

	gemm_run(&gemm);
}

/* The sum is rounded once where the weight's own values can be read again. */
static int held_merge(struct backbone *backbone, const struct backbone_projection *p,
		      struct error *error)
{
	float *values = malloc((size_t)(p->in * p->out) * sizeof(*values));
	int code = values ? weight_values(backbone, p->weight, values, error) : ERR_NO_MEMORY;

	if (!code) {
		product_add(&backbone->adapter, p, values);
		code = weight_hold(backbone, p->weight, values);
	}
	free(values);
	if (code == ERR_NO_MEMORY)
		return error_set(error, code, "out of memory for %s", p->path);
	return code;
}

int backbone_lora_merge(struct backbone *backbone, struct error *error)
{
	int code = 0;

	if (backbone->device_only)
		return error_set(error, ERR_UNSUPPORTED, "the weights exist on the device only");
	if (backbone->device && backbone->adapter.count)
		backbone->device->changed(backbone->device, true);
	for (size_t i = 0; i < backbone->projection_count && !code; i++) {
		const struct backbone_projection *p = backbone->projections[i];

		if (!p->lora_a)
			continue;
		if (weight_is_held(backbone, p->weight))
			code = held_merge(backbone, p, error);
		else
			product_add(&backbone->adapter, p, p->weight->param.value);
		if (!code)
			p->weight->changed = true;
	}
	if (code)
		return code;
	adapter_clear(backbone);
	return backbone_expose(backbone, error);
}
