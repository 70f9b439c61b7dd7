/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delay lines, links, pipes and processors, each alone: when do packets leave?
 *
 * Every case feeds packets at given times into one node and writes down when
 * they come out.  Expected times are worked out by hand beside each case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "sim/router.h"
#include "sim/scenario.h"

#define MAX_OUT 64
#define MS NS_PER_MS

/* Where packets end: notes when and which (tcp.seq). */
struct bin {
	struct sim_node node; /* first */
	struct packet_pool *pool;
	uint64_t at_ns[MAX_OUT], number[MAX_OUT];
	size_t count;
};

struct bench {
	struct clock clock;
	struct packet_pool pool;
	struct queue *queue;
	struct scenario *scenario;
	struct delay_line delay;
	struct bottleneck link;
	struct pipe pipe;
	struct processor processor;
	struct bin bin;
	uint64_t sent;
};

static void bin_forward(struct sim_node *node, struct packet *packet)
{
	struct bin *bin = (struct bin *)node;

	assert_true(bin->count < MAX_OUT);
	bin->at_ns[bin->count] = node->clock->now_ns;
	bin->number[bin->count++] = packet->tcp.seq;
	packet_free(bin->pool, packet);
}

static const struct sim_node_ops bin_ops = {.forward = bin_forward};

static void count_sent(void *context, uint64_t now_ns, const struct packet *packet)
{
	(void)now_ns;
	(void)packet;
	((struct bench *)context)->sent++;
}

static struct bench *bench_new(const char *law)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct queue_config config = {.law = aqm_find(law)};
	void *params = calloc(1, config.law->params_size + 1);

	heap_init(&bench->clock.heap);
	packet_pool_init(&bench->pool);
	assert_int_equal(aqm_params_default(config.law, params, NULL), 0);
	config.params = params;
	config.pool = &bench->pool;
	rng_seed(&config.random, 1);
	bench->queue = queue_new(&config, NULL);
	assert_non_null(bench->queue);
	free(params);
	node_init(&bench->bin.node, &bin_ops, &bench->clock, NULL);
	bench->bin.pool = &bench->pool;
	delay_line_init(&bench->delay, &bench->clock, &bench->bin.node, 10 * MS);
	bench->scenario = calloc(1, sizeof(*bench->scenario));
	scenario_init(bench->scenario);
	return bench;
}

static void bench_free(struct bench *bench)
{
	queue_destroy(bench->queue);
	assert_int_equal(bench->pool.allocated, 0);
	heap_free(&bench->clock.heap);
	packet_pool_free(&bench->pool);
	scenario_free(bench->scenario);
	free(bench->scenario);
	free(bench);
}

/* Runs what is due before `end_ns`, and stands at `end_ns` then. */
static void run_until(struct bench *bench, uint64_t end_ns)
{
	uint64_t before_ns = bench->clock.now_ns;

	while (clock_run_next(&bench->clock, end_ns)) {
		assert_true(bench->clock.now_ns >= before_ns);
		before_ns = bench->clock.now_ns;
	}
	bench->clock.now_ns = end_ns;
}

static void feed(struct bench *bench, struct sim_node *to, uint64_t number, uint32_t len_bytes)
{
	struct packet *packet = packet_new(&bench->pool);

	assert_non_null(packet);
	packet->len_bytes = len_bytes;
	packet->tcp.seq = number;
	node_forward(to, packet);
}

static void came_out(const struct bench *bench, size_t index, uint64_t number, uint64_t at_ns)
{
	assert_true(index < bench->bin.count);
	assert_int_equal(bench->bin.number[index], number);
	assert_int_equal(bench->bin.at_ns[index], at_ns);
}

static void a_delay_line_delays(void **state)
{
	struct bench *bench = bench_new("fifo");

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		run_until(bench, i * 4 * MS);
		feed(bench, &bench->delay.node, i, 100);
	}
	run_until(bench, 100 * MS);
	assert_int_equal(bench->bin.count, 3);
	for (uint64_t i = 0; i < 3; i++)
		came_out(bench, i, i, (10 + 4 * i) * MS);
	bench_free(bench);
}

/* On a 10 ms grid what came at 14 counts as come at 10; the last one is held 7 ms longer. */
static void a_delay_line_on_a_grid_counts_from_the_tick(void **state)
{
	struct bench *bench = bench_new("fifo");

	(void)state;
	bench->delay.grid_ns = 10 * MS;
	run_until(bench, 14 * MS);
	feed(bench, &bench->delay.node, 0, 100);
	feed(bench, &bench->delay.node, 1, 100);
	delay_line_hold_last(&bench->delay, 7 * MS);
	run_until(bench, 100 * MS);
	came_out(bench, 0, 0, 20 * MS);
	came_out(bench, 1, 1, 27 * MS);
	bench_free(bench);
}

/* 8 Mbit/s: 1500 bytes take 1.5 ms, 52 bytes 52 us; then 10 ms of delay. */
static void a_link_sends_at_its_rate(void **state)
{
	struct bench *bench = bench_new("fifo");
	const struct link_sink sink = {bench, count_sent};

	(void)state;
	bottleneck_init(&bench->link, &bench->clock, &bench->delay.node, bench->queue,
			&(struct rate_plan){.rate_mbps = 8}, sink);
	feed(bench, &bench->link.node, 0, 1500);
	feed(bench, &bench->link.node, 1, 52);
	feed(bench, &bench->link.node, 2, 1500);
	run_until(bench, 100 * MS);
	came_out(bench, 0, 0, 11500000);
	came_out(bench, 1, 1, 11552000);
	came_out(bench, 2, 2, 13052000);
	assert_int_equal(bench->sent, 3);
	feed(bench, &bench->link.node, 3, 1500);
	run_until(bench, 200 * MS);
	came_out(bench, 3, 3, 111500000);
	bench_free(bench);
}

static void pipe_on(struct bench *bench)
{
	const struct link_sink sink = {bench, count_sent};

	bench->delay.grid_ns = 10 * MS;
	pipe_init(&bench->pipe, &bench->clock, &bench->delay, bench->queue, 8000000, 10 * MS, sink);
}

/*
 * 8 Mbit/s on a 100 Hz clock: 80,000 bits a tick, 12,000 a packet.  The first packet finds no debt
 * and goes at once, but is held for the tick that pays it; the debt of 12,000 is paid at tick 1,
 * where 68,000 of credit send five packets and a sixth, which is 4,000 too many and held a tick.
 */
static void a_pipe_sends_on_ticks(void **state)
{
	struct bench *bench = bench_new("fifo");
	size_t at_20 = 0, at_30 = 0;

	(void)state;
	pipe_on(bench);
	for (uint64_t i = 0; i < 9; i++)
		feed(bench, &bench->pipe.node, i, 1500);
	run_until(bench, 5 * MS);
	assert_int_equal(bench->sent, 1);
	run_until(bench, 15 * MS);
	assert_int_equal(bench->sent, 7);
	run_until(bench, 500 * MS);
	assert_int_equal(bench->bin.count, 9);
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(bench->bin.number[i], i);
		at_20 += bench->bin.at_ns[i] == 20 * MS;
		at_30 += bench->bin.at_ns[i] == 30 * MS;
	}
	assert_int_equal(at_20, 6);
	assert_int_equal(at_30, 3);
	bench_free(bench);
}

/* Over many ticks a busy pipe carries its rate, to within one packet. */
static void a_pipe_keeps_its_rate(void **state)
{
	struct bench *bench = bench_new("fifo");

	(void)state;
	pipe_on(bench);
	for (uint64_t round = 0; round < 6; round++) {
		for (uint64_t i = 0; i < 10; i++)
			feed(bench, &bench->pipe.node, 10 * round + i, 1000);
		run_until(bench, (round + 1) * 10 * MS - 1);
	}
	/* Five ticks of 10,000 bytes, and the packet that opened the debt. */
	assert_in_range(bench->sent, 50, 51);
	run_until(bench, 900 * MS);
	assert_int_equal(bench->bin.count, 60);
	bench_free(bench);
}

static void processor_on(struct bench *bench, uint64_t cost_ns, uint64_t room)
{
	processor_init(&bench->processor, &bench->clock, &bench->pipe.node, &bench->bin.node,
		       &bench->pipe);
	bench->processor.cost_ns = cost_ns;
	bench->processor.room_packets = room;
	bench->processor.pool = &bench->pool;
	bench->pipe.processor = &bench->processor;
	bench->delay.node.next = &bench->processor.node;
}

/* A packet costs 3 ms: four that come at once enter the queue at 3, 6, 9 and 12 ms. */
static void a_processor_takes_its_time(void **state)
{
	struct bench *bench = bench_new("fifo");
	static const uint64_t entered[] = {1, 2, 3, 4};

	(void)state;
	pipe_on(bench);
	processor_on(bench, 3 * MS, 100);
	for (uint64_t i = 0; i < 4; i++)
		feed(bench, &bench->processor.node, i, 1500);
	for (size_t i = 0; i < 4; i++) {
		run_until(bench, 3 * MS * (i + 1) + 1);
		assert_int_equal(bench->sent + bench->queue->backlog_pkts[AQM_QUEUE_C],
				 entered[i]);
	}
	run_until(bench, 500 * MS);
	assert_int_equal(bench->bin.count, 4);
	bench_free(bench);
}

/* The tick at 10 ms finds packets waiting: the pipe is served only when the last is handled. */
static void a_tick_waits_for_the_packets(void **state)
{
	struct bench *bench = bench_new("fifo");

	(void)state;
	pipe_on(bench);
	processor_on(bench, 3 * MS, 100);
	for (uint64_t i = 0; i < 6; i++)
		feed(bench, &bench->processor.node, i, 1500);
	run_until(bench, 18 * MS);
	assert_int_equal(bench->sent, 1);
	run_until(bench, 18 * MS + 1);
	assert_int_equal(bench->sent, 6);
	run_until(bench, 500 * MS);
	assert_int_equal(bench->bin.count, 6);
	bench_free(bench);
}

static void a_full_receive_ring_drops(void **state)
{
	struct bench *bench = bench_new("fifo");

	(void)state;
	pipe_on(bench);
	processor_on(bench, 3 * MS, 4);
	for (uint64_t i = 0; i < 10; i++)
		feed(bench, &bench->processor.node, i, 1500);
	run_until(bench, 500 * MS);
	assert_int_equal(bench->processor.drops, 6);
	assert_int_equal(bench->bin.count, 4);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delay_line_delays),
		cmocka_unit_test(a_delay_line_on_a_grid_counts_from_the_tick),
		cmocka_unit_test(a_link_sends_at_its_rate),
		cmocka_unit_test(a_pipe_sends_on_ticks),
		cmocka_unit_test(a_pipe_keeps_its_rate),
		cmocka_unit_test(a_processor_takes_its_time),
		cmocka_unit_test(a_tick_waits_for_the_packets),
		cmocka_unit_test(a_full_receive_ring_drops),
	};

	return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
