/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm backbones: which backbones are there, with their shapes.
 *
 * An operand is a Hugging Face folder, a GGUF file, or a folder of such;
 * without one, the models that come with the program are listed.  Only configurations
 * and headers are read.  In a folder of folders one that cannot be used is
 * listed with the reason; a folder named directly is an error then.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "backbone/checkpoint.h"
#include "backbone/export.h"
#include "base/file.h"
#include "cli/command.h"
#include "config.h"

static const char *const model_folders[] = {
	"models",
	AQMLLM_DATA_DIR "/models",
	AQMLLM_SOURCE_DIR "/models",
};

static const char *const head_names[] = {
	[HEAD_NONE] = "none", [HEAD_OWN] = "own", [HEAD_TIED] = "tied"};

/* {"F32": {"tensors": 3, "bytes": 1200}, ...} */
static json_t *types_json(const struct checkpoint_inventory *inventory)
{
	json_t *types = json_object();

	for (size_t i = 0; i < inventory->types; i++)
		json_object_set_new(types, inventory->type[i].name,
				    json_pack("{s:I, s:I}", "tensors",
					      (json_int_t)inventory->type[i].tensors, "bytes",
					      (json_int_t)inventory->type[i].bytes));
	return types;
}

static json_t *row_json(const char *path, const struct backbone_shape *shape,
			const struct checkpoint_inventory *inventory)
{
	json_t *row = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
				"folder", path, "architecture", shape->architecture, "layers",
				(json_int_t)shape->layers, "decoder_layers",
				(json_int_t)shape->decoder_layers, "width",
				(json_int_t)shape->width, "inner_width",
				(json_int_t)shape->inner_width, "heads",
				(json_int_t)shape->heads, "kv_heads", (json_int_t)shape->kv_heads,
				"ffn_width", (json_int_t)shape->ffn_width, "vocabulary",
				(json_int_t)shape->vocabulary, "max_positions",
				(json_int_t)shape->max_positions, "parameters",
				(json_int_t)shape->parameters);
	json_t *rest = json_pack("{s:s, s:I, s:I, s:I, s:o, s:b, s:s}", "container",
				 inventory->container, "files", (json_int_t)inventory->files,
				 "tensors", (json_int_t)inventory->tensors, "bytes",
				 (json_int_t)inventory->bytes, "types", types_json(inventory),
				 "token_embedding", (int)shape->has_embedding, "lm_head",
				 head_names[shape->head]);

	if (row && rest)
		json_object_update(row, rest);
	json_decref(rest);
	return row;
}

static int backbone_add(json_t *list, const char *path, bool named, struct error *error)
{
	struct checkpoint_inventory inventory;
	struct checkpoint checkpoint;
	struct backbone_shape shape;
	struct error inner = {0};
	char text[1500];
	json_t *row = NULL;
	int code = backbone_inspect(path, &shape, &inner);

	if (!code)
		code = checkpoint_open(&checkpoint, path, &inner);
	if (code && named) {
		*error = inner;
		return code;
	}
	if (code) {
		row = json_pack("{s:s, s:s}", "folder", path, "error",
				error_format(&inner, text, sizeof(text)));
	} else {
		inventory = checkpoint_inventory(&checkpoint);
		row = row_json(path, &shape, &inventory);
		checkpoint_close(&checkpoint);
	}
	if (!row || json_array_append_new(list, row))
		return error_set(error, ERR_INVALID, "the name of %s is not UTF-8", path);
	return 0;
}

static bool holds_config(const char *folder)
{
	char path[4096];

	return !file_join(path, sizeof(path), folder, "config.json", NULL) && file_exists(path);
}

/* `folder` itself, or the models in it, by name: folders with config.json, GGUF files. */
static int folder_add(json_t *list, const char *folder, struct error *error)
{
	struct dirent **names = NULL;
	int count, code = 0;

	if (checkpoint_is_gguf(folder) || holds_config(folder))
		return backbone_add(list, folder, true, error);
	count = scandir(folder, &names, NULL, alphasort);
	if (count < 0)
		return error_errno(error, folder, "reading the folder");
	for (int i = 0; i < count; i++) {
		char path[4096];

		if (!code && names[i]->d_name[0] != '.' &&
		    !file_join(path, sizeof(path), folder, names[i]->d_name, NULL) &&
		    (checkpoint_is_gguf(path) || holds_config(path)))
			code = backbone_add(list, path, false, error);
		free(names[i]);
	}
	free(names);
	return code;
}

static long long number(const json_t *row, const char *key)
{
	return (long long)json_integer_value(json_object_get(row, key));
}

/* "GGUF, 20 tensors, 0.6 MB: 9 F32, 11 Q8_0; token embedding, LM head tied" */
static void storage_print(const json_t *row)
{
	const char *container = json_string_value(json_object_get(row, "container"));
	const char *head = json_string_value(json_object_get(row, "lm_head")), *name;
	json_t *types = json_object_get(row, "types"), *type;
	bool first = true;

	printf("  %s", container);
	if (number(row, "files") > 1)
		printf(" in %lld files", number(row, "files"));
	printf(", %lld tensors, %.1f MB:", number(row, "tensors"),
	       (double)number(row, "bytes") / 1e6);
	json_object_foreach(types, name, type) {
		printf("%s %lld %s", first ? "" : ",", number(type, "tensors"), name);
		first = false;
	}
	printf("; %s token embedding, %s%s\n",
	       json_is_true(json_object_get(row, "token_embedding")) ? "a" : "no",
	       strcmp(head, "none") == 0 ? "no language-model head" : "language-model head ",
	       strcmp(head, "none") == 0 ? "" : head);
}

static void row_print(const json_t *row)
{
	const char *folder = json_string_value(json_object_get(row, "folder"));
	const char *problem = json_string_value(json_object_get(row, "error"));

	if (problem) {
		printf("%s: cannot be used: %s\n", folder, problem);
		return;
	}
	printf("%s: %s, %lld parameters: %lld layers, ", folder,
	       json_string_value(json_object_get(row, "architecture")), number(row, "parameters"),
	       number(row, "layers"));
	if (number(row, "decoder_layers"))
		printf("%lld of a decoder, ", number(row, "decoder_layers"));
	printf("width %lld", number(row, "width"));
	if (number(row, "inner_width") != number(row, "width"))
		printf(" (%lld inside)", number(row, "inner_width"));
	printf(", %lld heads (%lld key/value), feed-forward %lld, vocabulary %lld, ",
	       number(row, "heads"), number(row, "kv_heads"), number(row, "ffn_width"),
	       number(row, "vocabulary"));
	if (number(row, "max_positions"))
		printf("%lld positions\n", number(row, "max_positions"));
	else
		printf("any number of positions\n");
	storage_print(row);
}

static void text_print(json_t *list)
{
	size_t index;
	json_t *row;

	printf("architectures:");
	for (size_t i = 0; backbone_architecture(i); i++)
		printf(" %s", backbone_architecture(i));
	printf("\n");
	json_array_foreach(list, index, row)
		row_print(row);
}

static int json_print(json_t *list, struct error *error)
{
	json_t *names = json_array(), *root;
	int code = 0;

	for (size_t i = 0; backbone_architecture(i); i++)
		json_array_append_new(names, json_string(backbone_architecture(i)));
	root = json_pack("{s:o, s:O}", "architectures", names, "backbones", list);
	if (!root || json_dumpf(root, stdout, JSON_INDENT(2)))
		code = error_set(error, ERR_IO, "cannot print the list");
	printf("\n");
	json_decref(root);
	return code;
}

static struct {
	const char *export, *type;
} o = {0};

static int export_model(const char **operands, size_t count, struct error *error)
{
	const int type = o.type ? block_type_named(o.type) : BLOCK_F16;

	if (count != 1)
		return error_set(error, ERR_INVALID,
				 "name one model: aqmllm backbones --export FILE.gguf DIR");
	if (!checkpoint_is_gguf(o.export))
		return error_at(error, ERR_INVALID, NULL, 0, "--export",
				"%s does not end in .gguf", o.export);
	if (type < 0 || !block_encodable((enum block_type)type))
		return error_at(error, ERR_INVALID, NULL, 0, "--type",
				"%s is not one of f32, f16, bf16, q8_0, q4_0", o.type);
	return backbone_export(operands[0], o.export, (enum block_type)type, error);
}

static int run_backbones(const struct command_common *common, const char **operands, size_t count,
			 struct error *error)
{
	json_t *list;
	int code;

	if (o.type && !o.export)
		return error_at(error, ERR_INVALID, NULL, 0, "--type",
				"is of what --export FILE.gguf writes; name that too");
	list = json_array();
	code = o.export ? export_model(operands, count, error) : 0;
	if (o.export)
		operands = &o.export;
	for (size_t i = 0; i < count && !code; i++)
		code = folder_add(list, operands[i], error);
	for (size_t i = 0; i < sizeof(model_folders) / sizeof(model_folders[0]); i++)
		if (!code && !count && file_is_folder(model_folders[i])) {
			code = folder_add(list, model_folders[i], error);
			break;
		}
	if (!code && count && json_array_size(list) == 0)
		code = error_at(error, ERR_INVALID, operands[0], 0, NULL,
				"neither is nor holds a folder with a config.json or a .gguf file");
	if (!code && common->json)
		code = json_print(list, error);
	else if (!code)
		text_print(list);
	json_decref(list);
	return code;
}

static const struct option backbones_options[] = {
	{"export", 'e', OPTION_TEXT, &o.export, "FILE.gguf",
	 "write the one model named as a GGUF file, its tokeniser included, and list that", 0, 0},
	{"type", 't', OPTION_TEXT, &o.type, "TYPE",
	 "of the matrices in it: f32, f16, bf16, q8_0, q4_0; default f16", 0, 0},
	{0},
};

const struct command command_backbones = {
	.name = "backbones",
	.operands = "[DIR|FILE.gguf...]",
	.summary = "list backbones with their shapes and storage; convert to GGUF",
	.details = "DIR is a Hugging Face folder (config.json, model*.safetensors) or a folder "
		   "of such folders and GGUF files; without one, the models that come with the "
		   "program are listed. Only configurations and headers are read. What cannot be "
		   "used is told with the tensor or key that is missing or wrong.",
	.options = backbones_options,
	.run = run_backbones,
};
