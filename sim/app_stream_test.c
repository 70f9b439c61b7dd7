/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Applications over TCP in closed loop: transfers, pages and video take the
 * time that arithmetic says on an empty path, and what the network leaves them
 * on a busy one.
 */
#include <math.h>

#include "sim/test_support.h"

/* Runs `flows` for 65 s, 5 of them warm-up, over a link of `rate_mbps` with 10 ms each way. */
static struct sim_result *run(double rate_mbps, const char *aqm, const char *flows, uint64_t seed)
{
	const struct sim_options options = {.seed = seed};
	char text[2048];

	snprintf(text, sizeof(text),
		 "name: test\nduration_s: 65\nwarmup_s: 5\nbottleneck:\n  rate_mbps: %g\n"
		 "  delay_ms: 10\n  aqm: %s\n  limit_packets: 400\nflows:\n%s",
		 rate_mbps, aqm, flows);
	return test_run(text, &options);
}

static double quantile_ms(const struct sim_tasks *tasks, double q)
{
	return sketch_quantile(&tasks->time_ns, q) / 1e6;
}

/*
 * 100 kB are 70 segments: windows of 10, 20 and 40.  A handshake, two round trips of 20 ms and 10
 * ms one way make 70 ms; a delayed acknowledgement of an odd segment would add 40.  Every transfer
 * starts anew: none is faster than another.
 */
static void every_transfer_starts_slowly(void **state)
{
	static const char *const ccs[] = {"newreno", "cubic", "dctcp"};

	(void)state;
	for (size_t i = 0; i < sizeof(ccs) / sizeof(ccs[0]); i++) {
		struct sim_result *result;
		const struct sim_tasks *tasks;
		char flows[128];

		snprintf(flows, sizeof(flows),
			 "  - {cc: %s, app: {name: transfers, per_s: 4, arrivals: fixed}}\n",
			 ccs[i]);
		result = run(1000, "fifo", flows, 1);
		tasks = &result->flows[0].app->tasks;
		assert_in_range(tasks->begun, 239, 241);
		assert_in_range(tasks->done, tasks->begun - 1, tasks->begun);
		assert_int_equal(tasks->bytes, 100000 * tasks->done);
		assert_true(quantile_ms(tasks, 0.01) > 69 && quantile_ms(tasks, 0.99) < 75);
		assert_true(fabs(result->flows[0].goodput_mbps - 3.2) < 0.03);
		test_drop(result);
	}
}

static void sizes_and_arrivals_have_their_means(void **state)
{
	static const char flows[] =
		"  - {cc: cubic, count: 20, app: {name: transfers, per_s: 2, size_kb: 50}}\n"
		"  - {cc: cubic, count: 20, app: {name: transfers, per_s: 2, size_kb: 50, sizes: "
		"lognormal}}\n"
		"  - {cc: cubic, count: 20, app: {name: transfers, per_s: 2, size_kb: 50, sizes: "
		"pareto, pareto_shape: 2.5}}\n";
	struct sim_result *result = run(1000, "fifo", flows, 1);

	(void)state;
	for (int group = 0; group < 3; group++) {
		double begun = 0, bytes = 0, done = 0;

		for (int i = 20 * group; i < 20 * group + 20; i++) {
			const struct sim_tasks *tasks = &result->flows[i].app->tasks;

			begun += (double)tasks->begun;
			done += (double)tasks->done;
			bytes += (double)tasks->bytes;
		}
		/* 2400 arrivals: four standard deviations are 8 %. */
		assert_true(fabs(begun / 2400 - 1) < 0.08);
		assert_true(fabs(bytes / done / 50000 - 1) < (group ? 0.12 : 1e-9));
	}
	test_drop(result);
}

static void too_many_transfers_are_refused(void **state)
{
	struct sim_result *result = run(
		10, "fifo",
		"  - {cc: cubic, app: {name: transfers, per_s: 10, size_kb: 1000, open_most: 5}}\n",
		1);
	const struct sim_tasks *tasks = &result->flows[0].app->tasks;

	(void)state;
	assert_true(tasks->refused > 400);
	assert_true(tasks->begun - tasks->done <= 5);
	/* 1.25 MB/s, headers and retransmissions taken off. */
	assert_true(tasks->done > 60 && tasks->done < 75);
	test_drop(result);
}

static void short_transfers_gain_by_a_short_queue(void **state)
{
	static const char flows[] = "  - {cc: cubic, count: 2}\n"
				    "  - {cc: cubic, app: {name: transfers, size_kb: 20}}\n";
	struct sim_result *fifo = run(10, "fifo", flows, 1), *dual = run(10, "dualpi2", flows, 1);

	(void)state;
	assert_true(quantile_ms(&fifo->flows[2].app->tasks, 0.5) > 400);
	assert_true(quantile_ms(&dual->flows[2].app->tasks, 0.5) < 150);
	test_drop(fifo);
	test_drop(dual);
}

/*
 * Pages of one segment an object: handshake, request and answer, request for the others and
 * answer: 20 + 20 + 20 ms.  HTTP/1.1 over two connections asks three times for five objects, with
 * one more handshake while it does: 20 + 20 + 20 + 20 + 20.
 */
static void pages_take_their_round_trips(void **state)
{
	static const char flows[] =
		"  - {cc: cubic, app: {name: web, objects: 5, main_kb: 1, main_cv: 0, "
		"object_kb: 1, object_cv: 0, parse_s: 0, think_s: 0.5}}\n"
		"  - {cc: cubic, app: {name: web, objects: 5, main_kb: 1, main_cv: 0, "
		"object_kb: 1, object_cv: 0, parse_s: 0, think_s: 0.5, http: 1.1, "
		"connections: 2}}\n";
	struct sim_result *result = run(1000, "fifo", flows, 1);
	const struct sim_tasks *two = &result->flows[0].app->tasks;
	const struct sim_tasks *one = &result->flows[1].app->tasks;

	(void)state;
	assert_true(two->done > 80 && one->done > 80);
	assert_true(two->begun - two->done <= 1 && one->begun - one->done <= 1);
	assert_int_equal(two->bytes, 6000 * two->done);
	/* A page's connections go with it. */
	assert_in_range(result->flows[0].app->connections.opened, two->done, two->done + 12);
	assert_in_range(result->flows[1].app->connections.opened, 2 * one->done,
			2 * one->done + 22);
	assert_true(result->flows[0].app->connections.open <= 1);
	assert_true(result->flows[1].app->connections.open <= 2);
	assert_true(fabs(quantile_ms(two, 0.5) - 60.1) < 1);
	assert_true(fabs(quantile_ms(one, 0.5) - 100.1) < 2);
	test_drop(result);
}

static void pages_complete_whatever_they_share_with(void **state)
{
	static const char flows[] = "  - {cc: cubic, count: 2}\n"
				    "  - {cc: cubic, count: 3, app: {name: web, think_s: 2}}\n"
				    "  - {cc: prague, count: 3, app: {name: web, think_s: 2}}\n";
	static const char *const laws[] = {"fifo", "pie", "dualpi2"};

	(void)state;
	for (size_t law = 0; law < sizeof(laws) / sizeof(laws[0]); law++) {
		struct sim_result *result = run(10, laws[law], flows, 1);

		for (int i = 2; i < 8; i++) {
			const struct sim_tasks *tasks = &result->flows[i].app->tasks;

			assert_true(tasks->done >= 8 && tasks->begun - tasks->done <= 1);
			/* Handshake, request and answer at least. */
			assert_true(quantile_ms(tasks, 0) > 39.5);
		}
		test_drop(result);
	}
}

static void video_plays_where_there_is_room(void **state)
{
	static const char flows[] = "  - {cc: cubic, app: video}\n";
	struct sim_result *ample = run(50, "dualpi2", flows, 1);
	struct sim_result *narrow = run(2, "dualpi2", flows, 1);
	struct sim_result *hopeless = run(0.2, "dualpi2", flows, 1);
	const struct sim_video *video = &ample->flows[0].app->video;

	(void)state;
	assert_int_equal(video->stalls, 0);
	assert_true(fabs(video->played_s - 60) < 0.001 && video->stall_s == 0);
	/* The way up the ladder, to 5.8, included; each segment behind a pause starts slowly. */
	assert_true(video->bitrate_mbps > 4.9 && video->bitrate_mbps < 5.8);
	assert_true(video->startup_s < 0.5);
	video = &narrow->flows[0].app->video;
	assert_int_equal(video->stalls, 0);
	/* The link's rate, more or less: 14 segments whose sizes vary by 20 %. */
	assert_true(video->bitrate_mbps > 1.5 && video->bitrate_mbps < 2.2 && video->switches > 1);
	video = &hopeless->flows[0].app->video;
	/* 0.2 Mbit/s play at most 0.85 of the time at the lowest rate, 0.235. */
	assert_true(video->stalls >= 3 && video->stall_s > 5 && video->stall_s < 25);
	assert_true(fabs(video->stall_s + video->played_s - 60) < 0.01);
	assert_true(fabs(video->bitrate_mbps - 0.235) < 1e-9);
	test_drop(ample);
	test_drop(narrow);
	test_drop(hopeless);
}

static const char everything[] =
	"  - {cc: cubic, app: {name: transfers, per_s: 3, sizes: pareto}}\n"
	"  - {cc: prague, count: 2, app: {name: web, think_s: 1}}\n"
	"  - {cc: newreno, app: {name: video, ladder_mbps: [0.5, 1, 2]}}\n"
	"  - {cc: udp, app: voice}\n";

static bool same(const struct sim_result *a, const struct sim_result *b)
{
	bool equal = a->data_packets == b->data_packets;

	for (uint64_t i = 0; i < a->flow_count; i++) {
		const struct sim_app_result *x = a->flows[i].app, *y = b->flows[i].app;

		equal = equal && x->tasks.done == y->tasks.done &&
			x->tasks.bytes == y->tasks.bytes &&
			x->tasks.time_ns.sum == y->tasks.time_ns.sum &&
			x->video.bitrate_mbps == y->video.bitrate_mbps &&
			x->datagrams.delay_ns.sum == y->datagrams.delay_ns.sum;
	}
	return equal;
}

static void runs_repeat_bit_for_bit(void **state)
{
	struct sim_result *a = run(10, "dualpi2", everything, 3);
	struct sim_result *b = run(10, "dualpi2", everything, 3);
	struct sim_result *c = run(10, "dualpi2", everything, 4);

	(void)state;
	assert_true(same(a, b));
	assert_false(same(a, c));
	test_drop(a);
	test_drop(b);
	test_drop(c);
}

static void keys_read_back_as_written(void **state)
{
	char text[1024];
	struct scenario *scenario, *back = calloc(1, sizeof(*back));

	(void)state;
	snprintf(text, sizeof(text), "name: x\nbottleneck: {rate_mbps: 10}\nflows:\n%s",
		 everything);
	scenario = test_parse(text);
	assert_int_equal(scenario_write(scenario, "app_stream_test.yaml", NULL), 0);
	assert_int_equal(scenario_read(back, "app_stream_test.yaml", NULL), 0);
	remove("app_stream_test.yaml");
	assert_memory_equal(back->groups, scenario->groups, sizeof(back->groups));
	assert_true(back->groups[2].app.ladder[2] == 2 && back->groups[2].app.ladder[3] == 0);
	scenario_free(scenario);
	scenario_free(back);
	free(scenario);
	free(back);
}

static void bad_values_name_their_line(void **state)
{
	static const struct {
		const char *group, *field, *says;
	} rows[] = {
		{"{cc: udp, app: web}", "app", "TCP"},
		{"{cc: udp_prague, app: video}", "app", "TCP"},
		{"{cc: cubic, app: {name: web, http: 3}}", "http", "2 1.1"},
		{"{cc: cubic, app: {name: transfers, sizes: huge}}", "sizes", "pareto"},
		{"{cc: cubic, app: {name: transfers, pareto_shape: 1}}", "pareto_shape", "range"},
		{"{cc: cubic, app: {name: video, ladder_mbps: 3}}", "ladder_mbps", "list"},
		{"{cc: cubic, app: {name: video, ladder_mbps: []}}", "ladder_mbps", "one"},
		{"{cc: cubic, app: {name: video, ladder_mbps: [2, 1]}}", "ladder_mbps", "rise"},
		{"{cc: cubic, app: {name: video, ladder_mbps: [1, x]}}", "ladder_mbps", "number"},
		{"{cc: cubic, app: {name: video, buffer_s: 3}}", "app", "segment"},
		{"{cc: cubic, app: {name: video, reservoir_s: 20}}", "app", "cushion"},
		{"{cc: cubic, app: {name: video, startup_s: 31}}", "app", "starts"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario *scenario = calloc(1, sizeof(*scenario));
		struct error error = {0};
		char text[512];

		snprintf(text, sizeof(text),
			 "name: x\nbottleneck: {rate_mbps: 1}\nflows:\n  - %s\n", rows[i].group);
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
		cmocka_unit_test(every_transfer_starts_slowly),
		cmocka_unit_test(sizes_and_arrivals_have_their_means),
		cmocka_unit_test(too_many_transfers_are_refused),
		cmocka_unit_test(short_transfers_gain_by_a_short_queue),
		cmocka_unit_test(pages_take_their_round_trips),
		cmocka_unit_test(pages_complete_whatever_they_share_with),
		cmocka_unit_test(video_plays_where_there_is_room),
		cmocka_unit_test(runs_repeat_bit_for_bit),
		cmocka_unit_test(keys_read_back_as_written),
		cmocka_unit_test(bad_values_name_their_line),
	};

	return cmocka_run_group_tests_name("app_stream", tests, NULL, NULL);
}
