/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP without a network: ranges and scoreboard against slow models, round-trip
 * estimate by hand, congestion controls by their texts, and two endpoints over
 * a pipe that loses, delays and marks.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp/endpoint.h"
#include "tcp/ranges.h"
#include "tcp/rtt.h"
#include "tcp/scoreboard.h"
#include "tcp/test_path.h"

#define BYTES 2000

static void ranges_are_a_set_of_bytes(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (int round = 0; round < 200; round++) {
		bool has[BYTES] = {false};
		struct ranges ranges;

		ranges_init(&ranges, NULL);
		for (int i = 0; i < 60; i++) {
			const uint64_t start = rng_below(&rng, BYTES - 50);
			const uint64_t end = start + 1 + rng_below(&rng, 49);
			const struct range merged = ranges_add(&ranges, start, end);

			memset(has + start, true, (size_t)(end - start));
			assert_true(merged.start <= start && merged.end >= end);
			assert_true(ranges_contain(&ranges, start, end));
			for (size_t r = 0; r + 1 < ranges.count; r++)
				assert_true(ranges.items[r].end < ranges.items[r + 1].start);
		}
		for (size_t r = 0; r < ranges.count; r++) {
			for (uint64_t b = ranges.items[r].start; b < ranges.items[r].end; b++) {
				assert_true(has[b]);
				has[b] = false;
			}
		}
		for (int b = 0; b < BYTES; b++)
			assert_false(has[b]);
		ranges_free(&ranges);
	}
}

static void consumed_ranges_move_the_edge(void **state)
{
	struct ranges ranges;

	(void)state;
	ranges_init(&ranges, NULL);
	ranges_add(&ranges, 10, 20);
	ranges_add(&ranges, 30, 40);
	assert_int_equal(ranges_consume(&ranges, 5), 5);
	assert_int_equal(ranges_consume(&ranges, 10), 20);
	assert_int_equal(ranges.count, 1);
	assert_int_equal(ranges_consume(&ranges, 35), 40);
	assert_int_equal(ranges.count, 0);
	ranges_free(&ranges);
}

static void round_trips_are_smoothed_as_rfc_6298_says(void **state)
{
	struct tcp_rtt rtt = {0};

	(void)state;
	assert_int_equal(tcp_rtt_timeout_ns(&rtt), NS_PER_S);
	tcp_rtt_sample(&rtt, 100 * NS_PER_MS);
	assert_int_equal(rtt.srtt_ns, 100 * NS_PER_MS);
	assert_int_equal(rtt.variation_ns, 50 * NS_PER_MS);
	tcp_rtt_sample(&rtt, 180 * NS_PER_MS);
	assert_int_equal(rtt.srtt_ns, 110 * NS_PER_MS);
	assert_int_equal(rtt.variation_ns, (375 * NS_PER_MS) / 10 + 20 * NS_PER_MS);
	assert_int_equal(tcp_rtt_timeout_ns(&rtt), 110 * NS_PER_MS + 4 * rtt.variation_ns);
	rtt.backoff = 2;
	assert_int_equal(tcp_rtt_timeout_ns(&rtt), 4 * (110 * NS_PER_MS + 4 * rtt.variation_ns));
	assert_int_equal(rtt.min_ns, 100 * NS_PER_MS);
}

/* A segment's start somewhere in [from, next], as acknowledgements name them. */
static uint64_t some_edge(struct rng *rng, const struct scoreboard *board, uint64_t from)
{
	const uint64_t segment = from + rng_below(rng, board->next - from + 1);

	return segment == board->next ? board->next_byte : scoreboard_start(board, segment);
}

/* One event in the life of a scoreboard. */
static void disturb(struct scoreboard *board, struct rng *rng, bool full, uint64_t now_ns)
{
	const uint64_t open = board->next - board->first;
	uint64_t lost, start, due_ns;

	scoreboard_begin(board, (struct scoreboard_event){now_ns, 5000, (uint32_t)(now_ns / 1000)});
	switch (rng_below(rng, 6)) {
	case 0:
		scoreboard_ack(board, some_edge(rng, board, board->first) - rng_below(rng, 2));
		break;
	case 1:
	case 2:
		if (open > 2) {
			start = some_edge(rng, board, board->first + 1);
			scoreboard_sack(board, start, some_edge(rng, board, board->first + 1));
		}
		scoreboard_detect(board, rng_below(rng, 4000), now_ns, &due_ns);
		break;
	case 3:
		lost = scoreboard_next_lost(board);
		if (lost == UINT64_MAX)
			lost = scoreboard_last(board);
		if (lost != UINT64_MAX)
			assert_int_equal(scoreboard_resend(board, lost, now_ns), 0);
		break;
	case 4:
		if (rng_below(rng, 40) == 0)
			scoreboard_lose_all(board);
		else if (rng_below(rng, 40) == 0)
			scoreboard_restore(board);
		break;
	default:
		for (int i = 0; i < 3; i++)
			assert_int_equal(scoreboard_send(board,
							 full ? 1448
							      : 1 + (uint32_t)rng_below(rng, 1448),
							 now_ns),
					 0);
	}
}

static void scoreboards_stay_consistent(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	for (int round = 0; round < 100; round++) {
		struct scoreboard board;

		assert_int_equal(scoreboard_init(&board, 1448, round % 3 == 0, NULL), 0);
		/* Past 4 GiB, where the low bits of numbers of bytes begin again. */
		board.first_byte = board.next_byte = (UINT64_C(1) << 32) - 100000;
		for (uint64_t i = 0; i < 400; i++) {
			disturb(&board, &rng, round % 2, 1000 * i);
			assert_true(scoreboard_is_valid(&board));
		}
		scoreboard_free(&board);
	}
}

static void time_tells_what_is_lost(void **state)
{
	struct scoreboard board;
	uint64_t due_ns;

	(void)state;
	assert_int_equal(scoreboard_init(&board, 1448, false, NULL), 0);
	for (uint64_t i = 0; i < 10; i++)
		scoreboard_send(&board, 1000, i);
	scoreboard_begin(&board, (struct scoreboard_event){100, 90, 0});
	/* Segments 1 and 2, the latter sent at 2: a round trip of 98, and a window of 25. */
	assert_int_equal(scoreboard_sack(&board, 1000, 3000), 2000);
	assert_int_equal(scoreboard_detect(&board, 25, 100, &due_ns), 0);
	assert_int_equal(due_ns, 0 + 98 + 25);
	assert_int_equal(scoreboard_detect(&board, 25, 122, &due_ns), 0);
	assert_int_equal(scoreboard_detect(&board, 25, 123, &due_ns), 1000);
	assert_true(due_ns == TIME_NEVER_NS);
	assert_int_equal(scoreboard_next_lost(&board), 0);
	/* A block that ends inside a segment says nothing of that segment. */
	assert_int_equal(scoreboard_sack(&board, 4000, 5500), 1000);
	assert_int_equal(scoreboard_detect(&board, 0, 123, &due_ns), 1000);
	/* Sent again, and lost again, once something sent after it is delivered. */
	assert_int_equal(scoreboard_resend(&board, 0, 130), 0);
	assert_int_equal(scoreboard_resend(&board, 3, 131), 0);
	scoreboard_begin(&board, (struct scoreboard_event){230, 90, 0});
	assert_int_equal(scoreboard_sack(&board, 3000, 4000), 1000);
	assert_int_equal(scoreboard_detect(&board, 0, 230, &due_ns), 6000);
	assert_true(scoreboard_is_valid(&board));
	scoreboard_free(&board);
}

/* A congestion control on its own. */
struct control {
	const struct tcp_cc_ops *ops;
	struct tcp_cc_state state;
	void *priv;
	struct tcp_cc_sample sample;
};

static void control_open(struct control *control, const char *name)
{
	memset(control, 0, sizeof(*control));
	control->ops = tcp_cc_find(name);
	assert_non_null(control->ops);
	control->priv = calloc(1, control->ops->private_size + 1);
	control->state.mss_bytes = 1448;
	control->state.cwnd_bytes = 10 * 1448;
	control->state.ssthresh_bytes = UINT64_MAX;
	control->ops->init(&control->state, control->priv);
	control->sample.rtt_ns = control->sample.srtt_ns = control->sample.min_rtt_ns =
		20 * NS_PER_MS;
}

/* One window's worth of acknowledgements, `marked` of it reported as CE. */
static void acknowledge_window(struct control *control, double marked)
{
	struct tcp_cc_sample *sample = &control->sample;
	const uint64_t packets = control->state.cwnd_bytes / 1448;

	for (uint64_t i = 0; i < packets; i++) {
		sample->now_ns += sample->rtt_ns / packets;
		sample->acked_bytes = 1448;
		sample->delivered_bytes += 1448;
		sample->acked_end += 1448;
		sample->sent_end = sample->acked_end + control->state.cwnd_bytes;
		sample->in_flight_bytes = control->state.cwnd_bytes;
		sample->marked_bytes = (double)i < marked * (double)packets ? 1448 : 0;
		sample->ece = sample->marked_bytes != 0;
		control->ops->on_ack(&control->state, control->priv, sample);
	}
}

static void newreno_halves_and_adds_one(void **state)
{
	struct control control;
	uint64_t before;

	(void)state;
	control_open(&control, "newreno");
	acknowledge_window(&control, 0);
	assert_int_equal(control.state.cwnd_bytes, 20 * 1448);
	control.sample.in_flight_bytes = 20 * 1448;
	control.ops->on_loss(&control.state, control.priv, &control.sample);
	assert_int_equal(control.state.ssthresh_bytes, 10 * 1448);
	control.state.cwnd_bytes = control.state.ssthresh_bytes;
	before = control.state.cwnd_bytes;
	acknowledge_window(&control, 0);
	assert_in_range(control.state.cwnd_bytes, before + 1300, before + 1500);
	free(control.priv);
}

static void cubic_multiplies_by_seven_tenths(void **state)
{
	struct control control;

	(void)state;
	control_open(&control, "cubic");
	/* Long round trips: Reno's pace (RFC 9438 section 4.3) stays below the cubic curve. */
	control.sample.rtt_ns = control.sample.srtt_ns = control.sample.min_rtt_ns =
		200 * NS_PER_MS;
	control.state.cwnd_bytes = 100 * 1448;
	control.state.ssthresh_bytes = 50 * 1448;
	acknowledge_window(&control, 0);
	control.state.cwnd_bytes = 100 * 1448;
	control.sample.in_flight_bytes = 100 * 1448;
	control.ops->on_loss(&control.state, control.priv, &control.sample);
	assert_in_range(control.state.ssthresh_bytes, 69 * 1448, 71 * 1448);
	control.state.cwnd_bytes = control.state.ssthresh_bytes;
	/* W(t) = 0.4 (t - K)^3 + W_max with K = cbrt(100 x 0.3 / 0.4) = 4.2 s: back after K. */
	for (int i = 0; i < 21; i++)
		acknowledge_window(&control, 0);
	assert_in_range(control.state.cwnd_bytes, 95 * 1448, 106 * 1448);
	free(control.priv);
}

static void dctcp_reduces_by_the_share_of_marks(void **state)
{
	struct control control;
	double low = 1e9, high = 0;

	(void)state;
	control_open(&control, "dctcp");
	control.state.cwnd_bytes = 100 * 1448;
	control.state.ssthresh_bytes = 50 * 1448;
	for (int i = 0; i < 100; i++)
		acknowledge_window(&control, 0.2);
	/* alpha settles at 0.2: each window is cut by about a tenth and gains a packet. */
	for (int i = 0; i < 40; i++) {
		acknowledge_window(&control, 0.2);
		low = fmin(low, (double)control.state.cwnd_bytes / 1448);
		high = fmax(high, (double)control.state.cwnd_bytes / 1448);
	}
	assert_true(low > 5 && high < 20);
	free(control.priv);
}

/*
 * As Linux has it: whole segments, in pairs, and a window that does not grow before what was in
 * flight at its reduction is acknowledged, and one more.
 */
static void deployed_dctcp_stands_still_after_a_reduction(void **state)
{
	struct control control;

	(void)state;
	control_open(&control, "dctcp");
	control.state.options.linux_dctcp = true;
	control.state.cwnd_bytes = 15 * 1448;
	control.state.ssthresh_bytes = 10 * 1448;
	/* Alpha settles at 0.2. */
	for (int i = 0; i < 100; i++) {
		control.state.cwnd_bytes = 20 * 1448;
		acknowledge_window(&control, 0.2);
	}
	assert_int_equal(control.state.cwnd_bytes % 1448, 0);
	assert_int_equal(control.state.quantum_bytes, 2 * 1448);
	assert_true(control.state.pacing_bps > 0);
	/* Marks at the start of a window: one reduction by a tenth, then nothing. */
	acknowledge_window(&control, 0);
	control.state.cwnd_bytes = 20 * 1448;
	acknowledge_window(&control, 0.05);
	assert_int_equal(control.state.cwnd_bytes, 18 * 1448);
	acknowledge_window(&control, 0);
	assert_int_equal(control.state.cwnd_bytes, 18 * 1448);
	acknowledge_window(&control, 0);
	acknowledge_window(&control, 0);
	assert_in_range(control.state.cwnd_bytes, 19 * 1448, 20 * 1448);
	free(control.priv);
}

static struct path *open_path(const char *cc, enum endpoint_ecn ecn, double loss, double mark)
{
	const struct endpoint_config config = {
		.mtu_bytes = 1500, .ecn = ecn, .cc = tcp_cc_find(cc), .stop_ns = 20 * NS_PER_S};
	struct path *path = path_open(&config);

	path->forward.loss = loss;
	path->forward.mark = mark;
	return path;
}

static void lost_segments_are_sent_again_until_all_arrive(void **state)
{
	static const char *const controls[] = {"newreno", "cubic", "dctcp"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct path *path = open_path(controls[i], ENDPOINT_ECN_NONE, 0.03, 0);
		struct endpoint_stats sent, received;

		path_run(path, 20000);
		/* No new data from here on: what was sent has to arrive, in order. */
		path_run(path, 20000);
		path->sender->ops->stats(path->sender, &sent);
		path->receiver->ops->stats(path->receiver, &received);
		assert_true(sent.retransmits > 20);
		assert_true(received.delivered_bytes > 1000000);
		assert_int_equal(received.delivered_bytes % 1448, 0);
		assert_int_equal((sent.sent_pkts - sent.retransmits) * 1448,
				 received.delivered_bytes);
		path_close(path);
	}
}

static void marks_reach_the_sender(void **state)
{
	static const struct {
		const char *cc;
		enum endpoint_ecn ecn;
	} rows[] = {{"newreno", ENDPOINT_ECN_CLASSIC},
		    {"cubic", ENDPOINT_ECN_CLASSIC},
		    {"dctcp", ENDPOINT_ECN_ECT1}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct path *path = open_path(rows[i].cc, rows[i].ecn, 0, 0.05);
		struct endpoint_stats sent, received;

		path_run(path, 10000);
		path->sender->ops->stats(path->sender, &sent);
		path->receiver->ops->stats(path->receiver, &received);
		assert_true(path->ect > 100);
		assert_true(received.ce_received > 10);
		assert_int_equal(sent.retransmits, 0);
		/* 5 % of marks hold a window of tens of packets; without reaction it would grow. */
		assert_true(sent.cwnd_bytes < 60 * 1448);
		path_close(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_a_set_of_bytes),
		cmocka_unit_test(consumed_ranges_move_the_edge),
		cmocka_unit_test(round_trips_are_smoothed_as_rfc_6298_says),
		cmocka_unit_test(scoreboards_stay_consistent),
		cmocka_unit_test(time_tells_what_is_lost),
		cmocka_unit_test(newreno_halves_and_adds_one),
		cmocka_unit_test(cubic_multiplies_by_seven_tenths),
		cmocka_unit_test(dctcp_reduces_by_the_share_of_marks),
		cmocka_unit_test(deployed_dctcp_stands_still_after_a_reduction),
		cmocka_unit_test(lost_segments_are_sent_again_until_all_arrive),
		cmocka_unit_test(marks_reach_the_sender),
	};

	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
