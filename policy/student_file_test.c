/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written is read again; what is damaged, or would compute beyond its ranges, is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aqm/student_bytes.h"
#include "base/rng.h"
#include "policy/student_file.h"

static struct aqm_student_model model, again, kernels;
static unsigned char bytes[STUDENT_FILE_MAX];

static void fill(struct aqm_student_model *net, uint64_t seed)
{
	struct rng rng;

	rng_seed(&rng, seed);
	for (int layer = 0; layer < net->layers; layer++) {
		for (int row = 0; row < net->layer[layer].outputs; row++) {
			int8_t weights[AQM_STUDENT_INPUTS];

			for (int i = 0; i < net->layer[layer].inputs; i++)
				weights[i] = (int8_t)((int)rng_below(&rng, 255) - 127);
			student_model_set_row(net, layer, row, weights,
					      (int32_t)rng_u64(&rng) / 2, (uint8_t)(row % 16));
		}
	}
}

static void make_tree(struct aqm_student_model *tree)
{
	assert_int_equal(student_model_shape(tree, AQM_STUDENT_verdict, "", NULL, 0, NULL), 0);
	tree->kind = AQM_STUDENT_tree;
	tree->layers = 0;
	memset(&tree->tree, 0, sizeof(tree->tree));
	memset(tree->layer, 0, sizeof(tree->layer));
	tree->nodes = 2;
	tree->leaves = 3;
	tree->tree.nodes[0] = (struct aqm_student_node){0, 0, 1, 1, 128};
	tree->tree.nodes[1] = (struct aqm_student_node){3, 1, 2, 3, 2000};
	for (int i = 0; i < 3; i++)
		tree->tree.leaves[i][i] = 4096;
}

static void check_same(void)
{
	const size_t size = student_file_build(&model, bytes);

	assert_int_equal(student_file_parse(&again, bytes, size, "a", NULL), 0);
	assert_memory_equal(&model, &again, sizeof(model));
	memset(&kernels, 0, sizeof(kernels));
	assert_null(aqm_student_from_bytes(&kernels, bytes, size));
	assert_memory_equal(&model, &kernels, sizeof(model));
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const layers[] = {"", "32,32", "gru16,32", "tanh24,gru8",
					     "16,gru4,gru5", "transformer16:8",
					     "8,transformer24,4", "gru4,transformer15:16"};

	(void)state;
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		for (int mode = 0; mode < AQM_STUDENT_MODE_COUNT; mode++) {
			assert_int_equal(student_model_shape(&model, (enum aqm_student_mode)mode,
							     layers[i], NULL, 0, NULL),
					 0);
			fill(&model, i);
			check_same();
		}
	}
	make_tree(&model);
	check_same();
}

/* Every byte counts: whatever one is changed, the file is refused. */
static void every_changed_byte_is_noticed(void **state)
{
	const uint8_t features[] = {7, 9, 30};
	size_t size;

	(void)state;
	assert_int_equal(
		student_model_shape(&model, AQM_STUDENT_supervise, "4", features, 3, NULL), 0);
	fill(&model, 1);
	size = student_file_build(&model, bytes);
	for (size_t i = 0; i < size; i++) {
		struct error error = {0};

		bytes[i] ^= 1;
		assert_int_not_equal(student_file_parse(&again, bytes, size, "a", &error), 0);
		assert_true(error.text[0]);
		bytes[i] ^= 1;
	}
	for (size_t cut = 0; cut < size; cut++)
		assert_int_not_equal(student_file_parse(&again, bytes, cut, "a", NULL), 0);
}

/* A file that was made wrong, with a checksum that is right; kernels refuse it too. */
static void assert_refused(const char *field)
{
	const size_t size = student_file_build(&model, bytes);
	struct error error = {0};

	assert_int_not_equal(student_file_parse(&again, bytes, size, "a", &error), 0);
	assert_string_equal(error.field, field);
	memset(&kernels, 0, sizeof(kernels));
	assert_non_null(aqm_student_from_bytes(&kernels, bytes, size));
}

static void start(void)
{
	assert_int_equal(
		student_model_shape(&model, AQM_STUDENT_supervise, "8", NULL, 0, NULL), 0);
}

/* As it is now, changed by hand. */
static void check_same_placed(void)
{
	assert_int_equal(student_model_complete(&model, NULL, NULL), 0);
	check_same();
}

static void start_transformer(void)
{
	assert_int_equal(
		student_model_shape(&model, AQM_STUDENT_supervise, "transformer8:4", NULL, 0, NULL),
		0);
	assert_int_equal(model.layers, 5);
	assert_int_equal(model.layer[1].kind, AQM_STUDENT_attention);
	assert_int_equal(model.layer[1].outputs, 28);
	assert_int_equal(model.layer[3].kind, AQM_STUDENT_residual);
}

static void blocks_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	start_transformer();
	check_same();
	model.layer[1].outputs = 24; /* no decision to look back on */
	assert_refused("layers");
	start_transformer();
	model.layer[1].outputs = 24 + AQM_STUDENT_WINDOW;
	check_same_placed();
	model.layer[1].outputs++;
	assert_refused("layers");
	start_transformer();
	model.layer[1].activation = AQM_STUDENT_tanh;
	assert_refused("layers");
	start_transformer();
	model.layer[3].activation = AQM_STUDENT_relu;
	assert_refused("layers");
	start_transformer();
	model.layer[0].kind = AQM_STUDENT_residual; /* of nothing before it */
	assert_refused("layers");
	start_transformer();
	model.layer[2].kind = AQM_STUDENT_residual; /* of an attention, with other outputs */
	assert_refused("layers");
	start_transformer();
	model.layer[3].outputs = model.layer[4].inputs = 9; /* more than it was given */
	assert_refused("layers");
	/* Two of them. */
	start_transformer();
	model.layer[2] = model.layer[1];
	model.layer[3] = model.layer[4];
	model.layers = 4;
	assert_refused("layers");
	model.layer[2] = model.layer[4];
	memset(&model.layer[3], 0, 2 * sizeof(model.layer[3]));
	model.layers = 3;
	check_same_placed();
}

static void numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	start();
	model.net.bias[3] = AQM_STUDENT_BIAS_MAX + 1;
	assert_refused("weights");
	start();
	model.net.shift[0] = 16;
	assert_refused("weights");
	start();
	model.net.pair[0] = INT16_MIN;
	assert_refused("weights");
	start();
	model.layer[1].inputs = 9;
	assert_refused("layers");
	start();
	model.layer[0].kind = AQM_STUDENT_gates;
	assert_refused("layers");
	start();
	model.scale[2] = -1;
	assert_refused("backlog_c");
	start();
	model.feature[0] = AQM_STUDENT_FEATURE_is_l;
	assert_refused("is_l");
	start();
	model.feature[4] = model.feature[3];
	assert_refused("backlog_l");
}

/* Whose inputs would stand for its outputs. */
static void a_net_has_a_layer(void **state)
{
	const uint8_t features[AQM_STUDENT_SETTING_COUNT] = {7, 9, 30, 31, 32, 33, 34, 35};

	(void)state;
	assert_int_equal(student_model_shape(&model, AQM_STUDENT_share, "", features,
					     AQM_STUDENT_SETTING_COUNT, NULL),
			 0);
	model.layers = 0;
	assert_refused("layers");
}

static void trees_that_do_not_end_are_refused(void **state)
{
	(void)state;
	make_tree(&model);
	model.tree.nodes[1].leaves = 2;
	assert_refused("tree"); /* below leads to node 1 itself */
	make_tree(&model);
	model.tree.nodes[0].above = 2;
	assert_refused("tree");
	make_tree(&model);
	model.tree.nodes[1].above = 3;
	assert_refused("tree");
	make_tree(&model);
	model.tree.nodes[1].input = model.inputs;
	assert_refused("tree");
}

/* Files that were made wrong, with checksums that are right: both readers say the same of them. */
static void kernels_read_the_same_files(void **state)
{
	uint64_t taken = 0, refused = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (int i = 0; i < 20000; i++) {
		size_t size, at;
		bool good;

		if (i % 2)
			make_tree(&model);
		else
			assert_int_equal(student_model_shape(&model, AQM_STUDENT_supervise,
							     i % 4 ? "gru2,3" : "transformer2:3",
							     NULL, 0, NULL),
					 0);
		size = student_file_build(&model, bytes) - 8;
		at = rng_below(&rng, 4) ? rng_below(&rng, size) : size - 1 - rng_below(&rng, 30);
		bytes[at] = (unsigned char)rng_below(&rng, rng_below(&rng, 2) ? 256 : 8);
		for (int b = 0; b < 8; b++)
			bytes[size + (size_t)b] = (unsigned char)(
				aqm_student_bytes_checksum(bytes, size) >> 8 * b);
		good = student_file_parse(&again, bytes, size + 8, "a", NULL) == 0;
		memset(&kernels, 0, sizeof(kernels));
		assert_int_equal(good, aqm_student_from_bytes(&kernels, bytes, size + 8) == NULL);
		if (good)
			assert_memory_equal(&again, &kernels, sizeof(kernels));
		taken += good;
		refused += !good;
	}
	assert_true(taken > 4000 && refused > 4000);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
	static const char *const wrong[] = {"97",    "0",   "32,,32", "gru49", "gru",
					    "lstm8", "32 ", "96,96",  "4,4,4,4,4,4,4,4",
					    "transformer", "transformer0", "transformer8:",
					    "transformer8:0", "transformer8:17", "transformer28:13",
					    "transformer31:1,31,31", "transformer8,transformer8"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct error error = {0};

		assert_int_not_equal(student_model_shape(&model, AQM_STUDENT_supervise, wrong[i],
							 NULL, 0, &error),
				     0);
		assert_true(error.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(every_changed_byte_is_noticed),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(blocks_that_do_not_fit_are_refused),
		cmocka_unit_test(a_net_has_a_layer),
		cmocka_unit_test(trees_that_do_not_end_are_refused),
		cmocka_unit_test(shapes_that_do_not_fit_are_refused),
		cmocka_unit_test(kernels_read_the_same_files),
	};

	return cmocka_run_group_tests_name("student file", tests, NULL, NULL);
}
