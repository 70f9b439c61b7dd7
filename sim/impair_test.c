/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Impairments one by one: 100,000 packets, one a millisecond, and what comes out.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "sim/impair.h"

#define PACKETS 100000

/* Where packets end: what came, when, in which order. */
struct bench {
	struct sim_node end;
	struct clock clock;
	struct packet_pool pool;
	uint64_t arrived, overtaken;     /* overtaken: after one that was sent later */
	uint64_t latest_ns;              /* sending time of the latest of those that came */
	uint64_t bursts, last_number;    /* runs of packets that did not come */
	double delay_ns;                 /* sum */
	uint64_t longest_ns;
};

static void end_forward(struct sim_node *node, struct packet *packet)
{
	struct bench *bench = (struct bench *)node;
	const uint64_t delay_ns = node->clock->now_ns - packet->datagram.sent_ns;

	bench->arrived++;
	bench->delay_ns += (double)delay_ns;
	if (delay_ns > bench->longest_ns)
		bench->longest_ns = delay_ns;
	if (packet->datagram.sent_ns < bench->latest_ns)
		bench->overtaken++;
	else
		bench->latest_ns = packet->datagram.sent_ns;
	bench->bursts += packet->datagram.number > bench->last_number + 1;
	bench->last_number = packet->datagram.number;
	packet_free(&bench->pool, packet);
}

static const struct sim_node_ops end_ops = {.forward = end_forward};

/* Runs nodes up to `until_ns`. */
static void run_until(struct clock *clock, uint64_t until_ns)
{
	while (clock_run_next(clock, until_ns + 1))
		;
	clock->now_ns = until_ns;
}

/* Sends all packets through what `plan` says; `lost` of them do not arrive. */
static struct bench *send_through(const struct impairments *plan, uint64_t *lost)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct impaired_path path;
	struct rng random;

	rng_seed(&random, 1);
	heap_init(&bench->clock.heap);
	packet_pool_init(&bench->pool);
	node_init(&bench->end, &end_ops, &bench->clock, NULL);
	impaired_path_init(&path, plan, &bench->clock, &bench->end, &random, &bench->pool);
	for (uint64_t i = 0; i < PACKETS; i++) {
		struct packet *packet = packet_new(&bench->pool);

		run_until(&bench->clock, i * NS_PER_MS);
		packet->datagram.sent_ns = bench->clock.now_ns;
		packet->datagram.number = i + 1;
		node_forward(path.entry, packet);
		if (i == PACKETS / 2)
			assert_int_equal(bench->pool.allocated, impaired_path_held(&path));
	}
	run_until(&bench->clock, TIME_NEVER_NS - 1);
	assert_false(bench->clock.failed);
	assert_int_equal(bench->arrived + impaired_path_lost(&path), PACKETS);
	assert_int_equal(impaired_path_held(&path), 0);
	assert_int_equal(bench->pool.allocated, 0);
	*lost = impaired_path_lost(&path);
	impaired_path_free(&path);
	heap_free(&bench->clock.heap);
	packet_pool_free(&bench->pool);
	return bench;
}

static void without_impairments_nothing_happens(void **state)
{
	uint64_t lost;
	struct bench *bench = send_through(&(struct impairments){0}, &lost);

	(void)state;
	assert_true(lost == 0 && bench->overtaken == 0 && bench->longest_ns == 0);
	free(bench);
}

/* Four standard deviations of the binomial law are 0.18 points. */
static void losses_are_as_many_as_said_and_apart(void **state)
{
	uint64_t lost;
	struct bench *bench = send_through(&(struct impairments){.loss_percent = 2}, &lost);
	const double length = (double)lost / (double)bench->bursts;

	(void)state;
	assert_in_range(lost, 1820, 2180);
	assert_true(length > 1.0 && length < 1.04); /* 1 / (1 - p) */
	free(bench);
}

/* In the bad state a share of enter / (enter + leave), for 1 / leave packets at a time. */
static void bursts_have_their_length_and_share(void **state)
{
	const struct impairments plan = {
		.burst = {.enter_percent = 1, .leave_percent = 20, .loss_percent = 100}};
	uint64_t lost;
	struct bench *bench = send_through(&plan, &lost);
	const double length = (double)lost / (double)bench->bursts;

	(void)state;
	assert_in_range(lost, 4300, 5220); /* 1 / 21 of them: 4762 */
	assert_true(length > 4.6 && length < 5.4);
	free(bench);
}

static void detours_are_overtaken(void **state)
{
	const struct impairments plan = {.reorder_percent = 5, .reorder_ms = 3.5};
	uint64_t lost;
	struct bench *bench = send_through(&plan, &lost);

	(void)state;
	assert_int_equal(lost, 0);
	assert_int_equal(bench->longest_ns, ns_from_ms(3.5));
	assert_in_range(bench->overtaken, 4700, 5300);
	free(bench);
}

static void jitter_has_its_mean_and_keeps_order_unless_told(void **state)
{
	struct impairments plan = {.jitter_ms = 0.2};
	uint64_t lost;
	struct bench *kept = send_through(&plan, &lost), *freely;

	(void)state;
	assert_int_equal(kept->overtaken, 0);
	plan.jitter_ms = 4;
	plan.may_overtake = true;
	freely = send_through(&plan, &lost);
	assert_true(fabs(freely->delay_ns / PACKETS / 4e6 - 1) < 0.02);
	assert_true(freely->longest_ns <= ns_from_ms(40));
	assert_true(freely->overtaken > PACKETS / 3);
	free(kept);
	free(freely);
	plan.may_overtake = false;
	kept = send_through(&plan, &lost);
	assert_int_equal(kept->overtaken, 0);
	assert_true(kept->delay_ns / PACKETS > 4e6); /* they wait for those before them, too */
	free(kept);
}

/* Of 100 s a share of for / (every + for), in about 1800 stalls, within four deviations. */
static void stalls_hold_what_comes_until_their_end(void **state)
{
	const struct impairments plan = {.stall = {.every_ms = 50, .for_ms = 5}};
	uint64_t lost;
	struct bench *bench = send_through(&plan, &lost);
	const double mean_ms = bench->delay_ns / PACKETS / 1e6;

	(void)state;
	assert_true(lost == 0 && bench->overtaken == 0);
	assert_in_range(bench->longest_ns, ns_from_ms(4.9), ns_from_ms(5));
	assert_true(mean_ms > 0.9 * 2.5 * 5 / 55 && mean_ms < 1.1 * 2.5 * 5 / 55);
	free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_impairments_nothing_happens),
		cmocka_unit_test(losses_are_as_many_as_said_and_apart),
		cmocka_unit_test(bursts_have_their_length_and_share),
		cmocka_unit_test(detours_are_overtaken),
		cmocka_unit_test(jitter_has_its_mean_and_keeps_order_unless_told),
		cmocka_unit_test(stalls_hold_what_comes_until_their_end),
	};

	return cmocka_run_group_tests_name("impairments", tests, NULL, NULL);
}
