/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Losses, reordering, silence: what a sender makes of them.  Single events by
 * hand, then networks that do everything at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <malloc.h>

#include "tcp/prr.h"
#include "tcp/ranges.h"
#include "tcp/scoreboard.h"
#include "tcp/test_path.h"

#define MSS 1448

static struct path *open_flow(const char *cc, uint64_t bytes)
{
	const struct endpoint_config config = {
		.mtu_bytes = 1500,
		.cc = tcp_cc_find(cc),
		.stop_ns = TIME_NEVER_NS,
		.from_application = true,
	};
	struct path *path = path_open(&config);

	path->sender->ops->write(path->sender, bytes, 0);
	return path;
}

static struct endpoint_stats sent(const struct path *path)
{
	return stats_of(path->sender);
}

static uint64_t delivered(const struct path *path)
{
	return stats_of(path->receiver).delivered_bytes;
}

/* Loses the first copy of the segments in `seen`, one bit each. */
static bool drop_first_copies(struct path *path, const struct packet *packet)
{
	const uint64_t segment = packet->tcp.seq / MSS;

	if (!packet->to_server || segment >= 64 || !(path->seen >> segment & 1))
		return false;
	path->seen &= ~(UINT64_C(1) << segment);
	return true;
}

static void a_hole_is_filled_within_two_round_trips(void **state)
{
	struct path *path = open_flow("newreno", 200 * MSS);

	(void)state;
	path->drop = drop_first_copies;
	path->seen = UINT64_C(1) << 3;
	/* Left at 1 ms; others of its flight are acknowledged at 21 ms; sent again, there at 31. */
	path_run(path, 31);
	assert_true(delivered(path) >= 10 * MSS);
	assert_int_equal(sent(path).retransmits, 1);
	path_run(path, 1000);
	assert_int_equal(delivered(path), 200 * MSS);
	assert_int_equal(sent(path).retransmits, 1);
	assert_int_equal(sent(path).timeouts, 0);
	path_close(path);
}

/* Loses the first `seen` copies of segment 3. */
static bool drop_copies(struct path *path, const struct packet *packet)
{
	if (!packet->to_server || packet->tcp.seq != 3 * MSS || path->seen == 0)
		return false;
	path->seen--;
	return true;
}

static void lost_retransmissions_are_found_without_a_timeout(void **state)
{
	struct path *path = open_flow("cubic", 400 * MSS);

	(void)state;
	path->drop = drop_copies;
	path->seen = 4;
	path_run(path, 2000);
	assert_int_equal(delivered(path), 400 * MSS);
	assert_int_equal(sent(path).retransmits, 4);
	assert_int_equal(sent(path).timeouts, 0);
	path_close(path);
}

static void the_last_segment_is_probed_for(void **state)
{
	struct path *path = open_flow("newreno", 5 * MSS);
	uint64_t before;

	(void)state;
	path_run(path, 500);
	path->drop = drop_first_copies;
	/* Two round trips after the last acknowledgement, where a timeout takes 200 ms more. */
	path->sender->ops->write(path->sender, 4 * MSS, path->now_ns);
	path->seen = UINT64_C(3) << 7;
	path_run(path, 130);
	assert_int_equal(delivered(path), 9 * MSS);
	assert_int_equal(sent(path).tail_probes, 1);
	assert_int_equal(sent(path).retransmits, 2);
	path_run(path, 500);
	/* One segment alone may be waiting for its receiver's delayed acknowledgement. */
	path->sender->ops->write(path->sender, 4 * MSS, path->now_ns);
	path->seen = UINT64_C(1) << 12;
	path_run(path, 400);
	assert_int_equal(delivered(path), 13 * MSS);
	assert_int_equal(sent(path).tail_probes, 2);
	assert_int_equal(sent(path).timeouts, 0);
	/* The next acknowledgement shows that it repaired a loss: the control hears of it. */
	before = sent(path).cwnd_bytes;
	path->sender->ops->write(path->sender, MSS, path->now_ns);
	path_run(path, 100);
	assert_true(sent(path).cwnd_bytes < before);
	path_close(path);
}

/* Only acknowledgements are lost: a probe finds no loss, and nobody is told of one. */
static void probes_of_a_silent_path_change_nothing(void **state)
{
	struct path *path = open_flow("newreno", 5 * MSS);

	(void)state;
	path_run(path, 500);
	path->sender->ops->write(path->sender, 8 * MSS, path->now_ns);
	path->back.down = true;
	path_run(path, 60);
	path->back.down = false;
	path_run(path, 60);
	path->sender->ops->write(path->sender, 8 * MSS, path->now_ns);
	path_run(path, 500);
	assert_int_equal(delivered(path), 21 * MSS);
	assert_true(sent(path).tail_probes >= 1);
	assert_int_equal(sent(path).timeouts, 0);
	assert_true(sent(path).cwnd_bytes >= 10 * MSS);
	path_close(path);
}

static void a_mistaken_timeout_is_taken_back(void **state)
{
	static const char *const controls[] = {"newreno", "cubic", "dctcp", "prague"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct path *path = open_flow(controls[i], 100000 * MSS);
		uint64_t before;

		path_run(path, 60);
		before = sent(path).cwnd_bytes;
		path->forward.delay_ns = 700 * NS_PER_MS;
		path_run(path, 400);
		assert_true(sent(path).timeouts >= 1);
		assert_true(sent(path).cwnd_bytes <= 2 * MSS);
		path->forward.delay_ns = 690 * NS_PER_MS;
		path_run(path, 700);
		assert_true(sent(path).spurious_timeouts >= 1);
		assert_true(sent(path).cwnd_bytes >= before);
		/* A real loss of everything is not one. */
		path->forward.down = path->back.down = true;
		path_run(path, 10000);
		path->forward.down = path->back.down = false;
		before = sent(path).spurious_timeouts;
		path_run(path, 20000);
		assert_int_equal(sent(path).spurious_timeouts, before);
		path_close(path);
	}
}

static void links_that_come_back_are_used_again(void **state)
{
	static const char *const controls[] = {"newreno", "cubic", "dctcp", "prague"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct path *path = open_flow(controls[i], 3000 * MSS);
		uint64_t packets;

		path_run(path, 100);
		path->forward.down = path->back.down = true;
		packets = sent(path).sent_pkts;
		path_run(path, 10000);
		/* No storm: the timer doubles from a quarter of a second, and fires six times. */
		assert_in_range(sent(path).timeouts, 4, 7);
		assert_true(sent(path).sent_pkts - packets < 500);
		path->forward.down = path->back.down = false;
		path_run(path, 30000);
		assert_int_equal(delivered(path), 3000 * MSS);
		path_close(path);
	}
}

/* Retransmissions over a path that reorders within `jitter_ns`, once `settled` ms have passed. */
static uint64_t spurious_after(uint64_t jitter_ns, uint64_t settled, uint64_t *total)
{
	struct endpoint_config config = {
		.mtu_bytes = 1500, .cc = tcp_cc_find("newreno"), .stop_ns = TIME_NEVER_NS};
	struct path *path;
	uint64_t before;

	config.options.receive_window_bytes = 60 * MSS;
	path = path_open(&config);
	path->step_ns = NS_PER_MS / 4;
	path->forward.jitter_ns = jitter_ns;
	path_run(path, settled);
	before = sent(path).retransmits;
	path_run(path, 10000);
	*total = sent(path).sent_pkts;
	before = sent(path).retransmits - before;
	path_close(path);
	return before;
}

static void reordering_is_waited_for(void **state)
{
	uint64_t total;

	(void)state;
	/* Within a quarter of the round trip, once reordering was seen: nothing is sent again. */
	assert_int_equal(spurious_after(4 * NS_PER_MS, 1000, &total), 0);
	/* Half a round trip: duplicates widen the window. */
	assert_true(spurious_after(12 * NS_PER_MS, 20000, &total) < total / 1000);
	assert_true(total > 5000);
}

static void rate_reduction_ends_at_its_target(void **state)
{
	(void)state;
	for (uint64_t losses = 1; losses <= 60; losses++) {
		struct tcp_prr prr;
		uint64_t in_flight = (100 - losses) * MSS, unsent_losses = losses;

		tcp_prr_start(&prr, 100 * MSS);
		/* Half the window is the target; what is in flight is delivered, one by one. */
		for (uint64_t i = 0; i < 100 - losses; i++) {
			struct prr_event event = {
				.delivered_bytes = MSS, .target_bytes = 50 * MSS, .mss_bytes = MSS};

			in_flight -= MSS;
			event.in_flight_bytes = in_flight;
			event.safe = unsent_losses == 0;
			tcp_prr_event(&prr, &event);
			while (in_flight + MSS <= prr.window_bytes) {
				in_flight += MSS;
				prr.sent += MSS;
				unsent_losses -= unsent_losses > 0;
			}
			assert_true(prr.window_bytes <= 100 * MSS);
		}
		/* Few losses: at the target.  Many: no more than what was delivered goes out. */
		assert_true(in_flight <= 50 * MSS);
		if (losses <= 50)
			assert_true(in_flight >= 49 * MSS);
		else
			assert_true(prr.sent <= prr.delivered + MSS);
	}
}

static void flows_are_small(void **state)
{
	enum { FLOWS = 200 };
	const struct endpoint_config config = {
		.mtu_bytes = 1500, .cc = tcp_cc_find("cubic"), .stop_ns = TIME_NEVER_NS};
	struct endpoint *ends[2 * FLOWS];
	const size_t before = mallinfo2().uordblks;
	size_t per_flow;

	(void)state;
	for (int i = 0; i < FLOWS; i++) {
		ends[2 * i] = tcp_sender_new(&config);
		ends[2 * i + 1] = tcp_receiver_new(&config);
	}
	per_flow = (mallinfo2().uordblks - before) / FLOWS;
	for (int i = 0; i < 2 * FLOWS; i++)
		ends[i]->ops->destroy(ends[i]);
	if (per_flow > 4096)
		fail_msg("%zu bytes a flow", per_flow);
}

/* 100 Gbit/s over 100 ms with 1 % lost: hours, if work grew with the window. */
static void large_windows_cost_no_more_per_segment(void **state)
{
	const uint64_t segments = 860000;
	struct scoreboard board;
	struct ranges ranges;
	uint64_t due_ns, lost = 0;

	(void)state;
	ranges_init(&ranges, NULL);
	assert_int_equal(scoreboard_init(&board, MSS, true, NULL), 0);
	for (uint64_t i = 0; i < segments; i++)
		assert_int_equal(scoreboard_send(&board, MSS, i * 116), 0);
	for (uint64_t i = 0; i < segments; i++) {
		struct range block;

		if (i % 100 == 0)
			continue;
		scoreboard_begin(&board, (struct scoreboard_event){100000000 + i * 116, 1, 0});
		block = ranges_add(&ranges, i * MSS, (i + 1) * MSS);
		scoreboard_sack(&board, block.start, block.end);
		lost += scoreboard_detect(&board, 0, 100000000 + i * 116, &due_ns);
		if (scoreboard_next_lost(&board) != UINT64_MAX)
			scoreboard_resend(&board, scoreboard_next_lost(&board),
					  100000000 + i * 116);
	}
	assert_int_equal(lost, segments / 100 * MSS);
	assert_int_equal(ranges.count, segments / 100);
	for (uint64_t i = 0; i < segments; i += 100) {
		const uint64_t ack = ranges_consume(&ranges, (i + 1) * MSS);

		scoreboard_begin(&board, (struct scoreboard_event){200000000 + i, 1, 200000});
		scoreboard_ack(&board, ack);
		scoreboard_detect(&board, 0, 200000000 + i, &due_ns);
	}
	assert_int_equal(board.first, segments);
	assert_int_equal(board.in_flight_bytes + board.lost_bytes, 0);
	scoreboard_free(&board);
	ranges_free(&ranges);
}

/* A network that changes its mind all the time. */
static void torment(struct path *path, struct rng *rng)
{
	struct wire *wires[] = {&path->forward, &path->back};

	for (int i = 0; i < 2; i++) {
		wires[i]->loss = rng_below(rng, 3) ? 0 : 0.4 * rng_uniform(rng);
		wires[i]->twice = rng_below(rng, 3) ? 0 : 0.3 * rng_uniform(rng);
		wires[i]->mark = rng_below(rng, 3) ? 0 : rng_uniform(rng);
		wires[i]->delay_ns = NS_PER_MS * (1 + rng_below(rng, 60));
		wires[i]->jitter_ns = rng_below(rng, 3) ? 0 : NS_PER_MS * rng_below(rng, 50);
		wires[i]->down = rng_below(rng, 12) == 0;
	}
}

static struct endpoint_config some_config(struct rng *rng)
{
	static const char *const controls[] = {"newreno", "cubic", "dctcp", "prague"};
	struct endpoint_config config = {
		.mtu_bytes = 600 + (uint32_t)rng_below(rng, 901),
		.cc = tcp_cc_find(controls[rng_below(rng, 4)]),
		.ecn = rng_below(rng, 3),
		.stop_ns = TIME_NEVER_NS,
		.from_application = true,
		.to_application = rng_below(rng, 2),
	};

	if (rng_below(rng, 2))
		config.options.receive_window_bytes = 500 + rng_below(rng, 100000);
	config.options.ack_every = (uint8_t)rng_below(rng, 10);
	config.options.initial_window_segments = (uint16_t)rng_below(rng, 20);
	return config;
}

static void every_byte_arrives_whatever_the_network_does(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 20);
	for (int round = 0; round < 150; round++) {
		const struct endpoint_config config = some_config(&rng);
		struct path *path = path_open(&config);
		uint64_t written = 0;
		int quiet;

		rng_seed(&path->rng, (uint64_t)round);
		for (int i = 0; i < 40; i++) {
			const uint64_t bytes = 1 + rng_below(&rng, 20000);

			torment(path, &rng);
			path->sender->ops->write(path->sender, bytes, path->now_ns);
			written += bytes;
			path_run(path, rng_below(&rng, 300));
			path->receiver->ops->read(path->receiver, rng_below(&rng, 60000),
						  path->now_ns);
		}
		/* From here on the network behaves, and the reader reads. */
		path->forward.loss = path->back.loss = 0.01;
		path->forward.down = path->back.down = false;
		path->forward.mark = 0;
		for (quiet = 0; quiet < 10000 && delivered(path) < written; quiet++) {
			path_run(path, 50);
			path->receiver->ops->read(path->receiver, UINT64_MAX, path->now_ns);
		}
		if (delivered(path) != written)
			fail_msg("round %d, %s: %llu of %llu bytes", round, config.cc->name,
				 (unsigned long long)delivered(path), (unsigned long long)written);
		path->forward.loss = path->back.loss = 0;
		path_run(path, 70000);
		/* All is acknowledged: nothing is left to do. */
		assert_true(path->sender->ops->next_ns(path->sender) == TIME_NEVER_NS);
		path_close(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hole_is_filled_within_two_round_trips),
		cmocka_unit_test(lost_retransmissions_are_found_without_a_timeout),
		cmocka_unit_test(the_last_segment_is_probed_for),
		cmocka_unit_test(probes_of_a_silent_path_change_nothing),
		cmocka_unit_test(a_mistaken_timeout_is_taken_back),
		cmocka_unit_test(links_that_come_back_are_used_again),
		cmocka_unit_test(reordering_is_waited_for),
		cmocka_unit_test(rate_reduction_ends_at_its_target),
		cmocka_unit_test(flows_are_small),
		cmocka_unit_test(large_windows_cost_no_more_per_segment),
		cmocka_unit_test(every_byte_arrives_whatever_the_network_does),
	};

	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
