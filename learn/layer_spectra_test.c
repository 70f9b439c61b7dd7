/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spectra of a tiny model beside those of its Jacobians, which are written out
 * in full and taken apart by other means.
 */
#include "learn/layer_spectra.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backbone/layers.h"
#include "base/file.h"
#include "base/test_folder.h"

#define TOKENS 4
#define WIDTH 12
#define SIZE (TOKENS * WIDTH)

static const char config[] =
	"{\"model_type\": \"gpt2\", \"n_layer\": 2, \"n_embd\": 12, \"n_head\": 3, "
	"\"vocab_size\": 11, "
	"\"n_positions\": 30, \"n_inner\": 20, \"initializer_range\": 0.3}";

static struct backbone *backbone;
static float embeds[SIZE];

static int make(void **state)
{
	char path[TEST_PATH_BYTES];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 8);
	for (int i = 0; i < SIZE; i++)
		embeds[i] = (float)rng_normal(&rng);
	if (test_folder_make() ||
	    file_write_all(test_path(path, "config.json"), config, strlen(config), NULL))
		return -1;
	return backbone_random(&backbone, test_folder, NULL, &rng, NULL);
}

static int clear(void **state)
{
	(void)state;
	backbone_close(backbone);
	test_folder_remove();
	return 0;
}

/* Row i of the first layer's Jacobian by backward of the i-th unit vector. */
static void write_out(double jacobian[SIZE][SIZE])
{
	float in[SIZE], out[SIZE], back[SIZE];
	struct arena arena;

	arena_init(&arena);
	assert_int_equal(backbone_layer_input(backbone, &arena, embeds, 1, TOKENS, in, NULL), 0);
	for (int i = 0; i < SIZE; i++) {
		memset(out, 0, sizeof(out));
		out[i] = 1;
		assert_int_equal(backbone_layer_backward(backbone, &arena, 0, in, 1, TOKENS, out,
							 back, NULL),
				 0);
		for (int j = 0; j < SIZE; j++)
			jacobian[i][j] = back[j];
	}
	arena_free(&arena);
}

/* Largest eigenvalue of J^T J by squaring it until one direction is left. */
static double largest_of(double jacobian[SIZE][SIZE])
{
	static double gram[SIZE][SIZE], next[SIZE][SIZE];
	double log_scale = 0, trace = 0;
	int squarings = 0;

	for (int i = 0; i < SIZE; i++)
		for (int j = 0; j < SIZE; j++) {
			gram[i][j] = 0;
			for (int k = 0; k < SIZE; k++)
				gram[i][j] += jacobian[k][i] * jacobian[k][j];
		}
	for (; squarings < 14; squarings++) {
		trace = 0;
		for (int i = 0; i < SIZE; i++)
			trace += gram[i][i];
		log_scale = 2 * (log_scale + log(trace));
		for (int i = 0; i < SIZE; i++)
			for (int j = 0; j < SIZE; j++) {
				next[i][j] = 0;
				for (int k = 0; k < SIZE; k++)
					next[i][j] += gram[i][k] / trace * gram[k][j] / trace;
			}
		memcpy(gram, next, sizeof(gram));
	}
	trace = 0;
	for (int i = 0; i < SIZE; i++)
		trace += gram[i][i];
	return exp((log_scale + log(trace)) / pow(2, squarings) / 2);
}

/* |J^k|^(1/k) of the last token's block, k large, by squaring (Gelfand). */
static double radius_of(double jacobian[SIZE][SIZE])
{
	static double power[WIDTH][WIDTH], next[WIDTH][WIDTH];
	double log_scale = 0, norm = 0;
	int squarings = 0;

	for (int i = 0; i < WIDTH; i++)
		for (int j = 0; j < WIDTH; j++)
			power[i][j] = jacobian[SIZE - WIDTH + i][SIZE - WIDTH + j];
	for (;; squarings++) {
		norm = 0;
		for (int i = 0; i < WIDTH; i++)
			for (int j = 0; j < WIDTH; j++)
				norm += power[i][j] * power[i][j];
		norm = sqrt(norm);
		if (squarings == 20)
			break;
		log_scale = 2 * (log_scale + log(norm));
		for (int i = 0; i < WIDTH; i++)
			for (int j = 0; j < WIDTH; j++) {
				next[i][j] = 0;
				for (int k = 0; k < WIDTH; k++)
					next[i][j] += power[i][k] / norm * power[k][j] / norm;
			}
		memcpy(power, next, sizeof(power));
	}
	return exp((log_scale + log(norm)) / pow(2, squarings));
}

static void spectra_are_those_of_the_jacobian(void **state)
{
	const struct spectrum_options options = {500, 1e-9, 2};
	struct layer_spectrum spectra[3];
	static double jacobian[SIZE][SIZE];

	(void)state;
	assert_int_equal(layer_spectra_count(backbone), 3);
	assert_int_equal(
		layer_spectra_measure(backbone, embeds, TOKENS, &options, spectra, NULL), 0);
	write_out(jacobian);
	assert_true(fabs(spectra[0].singular.value / largest_of(jacobian) - 1) < 1e-3);
	assert_true(fabs(spectra[0].radius.value / radius_of(jacobian) - 1) < 2e-3);
	for (int i = 0; i < 3; i++) {
		assert_true(spectra[i].singular.disagreement < 2e-3);
		assert_true(spectra[i].radius.value <= spectra[i].singular.value * 1.001);
	}
	/* A residual layer of this size stretches something. */
	assert_true(spectra[0].singular.value > 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spectra_are_those_of_the_jacobian),
	};

	return cmocka_run_group_tests(tests, make, clear);
}
