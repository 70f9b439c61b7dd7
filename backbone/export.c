/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a checkpoint to a GGUF file: the way back of checkpoint_read().
 */
#include "backbone/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "backbone/checkpoint.h"
#include "backbone/gguf_names.h"
#include "backbone/gguf_write.h"
#include "backbone/tokenizer.h"
#include "backbone/tokenizer_write.h"
#include "base/file.h"

#define QUANTISATION_VERSION 2
#define TENSOR_NAME_BYTES 128

/* A tensor that goes into the file. */
struct item {
	char name[TENSOR_NAME_BYTES];
	struct checkpoint_tensor from;
	enum block_type type;
	enum gguf_layout layout;
};

struct export {
	struct checkpoint checkpoint;
	struct config config;
	const struct gguf_architecture *names;
	enum block_type type;
	int64_t layers, heads, kv_heads;
	double rope_factor; /* of linear scaling; 0: none */
	struct item *items;
	size_t count, capacity;
	struct error *error;
};

static int64_t setting(const struct export *export, const char *key, int64_t missing)
{
	const json_t *value = json_object_get(export->config.root, key);

	return json_is_integer(value) ? json_integer_value(value) : missing;
}

/* The name in config.json of a GGUF key. */
static const char *setting_name(const struct export *export, const char *key)
{
	for (const struct gguf_setting *s = export->names->settings; s->key; s++)
		if (strcmp(s->key, key) == 0)
			return s->setting;
	return "";
}

/* Values of general.file_type. */
static uint32_t file_type(enum block_type type)
{
	switch (type) {
	case BLOCK_F16:
		return 1;
	case BLOCK_Q4_0:
		return 2;
	case BLOCK_Q8_0:
		return 7;
	case BLOCK_BF16:
		return 32;
	default:
		return 0;
	}
}

static void general_put(const struct export *export, struct gguf_head *head, const char *source)
{
	const char *slash = strrchr(source, '/');
	const char *type = block_format(export->type)->name;

	gguf_put_text(head, "general.architecture", export->names->name);
	gguf_put_text(head, "general.name", slash && slash[1] ? slash + 1 : source);
	gguf_put_u32(head, "general.file_type", file_type(export->type));
	gguf_put_u32(head, "general.alignment", GGUF_WRITE_ALIGNMENT);
	if (type[0] == 'Q')
		gguf_put_u32(head, "general.quantization_version", QUANTISATION_VERSION);
}

/* The tokeniser, or none where the source has none that can be read. */
static int words_put(const struct export *export, struct gguf_head *head, const char *source,
		     int64_t vocabulary)
{
	struct tokenizer tokenizer;
	struct error inner = {0};
	const int code = tokenizer_open(&tokenizer, source, vocabulary, &inner);

	if (code == ERR_UNSUPPORTED) {
		gguf_put_text(head, "tokenizer.ggml.model", "none");
		return 0;
	}
	if (code) {
		if (export->error)
			*export->error = inner;
		return code;
	}
	tokenizer_put(&tokenizer, head);
	tokenizer_close(&tokenizer);
	return 0;
}

static void settings_put(const struct export *export, struct gguf_head *head,
			 const struct backbone_shape *shape)
{
	const int64_t head_width =
		setting(export, "head_dim", shape->width / shape->heads);
	char key[96];

	for (const struct gguf_setting *s = export->names->settings; s->key; s++) {
		const json_t *value = json_object_get(export->config.root, s->setting);

		snprintf(key, sizeof(key), "%s.%s", export->names->name, s->key);
		if (s->real && json_is_number(value))
			gguf_put_f32(head, key, (float)json_number_value(value));
		else if (!s->real && json_is_integer(value))
			gguf_put_u32(head, key, (uint32_t)json_integer_value(value));
		else if (strcmp(s->key, "feed_forward_length") == 0)
			gguf_put_u32(head, key, (uint32_t)shape->ffn_width);
		else if (strcmp(s->key, "attention.layer_norm_epsilon") == 0)
			gguf_put_f32(head, key, 1e-5f);
		else if (strcmp(s->key, "attention.layer_norm_rms_epsilon") == 0)
			gguf_put_f32(head, key, 1e-6f);
	}
	if (strcmp(export->names->name, "llama") != 0)
		return;
	gguf_put_u32(head, "llama.rope.dimension_count", (uint32_t)head_width);
	if (export->rope_factor > 0) {
		gguf_put_text(head, "llama.rope.scaling.type", "linear");
		gguf_put_f32(head, "llama.rope.scaling.factor", (float)export->rope_factor);
	}
	if (!json_is_integer(json_object_get(export->config.root, "head_dim")))
		return;
	gguf_put_u32(head, "llama.attention.value_length", (uint32_t)head_width);
}

/* Heads whose rows are interleaved in the file; 0: rows stay in order. */
static int64_t item_heads(const struct export *export, const struct item *item)
{
	if (item->layout == GGUF_ROTARY_Q)
		return export->heads;
	return item->layout == GGUF_ROTARY_K ? export->kv_heads : 0;
}

/* True for a matrix that the file keeps transposed. */
static bool item_turned(const struct item *item)
{
	return item->layout == GGUF_TRANSPOSED && item->from.dims == 2;
}

/* Matrices of whole blocks take the type asked for; positions and vectors stay exact. */
static enum block_type item_type(const struct export *export, const struct item *item)
{
	const struct checkpoint_tensor *from = &item->from;
	const struct block_format *format = block_format(export->type);

	if (from->dims != 2 || strncmp(item->name, "position_embd", 13) == 0)
		return BLOCK_F32;
	return from->shape[item_turned(item) ? 0 : 1] % format->numbers ? BLOCK_F16 : export->type;
}

/* Adds the tensor called `there`, under whatever prefix the checkpoint has it. */
static int item_add(struct export *export, const char *there)
{
	static const char *const prefixes[] = {"", "model.", "transformer."};
	struct item *item;
	char name[TENSOR_NAME_BYTES + 16];
	bool found = false;
	int64_t heads;

	if (export->count == export->capacity) {
		const size_t capacity = 2 * export->capacity + 64;
		struct item *items = realloc(export->items, capacity * sizeof(*items));

		if (!items)
			return error_set(export->error, ERR_NO_MEMORY, "out of memory for a list "
					 "of tensors");
		export->items = items;
		export->capacity = capacity;
	}
	item = &export->items[export->count];
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]) && !found; i++) {
		snprintf(name, sizeof(name), "%s%s", prefixes[i], there);
		found = checkpoint_find(&export->checkpoint, name, &item->from);
	}
	if (!found || !gguf_name(export->names, there, item->name, sizeof(item->name),
				 &item->layout))
		return 0;
	heads = item_heads(export, item);
	if (item->from.dims > 2 || (heads && item->from.shape[0] % (2 * heads)))
		return error_at(export->error, ERR_INVALID, item->from.path, 0, item->from.name,
				"does not have the shape that the configuration needs");
	item->type = item_type(export, item);
	export->count++;
	return 0;
}

/* Every tensor of the table that the checkpoint holds, layer by layer. */
static int items_collect(struct export *export)
{
	static const char *const endings[] = {"weight", "bias"};
	const bool llama = strcmp(export->names->name, "llama") == 0;
	const json_t *biased = json_object_get(export->config.root, "attention_bias");
	const int kinds = llama && !json_is_true(biased) ? 1 : 2;
	int code = 0;

	for (const struct gguf_name *entry = export->names->names; entry->here && !code; entry++) {
		const bool layered = strstr(entry->there, "%d") != NULL;

		for (int64_t layer = 0; layer < (layered ? export->layers : 1) && !code; layer++)
			for (int e = 0; e < kinds && !code; e++) {
				char there[TENSOR_NAME_BYTES];

				gguf_name_there(entry, (int)layer, endings[e], there,
						sizeof(there));
				code = item_add(export, there);
			}
	}
	return code;
}

/* Where row `row` of the file comes from: the way back of checkpoint.c's rotary_row(). */
static int64_t row_source(int64_t heads, int64_t rows, int64_t row)
{
	const int64_t width = heads ? rows / heads : rows, within = row % width;

	return heads ? row - within + within / 2 + within % 2 * (width / 2) : row;
}

/* Encodes one tensor, given in Hugging Face's order, row by row. */
static int rows_write(const struct export *export, const struct item *item, const float *values,
		      FILE *stream)
{
	const bool turned = item_turned(item);
	const struct checkpoint_tensor *from = &item->from;
	const bool vector = from->dims == 1;
	const int64_t rows = turned ? from->shape[1] : from->shape[0];
	const int64_t columns = vector ? 1 : from->count / rows;
	const struct block_format *format = block_format(item->type);
	const size_t bytes = (size_t)(columns / format->numbers) * format->bytes;
	const int64_t heads = item_heads(export, item);
	float *row = malloc((size_t)columns * sizeof(*row));
	unsigned char *out = malloc(bytes);

	for (int64_t r = 0; r < rows && row && out; r++) {
		const int64_t source = row_source(heads, rows, r);

		for (int64_t c = 0; c < columns; c++)
			row[c] = turned ? values[c * rows + r] : values[source * columns + c];
		block_encode(item->type, row, columns, out);
		fwrite(out, 1, bytes, stream);
	}
	free(out);
	if (!row || !out) {
		free(row);
		return error_set(export->error, ERR_NO_MEMORY, "out of memory for a row of %s",
				 item->name);
	}
	free(row);
	for (uint64_t size = (uint64_t)rows * bytes; size % GGUF_WRITE_ALIGNMENT; size++)
		putc(0, stream);
	return 0;
}

static int item_write(const struct export *export, const struct item *item, FILE *stream)
{
	float *values = malloc((size_t)item->from.count * sizeof(*values));
	int code;

	if (!values)
		return error_set(export->error, ERR_NO_MEMORY, "out of memory for %s", item->name);
	code = checkpoint_read(&item->from, values, export->error);
	if (!code)
		code = rows_write(export, item, values, stream);
	free(values);
	return code;
}

static int file_write(struct export *export, const char *path, struct gguf_head *head)
{
	struct file_replace file;
	int code = file_replace_open(&file, path, export->error);

	if (code)
		return code;
	code = gguf_head_write(head, file.stream, path, export->error);
	for (size_t i = 0; i < export->count && !code; i++)
		code = item_write(export, &export->items[i], file.stream);
	if (!code && ferror(file.stream))
		code = error_errno(export->error, path, "writing");
	if (!code)
		code = file_replace_commit(&file, export->error);
	if (code)
		file_replace_abort(&file);
	return code;
}

/* Stretched rotary positions: a linear factor has keys of its own, other ways have not. */
static int scaling_read(struct export *export)
{
	json_t *root = export->config.root, *nested = json_object_get(root, "rope_parameters");
	const json_t *scaling = json_is_object(nested) ? nested
						       : json_object_get(root, "rope_scaling");
	const char *kind = json_string_value(json_object_get(scaling, "rope_type"));

	if (json_object_get(nested, "rope_theta"))
		json_object_set(root, "rope_theta", json_object_get(nested, "rope_theta"));
	if (!kind)
		kind = json_string_value(json_object_get(scaling, "type"));
	if (!kind || strcmp(kind, "default") == 0)
		return 0;
	if (strcmp(kind, "linear") != 0)
		return error_at(export->error, ERR_UNSUPPORTED, export->config.path, 0,
				"rope_scaling", "%s cannot be written to a GGUF file; linear can",
				kind);
	export->rope_factor = json_number_value(json_object_get(scaling, "factor"));
	return 0;
}

static int source_open(struct export *export, const char *source)
{
	int code = checkpoint_config(&export->config, source, export->error);
	const char *name;

	if (!code)
		code = checkpoint_open(&export->checkpoint, source, export->error);
	if (code)
		return code;
	name = json_string_value(json_object_get(export->config.root, "model_type"));
	export->names = gguf_architecture(name ? name : "");
	if (!export->names)
		return error_at(export->error, ERR_UNSUPPORTED, export->config.path, 0,
				"model_type", "%s has no place in GGUF files; there are: %s",
				name ? name : "(missing)", gguf_architectures());
	export->layers = setting(export, setting_name(export, "block_count"), 0);
	export->heads = setting(export, setting_name(export, "attention.head_count"), 1);
	export->kv_heads = setting(export, setting_name(export, "attention.head_count_kv"),
				   export->heads);
	return scaling_read(export);
}

int backbone_export(const char *source, const char *path, enum block_type type,
		    struct error *error)
{
	struct export export = {.type = type, .error = error};
	struct gguf_head head = {0};
	struct backbone_shape shape;
	int code;

	if (!block_encodable(type))
		return error_set(error, ERR_UNSUPPORTED,
				 "matrices can be written as F32, F16, BF16, Q8_0 or Q4_0");
	code = backbone_inspect(source, &shape, error);
	if (!code)
		code = source_open(&export, source);
	if (!code)
		code = items_collect(&export);
	if (!code)
		code = gguf_head_new(&head, error);
	if (!code) {
		general_put(&export, &head, source);
		settings_put(&export, &head, &shape);
		code = words_put(&export, &head, source, shape.vocabulary);
		for (size_t i = 0; i < export.count; i++) {
			const struct item *item = &export.items[i];
			const int64_t *s = item->from.shape, turned[] = {s[1], s[0]};

			gguf_put_tensor(&head, item->name, item->type, item->from.dims,
					item_turned(item) ? turned : s);
		}
		if (!code)
			code = file_write(&export, path, &head);
	}
	gguf_head_free(&head);
	free(export.items);
	config_close(&export.config);
	checkpoint_close(&export.checkpoint);
	return code;
}
