/* SPDX-License-Identifier: BSD-2-Clause */
/* Singular values and radii of matrices that are made to have them. */
#include "learn/spectrum.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

#define SIZE 24

struct dense {
	double values[SIZE * SIZE];
};

static int apply(void *context, const double *in, double *out, struct error *error)
{
	const struct dense *dense = context;

	(void)error;
	for (int i = 0; i < SIZE; i++) {
		out[i] = 0;
		for (int j = 0; j < SIZE; j++)
			out[i] += dense->values[i * SIZE + j] * in[j];
	}
	return 0;
}

static int transposed(void *context, const double *in, double *out, struct error *error)
{
	const struct dense *dense = context;

	(void)error;
	for (int j = 0; j < SIZE; j++) {
		out[j] = 0;
		for (int i = 0; i < SIZE; i++)
			out[j] += dense->values[i * SIZE + j] * in[i];
	}
	return 0;
}

/* I - 2 v v^T / v^T v times `dense`, from the left or the right: lengths stay as they are. */
static void reflect(struct dense *dense, struct rng *rng, bool left)
{
	double v[SIZE], length = 0;

	for (int i = 0; i < SIZE; i++) {
		v[i] = rng_normal(rng);
		length += v[i] * v[i];
	}
	for (int k = 0; k < SIZE; k++) {
		double part = 0;

		for (int i = 0; i < SIZE; i++)
			part += v[i] * dense->values[left ? i * SIZE + k : k * SIZE + i];
		for (int i = 0; i < SIZE; i++)
			dense->values[left ? i * SIZE + k : k * SIZE + i] -=
				2 * part * v[i] / length;
	}
}

static struct spectrum_map map_of(struct dense *dense)
{
	return (struct spectrum_map){dense, SIZE, apply, transposed};
}

/* U diag(s) V^T with U, V products of reflections. */
static void the_largest_singular_value_is_found(void **state)
{
	static const double largest[] = {0.4, 1, 3, 250};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 4);
	for (size_t c = 0; c < 4; c++) {
		const struct spectrum_options options = {400, 1e-12, 9};
		struct dense dense = {{0}};
		const struct spectrum_map map = map_of(&dense);
		struct spectrum_value value;

		for (int i = 0; i < SIZE; i++)
			dense.values[i * SIZE + i] = largest[c] * (1 - 0.03 * i);
		for (int i = 0; i < 3; i++) {
			reflect(&dense, &rng, true);
			reflect(&dense, &rng, false);
		}
		assert_int_equal(spectrum_singular(&map, &options, &value, NULL), 0);
		assert_true(fabs(value.value / largest[c] - 1) < 1e-6);
		assert_true(value.value <= largest[c] * (1 + 1e-12));
		assert_true(value.disagreement < 1e-12 && value.steps < 400);
	}
}

/* Few steps: less than the truth, never more. */
static void an_unfinished_iteration_is_a_lower_bound(void **state)
{
	const struct spectrum_options options = {2, 0, 1};
	struct dense dense = {{0}};
	const struct spectrum_map map = map_of(&dense);
	struct spectrum_value value;

	(void)state;
	for (int i = 0; i < SIZE; i++)
		dense.values[i * SIZE + i] = 1 + i;
	assert_int_equal(spectrum_singular(&map, &options, &value, NULL), 0);
	assert_true(value.value < SIZE && value.value > 12 && value.steps == 2);
	assert_true(value.change > 1e-3);
}

/* Similar to a block diagonal matrix: eigenvalues radius e^(+-i turn), others within. */
static void make_similar(struct dense *dense, double radius, double turn)
{
	struct rng rng;

	memset(dense, 0, sizeof(*dense));
	for (int i = 0; i < SIZE; i++)
		dense->values[i * SIZE + i] = 0.8 * radius * (1 - 0.05 * i);
	dense->values[0] = dense->values[SIZE + 1] = radius * cos(turn);
	dense->values[1] = -radius * sin(turn);
	dense->values[SIZE] = radius * sin(turn);
	/* A shear within: far from normal, so singular values say nothing of the radius. */
	dense->values[4 * SIZE + 9] = 50 * radius;
	for (int r = 0; r < 2; r++) {
		rng_seed(&rng, 11 + (uint64_t)r);
		reflect(dense, &rng, true);
		rng_seed(&rng, 11 + (uint64_t)r);
		reflect(dense, &rng, false);
	}
}

static void the_radius_is_found_for_pairs_and_shears(void **state)
{
	static const struct {
		double radius, turn;
	} cases[] = {{0.7, 0}, {1.3, 0.4}, {2, 1.5707963}, {1, 3.1415926}};

	(void)state;
	for (size_t c = 0; c < 4; c++) {
		const struct spectrum_options options = {SIZE, 0, 3};
		struct dense dense;
		const struct spectrum_map map = map_of(&dense);
		struct spectrum_value radius, singular;

		make_similar(&dense, cases[c].radius, cases[c].turn);
		assert_int_equal(spectrum_radius(&map, &options, &radius, NULL), 0);
		assert_true(fabs(radius.value / cases[c].radius - 1) < 1e-6);
		assert_true(radius.change == 0);
		assert_int_equal(spectrum_singular(&map, &options, &singular, NULL), 0);
		assert_true(singular.value > 40 * cases[c].radius);
	}
}

/* The companion matrix of (x - 1)(x - 2)(x - 3)(x^2 + 4): 1, 2, 3, +-2i. */
static void eigenvalues_of_a_companion_matrix(void **state)
{
	/* x^5 - 6 x^4 + 15 x^3 - 30 x^2 + 44 x - 24 */
	static const double last[] = {24, -44, 30, -15, 6};
	static const double complex expected[] = {1, 2, 3, 2 * I, -2 * I};
	double complex matrix[25] = {0}, found[5];

	(void)state;
	for (int i = 0; i < 5; i++) {
		matrix[i * 5 + 4] = last[i];
		if (i > 0)
			matrix[i * 5 + i - 1] = 1;
	}
	assert_int_equal(spectrum_hessenberg(matrix, 5, found), 0);
	for (int e = 0; e < 5; e++) {
		double nearest = INFINITY;

		for (int i = 0; i < 5; i++)
			nearest = fmin(nearest, cabs(found[i] - expected[e]));
		assert_true(nearest < 1e-9);
	}
}

/* A turn by a right angle has no real eigenvalue, and QR without a shift stands still on it. */
static void eigenvalues_of_turns(void **state)
{
	double complex matrix[] = {0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, found[4];

	(void)state;
	assert_int_equal(spectrum_hessenberg(matrix, 4, found), 0);
	for (int i = 0; i < 4; i++)
		assert_true(cabs(cpow(found[i], 4) - 1) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_singular_value_is_found),
		cmocka_unit_test(an_unfinished_iteration_is_a_lower_bound),
		cmocka_unit_test(the_radius_is_found_for_pairs_and_shears),
		cmocka_unit_test(eigenvalues_of_a_companion_matrix),
		cmocka_unit_test(eigenvalues_of_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
