/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NewReno and CUBIC by the sentences of their texts, event by event.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "tcp/cc.h"

#define MSS 1448
#define RTT_NS (100 * NS_PER_MS)

struct flow {
	const struct tcp_cc_ops *ops;
	struct tcp_cc_state state;
	void *own;
	struct tcp_cc_sample sample;
};

static struct flow flow_new(const char *name, double cwnd, double ssthresh)
{
	struct flow flow = {.ops = tcp_cc_find(name)};

	assert_non_null(flow.ops);
	flow.state.mss_bytes = MSS;
	flow.state.cwnd_bytes = (uint64_t)(cwnd * MSS);
	flow.state.ssthresh_bytes = ssthresh > 0 ? (uint64_t)(ssthresh * MSS) : UINT64_MAX;
	flow.own = calloc(1, flow.ops->private_size);
	flow.ops->init(&flow.state, flow.own);
	flow.sample.now_ns = NS_PER_S;
	flow.sample.rtt_ns = flow.sample.srtt_ns = flow.sample.min_rtt_ns = RTT_NS;
	flow.sample.sent_end = flow.state.cwnd_bytes;
	return flow;
}

/* An acknowledgement of `segments`, of a flow that keeps its window full. */
static void ack(struct flow *flow, double segments)
{
	struct tcp_cc_sample *sample = &flow->sample;

	sample->acked_bytes = (uint64_t)(segments * MSS);
	sample->acked_end += sample->acked_bytes;
	sample->sent_end = sample->acked_end - sample->acked_bytes + flow->state.cwnd_bytes;
	flow->ops->on_ack(&flow->state, flow->own, sample);
}

/* A round trip of acknowledgements. */
static void round_trip(struct flow *flow)
{
	const uint64_t segments = flow->state.cwnd_bytes / MSS;

	for (uint64_t i = 0; i < segments; i++) {
		flow->sample.now_ns += flow->sample.rtt_ns / segments;
		ack(flow, 1);
	}
}

static double window(const struct flow *flow)
{
	return (double)flow->state.cwnd_bytes / MSS;
}

static double after(const char *name, bool ecn, bool abe, double cwnd, double ssthresh)
{
	struct flow flow = flow_new(name, cwnd, ssthresh);

	flow.state.options.abe = abe;
	if (ecn)
		flow.ops->on_ecn(&flow.state, flow.own, &flow.sample);
	else
		flow.ops->on_loss(&flow.state, flow.own, &flow.sample);
	free(flow.own);
	return window(&flow);
}

/* RFC 5681 equation 4, RFC 9438 section 4.6, RFC 8511 section 3. */
static void signals_take_their_share(void **state)
{
	(void)state;
	assert_true(fabs(after("newreno", false, false, 40, 20) - 20) < 0.01);
	assert_true(fabs(after("newreno", true, false, 40, 20) - 20) < 0.01);
	assert_true(fabs(after("newreno", true, true, 40, 20) - 32) < 0.01);
	assert_true(fabs(after("newreno", false, true, 40, 20) - 20) < 0.01);
	assert_true(fabs(after("cubic", false, false, 40, 20) - 28) < 0.01);
	assert_true(fabs(after("cubic", true, false, 40, 20) - 28) < 0.01);
	assert_true(fabs(after("cubic", true, true, 40, 20) - 34) < 0.01);
	assert_true(fabs(after("cubic", false, true, 40, 20) - 28) < 0.01);
	/* ABE is for congestion avoidance: slow start overshoots by half. */
	assert_true(fabs(after("newreno", true, true, 40, 0) - 20) < 0.01);
	assert_true(fabs(after("cubic", true, true, 40, 0) - 28) < 0.01);
}

/* A sender that the application limits has less in flight than its window. */
static void unused_window_is_not_kept(void **state)
{
	struct flow flow = flow_new("newreno", 40, 20);

	(void)state;
	flow.sample.sent_end = 10 * MSS;
	flow.ops->on_loss(&flow.state, flow.own, &flow.sample);
	assert_true(fabs(window(&flow) - 5) < 0.01);
	free(flow.own);
	flow = flow_new("cubic", 40, 20);
	flow.sample.sent_end = 10 * MSS;
	flow.ops->on_rto(&flow.state, flow.own, &flow.sample);
	assert_true(fabs((double)flow.state.ssthresh_bytes / MSS - 7) < 0.01);
	assert_int_equal(flow.state.cwnd_bytes, MSS);
	free(flow.own);
}

/* RFC 3168 section 6.1.2: no growth on an echo, `least` segments, and waiting at one. */
static void echoes_that_go_on(const char *name, uint64_t least)
{
	struct flow flow = flow_new(name, 8, 4);

	flow.sample.ece = true;
	round_trip(&flow);
	assert_true(window(&flow) == 8);
	for (int i = 0; i < 10; i++) {
		if (flow.state.cwnd_bytes == least * MSS)
			break;
		flow.sample.sent_end = flow.sample.acked_end + flow.state.cwnd_bytes;
		flow.ops->on_ecn(&flow.state, flow.own, &flow.sample);
		assert_int_equal(flow.state.pacing_bps, 0);
	}
	assert_int_equal(flow.state.cwnd_bytes, least * MSS);
	assert_int_equal(flow.state.ssthresh_bytes, 2 * MSS);
	flow.state.cwnd_bytes = MSS; /* as after a timeout */
	flow.ops->on_ecn(&flow.state, flow.own, &flow.sample);
	/* One segment in a round trip and 200 ms. */
	assert_true(fabs((double)flow.state.pacing_bps / (MSS * 8 / 0.3) - 1) < 0.001);
	flow.ops->on_ecn(&flow.state, flow.own, &flow.sample);
	assert_int_equal(flow.state.cwnd_bytes, MSS);
	flow.sample.ece = false;
	ack(&flow, 1);
	assert_int_equal(flow.state.pacing_bps, 0);
	assert_int_equal(flow.state.cwnd_bytes, 2 * MSS);
	free(flow.own);
}

static void echoes_reach_the_floor(void **state)
{
	(void)state;
	echoes_that_go_on("newreno", 2);
	echoes_that_go_on("cubic", 1);
}

/* RFC 3465 section 2.3: two segments an acknowledgement, one after a timeout. */
static void slow_start_counts_bytes_with_a_limit(void **state)
{
	struct flow flow = flow_new("newreno", 10, 0);

	(void)state;
	ack(&flow, 1);
	assert_true(window(&flow) == 11);
	ack(&flow, 2);
	assert_true(window(&flow) == 13);
	ack(&flow, 6);
	assert_true(window(&flow) == 15);
	flow.ops->on_rto(&flow.state, flow.own, &flow.sample);
	ack(&flow, 6);
	assert_true(window(&flow) == 2);
	free(flow.own);
	/* RFC 9406 section 4.3: eight in HyStart++, for the first slow start. */
	flow = flow_new("cubic", 20, 0);
	ack(&flow, 12);
	assert_true(window(&flow) == 28);
	flow.ops->on_rto(&flow.state, flow.own, &flow.sample);
	ack(&flow, 12);
	assert_true(window(&flow) == 2);
	free(flow.own);
}

/* RFC 9438 section 4.8: after a timeout K is 0 and W_max where congestion avoidance begins. */
static void cubic_plateaus_after_a_timeout(void **state)
{
	struct flow flow = flow_new("cubic", 400, 200);

	(void)state;
	flow.ops->on_rto(&flow.state, flow.own, &flow.sample);
	assert_true(fabs((double)flow.state.ssthresh_bytes / MSS - 280) < 0.01);
	flow.state.cwnd_bytes = flow.state.ssthresh_bytes;
	/* From the plateau the curve gains 0.4 t^3: 3.2 segments in 2 s, not 30. */
	for (int i = 0; i < 20; i++)
		round_trip(&flow);
	assert_true(window(&flow) - 280 > 2 && window(&flow) - 280 < 20.5);
	free(flow.own);
}

/* RFC 9438 section 4.2: the curve stands still while the application limits the flow. */
static void cubic_does_not_count_idle_time(void **state)
{
	struct flow busy = flow_new("cubic", 400, 200), idle = flow_new("cubic", 400, 200);

	(void)state;
	busy.ops->on_loss(&busy.state, busy.own, &busy.sample);
	idle.ops->on_loss(&idle.state, idle.own, &idle.sample);
	for (int i = 0; i < 10; i++) {
		round_trip(&busy);
		round_trip(&idle);
	}
	idle.sample.app_limited = true;
	for (int i = 0; i < 100; i++)
		round_trip(&idle);
	idle.sample.app_limited = false;
	for (int i = 0; i < 20; i++) {
		round_trip(&busy);
		round_trip(&idle);
	}
	assert_true(window(&busy) > 300);
	assert_true(fabs(window(&idle) / window(&busy) - 1) < 0.01);
	free(busy.own);
	free(idle.own);
}

/* RFC 9438 section 4.7: a second loss below the first peak lowers the plateau further. */
static void cubic_gives_way_faster(void **state)
{
	struct flow flow = flow_new("cubic", 400, 200);

	(void)state;
	flow.ops->on_loss(&flow.state, flow.own, &flow.sample);
	assert_true(fabs(window(&flow) - 280) < 0.01);
	flow.sample.sent_end = flow.sample.acked_end + flow.state.cwnd_bytes;
	flow.ops->on_loss(&flow.state, flow.own, &flow.sample);
	assert_true(fabs(window(&flow) - 196) < 0.01);
	/* W_max = 280 x 0.85 = 238: reached after cbrt(42 / 0.4) = 4.7 s, left slowly. */
	for (int i = 0; i < 47; i++)
		round_trip(&flow);
	assert_true(fabs(window(&flow) - 238) < 4);
	free(flow.own);
}

/* A flow of Linux's CUBIC in congestion avoidance. */
static struct flow linux_new(double cwnd)
{
	struct flow flow = flow_new("cubic", cwnd, cwnd / 2);

	flow.state.options.linux_cubic = true;
	return flow;
}

/* tcp_cubic's module defaults: beta 717 / 1024; Reno-friendly by 8 / 15 a round trip, for ever. */
static void linux_cubic_stays_reno_friendly(void **state)
{
	struct flow deployed = linux_new(40), text = flow_new("cubic", 40, 20);

	(void)state;
	deployed.ops->on_loss(&deployed.state, deployed.own, &deployed.sample);
	text.ops->on_loss(&text.state, text.own, &text.sample);
	assert_int_equal(deployed.state.cwnd_bytes, (uint64_t)(40 * 717.0 / 1024 * MSS));
	/* Round trips of 10 ms: the cubic curve is nowhere near. */
	deployed.sample.rtt_ns = deployed.sample.srtt_ns = 10 * NS_PER_MS;
	text.sample.rtt_ns = text.sample.srtt_ns = 10 * NS_PER_MS;
	for (int i = 0; i < 60; i++) {
		round_trip(&deployed);
		round_trip(&text);
	}
	/* 28 + 60 x 0.533, late by the 1/32 s of the first look; RFC 9438: more from 40 on. */
	assert_true(fabs(window(&deployed) - 58.5) < 2.5);
	assert_true(window(&text) > 70);
	free(deployed.own);
	free(text.own);
}

/* A peak of 400: K = cbrt(120 / 0.4) = 6.7 s, seen one least round trip early. */
static void linux_cubic_returns_to_the_peak(void **state)
{
	struct flow flow = linux_new(400);

	(void)state;
	flow.ops->on_loss(&flow.state, flow.own, &flow.sample);
	for (int i = 0; i < 30; i++)
		round_trip(&flow);
	/* 400 - 0.4 (6.7 - 3.1)^3 = 381. */
	assert_true(fabs(window(&flow) - 381) < 4);
	for (int i = 0; i < 37; i++)
		round_trip(&flow);
	assert_true(fabs(window(&flow) - 400) < 2.5);
	free(flow.own);
}

/* Nothing is known after a timeout: 5 % a round trip, the curve's plateau notwithstanding. */
static void linux_cubic_forgets_at_a_timeout(void **state)
{
	struct flow flow = linux_new(400);

	(void)state;
	flow.ops->on_rto(&flow.state, flow.own, &flow.sample);
	flow.state.cwnd_bytes = flow.state.ssthresh_bytes;
	for (int i = 0; i < 10; i++)
		round_trip(&flow);
	assert_true(fabs(window(&flow) / (280 * pow(1.05, 10)) - 1) < 0.03);
	free(flow.own);
}

/* HyStart: by a train of acknowledgements that lasts half a round trip, or by a delay that grew. */
static void linux_cubic_leaves_slow_start(void **state)
{
	struct flow train = flow_new("cubic", 10, 0), delay = flow_new("cubic", 10, 0),
		    gaps = flow_new("cubic", 10, 0);

	(void)state;
	train.state.options.linux_cubic = true;
	delay.state.options.linux_cubic = true;
	gaps.state.options.linux_cubic = true;
	/* 10, 20, 40 and 80 segments leave gaps of more than 1 ms between acknowledgements. */
	for (int i = 0; i < 3; i++) {
		round_trip(&train);
		round_trip(&delay);
		round_trip(&gaps);
	}
	assert_int_equal(train.state.ssthresh_bytes, UINT64_MAX);
	round_trip(&train);
	assert_true(train.state.ssthresh_bytes != UINT64_MAX);
	/* 12.5 ms more than the least is enough for the other; 10 ms are not. */
	for (int i = 0; i < 30; i++) {
		gaps.sample.rtt_ns = 110 * NS_PER_MS;
		gaps.sample.now_ns += 3 * NS_PER_MS;
		ack(&gaps, 1);
		delay.sample.rtt_ns = 114 * NS_PER_MS;
		delay.sample.now_ns += 3 * NS_PER_MS;
		ack(&delay, 1);
	}
	assert_int_equal(gaps.state.ssthresh_bytes, UINT64_MAX);
	assert_true(delay.state.ssthresh_bytes != UINT64_MAX);
	free(train.own);
	free(delay.own);
	free(gaps.own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_take_their_share),
		cmocka_unit_test(unused_window_is_not_kept),
		cmocka_unit_test(echoes_reach_the_floor),
		cmocka_unit_test(slow_start_counts_bytes_with_a_limit),
		cmocka_unit_test(cubic_plateaus_after_a_timeout),
		cmocka_unit_test(cubic_does_not_count_idle_time),
		cmocka_unit_test(cubic_gives_way_faster),
		cmocka_unit_test(linux_cubic_stays_reno_friendly),
		cmocka_unit_test(linux_cubic_returns_to_the_peak),
		cmocka_unit_test(linux_cubic_forgets_at_a_timeout),
		cmocka_unit_test(linux_cubic_leaves_slow_start),
	};

	return cmocka_run_group_tests_name("reno and cubic", tests, NULL, NULL);
}
