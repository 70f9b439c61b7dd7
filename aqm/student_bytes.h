/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A student out of the bytes of its file, for hosts without libc: kernels take weights this way.
 *
 * The format is that of policy/student_file.h, which reads with the same cursor and says in more
 * words what is wrong with a file.  Both take the same files: policy/student_file_test.c and a fuzz
 * target hold them to it.  Whatever the bytes, a model that is taken makes aqm/student_net.h read
 * and write within its arrays, and end.
 */
#ifndef AQM_STUDENT_BYTES_H
#define AQM_STUDENT_BYTES_H

#include "aqm/student.h"

#define AQM_STUDENT_BYTES_MAX 32768
#define AQM_STUDENT_BYTES_VERSION 1
#define AQM_STUDENT_BYTES_HEADER 20
#define AQM_STUDENT_BYTES_CHECKSUM 8

/* Reads on; `bad` once there was too little, or something that cannot be. */
struct aqm_student_cursor {
	const uint8_t *bytes;
	size_t at, size;
	bool bad;
};

AQM_INLINE uint64_t aqm_student_bytes_checksum(const uint8_t *bytes, size_t size)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
	return hash;
}

/* Little-endian, of 1 to 8 bytes; 0 where they are not there. */
AQM_INLINE uint64_t aqm_student_take(struct aqm_student_cursor *from, unsigned bytes)
{
	uint64_t value = 0;

	if (from->bad || from->size - from->at < bytes) {
		from->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)from->bytes[from->at++] << 8 * i;
	return value;
}

AQM_INLINE int16_t aqm_student_take_short(struct aqm_student_cursor *from)
{
	return (int16_t)(uint16_t)aqm_student_take(from, 2);
}

/* Is the name at the cursor, its length first, this one? */
AQM_INLINE bool aqm_student_name_is(const struct aqm_student_cursor *from, const char *name)
{
	const uint8_t *own = from->bytes + from->at + 1;
	const size_t length = from->bytes[from->at];

	for (size_t i = 0; i < length; i++)
		if (name[i] == '\0' || (uint8_t)name[i] != own[i])
			return false;
	return name[length] == '\0';
}

/* Index of the name at the cursor among `count`, taken; -1: none of them, or no name. */
static inline int aqm_student_take_name(struct aqm_student_cursor *from,
					const char *const *names, int count)
{
	int found = -1;

	if (from->bad || from->size - from->at < 1 ||
	    from->size - from->at - 1 < from->bytes[from->at] || from->bytes[from->at] == 0) {
		from->bad = true;
		return -1;
	}
	for (int i = 0; i < count && found < 0; i++)
		if (aqm_student_name_is(from, names[i]))
			found = i;
	from->at += 1 + (size_t)from->bytes[from->at];
	return found;
}

/* The header's counts and the zeros behind them. */
static inline void aqm_student_take_counts(struct aqm_student_cursor *from,
					   struct aqm_student_model *model)
{
	model->kind = (uint8_t)aqm_student_take(from, 1);
	model->mode = (uint8_t)aqm_student_take(from, 1);
	model->inputs = (uint8_t)aqm_student_take(from, 1);
	model->outputs = (uint8_t)aqm_student_take(from, 1);
	model->layers = (uint8_t)aqm_student_take(from, 1);
	model->nodes = (uint8_t)aqm_student_take(from, 1);
	model->leaves = (uint8_t)aqm_student_take(from, 1);
	if (aqm_student_take(from, 3) != 0)
		from->bad = true;
}

/* The checksum, cut off the end, is that of all that stands before it. */
static inline bool aqm_student_checksum_holds(struct aqm_student_cursor *from)
{
	const size_t size = from->size - AQM_STUDENT_BYTES_CHECKSUM;
	const uint64_t checksum = aqm_student_bytes_checksum(from->bytes, size);

	for (unsigned i = 0; i < AQM_STUDENT_BYTES_CHECKSUM; i++)
		if (from->bytes[size + i] != (uint8_t)(checksum >> 8 * i))
			return false;
	from->size = size;
	return true;
}

/* What is wrong, or NULL; so too in all that follow. */
static inline const char *aqm_student_take_header(struct aqm_student_cursor *from,
						  struct aqm_student_model *model)
{
	const uint8_t *bytes = from->bytes;

	if (from->size < AQM_STUDENT_BYTES_HEADER + AQM_STUDENT_BYTES_CHECKSUM ||
	    from->size > AQM_STUDENT_BYTES_MAX || bytes[0] != 'A' || bytes[1] != 'Q' ||
	    bytes[2] != 'M' || bytes[3] != 'S')
		return "not a student (*.aqms)";
	from->at = 4;
	if (aqm_student_take(from, 2) != AQM_STUDENT_BYTES_VERSION)
		return "a version of students that is not known here";
	aqm_student_take_counts(from, model);
	if (from->bad || model->kind >= AQM_STUDENT_KIND_COUNT ||
	    model->mode >= AQM_STUDENT_MODE_COUNT)
		return "a kind or a mode of student that is not known here";
	if (aqm_student_take(from, 4) != from->size)
		return "cut, or more than one file";
	return aqm_student_checksum_holds(from) ? NULL : "damaged: the checksum is another one";
}

#define AQM_STUDENT_NAME_OF_FEATURE(name, offset, scale, text) #name,
#define AQM_STUDENT_NAME_OF_SETTING(name, low, high, text) #name,
#define AQM_STUDENT_NAME_OF_CHANCE(name, text) #name,

/* Features ascend; a supervisor sees no packet. */
static inline const char *aqm_student_take_inputs(struct aqm_student_cursor *from,
						  struct aqm_student_model *model)
{
	static const char *const names[] = {AQM_STUDENT_FEATURES(AQM_STUDENT_NAME_OF_FEATURE)};
	const int first = model->mode == AQM_STUDENT_verdict ? 0 : AQM_STUDENT_FIRST_NOW;

	if (model->inputs == 0 || model->inputs > AQM_STUDENT_INPUTS)
		return "too many inputs, or none";
	for (int i = 0; i < model->inputs; i++) {
		const int feature = aqm_student_take_name(from, names, AQM_STUDENT_FEATURE_COUNT);

		model->offset[i] = aqm_student_take_short(from);
		model->scale[i] = aqm_student_take_short(from);
		if (feature < first || (i > 0 && feature <= model->feature[i - 1]))
			return "a feature that is not known here, out of order, or of a packet";
		if (model->scale[i] < 0 || model->scale[i] > 16383)
			return "a scale that is not from 0 to 16383";
		model->feature[i] = (uint8_t)feature;
		if (feature < AQM_STUDENT_FIRST_TICK)
			model->fast_inputs++;
	}
	return NULL;
}

static inline const char *aqm_student_take_outputs(struct aqm_student_cursor *from,
						   const struct aqm_student_model *model)
{
	static const char *const settings[] = {AQM_STUDENT_SETTINGS(AQM_STUDENT_NAME_OF_SETTING)};
	static const char *const chances[] = {AQM_STUDENT_CHANCES(AQM_STUDENT_NAME_OF_CHANCE)};
	const bool verdict = model->mode == AQM_STUDENT_verdict;
	const int most = verdict ? 3 : AQM_STUDENT_SETTING_COUNT;

	if (model->outputs == 0 || model->outputs > most || (verdict && model->outputs != most))
		return "a number of outputs that its mode does not have";
	for (int i = 0; i < model->outputs; i++)
		if (aqm_student_take_name(from, verdict ? chances : settings, most) != i)
			return "outputs of another program's students";
	return NULL;
}

#undef AQM_STUDENT_NAME_OF_FEATURE
#undef AQM_STUDENT_NAME_OF_SETTING
#undef AQM_STUDENT_NAME_OF_CHANCE

/* An attention or a residual, whose inputs fit, beside the layer before it. */
AQM_INLINE bool aqm_student_block_fits(const struct aqm_student_model *model, int index)
{
	const struct aqm_student_layer *layer = &model->layer[index];
	const int32_t window = aqm_student_window(layer);

	if (layer->activation != AQM_STUDENT_linear)
		return false;
	if (layer->kind == AQM_STUDENT_attention)
		return window >= 1 && window <= AQM_STUDENT_WINDOW &&
		       window * (int32_t)aqm_student_token(layer->inputs) <= AQM_STUDENT_RING;
	return index > 0 && layer[-1].kind == AQM_STUDENT_dense &&
	       layer->outputs == layer[-1].inputs;
}

/* A layer by itself and beside the one before it. */
AQM_INLINE bool aqm_student_layer_fits(const struct aqm_student_model *model, int index,
				       int inputs)
{
	const struct aqm_student_layer *layer = &model->layer[index];
	const bool gates = layer->kind == AQM_STUDENT_gates;
	const bool candidate = layer->kind == AQM_STUDENT_candidate;
	const int state = gates ? layer->outputs / 2 : candidate ? layer->outputs : 0;
	const bool after_gates = index > 0 && model->layer[index - 1].kind == AQM_STUDENT_gates;

	if (layer->kind >= AQM_STUDENT_LAYER_KIND_COUNT ||
	    layer->activation >= AQM_STUDENT_ACTIVATION_COUNT || layer->outputs == 0 ||
	    layer->outputs > AQM_STUDENT_WIDTH || layer->inputs == 0 ||
	    layer->inputs > AQM_STUDENT_INPUTS || layer->inputs != inputs + state)
		return false;
	if (candidate != after_gates || (candidate && layer->activation != AQM_STUDENT_tanh))
		return false;
	if (layer->kind == AQM_STUDENT_attention || layer->kind == AQM_STUDENT_residual)
		return aqm_student_block_fits(model, index);
	return !gates ||
	       (index + 1 < model->layers && layer->activation == AQM_STUDENT_sigmoid &&
		model->layer[index + 1].outputs * 2 == layer->outputs);
}

/* Where the layers' weights and rows stand, and that there is room. */
static inline const char *aqm_student_place_layers(struct aqm_student_model *model)
{
	uint32_t weights = 0, rows = 0, hidden = 0, attentions = 0;
	int inputs = model->inputs;

	if (model->layers == 0)
		return "a net without layers";
	for (int i = 0; i < model->layers; i++) {
		struct aqm_student_layer *layer = &model->layer[i];

		if (!aqm_student_layer_fits(model, i, inputs))
			return "a layer that there is not, or that does not fit those beside it";
		layer->first_pair = (uint16_t)(weights / 2);
		layer->first_row = (uint16_t)rows;
		weights += aqm_student_rows(layer->outputs) * (layer->inputs + layer->inputs % 2U);
		rows += aqm_student_rows(layer->outputs);
		if (layer->kind == AQM_STUDENT_candidate)
			hidden += layer->outputs;
		attentions += layer->kind == AQM_STUDENT_attention;
		if (layer->kind != AQM_STUDENT_gates)
			inputs = (int)aqm_student_gives(layer);
		if (weights > AQM_STUDENT_WEIGHTS || rows > AQM_STUDENT_ROWS ||
		    hidden > AQM_STUDENT_WIDTH || attentions > 1)
			return "more weights, rows or remembered numbers than there is room for";
	}
	return inputs == model->outputs ? NULL : "a last layer that does not give its outputs";
}

static inline const char *aqm_student_take_row(struct aqm_student_cursor *from,
					       struct aqm_student_model *model,
					       const struct aqm_student_layer *layer, uint32_t row)
{
	const uint32_t rows = aqm_student_rows(layer->outputs);
	const uint32_t shift = (uint32_t)aqm_student_take(from, 1);
	const int32_t bias = (int32_t)(uint32_t)aqm_student_take(from, 4);
	int16_t *pair = &model->net.pair[layer->first_pair + row];

	if (shift > AQM_STUDENT_SHIFT_MAX || bias > AQM_STUDENT_BIAS_MAX ||
	    bias < -AQM_STUDENT_BIAS_MAX)
		return "a shift beyond 15, or a bias beyond 2^30";
	model->net.bias[layer->first_row + row] = bias;
	model->net.shift[layer->first_row + row] = (uint8_t)shift;
	for (uint32_t j = 0; j < layer->inputs; j += 2, pair += rows) {
		const uint32_t low = (uint32_t)aqm_student_take(from, 1);
		const uint32_t high =
			j + 1 < layer->inputs ? (uint32_t)aqm_student_take(from, 1) : 0;

		if (low == 128 || high == 128)
			return "a weight of -128; -127 to 127 go";
		*pair = (int16_t)(uint16_t)(low | high << 8);
	}
	return NULL;
}

/* Of a tree they mean nothing, and may stand there all the same. */
static inline const char *aqm_student_take_layers(struct aqm_student_cursor *from,
						  struct aqm_student_model *model)
{
	if (model->layers > AQM_STUDENT_LAYERS)
		return "too many layers";
	for (int i = 0; i < model->layers; i++) {
		struct aqm_student_layer *layer = &model->layer[i];

		layer->kind = (uint8_t)aqm_student_take(from, 1);
		layer->activation = (uint8_t)aqm_student_take(from, 1);
		layer->inputs = (uint16_t)aqm_student_take(from, 2);
		layer->outputs = (uint16_t)aqm_student_take(from, 2);
	}
	return NULL;
}

static inline const char *aqm_student_take_net(struct aqm_student_cursor *from,
					       struct aqm_student_model *model)
{
	const char *wrong = aqm_student_place_layers(model);

	for (int i = 0; i < model->layers && !wrong; i++)
		for (uint32_t row = 0; row < model->layer[i].outputs && !wrong; row++)
			wrong = aqm_student_take_row(from, model, &model->layer[i], row);
	return wrong;
}

/* A node's side leads to a leaf, or to a later node, so that a walk ends. */
AQM_INLINE bool aqm_student_leads_on(const struct aqm_student_model *model, int node, int side)
{
	const struct aqm_student_node *own = &model->tree.nodes[node];
	const int next = side ? own->above : own->below;

	if ((uint32_t)own->leaves >> side & 1)
		return next < model->leaves;
	return next > node && next < model->nodes;
}

/* Counts of leaves and outputs are within their bounds. */
static inline void aqm_student_take_nodes(struct aqm_student_cursor *from,
					  struct aqm_student_model *model)
{
	for (int i = 0; i < model->nodes; i++) {
		struct aqm_student_node *node = &model->tree.nodes[i];

		node->input = (uint8_t)aqm_student_take(from, 1);
		node->below = (uint8_t)aqm_student_take(from, 1);
		node->above = (uint8_t)aqm_student_take(from, 1);
		node->leaves = (uint8_t)aqm_student_take(from, 1);
		node->threshold = aqm_student_take_short(from);
	}
	for (int i = 0; i < model->leaves; i++)
		for (int j = 0; j < model->outputs; j++)
			model->tree.leaves[i][j] = aqm_student_take_short(from);
}

static inline const char *aqm_student_take_tree(struct aqm_student_cursor *from,
						struct aqm_student_model *model)
{
	if (model->leaves == 0 || model->leaves > AQM_STUDENT_LEAVES)
		return "too many leaves, or none";
	aqm_student_take_nodes(from, model);
	for (int i = 0; i < model->nodes; i++)
		if (model->tree.nodes[i].input >= model->inputs ||
		    model->tree.nodes[i].leaves > 3 || !aqm_student_leads_on(model, i, 0) ||
		    !aqm_student_leads_on(model, i, 1))
			return "a node that asks for what there is not, or leads back";
	return NULL;
}

/*
 * Fills `model`, which is all zeros, from the `size` bytes of a file.  NULL, or in a few words what
 * is wrong with them; then the model is not to be used.
 */
static inline const char *aqm_student_from_bytes(struct aqm_student_model *model,
						 const uint8_t *bytes, size_t size)
{
	struct aqm_student_cursor from = {.bytes = bytes, .size = size};
	const char *wrong = aqm_student_take_header(&from, model);

	if (!wrong)
		wrong = aqm_student_take_inputs(&from, model);
	if (!wrong)
		wrong = aqm_student_take_outputs(&from, model);
	if (!wrong)
		wrong = aqm_student_take_layers(&from, model);
	if (!wrong)
		wrong = model->kind == AQM_STUDENT_tree ? aqm_student_take_tree(&from, model)
							: aqm_student_take_net(&from, model);
	if (!wrong && (from.bad || from.at != from.size))
		wrong = "its parts do not fill it";
	return wrong;
}

#endif
