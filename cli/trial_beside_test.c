/* SPDX-License-Identifier: BSD-2-Clause */
/* Real runs in files, found by the names of a trial, and what is told of both worlds. */
#include "cli/trial_beside.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/test_folder.h"
#include "cli/trial_real.h"

/* A run whose figures are `scale` times the same. */
static void make(struct trial_outcome *outcome, double scale)
{
	memset(outcome, 0, sizeof(*outcome));
	for (int m = 0; m < TRIAL_METRICS; m++)
		outcome->values[m] = NAN;
	outcome->values[TRIAL_qdelay_ms_mean] = 10 * scale;
	outcome->values[TRIAL_goodput_mbps] = 8;
	outcome->values[TRIAL_mark_percent] = 0.01 * scale * scale * scale;
	outcome->values[TRIAL_drop_percent] = scale > 1 ? 1 : 0;
}

/* One scenario, a law and a policy on top of it, two seeds; all are simulated as `scale` says. */
static struct trial *open_trial(double scale)
{
	struct trial *trial = calloc(1, sizeof(*trial));

	trial->scenarios = calloc(1, sizeof(*trial->scenarios));
	trial->scenario_count = 1;
	strcpy(trial->scenarios[0].name, "net");
	strcpy(trial->arms[0].name, "dualpi2");
	strcpy(trial->arms[1].name, "policy/10 @3.5ms");
	trial->arm_count = 2;
	trial->first_seed = 1;
	trial->seeds = 2;
	trial->outcomes = calloc(4, sizeof(*trial->outcomes));
	for (int i = 0; i < 4; i++)
		make(&trial->outcomes[i], scale);
	return trial;
}

static void close_trial(struct trial *trial)
{
	trial_forget(trial);
	free(trial->scenarios);
	free(trial);
}

static void put_run(const char *arm, unsigned seed)
{
	struct trial_outcome outcome;
	struct error error = {0};
	char path[TEST_PATH_BYTES];

	snprintf(path, sizeof(path), "%s/net/%s", test_folder, arm);
	assert_int_equal(file_make_folders(path, &error), 0);
	snprintf(path, sizeof(path), "%s/net/%s/%u.run", test_folder, arm, seed);
	make(&outcome, 1);
	assert_int_equal(trial_real_write(&outcome, path, &error), 0);
}

static void runs_are_found_by_their_names(void **state)
{
	struct trial *simulated = open_trial(1), *real = calloc(1, sizeof(*real));
	struct error error = {0};
	char path[TEST_PATH_BYTES];

	(void)state;
	put_run("dualpi2", 1);
	put_run("dualpi2", 2);
	put_run("policy/10", 1);
	assert_int_equal(trial_real_read(real, simulated, test_folder, &error), ERR_NOT_FOUND);
	assert_non_null(strstr(error.file, "net/policy/10/2.run"));
	trial_real_free(real);
	put_run("policy/10", 2);
	error_clear(&error);
	assert_int_equal(trial_real_read(real, simulated, test_folder, &error), 0);
	assert_true(real->outcomes[3].values[TRIAL_qdelay_ms_mean] == 10);
	trial_real_free(real);
	/* A file that is no run. */
	snprintf(path, sizeof(path), "%s/net/policy/10/2.run", test_folder);
	assert_int_equal(file_write_all(path, "aqmllm run 3\n", 13, &error), 0);
	assert_int_equal(trial_real_read(real, simulated, test_folder, &error), ERR_INVALID);
	trial_real_free(real);
	put_run("policy/10", 2);
	free(real);
	close_trial(simulated);
}

/* What is printed of trials that are simulated as `scale` says, beside the runs of the folder. */
static char *print(double scale)
{
	struct trial *simulated = open_trial(scale), *real = calloc(1, sizeof(*real));
	struct error error = {0};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(trial_real_read(real, simulated, test_folder, &error), 0);
	trial_beside_print(out, simulated, real);
	fclose(out);
	trial_real_free(real);
	free(real);
	close_trial(simulated);
	return text;
}

static void what_differs_by_a_fifth_is_told(void **state)
{
	char *text = print(1.19);

	(void)state;
	assert_non_null(strstr(text, "1.19"));
	/* Of two arms the drops, which reality has none of; marks are too rare for a ratio. */
	assert_non_null(strstr(text, "2 of 8 figures are off by more than 20 %"));
	free(text);
	text = print(0.79);
	assert_non_null(strstr(text, "2 of 8 figures are off"));
	assert_non_null(strstr(text, "0.79 off"));
	free(text);
	text = print(1);
	assert_non_null(strstr(text, "0 of 8 figures are off"));
	assert_non_null(strstr(text, "policy/10 @3.5ms"));
	free(text);
	text = print(2);
	assert_non_null(strstr(text, "6 of 8 figures are off"));
	free(text);
}

static int make_folder(void **state)
{
	(void)state;
	return test_folder_make();
}

static int remove_folder(void **state)
{
	(void)state;
	return test_folder_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_are_found_by_their_names),
		cmocka_unit_test(what_differs_by_a_fifth_is_told),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
