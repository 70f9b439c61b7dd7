/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shapes of students and their weights row by row.
 */
#include "policy/student_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/student_bytes.h"

static const struct student_feature_info features[] = {
#define FEATURE_ROW(name, offset, scale, text) {#name, text, offset, scale},
	AQM_STUDENT_FEATURES(FEATURE_ROW)
#undef FEATURE_ROW
};

static const char *const setting_names[] = {
#define SETTING_NAME(name, low, high, text) #name,
	AQM_STUDENT_SETTINGS(SETTING_NAME)
#undef SETTING_NAME
};

#define JUST_NAME(name) #name,
#define FIRST_NAME(name, text) #name,
static const char *const chance_names[] = {AQM_STUDENT_CHANCES(FIRST_NAME)};
static const char *const kind_names[] = {AQM_STUDENT_KINDS(JUST_NAME)};
static const char *const mode_names[] = {AQM_STUDENT_MODES(JUST_NAME)};
static const char *const activation_names[] = {AQM_STUDENT_ACTIVATIONS(JUST_NAME)};
static const char *const layer_kind_names[] = {AQM_STUDENT_LAYER_KINDS(JUST_NAME)};
#undef JUST_NAME
#undef FIRST_NAME

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const char *name_at(const char *const *names, int count, int index)
{
	return index >= 0 && index < count ? names[index] : NULL;
}

const struct student_feature_info *student_feature(int feature)
{
	return feature >= 0 && feature < COUNT(features) ? &features[feature] : NULL;
}

int student_feature_find(const char *name)
{
	for (int i = 0; i < COUNT(features); i++)
		if (strcmp(features[i].name, name) == 0)
			return i;
	return -1;
}

const char *student_output_name(enum aqm_student_mode mode, int index)
{
	return mode == AQM_STUDENT_verdict ? name_at(chance_names, COUNT(chance_names), index)
					   : name_at(setting_names, COUNT(setting_names), index);
}

const char *student_kind_name(int kind)
{
	return name_at(kind_names, COUNT(kind_names), kind);
}

const char *student_mode_name(int mode)
{
	return name_at(mode_names, COUNT(mode_names), mode);
}

const char *student_activation_name(int activation)
{
	return name_at(activation_names, COUNT(activation_names), activation);
}

const char *student_layer_kind_name(int kind)
{
	return name_at(layer_kind_names, COUNT(layer_kind_names), kind);
}

int student_mode_find(const char *name)
{
	for (int i = 0; i < COUNT(mode_names); i++)
		if (strcmp(mode_names[i], name) == 0)
			return i;
	return -1;
}

static int refuse(const char *file, const char *field, struct error *error, const char *text)
{
	return error_at(error, ERR_INVALID, file, 0, field, "%s", text);
}

static int check_inputs(struct aqm_student_model *model, const char *file, struct error *error)
{
	model->fast_inputs = 0;
	if (model->inputs == 0 || model->inputs > AQM_STUDENT_INPUTS)
		return error_at(error, ERR_RANGE, file, 0, "inputs",
				"%d of them; a student has 1 to %d", model->inputs,
				AQM_STUDENT_INPUTS);
	for (int i = 0; i < model->inputs; i++) {
		const int feature = model->feature[i];

		if (feature >= AQM_STUDENT_FEATURE_COUNT)
			return refuse(file, "inputs", error, "a feature that there is not");
		if (i > 0 && feature <= model->feature[i - 1])
			return error_at(error, ERR_INVALID, file, 0, features[feature].name,
					"is out of order: features come as aqm/student_features.h "
					"has them");
		if (model->mode != AQM_STUDENT_verdict && feature < AQM_STUDENT_FIRST_NOW)
			return error_at(error, ERR_INVALID, file, 0, features[feature].name,
					"is of a packet, and a supervisor sees none");
		if (model->scale[i] < 0 || model->scale[i] > 16383)
			return error_at(error, ERR_RANGE, file, 0, features[feature].name,
					"scale %d is not from 0 to 16383", model->scale[i]);
		model->fast_inputs += feature < AQM_STUDENT_FIRST_TICK;
	}
	return 0;
}

static int check_tree(const struct aqm_student_model *model, const char *file, struct error *error)
{
	if (model->leaves == 0 || model->leaves > AQM_STUDENT_LEAVES)
		return error_at(error, ERR_RANGE, file, 0, "tree", "%d leaves; 1 to %d go",
				model->leaves, AQM_STUDENT_LEAVES);
	for (int i = 0; i < model->nodes; i++) {
		if (model->tree.nodes[i].input >= model->inputs || model->tree.nodes[i].leaves > 3)
			return refuse(file, "tree", error, "a node asks for what there is not");
		if (!aqm_student_leads_on(model, i, 0) || !aqm_student_leads_on(model, i, 1))
			return refuse(file, "tree", error, "a node leads back, or nowhere");
	}
	return 0;
}

/* What a layer gets besides what the one before it gives. */
static int remembered_inputs(const struct aqm_student_layer *layer)
{
	switch (layer->kind) {
	case AQM_STUDENT_gates:
		return layer->outputs / 2;
	case AQM_STUDENT_candidate:
		return layer->outputs;
	default:
		return 0;
	}
}

/* An attention or a residual beside the layer before it. */
static int check_block(const struct aqm_student_model *model, int index, const char *file,
		       struct error *error)
{
	const struct aqm_student_layer *layer = &model->layer[index];
	const int window = aqm_student_window(layer);

	if (layer->activation != AQM_STUDENT_linear)
		return refuse(file, "layers", error, "attention and residual are linear");
	if (layer->kind == AQM_STUDENT_residual)
		return index > 0 && layer[-1].kind == AQM_STUDENT_dense &&
				       layer->outputs == layer[-1].inputs
			       ? 0
			       : refuse(file, "layers", error,
					"a residual has as many outputs as the dense layer before "
					"it has inputs");
	for (int i = 0; i < index; i++)
		if (model->layer[i].kind == AQM_STUDENT_attention)
			return refuse(file, "layers", error, "at most one attention goes");
	if (window < 1 || window > AQM_STUDENT_WINDOW ||
	    window * (int)aqm_student_token(layer->inputs) > AQM_STUDENT_RING)
		return error_at(error, ERR_RANGE, file, 0, "layers",
				"an attention of %d decisions of %d numbers each; 1 to %d go, and "
				"at most %d numbers in all",
				window, layer->inputs, AQM_STUDENT_WINDOW, AQM_STUDENT_RING);
	return 0;
}

static int check_layer(const struct aqm_student_model *model, int index, int inputs,
		       const char *file, struct error *error)
{
	const struct aqm_student_layer *layer = &model->layer[index];
	const int state = remembered_inputs(layer);
	const bool needs_gates = index == 0 || model->layer[index - 1].kind != AQM_STUDENT_gates;

	if (layer->kind >= AQM_STUDENT_LAYER_KIND_COUNT ||
	    layer->activation >= AQM_STUDENT_ACTIVATION_COUNT)
		return refuse(file, "layers", error, "a kind or an activation that there is not");
	if (layer->outputs == 0 || layer->outputs > AQM_STUDENT_WIDTH || layer->inputs == 0 ||
	    layer->inputs > AQM_STUDENT_INPUTS)
		return error_at(error, ERR_RANGE, file, 0, "layers",
				"layer %d is %d x %d; each is from 1 to %d", index + 1,
				layer->outputs, layer->inputs, AQM_STUDENT_WIDTH);
	if (layer->inputs != inputs + state)
		return error_at(error, ERR_INVALID, file, 0, "layers",
				"layer %d has %d inputs, and gets %d", index + 1, layer->inputs,
				inputs + state);
	if ((layer->kind == AQM_STUDENT_candidate) == needs_gates)
		return refuse(file, "layers", error, "gates and candidate come in pairs");
	if (layer->kind == AQM_STUDENT_gates &&
	    (index + 1 >= model->layers || layer->activation != AQM_STUDENT_sigmoid ||
	     model->layer[index + 1].outputs * 2 != layer->outputs))
		return refuse(file, "layers", error,
			      "gates are sigmoids, two for each output of their candidate");
	if (layer->kind == AQM_STUDENT_attention || layer->kind == AQM_STUDENT_residual)
		return check_block(model, index, file, error);
	return layer->kind == AQM_STUDENT_candidate && layer->activation != AQM_STUDENT_tanh
		       ? refuse(file, "layers", error, "a candidate is a tanh")
		       : 0;
}

/* Places the layers one after another. */
static int place_layers(struct aqm_student_model *model, const char *file, struct error *error)
{
	uint32_t weights = 0, rows = 0, hidden = 0;
	int inputs = model->inputs, status = 0;

	if (model->layers == 0 || model->layers > AQM_STUDENT_LAYERS)
		return error_at(error, ERR_RANGE, file, 0, "layers", "%d of them; 1 to %d go",
				model->layers, AQM_STUDENT_LAYERS);
	for (int i = 0; i < model->layers && !status; i++) {
		struct aqm_student_layer *layer = &model->layer[i];

		status = check_layer(model, i, inputs, file, error);
		layer->first_pair = (uint16_t)(weights / 2);
		layer->first_row = (uint16_t)rows;
		weights += aqm_student_rows(layer->outputs) * (layer->inputs + layer->inputs % 2U);
		rows += aqm_student_rows(layer->outputs);
		hidden += layer->kind == AQM_STUDENT_candidate ? layer->outputs : 0;
		if (layer->kind != AQM_STUDENT_gates)
			inputs = (int)aqm_student_gives(layer);
		if (!status && (weights > AQM_STUDENT_WEIGHTS || rows > AQM_STUDENT_ROWS ||
				hidden > AQM_STUDENT_WIDTH))
			return error_at(error, ERR_RANGE, file, 0, "layers",
					"%u bytes of weights, %u rows and %u remembered numbers up "
					"to layer %d; there is room for %d, %d and %d",
					weights, rows, hidden, i + 1, AQM_STUDENT_WEIGHTS,
					AQM_STUDENT_ROWS, AQM_STUDENT_WIDTH);
	}
	if (!status && inputs != model->outputs)
		return error_at(error, ERR_INVALID, file, 0, "layers",
				"the last one gives %d outputs, and the student has %d", inputs,
				model->outputs);
	return status;
}

int student_model_complete(struct aqm_student_model *model, const char *file, struct error *error)
{
	int status;

	if (model->kind >= AQM_STUDENT_KIND_COUNT || model->mode >= AQM_STUDENT_MODE_COUNT)
		return refuse(file, "kind", error, "a kind or a mode that there is not");
	if (model->outputs == 0 || !student_output_name(model->mode, model->outputs - 1))
		return error_at(error, ERR_RANGE, file, 0, "outputs", "%d of them; %s has %d",
				model->outputs, mode_names[model->mode],
				model->mode == AQM_STUDENT_verdict ? COUNT(chance_names)
								   : COUNT(setting_names));
	if (model->mode == AQM_STUDENT_verdict && model->outputs != COUNT(chance_names))
		return refuse(file, "outputs", error, "verdicts have three");
	status = check_inputs(model, file, error);
	if (status)
		return status;
	return model->kind == AQM_STUDENT_tree ? check_tree(model, file, error)
					       : place_layers(model, file, error);
}

static void add_layer(struct aqm_student_model *model, int kind, int activation, int inputs,
		      int outputs)
{
	model->layer[model->layers++] = (struct aqm_student_layer){
		.kind = (uint8_t)kind,
		.activation = (uint8_t)activation,
		.inputs = (uint16_t)inputs,
		.outputs = (uint16_t)outputs,
	};
}

/* Decisions that a token looks back on where nothing is said of them. */
#define WINDOW 8

/*
 * A transformer of the text, behind its name: "16" or "16:8", tokens of 16 numbers over 8
 * decisions: tokens are embedded, heed each other, and go through twice as many units of relu.
 * Returns where the text goes on, or NULL.
 */
static const char *add_transformer(struct aqm_student_model *model, const char *digits, int *inputs)
{
	char *end;
	const long width = strtol(digits, &end, 10);
	long window = WINDOW;

	if (*digits < '0' || *digits > '9')
		return NULL;
	if (*end == ':') {
		digits = end + 1;
		window = strtol(digits, &end, 10);
		if (*digits < '0' || *digits > '9')
			return NULL;
	}
	if (width < 1 || width > AQM_STUDENT_TOKEN || window < 1 || window > AQM_STUDENT_WINDOW ||
	    3 * width + window > AQM_STUDENT_WIDTH || (*end != '\0' && *end != ',') ||
	    model->layers + 4 >= AQM_STUDENT_LAYERS)
		return NULL;
	add_layer(model, AQM_STUDENT_dense, AQM_STUDENT_linear, *inputs, (int)width);
	*inputs = (int)width;
	add_layer(model, AQM_STUDENT_attention, AQM_STUDENT_linear, *inputs,
		  3 * *inputs + (int)window);
	add_layer(model, AQM_STUDENT_dense, AQM_STUDENT_relu, *inputs, 2 * *inputs);
	add_layer(model, AQM_STUDENT_residual, AQM_STUDENT_linear, 2 * *inputs, *inputs);
	return *end == ',' ? end + 1 : end;
}

/*
 * One hidden layer of the text: "32", "tanh32", "gru16"; or "transformer16:8".  Returns where the
 * text goes on, or NULL.
 */
static const char *add_hidden(struct aqm_student_model *model, const char *text, int *inputs)
{
	static const char transformer[] = "transformer";
	const bool cell = strncmp(text, "gru", 3) == 0, bent = strncmp(text, "tanh", 4) == 0;
	const char *digits = text + (cell ? 3 : bent ? 4 : 0);
	char *end;
	const long size = strtol(digits, &end, 10);

	if (strncmp(text, transformer, sizeof(transformer) - 1) == 0)
		return add_transformer(model, text + sizeof(transformer) - 1, inputs);
	if (*digits < '0' || *digits > '9' || size < 1 || size > AQM_STUDENT_WIDTH ||
	    (*end != '\0' && *end != ',') || model->layers + 2 >= AQM_STUDENT_LAYERS ||
	    (cell && (2 * size > AQM_STUDENT_WIDTH || *inputs + size > AQM_STUDENT_INPUTS)))
		return NULL;
	if (cell) {
		add_layer(model, AQM_STUDENT_gates, AQM_STUDENT_sigmoid, *inputs + (int)size,
			  2 * (int)size);
		add_layer(model, AQM_STUDENT_candidate, AQM_STUDENT_tanh, *inputs + (int)size,
			  (int)size);
	} else {
		add_layer(model, AQM_STUDENT_dense, bent ? AQM_STUDENT_tanh : AQM_STUDENT_relu,
			  *inputs, (int)size);
	}
	*inputs = (int)size;
	return *end == ',' ? end + 1 : end;
}

static void take_features(struct aqm_student_model *model, const uint8_t *chosen, int count)
{
	const int first = model->mode == AQM_STUDENT_verdict ? 0 : AQM_STUDENT_FIRST_NOW;

	model->inputs = (uint8_t)(count ? count : AQM_STUDENT_FEATURE_COUNT - first);
	for (int i = 0; i < model->inputs; i++) {
		const int feature = count ? chosen[i] : first + i;
		const struct student_feature_info *info = student_feature(feature);

		model->feature[i] = (uint8_t)feature;
		model->offset[i] = (int16_t)((info ? info->offset : 0) * AQM_LOG2_ONE);
		model->scale[i] = (int16_t)((info ? info->scale : 0) * AQM_LOG2_ONE);
	}
}

int student_model_shape(struct aqm_student_model *model, enum aqm_student_mode mode,
			const char *layers, const uint8_t *chosen, int count, struct error *error)
{
	const char *at = layers;
	int inputs;

	*model = (struct aqm_student_model){.kind = AQM_STUDENT_net, .mode = (uint8_t)mode};
	if (count < 0 || count > AQM_STUDENT_INPUTS)
		return error_at(error, ERR_RANGE, NULL, 0, "features", "at most %d",
				AQM_STUDENT_INPUTS);
	take_features(model, chosen, count);
	inputs = model->inputs;
	while (student_output_name(mode, model->outputs))
		model->outputs++;
	while (*at) {
		at = add_hidden(model, at, &inputs);
		if (!at)
			return error_at(error, ERR_INVALID, NULL, 0, layers,
					"not sizes of layers: 32,32 or gru16,32 or tanh24, each at "
					"most %d, or transformer16:8 with 3 x 16 + 8 at most %d "
					"and a window of at most %d",
					AQM_STUDENT_WIDTH, AQM_STUDENT_WIDTH, AQM_STUDENT_WINDOW);
	}
	add_layer(model, AQM_STUDENT_dense, AQM_STUDENT_linear, inputs, model->outputs);
	return student_model_complete(model, NULL, error);
}

/* Index of the pair of weights in which input `input` of row `row` is. */
static uint32_t pair_of(const struct aqm_student_layer *layer, int row, int input)
{
	return layer->first_pair + (uint32_t)(input / 2) * aqm_student_rows(layer->outputs) +
	       (uint32_t)row;
}

void student_model_set_row(struct aqm_student_model *model, int layer, int row,
			   const int8_t *weights, int32_t bias, uint8_t shift)
{
	const struct aqm_student_layer *own = &model->layer[layer];

	for (int i = 0; i < own->inputs; i += 2) {
		const int8_t second = i + 1 < own->inputs ? weights[i + 1] : 0;

		model->net.pair[pair_of(own, row, i)] =
			(int16_t)((uint8_t)weights[i] | (uint16_t)((uint8_t)second << 8));
	}
	model->net.bias[own->first_row + row] = bias;
	model->net.shift[own->first_row + row] = shift;
}

void student_model_get_row(const struct aqm_student_model *model, int layer, int row,
			   int8_t *weights, int32_t *bias, uint8_t *shift)
{
	const struct aqm_student_layer *own = &model->layer[layer];

	for (int i = 0; i < own->inputs; i++) {
		const uint16_t pair = (uint16_t)model->net.pair[pair_of(own, row, i)];

		weights[i] = (int8_t)(i % 2 ? pair >> 8 : pair & 255);
	}
	*bias = model->net.bias[own->first_row + row];
	*shift = model->net.shift[own->first_row + row];
}

size_t student_model_weights(const struct aqm_student_model *model)
{
	size_t bytes = 0;

	if (model->kind == AQM_STUDENT_tree)
		return model->nodes * sizeof(struct aqm_student_node) +
		       (size_t)model->leaves * model->outputs * sizeof(int16_t);
	for (int i = 0; i < model->layers; i++)
		bytes += (size_t)model->layer[i].inputs * model->layer[i].outputs;
	return bytes;
}

size_t student_model_bytes(const struct aqm_student_model *model)
{
	size_t bytes = student_model_weights(model);

	for (int i = 0; i < model->layers; i++)
		bytes += model->layer[i].outputs * (sizeof(int32_t) + sizeof(uint8_t));
	return bytes;
}

/* What a layer is called where it hides: "32", "gru16", "attention16:8". */
static int describe_layer(const struct aqm_student_layer *layer, bool last, char *text, size_t size)
{
	const char *name = "";

	if (layer->kind == AQM_STUDENT_attention)
		return snprintf(text, size, "-attention%d:%d", layer->inputs,
				aqm_student_window(layer));
	if (layer->kind == AQM_STUDENT_candidate)
		name = "gru";
	else if (layer->kind == AQM_STUDENT_residual)
		name = "residual";
	else if (layer->activation == AQM_STUDENT_tanh)
		name = "tanh";
	else if (layer->activation == AQM_STUDENT_linear && !last)
		name = "linear";
	return snprintf(text, size, "-%s%d", name, layer->outputs);
}

char *student_model_describe(const struct aqm_student_model *model, char *text, size_t size)
{
	size_t used;

	if (model->kind == AQM_STUDENT_tree) {
		snprintf(text, size, "tree of %d nodes and %d leaves over %d features",
			 model->nodes, model->leaves, model->inputs);
		return text;
	}
	used = (size_t)snprintf(text, size, "%d", model->inputs);
	for (int i = 0; i < model->layers && used < size; i++) {
		const struct aqm_student_layer *layer = &model->layer[i];

		if (layer->kind == AQM_STUDENT_gates)
			continue;
		used += (size_t)describe_layer(layer, i == model->layers - 1, text + used,
					       size - used);
	}
	return text;
}
