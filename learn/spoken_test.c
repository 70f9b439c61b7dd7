/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Laws of decisions in words: a prompt tells the state and, of the row to be
 * decided, never the action; answers are read as a person would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "learn/spoken.h"

static void answers(void **state)
{
	static const struct {
		const char *text;
		int action;
	} rows[] = {
		{"enqueue", POOL_ENQUEUE}, {" Drop.", POOL_DROP},     {"MARK\n", POOL_MARK},
		{"1", POOL_DROP},          {" 2, because", POOL_MARK}, {"0\n", POOL_ENQUEUE},
		{"", -1},                  {"yes", -1},               {"10", -1},
		{"0.5", -1},               {"3", -1},                 {"x1", -1},
		{"dropped", POOL_DROP},    {"do mark, not drop", POOL_MARK},
		{"1500 bytes: drop", POOL_DROP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (spoken_answer(rows[i].text) != rows[i].action)
			fail_msg("\"%s\" is read as %d", rows[i].text,
				 spoken_answer(rows[i].text));
}

static void steps(void **state)
{
	const double row[] = {1, 0.25, 1500};
	char text[SPOKEN_LINE_BYTES];
	struct pool pool;

	(void)state;
	pool_init(&pool);
	pool.features = 3;
	strcpy(pool.columns[0].name, "queue_type");
	strcpy(pool.columns[1].name, POOL_LAW_COLUMN);
	strcpy(pool.columns[2].name, "packet_length");
	assert_int_equal(pool_append(&pool, row, POOL_MARK, 0, false), 0);
	spoken_step(text, sizeof(text), &pool, 0, true);
	assert_string_equal(text, "queue_type=1 packet_length=1500 action=mark\n");
	spoken_step(text, sizeof(text), &pool, 0, false);
	assert_string_equal(text, "queue_type=1 packet_length=1500 action=");
	spoken_step(text, 12, &pool, 0, false);
	assert_true(strlen(text) < 12);
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
