/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The modules' log, read back by the project's reader: the records that queue/ makes of the same
 * packets, every field of each, in the same order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "experience/kernel_log.h"
#include "kernel/freebsd/test/bench.h"
#include "tests/vectors/user.h"

#define PACKETS 20000
#define SEED 3

/* What queue/ recorded; and how far the log agrees with it. */
static struct aqm_record expected[PACKETS];
static uint64_t expected_count, read_count, actions[4];
static struct kernel_log_parser parser;

static void on_expected(void *context, const struct aqm_record *record)
{
	(void)context;
	assert_true(expected_count < PACKETS);
	expected[expected_count++] = *record;
}

/* As syslogd writes what the kernel logs. */
static void on_line(const char *text)
{
	static const char stamp[] = "Nov  1 12:00:00 router kernel: ";

	assert_int_equal(kernel_log_feed(&parser, stamp, sizeof(stamp) - 1, NULL), 0);
	assert_int_equal(kernel_log_feed(&parser, text, strlen(text), NULL), 0);
}

static int on_read(void *context, const struct aqm_record *record, int64_t syslog_s)
{
	(void)context;
	(void)syslog_s;
	assert_true(read_count < expected_count);
	assert_memory_equal(record, &expected[read_count], sizeof(*record));
	assert_in_range(record->dequeue_action, AQM_LOGGED_ENQUEUE, AQM_LOGGED_MARK);
	actions[record->dequeue_action]++;
	read_count++;
	return 0;
}

static void start(void)
{
	const struct kernel_log_sink sink = {.record = on_read};

	expected_count = read_count = 0;
	memset(actions, 0, sizeof(actions));
	kernel_log_parser_init(&parser, &sink);
	assert_int_equal(bench_load(on_line), 0);
}

/* All that was expected was read, of every kind, and nothing else. */
static void finish(void)
{
	assert_int_equal(kernel_log_finish(&parser, NULL), 0);
	assert_int_equal(read_count, expected_count);
	assert_true(read_count > PACKETS / 2);
	assert_int_equal(parser.counts.lines, read_count);
	for (int action = AQM_LOGGED_ENQUEUE; action <= AQM_LOGGED_MARK; action++)
		assert_true(actions[action] > 0);
	kernel_log_parser_free(&parser);
	assert_int_equal(world_unload(), 0);
	assert_int_equal(world_blocks(), 0);
}

static void expect(const char *law, const char *settings, bool single)
{
	const struct vectors_user user = {
		.law = law, .settings = settings, .single = single, .on_record = on_expected};

	assert_int_not_equal(vectors_user_run(&user, PACKETS, SEED, NULL), 0);
}

static void check_scheduler(uint32_t which, const char *law, const char *settings)
{
	struct vectors vectors;
	char name[32];

	start();
	expect(law, settings, false);
	snprintf(name, sizeof(name), "%s.log", law);
	assert_int_equal(world_sysctl_set(name, 1), 0);
	assert_int_not_equal(bench_run_case(which, PACKETS, SEED, &vectors), 0);
	finish();
}

static void check_queue(const char *module, const char *law, const int64_t *values,
			const char *settings)
{
	struct vectors vectors;
	char name[32];

	start();
	expect(law, settings, true);
	snprintf(name, sizeof(name), "%s.log", module);
	assert_int_equal(world_sysctl_set(name, 1), 0);
	assert_int_not_equal(bench_run_queue(module, values, 1000, PACKETS, SEED, &vectors), 0);
	finish();
}

static void schedulers_log_what_user_space_does(void **state)
{
	(void)state;
	check_scheduler(VECTORS_linux, "dualpi2", "limit_packets=1000");
	check_scheduler(VECTORS_early, "dualpi2", "limit_packets=1000:drop_early=1:scheduler=tsf");
	check_scheduler(VECTORS_shipped, "student", "limit_packets=1000");
}

static void queues_log_what_user_space_does(void **state)
{
	const int64_t marks[] = {-1, -1, -1, -1, -1, 500000, -2};

	(void)state;
	check_queue("pi2", "pi2", NULL, "limit_packets=1000");
	check_queue("pie_rfc", "pie", marks, "limit_packets=1000:ecn_max_p=0.5");
	check_queue("codel_rfc", "codel", NULL, "limit_packets=1000");
	check_queue("red_floyd", "red", NULL, "limit_packets=1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedulers_log_what_user_space_does),
		cmocka_unit_test(queues_log_what_user_space_does),
	};

	return cmocka_run_group_tests_name("FreeBSD log", tests, NULL, NULL);
}
