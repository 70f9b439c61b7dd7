/* SPDX-License-Identifier: BSD-2-Clause */
/* Several pools as one: what trains, what is held out, and what does not fit together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/test_folder.h"
#include "learn/dataset.h"
#include "learn/sources.h"

/* folder/name: `rows` rows after `header`; the text's numbers count up from `from`. */
static void write_pool(const char *name, const char *header, int rows, int from)
{
	char path[TEST_PATH_BYTES], text[4096];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s\n", header);

	for (int i = 0; i < rows; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%d,%d,0,%d,0\n",
					 from + i, 1000 + from + i, 1);
	test_path(path, name);
	assert_int_equal(file_write_all(path, text, used, NULL), 0);
}

static int read_two(struct sources *sources, const char *a, const char *b, struct error *error)
{
	char first[TEST_PATH_BYTES], second[TEST_PATH_BYTES];
	const char *const paths[] = {first, second};

	test_path(first, a);
	test_path(second, b);
	return sources_read(sources, paths, b[0] ? 2 : 1, 0.2, error);
}

static void tails_stay_out(void **state)
{
	struct sources sources;
	struct error error = {0};
	size_t own;

	(void)state;
	write_pool("a.csv", "x,y,action,reward,done", 10, 0);
	write_pool("b.csv", "y,x,action,reward,done", 5, 100);
	assert_int_equal(read_two(&sources, "a.csv", "b.csv", &error), 0);
	assert_int_equal(sources.pool.rows, 15);
	assert_int_equal(sources.cut, 12);
	assert_int_equal(sources.train_end[0], 8);
	assert_int_equal(sources.train_end[1], 12);
	assert_true(sources.pool.state[7 * 2] == 7 && sources.pool.state[7 * 2 + 1] == 1007);
	assert_true(sources.pool.state[8 * 2] == 1100 && sources.pool.state[8 * 2 + 1] == 100);
	assert_true(sources.pool.state[12 * 2] == 8); /* the first pool's tail */
	assert_true(sources.pool.state[14 * 2] == 1104);
	for (size_t row = 0; row < 15; row++)
		assert_int_equal(sources.pool.done[row],
				 row == 7 || row == 11 || row == 13 || row == 14);
	for (size_t row = 0; row < 15; row++) { /* x counts rows */
		const double x = sources.pool.state[row * 2];

		assert_int_equal(sources_origin(&sources, row, &own), x >= 1100);
		assert_true((double)own == x - (x >= 1100 ? 1100 : 0));
	}
	sources_free(&sources);
	assert_int_equal(read_two(&sources, "a.csv", "", &error), 0);
	assert_int_equal(sources.cut, 8);
	assert_int_equal(sources.pool.done[7], 0);
	assert_int_equal(sources_origin(&sources, 9, &own), 0);
	assert_int_equal(own, 9);
	sources_free(&sources);
}

/* The pool `from`, made for another reward and gamma. */
static void write_as_of(const char *from, const char *to, const char *reward, double gamma)
{
	char path[TEST_PATH_BYTES];
	struct pool pool;

	pool_init(&pool);
	test_path(path, from);
	assert_int_equal(pool_read(&pool, path, NULL), 0);
	pool.meta.gamma = gamma;
	strcpy(pool.meta.reward, reward);
	test_path(path, to);
	assert_int_equal(pool_write(&pool, path, NULL), 0);
	pool_free(&pool);
}

static void misfits_are_named(void **state)
{
	struct sources sources;
	struct error error = {0};

	(void)state;
	write_pool("a.csv", "x,y,action,reward,done", 10, 0);
	write_pool("c.csv", "x,z,action,reward,done", 10, 0);
	assert_int_equal(read_two(&sources, "a.csv", "c.csv", &error), ERR_INVALID);
	assert_string_equal(error.field, "y");
	assert_non_null(strstr(error.file, "c.csv"));
	sources_free(&sources);
	write_as_of("a.csv", "g.jsonl", "recorded", 0.5);
	assert_int_equal(read_two(&sources, "a.csv", "g.jsonl", &error), ERR_INVALID);
	assert_string_equal(error.field, "gamma");
	assert_non_null(strstr(error.text, "0.95"));
	sources_free(&sources);
	assert_int_equal(read_two(&sources, "a.csv", "none.csv", &error), ERR_NOT_FOUND);
	sources_free(&sources);
}

static int read_mixed(unsigned mixed, struct sources *sources, struct error *error)
{
	char first[TEST_PATH_BYTES], second[TEST_PATH_BYTES];
	const char *const paths[] = {first, second};

	test_path(first, "a.csv");
	test_path(second, "q.jsonl");
	return sources_read_mixed(sources, paths, 2, 0.2, mixed, error);
}

static void what_is_replaced_may_differ(void **state)
{
	struct sources sources;
	struct error error = {0};

	(void)state;
	write_pool("a.csv", "x,y,action,reward,done", 10, 0);
	write_as_of("a.csv", "q.jsonl", "qdelay", 0.5);
	assert_int_equal(read_mixed(SOURCES_MIXED_GAMMA, &sources, &error), ERR_INVALID);
	assert_string_equal(error.field, "reward");
	sources_free(&sources);
	assert_int_equal(read_mixed(SOURCES_MIXED_REWARD, &sources, &error), ERR_INVALID);
	assert_string_equal(error.field, "gamma");
	sources_free(&sources);
	assert_int_equal(read_mixed(SOURCES_MIXED_REWARD | SOURCES_MIXED_GAMMA, &sources, &error),
			 0);
	assert_int_equal(sources.pool.rows, 20);
	sources_free(&sources);
}

/* Of a long and a short pool an epoch draws as many windows each. */
static void strata_are_drawn_evenly(void **state)
{
	const struct dataset_fit fit = {.scaling = -1, .gamma = -1};
	struct dataset_window_options options = {
		.steps = 2, .stride = 1, .intervals = {1}, .interval_count = 1};
	struct policy_config config = {0};
	struct dataset_windows windows;
	struct dataset_window drawn[30];
	struct sources sources;
	struct dataset dataset;
	struct rng rng;
	int of_second = 0;

	(void)state;
	write_pool("a.csv", "x,y,action,reward,done", 80, 0);
	write_pool("b.csv", "x,y,action,reward,done", 10, 100);
	assert_int_equal(read_two(&sources, "a.csv", "b.csv", NULL), 0);
	assert_int_equal(dataset_fit_config(&config, &sources.pool, sources.cut, &fit, NULL), 0);
	assert_int_equal(dataset_new(&dataset, &sources.pool, sources.cut, &config, NULL), 0);
	options.stratum_end = sources.train_end;
	options.strata = sources.count;
	assert_int_equal(dataset_windows_new(&windows, &dataset, 0, sources.cut, &options, NULL),
			 0);
	assert_int_equal(windows.count, 63 + 7);
	rng_seed(&rng, 3);
	dataset_windows_draw(&windows, &rng, 30, 0.5, drawn);
	for (int i = 0; i < 30; i++) {
		of_second += drawn[i].first >= sources.train_end[0];
		assert_true(drawn[i].first + 1 < sources.cut);
	}
	assert_int_equal(of_second, 15);
	dataset_windows_free(&windows);
	dataset_free(&dataset);
	sources_free(&sources);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tails_stay_out),
		cmocka_unit_test(misfits_are_named),
		cmocka_unit_test(what_is_replaced_may_differ),
		cmocka_unit_test(strata_are_drawn_evenly),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return test_folder_remove() || failed;
}
