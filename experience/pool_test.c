/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools: lossless in every format, and made from records as documented. */
#include "experience/pool_formats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/rng.h"
#include "experience/collect.h"
#include "experience/record_fields.h"

#define ROWS 500

static void fill(struct pool *pool, size_t features)
{
	struct rng rng;

	rng_seed(&rng, features);
	pool_init(pool);
	pool->features = features;
	for (size_t i = 0; i < features; i++) {
		snprintf(pool->columns[i].name, sizeof(pool->columns[i].name), "feature_%zu", i);
		snprintf(pool->columns[i].unit, sizeof(pool->columns[i].unit), i % 2 ? "us" : "");
		pool->columns[i].is_integer = i % 3 != 2;
	}
	strcpy(pool->meta.reward, "paper");
	strcpy(pool->meta.state, "before");
	pool->meta.gamma = 0.95;
	for (size_t row = 0; row < ROWS; row++) {
		double values[POOL_MAX_FEATURES];

		for (size_t i = 0; i < features; i++)
			values[i] = pool->columns[i].is_integer
					    ? (double)(int64_t)(rng_u64(&rng) >> (11 + row % 50))
					    : rng_normal(&rng) * pow(10, (double)(row % 40) - 20);
		assert_int_equal(pool_append(pool, values, (int32_t)rng_below(&rng, 3),
					     rng_normal(&rng), row % 97 == 96 || row + 1 == ROWS),
				 0);
	}
}

static void assert_same(const struct pool *a, const struct pool *b)
{
	assert_int_equal(a->rows, b->rows);
	assert_int_equal(a->features, b->features);
	for (size_t i = 0; i < a->features; i++) {
		assert_string_equal(a->columns[i].name, b->columns[i].name);
		assert_int_equal(a->columns[i].is_integer, b->columns[i].is_integer);
	}
	assert_memory_equal(a->state, b->state, a->rows * a->features * sizeof(double));
	assert_memory_equal(a->action, b->action, a->rows * sizeof(*a->action));
	assert_memory_equal(a->reward, b->reward, a->rows * sizeof(*a->reward));
	assert_memory_equal(a->done, b->done, a->rows);
	assert_string_equal(a->meta.reward, b->meta.reward);
	assert_string_equal(a->meta.state, b->meta.state);
	assert_true(a->meta.gamma == b->meta.gamma);
}

static void pools_pass_through_every_format_unchanged(void **state)
{
	static const char *const names[] = {"pool_test.jsonl", "pool_test.safetensors",
					    "pool_test.csv", "pool_test.jsonl"};

	(void)state;
	for (size_t features = 7; features <= 9; features++) {
		struct pool first, now;

		fill(&first, features);
		fill(&now, features);
		for (size_t i = 0; i < 4; i++) {
			struct error error = {0};

			assert_int_equal(pool_write(&now, names[i], NULL), 0);
			pool_free(&now);
			pool_init(&now);
			if (pool_read(&now, names[i], &error))
				fail_msg("%s: %s", names[i], error.text);
			assert_same(&first, &now);
		}
		pool_free(&first);
		pool_free(&now);
	}
	for (size_t i = 0; i < 3; i++)
		remove(names[i]);
	remove("pool_test.csv.meta.json");
}

static struct aqm_record record_of(int64_t queue, int64_t accumulated, int64_t burst,
				   int64_t action, int64_t total)
{
	struct aqm_record record = {0};

	record.queue_type = queue;
	record.accumulated_probability = accumulated;
	record.burst_allowance = burst;
	record.dequeue_action = action;
	record.total_packets = total;
	record.current_queue_delay = 1000;
	record.packet_length = 1500;
	return record;
}

static void the_state_before_is_what_the_last_record_left(void **state)
{
	struct collect_options options;
	struct collector collector;
	struct pool pool;
	int accumulated;

	(void)state;
	collect_defaults(&options);
	options.features = 7;
	pool_init(&pool);
	collector_init(&collector, &options, &pool);
	/* queue, accumulated, burst allowance, action, total packets */
	collector_add(&collector, &(struct aqm_record){0}, 0);
	for (int i = 0; i < 5; i++) {
		static const int64_t rows[5][5] = {{0, 40, 0, 1, 1},
						   {0, 90, 0, 2, 2}, /* really dropped */
						   {0, 7, 0, 1, 3},
						   {1, 99, 0, 1, 3},
						   {0, 12, 5, 2, 4}}; /* shielded */
		const struct aqm_record record =
			record_of(rows[i][0], rows[i][1], rows[i][2], rows[i][3], rows[i][4]);

		assert_int_equal(collector_add(&collector, &record, 0), 0);
	}
	collector_add(&collector, &(struct aqm_record){.total_packets = 5}, 0);
	collector_finish(&collector);
	accumulated = pool_feature(&pool, "accumulated_probability");
	assert_true(accumulated >= 0);
	assert_true(pool.state[2 * pool.features + (size_t)accumulated] == 40);
	assert_true(pool.state[3 * pool.features + (size_t)accumulated] == 0);
	assert_true(pool.state[4 * pool.features + (size_t)accumulated] == 0);
	assert_true(pool.state[5 * pool.features + (size_t)accumulated] == 7);
	assert_true(pool.state[6 * pool.features + (size_t)accumulated] == 12);
	assert_int_equal(pool.done[pool.rows - 1], 1);
	assert_true(fabs(pool.reward[1] - 750) < 1e-9);
	assert_int_equal(pool.action[2], POOL_DROP);
	pool_free(&pool);
}

static void gaps_and_restarts_end_episodes(void **state)
{
	struct collect_options options;
	struct collector collector;
	struct pool pool;
	static const struct {
		int64_t total, second;
		int done;
	} rows[] = {{1, 0, 0}, {2, 1, 1}, {3, 60, 0}, {4, 60, 1}, {1, 61, 0}, {2, 61, 1}};

	(void)state;
	collect_defaults(&options);
	pool_init(&pool);
	collector_init(&collector, &options, &pool);
	for (size_t i = 0; i < 6; i++) {
		const struct aqm_record record = record_of(0, 0, 0, 1, rows[i].total);

		assert_int_equal(collector_add(&collector, &record, rows[i].second), 0);
	}
	collector_finish(&collector);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pool.done[i], rows[i].done);
	pool_free(&pool);
}

static void hostile_files_are_refused_in_one_line(void **state)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{"bad_test.csv", ""},
		{"bad_test.csv", "a,b\n1,2\n"},
		{"bad_test.csv", "a,action,reward,done\n1,0,1,0\n1,9,1,0\n"},
		{"bad_test.csv", "a,action,reward,done\nx,0,1,0\n"},
		{"bad_test.csv", "a,action,reward,done\n1,0,1\n"},
		{"bad_test.csv", "law_probability,action,reward,done\n1.01,0,1,0\n"},
		{"bad_test.csv", "a,action,reward,done\n\xff\xfe,0,1,0\n"},
		{"bad_test.jsonl", "{\"meta\":\n"},
		{"bad_test.jsonl", "[]\n"},
		{"bad_test.jsonl",
		 "{\"meta\":{\"version\":1,\"features\":[\"a\"]}}\n{\"state\":[1,2]}\n"},
		{"bad_test.jsonl", "{\"meta\":{\"version\":1,\"features\":[\"law_probability\"]}}\n"
				   "{\"state\":[-0.1],\"action\":0,\"reward\":1,\"done\":0}\n"},
		{"bad_test.safetensors", "short"},
		{"bad_test.safetensors", "\xff\xff\xff\xff\xff\xff\xff\x7f{}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *file = fopen(files[i].name, "w");
		struct error error = {0};
		struct pool pool;
		char line[2048];
		int code;

		fwrite(files[i].text, 1, strlen(files[i].text), file);
		fclose(file);
		pool_init(&pool);
		code = pool_read(&pool, files[i].name, &error);
		assert_int_equal(error_exit_status(code), 2);
		error_format(&error, line, sizeof(line));
		assert_non_null(strstr(line, files[i].name));
		assert_null(strchr(line, '\n'));
		pool_free(&pool);
		remove(files[i].name);
	}
}

static void probabilities_are_checked_in_every_format(void **state)
{
	static const char *const names[] = {"odd_test.csv", "odd_test.jsonl",
					    "odd_test.safetensors"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct error error = {0};
		struct pool pool;

		pool_init(&pool);
		assert_int_equal(pool_add_column(&pool, POOL_LAW_COLUMN, "", 0, NULL), 0);
		assert_int_equal(pool_append(&pool, (double[]){1}, 0, 1, false), 0);
		assert_int_equal(pool_write(&pool, names[i], &error), 0);
		assert_int_equal(pool_read(&pool, names[i], &error), 0);
		assert_int_equal(pool_append(&pool, (double[]){1.5}, 0, 1, true), 0);
		pool.columns[0].is_integer = false;
		assert_int_equal(pool_write(&pool, names[i], &error), 0);
		assert_int_equal(pool_read(&pool, names[i], &error), ERR_INVALID);
		assert_string_equal(error.field, POOL_LAW_COLUMN);
		assert_string_equal(error.file, names[i]);
		pool_free(&pool);
		remove(names[i]);
		remove("odd_test.csv.meta.json");
	}
}

static void rows_are_records_by_their_columns(void **state)
{
	struct aqm_record record;
	struct pool pool;

	(void)state;
	pool_init(&pool);
	assert_int_equal(pool_add_column(&pool, "packet_length", "", 0, NULL), 0);
	assert_int_equal(pool_add_column(&pool, "no_field", "", 0, NULL), 0);
	assert_int_equal(pool_add_column(&pool, "queue_type", "", 0, NULL), 0);
	assert_int_equal(pool_append(&pool, (double[]){1500, 7, 1}, 0, 1, false), 0);
	assert_int_equal(pool_append(&pool, (double[]){64, 8, 0}, 0, 1, true), 0);
	record_of_row(&record, &pool, 0);
	assert_int_equal(record.packet_length, 1500);
	assert_int_equal(record.queue_type, 1);
	assert_int_equal(record.total_drops, 0);
	assert_int_equal(record_value(&record, record_field("packet_length")), 1500);
	record_of_row(&record, &pool, 1);
	assert_int_equal(record.packet_length, 64);
	assert_int_equal(record_field("dequeue_action"), AQM_RECORD_FIELDS - 1);
	assert_int_equal(record_field("no_field"), -1);
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pools_pass_through_every_format_unchanged),
		cmocka_unit_test(the_state_before_is_what_the_last_record_left),
		cmocka_unit_test(gaps_and_restarts_end_episodes),
		cmocka_unit_test(hostile_files_are_refused_in_one_line),
		cmocka_unit_test(probabilities_are_checked_in_every_format),
		cmocka_unit_test(rows_are_records_by_their_columns),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
