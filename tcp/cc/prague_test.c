/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prague, acknowledgement by acknowledgement: a sender that always fills its
 * window, whose every round trip is told by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp/cc/prague.h"

#define MSS 1448

struct flow {
	const struct tcp_cc_ops *ops;
	struct tcp_cc_state state;
	void *own;
	uint64_t now_ns, rtt_ns, acked_end;
	double window; /* bytes that the test thinks are in flight */
};

static struct flow flow_new(uint64_t rtt_ns, struct tcp_options options)
{
	struct flow flow = {.ops = tcp_cc_find("prague"), .rtt_ns = rtt_ns};

	flow.state = (struct tcp_cc_state){
		.cwnd_bytes = 10 * MSS,
		.ssthresh_bytes = UINT64_MAX,
		.mss_bytes = MSS,
		.options = options,
	};
	flow.own = calloc(1, flow.ops->private_size);
	flow.ops->init(&flow.state, flow.own);
	return flow;
}

static struct tcp_cc_sample sample_of(const struct flow *flow, bool marked)
{
	return (struct tcp_cc_sample){
		.now_ns = flow->now_ns,
		.rtt_ns = flow->rtt_ns,
		.srtt_ns = flow->rtt_ns,
		.min_rtt_ns = flow->rtt_ns,
		.acked_bytes = MSS,
		.marked_bytes = marked ? MSS : 0,
		.in_flight_bytes = flow->state.cwnd_bytes,
		.sent_end = flow->acked_end + flow->state.cwnd_bytes,
		.acked_end = flow->acked_end,
		.ece = marked,
	};
}

static void ack(struct flow *flow, bool marked)
{
	struct tcp_cc_sample sample;

	flow->acked_end += MSS;
	sample = sample_of(flow, marked);
	flow->ops->on_ack(&flow->state, flow->own, &sample);
}

/* One window's worth of acknowledgements, one round trip later; the first `marks` are marked. */
static void round_trip(struct flow *flow, unsigned marks)
{
	const uint64_t segments = flow->state.cwnd_bytes / MSS;

	flow->now_ns += flow->rtt_ns;
	for (uint64_t i = 0; i < segments; i++)
		ack(flow, i < marks);
}

/* The fractional window, seen through the pace. */
static double paced_window(const struct flow *flow)
{
	return (double)flow->state.pacing_bps / 8 * seconds_from_ns(flow->rtt_ns) / (MSS + 52);
}

static void first_mark_halves_and_ends_slow_start(void **state)
{
	struct flow flow = flow_new(50 * NS_PER_MS, (struct tcp_options){0});

	(void)state;
	round_trip(&flow, 0);
	round_trip(&flow, 0);
	assert_int_equal(flow.state.cwnd_bytes, 40 * MSS);
	/* Twice the window per round trip while far from any threshold. */
	assert_true(fabs(paced_window(&flow) - 80) < 0.1);
	flow.now_ns += flow.rtt_ns;
	ack(&flow, true);
	assert_true(fabs(paced_window(&flow) - 20) < 0.1);
	assert_true(flow.state.ssthresh_bytes <= 20 * MSS);
	free(flow.own);
}

static void reductions_come_once_per_round_trip(void **state)
{
	struct flow flow = flow_new(50 * NS_PER_MS, (struct tcp_options){0});
	double before;

	(void)state;
	round_trip(&flow, 1);
	for (int i = 0; i < 400; i++)
		round_trip(&flow, 1000000);
	/* All marked: alpha is 1, and the pace falls to the least there is. */
	assert_int_equal(flow.state.pacing_bps, PRAGUE_MIN_BPS);
	assert_int_equal(flow.state.cwnd_bytes, 2 * MSS);
	for (int i = 0; i < 200; i++)
		round_trip(&flow, 0);
	before = paced_window(&flow);
	assert_true(before > 150);
	/* alpha has decayed to nearly nothing: growth goes on through the marks. */
	round_trip(&flow, 1);
	assert_true(paced_window(&flow) > before + 0.9);
	/* After two rounds of marks it is above 1/16, after three below 3/16: one cut of half. */
	round_trip(&flow, 1000000);
	round_trip(&flow, 1000000);
	before = paced_window(&flow);
	round_trip(&flow, 1000000);
	assert_true(paced_window(&flow) / before < 1 - 1.0 / 32);
	assert_true(paced_window(&flow) / before > 1 - 3.0 / 32);
	free(flow.own);
}

static double growth_per_second(uint64_t rtt_ns, struct tcp_options options)
{
	struct flow flow = flow_new(rtt_ns, options);
	double before;
	uint64_t from_ns;

	round_trip(&flow, 0);
	round_trip(&flow, 1);
	for (int i = 0; i < 20; i++)
		round_trip(&flow, 0);
	before = paced_window(&flow) / seconds_from_ns(rtt_ns);
	from_ns = flow.now_ns;
	for (int i = 0; i < 400; i++)
		round_trip(&flow, 0);
	free(flow.own);
	return (paced_window(&flow) / seconds_from_ns(rtt_ns) - before) /
	       seconds_from_ns(flow.now_ns - from_ns);
}

/* One segment per round trip per round trip: of at least 25 ms each. */
static void short_round_trips_grow_as_25_ms_ones(void **state)
{
	const double reference = 1 / (0.025 * 0.025);
	const struct tcp_options dependent = {.no_rtt_independence = true};

	(void)state;
	/* A whole window may be one segment more than the fraction: a little faster. */
	assert_true(fabs(growth_per_second(25 * NS_PER_MS, (struct tcp_options){0}) / reference -
			 1) < 0.05);
	assert_true(fabs(growth_per_second(5 * NS_PER_MS, (struct tcp_options){0}) / reference -
			 1) < 0.1);
	assert_true(fabs(growth_per_second(100 * NS_PER_MS, (struct tcp_options){0}) * 16 /
				 reference -
			 1) < 0.05);
	assert_true(fabs(growth_per_second(5 * NS_PER_MS, dependent) / 25 / reference - 1) < 0.05);
}

static void losses_halve_and_stop_growth(void **state)
{
	struct flow flow = flow_new(50 * NS_PER_MS, (struct tcp_options){0});
	struct tcp_cc_sample sample;
	double before;

	(void)state;
	round_trip(&flow, 0);
	before = paced_window(&flow) / 2; /* slow start paces twice the window */
	sample = sample_of(&flow, false);
	flow.ops->on_loss(&flow.state, flow.own, &sample);
	assert_true(fabs(paced_window(&flow) - before / 2) < 0.1);
	sample.in_recovery = true;
	sample.marked_bytes = MSS;
	flow.ops->on_ack(&flow.state, flow.own, &sample);
	assert_true(fabs(paced_window(&flow) - before / 2) < 0.1);
	flow.ops->on_rto(&flow.state, flow.own, &sample);
	assert_int_equal(flow.state.ssthresh_bytes, (uint64_t)(before / 4 * MSS + 0.5));
	assert_true(fabs(paced_window(&flow) - 2) < 0.1);
	free(flow.own);
}

static void bursts_last_250_us(void **state)
{
	struct flow flow = flow_new(NS_PER_MS, (struct tcp_options){0});

	(void)state;
	for (int i = 0; i < 6; i++)
		round_trip(&flow, 0);
	assert_int_equal(flow.state.burst_bytes, flow.state.pacing_bps / 8 / 4000);
	free(flow.own);
}

/* Round trips swing by `swing_ns` around `mean_ns`, with a mark in each round. */
static double classic_score(uint64_t mean_ns, uint64_t swing_ns, int rounds)
{
	struct prague_classic classic;
	struct tcp_cc_sample sample = {.min_rtt_ns = 20 * NS_PER_MS, .srtt_ns = mean_ns};

	prague_classic_init(&classic);
	for (int i = 0; i < rounds; i++) {
		for (int n = 0; n < 40; n++) {
			sample.rtt_ns = n % 2 ? mean_ns + swing_ns : mean_ns - swing_ns;
			prague_classic_sample(&classic, &sample);
		}
		prague_classic_round(&classic, &sample);
	}
	return classic.score;
}

static void a_deep_swinging_queue_is_classic(void **state)
{
	struct prague_classic classic = {.score = 0.5};

	(void)state;
	assert_true(classic_score(20200 * NS_PER_US, 200 * NS_PER_US, 100) <= 0);
	assert_true(classic_score(35 * NS_PER_MS, 5 * NS_PER_MS, 100) >= 1);
	assert_true(fabs(prague_classic_cut(&classic, 0.1) - 0.3) < 1e-12);
	classic.score = 4;
	assert_true(fabs(prague_classic_cut(&classic, 0.1) - 0.5) < 1e-12);
	classic.score = -4;
	assert_true(fabs(prague_classic_cut(&classic, 0.1) - 0.1) < 1e-12);
}

/* With every packet marked the draft's flow comes to 100 kbit/s, Linux's to two segments. */
static void linux_keeps_two_segments_a_round_trip(void **state)
{
	struct flow text = flow_new(25 * NS_PER_MS, (struct tcp_options){0});
	struct flow deployed = flow_new(25 * NS_PER_MS, (struct tcp_options){.linux_prague = true});

	(void)state;
	for (int i = 0; i < 60; i++) {
		round_trip(&text, 1000);
		round_trip(&deployed, 1000);
	}
	assert_true(text.state.pacing_bps >= 99000 && text.state.pacing_bps <= 101000);
	assert_true(fabs(paced_window(&deployed) - 2) < 0.001);
	/* Above, they differ by less than a segment. */
	for (int i = 0; i < 20; i++) {
		round_trip(&text, 0);
		round_trip(&deployed, 0);
	}
	assert_true(paced_window(&deployed) >= paced_window(&text));
	assert_true(paced_window(&deployed) <= ceil(paced_window(&text)) + 1);
	free(text.own);
	free(deployed.own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_mark_halves_and_ends_slow_start),
		cmocka_unit_test(reductions_come_once_per_round_trip),
		cmocka_unit_test(short_round_trips_grow_as_25_ms_ones),
		cmocka_unit_test(losses_halve_and_stop_growth),
		cmocka_unit_test(bursts_last_250_us),
		cmocka_unit_test(linux_keeps_two_segments_a_round_trip),
		cmocka_unit_test(a_deep_swinging_queue_is_classic),
	};

	return cmocka_run_group_tests_name("prague", tests, NULL, NULL);
}
