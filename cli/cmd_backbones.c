/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm backbones: which backbones are there, with their shapes.
 *
 * An operand is a Hugging Face folder, or a folder of such folders; without
 * one, the models that come with the program are listed.  Only configurations
 * and headers are read.  In a folder of folders one that cannot be used is
 * listed with the reason; a folder named directly is an error then.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/file.h"
#include "cli/command.h"
#include "config.h"

static const char *const model_folders[] = {
	"models",
	AQMLLM_DATA_DIR "/models",
	AQMLLM_SOURCE_DIR "/models",
};

static int backbone_add(json_t *list, const char *folder, bool named, struct error *error)
{
	struct backbone_shape shape;
	struct error inner = {0};
	char text[1500];
	json_t *row;
	const int code = backbone_inspect(folder, &shape, &inner);

	if (code && named) {
		*error = inner;
		return code;
	}
	if (code)
		row = json_pack("{s:s, s:s}", "folder", folder, "error",
				error_format(&inner, text, sizeof(text)));
	else
		row = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
				"folder", folder, "architecture", shape.architecture, "layers",
				(json_int_t)shape.layers, "decoder_layers",
				(json_int_t)shape.decoder_layers, "width", (json_int_t)shape.width,
				"inner_width", (json_int_t)shape.inner_width, "heads",
				(json_int_t)shape.heads, "kv_heads", (json_int_t)shape.kv_heads,
				"ffn_width", (json_int_t)shape.ffn_width, "vocabulary",
				(json_int_t)shape.vocabulary, "max_positions",
				(json_int_t)shape.max_positions, "parameters",
				(json_int_t)shape.parameters);
	if (!row || json_array_append_new(list, row))
		return error_set(error, ERR_INVALID, "the name of %s is not UTF-8", folder);
	return 0;
}

static bool holds_config(const char *folder)
{
	char path[4096];

	return !file_join(path, sizeof(path), folder, "config.json", NULL) && file_exists(path);
}

/* `folder` itself, or the folders in it that hold a config.json, in order of name. */
static int folder_add(json_t *list, const char *folder, struct error *error)
{
	struct dirent **names = NULL;
	int count, code = 0;

	if (holds_config(folder))
		return backbone_add(list, folder, true, error);
	count = scandir(folder, &names, NULL, alphasort);
	if (count < 0)
		return error_errno(error, folder, "reading the folder");
	for (int i = 0; i < count; i++) {
		char path[4096];

		if (!code && names[i]->d_name[0] != '.' &&
		    !file_join(path, sizeof(path), folder, names[i]->d_name, NULL) &&
		    holds_config(path))
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

static int run_backbones(const struct command_common *common, const char **operands, size_t count,
			 struct error *error)
{
	json_t *list = json_array();
	int code = 0;

	for (size_t i = 0; i < count && !code; i++)
		code = folder_add(list, operands[i], error);
	for (size_t i = 0; i < sizeof(model_folders) / sizeof(model_folders[0]) && !count; i++)
		if (file_is_folder(model_folders[i])) {
			code = folder_add(list, model_folders[i], error);
			break;
		}
	if (!code && count && json_array_size(list) == 0)
		code = error_at(error, ERR_INVALID, operands[0], 0, NULL,
				"neither is nor holds a folder with a config.json");
	if (!code && common->json)
		code = json_print(list, error);
	else if (!code)
		text_print(list);
	json_decref(list);
	return code;
}

static const struct option no_options[] = {{0}};

const struct command command_backbones = {
	.name = "backbones",
	.operands = "[DIR...]",
	.summary = "list backbones with their shapes and numbers of parameters",
	.details = "DIR is a Hugging Face folder (config.json, model*.safetensors) or a folder "
		   "of such folders; without one, the models that come with the program are "
		   "listed. Only configurations and headers are read.",
	.options = no_options,
	.run = run_backbones,
};
