/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy on top of a law: whom it is asked about, what becomes of packets,
 * what is counted.
 */
#include "policy/aqm_policy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Says what it is told to say, and remembers what it saw. */
struct puppet {
	struct policy base;
	double probability[3];
	int fail_at; /* decision that fails, from 1; 0: none */
	int observed, decided, acted, resets;
	struct aqm_record last;
	enum aqm_verdict last_verdict;
};

static int puppet_observe(struct policy *policy, const struct aqm_record *record,
			  struct error *error)
{
	struct puppet *puppet = (struct puppet *)policy;

	(void)error;
	puppet->observed++;
	puppet->last = *record;
	return 0;
}

static int puppet_decide(struct policy *policy, uint64_t now_ns, double probability[3],
			 struct error *error)
{
	struct puppet *puppet = (struct puppet *)policy;

	(void)now_ns;
	if (++puppet->decided == puppet->fail_at)
		return error_set(error, ERR_FAILED, "the puppet's string broke");
	memcpy(probability, puppet->probability, sizeof(puppet->probability));
	return 0;
}

static void puppet_acted(struct policy *policy, enum aqm_verdict verdict)
{
	struct puppet *puppet = (struct puppet *)policy;

	puppet->acted++;
	puppet->last_verdict = verdict;
}

static void puppet_reset(struct policy *policy)
{
	((struct puppet *)policy)->resets++;
}

static const struct policy_ops puppet_ops = {
	.name = "puppet",
	.observe = puppet_observe,
	.decide = puppet_decide,
	.acted = puppet_acted,
	.reset = puppet_reset,
};

/* A wrapped law with its state, as a queue holds it. */
struct stage {
	struct puppet puppet;
	const struct aqm_ops *law;
	struct aqm_policy *wrapped;
	const struct aqm_ops *ops;
	const void *params;
	void *vars, *stats;
};

static void stage_open(struct stage *stage, const char *law, const struct aqm_policy_config *like,
		       double drop, double mark)
{
	struct aqm_policy_config config = *like;
	void *params;

	memset(stage, 0, sizeof(*stage));
	stage->puppet.base.ops = &puppet_ops;
	stage->puppet.probability[AQM_PASS] = 1 - drop - mark;
	stage->puppet.probability[AQM_DROP] = drop;
	stage->puppet.probability[AQM_MARK] = mark;
	stage->law = aqm_find(law);
	assert_non_null(stage->law);
	params = malloc(stage->law->params_size + 1);
	assert_int_equal(aqm_params_default(stage->law, params, NULL), 0);
	config.law = stage->law;
	config.law_params = params;
	config.policy = &stage->puppet.base;
	assert_int_equal(aqm_policy_new(&stage->wrapped, &config, NULL), 0);
	free(params);
	stage->ops = aqm_policy_ops(stage->wrapped);
	stage->params = aqm_policy_params(stage->wrapped);
	stage->vars = calloc(1, stage->ops->vars_size + 1);
	stage->stats = calloc(1, stage->ops->stats_size + 1);
	stage->ops->init(stage->params, stage->vars, stage->stats);
}

static void stage_close(struct stage *stage)
{
	aqm_policy_free(stage->wrapped);
	free(stage->vars);
	free(stage->stats);
}

static enum aqm_verdict arrive(struct stage *stage, uint64_t now_ns, enum aqm_ecn ecn,
			       uint32_t *cookie)
{
	struct aqm_facts facts = {
		.now_ns = now_ns, .len_bytes = 1500, .ecn = (uint8_t)ecn, .random = 1u << 31};
	uint32_t unused;

	facts.backlog_bytes[AQM_QUEUE_C] = 30000;
	facts.backlog_pkts[AQM_QUEUE_C] = 20;
	return stage->ops->on_enqueue(stage->params, stage->vars, stage->stats, &facts,
				      cookie ? cookie : &unused);
}

static const struct aqm_policy_config every_packet = {.interval = 1};

static void every_nth_packet_is_put_to_the_policy(void **state)
{
	const struct aqm_policy_config every_third = {.interval = 3};
	struct stage stage;
	int drops = 0;

	(void)state;
	stage_open(&stage, "fifo", &every_third, 1, 0);
	for (uint64_t i = 0; i < 10; i++)
		drops += arrive(&stage, i, AQM_ECT0, NULL) == AQM_DROP;
	assert_int_equal(drops, 4);
	assert_int_equal(stage.puppet.observed, 4);
	assert_int_equal(stage.puppet.acted, 4);
	assert_int_equal(stage.puppet.resets, 1);
	assert_int_equal(aqm_policy_counts(stage.wrapped).arrivals, 10);
	assert_int_equal(aqm_policy_counts(stage.wrapped).decisions, 4);
	assert_int_equal(aqm_policy_counts(stage.wrapped).differed, 4);
	stage_close(&stage);
}

static void verdicts_are_drawn_with_the_packets_bits(void **state)
{
	const struct aqm_policy_config most_likely = {.interval = 1, .choice = AQM_POLICY_argmax};
	struct stage stage;

	(void)state;
	stage_open(&stage, "fifo", &every_packet, 0.49, 0);
	assert_int_equal(arrive(&stage, 0, AQM_ECT0, NULL), AQM_PASS);
	stage_close(&stage);
	stage_open(&stage, "fifo", &every_packet, 0.51, 0);
	assert_int_equal(arrive(&stage, 0, AQM_ECT0, NULL), AQM_DROP);
	stage_close(&stage);
	stage_open(&stage, "fifo", &every_packet, 0.3, 0.3);
	assert_int_equal(arrive(&stage, 0, AQM_ECT0, NULL), AQM_MARK);
	assert_int_equal(arrive(&stage, 0, AQM_NOT_ECT, NULL), AQM_DROP);
	stage_close(&stage);
	stage_open(&stage, "fifo", &most_likely, 0.3, 0.3);
	assert_int_equal(arrive(&stage, 0, AQM_ECT0, NULL), AQM_PASS);
	stage_close(&stage);
}

static void latency_moves_the_verdict_to_a_later_packet(void **state)
{
	const struct aqm_policy_config slow = {.interval = 4, .latency_ns = 25};
	struct stage stage;

	(void)state;
	stage_open(&stage, "fifo", &slow, 1, 0);
	/* Asked about the packet of time 0; its verdict is for the first from time 25 on. */
	assert_int_equal(arrive(&stage, 0, AQM_ECT0, NULL), AQM_PASS);
	assert_int_equal(arrive(&stage, 10, AQM_ECT0, NULL), AQM_PASS);
	assert_int_equal(arrive(&stage, 20, AQM_ECT0, NULL), AQM_PASS);
	assert_int_equal(arrive(&stage, 30, AQM_ECT0, NULL), AQM_DROP);
	/* Asked about the next fourth, at time 40; the one after that comes too soon. */
	for (uint64_t now_ns = 40; now_ns <= 48; now_ns += 2)
		assert_int_equal(arrive(&stage, now_ns, AQM_ECT0, NULL), AQM_PASS);
	assert_int_equal(aqm_policy_counts(stage.wrapped).late, 1);
	assert_int_equal(aqm_policy_counts(stage.wrapped).decisions, 2);
	assert_int_equal(arrive(&stage, 65, AQM_ECT0, NULL), AQM_DROP);
	stage_close(&stage);
}

static void parameters_and_cookies_of_the_inner_law_survive(void **state)
{
	struct stage stage;
	struct aqm_facts facts = {.now_ns = 5000000, .len_bytes = 1500, .ecn = AQM_ECT1};
	uint32_t cookie = 0;
	double limit;

	(void)state;
	stage_open(&stage, "dualpi2", &every_packet, 0, 1);
	assert_int_equal(aqm_params_get(stage.ops, stage.params, "limit_packets", &limit), 0);
	assert_true(limit == 10000);
	facts.queue = AQM_QUEUE_L;
	facts.backlog_pkts[AQM_QUEUE_L] = 7;
	assert_int_equal(stage.ops->on_enqueue(stage.params, stage.vars, stage.stats, &facts,
					       &cookie),
			 AQM_MARK);
	assert_int_equal(cookie & 0xffff, 7);
	assert_true(cookie & AQM_COOKIE_DECIDED);
	/* The law would not have marked a packet that waited for no time at all. */
	facts.cookie = cookie;
	facts.ecn = AQM_CE;
	stage.ops->on_dequeue(stage.params, stage.vars, stage.stats, &facts);
	assert_int_equal(aqm_policy_counts(stage.wrapped).differed, 1);
	stage_close(&stage);
}

static void records_tell_the_deed(void **state)
{
	struct stage stage;
	struct aqm_facts facts = {.len_bytes = 1500, .ecn = AQM_ECT0};
	struct aqm_record record = {0};
	uint32_t cookie;

	(void)state;
	stage_open(&stage, "l4s-freebsd", &every_packet, 1, 0);
	assert_int_equal(stage.ops->on_enqueue(stage.params, stage.vars, stage.stats, &facts,
					       &cookie),
			 AQM_DROP);
	stage.ops->record(stage.params, stage.vars, &facts, true, &record);
	assert_int_equal(record.dequeue_action, AQM_LOGGED_DROP);
	assert_int_equal(stage.puppet.last.packet_length, 1500);
	assert_int_equal(stage.puppet.last.burst_allowance, 150000);
	stage_close(&stage);
}

static void a_failing_policy_leaves_the_law_alone(void **state)
{
	struct stage stage;
	struct error error = {0};

	(void)state;
	stage_open(&stage, "fifo", &every_packet, 1, 0);
	stage.puppet.fail_at = 2;
	assert_int_equal(arrive(&stage, 0, AQM_ECT0, NULL), AQM_DROP);
	assert_int_equal(arrive(&stage, 1, AQM_ECT0, NULL), AQM_PASS);
	assert_int_equal(arrive(&stage, 2, AQM_ECT0, NULL), AQM_PASS);
	assert_int_equal(stage.puppet.decided, 2);
	assert_int_equal(aqm_policy_failure(stage.wrapped, &error), ERR_FAILED);
	assert_string_equal(error.text, "the puppet's string broke");
	stage_close(&stage);
}

static void interval_zero_is_refused(void **state)
{
	const struct aqm_policy_config never = {.interval = 0};
	struct aqm_policy *wrapped;
	struct error error = {0};

	(void)state;
	assert_int_equal(aqm_policy_new(&wrapped, &never, &error), ERR_INVALID);
}

static void what_is_no_probability_is_the_laws(void **state)
{
	const double bad[][2] = {{NAN, NAN}, {INFINITY, 0}, {-0.5, 0.5}, {2, 0}, {0, NAN}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct stage stage;

		stage_open(&stage, "fifo", &every_packet, bad[i][0], bad[i][1]);
		if (i == 3)
			stage.puppet.probability[AQM_PASS] = 0;
		assert_int_equal(arrive(&stage, 0, AQM_ECT0, NULL), AQM_PASS);
		assert_int_equal(aqm_policy_counts(stage.wrapped).overridden, 1);
		assert_int_equal(aqm_policy_counts(stage.wrapped).differed, 0);
		stage_close(&stage);
	}
}

/* One packet of L through a guarded or unguarded DualPI2, which waits for `sojourn_ns`. */
static enum aqm_verdict pass_and_depart(struct stage *stage, uint64_t sojourn_ns)
{
	struct aqm_facts facts = {.len_bytes = 1500, .ecn = AQM_ECT1, .queue = AQM_QUEUE_L};

	facts.now_ns = 1000000000;
	facts.backlog_pkts[AQM_QUEUE_L] = 7;
	assert_int_equal(stage->ops->on_enqueue(stage->params, stage->vars, stage->stats, &facts,
						&facts.cookie),
			 AQM_PASS);
	facts.now_ns += sojourn_ns;
	facts.sojourn_ns = sojourn_ns;
	return stage->ops->on_dequeue(stage->params, stage->vars, stage->stats, &facts);
}

static void signals_of_a_late_law_stand_at_departure(void **state)
{
	const struct aqm_policy_config guarded = {.interval = 1, .guarded = true};
	struct stage stage;

	(void)state;
	stage_open(&stage, "dualpi2", &guarded, 0, 0);
	assert_int_equal(pass_and_depart(&stage, 900000), AQM_PASS);
	assert_int_equal(aqm_policy_counts(stage.wrapped).overridden, 0);
	assert_int_equal(pass_and_depart(&stage, 1100000), AQM_MARK);
	assert_int_equal(aqm_policy_counts(stage.wrapped).overridden, 1);
	stage_close(&stage);
	stage_open(&stage, "dualpi2", &every_packet, 0, 0);
	assert_int_equal(pass_and_depart(&stage, 1100000), AQM_PASS);
	assert_int_equal(aqm_policy_counts(stage.wrapped).overridden, 0);
	assert_int_equal(aqm_policy_counts(stage.wrapped).differed, 1);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_nth_packet_is_put_to_the_policy),
		cmocka_unit_test(verdicts_are_drawn_with_the_packets_bits),
		cmocka_unit_test(latency_moves_the_verdict_to_a_later_packet),
		cmocka_unit_test(parameters_and_cookies_of_the_inner_law_survive),
		cmocka_unit_test(records_tell_the_deed),
		cmocka_unit_test(a_failing_policy_leaves_the_law_alone),
		cmocka_unit_test(interval_zero_is_refused),
		cmocka_unit_test(what_is_no_probability_is_the_laws),
		cmocka_unit_test(signals_of_a_late_law_stand_at_departure),
	};

	return cmocka_run_group_tests_name("aqm_policy", tests, NULL, NULL);
}
