/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP Prague: its control by hand-told feedback, and both ends over a pipe with a
 * delay that marks, loses and reorders by number.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "tcp/endpoint.h"
#include "tcp/udp_prague_control.h"

#define MTU 1500

/* A control whose every packet is answered one round trip later. */
struct flow {
	struct udp_prague_control control;
	struct udp_prague_counts counts;
	uint64_t now_ns, rtt_ns;
};

static struct flow flow_new(uint64_t rtt_ns)
{
	struct flow flow = {.rtt_ns = rtt_ns};

	udp_prague_control_init(&flow.control, MTU, 0, 0, 0);
	return flow;
}

/* One packet is answered, at the pace of the control. */
static void answer(struct flow *flow, bool marked)
{
	const double packet_s = flow->control.packet_bytes / flow->control.rate_Bps;
	const uint64_t in_flight = (uint64_t)(seconds_from_ns(flow->rtt_ns) / packet_s);

	flow->now_ns += ns_from_seconds(packet_s);
	flow->counts.received++;
	flow->counts.ce += marked;
	udp_prague_control_rtt(&flow->control, flow->rtt_ns);
	udp_prague_control_feedback(&flow->control, &flow->counts,
				    flow->counts.received + flow->counts.lost + in_flight,
				    flow->now_ns);
}

/* `seconds` in which each packet numbered a multiple of `every` is marked; 0: none. */
static void answer_for(struct flow *flow, double seconds, uint64_t every)
{
	const uint64_t end_ns = flow->now_ns + ns_from_seconds(seconds);

	while (flow->now_ns < end_ns)
		answer(flow, every && flow->counts.received % every == 0);
}

static void starts_at_100_kbps_and_adds_a_packet_a_round(void **state)
{
	struct flow flow = flow_new(50 * NS_PER_MS);

	(void)state;
	assert_true(flow.control.window_bytes == 10 * MTU);
	answer(&flow, true);
	assert_true(fabs(flow.control.rate_Bps - 12500) < 1);
	/* At 100 kbit/s packets shrink to let two go in a round. */
	assert_in_range(flow.control.packet_bytes, 311, 313);
	flow.control.window_bytes = 100 * MTU;
	flow.control.rate_Bps = 100 * MTU / 0.05;
	answer(&flow, false);
	flow.control.rounds_to_growth = 1000;
	answer_for(&flow, 0.5, 0);
	assert_true(fabs(flow.control.window_bytes / MTU - 110) < 0.6);
	assert_int_equal(flow.control.packet_bytes, MTU);
	assert_int_equal(flow.control.window_packets,
			 (uint64_t)(flow.control.window_bytes * 1.03 / MTU) + 1);
}

static void quiet_rounds_lead_to_growth_by_delay(void **state)
{
	struct flow flow = flow_new(50 * NS_PER_MS);
	double before;

	(void)state;
	answer(&flow, false);
	flow.control.window_bytes = 1000 * MTU; /* 240 Mbit/s: 1 ms is 20 packets */
	answer(&flow, false);
	answer(&flow, true);
	assert_true(flow.control.rounds_to_growth == 7 + 15);
	answer_for(&flow, 21 * 0.05, 0);
	before = flow.control.window_bytes;
	answer_for(&flow, 0.5, 0);
	assert_true((flow.control.window_bytes - before) / MTU > 8 * 20);
	/* One mark ends it. */
	answer(&flow, true);
	before = flow.control.window_bytes;
	answer_for(&flow, 0.5, 0);
	assert_true((flow.control.window_bytes - before) / MTU < 11);
}

/* With evenly spread marks alpha is p, and a packet a round balances alpha / 2 a round. */
static void holds_two_over_p(void **state)
{
	static const uint64_t rtts_ms[] = {1, 5, 25, 40, 100};

	(void)state;
	for (size_t i = 0; i < sizeof(rtts_ms) / sizeof(rtts_ms[0]); i++) {
		struct flow flow = flow_new(rtts_ms[i] * NS_PER_MS);
		const double round_s = fmax(0.025, (double)rtts_ms[i] / 1e3);
		double sum = 0;
		int samples = 0;

		answer_for(&flow, 60, 20);
		for (uint64_t end_ns = flow.now_ns + 30 * NS_PER_S; flow.now_ns < end_ns;
		     samples++) {
			answer(&flow, flow.counts.received % 20 == 0);
			sum += flow.control.rate_Bps * round_s / MTU;
		}
		/* The same window in a round of 25 ms, whatever the round trip below it. */
		assert_true(fabs(sum / samples / 40 - 1) < 0.1);
		assert_true(fabs(flow.control.alpha - 0.05) < 0.005);
	}
}

static void loses_half_and_gets_it_back(void **state)
{
	struct flow flow = flow_new(50 * NS_PER_MS);
	double before;

	(void)state;
	answer(&flow, false);
	flow.control.window_bytes = 100 * MTU;
	answer(&flow, false);
	before = flow.control.window_bytes;
	flow.counts.lost = 1;
	answer(&flow, false);
	assert_true(fabs(flow.control.window_bytes / before - 0.5) < 0.001);
	flow.counts.lost = 2; /* in the same round */
	answer(&flow, false);
	assert_true(fabs(flow.control.window_bytes / before - 0.5) < 0.001);
	flow.counts.lost = 1; /* still one missing */
	answer(&flow, false);
	assert_true(fabs(flow.control.window_bytes / before - 0.5) < 0.001);
	flow.counts.lost = 0;
	answer(&flow, false);
	assert_true(fabs(flow.control.window_bytes / before - 1) < 0.001);
	answer_for(&flow, 1, 0);
	before = flow.control.window_bytes;
	flow.counts.lost = 1;
	answer(&flow, false);
	answer_for(&flow, 0.2, 0);
	flow.counts.lost = 2; /* a later round */
	answer(&flow, false);
	assert_true(flow.control.window_bytes / before < 0.35);
}

static void old_feedback_and_all_marked(void **state)
{
	struct flow flow = flow_new(30 * NS_PER_MS);
	struct udp_prague_counts old;

	(void)state;
	answer_for(&flow, 5, 0);
	old = flow.counts;
	answer(&flow, false);
	assert_false(udp_prague_control_feedback(&flow.control, &old, old.received, flow.now_ns));
	answer_for(&flow, 10, 1);
	assert_true(flow.control.rate_Bps == 12500);
	assert_int_equal(flow.control.window_packets, 3); /* two a round, and one over */
	answer_for(&flow, 5, 0);
	assert_true(flow.control.rate_Bps > 25000);
	udp_prague_control_timeout(&flow.control, flow.now_ns);
	assert_true(flow.control.rate_Bps == 12500);
}

static void frames_fill_their_budget(void **state)
{
	struct udp_prague_control control;

	(void)state;
	udp_prague_control_init(&control, MTU, 20 * NS_PER_MS, 5 * NS_PER_MS, 0);
	control.rate_Bps = 1e6;
	assert_int_equal(udp_prague_control_frame_bytes(&control), 5000);
	control.window_packets = 20;
	control.packet_bytes = MTU;
	assert_int_equal(udp_prague_control_frame_window(&control), 6);
	control.window_packets = 2;
	assert_int_equal(udp_prague_control_frame_window(&control), 2);
}

/* Both ends and a pipe of 20 ms there and back; nothing but the ends limits the rate. */
#define PIPE 65536

struct pipe {
	struct endpoint *sender, *receiver;
	struct packet line[2][PIPE];
	uint64_t due_ns[2][PIPE], first[2], last[2];
	uint64_t data, largest_burst, burst, burst_ns;
	unsigned mark_every, lose_every, swap_every;
	bool bleach, dead;
};

static void put(struct pipe *pipe, const struct packet *packet, uint64_t now_ns)
{
	const int way = !packet->to_server;
	const uint64_t at = pipe->last[way]++ % PIPE;

	assert_true(pipe->last[way] - pipe->first[way] < PIPE);
	pipe->line[way][at] = *packet;
	pipe->due_ns[way][at] = now_ns + 10 * NS_PER_MS;
}

static void carry_data(struct pipe *pipe, struct packet *packet, uint64_t now_ns)
{
	pipe->data++;
	pipe->burst = now_ns == pipe->burst_ns ? pipe->burst + packet->len_bytes
					       : packet->len_bytes;
	pipe->burst_ns = now_ns;
	if (pipe->burst > pipe->largest_burst)
		pipe->largest_burst = pipe->burst;
	if (pipe->dead || (pipe->lose_every && pipe->data % pipe->lose_every == 0))
		return;
	if (pipe->mark_every && packet->ecn && pipe->data % pipe->mark_every == 0)
		packet->ecn = 3;
	if (pipe->bleach)
		packet->ecn = 0;
	put(pipe, packet, now_ns);
	if (pipe->swap_every && pipe->data % pipe->swap_every == 0 &&
	    pipe->last[0] - pipe->first[0] > 1) {
		struct packet *a = &pipe->line[0][(pipe->last[0] - 1) % PIPE];
		struct packet *b = &pipe->line[0][(pipe->last[0] - 2) % PIPE];
		const struct packet kept = *a;

		*a = *b;
		*b = kept;
	}
}

static void send_all(struct pipe *pipe, struct endpoint *endpoint, uint64_t now_ns)
{
	struct packet packet = {0};

	while (endpoint->ops->emit(endpoint, &packet, now_ns)) {
		if (packet.to_server)
			carry_data(pipe, &packet, now_ns);
		else
			put(pipe, &packet, now_ns);
		memset(&packet, 0, sizeof(packet));
	}
}

static void run_pipe(struct pipe *pipe, uint64_t from_ns, uint64_t end_ns)
{
	for (uint64_t now_ns = from_ns; now_ns < end_ns;) {
		struct endpoint *ends[2] = {pipe->receiver, pipe->sender};
		uint64_t next_ns;

		for (int way = 0; way < 2; way++)
			while (pipe->first[way] < pipe->last[way] &&
			       pipe->due_ns[way][pipe->first[way] % PIPE] <= now_ns) {
				ends[way]->ops->receive(
					ends[way], &pipe->line[way][pipe->first[way]++ % PIPE],
					now_ns);
				send_all(pipe, ends[way], now_ns);
			}
		pipe->sender->ops->run(pipe->sender, now_ns);
		send_all(pipe, pipe->sender, now_ns);
		next_ns = pipe->sender->ops->next_ns(pipe->sender);
		for (int way = 0; way < 2; way++)
			if (pipe->first[way] < pipe->last[way] &&
			    pipe->due_ns[way][pipe->first[way] % PIPE] < next_ns)
				next_ns = pipe->due_ns[way][pipe->first[way] % PIPE];
		assert_true(next_ns > now_ns);
		now_ns = next_ns;
	}
}

static struct pipe *pipe_new(struct tcp_options options)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));
	const struct endpoint_config config = {
		.mtu_bytes = MTU,
		.ecn = ENDPOINT_ECN_ACCECN,
		.options = options,
		.stop_ns = TIME_NEVER_NS,
	};

	pipe->sender = udp_prague_sender_new(&config);
	pipe->receiver = udp_prague_receiver_new(&config);
	return pipe;
}

static void pipe_free(struct pipe *pipe)
{
	pipe->sender->ops->destroy(pipe->sender);
	pipe->receiver->ops->destroy(pipe->receiver);
	free(pipe);
}

static struct endpoint_stats stats_of(struct endpoint *endpoint)
{
	struct endpoint_stats stats;

	endpoint->ops->stats(endpoint, &stats);
	return stats;
}

static void ends_hold_two_over_p_in_short_bursts(void **state)
{
	struct pipe *pipe = pipe_new((struct tcp_options){0});
	uint64_t before;
	double packets_a_round;

	(void)state;
	pipe->mark_every = 100;
	run_pipe(pipe, 0, 60 * NS_PER_S);
	before = stats_of(pipe->receiver).received_pkts;
	run_pipe(pipe, 60 * NS_PER_S, 120 * NS_PER_S);
	packets_a_round = (double)(stats_of(pipe->receiver).received_pkts - before) * 0.025 / 60;
	assert_true(fabs(packets_a_round / 200 - 1) < 0.1);
	/* 250 us of 96 Mbit/s are 3 kB. */
	assert_in_range(pipe->largest_burst, MTU, 2 * MTU);
	pipe_free(pipe);
}

static void swapped_packets_are_no_losses(void **state)
{
	struct pipe *in_order = pipe_new((struct tcp_options){0});
	struct pipe *swapped = pipe_new((struct tcp_options){0});
	struct pipe *lossy = pipe_new((struct tcp_options){0});
	double ratio;

	(void)state;
	in_order->mark_every = swapped->mark_every = lossy->mark_every = 50;
	swapped->swap_every = lossy->lose_every = 400;
	run_pipe(in_order, 0, 60 * NS_PER_S);
	run_pipe(swapped, 0, 60 * NS_PER_S);
	run_pipe(lossy, 0, 60 * NS_PER_S);
	ratio = (double)swapped->data / (double)in_order->data;
	assert_true(ratio > 0.9 && ratio < 1.01);
	assert_true((double)lossy->data / (double)in_order->data < 0.8);
	pipe_free(in_order);
	pipe_free(swapped);
	pipe_free(lossy);
}

static void a_path_that_breaks_ecn_gets_none(void **state)
{
	struct pipe *pipe = pipe_new((struct tcp_options){0});
	struct packet packet = {0};

	(void)state;
	pipe->bleach = true;
	run_pipe(pipe, 0, NS_PER_S);
	while (!pipe->sender->ops->emit(pipe->sender, &packet, 2 * NS_PER_S))
		assert_true(false);
	assert_int_equal(packet.ecn, 0);
	pipe_free(pipe);
}

static void silence_starts_again(void **state)
{
	struct pipe *pipe = pipe_new((struct tcp_options){0});
	uint64_t before;

	(void)state;
	run_pipe(pipe, 0, 3 * NS_PER_S);
	pipe->dead = true;
	run_pipe(pipe, 3 * NS_PER_S, 10 * NS_PER_S);
	assert_in_range(stats_of(pipe->sender).timeouts, 5, 7);
	/* Two packets a second into the dark, no more. */
	before = pipe->data;
	run_pipe(pipe, 10 * NS_PER_S, 15 * NS_PER_S);
	assert_in_range(pipe->data - before, 5, 12);
	pipe->dead = false;
	before = stats_of(pipe->receiver).received_pkts;
	run_pipe(pipe, 15 * NS_PER_S, 18 * NS_PER_S);
	assert_true(stats_of(pipe->receiver).received_pkts - before > 100);
	pipe_free(pipe);
}

static void frames_leave_at_their_rate(void **state)
{
	struct pipe *pipe = pipe_new((struct tcp_options){
		.frame_interval_ns = 20 * NS_PER_MS, .frame_budget_ns = 5 * NS_PER_MS});
	struct endpoint_stats before, after;
	double rate_Bps;

	(void)state;
	pipe->mark_every = 50;
	run_pipe(pipe, 0, 20 * NS_PER_S);
	before = stats_of(pipe->sender);
	run_pipe(pipe, 20 * NS_PER_S, 40 * NS_PER_S);
	after = stats_of(pipe->sender);
	/* A quarter of the time is used, at the control's rate in it. */
	rate_Bps = (double)after.cwnd_bytes / seconds_from_ns(after.srtt_ns);
	assert_true(fabs((double)(after.sent_bytes - before.sent_bytes) / 20 / (rate_Bps / 4) -
			 1) < 0.25);
	pipe_free(pipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_at_100_kbps_and_adds_a_packet_a_round),
		cmocka_unit_test(quiet_rounds_lead_to_growth_by_delay),
		cmocka_unit_test(holds_two_over_p),
		cmocka_unit_test(loses_half_and_gets_it_back),
		cmocka_unit_test(old_feedback_and_all_marked),
		cmocka_unit_test(frames_fill_their_budget),
		cmocka_unit_test(ends_hold_two_over_p_in_short_bursts),
		cmocka_unit_test(swapped_packets_are_no_losses),
		cmocka_unit_test(a_path_that_breaks_ecn_gets_none),
		cmocka_unit_test(silence_starts_again),
		cmocka_unit_test(frames_leave_at_their_rate),
	};

	return cmocka_run_group_tests_name("udp_prague", tests, NULL, NULL);
}
