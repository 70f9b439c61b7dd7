/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sender on its own, under controls that ask for a pace: when its packets
 * leave.  And what controls that ask for delivery rates are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tcp/test_path.h"

#define MSS 1448

/* A control that does what a test says, and remembers what it is told. */
static struct tcp_cc_state asked;
static struct tcp_cc_sample told;
static struct {
	uint64_t samples, rates, limited, lost_segments, lost_bytes;
	double sum_bps, most_bps;
} seen;

static void puppet_init(struct tcp_cc_state *state, void *priv)
{
	(void)priv;
	state->cwnd_bytes = asked.cwnd_bytes;
	state->pacing_bps = asked.pacing_bps;
	state->burst_bytes = asked.burst_bytes;
	state->quantum_bytes = asked.quantum_bytes;
	memset(&seen, 0, sizeof(seen));
}

static void puppet_on_ack(struct tcp_cc_state *state, void *priv,
			  const struct tcp_cc_sample *sample)
{
	const double rate_bps = (double)sample->rate_bps;

	(void)priv;
	state->cwnd_bytes = asked.cwnd_bytes;
	told = *sample;
	seen.samples++;
	seen.rates += sample->rate_bps > 0;
	seen.limited += sample->rate_app_limited;
	seen.sum_bps += rate_bps;
	if (rate_bps > seen.most_bps)
		seen.most_bps = rate_bps;
}

static void puppet_on_event(struct tcp_cc_state *state, void *priv,
			    const struct tcp_cc_sample *sample)
{
	(void)state;
	(void)priv;
	(void)sample;
}

static void puppet_on_segment_lost(struct tcp_cc_state *state, void *priv,
				   const struct tcp_cc_lost *lost)
{
	(void)state;
	(void)priv;
	assert_true(lost->lost_since_bytes >= lost->bytes);
	assert_true(lost->prior_in_flight_bytes >= lost->bytes);
	seen.lost_segments++;
	seen.lost_bytes += lost->bytes;
}

static const struct tcp_cc_ops puppet = {
	.name = "puppet",
	.rate_samples = true,
	.init = puppet_init,
	.on_ack = puppet_on_ack,
	.on_loss = puppet_on_event,
	.on_ecn = puppet_on_event,
	.on_rto = puppet_on_event,
	.on_segment_lost = puppet_on_segment_lost,
};

static struct endpoint_config puppet_config(uint64_t cwnd_bytes, uint64_t pacing_bps,
					    uint64_t burst_bytes)
{
	asked = (struct tcp_cc_state){.cwnd_bytes = cwnd_bytes,
				      .pacing_bps = pacing_bps,
				      .burst_bytes = burst_bytes};
	return (struct endpoint_config){
		.mtu_bytes = 1500, .cc = &puppet, .stop_ns = TIME_NEVER_NS};
}

/* Time at which the sender's next packet leaves; nobody answers it. */
static uint64_t next_departure_ns(struct endpoint *sender, uint64_t now_ns)
{
	struct packet packet = {0};
	const uint64_t due_ns = sender->ops->next_ns(sender);

	if (due_ns > now_ns)
		now_ns = due_ns;
	assert_true(sender->ops->emit(sender, &packet, now_ns));
	return now_ns;
}

static void paces_are_kept_to_the_nanosecond(void **state)
{
	static const uint64_t rates[] = {999999937, 10000000019, 123456791};

	(void)state;
	for (int i = 0; i < 3; i++) {
		const struct endpoint_config config =
			puppet_config(UINT64_C(1) << 30, rates[i], 0);
		struct endpoint *sender = tcp_sender_new(&config);
		struct packet packet = {0};
		uint64_t now_ns = 0;

		for (uint64_t n = 0; n < 5000; n++) {
			const uint64_t ideal_ns =
				(uint64_t)((unsigned __int128)n * 12000 * NS_PER_S / rates[i]);

			now_ns = next_departure_ns(sender, now_ns);
			assert_in_range(now_ns, ideal_ns, ideal_ns + 1);
			assert_false(sender->ops->emit(sender, &packet, now_ns));
		}
		sender->ops->destroy(sender);
	}
}

/* Packets that leave at `now_ns`. */
static uint64_t leave_at(struct endpoint *sender, uint64_t now_ns)
{
	struct packet packet = {0};
	uint64_t count = 0;

	while (sender->ops->emit(sender, &packet, now_ns))
		count++;
	return count;
}

static void bursts_leave_ahead_of_the_pace_and_no_more(void **state)
{
	struct endpoint_config config = puppet_config(UINT64_C(1) << 30, 12000000, 15000);
	struct endpoint *sender;
	uint64_t sent = 0;

	(void)state;
	config.from_application = true;
	sender = tcp_sender_new(&config);
	sender->ops->write(sender, 1000 * MSS, 0);
	/* One packet lasts a millisecond: ten at once, then one in each. */
	assert_int_equal(leave_at(sender, 0), 10);
	for (uint64_t ms = 1; ms < 20; ms++) {
		assert_int_equal(sender->ops->next_ns(sender), ms * NS_PER_MS);
		assert_int_equal(leave_at(sender, ms * NS_PER_MS - 1), 0);
		assert_int_equal(leave_at(sender, ms * NS_PER_MS), 1);
	}
	/* Whoever asks late is given what was due, up to a burst. */
	assert_int_equal(leave_at(sender, 24 * NS_PER_MS), 5);
	assert_int_equal(leave_at(sender, 99 * NS_PER_MS), 10);
	for (uint64_t ms = 100; ms < 400; ms += 7)
		sent += leave_at(sender, ms * NS_PER_MS);
	assert_in_range(sent, 294, 301);
	sender->ops->destroy(sender);
}

/* In bursts of two, whole ones where the window is; one by one where it has three segments. */
static void bursts_of_offload_wait_for_room_and_pace(void **state)
{
	struct endpoint_config config = puppet_config(7 * MSS, 12000000, 0);
	struct endpoint *sender;

	(void)state;
	config.from_application = true;
	asked.quantum_bytes = 2 * MSS;
	sender = tcp_sender_new(&config);
	sender->ops->write(sender, 1000 * MSS, 0);
	/* One packet lasts a millisecond: the next burst is due in two. */
	for (uint64_t ms = 0; ms < 6; ms += 2) {
		assert_int_equal(leave_at(sender, ms * NS_PER_MS), 2);
		assert_int_equal(leave_at(sender, (ms + 2) * NS_PER_MS - 1), 0);
	}
	/* Six are in flight: a seventh alone, less than a third of the window, waits. */
	assert_int_equal(leave_at(sender, 50 * NS_PER_MS), 0);
	sender->ops->destroy(sender);
	config = puppet_config(3 * MSS, 12000000, 0);
	config.from_application = true;
	asked.quantum_bytes = 2 * MSS;
	sender = tcp_sender_new(&config);
	sender->ops->write(sender, 1000 * MSS, 0);
	for (uint64_t ms = 0; ms < 3; ms++)
		assert_int_equal(leave_at(sender, ms * NS_PER_MS), 1);
	assert_int_equal(leave_at(sender, 50 * NS_PER_MS), 0);
	sender->ops->destroy(sender);
}

/* Half a segment per round trip: one leaves in every second one. */
static void windows_below_a_segment_are_kept_by_the_pace(void **state)
{
	struct endpoint_config config = puppet_config(MSS / 2, 1500 * 8 * 1000 / 40, 0);
	struct path *path;

	(void)state;
	config.options.ack_every = 1;
	path = path_open(&config);
	path_run(path, 4000);
	assert_in_range(stats_of(path->sender).sent_pkts, 99, 101);
	assert_int_equal(stats_of(path->sender).retransmits, 0);
	path_close(path);
}

/* Twenty segments per round trip of 20 ms: 11.6 Mbit/s, whatever the acknowledgements do. */
static void rates_are_those_of_delivery(void **state)
{
	struct endpoint_config config = puppet_config(20 * MSS, 0, 0);
	const double rate_bps = 20.0 * MSS * 8 / 0.020;

	(void)state;
	for (uint8_t ack_every = 1; ack_every <= 32; ack_every *= 2) {
		struct path *path;

		config.options.ack_every = ack_every;
		path = path_open(&config);
		path_run(path, 2000);
		assert_true(seen.rates >= 30);
		assert_true(seen.most_bps <= 1.01 * rate_bps);
		/* Where acknowledgements wait, so does delivery. */
		if (ack_every <= 2)
			assert_true(seen.sum_bps / (double)seen.rates >= 0.9 * rate_bps);
		assert_int_equal(seen.limited, 0);
		if (ack_every == 1)
			assert_int_equal(told.prior_in_flight_bytes, 20 * MSS);
		path_close(path);
	}
}

static void compressed_acknowledgements_do_not_raise_the_rate(void **state)
{
	const struct endpoint_config config = puppet_config(UINT64_C(1) << 30, 12000000, 0);
	struct path *path = path_open(&config);
	uint64_t late_ns = 0;

	(void)state;
	/* Every 50 ms all acknowledgements come at once. */
	for (int i = 0; i < 40; i++) {
		path->back.delay_ns = 10 * NS_PER_MS;
		for (int ms = 0; ms < 50; ms++) {
			late_ns = (uint64_t)(50 - ms) * NS_PER_MS;
			path->back.delay_ns = 10 * NS_PER_MS + late_ns;
			path_run(path, 1);
		}
	}
	assert_true(seen.rates > 500);
	assert_true(seen.most_bps <= 1.02 * 12000000 * MSS / 1500);
	path_close(path);
}

static void rates_of_an_application_say_so(void **state)
{
	struct endpoint_config config = puppet_config(20 * MSS, 0, 0);
	struct path *path;

	(void)state;
	config.from_application = true;
	path = path_open(&config);
	for (int i = 0; i < 20; i++) {
		path->sender->ops->write(path->sender, 3 * MSS, path->now_ns);
		path_run(path, 100);
	}
	assert_true(seen.samples >= 40);
	assert_true(seen.limited >= seen.samples - 2);
	/* With more to send than the window takes, the mark goes with what was sent under it. */
	path->sender->ops->write(path->sender, 10000 * MSS, path->now_ns);
	path_run(path, 100);
	assert_false(told.rate_app_limited);
	path_close(path);
}

static void every_lost_segment_is_told_once(void **state)
{
	const struct endpoint_config config = puppet_config(40 * MSS, 0, 0);
	struct path *path = path_open(&config);
	uint64_t lost;

	(void)state;
	path->forward.loss = 0.02;
	path_run(path, 5000);
	path->forward.loss = 0;
	lost = path->forward.lost;
	path_run(path, 1000);
	assert_true(lost > 50);
	assert_int_equal(stats_of(path->sender).timeouts, 0);
	assert_int_equal(seen.lost_segments, lost);
	assert_int_equal(seen.lost_bytes, told.lost_total_bytes);
	path_close(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paces_are_kept_to_the_nanosecond),
		cmocka_unit_test(bursts_leave_ahead_of_the_pace_and_no_more),
		cmocka_unit_test(bursts_of_offload_wait_for_room_and_pace),
		cmocka_unit_test(windows_below_a_segment_are_kept_by_the_pace),
		cmocka_unit_test(rates_are_those_of_delivery),
		cmocka_unit_test(compressed_acknowledgements_do_not_raise_the_rate),
		cmocka_unit_test(rates_of_an_application_say_so),
		cmocka_unit_test(every_lost_segment_is_told_once),
	};

	return cmocka_run_group_tests_name("pacing and rates", tests, NULL, NULL);
}
