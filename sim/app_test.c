/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Applications in closed loop: they send what they say, measure what the
 * network does to it, and draw for themselves; their scenario keys.
 */
#include <math.h>

#include "sim/test_support.h"

/* Runs `flows` for 30 s, 5 of them warm-up, over a link of `rate_mbps` with 10 ms each way. */
static struct sim_result *run(double rate_mbps, const char *aqm, const char *flows, uint64_t seed)
{
	const struct sim_options options = {.seed = seed};
	char text[2048];

	snprintf(text, sizeof(text),
		 "name: test\nduration_s: 30\nwarmup_s: 5\nbottleneck:\n  rate_mbps: %g\n"
		 "  delay_ms: 10\n  aqm: %s\n  limit_packets: 400\nflows:\n%s",
		 rate_mbps, aqm, flows);
	return test_run(text, &options);
}

/* 25 s of 50, of 60 + 10, and of 100 packets a second half of the time. */
static void datagrams_are_those_of_the_table(void **state)
{
	static const char flows[] =
		"  - {cc: udp, app: {name: voice, pause_s: 0}}\n"
		"  - {cc: udp, app: gaming}\n"
		"  - {cc: udp, app: {name: onoff, rate_mbps: 1.2, times: fixed}}\n"
		"  - {cc: udp, rate_mbps: 1.2}\n";
	static const uint64_t expected[] = {1250, 1750, 1250, 2500};
	struct sim_result *result = run(1000, "fifo", flows, 1);

	(void)state;
	for (int i = 0; i < 4; i++) {
		const struct sim_datagrams *datagrams = &result->flows[i].app->datagrams;

		/* One phase more or less of the on/off source. */
		assert_in_range(datagrams->received, expected[i] - (i == 2 ? 100 : 3),
				expected[i] + (i == 2 ? 100 : 3));
		assert_int_equal(datagrams->lost, 0);
		assert_true(sketch_mean(&datagrams->delay_ns) > 10e6);
		assert_true(sketch_mean(&datagrams->delay_ns) < 10.05e6);
		assert_true(datagrams->jitter_ns < 0.02e6);
	}
	/* 160 bytes of speech and 12 of RTP, 50 times a second. */
	assert_true(fabs(result->flows[0].goodput_mbps - 0.0688) < 0.0002);
	assert_string_equal(result->flows[0].app_name, "voice");
	assert_string_equal(result->flows[3].app_name, "");
	test_drop(result);
}

/* Spurts of 1.004 s and pauses of 1.587 s: 38.7 % of the packets of a talk without pauses. */
static void speakers_pause(void **state)
{
	struct sim_result *result = run(1000, "fifo", "  - {cc: udp, count: 200, app: voice}\n", 1);
	double received = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		received += (double)result->flows[i].app->datagrams.received;
	assert_true(fabs(received / (200 * 1250) - 1.004 / 2.591) < 0.02);
	test_drop(result);
}

static void losses_are_counted(void **state)
{
	struct sim_result *result = run(5, "fifo", "  - {cc: udp, rate_mbps: 10}\n", 1);
	const struct sim_datagrams *datagrams = &result->flows[0].app->datagrams;
	const double told = (double)(datagrams->received + datagrams->lost);
	const double waiting_s = 400 * 2.4e-3 + 0.01;

	(void)state;
	/* Half of what is sent; 400 packets of 2.4 ms wait at any time, whose fate is not told. */
	assert_true(fabs((double)datagrams->lost / told - 0.5) < 0.001);
	assert_true(fabs(told - 10e6 / 12000 * (25 - waiting_s)) < 5);
	assert_true(fabs(sketch_quantile(&datagrams->delay_ns, 0.5) / 1e6 - (400 * 2.4 + 12.4)) <
		    20);
	test_drop(result);
}

/* Behind two downloads a call waits for the whole buffer, unless the law keeps it short. */
static void voice_waits_where_the_buffer_is_full(void **state)
{
	static const char flows[] = "  - {cc: cubic, count: 2}\n  - {cc: udp, app: voice}\n"
				    "  - {cc: udp, ecn: ect1, app: gaming}\n";
	struct sim_result *fifo = run(10, "fifo", flows, 1), *dual = run(10, "dualpi2", flows, 1);
	const struct sketch *in_fifo = &fifo->flows[2].app->datagrams.delay_ns;
	const struct sketch *in_c = &dual->flows[2].app->datagrams.delay_ns;
	const struct sketch *in_l = &dual->flows[3].app->datagrams.delay_ns;

	(void)state;
	assert_true(sketch_quantile(in_fifo, 0.5) > 200e6);
	assert_true(sketch_quantile(in_c, 0.5) < 40e6 && sketch_quantile(in_c, 0.99) < 70e6);
	/* One packet of the other queue takes 1.2 ms. */
	assert_true(sketch_quantile(in_l, 0.5) < 12.5e6 && sketch_quantile(in_l, 0.99) < 15e6);
	test_drop(fifo);
	test_drop(dual);
}

static void flows_draw_for_themselves(void **state)
{
	static const char three[] = "  - {cc: udp, count: 3, app: voice}\n";
	static const char four[] = "  - {cc: udp, count: 3, app: voice}\n"
				   "  - {cc: udp, app: onoff}\n";
	struct sim_result *a = run(1000, "fifo", three, 1), *b = run(1000, "fifo", four, 1);
	struct sim_result *c = run(1000, "fifo", three, 2);
	uint64_t differing = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(a->flows[i].app->datagrams.received,
				 b->flows[i].app->datagrams.received);
		differing += a->flows[i].app->datagrams.received !=
			     c->flows[i].app->datagrams.received;
	}
	assert_true(differing > 0);
	test_drop(a);
	test_drop(b);
	test_drop(c);
}

static void nothing_starts_outside_its_time(void **state)
{
	struct sim_result *result =
		run(100, "fifo",
		    "  - {cc: udp, start_s: 10, stop_s: 20, app: {name: voice, pause_s: 0}}\n", 1);

	(void)state;
	assert_in_range(result->flows[0].app->datagrams.received, 495, 501);
	test_drop(result);
}

static void keys_read_back_as_written(void **state)
{
	struct scenario *scenario =
		test_parse("name: x\nbottleneck: {rate_mbps: 10}\nflows:\n"
		      "  - {cc: udp, app: {name: onoff, times: fixed, on_s: 0.1}}\n"
		      "  - {cc: udp, app: voice}\n");
	struct scenario *back = calloc(1, sizeof(*back));

	(void)state;
	assert_int_equal(scenario_write(scenario, "app_test.yaml", NULL), 0);
	assert_int_equal(scenario_read(back, "app_test.yaml", NULL), 0);
	remove("app_test.yaml");
	assert_memory_equal(back->groups, scenario->groups, sizeof(back->groups));
	scenario_free(scenario);
	scenario_free(back);
	free(scenario);
	free(back);
}

static void bad_keys_name_their_line(void **state)
{
	static const struct {
		const char *group, *field, *says;
	} rows[] = {
		{"{cc: udp, app: telex}", "app", "voice"},
		{"{cc: udp, app: {talk_s: 1}}", "app", "name"},
		{"{cc: udp, app: [voice]}", "app", "name"},
		{"{cc: udp, app: {name: voice, talk: 1}}", "talk", "talk_s"},
		{"{cc: udp, app: {name: voice, talk_s: -1}}", "talk_s", "range"},
		{"{cc: udp, app: {name: voice, talk_s: long}}", "talk_s", "number"},
		{"{cc: udp, app: {name: voice, payload_bytes: 0.5}}", "payload_bytes", "range"},
		{"{cc: udp, app: {name: voice, payload_bytes: 1.5}}", "payload_bytes", "whole"},
		{"{cc: udp, app: {name: voice, talk_s: 1, talk_s: 2}}", "talk_s", "twice"},
		{"{cc: udp, app: {name: voice, name: onoff}}", "name", "twice"},
		{"{cc: udp, app: {name: onoff, times: often}}", "times", "exponential"},
		{"{cc: udp, rate_mbps: 1, app: voice}", "app", "rate_mbps"},
		{"{cc: cubic, app: voice}", "app", "udp"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario *scenario = calloc(1, sizeof(*scenario));
		struct error error = {0};
		char text[512];

		snprintf(text, sizeof(text),
			 "name: x\nbottleneck: {rate_mbps: 1}\nflows:\n  - %s\n",
			 rows[i].group);
		assert_int_equal(error_exit_status(scenario_parse(scenario, text, strlen(text),
								  "bad.yaml", &error)),
				 2);
		assert_string_equal(error.field, rows[i].field);
		assert_int_equal(error.line, 4);
		if (strstr(error.text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].group, error.text);
		scenario_free(scenario);
		free(scenario);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_are_those_of_the_table),
		cmocka_unit_test(speakers_pause),
		cmocka_unit_test(losses_are_counted),
		cmocka_unit_test(voice_waits_where_the_buffer_is_full),
		cmocka_unit_test(flows_draw_for_themselves),
		cmocka_unit_test(nothing_starts_outside_its_time),
		cmocka_unit_test(keys_read_back_as_written),
		cmocka_unit_test(bad_keys_name_their_line),
	};

	return cmocka_run_group_tests_name("app", tests, NULL, NULL);
}
