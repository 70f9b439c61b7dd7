/* SPDX-License-Identifier: BSD-2-Clause */
/* Visited states: whole segments, room that is kept, old rounds that stay, the same from a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/test_folder.h"
#include "learn/visits.h"

#define FEATURES 3
#define OUTPUTS 2
#define STEPS (10 * VISITS_SEGMENT + 7)

/* A step holds its own number wherever it goes. */
static void add(struct visits *visits, struct visits_part *part, int32_t round, struct rng *rng)
{
	static int16_t seen[STEPS * FEATURES];
	static float target[STEPS * OUTPUTS], law[STEPS];
	const struct visits_run run = {seen, target, law, STEPS};
	struct error error = {0};

	for (int s = 0; s < STEPS; s++) {
		for (int f = 0; f < FEATURES; f++)
			seen[s * FEATURES + f] = (int16_t)(1000 * round + s);
		target[s * OUTPUTS] = target[s * OUTPUTS + 1] = law[s] = (float)(1000 * round + s);
	}
	assert_int_equal(visits_add(visits, part, &run, round, rng, &error), 0);
}

static void check_part(const struct visits_part *part)
{
	for (int64_t i = 0; i < part->segments * VISITS_SEGMENT; i++) {
		const int64_t first = i / VISITS_SEGMENT * VISITS_SEGMENT;
		const int step = part->seen[first * FEATURES] + (int)(i - first);

		assert_int_equal(part->seen[first * FEATURES] % 1000 % VISITS_SEGMENT, 0);
		assert_int_equal(part->seen[first * FEATURES] / 1000,
				 part->round[i / VISITS_SEGMENT]);
		assert_int_equal(part->seen[i * FEATURES + 2], step);
		assert_true(part->target[i * OUTPUTS + 1] == (float)step);
		assert_true(part->law[i] == (float)step);
	}
}

static void keeps_segments_within_its_room(void **state)
{
	int of_round[21] = {0};
	struct visits visits;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	visits_init(&visits, FEATURES, OUTPUTS, 100 * VISITS_SEGMENT);
	add(&visits, &visits.train, 1, &rng);
	assert_int_equal(visits.train.segments, 10); /* the last 7 steps are no segment */
	for (int32_t round = 2; round <= 20; round++)
		add(&visits, &visits.train, round, &rng);
	add(&visits, &visits.held_out, 7, &rng);
	assert_int_equal(visits.train.segments, 100);
	assert_int_equal(visits.held_out.segments, 10);
	check_part(&visits.train);
	check_part(&visits.held_out);
	for (int i = 0; i < 100; i++)
		of_round[visits.train.round[i]]++;
	assert_true(of_round[20] >= 9); /* a place is drawn twice at most rarely */
	assert_true(of_round[1] + of_round[2] + of_round[3] + of_round[4] > 0);
	visits_free(&visits);
}

static void comes_back_from_a_file(void **state)
{
	char path[TEST_PATH_BYTES];
	struct visits visits, back;
	struct error error = {0};
	struct rng rng;

	(void)state;
	assert_int_equal(test_folder_make(), 0);
	test_path(path, "visits");
	rng_seed(&rng, 5);
	visits_init(&visits, FEATURES, OUTPUTS, 1000 * VISITS_SEGMENT);
	add(&visits, &visits.train, 1, &rng);
	add(&visits, &visits.train, 2, &rng);
	assert_int_equal(visits_save(&visits, path, "this run", &error), 0);
	visits_init(&back, FEATURES, OUTPUTS, 1000 * VISITS_SEGMENT);
	if (visits_load(&back, path, "this run", &error))
		fail_msg("%s: %s", error.field, error.text);
	assert_int_equal(back.train.segments, 20);
	assert_int_equal(back.held_out.segments, 0);
	check_part(&back.train);
	assert_memory_equal(back.train.seen, visits.train.seen,
			    20 * VISITS_SEGMENT * FEATURES * sizeof(int16_t));
	assert_true(visits_load(&back, path, "another run", &error) == ERR_INVALID);
	visits_free(&back);
	visits_init(&back, FEATURES + 1, OUTPUTS, 1000 * VISITS_SEGMENT);
	assert_true(visits_load(&back, path, "this run", &error) == ERR_INVALID);
	visits_free(&back);
	visits_free(&visits);
	assert_int_equal(test_folder_remove(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_segments_within_its_room),
		cmocka_unit_test(comes_back_from_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
