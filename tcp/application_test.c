/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints under an application: what is written arrives, no more, in whatever
 * pieces; readers that are slow close the window and open it again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tcp/test_path.h"

#define MSS 1448

static struct endpoint_config config_of(const char *cc)
{
	return (struct endpoint_config){
		.mtu_bytes = 1500,
		.cc = cc ? tcp_cc_find(cc) : NULL,
		.stop_ns = TIME_NEVER_NS,
		.from_application = true,
	};
}

static void write_to(struct path *path, uint64_t bytes)
{
	path->sender->ops->write(path->sender, bytes, path->now_ns);
}

static uint64_t delivered(const struct path *path)
{
	return stats_of(path->receiver).delivered_bytes;
}

struct delivery {
	uint64_t calls, bytes, now_ns;
};

static void on_delivered(void *context, uint64_t now_ns, uint64_t delivered_bytes)
{
	struct delivery *delivery = context;

	assert_true(delivered_bytes > delivery->bytes);
	*delivery = (struct delivery){delivery->calls + 1, delivered_bytes, now_ns};
}

static void only_what_is_written_is_sent(void **state)
{
	struct delivery delivery = {0};
	struct endpoint_config config = config_of("cubic");
	struct path *path;

	(void)state;
	config.context = &delivery;
	config.on_delivered = on_delivered;
	path = path_open(&config);
	path_run(path, 1000);
	assert_int_equal(stats_of(path->sender).sent_pkts, 0);
	assert_true(path->sender->ops->next_ns(path->sender) == TIME_NEVER_NS);
	write_to(path, 1);
	path_run(path, 11);
	assert_int_equal(delivery.bytes, 1);
	write_to(path, 3 * MSS + 100);
	path_run(path, 1000);
	assert_int_equal(delivery.bytes, 3 * MSS + 101);
	assert_int_equal(stats_of(path->sender).sent_pkts, 5);
	assert_int_equal(stats_of(path->sender).sent_bytes, 3 * MSS + 101 + 5 * 52);
	assert_true(path->sender->ops->next_ns(path->sender) == TIME_NEVER_NS);
	path_close(path);
}

static void pieces_of_any_size_arrive_through_losses(void **state)
{
	static const char *const controls[] = {"newreno", "cubic", "dctcp", "prague"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct endpoint_config config = config_of(controls[i]);
		struct path *path = path_open(&config);
		uint64_t written = 0;

		path->forward.loss = path->back.loss = 0.05;
		for (int n = 0; n < 1000; n++) {
			const uint64_t bytes = 1 + rng_below(&path->rng, 4000);

			write_to(path, bytes);
			written += bytes;
			path_run(path, rng_below(&path->rng, 8));
		}
		path_run(path, 20000);
		assert_int_equal(delivered(path), written);
		assert_true(stats_of(path->sender).retransmits > 10);
		path_close(path);
	}
}

/* The window does not grow while the application is what limits the flow. */
static void idle_windows_do_not_grow(void **state)
{
	const struct endpoint_config config = config_of("newreno");
	struct path *path = path_open(&config);

	(void)state;
	for (int i = 0; i < 100; i++) {
		write_to(path, 2 * MSS);
		path_run(path, 100);
	}
	assert_int_equal(stats_of(path->sender).cwnd_bytes, 10 * MSS);
	write_to(path, 100 * MSS);
	path_run(path, 1000);
	assert_true(stats_of(path->sender).cwnd_bytes > 30 * MSS);
	path_close(path);
}

static void no_new_data_after_the_stop(void **state)
{
	struct endpoint_config config = config_of("prague");
	struct path *path;
	uint64_t sent;

	(void)state;
	config.stop_ns = 100 * NS_PER_MS;
	path = path_open(&config);
	write_to(path, 1000000);
	path_run(path, 200);
	sent = delivered(path);
	assert_true(sent > 0 && sent < 1000000);
	path_run(path, 5000);
	assert_int_equal(delivered(path), sent);
	assert_true(path->sender->ops->next_ns(path->sender) == TIME_NEVER_NS);
	path_close(path);
}

static void first_windows_are_as_told(void **state)
{
	struct endpoint_config config = config_of("cubic");

	(void)state;
	for (uint16_t segments = 0; segments <= 30; segments += 3) {
		struct path *path;

		config.options.initial_window_segments = segments;
		path = path_open(&config);
		write_to(path, 1000000);
		path_run(path, 5);
		assert_int_equal(stats_of(path->sender).sent_pkts, segments ? segments : 10);
		path_close(path);
	}
}

/* Segments per acknowledgement, of a long transfer without losses. */
static double acknowledged_every(uint8_t ack_every)
{
	struct endpoint_config config = config_of("cubic");
	struct path *path;
	double ratio;

	config.options.ack_every = ack_every;
	config.options.receive_window_bytes = 64 * MSS;
	path = path_open(&config);
	write_to(path, 5000 * MSS);
	path_run(path, 5000);
	ratio = (double)stats_of(path->receiver).received_pkts /
		(double)stats_of(path->receiver).sent_pkts;
	assert_int_equal(delivered(path), 5000 * MSS);
	path_close(path);
	return ratio;
}

static void acknowledgements_come_as_often_as_told(void **state)
{
	(void)state;
	assert_true(acknowledged_every(1) == 1);
	assert_true(acknowledged_every(0) > 1.95 && acknowledged_every(0) <= 2);
	assert_true(acknowledged_every(2) == acknowledged_every(0));
	assert_true(acknowledged_every(8) > 7.5 && acknowledged_every(8) <= 8);
}

/* Nothing may be sent beyond what the receiver has room for. */
static void watch_edge(struct path *path, const struct packet *packet)
{
	if (packet->to_server)
		assert_true(packet->tcp.seq + packet->tcp.payload_bytes <= path->seen);
	else if (packet->tcp.ack + packet->tcp.window_bytes > path->seen)
		path->seen = packet->tcp.ack + packet->tcp.window_bytes;
}

static void windows_bound_what_is_in_flight(void **state)
{
	struct endpoint_config config = config_of("cubic");

	(void)state;
	for (uint64_t window = 200; window < 40000; window = window * 3 / 2) {
		struct path *path;
		uint64_t bytes;

		config.options.receive_window_bytes = window;
		path = path_open(&config);
		path->watch = watch_edge;
		path->seen = window;
		write_to(path, 10000000);
		path_run(path, 2000);
		bytes = delivered(path);
		/* A window per round trip of 20 to 22 ms, delayed acknowledgements aside. */
		assert_true(bytes <= 101 * window);
		assert_true(bytes >= (window > 4 * MSS ? 60 : 10) * window);
		assert_int_equal(stats_of(path->sender).retransmits, 0);
		path_close(path);
	}
}

static struct path *open_slow_reader(uint64_t window)
{
	struct endpoint_config config = config_of("cubic");
	struct path *path;

	config.to_application = true;
	config.options.receive_window_bytes = window;
	path = path_open(&config);
	path->watch = watch_edge;
	path->seen = window;
	return path;
}

static void read_from(struct path *path, uint64_t bytes)
{
	path->receiver->ops->read(path->receiver, bytes, path->now_ns);
}

static void closed_windows_are_probed_and_open_again(void **state)
{
	struct path *path = open_slow_reader(20 * MSS);
	uint64_t probes;

	(void)state;
	write_to(path, 1000 * MSS);
	path_run(path, 60000);
	assert_int_equal(delivered(path), 20 * MSS);
	probes = stats_of(path->sender).sent_pkts - 20;
	/* First after a retransmission timeout, then twice as far apart each time. */
	assert_in_range(probes, 5, 10);
	assert_int_equal(stats_of(path->sender).timeouts, 0);
	/* Reading tells the sender at once. */
	read_from(path, 20 * MSS);
	path_run(path, 25);
	assert_true(delivered(path) >= 30 * MSS);
	for (int i = 0; i < 1000; i++) {
		read_from(path, 2 * MSS);
		path_run(path, 20);
	}
	assert_int_equal(delivered(path), 1000 * MSS);
	path_close(path);
}

static void a_lost_window_update_is_probed_for(void **state)
{
	struct path *path = open_slow_reader(10 * MSS);

	(void)state;
	write_to(path, 20 * MSS);
	path_run(path, 1000);
	path->back.down = true;
	read_from(path, 10 * MSS);
	path_run(path, 100);
	path->back.down = false;
	assert_int_equal(delivered(path), 10 * MSS);
	path_run(path, 3000);
	assert_int_equal(delivered(path), 20 * MSS);
	path_close(path);
}

/* A reader that takes a few bytes at a time must not draw tiny segments (RFC 9293 3.8.6.2). */
static void little_reads_do_not_make_little_segments(void **state)
{
	struct path *path = open_slow_reader(8 * MSS);

	(void)state;
	write_to(path, 100 * MSS);
	for (int i = 0; i < 30000; i++) {
		read_from(path, 10);
		path_run(path, 1);
	}
	read_from(path, UINT64_MAX);
	path_run(path, 5000);
	assert_true(delivered(path) > 99 * MSS);
	assert_true(stats_of(path->sender).sent_pkts < 120);
	path_close(path);
}

/* Segments that left in the first millisecond after `pause_ms` with nothing to send. */
static uint64_t burst_after(struct path *path, uint64_t pause_ms)
{
	uint64_t before;

	path_run(path, pause_ms);
	before = stats_of(path->sender).sent_pkts;
	write_to(path, 2000 * MSS);
	path_run(path, 1);
	return stats_of(path->sender).sent_pkts - before;
}

/* RFC 5681 section 4.1: 10 segments after a timeout of silence, the window after less. */
static void idle_senders_restart(void **state)
{
	static const char *const controls[] = {"newreno", "cubic", "dctcp"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct endpoint_config config = config_of(controls[i]);
		struct path *path = path_open(&config);
		uint64_t kept;

		write_to(path, 1000 * MSS);
		for (int ms = 0; ms < 500 && delivered(path) < 1000 * MSS; ms++)
			path_run(path, 1);
		kept = burst_after(path, 150); /* timeouts are 200 ms at least */
		assert_true(kept > 100);
		path_run(path, 500);
		assert_int_equal(burst_after(path, 1000), 10);
		/* A window under 10 segments stays what it is, as after losses. */
		path_run(path, 1000);
		path->forward.loss = 0.3;
		write_to(path, 200 * MSS);
		path_run(path, 60000);
		path->forward.loss = 0;
		assert_true(stats_of(path->sender).cwnd_bytes < 10 * MSS);
		assert_in_range(burst_after(path, 100000), 1, 9);
		path_close(path);
	}
}

/* What is paced leaves at its pace, whatever the window. */
static void paced_senders_keep_their_window(void **state)
{
	const struct endpoint_config config = config_of("prague");
	struct path *path = path_open(&config);
	uint64_t window;

	(void)state;
	write_to(path, 1000 * MSS);
	path_run(path, 1000);
	window = stats_of(path->sender).cwnd_bytes;
	assert_true(window > 20 * MSS);
	assert_true(burst_after(path, 1000) < 5);
	assert_true(stats_of(path->sender).cwnd_bytes >= window);
	path_close(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_written_is_sent),
		cmocka_unit_test(idle_senders_restart),
		cmocka_unit_test(paced_senders_keep_their_window),
		cmocka_unit_test(pieces_of_any_size_arrive_through_losses),
		cmocka_unit_test(idle_windows_do_not_grow),
		cmocka_unit_test(no_new_data_after_the_stop),
		cmocka_unit_test(first_windows_are_as_told),
		cmocka_unit_test(acknowledgements_come_as_often_as_told),
		cmocka_unit_test(windows_bound_what_is_in_flight),
		cmocka_unit_test(closed_windows_are_probed_and_open_again),
		cmocka_unit_test(a_lost_window_update_is_probed_for),
		cmocka_unit_test(little_reads_do_not_make_little_segments),
	};

	return cmocka_run_group_tests_name("tcp under applications", tests, NULL, NULL);
}
