/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A path under a clock that stands still, jumps and is late: rates, delays, order, marks, and that
 * every buffer comes back.
 */
#include "router/path.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "net/headers.h"

#define BUFFER_BYTES 2048

struct bench {
	struct path path;
	struct packet_pool pool;
	struct frames frames;
	uint64_t left[3]; /* by verdict */
};

static void count(void *context, uint64_t now_ns, const struct packet *packet,
		  enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct bench *bench = context;

	(void)now_ns;
	(void)packet;
	(void)queue;
	(void)sojourn_ns;
	bench->left[verdict]++;
}

static struct bench *bench_new(const char *law, const char *settings, double rate_mbps,
			       double delay_ms)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	const struct aqm_ops *ops = aqm_find(law);
	void *params = calloc(1, ops->params_size + 1);

	assert_int_equal(aqm_params_default(ops, params, NULL), 0);
	assert_int_equal(aqm_params_set_all(ops, params, settings, NULL), 0);
	packet_pool_init(&bench->pool);
	frames_init(&bench->frames, BUFFER_BYTES, 65536);
	assert_int_equal(path_open(&bench->path,
				   &(struct path_config){
					   .law = ops,
					   .params = params,
					   .rate = {.rate_mbps = rate_mbps},
					   .delay_ns = ns_from_ms(delay_ms),
					   .seed = 1,
					   .pool = &bench->pool,
					   .frames = &bench->frames,
					   .sink = {.context = bench, .leave = count},
				   },
				   NULL),
			 0);
	free(params);
	return bench;
}

static void bench_free(struct bench *bench)
{
	path_close(&bench->path);
	packet_pool_free(&bench->pool);
	frames_free(&bench->frames);
	free(bench);
}

/* An IPv4 packet of a flow; `number` is its sequence number. */
static bool feed(struct bench *bench, uint32_t flow, uint32_t number, uint32_t len_bytes,
		 unsigned ecn, uint64_t now_ns)
{
	const struct packet packet = {
		.flow = flow,
		.protocol = NET_TCP,
		.len_bytes = len_bytes,
		.ecn = (uint8_t)ecn,
		.to_server = true,
		.tcp = {.seq = number, .payload_bytes = len_bytes - 52, .flags = TCP_ACK},
	};
	uint8_t *bytes = frames_take(&bench->frames);
	struct ip_summary ip;

	assert_non_null(bytes);
	memset(bytes, 0, BUFFER_BYTES);
	net_headers_write(&packet, bytes);
	assert_int_equal(ip_parse(bytes, len_bytes, &ip), 0);
	return path_arrive(&bench->path, bytes, len_bytes, 0, &ip, now_ns);
}

/* Takes what is due; returns its IP bytes. */
static uint64_t drain(struct bench *bench, uint64_t now_ns)
{
	struct packet *packet;
	uint64_t bytes = 0;

	path_run(&bench->path, now_ns);
	while ((packet = path_take(&bench->path, now_ns))) {
		assert_true(packet->enqueued_ns <= now_ns);
		bytes += packet->len_bytes;
		path_drop(&bench->path, packet);
	}
	return bytes;
}

/*
 * A link that always has packets, looked at now and then, up to 5 ms late: it carries its rate to
 * within a packet.
 */
static void carries_its_rate(void **state)
{
	static const double rates_mbps[] = {1, 8, 100, 1000};
	struct rng random;

	(void)state;
	rng_seed(&random, 1);
	for (size_t r = 0; r < sizeof(rates_mbps) / sizeof(rates_mbps[0]); r++) {
		struct bench *bench = bench_new("fifo", "limit_packets=2000", rates_mbps[r], 3);
		const uint64_t end_ns = rates_mbps[r] < 10 ? 4 * NS_PER_S : NS_PER_S / 2;
		uint64_t now_ns = 0, carried = 0;
		double wanted;

		while (now_ns < end_ns) {
			while (bench->path.queue->backlog_pkts[AQM_QUEUE_C] < 1000)
				feed(bench, 1, 0, 60 + (uint32_t)rng_below(&random, 1440), 0,
				     now_ns);
			now_ns += rng_below(&random, 5 * NS_PER_MS);
			carried += drain(bench, now_ns);
		}
		wanted = rates_mbps[r] * 1e6 / 8 * seconds_from_ns(now_ns - 3 * NS_PER_MS);
		assert_true(fabs((double)carried - wanted) <= 1500);
		bench_free(bench);
	}
}

static void an_idle_link_sends_at_once(void **state)
{
	struct bench *bench = bench_new("fifo", "", 8, 10);

	(void)state;
	assert_true(path_next_ns(&bench->path) == TIME_NEVER_NS);
	feed(bench, 1, 0, 1000, 0, 5 * NS_PER_MS);
	assert_int_equal(path_next_ns(&bench->path), 6 * NS_PER_MS);
	assert_int_equal(drain(bench, 6 * NS_PER_MS), 0);
	assert_int_equal(path_next_ns(&bench->path), 16 * NS_PER_MS);
	assert_int_equal(drain(bench, 16 * NS_PER_MS - 1), 0);
	assert_int_equal(drain(bench, 16 * NS_PER_MS), 1000);
	assert_int_equal(bench->frames.held, 0);
	bench_free(bench);
}

/* Sojourn times are those of the link, not of whoever looks too late. */
static void late_turns_do_not_lengthen_sojourns(void **state)
{
	struct bench *bench = bench_new("fifo", "", 8, 0);

	(void)state;
	for (int i = 0; i < 10; i++)
		feed(bench, 1, 0, 1000, 0, 0);
	drain(bench, 50 * NS_PER_MS);
	assert_int_equal(bench->path.stats[AQM_QUEUE_C].sojourn_ns.count, 10);
	assert_int_equal(bench->path.stats[AQM_QUEUE_C].sojourn_ns.max, 9 * NS_PER_MS);
	bench_free(bench);
}

static void without_a_link_packets_pass_at_once(void **state)
{
	struct bench *bench = bench_new("dualpi2", "", 0, 0);
	struct packet *packet;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		feed(bench, 1, i, 1000, AQM_ECT1, i);
		packet = path_take(&bench->path, i);
		assert_non_null(packet);
		assert_int_equal(packet->wire.tcp_seq, i + 1);
		path_drop(&bench->path, packet);
	}
	assert_int_equal(bench->left[AQM_MARK], 0);
	bench_free(bench);
}

/* An L4S flow over its step: marked packets show CE, and their checksums hold. */
static void marks_reach_the_bytes(void **state)
{
	struct bench *bench = bench_new("dualpi2", "", 8, 0);
	struct packet *packet;
	uint64_t marked = 0;

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		feed(bench, 1, i, 1000, AQM_ECT1, 0);
	path_run(&bench->path, NS_PER_S);
	while ((packet = path_take(&bench->path, NS_PER_S))) {
		assert_int_equal(net_checksum(net_sum(packet->wire.bytes, 20, 0)), 0);
		marked += (packet->wire.bytes[1] & 3) == AQM_CE;
		path_drop(&bench->path, packet);
	}
	assert_true(marked > 150);
	assert_int_equal(marked, bench->left[AQM_MARK]);
	/* 200 ms of backlog is an overload, in which the law drops. */
	assert_int_equal(bench->left[AQM_PASS] + bench->left[AQM_MARK] + bench->left[AQM_DROP],
			 200);
	bench_free(bench);
}

static void dropped_packets_give_their_buffers_back(void **state)
{
	struct bench *bench = bench_new("fifo", "limit_packets=10", 1, 0);

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		feed(bench, i, 0, 1500, i < 70 ? AQM_NOT_ECT : AQM_ECT0, 0);
	assert_int_equal(bench->left[AQM_DROP], 89);
	assert_int_equal(bench->path.stats[AQM_QUEUE_C].ect_drops, 30);
	assert_int_equal(bench->frames.held, 11);
	drain(bench, NS_PER_S);
	assert_int_equal(bench->frames.held, 0);
	assert_int_equal(bench->pool.allocated, 0);
	bench_free(bench);
}

/* A flood of flows finds every place that the table has. */
static void flows_use_the_whole_table(void **state)
{
	struct bench *bench = bench_new("fifo", "", 0, 0);

	(void)state;
	for (uint32_t flow = 0; flow < 8 * FLOWS_PLACES; flow++) {
		feed(bench, flow, 0, 100, 0, flow);
		drain(bench, flow);
	}
	assert_int_equal(bench->path.flows->used_count, FLOWS_PLACES);
	bench_free(bench);
}

/* What is no IP has no bits to mark: it is dropped where it would be marked, and goes last. */
static void frames_without_ip_pass(void **state)
{
	struct bench *bench = bench_new("dualpi2", "", 8, 0);
	uint8_t *bytes = frames_take(&bench->frames);
	struct packet *packet;

	(void)state;
	memset(bytes, 0xff, 60);
	assert_true(path_arrive(&bench->path, bytes, 60, 0, NULL, 0));
	path_run(&bench->path, NS_PER_S);
	packet = path_take(&bench->path, NS_PER_S);
	assert_non_null(packet);
	assert_int_equal(packet->len_bytes, 60);
	path_drop(&bench->path, packet);
	assert_int_equal(bench->path.flows->known, 0);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_its_rate),
		cmocka_unit_test(an_idle_link_sends_at_once),
		cmocka_unit_test(late_turns_do_not_lengthen_sojourns),
		cmocka_unit_test(without_a_link_packets_pass_at_once),
		cmocka_unit_test(marks_reach_the_bytes),
		cmocka_unit_test(dropped_packets_give_their_buffers_back),
		cmocka_unit_test(frames_without_ip_pass),
		cmocka_unit_test(flows_use_the_whole_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
