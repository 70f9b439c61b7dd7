/* SPDX-License-Identifier: BSD-2-Clause */
/* Baselines are scored on every pool of the run, as many as there may be. */
#include "cli/training_curve.h"

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
#include "cli/train_record.h"
#include "learn/sources.h"

/* Ten rows, of which the last two are held out, with one action. */
static void write_pool(const char *path, int action)
{
	char text[512];
	size_t used = (size_t)snprintf(text, sizeof(text), "x,action,reward,done\n");

	for (int i = 0; i < 10; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%d,%d,1,0\n", i,
					 action);
	assert_int_equal(file_write_all(path, text, used, NULL), 0);
}

/* All pools enqueue but the last, so the held-out rows tell whether it was read. */
static void the_last_of_many_pools_counts(void **state)
{
	char text[SOURCES_MAX * 64];
	size_t used = (size_t)snprintf(text, sizeof(text), "{\"options\": {\"held-out\": 0.2}, "
							   "\"pools\": [");
	struct training_curve curve = {0};

	(void)state;
	for (int i = 0; i < SOURCES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s{\"path\": \"%s\"}",
					 i ? ", " : "",
					 i + 1 < SOURCES_MAX ? "many.csv" : "last.csv");
	used += (size_t)snprintf(text + used, sizeof(text) - used, "]}");
	assert_int_equal(file_write_all(TRAIN_RECORD_FILE, text, used, NULL), 0);
	write_pool("many.csv", 0);
	write_pool("last.csv", 1);
	training_curve_score(&curve, ".");
	assert_true(curve.has_baselines);
	assert_int_equal(curve.baselines[BASELINE_majority].rows, 2 * SOURCES_MAX);
	assert_true(curve.baselines[BASELINE_majority].accuracy ==
		    (double)(SOURCES_MAX - 1) / SOURCES_MAX);
	assert_int_equal(unlink("last.csv"), 0);
	curve = (struct training_curve){0};
	training_curve_score(&curve, ".");
	assert_false(curve.has_baselines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_last_of_many_pools_counts)};
	int failed;

	if (test_folder_make() || chdir(test_folder))
		return 1;
	failed = cmocka_run_group_tests_name("training_curve", tests, NULL, NULL);
	return test_folder_remove() || failed;
}
