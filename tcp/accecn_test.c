/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Marks that arrive and marks that the sender hears of, for every way of ECN
 * feedback, however many acknowledgements get lost.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tcp/accecn.h"
#include "tcp/test_path.h"

#define MSS 1448

/* A control whose window stays; it adds up what it is told. */
static uint64_t window;
static struct {
	uint64_t acked, marked, echoes, responses;
} heard;

static void hold_init(struct tcp_cc_state *state, void *priv)
{
	(void)priv;
	state->cwnd_bytes = window;
	memset(&heard, 0, sizeof(heard));
}

static void hold_on_ack(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample)
{
	(void)priv;
	state->cwnd_bytes = window;
	assert_true(sample->marked_bytes <= sample->acked_bytes);
	heard.acked += sample->acked_bytes;
	heard.marked += sample->marked_bytes;
	heard.echoes += sample->ece;
}

static void hold_on_ecn(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample)
{
	(void)state;
	(void)priv;
	(void)sample;
	heard.responses++;
}

static void hold_on_loss(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample)
{
	(void)state;
	(void)priv;
	(void)sample;
}

static const struct tcp_cc_ops classic_control = {
	.name = "hold",
	.init = hold_init,
	.on_ack = hold_on_ack,
	.on_loss = hold_on_loss,
	.on_ecn = hold_on_ecn,
	.on_rto = hold_on_loss,
};

static const struct tcp_cc_ops exact_control = {
	.name = "hold",
	.exact_ce_echo = true,
	.init = hold_init,
	.on_ack = hold_on_ack,
	.on_loss = hold_on_loss,
	.on_ecn = hold_on_ecn,
	.on_rto = hold_on_loss,
};

struct feedback_case {
	double mark, ack_loss, loss;
	uint8_t ack_every;
	uint64_t window_segments;
};

static struct path *run_case(const struct tcp_cc_ops *cc, enum endpoint_ecn ecn,
			     const struct feedback_case *it)
{
	struct endpoint_config config = {.mtu_bytes = 1500,
					 .ecn = ecn,
					 .cc = cc,
					 .stop_ns = 20 * NS_PER_S,
					 .options.ack_every = it->ack_every};
	struct path *path;

	window = it->window_segments * MSS;
	path = path_open(&config);
	path->forward.mark = it->mark;
	path->forward.loss = it->loss;
	path->back.loss = it->ack_loss;
	path_run(path, 15000);
	/* The last acknowledgements are those of a path without losses. */
	path->back.loss = 0;
	path->forward.loss = 0;
	path_run(path, 6000);
	return path;
}

static const struct feedback_case cases[] = {
	{0, 0, 0, 0, 20},          {0.1, 0, 0, 0, 20},      {0.5, 0, 0, 0, 50},
	{1, 0, 0, 0, 50},          {0.1, 0.5, 0, 0, 20},    {0.5, 0.5, 0, 0, 50},
	{1, 0.5, 0, 0, 100},       {0.02, 0.9, 0, 0, 100},  {0.9, 0.9, 0, 0, 100},
	{0.3, 0, 0, 16, 100},      {0.3, 0, 0, 64, 100},    {1, 0.5, 0, 32, 200},
	{0.1, 0.5, 0, 16, 100},    {0.05, 0, 0.05, 0, 50},  {0.5, 0.5, 0.05, 0, 50},
	{0.5, 0.5, 0.02, 16, 100}, {1, 0, 0.02, 0, 50},     {0.001, 0.5, 0, 0, 100},
};

static void counters_survive_lost_and_sparse_acknowledgements(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path *path = run_case(&exact_control, ENDPOINT_ECN_ACCECN, &cases[i]);
		const struct endpoint_stats sender = stats_of(path->sender);
		const uint64_t marks = stats_of(path->receiver).ce_received;

		/* Whatever was lost on the way: in the end every mark is known, and every byte. */
		if (sender.ce_told != marks || heard.marked != marks * MSS)
			fail_msg("case %zu: %llu of %llu marks, %llu bytes of %llu", i,
				 (unsigned long long)sender.ce_told, (unsigned long long)marks,
				 (unsigned long long)heard.marked,
				 (unsigned long long)marks * MSS);
		assert_true(cases[i].mark == 0 || marks > 0);
		path_close(path);
	}
}

static void classic_controls_hear_of_marks_once_per_window(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path *path = run_case(&classic_control, ENDPOINT_ECN_ACCECN, &cases[i]);
		const double rounds = 20000.0 / 20;

		assert_int_equal(heard.responses > 0, cases[i].mark > 0);
		assert_true((double)heard.responses <= rounds);
		if (cases[i].mark == 1 && cases[i].loss == 0 && cases[i].ack_loss == 0)
			assert_true((double)heard.responses >= rounds / 2);
		path_close(path);
	}
}

/* RFC 3168: an echo stands until it is answered, so that no loss of acknowledgements hides it. */
static void classic_echoes_survive_lost_acknowledgements(void **state)
{
	static const struct feedback_case rare = {0.001, 0.5, 0, 0, 50};
	struct path *path = run_case(&classic_control, ENDPOINT_ECN_CLASSIC, &rare);
	const uint64_t marks = stats_of(path->receiver).ce_received;

	(void)state;
	assert_true(marks >= 10);
	/* Marks in the same window are one; hardly any are, at one in twenty windows. */
	assert_true(heard.responses <= marks);
	assert_true((double)heard.responses >= 0.8 * (double)marks);
	path_close(path);
}

/* RFC 8257: without loss of acknowledgements the share of marked bytes is exact. */
static void exact_echoes_tell_the_share(void **state)
{
	(void)state;
	for (double mark = 0.1; mark < 1.05; mark += 0.3) {
		const struct feedback_case it = {mark, 0, 0, 0, 50};
		struct path *path = run_case(&exact_control, ENDPOINT_ECN_ECT1, &it);
		const uint64_t marks = stats_of(path->receiver).ce_received;

		assert_int_equal(heard.marked, marks * MSS);
		path_close(path);
	}
}

static struct tcp_header ack_of(uint64_t ce_packets, bool option, uint64_t ce_bytes,
				uint32_t timestamp_us)
{
	return (struct tcp_header){
		.flags = accecn_flags(ce_packets),
		.ace_bytes_valid = option,
		.accecn_ce_bytes = (uint32_t)ce_bytes & ACCECN_BYTES_MASK,
		.timestamp_us = timestamp_us,
	};
}

static void wraps_without_the_option_take_the_safest_likely_case(void **state)
{
	struct accecn_sender sender = {0};
	struct tcp_header header;
	uint32_t us = 0;

	(void)state;
	/* Two packets an acknowledgement, none marked. */
	for (int i = 0; i < 50; i++) {
		header = ack_of(0, false, 0, ++us);
		accecn_take(&sender, &header, (struct accecn_news){2, 2 * MSS});
	}
	assert_int_equal(accecn_packets(&sender), 0);
	/* Twenty packets at once, and ACE at 3: acknowledgements were lost, it may have been 19. */
	header = ack_of(3, false, 0, ++us);
	accecn_take(&sender, &header, (struct accecn_news){20, 20 * MSS});
	assert_int_equal(accecn_packets(&sender), 19);
	assert_int_equal(accecn_tell(&sender, 20 * MSS), 19 * MSS);
	/* An option knows better; what was told too much is not told again. */
	header = ack_of(4, true, 4 * MSS, ++us);
	accecn_take(&sender, &header, (struct accecn_news){2, 2 * MSS});
	assert_int_equal(accecn_packets(&sender), 4);
	assert_int_equal(accecn_tell(&sender, 2 * MSS), 0);
	/* Where acknowledgements are always that sparse, ACE is taken at its word. */
	for (int i = 0; i < 50; i++) {
		header = ack_of(4, true, 4 * MSS, ++us);
		accecn_take(&sender, &header, (struct accecn_news){20, 20 * MSS});
	}
	header = ack_of(6, false, 0, ++us);
	accecn_take(&sender, &header, (struct accecn_news){20, 20 * MSS});
	assert_int_equal(accecn_packets(&sender), 6);
	/* Older acknowledgements that come late change nothing. */
	header = ack_of(4, true, 4 * MSS, us - 1);
	accecn_take(&sender, &header, (struct accecn_news){0, 0});
	assert_int_equal(accecn_packets(&sender), 6);
}

static void bytes_wrap_at_24_bits(void **state)
{
	struct accecn_sender sender = {0};
	uint64_t packets = 0;

	(void)state;
	for (uint32_t i = 1; i < 3000; i++) {
		struct tcp_header header;

		packets += i % 37;
		header = ack_of(packets, true, packets * MSS, i);
		accecn_take(&sender, &header, (struct accecn_news){40, 40 * MSS});
		assert_int_equal(accecn_packets(&sender), packets);
		assert_int_equal(sender.known_bytes, packets * MSS);
	}
	assert_true(packets * MSS > ACCECN_BYTES_MASK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_survive_lost_and_sparse_acknowledgements),
		cmocka_unit_test(classic_controls_hear_of_marks_once_per_window),
		cmocka_unit_test(classic_echoes_survive_lost_acknowledgements),
		cmocka_unit_test(exact_echoes_tell_the_share),
		cmocka_unit_test(wraps_without_the_option_take_the_safest_likely_case),
		cmocka_unit_test(bytes_wrap_at_24_bits),
	};

	return cmocka_run_group_tests_name("ECN feedback", tests, NULL, NULL);
}
