/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm info: what a student is, sees and says.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "cli/command.h"
#include "policy/student_file.h"

static const struct option info_options[] = {{0}};

static void print_layers(const struct aqm_student_model *model)
{
	for (int i = 0; i < model->layers; i++) {
		const struct aqm_student_layer *layer = &model->layer[i];

		printf("  %-9s %3d x %-3d %s\n", student_layer_kind_name(layer->kind),
		       layer->outputs, layer->inputs, student_activation_name(layer->activation));
	}
}

static void print_student(const struct aqm_student_model *model)
{
	char shape[160];

	printf("a student: %s, %s\n", student_mode_name(model->mode),
	       student_model_describe(model, shape, sizeof(shape)));
	printf("%zu bytes of weights, %zu with biases and shifts; checksum %016" PRIx64 "\n",
	       student_model_weights(model), student_model_bytes(model),
	       student_file_checksum(model));
	print_layers(model);
	printf("\noutputs:");
	for (int i = 0; i < model->outputs; i++)
		printf(" %s", student_output_name(model->mode, i));
	printf("\n\n%-18s %8s %8s\n", "input", "offset", "scale");
	for (int i = 0; i < model->inputs; i++) {
		const struct student_feature_info *info = student_feature(model->feature[i]);

		printf("%-18s %8.3f %8.3f  %s\n", info->name,
		       model->offset[i] / (double)AQM_LOG2_ONE,
		       model->scale[i] / (double)AQM_LOG2_ONE, info->text);
	}
}

static json_t *layers_json(const struct aqm_student_model *model)
{
	json_t *layers = json_array();

	for (int i = 0; i < model->layers; i++) {
		const struct aqm_student_layer *layer = &model->layer[i];

		json_array_append_new(
			layers, json_pack("{s:s, s:s, s:i, s:i}", "kind",
					  student_layer_kind_name(layer->kind), "activation",
					  student_activation_name(layer->activation), "inputs",
					  layer->inputs, "outputs", layer->outputs));
	}
	return layers;
}

static json_t *student_json(const struct aqm_student_model *model)
{
	json_t *inputs = json_array(), *outputs = json_array();
	char shape[160], checksum[20];

	for (int i = 0; i < model->inputs; i++)
		json_array_append_new(
			inputs, json_pack("{s:s, s:f, s:f}", "name",
					  student_feature(model->feature[i])->name, "offset",
					  model->offset[i] / (double)AQM_LOG2_ONE, "scale",
					  model->scale[i] / (double)AQM_LOG2_ONE));
	for (int i = 0; i < model->outputs; i++)
		json_array_append_new(outputs, json_string(student_output_name(model->mode, i)));
	snprintf(checksum, sizeof(checksum), "%016" PRIx64, student_file_checksum(model));
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:o, s:o, s:o, s:i, s:i}", "kind",
			 student_kind_name(model->kind), "mode", student_mode_name(model->mode),
			 "shape", student_model_describe(model, shape, sizeof(shape)),
			 "weight_bytes", (int)student_model_weights(model), "bytes",
			 (int)student_model_bytes(model), "checksum", checksum, "inputs", inputs,
			 "outputs", outputs, "layers", layers_json(model), "nodes", model->nodes,
			 "leaves", model->leaves);
}

static json_t *known_json(void)
{
	json_t *features = json_array(), *outputs = json_object();

	for (int i = 0; student_feature(i); i++)
		json_array_append_new(features,
				      json_pack("{s:s, s:s, s:f, s:f}", "name",
						student_feature(i)->name, "doc",
						student_feature(i)->text, "offset",
						student_feature(i)->offset, "scale",
						student_feature(i)->scale));
	for (int mode = 0; student_mode_name(mode); mode++) {
		json_t *names = json_array();

		for (int i = 0; student_output_name((enum aqm_student_mode)mode, i); i++)
			json_array_append_new(names, json_string(student_output_name(
							     (enum aqm_student_mode)mode, i)));
		json_object_set_new(outputs, student_mode_name(mode), names);
	}
	return json_pack("{s:o, s:o}", "features", features, "outputs", outputs);
}

/* What students of this program can see and say. */
static void print_known(void)
{
	printf("%-18s %8s %8s\n", "feature", "offset", "scale");
	for (int i = 0; student_feature(i); i++)
		printf("%-18s %8.3f %8.3f  %s\n", student_feature(i)->name,
		       student_feature(i)->offset, student_feature(i)->scale,
		       student_feature(i)->text);
	for (int mode = 0; student_mode_name(mode); mode++) {
		printf("\noutputs of %s:", student_mode_name(mode));
		for (int i = 0; student_output_name((enum aqm_student_mode)mode, i); i++)
			printf(" %s", student_output_name((enum aqm_student_mode)mode, i));
	}
	putchar('\n');
}

static int print_json(json_t *object, struct error *error)
{
	const int failed = json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

	putchar('\n');
	json_decref(object);
	return failed ? error_set(error, ERR_IO, "cannot print what it is") : 0;
}

static int run_info(const struct command_common *common, const char **operands, size_t count,
		    struct error *error)
{
	struct aqm_student_model model;
	int code;

	if (count > 1)
		return error_set(error, ERR_INVALID,
				 "name one student, or none to see what students see and say");
	if (count == 0 && common->json)
		return print_json(known_json(), error);
	if (count == 0)
		return print_known(), 0;
	code = student_file_read(&model, operands[0], error);
	if (code)
		return code;
	if (common->json)
		return print_json(student_json(&model), error);
	print_student(&model);
	return 0;
}

const struct command command_info = {
	.name = "info",
	.operands = "[FILE.aqms]",
	.summary = "what a student is, sees and says",
	.details = "Without a file: every feature that students of this program can see, what they "
		   "say, and each feature's usual scaling. An input is (feature - offset) x scale.",
	.options = info_options,
	.run = run_info,
};
