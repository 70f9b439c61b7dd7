/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The laws that the vectors go through, with their parameters, and students of every kind with
 * weights from a seed.
 *
 * X(name, law, settings): settings are those of --set, for hosts that have the laws by name.
 */
#ifndef TESTS_VECTORS_CASES_H
#define TESTS_VECTORS_CASES_H

#include "kernel/dual_params.h"
#include "tests/vectors/vectors.h"

#define VECTORS_LIMIT_PKTS 1000

#define VECTORS_CASES(X)                                                                           \
	X(linux, "dualpi2", "limit_packets=1000")                                                  \
	X(rfc, "dualpi2", "profile=rfc9332:limit_packets=1000:drop_overload=0")                    \
	X(early, "dualpi2", "limit_packets=1000:drop_early=1:scheduler=tsf")                       \
	X(shipped, "student", "limit_packets=1000")                                                \
	X(supervise, "student", "limit_packets=1000")                                              \
	X(unguarded, "student", "limit_packets=1000:guard=0")                                      \
	X(verdict, "student", "limit_packets=1000:guard=0")                                        \
	X(judged, "student", "limit_packets=1000")                                                 \
	X(tree, "student", "limit_packets=1000")                                                   \
	X(transformer, "student", "limit_packets=1000")                                            \
	X(pauses, "student", "limit_packets=1000:pauses=2")

#define VECTORS_CASE_ENUM(name, law, settings) VECTORS_##name,
enum vectors_case { VECTORS_CASES(VECTORS_CASE_ENUM) VECTORS_CASE_COUNT };
#undef VECTORS_CASE_ENUM

/* The case's parameters, but for the student's model. */
AQM_INLINE void vectors_params(uint32_t which, struct dual_host_params *params)
{
	const bool student = which >= VECTORS_shipped;

	dual_params_default(params, student ? DUAL_HOST_STUDENT : DUAL_HOST_DUALPI2);
	params->own.limit_pkts = VECTORS_LIMIT_PKTS;
	params->own.guarded = which != VECTORS_unguarded && which != VECTORS_verdict;
	if (which == VECTORS_pauses)
		params->own.pauses_q16 = 2U << 16;
	if (which == VECTORS_rfc) {
		dual_params_set_profile(params, AQM_DUALPI2_RFC9332);
		params->own.base.drop_overload = false;
	}
	if (which == VECTORS_early) {
		params->own.base.drop_early = true;
		params->own.scheduler.kind = AQM_SCHEDULER_TSF;
	}
}

/* Every feature that the mode may see, as it is. */
AQM_INLINE void vectors_model_inputs(struct aqm_student_model *model, uint32_t first)
{
	for (uint32_t i = first; i < AQM_STUDENT_FEATURE_COUNT; i++) {
		model->feature[model->inputs] = (uint8_t)i;
		model->offset[model->inputs] = 10 * AQM_LOG2_ONE;
		model->scale[model->inputs] = AQM_LOG2_ONE / 4;
		model->inputs++;
		model->fast_inputs += i < AQM_STUDENT_FIRST_TICK;
	}
}

AQM_INLINE void vectors_model_layer(struct aqm_student_model *model,
				    struct aqm_student_layer layer)
{
	const struct aqm_student_layer *before = &model->layer[model->layers];
	const uint32_t last = model->layers ? model->layers - 1U : 0;

	if (model->layers) {
		before = &model->layer[last];
		layer.first_pair = (uint16_t)(before->first_pair +
					      aqm_student_rows(before->outputs) *
						      ((before->inputs + 1U) / 2));
		layer.first_row =
			(uint16_t)(before->first_row + aqm_student_rows(before->outputs));
	}
	model->layer[model->layers++] = layer;
}

/* Random weights, from -span to span - 1, of a layer's own rows; padding stays 0. */
AQM_INLINE void vectors_model_fill(struct aqm_student_model *model, uint32_t index, uint32_t span,
				   uint64_t state[4])
{
	const struct aqm_student_layer *layer = &model->layer[index];
	const uint32_t rows = aqm_student_rows(layer->outputs);

	for (uint32_t i = 0; i < layer->outputs; i++) {
		const uint64_t bits = vectors_draw(state);
		int16_t *pair = &model->net.pair[layer->first_pair + i];

		model->net.bias[layer->first_row + i] = (int32_t)(bits & 0x1fffff) - 0x100000;
		model->net.shift[layer->first_row + i] = (uint8_t)(8 + (bits >> 60 & 1));
		for (uint32_t j = 0; j < layer->inputs; j += 2, pair += rows) {
			const uint64_t drawn = vectors_draw(state);
			const uint32_t low = (uint32_t)(drawn & (2 * span - 1)) - span;
			const uint32_t high = (uint32_t)(drawn >> 8 & (2 * span - 1)) - span;

			*pair = (int16_t)((low & 0xff) |
					  (j + 1U < layer->inputs ? (high & 0xff) << 8 : 0U));
		}
	}
}

/* A tree of eight leaves over six features. */
AQM_INLINE void vectors_model_tree(struct aqm_student_model *model, uint64_t state[4])
{
	model->kind = AQM_STUDENT_tree;
	model->nodes = 7;
	model->leaves = 8;
	for (uint32_t i = 0; i < 7; i++) {
		const uint64_t bits = vectors_draw(state);
		const bool last = i >= 3;
		const uint32_t next = last ? 2 * i - 6 : 2 * i + 1;

		model->tree.nodes[i] = (struct aqm_student_node){
			.input = (uint8_t)(bits & 31),
			.below = (uint8_t)next,
			.above = (uint8_t)(next + 1),
			.leaves = last ? 3 : 0,
			.threshold = (int16_t)(6 * AQM_LOG2_ONE + (bits >> 8 & 0x7ff)),
		};
	}
	for (uint32_t i = 0; i < 8; i++)
		for (uint32_t j = 0; j < model->outputs; j++)
			model->tree.leaves[i][j] = (int16_t)(vectors_draw(state) & 0x1fff) - 0x1000;
}

/* A transformer's block of 12 numbers over 6 decisions; returns 12. */
AQM_INLINE uint16_t vectors_model_block(struct aqm_student_model *model, uint16_t inputs)
{
	const struct aqm_student_layer layers[] = {
		{AQM_STUDENT_dense, AQM_STUDENT_linear, inputs, 12, 0, 0},
		{AQM_STUDENT_attention, AQM_STUDENT_linear, 12, 3 * 12 + 6, 0, 0},
		{AQM_STUDENT_dense, AQM_STUDENT_relu, 12, 20, 0, 0},
		{AQM_STUDENT_residual, AQM_STUDENT_linear, 20, 12, 0, 0},
	};

	for (uint32_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
		vectors_model_layer(model, layers[i]);
	return 12;
}

/*
 * The model of a student's case, all of it but VECTORS_shipped's; `model` is all zeros.
 * supervise: a cell of 12 and a dense layer of 16; tree: a tree; transformer: a block and a dense
 * layer of 16, which judges; the others: dense layers.
 *
 * Whatever its weights and whatever it sees, a model that judges gives each verdict a chance of
 * 1/129 and more, so that all of them come: 16 numbers of tanh, at most 1, times weights of at most
 * 32/256, and a bias of at most 1, are 3 at most, and 2^-3 / (2^-3 + 2^3 + 2^3) is that.  The other
 * models move settings within their ranges, and sources grow until the law signals.
 */
AQM_INLINE void vectors_model(uint32_t which, struct aqm_student_model *model)
{
	const bool judge = which == VECTORS_verdict || which == VECTORS_judged ||
			   which == VECTORS_transformer;
	const uint16_t outputs = judge ? 3 : AQM_STUDENT_SETTING_COUNT;
	uint64_t state[4];
	uint16_t inputs;

	vectors_seed(state, which);
	model->mode = judge ? AQM_STUDENT_verdict : AQM_STUDENT_supervise;
	model->outputs = (uint8_t)outputs;
	vectors_model_inputs(model, judge ? 0 : AQM_STUDENT_FIRST_NOW);
	inputs = model->inputs;
	if (which == VECTORS_tree) {
		vectors_model_tree(model, state);
		return;
	}
	if (which == VECTORS_supervise) {
		inputs = (uint16_t)(inputs + 12);
		vectors_model_layer(model, (struct aqm_student_layer){
						   AQM_STUDENT_gates, AQM_STUDENT_sigmoid,
						   inputs, 24, 0, 0});
		vectors_model_layer(model, (struct aqm_student_layer){
						   AQM_STUDENT_candidate, AQM_STUDENT_tanh,
						   inputs, 12, 0, 0});
		inputs = 12;
	}
	if (which == VECTORS_transformer)
		inputs = vectors_model_block(model, inputs);
	vectors_model_layer(model, (struct aqm_student_layer){AQM_STUDENT_dense,
							      judge ? AQM_STUDENT_tanh
								    : AQM_STUDENT_relu,
							      inputs, 16, 0, 0});
	vectors_model_layer(model, (struct aqm_student_layer){AQM_STUDENT_dense,
							      AQM_STUDENT_linear, 16, outputs, 0,
							      0});
	for (uint32_t i = 0; i < model->layers; i++)
		vectors_model_fill(model, i, judge && i + 1U == model->layers ? 32 : 64, state);
}

#endif
