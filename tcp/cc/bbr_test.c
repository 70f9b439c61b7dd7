/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR on a link of its own: one FIFO of bounded depth that can mark, a fixed delay,
 * and acknowledgements packet by packet with the rate samples of the draft's
 * section 4.1.  Losses are told with the third acknowledgement behind the hole.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp/cc/bbr.h"

#define MSS 1448
#define PACKET (MSS + 52)
#define RING 16384

struct sent {
	uint64_t sent_ns, first_sent_ns, delivered_ns; /* of the draft's P.* */
	uint64_t delivered, lost, in_flight;
	uint64_t answer_ns;
	bool dropped, marked;
};

struct link {
	struct tcp_cc_state state;
	struct bbr bbr;
	/* path */
	double rate_bps;
	uint64_t rtt_ns, buffer_ns, mark_ns; /* of queue delay; mark_ns 0: never */
	double drop_share;                   /* random losses */
	uint64_t chance;
	/* sender */
	struct sent sent[RING];
	uint64_t next, first;
	uint64_t now_ns, free_ns, pace_ns;
	uint64_t delivered, delivered_ns, first_sent_ns, lost, in_flight;
	uint64_t srtt_ns, min_rtt_ns;
	uint64_t holes;                      /* dropped, not told of yet, behind `first` */
	uint64_t recovery_end, echo_end;
	uint64_t pause_from_ns, pause_until_ns; /* nothing to send */
	bool exact_marks;
	/* what was seen */
	uint64_t delay_sum_ns, delay_max_ns, queued, marks;
	unsigned seen_states, probe_rtts;
	uint64_t least_in_flight;
};

/* With version 1 or 3. */
static struct link *link_open(double rate_mbps, uint64_t rtt_ms, double buffer_bdp, bool deployed)
{
	struct link *link = calloc(1, sizeof(*link));

	link->rate_bps = rate_mbps * 1e6;
	link->rtt_ns = rtt_ms * NS_PER_MS;
	link->buffer_ns = (uint64_t)(buffer_bdp * (double)link->rtt_ns);
	link->chance = 1;
	link->state = (struct tcp_cc_state){
		.mss_bytes = MSS,
		.cwnd_bytes = 10 * MSS,
		.ssthresh_bytes = UINT64_MAX,
		.options.linux_bbr = deployed,
	};
	tcp_cc_find("bbr")->init(&link->state, &link->bbr);
	return link;
}

static struct link *link_new(double rate_mbps, uint64_t rtt_ms, double buffer_bdp)
{
	return link_open(rate_mbps, rtt_ms, buffer_bdp, false);
}

static double chance(struct link *link)
{
	link->chance = link->chance * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (double)(link->chance >> 11) / 9007199254740992.0;
}

static void send_packet(struct link *link)
{
	struct sent *packet = &link->sent[link->next++ % RING];
	const uint64_t start_ns = link->free_ns > link->now_ns ? link->free_ns : link->now_ns;
	const uint64_t delay_ns = start_ns - link->now_ns;

	assert_true(link->next - link->first < RING);
	if (link->in_flight == 0)
		link->first_sent_ns = link->delivered_ns = link->now_ns;
	link->in_flight += MSS;
	*packet = (struct sent){
		.sent_ns = link->now_ns,
		.first_sent_ns = link->first_sent_ns,
		.delivered_ns = link->delivered_ns,
		.delivered = link->delivered,
		.lost = link->lost,
		.in_flight = link->in_flight,
		.dropped = delay_ns > link->buffer_ns || chance(link) < link->drop_share,
		.marked = link->mark_ns && delay_ns > link->mark_ns,
		.answer_ns = start_ns + link->rtt_ns,
	};
	link->pace_ns = link->now_ns + transmission_ns(PACKET, link->state.pacing_bps);
	link->delay_sum_ns += delay_ns;
	link->queued++;
	if (delay_ns > link->delay_max_ns)
		link->delay_max_ns = delay_ns;
	if (packet->dropped)
		return;
	link->free_ns = start_ns + transmission_ns(PACKET, (uint64_t)link->rate_bps);
	packet->answer_ns = link->free_ns + link->rtt_ns;
}

/* Holes that three later packets have passed are losses. */
static uint64_t find_losses(struct link *link, uint64_t answered)
{
	uint64_t found = 0;

	while (link->first + 3 <= answered && link->sent[link->first % RING].dropped) {
		const struct sent *packet = &link->sent[link->first++ % RING];

		link->in_flight -= MSS;
		link->lost += MSS;
		found += MSS;
		tcp_cc_find("bbr")->on_segment_lost(
			&link->state, &link->bbr,
			&(struct tcp_cc_lost){
				.now_ns = link->now_ns,
				.bytes = MSS,
				.prior_in_flight_bytes = packet->in_flight,
				.lost_since_bytes = link->lost - packet->lost,
			});
	}
	return found;
}

static struct tcp_cc_sample answer_of(struct link *link, const struct sent *packet)
{
	const uint64_t send_ns = packet->sent_ns - packet->first_sent_ns;
	const uint64_t ack_ns = link->now_ns - packet->delivered_ns;
	const uint64_t interval_ns = send_ns > ack_ns ? send_ns : ack_ns;
	const uint64_t rtt_ns = link->now_ns - packet->sent_ns;

	link->delivered += MSS;
	link->delivered_ns = link->now_ns;
	link->first_sent_ns = packet->sent_ns;
	link->srtt_ns = link->srtt_ns ? link->srtt_ns - link->srtt_ns / 8 + rtt_ns / 8 : rtt_ns;
	if (link->min_rtt_ns == 0 || rtt_ns < link->min_rtt_ns)
		link->min_rtt_ns = rtt_ns;
	return (struct tcp_cc_sample){
		.now_ns = link->now_ns,
		.rtt_ns = rtt_ns,
		.srtt_ns = link->srtt_ns,
		.min_rtt_ns = link->min_rtt_ns,
		.acked_bytes = MSS,
		.delivered_bytes = link->delivered,
		.rate_bps = interval_ns >= link->min_rtt_ns
				    ? (uint64_t)((double)(link->delivered - packet->delivered) *
						 8 / seconds_from_ns(interval_ns))
				    : 0,
		.rate_interval_ns = interval_ns,
		.prior_delivered_bytes = packet->delivered,
		.prior_in_flight_bytes = packet->in_flight,
		.prior_lost_bytes = packet->lost,
	};
}

static void watch(struct link *link)
{
	const unsigned bit = 1U << link->bbr.state;

	if (link->bbr.state == BBR_PROBE_RTT && !(link->seen_states & 1U << 31))
		link->probe_rtts++;
	link->seen_states |= bit;
	if (link->bbr.state == BBR_PROBE_RTT)
		link->seen_states |= 1U << 31;
	else
		link->seen_states &= ~(1U << 31);
	if (link->in_flight < link->least_in_flight)
		link->least_in_flight = link->in_flight;
}

/* Packet `number` has been delivered; holes before it may be found now. */
static void answer(struct link *link, uint64_t number)
{
	const struct tcp_cc_ops *ops = tcp_cc_find("bbr");
	const struct sent packet = link->sent[number % RING];
	struct tcp_cc_sample sample = answer_of(link, &packet);

	link->in_flight -= MSS;
	link->sent[number % RING].answer_ns = 0;
	sample.lost_bytes = find_losses(link, number);
	while (link->first <= number && !link->sent[link->first % RING].dropped &&
	       link->sent[link->first % RING].answer_ns == 0)
		link->first++;
	sample.lost_total_bytes = link->lost;
	sample.in_flight_bytes = link->in_flight;
	sample.sent_end = link->next * MSS;
	sample.acked_end = link->first * MSS;
	sample.in_recovery = link->first < link->recovery_end;
	if (sample.lost_bytes && !sample.in_recovery) {
		link->recovery_end = link->next;
		ops->on_loss(&link->state, &link->bbr, &sample);
		sample.in_recovery = true;
	}
	link->marks += packet.marked;
	if (packet.marked && link->exact_marks)
		sample.marked_bytes = MSS;
	if (packet.marked && !link->exact_marks && link->first >= link->echo_end) {
		link->echo_end = link->next;
		sample.marked_bytes = MSS;
		ops->on_ecn(&link->state, &link->bbr, &sample);
	}
	ops->on_ack(&link->state, &link->bbr, &sample);
	watch(link);
}

/* Number of the next packet that will be answered, or UINT64_MAX. */
static uint64_t next_answer(const struct link *link)
{
	for (uint64_t n = link->first; n < link->next; n++)
		if (!link->sent[n % RING].dropped && link->sent[n % RING].answer_ns)
			return n;
	return UINT64_MAX;
}

static uint64_t send_ns(const struct link *link)
{
	uint64_t due_ns = link->pace_ns > link->now_ns ? link->pace_ns : link->now_ns;

	if (link->in_flight + MSS > link->state.cwnd_bytes)
		return TIME_NEVER_NS;
	if (due_ns >= link->pause_from_ns && due_ns < link->pause_until_ns)
		due_ns = link->pause_until_ns;
	return due_ns;
}

static void run(struct link *link, double seconds)
{
	const uint64_t end_ns = link->now_ns + ns_from_seconds(seconds);

	for (;;) {
		const uint64_t number = next_answer(link), due_ns = send_ns(link);
		const uint64_t answer_ns = number == UINT64_MAX
						   ? TIME_NEVER_NS
						   : link->sent[number % RING].answer_ns;

		/* Nothing to wait for: what is left was dropped. */
		if (answer_ns == TIME_NEVER_NS && due_ns == TIME_NEVER_NS)
			link->in_flight = 0;
		if ((answer_ns < due_ns ? answer_ns : due_ns) >= end_ns)
			break;
		link->now_ns = answer_ns < due_ns ? answer_ns : due_ns;
		if (answer_ns <= due_ns)
			answer(link, number);
		else
			send_packet(link);
	}
	link->now_ns = end_ns;
}

struct figures {
	double utilisation, mean_delay_ms, max_delay_ms, loss;
	uint64_t marks;
};

static struct figures measure(struct link *link, double seconds)
{
	const uint64_t delivered = link->delivered, lost = link->lost, marks = link->marks;
	struct figures figures;

	link->delay_sum_ns = link->delay_max_ns = link->queued = 0;
	run(link, seconds);
	figures.utilisation = (double)(link->delivered - delivered) / MSS * PACKET * 8 / seconds /
			      link->rate_bps;
	figures.mean_delay_ms = (double)link->delay_sum_ns / (double)link->queued / 1e6;
	figures.max_delay_ms = (double)link->delay_max_ns / 1e6;
	figures.loss = (double)(link->lost - lost) / (double)(link->delivered - delivered);
	figures.marks = link->marks - marks;
	return figures;
}

static void startup_finds_the_rate_and_drains(void **state)
{
	struct link *link = link_new(40, 50, 10);

	(void)state;
	run(link, 1.5);
	assert_true(link->bbr.full_bw_reached);
	assert_true(bbr_in_probe_bw(&link->bbr));
	assert_true(fabs(link->bbr.max_bw * 8 / (40e6 * MSS / PACKET) - 1) < 0.03);
	assert_in_range(link->bbr.min_rtt_ns, 50 * NS_PER_MS, 51 * NS_PER_MS);
	/* Startup may queue a bandwidth-delay product or so, and no more of that is left. */
	assert_true(link->delay_max_ns < 2 * link->rtt_ns);
	assert_true(measure(link, 0.5).max_delay_ms < 20);
	free(link);
}

static void fills_its_link_with_a_bounded_queue(void **state)
{
	static const uint64_t rtts_ms[] = {5, 20, 50, 100};

	(void)state;
	for (size_t i = 0; i < sizeof(rtts_ms) / sizeof(rtts_ms[0]); i++) {
		struct link *link = link_new(40, rtts_ms[i], 10);
		struct figures figures;

		run(link, 10);
		figures = measure(link, 50);
		assert_true(figures.utilisation >= 0.95 && figures.utilisation <= 1);
		assert_true(figures.loss == 0);
		assert_true(figures.mean_delay_ms < 0.3 * (double)rtts_ms[i] + 1);
		assert_true(figures.max_delay_ms < 1.5 * (double)rtts_ms[i] + 5);
		free(link);
	}
}

/* Version 1 has the rate of its link, probes it and the round trip, and leaves marks alone. */
static void version_1_does_not_answer_marks(void **state)
{
	(void)state;
	for (int marks = 0; marks < 2; marks++) {
		struct link *link = link_open(40, 50, 10, true);
		struct figures figures;

		link->mark_ns = marks ? NS_PER_MS : 0;
		run(link, 5);
		assert_int_equal(link->bbr.deployed.mode, BBR_LINUX_PROBE_BW);
		assert_in_range(link->bbr.deployed.min_rtt_ns, 50 * NS_PER_MS, 51 * NS_PER_MS);
		link->least_in_flight = UINT64_MAX;
		figures = measure(link, 20);
		assert_true(figures.utilisation >= 0.95 && figures.utilisation <= 1);
		assert_true(figures.loss == 0);
		/* Probing for a quarter more queues a quarter of a round trip. */
		assert_true(figures.max_delay_ms > 5 && figures.max_delay_ms < 60);
		assert_true(marks ? figures.marks > 1000 : figures.marks == 0);
		/* Every 10 s four segments. */
		assert_true(link->least_in_flight <= 4 * MSS);
		free(link);
	}
}

static void all_states_come_round(void **state)
{
	struct link *link = link_new(40, 50, 10);

	(void)state;
	run(link, 31);
	assert_int_equal(link->seen_states & 0x7f, 0x7f);
	/* One each 5 s and the time it takes, the first when the first sample is 5 s old. */
	assert_in_range(link->probe_rtts, 4, 6);
	free(link);
}

static void probing_the_round_trip_empties_half_the_pipe(void **state)
{
	struct link *link = link_new(40, 50, 10);
	uint64_t bdp = 40000000 / 8 / 20 * MSS / PACKET;

	(void)state;
	run(link, 3);
	link->least_in_flight = UINT64_MAX;
	run(link, 5);
	assert_int_equal(link->probe_rtts, 1);
	assert_in_range(link->least_in_flight, bdp * 35 / 100, bdp * 55 / 100);
	free(link);
}

/* A buffer of 0.3 of the product: probing must not make losses a habit. */
static void shallow_buffers_bound_what_is_in_flight(void **state)
{
	struct link *link = link_new(40, 50, 0.3);
	struct figures figures;

	(void)state;
	run(link, 10);
	figures = measure(link, 60);
	assert_true(figures.utilisation >= 0.9);
	assert_true(figures.loss < 0.02);
	free(link);
}

/* Losses that come from no queue, up to the threshold, do not slow it down as they do Reno. */
static void random_losses_below_the_threshold_cost_little(void **state)
{
	struct link *link = link_new(40, 50, 10);
	struct figures figures;

	(void)state;
	link->drop_share = 0.005;
	run(link, 10);
	figures = measure(link, 60);
	assert_true(figures.utilisation >= 0.8);
	free(link);
}

static void marks_keep_the_queue_short(void **state)
{
	struct figures plain, marked[2];
	struct link *link = link_new(40, 50, 10);

	(void)state;
	run(link, 10);
	plain = measure(link, 50);
	free(link);
	for (int exact = 0; exact < 2; exact++) {
		link = link_new(40, 50, 10);
		link->mark_ns = 2 * NS_PER_MS;
		link->exact_marks = exact;
		run(link, 10);
		marked[exact] = measure(link, 50);
		assert_true(marked[exact].marks > 0);
		assert_true(marked[exact].utilisation >= 0.85);
		assert_true(marked[exact].mean_delay_ms < 0.7 * plain.mean_delay_ms);
		free(link);
	}
}

static void a_link_that_slows_down_is_followed(void **state)
{
	struct link *link = link_new(40, 50, 10);

	(void)state;
	run(link, 10);
	link->rate_bps = 10e6;
	run(link, 12);
	assert_true(fabs(link->bbr.max_bw * 8 / (10e6 * MSS / PACKET) - 1) < 0.1);
	assert_true(measure(link, 20).utilisation >= 0.93);
	/* And one that speeds up. */
	link->rate_bps = 40e6;
	run(link, 15);
	assert_true(measure(link, 20).utilisation >= 0.93);
	free(link);
}

static void a_timeout_sends_one_segment_and_comes_back(void **state)
{
	const struct tcp_cc_ops *ops = tcp_cc_find("bbr");
	struct link *link = link_new(40, 50, 10);
	struct tcp_cc_sample sample = {0};
	uint64_t before;

	(void)state;
	run(link, 10);
	before = link->state.cwnd_bytes;
	sample.now_ns = link->now_ns;
	sample.delivered_bytes = link->delivered;
	sample.sent_end = link->next * MSS;
	ops->on_rto(&link->state, &link->bbr, &sample);
	assert_int_equal(link->state.cwnd_bytes, MSS);
	run(link, 4);
	assert_true(link->state.cwnd_bytes > before * 3 / 4);
	free(link);
}

/* Losses and echoes in every round, and never a rate: what was not measured is no pace. */
static void no_rate_is_no_reason_to_stop(void **state)
{
	const struct tcp_cc_ops *ops = tcp_cc_find("bbr");
	struct link *link = link_new(10, 120, 10);
	const uint64_t before_bps = link->state.pacing_bps;

	(void)state;
	for (uint64_t round = 1; round <= 10; round++) {
		struct tcp_cc_sample sample = {
			.now_ns = round * 120 * NS_PER_MS,
			.rtt_ns = 120 * NS_PER_MS,
			.srtt_ns = 120 * NS_PER_MS,
			.min_rtt_ns = 120 * NS_PER_MS,
			.acked_bytes = MSS,
			.delivered_bytes = round * MSS,
			.prior_delivered_bytes = (round - 1) * MSS,
			.lost_bytes = MSS,
			.lost_total_bytes = round * MSS,
			.marked_bytes = MSS,
			.ece = true,
			.sent_end = (2 * round + 2) * MSS,
			.acked_end = (2 * round - 1) * MSS,
		};

		ops->on_loss(&link->state, &link->bbr, &sample);
		ops->on_ack(&link->state, &link->bbr, &sample);
	}
	assert_true(link->state.pacing_bps > before_bps / 1000);
	free(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(startup_finds_the_rate_and_drains),
		cmocka_unit_test(fills_its_link_with_a_bounded_queue),
		cmocka_unit_test(version_1_does_not_answer_marks),
		cmocka_unit_test(all_states_come_round),
		cmocka_unit_test(probing_the_round_trip_empties_half_the_pipe),
		cmocka_unit_test(shallow_buffers_bound_what_is_in_flight),
		cmocka_unit_test(random_losses_below_the_threshold_cost_little),
		cmocka_unit_test(marks_keep_the_queue_short),
		cmocka_unit_test(a_link_that_slows_down_is_followed),
		cmocka_unit_test(a_timeout_sends_one_segment_and_comes_back),
		cmocka_unit_test(no_rate_is_no_reason_to_stop),
	};

	return cmocka_run_group_tests_name("bbr", tests, NULL, NULL);
}
