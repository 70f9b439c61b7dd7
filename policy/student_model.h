/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Students as objects: names of what they see and say, shapes, and one row of
 * weights at a time whatever the layout in memory.
 */
#ifndef POLICY_STUDENT_MODEL_H
#define POLICY_STUDENT_MODEL_H

#include "aqm/student.h"
#include "base/error.h"

#define STUDENT_NAME_BYTES 32

struct student_feature_info {
	const char *name, *text;
	double offset, scale; /* an input is (feature - offset) x scale, by default */
};

/* By enum aqm_student_feature; NULL beyond the last. */
const struct student_feature_info *student_feature(int feature);

/* By name, or -1. */
int student_feature_find(const char *name);

/* Name of output `index` of a mode; NULL beyond the last. */
const char *student_output_name(enum aqm_student_mode mode, int index);

const char *student_kind_name(int kind);
const char *student_mode_name(int mode);
const char *student_activation_name(int activation);
const char *student_layer_kind_name(int kind);

/* A mode by its name, or -1. */
int student_mode_find(const char *name);

/*
 * Checks everything of `model` that is not a weight (kind, mode, counts, features, layers, or the
 * tree's nodes) and fills in what follows from it: fast_inputs, and where each layer's weights
 * and rows stand.  ERR_RANGE, ERR_INVALID; `file` (may be NULL) is for the message.
 */
int student_model_complete(struct aqm_student_model *model, const char *file, struct error *error);

/*
 * Makes a net without weights.  `layers` are the sizes of its hidden layers: "32,32" are dense and
 * relu, "gru16,32" begins with a cell of 16; "tanh32" is dense and tanh; "transformer16:8" is a
 * block whose tokens have 16 numbers and heed those of the last 8 decisions, "transformer16" the
 * same; "" has none.  Features: `count` of them, ascending; with count 0 all those that the mode
 * can see.
 */
int student_model_shape(struct aqm_student_model *model, enum aqm_student_mode mode,
			const char *layers, const uint8_t *features, int count,
			struct error *error);

/* Row `row` of layer `layer`: its inputs' weights, bias and shift. */
void student_model_set_row(struct aqm_student_model *model, int layer, int row,
			   const int8_t *weights, int32_t bias, uint8_t shift);
void student_model_get_row(const struct aqm_student_model *model, int layer, int row,
			   int8_t *weights, int32_t *bias, uint8_t *shift);

/* Bytes of weights without padding, and of all numbers with biases and shifts. */
size_t student_model_weights(const struct aqm_student_model *model);
size_t student_model_bytes(const struct aqm_student_model *model);

/*
 * "45-32-tanh16-7", "45-linear16-attention16:8-32-residual16-7", "tree of 31 nodes and 32
 * leaves over 9 features" into `text`; returns it.
 */
char *student_model_describe(const struct aqm_student_model *model, char *text, size_t size);

#endif
