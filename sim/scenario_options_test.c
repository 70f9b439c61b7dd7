/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of flows from a file, into the run, and back into a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/test_folder.h"
#include "sim/run.h"

static const char text[] =
	"duration_s: 20\nwarmup_s: 5\nbottleneck: {rate_mbps: 8, delay_ms: 40, aqm: pie}\nflows:\n"
	"  - {cc: cubic, options: [abe, linux_cubic]}\n"
	"  - {cc: prague, options: [classic_fallback, no_rtt_independence]}\n"
	"  - {cc: udp_prague, frames_per_s: 50, frame_budget_ms: 10}\n  - {cc: newreno}\n";

static struct scenario *parse(const char *from)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};

	if (scenario_parse(scenario, from, strlen(from), "test.yaml", &error))
		fail_msg("%s", error.text);
	return scenario;
}

static void drop(struct scenario *scenario)
{
	scenario_free(scenario);
	free(scenario);
}

static void files_keep_them(void **state)
{
	char path[TEST_PATH_BYTES];
	struct scenario *scenario = parse(text), again;
	struct error error = {0};

	(void)state;
	assert_int_equal(test_folder_make(), 0);
	test_path(path, "options.yaml");
	assert_true(scenario->groups[0].options.abe && scenario->groups[0].options.linux_cubic);
	assert_false(scenario->groups[0].options.classic_fallback);
	assert_true(scenario->groups[1].options.classic_fallback);
	assert_true(scenario->groups[2].frames_per_s == 50);
	assert_int_equal(scenario_write(scenario, path, &error), 0);
	assert_int_equal(scenario_read(&again, path, &error), 0);
	for (int i = 0; i < 4; i++)
		assert_memory_equal(&again.groups[i].options, &scenario->groups[i].options,
				    sizeof(struct tcp_options));
	assert_true(again.groups[2].frame_budget_ms == 10);
	scenario_free(&again);
	drop(scenario);
	assert_int_equal(test_folder_remove(), 0);
}

static void mistakes_are_named(void **state)
{
	static const char *const flows[] = {
		"flows:\n  - {cc: cubic, options: [abc]}\n",
		"flows:\n  - {cc: cubic, frames_per_s: 50}\n",
		"flows:\n  - {cc: udp_prague, frame_budget_ms: 5}\n",
		"flows:\n  - {cc: cubic}\n  - {cc: cubic, options: [abe, linux_prague]}\n",
		"flows:\n  - {cc: cubic}\n  - {cc: bbr, options: [abe, linux_bbr]}\n",
		"flows:\n  - {cc: cubic}\n  - {cc: dctcp, options: [abe, linux_dctcp]}\n",
	};
	static const char *const fields[] = {"options", "frames_per_s", "frame_budget_ms",
					     "options", "options",
					     "options"};
	static const char *const texts[] = {
		"abe, linux_bbr", "cubic", "frames_per_s",
		"linux_prague is of prague, not of cubic; it has abe, linux_cubic",
		"abe is of newreno and cubic, not of bbr; it has linux_bbr",
		"abe is of newreno and cubic, not of dctcp; it has linux_dctcp"};
	static const long lines[] = {2, 2, 2, 3, 3, 3};

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct scenario scenario;
		struct error error = {0};

		assert_int_not_equal(scenario_parse(&scenario, flows[i], strlen(flows[i]),
						    "test.yaml", &error),
				     0);
		assert_string_equal(error.field, fields[i]);
		assert_non_null(strstr(error.text, texts[i]));
		assert_int_equal(error.line, lines[i]);
	}
}

static double goodput(const char *options)
{
	char flows[256];
	struct scenario *scenario;
	struct sim_result result;
	struct error error = {0};
	double mbps;

	snprintf(flows, sizeof(flows),
		 "duration_s: 60\nwarmup_s: 20\nbottleneck: {rate_mbps: 8, delay_ms: 50, aqm: pie, "
		 "params: [\"target_ms=5\"]}\nflows:\n  - {cc: newreno, ecn: classic%s}\n",
		 options);
	scenario = parse(flows);
	assert_int_equal(sim_run(scenario, &(struct sim_options){.seed = 1}, &result, &error), 0);
	mbps = result.flows[0].goodput_mbps;
	sim_result_free(&result);
	drop(scenario);
	return mbps;
}

/* What ABE is for (RFC 8511 section 1): a short queue and a long round trip. */
static void runs_respect_them(void **state)
{
	(void)state;
	assert_true(goodput(", options: [abe]") > 1.04 * goodput(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_keep_them),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(runs_respect_them),
	};

	return cmocka_run_group_tests_name("scenario options", tests, NULL, NULL);
}
