/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layers, nets and arrivals are the same, bit for bit, in portable C and with every instruction
 * set that the machine has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "aqm/student_arrival.h"
#include "aqm/student_vector.h"
#include "base/rng.h"

#define DECISIONS 40 /* of a net that remembers: more than an attention looks back on */

static int16_t any_short(struct rng *rng)
{
	return rng_below(rng, 8) ? (int16_t)rng_u64(rng)
				 : (int16_t)(rng_below(rng, 2) ? INT16_MIN : INT16_MAX);
}

/* Calls `check` for every way that this machine has. */
static void every_way(void (*check)(const struct aqm_student_model *model, struct rng *rng),
		      const struct aqm_student_model *model, struct rng *rng)
{
	for (int way = 0; way < AQM_STUDENT_VECTOR_COUNT; way++)
		if (aqm_student_vector_use((enum aqm_student_vector)way))
			check(model, rng);
	aqm_student_vector_use(aqm_student_vector_best());
}

static void layer_is_the_same(const struct aqm_student_model *model, struct rng *rng)
{
	int16_t plain[AQM_STUDENT_WIDTH], other[AQM_STUDENT_WIDTH];
	int16_t x[AQM_STUDENT_PLACES] = {0};
	struct aqm_student_state state = {0};
	const bool largest = rng_below(rng, 32) == 0;

	for (int i = 0; i < model->inputs; i++)
		x[i] = largest ? INT16_MAX : any_short(rng);
	aqm_student_net_plain(model, &state, x, plain);
	aqm_student_net_vector(model, &state, x, other);
	assert_memory_equal(plain, other, model->outputs * sizeof(plain[0]));
}

/* Extremes included: with 96 inputs of the largest size the sums stay within 32 bits. */
static void layers_are_the_same_with_every_instruction_set(void **state)
{
	static struct aqm_student_model model;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	model.layers = 1;
	for (int round = 0; round < 3000; round++) {
		model.inputs = (uint8_t)(1 + rng_below(&rng, AQM_STUDENT_INPUTS));
		model.outputs = (uint8_t)(1 + rng_below(&rng, 80));
		model.layer[0] = (struct aqm_student_layer){
			.inputs = model.inputs,
			.outputs = model.outputs,
			.first_pair = (uint16_t)rng_below(&rng, 32),
			.first_row = (uint16_t)rng_below(&rng, 400),
			.activation = (uint8_t)rng_below(&rng, AQM_STUDENT_ACTIVATION_COUNT),
		};
		for (int i = 0; i < AQM_STUDENT_WEIGHTS / 2; i++)
			model.net.pair[i] = (int16_t)rng_u64(&rng);
		if (round % 16 == 0)
			memset(model.net.pair, 127, sizeof(model.net.pair));
		for (int i = 0; i < AQM_STUDENT_ROWS; i++)
			model.net.bias[i] = round % 16 ? (int32_t)rng_u64(&rng) / 2
						       : AQM_STUDENT_BIAS_MAX;
		for (int i = 0; i < AQM_STUDENT_ROWS; i++)
			model.net.shift[i] = (uint8_t)rng_below(&rng, AQM_STUDENT_SHIFT_MAX + 1);
		every_way(layer_is_the_same, &model, &rng);
	}
}

static void add(struct aqm_student_model *model, int kind, int activation, uint32_t inputs,
		uint32_t outputs)
{
	struct aqm_student_layer *layer = &model->layer[model->layers];
	uint32_t pair = 0, row = 0;

	if (model->layers) {
		const uint32_t rows = aqm_student_rows(layer[-1].outputs);

		pair = layer[-1].first_pair + rows * ((layer[-1].inputs + 1U) / 2);
		row = layer[-1].first_row + rows;
	}
	*layer = (struct aqm_student_layer){
		.kind = (uint8_t)kind,
		.activation = (uint8_t)activation,
		.inputs = (uint16_t)inputs,
		.outputs = (uint16_t)outputs,
		.first_pair = (uint16_t)pair,
		.first_row = (uint16_t)row,
	};
	model->layers++;
}

static void fill(struct aqm_student_model *model, struct rng *rng)
{
	for (int i = 0; i < AQM_STUDENT_WEIGHTS / 2; i++)
		model->net.pair[i] = (int16_t)rng_u64(rng);
	for (int i = 0; i < AQM_STUDENT_ROWS; i++) {
		model->net.bias[i] = (int32_t)rng_u64(rng) >> 9;
		model->net.shift[i] = (uint8_t)(7 + rng_below(rng, 4));
	}
}

/* Cells one behind the other, or a transformer's block. */
static void make_net(struct aqm_student_model *model, struct rng *rng, bool cells)
{
	const uint32_t size = 1 + rng_below(rng, cells ? 24 : 16), more = 1 + rng_below(rng, 20);
	const uint32_t window = 1 + rng_below(rng, AQM_STUDENT_WINDOW);

	*model = (struct aqm_student_model){
		.inputs = (uint8_t)(1 + rng_below(rng, 24)),
		.outputs = (uint8_t)(1 + rng_below(rng, AQM_STUDENT_OUTPUTS)),
	};
	if (cells) {
		add(model, AQM_STUDENT_gates, AQM_STUDENT_sigmoid, model->inputs + size, 2 * size);
		add(model, AQM_STUDENT_candidate, AQM_STUDENT_tanh, model->inputs + size, size);
		add(model, AQM_STUDENT_gates, AQM_STUDENT_sigmoid, size + more, 2 * more);
		add(model, AQM_STUDENT_candidate, AQM_STUDENT_tanh, size + more, more);
		add(model, AQM_STUDENT_dense, AQM_STUDENT_linear, more, model->outputs);
	} else {
		add(model, AQM_STUDENT_dense, AQM_STUDENT_linear, model->inputs, size);
		add(model, AQM_STUDENT_attention, AQM_STUDENT_linear, size, 3 * size + window);
		add(model, AQM_STUDENT_dense, AQM_STUDENT_relu, size, 2 * size);
		add(model, AQM_STUDENT_residual, AQM_STUDENT_linear, 2 * size, size);
		add(model, AQM_STUDENT_dense, AQM_STUDENT_linear, size, model->outputs);
	}
	fill(model, rng);
}

static void net_is_the_same(const struct aqm_student_model *model, struct rng *rng)
{
	static struct aqm_student_state plain, other;
	int16_t x[AQM_STUDENT_PLACES], y[AQM_STUDENT_PLACES];
	int16_t out[AQM_STUDENT_OUTPUTS], to[AQM_STUDENT_OUTPUTS];

	plain = other = (struct aqm_student_state){0};
	for (int i = 0; i < DECISIONS; i++) {
		for (int j = 0; j < AQM_STUDENT_PLACES; j++)
			x[j] = y[j] = any_short(rng);
		aqm_student_net_plain(model, &plain, x, out);
		aqm_student_net_vector(model, &other, y, to);
		assert_memory_equal(out, to, model->outputs * sizeof(out[0]));
		assert_memory_equal(&plain, &other, sizeof(plain));
	}
}

static void nets_that_remember_are_the_same(void **state)
{
	static struct aqm_student_model model;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	for (int round = 0; round < 200; round++) {
		make_net(&model, &rng, round % 2);
		every_way(net_is_the_same, &model, &rng);
	}
}

/* Any features, those that change with every packet first, as in a file. */
static void choose_features(struct aqm_student_model *model, struct rng *rng)
{
	model->inputs = model->fast_inputs = 0;
	for (uint8_t feature = 0; feature < AQM_STUDENT_FEATURE_COUNT; feature++) {
		if (rng_below(rng, 3) == 0)
			continue;
		model->fast_inputs += feature < AQM_STUDENT_FIRST_TICK;
		model->feature[model->inputs] = feature;
		model->offset[model->inputs] = any_short(rng);
		model->scale[model->inputs++] = (int16_t)rng_below(rng, 16384);
	}
}

/* A tree of one question, of the last input that a packet changes. */
static void make_tree(struct aqm_student_model *model)
{
	model->kind = AQM_STUDENT_tree;
	model->nodes = 1;
	model->outputs = 1;
	memset(&model->tree, 0, sizeof(model->tree));
	model->tree.nodes[0] = (struct aqm_student_node){
		.input = (uint8_t)(model->fast_inputs - 1),
		.above = 1,
		.leaves = 3,
		.threshold = 4000,
	};
	model->tree.leaves[1][0] = 1;
}

static uint64_t any_value(struct rng *rng)
{
	const uint64_t bits = rng_u64(rng) >> rng_below(rng, 64);

	return rng_below(rng, 8) ? bits : rng_below(rng, 2) ? 0 : UINT64_MAX;
}

static void arrival_is_the_same(const struct aqm_student_model *model, struct rng *rng)
{
	static struct aqm_student_state state, other;
	const bool all = rng_below(rng, 2);
	uint64_t value[AQM_STUDENT_VALUES];
	int16_t feature[2][AQM_STUDENT_FEATURE_COUNT], input[2][AQM_STUDENT_PLACES];
	int16_t output[2][AQM_STUDENT_OUTPUTS];

	for (int i = 0; i < AQM_STUDENT_VALUES; i++)
		value[i] = any_value(rng);
	for (int i = 0; i < AQM_STUDENT_FEATURE_COUNT; i++)
		feature[0][i] = feature[1][i] = any_short(rng);
	for (int i = 0; i < AQM_STUDENT_PLACES; i++)
		input[0][i] = input[1][i] = any_short(rng);
	aqm_student_arrival_plain(model, &state, value, all, feature[0], input[0], output[0]);
	aqm_student_arrival_vector(model, &other, value, all, feature[1], input[1], output[1]);
	assert_memory_equal(output[0], output[1], model->outputs * sizeof(output[0][0]));
	if (model->kind == AQM_STUDENT_net)
		assert_memory_equal(input[0], input[1], model->inputs * sizeof(input[0][0]));
	for (int i = 0; i < model->inputs; i++)
		assert_int_equal(feature[0][model->feature[i]], feature[1][model->feature[i]]);
	for (int i = 0; i < AQM_STUDENT_FIRST_TICK && all; i++) {
		assert_int_equal(feature[0][i], aqm_log2_q8(value[i]));
		assert_int_equal(feature[1][i], aqm_log2_q8(value[i]));
	}
	for (int i = AQM_STUDENT_FIRST_TICK; i < AQM_STUDENT_FEATURE_COUNT; i++)
		assert_int_equal(feature[0][i], feature[1][i]);
}

static void arrivals_are_the_same(void **state)
{
	static struct aqm_student_model model;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	for (int round = 0; round < 2000; round++) {
		model = (struct aqm_student_model){.outputs = 3};
		choose_features(&model, &rng);
		if (round % 4 == 0 && model.fast_inputs) {
			make_tree(&model);
		} else {
			add(&model, AQM_STUDENT_dense, AQM_STUDENT_tanh, model.inputs, 32);
			add(&model, AQM_STUDENT_dense, AQM_STUDENT_linear, 32, 3);
			fill(&model, &rng);
		}
		every_way(arrival_is_the_same, &model, &rng);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_the_same_with_every_instruction_set),
		cmocka_unit_test(nets_that_remember_are_the_same),
		cmocka_unit_test(arrivals_are_the_same),
	};

	return cmocka_run_group_tests_name("student_vector", tests, NULL, NULL);
}
