/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The modules in their world: parameters, weights, limits, changes while packets wait, memory that
 * is not there, and packets that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aqm/ops.h"
#include "aqm/student_shipped.h"
#include "base/rng.h"
#include "kernel/freebsd/test/bench.h"
#include "policy/student_file.h"

#define EINVAL_OF_FREEBSD 22
#define EBUSY_OF_FREEBSD 16
#define MS UINT64_C(1000000)

static char last_line[1024];

static void keep_line(const char *text)
{
	snprintf(last_line, sizeof(last_line), "%s", text);
}

static int setup(void **state)
{
	(void)state;
	last_line[0] = '\0';
	world_set_clock(0);
	return bench_load(keep_line);
}

/* Whatever a test did, nothing of it is left. */
static int teardown(void **state)
{
	(void)state;
	world_fail_allocations(0);
	world_detach_interfaces(false);
	world_refuse_instances(false);
	world_refuse_laws(false);
	return world_unload() != 0 || world_blocks() != 0 || world_packets() != 0;
}

static struct world_scheduler *scheduler_new(const char *law)
{
	struct world_scheduler *scheduler = world_scheduler_new(law, false);

	assert_non_null(scheduler);
	return scheduler;
}

static bool put(struct world_scheduler *scheduler, uint64_t number, uint8_t ecn)
{
	return world_scheduler_enqueue(scheduler, bench_packet(number, ecn, 1500, number % 2));
}

/* How many packets are left, in the order of their numbers in each queue. */
static unsigned drain_in_order(struct world_scheduler *scheduler)
{
	uint64_t last[AQM_QUEUES] = {0};
	struct world_packet *packet;
	unsigned count = 0;

	while ((packet = world_scheduler_dequeue(scheduler)) != NULL) {
		const unsigned queue = aqm_dual_classify(bench_first_ecn(packet));

		assert_true(bench_number(packet) > last[queue]);
		assert_true(bench_is_sound(packet));
		last[queue] = bench_number(packet);
		world_packet_free(packet);
		count++;
	}
	return count;
}

/* A parameter of the program in the unit of the sysctl's name. */
static double in_unit(const struct aqm_ops *ops, const void *params, const char *name,
		      const char *unit)
{
	double value = -1;

	assert_int_equal(aqm_params_get(ops, params, name, &value), 0);
	if (strcmp(unit, "_us") == 0)
		return value * 1000;
	return strcmp(unit, "_millionths") == 0 ? value * 1e6 : value;
}

static void assert_same_values(const char *module, const char *law, const char *settings)
{
	static const char *const rows[][2] = {
		{"target", "_us"}, {"tupdate", "_us"}, {"alpha", "_millionths"},
		{"beta", "_millionths"}, {"k", "_millionths"}, {"step", "_us"},
		{"max_burst", "_us"}, {"interval", "_us"}, {"tshift", "_us"},
		{"packet_time", "_us"}, {"ecn_max_p", "_millionths"}, {"max_p", "_millionths"},
		{"weight", "_millionths"}, {"min_qlen_step", ""}, {"c_protection_percent", ""},
		{"mtu_bytes", ""}, {"drop_early", ""}, {"drop_overload", ""}, {"scheduler", ""},
		{"guard", ""}, {"ecn", ""}, {"min_bytes", ""}, {"max_bytes", ""}, {"adaptive", ""},
		{"gentle", ""}, {"profile", ""}, {"limit_packets", ""}, {"pauses", "_millionths"},
	};
	const struct aqm_ops *ops = aqm_find(law);
	void *params = calloc(1, ops->params_size);
	unsigned compared = 0;

	assert_int_equal(aqm_params_default(ops, params, NULL), 0);
	assert_int_equal(aqm_params_set_all(ops, params, settings, NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char own[64], program[64];
		int64_t value;

		snprintf(own, sizeof(own), "%s.%s%s", module, rows[i][0], rows[i][1]);
		snprintf(program, sizeof(program), "%s%s", rows[i][0],
			 strcmp(rows[i][1], "_us") == 0 ? "_ms" : "");
		if (world_sysctl_get(own, &value))
			continue;
		/* The laws hold gains with 16 fraction bits: 15 millionths. */
		assert_float_equal(in_unit(ops, params, program, rows[i][1]), (double)value,
				   strcmp(rows[i][1], "_millionths") == 0 ? 8 : 1e-3);
		compared++;
	}
	assert_true(compared >= 4);
	free(params);
}

static void defaults_are_the_programs(void **state)
{
	(void)state;
	assert_same_values("dualpi2", "dualpi2", "");
	assert_same_values("student", "student", "");
	assert_same_values("pi2", "pi2", "");
	assert_same_values("pie_rfc", "pie", "");
	assert_same_values("codel_rfc", "codel", "");
	assert_same_values("red_floyd", "red", "");
	assert_int_equal(world_sysctl_set("dualpi2.profile", 1), 0);
	assert_same_values("dualpi2", "dualpi2", "profile=rfc9332");
	/* What a law has no use for is not there. */
	assert_int_not_equal(world_sysctl_set("dualpi2.guard", 1), 0);
	assert_int_not_equal(world_sysctl_set("student.drop_early", 0), 0);
	assert_int_not_equal(world_sysctl_set("student.profile", 0), 0);
}

static void values_out_of_range_are_refused(void **state)
{
	int64_t value;

	(void)state;
	assert_int_equal(world_sysctl_set("dualpi2.target_us", 0), EINVAL_OF_FREEBSD);
	assert_int_equal(world_sysctl_set("dualpi2.c_protection_percent", 100), EINVAL_OF_FREEBSD);
	assert_int_equal(world_sysctl_set("student.k_millionths", -1), EINVAL_OF_FREEBSD);
	assert_int_equal(world_sysctl_set("student.min_qlen_step", 0), EINVAL_OF_FREEBSD);
	assert_int_equal(world_sysctl_set("red_floyd.weight_millionths", 0), EINVAL_OF_FREEBSD);
	assert_int_equal(world_sysctl_get("dualpi2.target_us", &value), 0);
	assert_int_equal(value, 15000);
}

static void a_full_scheduler_drops(void **state)
{
	struct world_scheduler *scheduler;
	uint32_t packets, bytes, drops;
	const unsigned long before = world_drops();
	uint64_t arrived;

	(void)state;
	assert_int_equal(world_sysctl_set("dualpi2.limit_packets", 5), 0);
	scheduler = scheduler_new("dualpi2");
	for (uint64_t i = 1; i <= 20; i++)
		assert_int_equal(put(scheduler, i, i % 2 ? AQM_ECT1 : AQM_NOT_ECT), i <= 5);
	world_scheduler_show(scheduler, &packets, &bytes, &drops, &arrived);
	assert_int_equal(packets, 5);
	assert_int_equal(bytes, 5 * 1500);
	assert_int_equal(drops, 15);
	assert_int_equal(arrived, 20);
	assert_int_equal(world_drops() - before, 15);
	assert_int_equal(drain_in_order(scheduler), 5);
	world_scheduler_show(scheduler, &packets, &bytes, &drops, &arrived);
	assert_int_equal(packets + bytes, 0);
	world_scheduler_delete(scheduler);
}

/* Room is the flow set's: in packets, or in bytes, where dummynet lets one more in. */
static void a_full_queue_drops(void **state)
{
	struct world_queue *queue = world_queue_new("pie_rfc", NULL, 7, false);

	(void)state;
	for (uint64_t i = 1; i <= 20; i++)
		assert_int_equal(world_queue_enqueue(queue, bench_packet(i, AQM_ECT0, 1000, false)),
				 i <= 7);
	world_queue_delete(queue);
	queue = world_queue_new("codel_rfc", NULL, 5000, true);
	for (uint64_t i = 1; i <= 20; i++)
		assert_int_equal(world_queue_enqueue(queue, bench_packet(i, AQM_ECT0, 1000, false)),
				 i <= 6);
	assert_int_equal(world_queue_length(queue), 6);
	world_queue_delete(queue);
}

static void a_scheduler_changes_while_packets_wait(void **state)
{
	struct world_scheduler *scheduler = scheduler_new("dualpi2");
	uint64_t p_q32;

	(void)state;
	for (uint64_t i = 1; i <= 100; i++) {
		world_set_clock(i * MS);
		assert_true(put(scheduler, i, i % 3 ? AQM_ECT0 : AQM_ECT1));
	}
	p_q32 = world_scheduler_p_q32(scheduler);
	assert_true(p_q32 > 0);
	/* A limit below what waits: nobody else comes in, and p' goes on from where it was. */
	assert_int_equal(world_sysctl_set("dualpi2.limit_packets", 10), 0);
	assert_int_equal(world_sysctl_set("dualpi2.tupdate_us", 4000000), 0);
	assert_true(put(scheduler, 101, AQM_ECT0));
	world_scheduler_configure(scheduler);
	assert_false(put(scheduler, 102, AQM_ECT0));
	assert_true(world_scheduler_p_q32(scheduler) == p_q32);
	assert_true(drain_in_order(scheduler) > 50);
	world_scheduler_delete(scheduler);
}

/* Shorter updates are due at once, not when the longer one was. */
static void updates_that_become_shorter_are_not_late(void **state)
{
	struct world_scheduler *scheduler;
	uint64_t p_q32;

	(void)state;
	assert_int_equal(world_sysctl_set("dualpi2.tupdate_us", 4000000), 0);
	scheduler = scheduler_new("dualpi2");
	put(scheduler, 1, AQM_ECT0);
	p_q32 = world_scheduler_p_q32(scheduler);
	assert_int_equal(world_sysctl_set("dualpi2.tupdate_us", 1000), 0);
	world_scheduler_configure(scheduler);
	put(scheduler, 2, AQM_ECT0);
	world_set_clock(100 * MS);
	put(scheduler, 3, AQM_ECT0);
	assert_true(world_scheduler_p_q32(scheduler) > p_q32);
	world_scheduler_delete(scheduler);
}

static void a_queue_changes_its_law_while_packets_wait(void **state)
{
	static const char *const laws[] = {"pi2", "codel_rfc", "pie_rfc", "red_floyd",
					   "codel_rfc"};
	const int64_t swapped[] = {30000, 10000, -2};
	struct world_queue *queue = world_queue_new("pie_rfc", NULL, 1000, false);
	struct world_packet *packet;
	unsigned left = 0;

	(void)state;
	for (uint64_t i = 1; i <= 100; i++) {
		world_set_clock(i * 20 * MS);
		assert_true(world_queue_enqueue(queue, bench_packet(i, AQM_ECT0, 100, false)));
		if (i % 20 == 0)
			assert_int_equal(world_queue_configure(queue, laws[i / 20 - 1], NULL), 0);
	}
	assert_int_equal(world_queue_length(queue), 100);
	/* Values that do not go together leave no law behind. */
	assert_int_equal(world_queue_configure(queue, "red_floyd", swapped), EINVAL_OF_FREEBSD);
	assert_int_equal(world_sysctl_set("pi2.log", 1), 0);
	assert_int_equal(world_queue_configure(queue, "pi2", NULL), 0);
	assert_true(world_queue_enqueue(queue, bench_packet(101, AQM_ECT0, 100, false)));
	while ((packet = world_queue_dequeue(queue)) != NULL) {
		assert_int_equal(bench_number(packet), ++left);
		world_packet_free(packet);
	}
	assert_int_equal(left, 101);
	assert_int_equal(world_queue_length(queue), 0);
	/* Packets that came before the law did are none of its own: nothing of its own waits. */
	assert_true(world_queue_enqueue(queue, bench_packet(102, AQM_ECT0, 100, false)));
	assert_non_null(strstr(last_line, ",1,100,0,0,0,100,1,end"));
	world_queue_delete(queue);
}

/* dnaqm's words become what dummynet does. */
static void requests_make_queues(void **state)
{
	const char *const queue_words[] = {"queue", "7", "sched", "9", "pi2", "bytes=5000",
					   "mtu_bytes=9000", "target_us=5000"};
	const char *const pipe_words[] = {"pipe", "3", "red_floyd", "slots=80", "adaptive=1"};
	int64_t values[10];
	const char *wrong;
	uint32_t fs, sched;
	struct world_queue *queue = world_queue_ask(8, queue_words, &fs, &sched, &wrong);

	(void)state;
	assert_non_null(queue);
	assert_int_equal(fs, 7);
	assert_int_equal(sched, 9);
	world_queue_values(queue, values);
	assert_int_equal(values[0], 5000);
	assert_int_equal(values[1], 32000);
	assert_int_equal(values[7], 9000);
	for (uint64_t i = 1; i <= 20; i++)
		assert_int_equal(world_queue_enqueue(queue, bench_packet(i, AQM_ECT0, 1000, false)),
				 i <= 6);
	world_queue_delete(queue);
	queue = world_queue_ask(5, pipe_words, &fs, &sched, &wrong);
	assert_non_null(queue);
	assert_int_equal(fs, 3 + 2 * 65536);
	assert_int_equal(sched, 3 + 65536);
	world_queue_values(queue, values);
	assert_int_equal(values[4], 1);
	world_queue_delete(queue);
}

static void requests_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		const char *const words[7];
		int count;
		const char *says;
	} wrong[] = {
		{{NULL}, 0, "queue or pipe"},
		{{"sched", "1"}, 2, "queue or pipe"},
		{{"pipe"}, 1, "65535"},
		{{"pipe", "0", "pi2"}, 3, "65535"},
		{{"pipe", "65536", "pi2"}, 3, "65535"},
		{{"pipe", "1x", "pi2"}, 3, "65535"},
		{{"queue", "1", "pi2"}, 3, "sched"},
		{{"queue", "1", "sched", "99999", "pi2"}, 5, "sched"},
		{{"pipe", "1"}, 2, "a law"},
		{{"pipe", "1", "pi3"}, 3, "a law"},
		{{"pipe", "1", "pi2", "target_us"}, 4, "no such parameter"},
		{{"pipe", "1", "pi2", "target_us="}, 4, "range"},
		{{"pipe", "1", "pi2", "target_us=-5"}, 4, "range"},
		{{"pipe", "1", "pi2", "target_us=99999999999999999999"}, 4, "range"},
		{{"pipe", "1", "codel_rfc", "ecn=2"}, 4, "range"},
		{{"pipe", "1", "pi2", "slots=0"}, 4, "room"},
		{{"pipe", "1", "red_floyd", "min_bytes=9", "max_bytes=9"}, 5, "has not given"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *says = NULL;
		uint32_t fs, sched;

		assert_null(world_queue_ask(wrong[i].count, wrong[i].words, &fs, &sched, &says));
		assert_non_null(says);
		if (strstr(says, wrong[i].says) == NULL)
			fail_msg("%zu: %s", i, says);
	}
}

/* dummynet does not tell when it leaves a flow set as it is: dnaqm looks, and does. */
static void laws_that_are_not_given_are_told(void **state)
{
	const char *const words[] = {"pipe", "3", "pi2", "target_us=5000"};
	const char *wrong = NULL;
	uint32_t fs, sched;

	(void)state;
	world_refuse_laws(true);
	assert_null(world_queue_ask(4, words, &fs, &sched, &wrong));
	assert_non_null(wrong);
	assert_non_null(strstr(wrong, "has not given"));
}

static void weights_go_in_and_come_out(void **state)
{
	static unsigned char bytes[STUDENT_FILE_MAX];
	static char text[2 * STUDENT_FILE_MAX + 2], expected[2 * STUDENT_FILE_MAX + 2];
	size_t size = student_file_build(aqm_student_shipped(), bytes);
	char kept; /* a digit in the middle */

	(void)state;
	for (size_t i = 0; i < size; i++)
		snprintf(expected + 2 * i, 3, "%02x", bytes[i]);
	kept = expected[size];
	assert_int_equal(world_sysctl_read("student.weights", text, sizeof(text)), 0);
	assert_string_equal(text, expected);
	/* With the NUL that programs send; odd, empty, damaged and too long ones. */
	assert_int_equal(world_sysctl_write("student.weights", expected, 2 * size + 1), 0);
	assert_int_equal(world_sysctl_write("student.weights", expected, 2 * size - 1),
			 EINVAL_OF_FREEBSD);
	assert_non_null(strstr(last_line, "weights refused"));
	assert_int_equal(world_sysctl_write("student.weights", expected, 0), EINVAL_OF_FREEBSD);
	expected[size] = kept == '0' ? '1' : '0';
	assert_int_equal(world_sysctl_write("student.weights", expected, 2 * size),
			 EINVAL_OF_FREEBSD);
	assert_non_null(strstr(last_line, "checksum"));
	expected[size] = 'x';
	assert_int_equal(world_sysctl_write("student.weights", expected, 2 * size),
			 EINVAL_OF_FREEBSD);
	memset(text, '0', sizeof(text));
	assert_int_equal(world_sysctl_write("student.weights", text, sizeof(text)),
			 EINVAL_OF_FREEBSD);
	assert_int_equal(world_sysctl_read("student.weights", text, sizeof(text)), 0);
	expected[size] = kept;
	assert_string_equal(text, expected);
}

/* A supervisor refuses nobody; from the packet on that finds another model, that one speaks. */
static void new_weights_speak_at_once(void **state)
{
	static struct aqm_student_model models[2];
	struct world_scheduler *scheduler;
	unsigned taken = 0;

	(void)state;
	vectors_model(VECTORS_supervise, memset(&models[0], 0, sizeof(models[0])));
	vectors_model(VECTORS_verdict, memset(&models[1], 0, sizeof(models[1])));
	assert_int_equal(world_sysctl_set("student.guard", 0), 0);
	assert_int_equal(bench_write_weights(&models[0]), 0);
	scheduler = scheduler_new("student");
	for (uint64_t i = 1; i <= 300; i++)
		taken += put(scheduler, i, AQM_ECT0);
	assert_int_equal(taken, 300);
	assert_int_equal(bench_write_weights(&models[1]), 0);
	for (uint64_t i = 301; i <= 600; i++)
		taken += put(scheduler, i, AQM_ECT0);
	assert_true(taken < 600);
	world_scheduler_delete(scheduler);
}

/* What a new model reads before the next update are its own inputs, not the old one's. */
static void a_new_model_reads_its_own_inputs(void **state)
{
	static struct aqm_student_model models[2];
	static struct dual_host host;
	const struct dual_host_heads heads = {{0}, {0}};
	struct dual_host_params params;

	(void)state;
	vectors_model(VECTORS_supervise, memset(&models[0], 0, sizeof(models[0])));
	vectors_model(VECTORS_verdict, memset(&models[1], 0, sizeof(models[1])));
	vectors_params(VECTORS_unguarded, &params);
	params.own.model = &models[0];
	dual_host_init(&host, &params, 0);
	dual_host_run(&host, &heads, 100 * MS, 100);
	params.own.model = &models[1];
	dual_host_change(&host, &params, 100 * MS);
	for (int i = 0; i < models[1].inputs; i++)
		assert_int_equal(host.law.student.vars.input[i],
				 aqm_student_input(host.law.student.vars.sense
							   .feature[models[1].feature[i]],
						   models[1].offset[i], models[1].scale[i]));
}

/* Models of every kind take turns under load: all packets go on, and old ones are freed. */
static void weights_change_under_load(void **state)
{
	static const uint32_t turns[] = {VECTORS_supervise, VECTORS_verdict, VECTORS_tree,
					 VECTORS_unguarded};
	static struct aqm_student_model model;
	struct world_scheduler *scheduler = scheduler_new("student");
	uint64_t in = 0, out = 0, refused = 0;
	uint32_t packets, bytes, drops;
	uint64_t arrived;

	(void)state;
	for (uint64_t i = 1; i <= 20000; i++) {
		struct world_packet *packet;

		world_set_clock(i * MS);
		if (i % 100 == 0) {
			memset(&model, 0, sizeof(model));
			vectors_model(turns[i / 100 % 4], &model);
			assert_int_equal(bench_write_weights(&model), 0);
		}
		in++;
		refused += !put(scheduler, i, i % 2 ? AQM_ECT1 : AQM_ECT0);
		packet = i % 5 ? world_scheduler_dequeue(scheduler) : NULL;
		out += packet != NULL;
		if (packet)
			world_packet_free(packet);
	}
	world_scheduler_show(scheduler, &packets, &bytes, &drops, &arrived);
	assert_true(refused <= drops);
	assert_int_equal(in, out + packets + drops);
	world_scheduler_delete(scheduler);
}

/* An instance that dummynet throws away when it is idle takes up what it knew. */
static void what_was_learned_outlives_instances(void **state)
{
	struct world_scheduler *scheduler = scheduler_new("dualpi2");
	struct world_scheduler *masked = world_scheduler_new("dualpi2", true);
	uint64_t p_q32;

	(void)state;
	for (uint64_t i = 1; i <= 60; i++) {
		world_set_clock(i * 10 * MS);
		put(scheduler, i, AQM_NOT_ECT);
		put(masked, i, AQM_NOT_ECT);
	}
	p_q32 = world_scheduler_p_q32(scheduler);
	assert_true(p_q32 > 0);
	drain_in_order(scheduler);
	drain_in_order(masked);
	world_scheduler_drain(scheduler);
	world_scheduler_drain(masked);
	assert_true(world_scheduler_start(scheduler) && world_scheduler_start(masked));
	assert_true(world_scheduler_p_q32(scheduler) == p_q32);
	assert_true(world_scheduler_p_q32(masked) == 0);
	/* Parameters that changed meanwhile are taken up too. */
	drain_in_order(scheduler);
	world_scheduler_drain(scheduler);
	assert_int_equal(world_sysctl_set("dualpi2.limit_packets", 1), 0);
	world_scheduler_configure(scheduler);
	assert_true(put(scheduler, 100, AQM_NOT_ECT));
	assert_false(put(scheduler, 101, AQM_NOT_ECT));
	/* A busy one stays. */
	world_scheduler_drain(scheduler);
	assert_int_equal(drain_in_order(scheduler), 1);
	world_scheduler_delete(scheduler);
	world_scheduler_delete(masked);
}

/* Ten hours later the first packet does not pay for two million updates, and p' has gone. */
static void a_long_sleep_is_short(void **state)
{
	struct world_scheduler *scheduler = scheduler_new("student");

	(void)state;
	for (uint64_t i = 1; i <= 60; i++) {
		world_set_clock(i * 10 * MS);
		put(scheduler, i, AQM_NOT_ECT);
	}
	assert_true(world_scheduler_p_q32(scheduler) > 0);
	drain_in_order(scheduler);
	world_set_clock(36000 * 1000 * MS);
	assert_true(put(scheduler, 100, AQM_NOT_ECT));
	assert_true(world_scheduler_p_q32(scheduler) == 0);
	assert_int_equal(drain_in_order(scheduler), 1);
	world_scheduler_delete(scheduler);
}

/* An instance that dummynet does not finish takes nothing along. */
static void instances_that_are_not_finished_leave_nothing(void **state)
{
	struct world_scheduler *schedulers[] = {world_scheduler_new("dualpi2", false),
						world_scheduler_new("student", true)};

	(void)state;
	for (int i = 0; i < 2; i++) {
		world_refuse_instances(true);
		assert_false(put(schedulers[i], 1, AQM_ECT1));
		assert_false(put(schedulers[i], 2, AQM_ECT1));
		world_refuse_instances(false);
		assert_true(put(schedulers[i], 3, AQM_ECT1));
		assert_int_equal(drain_in_order(schedulers[i]), 1);
		world_scheduler_delete(schedulers[i]);
	}
}

/* dummynet does not clean up a queue that is its scheduler's own; the module can go. */
static void laws_take_their_queues_along(void **state)
{
	struct world_queue *queue;

	(void)state;
	assert_int_equal(world_sysctl_set("codel_rfc.log", 1), 0);
	queue = world_queue_new("codel_rfc", NULL, 100, false);
	for (uint64_t i = 1; i <= 10; i++)
		assert_true(world_queue_enqueue(queue, bench_packet(i, AQM_ECT0, 200, false)));
	world_queue_lose_law(queue);
	assert_int_equal(world_unload(), 0);
	assert_int_equal(bench_load(keep_line), 0);
	world_queue_delete(queue);
}

/* A law that dummynet forgot when another came does not keep the module. */
static void forgotten_laws_go(void **state)
{
	struct world_queue *queue = world_queue_new("pi2", NULL, 100, false);

	(void)state;
	world_queue_forget_law(queue);
	assert_int_equal(world_queue_configure(queue, "codel_rfc", NULL), 0);
	for (uint64_t i = 1; i <= 10; i++)
		assert_true(world_queue_enqueue(queue, bench_packet(i, AQM_ECT0, 200, false)));
	world_packet_free(world_queue_dequeue(queue));
	assert_int_equal(world_queue_length(queue), 9);
	world_queue_delete(queue);
}

static void a_module_in_use_stays(void **state)
{
	struct world_scheduler *scheduler = scheduler_new("student");

	(void)state;
	assert_int_equal(world_unload(), EBUSY_OF_FREEBSD);
	put(scheduler, 1, AQM_ECT1);
	assert_int_equal(world_unload(), EBUSY_OF_FREEBSD);
	world_scheduler_delete(scheduler);
	assert_null(world_scheduler_new("no_such_law", false));
	assert_null(world_queue_new("no_such_law", NULL, 10, false));
}

/* Memory is short for packets' notes, log lines, instances: packets are dropped, none is lost. */
static void memory_that_is_not_there(void **state)
{
	struct world_scheduler *scheduler;
	struct world_queue *queue;
	unsigned out = 0, kept = 0;

	(void)state;
	assert_int_equal(world_sysctl_set("student.log", 1), 0);
	assert_int_equal(world_sysctl_set("codel_rfc.log", 1), 0);
	scheduler = scheduler_new("student");
	queue = world_queue_new("codel_rfc", NULL, 1000, false);
	world_fail_allocations(3);
	for (uint64_t i = 1; i <= 1000; i++) {
		struct world_packet *packet;

		world_set_clock(i * MS);
		kept += put(scheduler, i, AQM_ECT1);
		kept += world_queue_enqueue(queue, bench_packet(i, AQM_ECT0, 200, false));
		packet = i % 2 ? world_scheduler_dequeue(scheduler) : world_queue_dequeue(queue);
		out += packet != NULL;
		world_packet_free(packet);
		if (i % 50 == 0)
			world_scheduler_drain(scheduler);
	}
	assert_true(kept > 500 && out > 500 && out <= kept);
	world_scheduler_delete(scheduler);
	world_queue_delete(queue);
}

/* Their interfaces go while packets wait: on 14 they go, too. */
static void interfaces_go(void **state)
{
	struct world_scheduler *scheduler = scheduler_new("dualpi2");
	struct world_queue *queue = world_queue_new("pi2", NULL, 100, false);
	struct world_packet *packet;
	unsigned left;

	(void)state;
	for (uint64_t i = 1; i <= 10; i++) {
		assert_true(put(scheduler, i, AQM_ECT0));
		assert_true(world_queue_enqueue(queue, bench_packet(i, AQM_ECT0, 200, false)));
	}
	world_detach_interfaces(true);
	left = drain_in_order(scheduler);
	packet = world_queue_dequeue(queue);
	assert_int_equal(left, FREEBSD_MAJOR >= 14 ? 0 : 10);
	assert_int_equal(packet == NULL, FREEBSD_MAJOR >= 14);
	world_packet_free(packet);
	world_scheduler_delete(scheduler);
	world_queue_delete(queue);
}

/* The queue_type of the line that a packet made when it left. */
static int queue_of_line(void)
{
	const char *line = strchr(last_line, ',');

	return line ? line[1] - '0' : -1;
}

struct strange {
	const char *what;
	uint8_t bytes[64];
	size_t size, piece;
	bool layer2;
	int queue;
};

static const struct strange strange[] = {
	{"nothing at all", {0}, 0, 64, false, AQM_QUEUE_C},
	{"one byte that says IPv4", {0x45}, 1, 64, false, AQM_QUEUE_C},
	{"a header short of a byte", {0x45, 1}, 19, 64, false, AQM_QUEUE_C},
	{"a header in pieces", {0x45, 1}, 60, 8, false, AQM_QUEUE_C},
	{"a header of 20, and the rest behind", {0x45, 1}, 60, 20, false, AQM_QUEUE_L},
	{"IPv6 short of a byte", {0x60, 0x10}, 39, 64, false, AQM_QUEUE_C},
	{"IPv6 in pieces", {0x60, 0x10}, 60, 39, false, AQM_QUEUE_C},
	{"IPv6, ECT(1)", {0x60, 0x10}, 60, 64, false, AQM_QUEUE_L},
	{"IPv6, CE", {0x60, 0x30}, 60, 64, false, AQM_QUEUE_L},
	{"IPv6, a traffic class of other bits", {0x6f, 0xcf}, 60, 64, false, AQM_QUEUE_C},
	{"version 0", {0x05, 1}, 60, 64, false, AQM_QUEUE_C},
	{"version 15", {0xff, 0xff}, 60, 64, false, AQM_QUEUE_C},
	{"a fragment", {0x45, 1, 0, 60, 0, 1, 0x20, 0x10}, 60, 64, false, AQM_QUEUE_L},
	{"IP options", {0x4f, 1}, 60, 64, false, AQM_QUEUE_L},
	{"a header length of 0", {0x40, 1}, 60, 64, false, AQM_QUEUE_L},
	{"ARP", {[12] = 8, [13] = 6, [14] = 0, [15] = 1}, 60, 64, true, AQM_QUEUE_C},
	{"a frame of IPv4", {[12] = 8, [13] = 0, [14] = 0x45, [15] = 1}, 60, 64, true, AQM_QUEUE_L},
	{"a frame of IPv6", {[12] = 0x86, [13] = 0xdd, [14] = 0x60, [15] = 0x10}, 60, 64, true,
	 AQM_QUEUE_L},
	{"a VLAN that looks like IPv4", {[12] = 0x81, [13] = 0, [14] = 0x45, [15] = 1}, 60, 64,
	 true, AQM_QUEUE_C},
	{"a frame that ends in its type", {[12] = 8, [13] = 0}, 14, 64, true, AQM_QUEUE_C},
};

/* One after another, alone and behind a standing queue, through every law. */
static void packets_that_are_none_do_no_harm(void **state)
{
	struct world_scheduler *scheduler;

	(void)state;
	assert_int_equal(world_sysctl_set("dualpi2.log", 1), 0);
	scheduler = scheduler_new("dualpi2");
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		const struct strange *own = &strange[i];
		struct world_packet *packet =
			world_packet_new(own->bytes, own->size, own->piece, own->layer2);
		uint8_t bytes[64] = {0};

		assert_true(world_scheduler_enqueue(scheduler, packet));
		packet = world_scheduler_dequeue(scheduler);
		assert_non_null(packet);
		assert_int_equal(world_packet_read(packet, bytes, sizeof(bytes)), own->size);
		assert_memory_equal(bytes, own->bytes, own->size);
		if (queue_of_line() != own->queue)
			fail_msg("%s: queue %d", own->what, queue_of_line());
		world_packet_free(packet);
	}
	world_scheduler_delete(scheduler);
}

/* Every other one of the above, and any bytes in any pieces, most of them with a likely version. */
static struct world_packet *strange_packet(struct rng *rng, uint64_t number)
{
	const struct strange *own = &strange[number / 2 % (sizeof(strange) / sizeof(strange[0]))];
	const size_t size = rng_below(rng, 100), piece = 1 + rng_below(rng, 64);
	const bool layer2 = rng_below(rng, 3) == 0;
	uint8_t bytes[100];

	if (number % 2)
		return world_packet_new(own->bytes, own->size, own->piece, own->layer2);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rng_u64(rng);
	if (rng_below(rng, 4))
		bytes[layer2 ? 14 : 0] = (uint8_t)(0x45 + 0x1b * rng_below(rng, 2));
	if (rng_below(rng, 4))
		memcpy(bytes + 12, rng_below(rng, 2) ? "\x08" : "\x86\xdd", 2);
	return world_packet_new(bytes, size, piece, layer2);
}

static void strange_packets_under_load(void **state)
{
	static const char *const laws[] = {"pi2", "pie_rfc", "codel_rfc", "red_floyd"};
	struct world_scheduler *schedulers[] = {scheduler_new("dualpi2"), scheduler_new("student")};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 7);
	for (int s = 0; s < 2; s++) {
		for (uint64_t i = 0; i < 20000; i++) {
			world_set_clock(i * MS);
			world_scheduler_enqueue(schedulers[s], strange_packet(&rng, i));
			if (i % 3)
				world_packet_free(world_scheduler_dequeue(schedulers[s]));
		}
		world_scheduler_delete(schedulers[s]);
	}
	for (int l = 0; l < 4; l++) {
		struct world_queue *queue = world_queue_new(laws[l], NULL, 500, false);

		for (uint64_t i = 0; i < 5000; i++) {
			world_set_clock(i * MS);
			world_queue_enqueue(queue, strange_packet(&rng, i));
			if (i % 3)
				world_packet_free(world_queue_dequeue(queue));
		}
		world_queue_delete(queue);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_the_programs),
		TEST(values_out_of_range_are_refused),
		TEST(a_full_scheduler_drops),
		TEST(a_full_queue_drops),
		TEST(a_scheduler_changes_while_packets_wait),
		TEST(updates_that_become_shorter_are_not_late),
		TEST(a_queue_changes_its_law_while_packets_wait),
		TEST(requests_make_queues),
		TEST(requests_that_make_no_sense_are_refused),
		TEST(laws_that_are_not_given_are_told),
		TEST(weights_go_in_and_come_out),
		TEST(new_weights_speak_at_once),
		TEST(a_new_model_reads_its_own_inputs),
		TEST(weights_change_under_load),
		TEST(what_was_learned_outlives_instances),
		TEST(a_long_sleep_is_short),
		TEST(instances_that_are_not_finished_leave_nothing),
		TEST(laws_take_their_queues_along),
		TEST(forgotten_laws_go),
		TEST(a_module_in_use_stays),
		TEST(memory_that_is_not_there),
		TEST(interfaces_go),
		TEST(packets_that_are_none_do_no_harm),
		TEST(strange_packets_under_load),
	};

	return cmocka_run_group_tests_name("FreeBSD modules", tests, NULL, NULL);
}
