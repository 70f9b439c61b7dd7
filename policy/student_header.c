/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members in the order of the struct; what is 0 at the end of an array is left out.
 */
#include "policy/student_header.h"

#include <inttypes.h>

#include "policy/student_file.h"

#define A_LINE 16

static void print_number(FILE *stream, int index, long value)
{
	fprintf(stream, "%s%ld,", index % A_LINE == 0 ? "\n\t\t" : " ", value);
}

static void open_array(FILE *stream, const char *name)
{
	fprintf(stream, "\t.%s = {", name);
}

static void close_array(FILE *stream)
{
	fprintf(stream, "\n\t},\n");
}

static void print_inputs(FILE *stream, const struct aqm_student_model *model)
{
	open_array(stream, "feature");
	for (int i = 0; i < model->inputs; i++)
		print_number(stream, i, model->feature[i]);
	close_array(stream);
	open_array(stream, "offset");
	for (int i = 0; i < model->inputs; i++)
		print_number(stream, i, model->offset[i]);
	close_array(stream);
	open_array(stream, "scale");
	for (int i = 0; i < model->inputs; i++)
		print_number(stream, i, model->scale[i]);
	close_array(stream);
}

static void print_net(FILE *stream, const struct aqm_student_model *model)
{
	int pairs = AQM_STUDENT_WEIGHTS / 2, rows = AQM_STUDENT_ROWS;

	while (pairs > 1 && model->net.pair[pairs - 1] == 0)
		pairs--;
	while (rows > 1 && model->net.bias[rows - 1] == 0 && model->net.shift[rows - 1] == 0)
		rows--;
	open_array(stream, "layer");
	for (int i = 0; i < model->layers; i++)
		fprintf(stream, "\n\t\t{%d, %d, %d, %d, %d, %d},", model->layer[i].kind,
			model->layer[i].activation, model->layer[i].inputs, model->layer[i].outputs,
			model->layer[i].first_pair, model->layer[i].first_row);
	close_array(stream);
	open_array(stream, "net.pair");
	for (int i = 0; i < pairs; i++)
		print_number(stream, i, model->net.pair[i]);
	close_array(stream);
	open_array(stream, "net.bias");
	for (int i = 0; i < rows; i++)
		print_number(stream, i, model->net.bias[i]);
	close_array(stream);
	open_array(stream, "net.shift");
	for (int i = 0; i < rows; i++)
		print_number(stream, i, model->net.shift[i]);
	close_array(stream);
}

static void print_tree(FILE *stream, const struct aqm_student_model *model)
{
	open_array(stream, "tree.nodes");
	fprintf(stream, "%s", model->nodes ? "" : "{0}");
	for (int i = 0; i < model->nodes; i++) {
		const struct aqm_student_node *node = &model->tree.nodes[i];

		fprintf(stream, "\n\t\t{%d, %d, %d, %d, %d},", node->input, node->below,
			node->above, node->leaves, node->threshold);
	}
	close_array(stream);
	open_array(stream, "tree.leaves");
	for (int i = 0; i < model->leaves; i++) {
		fprintf(stream, "\n\t\t{");
		for (int j = 0; j < model->outputs; j++)
			fprintf(stream, "%s%d", j ? ", " : "", model->tree.leaves[i][j]);
		fprintf(stream, "},");
	}
	close_array(stream);
}

void student_header_print(FILE *stream, const struct aqm_student_model *model, const char *name)
{
	char shape[160];

	fprintf(stream,
		"/*\n * A student of aqm/student.h: %s, %s; checksum %016" PRIx64 ".\n */\n"
		"#ifndef STUDENT_HEADER_%s\n#define STUDENT_HEADER_%s\n\n"
		"#include \"aqm/student_net.h\"\n\n"
		"static const struct aqm_student_model %s = {\n",
		student_mode_name(model->mode), student_model_describe(model, shape, sizeof(shape)),
		student_file_checksum(model), name, name, name);
	fprintf(stream,
		"\t.kind = %d,\n\t.mode = %d,\n\t.inputs = %d,\n\t.outputs = %d,\n"
		"\t.fast_inputs = %d,\n\t.layers = %d,\n\t.nodes = %d,\n\t.leaves = %d,\n",
		model->kind, model->mode, model->inputs, model->outputs, model->fast_inputs,
		model->layers, model->nodes, model->leaves);
	print_inputs(stream, model);
	if (model->kind == AQM_STUDENT_tree)
		print_tree(stream, model);
	else
		print_net(stream, model);
	fprintf(stream, "};\n\n#endif\n");
}
