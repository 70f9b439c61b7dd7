/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds packets: nothing is lost, order is kept, every attempt has its record. */
#include "queue/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

struct bench {
	const struct aqm_ops *law;
	struct packet_pool pool;
	struct queue *queue;
	uint64_t records, logged[4];
	uint64_t left, dropped, marked;
	uint64_t last_number_of[AQM_QUEUES]; /* of the last packet that left each queue */
	int64_t last_length;
	int64_t total_packets[AQM_QUEUES]; /* of the last record of each queue */
};

static void on_record(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	struct bench *bench = context;

	(void)now_ns;
	bench->records++;
	assert_in_range(record->dequeue_action, AQM_LOGGED_ENQUEUE, AQM_LOGGED_MARK);
	bench->logged[record->dequeue_action]++;
	bench->last_length = record->length_in_bytes;
	/* Each queue's records are in the order of arrival, whenever they are sent. */
	assert_true(record->total_packets >= bench->total_packets[record->queue_type]);
	bench->total_packets[record->queue_type] = record->total_packets;
}

static void on_leave(void *context, uint64_t now_ns, const struct packet *packet,
		     enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct bench *bench = context;

	(void)now_ns;
	(void)sojourn_ns;
	if (verdict == AQM_DROP) {
		bench->dropped++;
		return;
	}
	bench->left++;
	assert_true(packet->tcp.seq > bench->last_number_of[queue]);
	bench->last_number_of[queue] = packet->tcp.seq;
}

static void open_bench(struct bench *bench, const char *law, const char *setting)
{
	struct queue_config config = {.pool = &bench->pool};
	void *params;

	memset(bench, 0, sizeof(*bench));
	packet_pool_init(&bench->pool);
	bench->law = config.law = aqm_find(law);
	params = malloc(config.law->params_size + 1);
	assert_int_equal(aqm_params_default(config.law, params, NULL), 0);
	if (setting)
		assert_int_equal(aqm_params_set(config.law, params, setting, NULL), 0);
	config.params = params;
	config.sink = (struct queue_sink){bench, on_record, on_leave};
	rng_seed(&config.random, 3);
	bench->queue = queue_new(&config, NULL);
	assert_non_null(bench->queue);
	free(params);
}

static void close_bench(struct bench *bench)
{
	queue_destroy(bench->queue);
	assert_int_equal(bench->pool.allocated, 0);
	packet_pool_free(&bench->pool);
}

static bool put(struct bench *bench, uint32_t number, enum aqm_ecn ecn, uint64_t now_ns)
{
	struct packet *packet = packet_new(&bench->pool);

	packet->len_bytes = 100 + number % 1400;
	packet->tcp.seq = number;
	packet->ecn = (uint8_t)ecn;
	return queue_enqueue(bench->queue, packet, now_ns);
}

/* Arrivals at twice the rate of departures, of every ECN kind. */
static void overload(struct bench *bench, uint32_t packets)
{
	uint64_t now_ns = 0;

	for (uint32_t i = 1; i <= packets; i++) {
		put(bench, i, (enum aqm_ecn)(i % 4), now_ns);
		now_ns += 700 * NS_PER_US;
		if (i % 2 == 0) {
			struct packet *packet = queue_dequeue(bench->queue, now_ns);

			if (packet)
				packet_free(&bench->pool, packet);
		}
	}
	for (struct packet *p; (p = queue_dequeue(bench->queue, now_ns)) != NULL;)
		packet_free(&bench->pool, p);
}

static void nothing_is_lost_and_order_is_kept(void **state)
{
	(void)state;
	for (const struct aqm_ops *const *law = aqm_all; *law; law++) {
		struct bench bench;
		const uint32_t packets = 20000;

		open_bench(&bench, (*law)->name, "limit_packets=300");
		overload(&bench, packets);
		assert_int_equal(bench.left + bench.dropped, packets);
		assert_true(bench.dropped > 0);
		assert_int_equal(bench.records, packets);
		assert_int_equal(bench.queue->counts[0].drops + bench.queue->counts[1].drops,
				 bench.dropped);
		assert_int_equal(bench.queue->backlog_bytes[0] + bench.queue->backlog_bytes[1], 0);
		assert_int_equal(bench.logged[AQM_LOGGED_ENQUEUE] + bench.logged[AQM_LOGGED_DROP] +
					 bench.logged[AQM_LOGGED_MARK],
				 packets);
		/* The released kernel logs drops that its burst allowance then prevents. */
		if (strcmp((*law)->name, "l4s-freebsd") != 0)
			assert_int_equal(bench.logged[AQM_LOGGED_DROP], bench.dropped);
		close_bench(&bench);
	}
}

static void records_show_the_queue_without_the_packet(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, "fifo", NULL);
	put(&bench, 1, AQM_ECT0, 0);
	assert_int_equal(bench.last_length, 0);
	put(&bench, 2, AQM_ECT0, 0);
	assert_int_equal(bench.last_length, 101);
	close_bench(&bench);
}

static void limits_hold(void **state)
{
	struct bench bench;
	uint32_t kept = 0;

	(void)state;
	open_bench(&bench, "fifo", "limit_packets=7");
	for (uint32_t i = 1; i <= 20; i++)
		kept += put(&bench, i, AQM_NOT_ECT, 0);
	assert_int_equal(kept, 7);
	assert_int_equal(bench.dropped, 13);
	close_bench(&bench);
}

/* A law that decides at departure: drops on arrival must not overtake those who wait. */
static void late_records_keep_the_order_of_arrival(void **state)
{
	struct bench bench;
	struct packet *packet;

	(void)state;
	open_bench(&bench, "dualpi2", "limit_packets=3");
	for (uint32_t i = 1; i <= 6; i++)
		put(&bench, i, AQM_ECT0, 0);
	assert_int_equal(bench.records, 0);
	packet = queue_dequeue(bench.queue, NS_PER_MS);
	packet_free(&bench.pool, packet);
	assert_int_equal(bench.records, 1);
	put(&bench, 7, AQM_ECT0, NS_PER_MS);
	while ((packet = queue_dequeue(bench.queue, 2 * NS_PER_MS)) != NULL)
		packet_free(&bench.pool, packet);
	assert_int_equal(bench.records, 7);
	assert_int_equal(bench.logged[AQM_LOGGED_DROP], 3);
	close_bench(&bench);
}

static void ect1_goes_to_l_in_a_dual_queue(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, "dualpi2", NULL);
	put(&bench, 1, AQM_NOT_ECT, 0);
	put(&bench, 2, AQM_ECT0, 0);
	put(&bench, 3, AQM_ECT1, 0);
	put(&bench, 4, AQM_CE, 0);
	assert_int_equal(bench.queue->backlog_pkts[AQM_QUEUE_L], 2);
	assert_int_equal(bench.queue->backlog_pkts[AQM_QUEUE_C], 2);
	close_bench(&bench);
	open_bench(&bench, "l4s-freebsd", NULL);
	put(&bench, 1, AQM_ECT1, 0);
	put(&bench, 2, AQM_CE, 0);
	assert_int_equal(bench.queue->backlog_pkts[AQM_QUEUE_L], 1);
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_and_order_is_kept),
		cmocka_unit_test(records_show_the_queue_without_the_packet),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(late_records_keep_the_order_of_arrival),
		cmocka_unit_test(ect1_goes_to_l_in_a_dual_queue),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
