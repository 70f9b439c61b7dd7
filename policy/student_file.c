/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader and writer of *.aqms.
 */
#include "policy/student_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define IN_FOLDER "student" STUDENT_FILE_SUFFIX

/* Writes on. */
struct writer {
	unsigned char *bytes;
	size_t at;
};

static void put(struct writer *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to->bytes[to->at++] = (unsigned char)(value >> 8 * i);
}

static void put_name(struct writer *to, const char *name)
{
	const size_t length = strlen(name);

	put(to, length, 1);
	memcpy(to->bytes + to->at, name, length);
	to->at += length;
}

/* NUL-terminated; names that hold anything but a-z, 0-9 and _ are bad. */
static void take_name(struct aqm_student_cursor *from, char name[STUDENT_NAME_BYTES])
{
	const size_t length = (size_t)aqm_student_take(from, 1);

	name[0] = '\0';
	if (length == 0 || length >= STUDENT_NAME_BYTES)
		from->bad = true;
	for (size_t i = 0; i < length && !from->bad; i++) {
		const char c = (char)aqm_student_take(from, 1);

		from->bad |= !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
		name[i] = from->bad ? '\0' : c;
		name[i + 1] = '\0';
	}
}

static int take_inputs(struct aqm_student_cursor *from, struct aqm_student_model *model,
		       const char *file, struct error *error)
{
	if (model->inputs > AQM_STUDENT_INPUTS)
		return error_at(error, ERR_RANGE, file, 0, "inputs", "%d of them, at most %d go",
				model->inputs, AQM_STUDENT_INPUTS);
	for (int i = 0; i < model->inputs; i++) {
		char name[STUDENT_NAME_BYTES];
		int feature;

		take_name(from, name);
		feature = student_feature_find(name);
		if (!from->bad && feature < 0)
			return error_at(error, ERR_INVALID, file, 0, name,
					"this program knows no such feature; aqmllm info lists "
					"those it knows");
		model->feature[i] = (uint8_t)(feature < 0 ? 0 : feature);
		model->offset[i] = aqm_student_take_short(from);
		model->scale[i] = aqm_student_take_short(from);
	}
	return 0;
}

static int take_outputs(struct aqm_student_cursor *from, const struct aqm_student_model *model,
			const char *file, struct error *error)
{
	for (int i = 0; i < model->outputs; i++) {
		char name[STUDENT_NAME_BYTES];
		const char *own = student_output_name(model->mode, i);

		take_name(from, name);
		if (!from->bad && (!own || strcmp(own, name) != 0))
			return error_at(error, ERR_INVALID, file, 0, name,
					"output %d of this program's students is %s", i + 1,
					own ? own : "not there");
	}
	return 0;
}

static int take_row(struct aqm_student_cursor *from, struct aqm_student_model *model, int layer,
		    int row, const char *file, struct error *error)
{
	const uint8_t shift = (uint8_t)aqm_student_take(from, 1);
	const int32_t bias = (int32_t)(uint32_t)aqm_student_take(from, 4);
	int8_t weights[AQM_STUDENT_INPUTS] = {0};

	for (int i = 0; i < model->layer[layer].inputs; i++)
		weights[i] = (int8_t)(uint8_t)aqm_student_take(from, 1);
	if (from->bad)
		return 0;
	if (shift > AQM_STUDENT_SHIFT_MAX || bias > AQM_STUDENT_BIAS_MAX ||
	    bias < -AQM_STUDENT_BIAS_MAX)
		return error_at(error, ERR_RANGE, file, 0, "weights",
				"row %d of layer %d: shift %d is beyond %d or bias %d beyond 2^30",
				row + 1, layer + 1, shift, AQM_STUDENT_SHIFT_MAX, bias);
	for (int i = 0; i < model->layer[layer].inputs; i++)
		if (weights[i] == INT8_MIN)
			return error_at(error, ERR_RANGE, file, 0, "weights",
					"row %d of layer %d has a weight of -128; -127 to 127 go",
					row + 1, layer + 1);
	student_model_set_row(model, layer, row, weights, bias, shift);
	return 0;
}

static int take_net(struct aqm_student_cursor *from, struct aqm_student_model *model,
		    const char *file, struct error *error)
{
	int status = student_model_complete(model, file, error);

	for (int layer = 0; layer < model->layers && !status; layer++)
		for (int row = 0; row < model->layer[layer].outputs && !status; row++)
			status = take_row(from, model, layer, row, file, error);
	return status;
}

static int take_tree(struct aqm_student_cursor *from, struct aqm_student_model *model,
		     const char *file, struct error *error)
{
	from->bad |= model->leaves > AQM_STUDENT_LEAVES || model->outputs > AQM_STUDENT_OUTPUTS;
	if (!from->bad)
		aqm_student_take_nodes(from, model);
	return from->bad ? 0 : student_model_complete(model, file, error);
}

/* Magic, version, size and checksum; then the counts. */
static int take_header(struct aqm_student_cursor *from, struct aqm_student_model *model,
		       const char *file, struct error *error)
{
	uint64_t size, version;

	if (from->size < AQM_STUDENT_BYTES_HEADER + AQM_STUDENT_BYTES_CHECKSUM ||
	    from->size > STUDENT_FILE_MAX || memcmp(from->bytes, "AQMS", 4) != 0)
		return error_at(error, ERR_INVALID, file, 0, NULL, "not a student (*.aqms)");
	from->at = 4;
	version = aqm_student_take(from, 2);
	if (version != AQM_STUDENT_BYTES_VERSION)
		return error_at(error, ERR_UNSUPPORTED, file, 0, "version",
				"%d; this program reads version %d", (int)version,
				AQM_STUDENT_BYTES_VERSION);
	aqm_student_take_counts(from, model);
	size = aqm_student_take(from, 4);
	if (size != from->size)
		return error_at(error, ERR_INVALID, file, 0, "size",
				"%zu bytes where it says %u: cut, or more than one file",
				from->size, (unsigned)size);
	if (!aqm_student_checksum_holds(from))
		return error_at(error, ERR_INVALID, file, 0, "checksum",
				"the file is damaged; export or train it again");
	if (from->bad || model->kind >= AQM_STUDENT_KIND_COUNT ||
	    model->mode >= AQM_STUDENT_MODE_COUNT)
		return error_at(error, ERR_INVALID, file, 0, "kind",
				"a kind or mode of student that this program does not know");
	return 0;
}

int student_file_parse(struct aqm_student_model *model, const void *bytes, size_t size,
		       const char *name, struct error *error)
{
	struct aqm_student_cursor from = {.bytes = bytes, .size = size};
	int status;

	*model = (struct aqm_student_model){0};
	status = take_header(&from, model, name, error);
	if (!status)
		status = take_inputs(&from, model, name, error);
	if (!status && !from.bad)
		status = take_outputs(&from, model, name, error);
	if (!status && aqm_student_take_layers(&from, model) != NULL)
		from.bad = true;
	if (!status && !from.bad)
		status = model->kind == AQM_STUDENT_tree ? take_tree(&from, model, name, error)
							 : take_net(&from, model, name, error);
	if (!status && (from.bad || from.at != from.size))
		status = error_at(error, ERR_INVALID, name, 0, NULL,
				  "its parts do not fill the file: it was made by another program");
	return status;
}

bool student_file_named(const char *path)
{
	char inside[4096];

	if (file_has_suffix(path, STUDENT_FILE_SUFFIX))
		return true;
	return file_is_folder(path) &&
	       file_join(inside, sizeof(inside), path, IN_FOLDER, NULL) == 0 && file_exists(inside);
}

int student_file_refuse(const char *path, struct error *error)
{
	return student_file_named(path)
		       ? error_at(error, ERR_UNSUPPORTED, path, 0, NULL,
				  "a student, which is a law of its own, stands where a policy "
				  "with a backbone is needed; simulate, evaluate and analyse run "
				  "both")
		       : 0;
}

int student_file_read(struct aqm_student_model *model, const char *path, struct error *error)
{
	char inside[4096], *bytes;
	size_t size;
	int status = 0;

	if (file_is_folder(path)) {
		status = file_join(inside, sizeof(inside), path, IN_FOLDER, error);
		path = inside;
	}
	if (!status)
		status = file_read_all(path, &bytes, &size, error);
	if (status)
		return status;
	status = student_file_parse(model, bytes, size, path, error);
	free(bytes);
	return status;
}

static void put_weights(struct writer *to, const struct aqm_student_model *model)
{
	for (int layer = 0; layer < model->layers; layer++) {
		for (int row = 0; row < model->layer[layer].outputs; row++) {
			int8_t weights[AQM_STUDENT_INPUTS];
			int32_t bias;
			uint8_t shift;

			student_model_get_row(model, layer, row, weights, &bias, &shift);
			put(to, shift, 1);
			put(to, (uint32_t)bias, 4);
			for (int i = 0; i < model->layer[layer].inputs; i++)
				put(to, (uint8_t)weights[i], 1);
		}
	}
}

static void put_tree(struct writer *to, const struct aqm_student_model *model)
{
	for (int i = 0; i < model->nodes; i++) {
		const struct aqm_student_node *node = &model->tree.nodes[i];

		put(to, node->input, 1);
		put(to, node->below, 1);
		put(to, node->above, 1);
		put(to, node->leaves, 1);
		put(to, (uint16_t)node->threshold, 2);
	}
	for (int i = 0; i < model->leaves; i++)
		for (int j = 0; j < model->outputs; j++)
			put(to, (uint16_t)model->tree.leaves[i][j], 2);
}

static void put_layers(struct writer *to, const struct aqm_student_model *model)
{
	for (int i = 0; i < model->layers; i++) {
		put(to, model->layer[i].kind, 1);
		put(to, model->layer[i].activation, 1);
		put(to, model->layer[i].inputs, 2);
		put(to, model->layer[i].outputs, 2);
	}
}

size_t student_file_build(const struct aqm_student_model *model, unsigned char *bytes)
{
	struct writer to = {.bytes = bytes, .at = 4};
	size_t size;
	const uint8_t counts[] = {model->kind,
				  model->mode,
				  model->inputs,
				  model->outputs,
				  model->layers,
				  model->nodes,
				  model->leaves,
				  0,
				  0,
				  0};

	memcpy(bytes, "AQMS", 4);
	put(&to, AQM_STUDENT_BYTES_VERSION, 2);
	for (size_t i = 0; i < sizeof(counts); i++)
		put(&to, counts[i], 1);
	put(&to, 0, 4); /* its size, below */
	for (int i = 0; i < model->inputs; i++) {
		put_name(&to, student_feature(model->feature[i])->name);
		put(&to, (uint16_t)model->offset[i], 2);
		put(&to, (uint16_t)model->scale[i], 2);
	}
	for (int i = 0; i < model->outputs; i++)
		put_name(&to, student_output_name(model->mode, i));
	put_layers(&to, model);
	if (model->kind == AQM_STUDENT_tree)
		put_tree(&to, model);
	else
		put_weights(&to, model);
	size = to.at + AQM_STUDENT_BYTES_CHECKSUM;
	to.at = AQM_STUDENT_BYTES_HEADER - 4;
	put(&to, size, 4);
	to.at = size - AQM_STUDENT_BYTES_CHECKSUM;
	put(&to, aqm_student_bytes_checksum(bytes, to.at), AQM_STUDENT_BYTES_CHECKSUM);
	return size;
}

int student_file_write(const struct aqm_student_model *model, const char *path, struct error *error)
{
	unsigned char bytes[STUDENT_FILE_MAX];
	const size_t size = student_file_build(model, bytes);

	return file_write_all(path, bytes, size, error);
}

uint64_t student_file_checksum(const struct aqm_student_model *model)
{
	unsigned char bytes[STUDENT_FILE_MAX];
	const size_t size = student_file_build(model, bytes);

	return aqm_student_bytes_checksum(bytes, size - AQM_STUDENT_BYTES_CHECKSUM);
}
