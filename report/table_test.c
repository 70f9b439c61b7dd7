/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables: columns by name, gaps, quotes, and errors that name line and column. */
#include "report/table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static const char *const queues[] = {"C", "L", "all", NULL};
static char path[64];

static int read_text(const char *text, struct table_column *columns, size_t *rows,
		     struct error *error)
{
	assert_int_equal(file_write_all(path, text, strlen(text), NULL), 0);
	return table_read(path, columns, 2, rows, error);
}

static void columns_by_name(void **state)
{
	struct table_column columns[] = {{.name = "queue", .words = queues}, {.name = "t_s"}};
	size_t rows;

	(void)state;
	assert_int_equal(read_text("other,t_s,queue\n1,0.5,L\r\n\"a,b\",,all\n", columns, &rows,
				   NULL),
			 0);
	assert_int_equal(rows, 2);
	assert_true(columns[0].cells[0] == 1 && columns[0].cells[1] == 2);
	assert_true(columns[1].cells[0] == 0.5 && isnan(columns[1].cells[1]));
	table_free(columns, 2);
}

static void bad_tables_are_refused(void **state)
{
	static const struct {
		const char *text, *field;
		long line;
	} cases[] = {
		{"", "", 0},
		{"t_s\n1\n", "queue", 1},
		{"t_s,t_s,queue\n", "t_s", 1},
		{"t_s,queue\n1,L\n2\n", "", 3},
		{"t_s,queue\n1,X\n", "queue", 2},
		{"t_s,queue\n1x,L\n", "t_s", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct table_column columns[] = {{.name = "queue", .words = queues},
						 {.name = "t_s"}};
		struct error error = {0};
		size_t rows;

		assert_int_equal(read_text(cases[i].text, columns, &rows, &error), ERR_INVALID);
		assert_int_equal(error.line, cases[i].line);
		assert_string_equal(error.field, cases[i].field);
		assert_null(columns[0].cells);
	}
}

static void cells_are_cut(void **state)
{
	char line[] = "a,\"b \"\"c\"\", d\",,e\n", *cells[8];

	(void)state;
	assert_int_equal(table_cut(line, cells, 8), 4);
	assert_string_equal(cells[0], "a");
	assert_string_equal(cells[1], "b \"c\", d");
	assert_string_equal(cells[2], "");
	assert_string_equal(cells[3], "e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_by_name),
		cmocka_unit_test(bad_tables_are_refused),
		cmocka_unit_test(cells_are_cut),
	};
	int failed;

	snprintf(path, sizeof(path), "table_test-%ld.csv", (long)getpid());
	failed = cmocka_run_group_tests_name("table", tests, NULL, NULL);
	unlink(path);
	return failed;
}
