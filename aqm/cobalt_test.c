/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * COBALT against its oracle, packet for packet and state for state, on random
 * traces that idle, burst, overload and overflow.
 *
 * Everything is exact: deadlines are rounded down to whole ns on both sides, and
 * BLUE's probability moves in steps that both represent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aqm/cobalt.h"
#include "aqm/ref/cobalt.h"
#include "base/rng.h"

#define ROOM 256
#define STEPS 400000
#define MS UINT64_C(1000000)
#define Q32 4294967296.0

/* One queue twice: packets with a core that decides, and the oracle's list. */
struct pair {
	struct aqm_cobalt_params params;
	struct aqm_cobalt_vars vars;
	struct aqm_cobalt_stats stats;
	struct oracle_cobalt oracle;
	struct oracle_list theirs;
	struct oracle_packet ours[ROOM]; /* a ring */
	size_t first, waiting;
	struct oracle_packet out[ROOM];
	unsigned long drops, marks;
	double highest_p;
};

static struct pair *open_pair(struct aqm_cobalt_params params)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	pair->params = params;
	pair->oracle.target_ns = (double)params.target_ns;
	pair->oracle.interval_ns = (double)params.interval_ns;
	pair->theirs.capacity = (size_t)2 * ROOM;
	pair->theirs.packets = calloc(pair->theirs.capacity, sizeof(*pair->theirs.packets));
	aqm_cobalt_init(&pair->vars);
	return pair;
}

static void close_pair(struct pair *pair)
{
	free(pair->theirs.packets);
	free(pair);
}

static void same_state(struct pair *pair)
{
	assert_true((double)pair->vars.drop_next_ns == pair->oracle.drop_next);
	assert_true((double)pair->vars.blue_ns == pair->oracle.blue_timer);
	assert_true((double)pair->vars.p_q32 / Q32 == pair->oracle.p_drop);
	assert_true(pair->vars.count == pair->oracle.count);
	assert_int_equal(pair->vars.dropping, pair->oracle.dropping);
	if (pair->oracle.p_drop > pair->highest_p)
		pair->highest_p = pair->oracle.p_drop;
}

static void put(struct pair *pair, struct oracle_packet packet, uint64_t now_ns)
{
	if (pair->waiting == ROOM) {
		aqm_cobalt_on_overflow(&pair->params, &pair->vars, &pair->stats, now_ns);
		oracle_cobalt_full(&pair->oracle, (double)now_ns);
	} else {
		oracle_list_put(&pair->theirs, packet);
		pair->ours[(pair->first + pair->waiting++) % ROOM] = packet;
	}
	same_state(pair);
}

static enum aqm_verdict ask(struct pair *pair, const struct oracle_packet *packet, uint64_t now_ns)
{
	struct aqm_facts facts = {
		.now_ns = now_ns,
		.random = (uint64_t)(packet->draw * Q32),
		.sojourn_ns = now_ns - (uint64_t)packet->arrived_ns,
		.ecn = packet->can_mark ? AQM_ECT0 : AQM_NOT_ECT,
	};

	facts.backlog_pkts[AQM_QUEUE_C] = (uint32_t)pair->waiting;
	return aqm_cobalt_on_dequeue(&pair->params, &pair->vars, &pair->stats, &facts);
}

/* One dequeue on both sides; every packet that leaves must be the same, with the same fate. */
static void get(struct pair *pair, uint64_t now_ns)
{
	const size_t left =
		oracle_cobalt_dequeue(&pair->oracle, &pair->theirs, (double)now_ns, pair->out);

	if (left == 0) {
		assert_int_equal(pair->waiting, 0);
		aqm_cobalt_on_empty(&pair->params, &pair->vars, &pair->stats, now_ns);
	}
	for (size_t i = 0; i < left; i++) {
		const struct oracle_packet *packet = &pair->ours[pair->first];
		enum aqm_verdict verdict;

		pair->first = (pair->first + 1) % ROOM;
		pair->waiting--;
		verdict = ask(pair, packet, now_ns);
		assert_int_equal(packet->number, pair->out[i].number);
		assert_int_equal(verdict, pair->out[i].fate);
		pair->drops += verdict == AQM_DROP;
		pair->marks += verdict == AQM_MARK;
	}
	same_state(pair);
}

/* `grid_ns` 1: any time; coarser, so that "equal" happens in every comparison. */
static void run_trace(struct pair *pair, uint64_t seed, uint64_t grid_ns)
{
	uint64_t time_ns = 0, gap_ns = MS, arrive_of_16 = 8;
	struct rng rng;

	rng_seed(&rng, seed);
	for (unsigned i = 0; i < STEPS; i++) {
		uint64_t now_ns;

		if (rng_below(&rng, 400) == 0) {
			gap_ns = UINT64_C(1) << rng_below(&rng, 25);
			arrive_of_16 = 4 + rng_below(&rng, 10);
		}
		time_ns += rng_below(&rng, 2 * gap_ns);
		now_ns = time_ns / grid_ns * grid_ns;
		if (rng_below(&rng, 16) < arrive_of_16) {
			const struct oracle_packet packet = {
				.number = i,
				.arrived_ns = (double)now_ns,
				.len_bytes = 1500,
				.can_mark = rng_below(&rng, 4) == 0,
				.draw = (double)(rng_u64(&rng) >> 32) / Q32,
			};

			put(pair, packet, now_ns);
		} else {
			get(pair, now_ns);
		}
	}
}

static void verdicts_are_those_of_the_oracle(void **state)
{
	static const struct aqm_cobalt_params params[] = {
		{.target_ns = 5 * MS, .interval_ns = 100 * MS},
		{.target_ns = MS, .interval_ns = 10 * MS},
		{.target_ns = 20 * MS, .interval_ns = AQM_INTERVAL_MAX_NS},
		{.target_ns = 100000, .interval_ns = MS},
	};
	unsigned long drops = 0, marks = 0;
	double highest_p = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(params) / sizeof(params[0]); i++) {
		struct pair *pair = open_pair(params[i / 2]);

		run_trace(pair, i, i % 2 ? MS : 1);
		drops += pair->drops;
		marks += pair->marks;
		if (pair->highest_p > highest_p)
			highest_p = pair->highest_p;
		close_pair(pair);
	}
	/* The traces did go where verdicts differ. */
	assert_true(drops > 10000 && marks > 2000 && highest_p > 0.2);
}

/* Between certainty and nothing, and back: never beyond, and no step twice within target. */
static void blue_stays_a_probability(void **state)
{
	const struct aqm_cobalt_params params = {.target_ns = 5 * MS, .interval_ns = 100 * MS};
	struct aqm_cobalt_vars vars = {0};
	struct aqm_cobalt_stats stats = {0};
	uint64_t now_ns = 0;

	(void)state;
	for (int i = 0; i < 600; i++) {
		now_ns += 3 * MS;
		aqm_cobalt_on_overflow(&params, &vars, &stats, now_ns);
	}
	assert_true(vars.p_q32 == AQM_Q32_ONE);
	assert_int_equal(stats.blue_ups, 300);
	for (int i = 0; i < 2 * 4096; i++) {
		now_ns += 3 * MS;
		aqm_cobalt_on_empty(&params, &vars, &stats, now_ns);
	}
	assert_true(vars.p_q32 == 0);
	assert_int_equal(stats.blue_downs, 4096);
	assert_int_equal(vars.count, 0);
}

/* While packets flow, the first one above target is signalled an interval later, not before. */
static void a_standing_queue_gets_an_interval(void **state)
{
	const struct aqm_cobalt_params params = {.target_ns = 5 * MS, .interval_ns = 100 * MS};
	struct aqm_cobalt_vars vars = {0};
	struct aqm_cobalt_stats stats = {0};
	struct aqm_facts facts = {.sojourn_ns = MS, .random = UINT64_MAX, .ecn = AQM_ECT0};
	uint64_t first_mark_ns = 0;

	(void)state;
	facts.backlog_pkts[AQM_QUEUE_C] = 10;
	for (uint64_t t = 1; t < 300 && first_mark_ns == 0; t++) {
		facts.now_ns = t * MS;
		facts.sojourn_ns = t <= 50 ? MS : 6 * MS;
		if (aqm_cobalt_on_dequeue(&params, &vars, &stats, &facts) == AQM_MARK)
			first_mark_ns = facts.now_ns;
	}
	assert_int_equal(first_mark_ns, 151 * MS);
}

static void the_last_packet_is_never_dropped(void **state)
{
	const struct aqm_cobalt_params params = {.target_ns = 5 * MS, .interval_ns = 100 * MS};
	struct aqm_facts facts = {.now_ns = 500 * MS, .sojourn_ns = 50 * MS};

	(void)state;
	for (int ect = 0; ect < 2; ect++) {
		for (uint32_t behind = 0; behind < 2; behind++) {
			struct aqm_cobalt_vars vars = {.p_q32 = AQM_Q32_ONE,
						       .count = 3,
						       .dropping = true,
						       .drop_next_ns = 400 * MS};
			struct aqm_cobalt_stats stats = {0};
			const enum aqm_verdict expected = behind ? AQM_DROP
							  : ect	 ? AQM_MARK
								 : AQM_PASS;

			facts.ecn = ect ? AQM_ECT0 : AQM_NOT_ECT;
			facts.backlog_pkts[AQM_QUEUE_C] = behind;
			assert_int_equal(aqm_cobalt_on_dequeue(&params, &vars, &stats, &facts),
					 expected);
		}
	}
}

static void the_count_does_not_wrap(void **state)
{
	const struct aqm_cobalt_params params = {.target_ns = MS, .interval_ns = 100 * MS};
	struct aqm_cobalt_vars vars = {.dropping = true, .count = UINT32_MAX, .drop_next_ns = 1};
	struct aqm_cobalt_stats stats = {0};
	struct aqm_facts facts = {.now_ns = 100 * MS, .sojourn_ns = 5 * MS, .ecn = AQM_NOT_ECT};

	(void)state;
	facts.backlog_pkts[AQM_QUEUE_C] = 2;
	assert_int_equal(aqm_cobalt_on_dequeue(&params, &vars, &stats, &facts), AQM_DROP);
	assert_int_equal(vars.count, UINT32_MAX);
}

/* One random event on a core; what it said. */
static enum aqm_verdict random_event(const struct aqm_cobalt_params *params,
				     struct aqm_cobalt_vars *vars, const struct aqm_facts *facts,
				     uint64_t kind)
{
	struct aqm_cobalt_stats stats = {0};

	if (kind < 12)
		return aqm_cobalt_on_dequeue(params, vars, &stats, facts);
	if (kind < 14)
		aqm_cobalt_on_overflow(params, vars, &stats, facts->now_ns);
	else
		aqm_cobalt_on_empty(params, vars, &stats, facts->now_ns);
	return AQM_PASS;
}

static struct aqm_facts random_facts(struct rng *rng, uint64_t now_ns)
{
	struct aqm_facts facts = {
		.now_ns = now_ns,
		.random = rng_u64(rng),
		.sojourn_ns = rng_below(rng, 10 * MS),
		.ecn = rng_below(rng, 2) ? AQM_ECT0 : AQM_NOT_ECT,
	};

	facts.backlog_pkts[AQM_QUEUE_C] = (uint32_t)rng_below(rng, 3);
	return facts;
}

/* A state at rest and a new one: nothing that follows tells them apart. */
static void rest_is_as_good_as_new(void **state)
{
	const struct aqm_cobalt_params params = {.target_ns = 5 * MS, .interval_ns = 20 * MS};
	unsigned signals = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 4);
	for (int i = 0; i < 300; i++) {
		struct aqm_cobalt_vars old = {0}, fresh = {0};
		struct aqm_cobalt_stats stats = {0};
		uint64_t now_ns = MS;

		for (int k = 0; k < 200; k++) {
			const struct aqm_facts facts = random_facts(&rng, now_ns);

			random_event(&params, &old, &facts, rng_below(&rng, 16));
			now_ns += rng_below(&rng, 3 * MS);
		}
		while (!aqm_cobalt_at_rest(&params, &old, now_ns)) {
			aqm_cobalt_on_empty(&params, &old, &stats, now_ns);
			now_ns += rng_below(&rng, 3 * MS);
		}
		for (int k = 0; k < 200; k++) {
			const struct aqm_facts facts = random_facts(&rng, now_ns);
			const uint64_t kind = rng_below(&rng, 16);
			const enum aqm_verdict verdict = random_event(&params, &old, &facts, kind);

			assert_int_equal(random_event(&params, &fresh, &facts, kind), verdict);
			signals += verdict != AQM_PASS;
			now_ns += rng_below(&rng, 3 * MS);
		}
	}
	assert_true(signals > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_are_those_of_the_oracle),
		cmocka_unit_test(blue_stays_a_probability),
		cmocka_unit_test(a_standing_queue_gets_an_interval),
		cmocka_unit_test(the_last_packet_is_never_dropped),
		cmocka_unit_test(the_count_does_not_wrap),
		cmocka_unit_test(rest_is_as_good_as_new),
	};

	return cmocka_run_group_tests_name("cobalt", tests, NULL, NULL);
}
