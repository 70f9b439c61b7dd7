/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The virtual queue in user space: how long it is, whom it signals, what its law hears of the link.
 */
#include "kernel/virtual_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/vectors/cases.h"

#define BYTES_PER_S UINT64_C(1000000)
#define PACKET_NS UINT64_C(1000000) /* what PACKET_BYTES take */
#define PACKET_BYTES 1000

static struct virtual_queue queue;
static struct aqm_student_model model;

static void start(uint32_t which)
{
	struct dual_host_params params;

	vectors_params(which, &params);
	memset(&model, 0, sizeof(model));
	if (params.law == DUAL_HOST_STUDENT)
		vectors_model(which, &model);
	params.own.model = &model;
	virtual_queue_init(&queue, &params, BYTES_PER_S, 0);
}

static void run(uint64_t now_ns)
{
	while (virtual_queue_step(&queue, now_ns))
		;
}

static enum aqm_verdict arrive(uint8_t ecn, uint64_t now_ns, uint64_t random)
{
	struct dual_host_packet packet = {.random = random, .len_bytes = PACKET_BYTES, .ecn = ecn};

	run(now_ns);
	return virtual_queue_arrive(&queue, &packet, now_ns);
}

static uint32_t held(void)
{
	return queue.host.backlog_pkts[0] + queue.host.backlog_pkts[1];
}

static void packets_wait_for_the_virtual_link(void **state)
{
	(void)state;
	start(VECTORS_linux);
	for (int i = 0; i < 4; i++)
		assert_int_equal(arrive(AQM_ECT0, 0, UINT64_MAX), AQM_PASS);
	/* The first one is on the link at once. */
	for (uint64_t gone = 1; gone <= 4; gone++) {
		run(gone * PACKET_NS - PACKET_NS / 2);
		assert_int_equal(held(), 4 - gone);
	}
	assert_int_equal(queue.host.counts[AQM_QUEUE_C].left_pkts, 4);
}

static void only_what_is_too_much_is_signalled(void **state)
{
	(void)state;
	start(VECTORS_linux);
	for (uint64_t i = 0; i < 1000; i++)
		arrive(AQM_ECT1, 2 * i * PACKET_NS, i);
	assert_int_equal(queue.marked[AQM_QUEUE_L] + queue.dropped[AQM_QUEUE_L], 0);
	start(VECTORS_linux);
	for (uint64_t i = 0; i < 1000; i++)
		arrive(AQM_ECT1, i * PACKET_NS / 2, i);
	assert_true(queue.marked[AQM_QUEUE_L] > 100);
}

/* The guard's account of idle time depends on it (docs/guard.md). */
static void the_law_hears_of_an_idle_link(void **state)
{
	const struct aqm_guard_vars *guard = &queue.host.law.student.vars.guard;

	(void)state;
	start(VECTORS_judged);
	arrive(AQM_ECT0, 0, 1);
	run(0);
	assert_false(guard->idle);
	run(PACKET_NS - 1);
	assert_false(guard->idle);
	run(5 * PACKET_NS);
	assert_true(guard->idle);
	assert_int_equal(guard->then_ns, PACKET_NS);
	arrive(AQM_ECT0, 7 * PACKET_NS, 2);
	run(7 * PACKET_NS);
	assert_false(guard->idle);
}

/* In floods and in silence. */
static void its_time_never_runs_backwards(void **state)
{
	const struct aqm_guard_vars *guard = &queue.host.law.student.vars.guard;
	uint64_t bits[4], now_ns = 0, then_ns = 0, drops;

	(void)state;
	vectors_seed(bits, 3);
	start(VECTORS_judged);
	for (int i = 0; i < 20000; i++) {
		const uint64_t drawn = vectors_draw(bits);

		now_ns += i % 1000 < 900 ? drawn & 0xfffff : (drawn & 0xffff) << 10;
		while (virtual_queue_step(&queue, now_ns)) {
			assert_true(guard->then_ns >= then_ns);
			then_ns = guard->then_ns;
		}
		arrive(drawn >> 21 & 3, now_ns, vectors_draw(bits));
		assert_true(guard->then_ns >= then_ns);
		then_ns = guard->then_ns;
	}
	drops = queue.host.counts[0].drops + queue.host.counts[1].drops;
	assert_true(drops > 0 && queue.marked[0] + queue.marked[1] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_wait_for_the_virtual_link),
		cmocka_unit_test(only_what_is_too_much_is_signalled),
		cmocka_unit_test(the_law_hears_of_an_idle_link),
		cmocka_unit_test(its_time_never_runs_backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
