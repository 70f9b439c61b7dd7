/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * CoDel against its text, packet for packet, on random traces that idle, burst
 * and overload; and the arithmetic under it.
 *
 * Everything is exact: the control law is rounded down to whole ns on both
 * sides, and nothing else rounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aqm/codel.h"
#include "aqm/ref/codel.h"
#include "base/rng.h"

#define ROOM 1024
#define STEPS 400000
#define MS UINT64_C(1000000)

/* One queue twice: packets with a core that decides, and the oracle's list. */
struct pair {
	struct aqm_codel_params params;
	struct aqm_codel_vars vars;
	struct aqm_codel_stats stats;
	struct oracle_codel oracle;
	struct oracle_list theirs;
	struct oracle_packet *ours; /* (ROOM), a ring */
	size_t first, waiting;
	uint64_t bytes;
	struct oracle_packet out[ROOM];
	unsigned long drops, marks;
};

static void open_pair(struct pair *pair, struct aqm_codel_params params)
{
	*pair = (struct pair){.params = params};
	pair->oracle = (struct oracle_codel){
		.target_ns = (double)params.target_ns,
		.interval_ns = (double)params.interval_ns,
		.maxpacket_bytes = params.mtu_bytes,
		.ecn = params.ecn,
	};
	pair->theirs.capacity = (size_t)2 * ROOM;
	pair->theirs.packets = calloc(pair->theirs.capacity, sizeof(*pair->theirs.packets));
	pair->ours = calloc(ROOM, sizeof(*pair->ours));
	aqm_codel_init(&pair->vars);
}

static void close_pair(struct pair *pair)
{
	free(pair->theirs.packets);
	free(pair->ours);
}

static void put(struct pair *pair, struct oracle_packet packet)
{
	if (pair->waiting == ROOM)
		return;
	oracle_list_put(&pair->theirs, packet);
	pair->ours[(pair->first + pair->waiting++) % ROOM] = packet;
	pair->bytes += (uint64_t)packet.len_bytes;
}

static enum aqm_verdict ask(struct pair *pair, const struct oracle_packet *packet, uint64_t now_ns)
{
	struct aqm_facts facts = {
		.now_ns = now_ns,
		.sojourn_ns = now_ns - (uint64_t)packet->arrived_ns,
		.ecn = packet->can_mark ? AQM_ECT0 : AQM_NOT_ECT,
	};

	facts.backlog_bytes[AQM_QUEUE_C] = pair->bytes;
	return aqm_codel_on_dequeue(&pair->params, &pair->vars, &pair->stats, &facts);
}

/* One dequeue on both sides; every packet that leaves must be the same, with the same fate. */
static void get(struct pair *pair, uint64_t now_ns)
{
	const size_t left =
		oracle_codel_dequeue(&pair->oracle, &pair->theirs, (double)now_ns, pair->out);

	if (left == 0) {
		assert_int_equal(pair->waiting, 0);
		aqm_codel_on_empty(&pair->vars);
	}
	for (size_t i = 0; i < left; i++) {
		const struct oracle_packet *packet = &pair->ours[pair->first];
		enum aqm_verdict verdict;

		pair->first = (pair->first + 1) % ROOM;
		pair->waiting--;
		pair->bytes -= (uint64_t)packet->len_bytes;
		verdict = ask(pair, packet, now_ns);
		assert_int_equal(packet->number, pair->out[i].number);
		assert_int_equal(verdict, pair->out[i].fate);
		pair->drops += verdict == AQM_DROP;
		pair->marks += verdict == AQM_MARK;
	}
	assert_int_equal(pair->vars.pending, AQM_CODEL_SETTLED);
	assert_true((double)pair->vars.first_above_ns == pair->oracle.first_above_time);
	assert_true((double)pair->vars.drop_next_ns == pair->oracle.drop_next);
	assert_true(pair->vars.count == pair->oracle.count);
	assert_int_equal(pair->vars.dropping, pair->oracle.dropping);
}

/* `grid_ns` 1: any time; coarser, so that "equal" happens in every comparison. */
static void run_trace(struct pair *pair, uint64_t seed, uint64_t grid_ns, unsigned steps)
{
	uint64_t now_ns = 0, gap_ns = MS, arrive_of_16 = 8;
	struct rng rng;

	rng_seed(&rng, seed);
	for (unsigned i = 0; i < steps; i++) {
		if (rng_below(&rng, 400) == 0) {
			gap_ns = UINT64_C(1) << rng_below(&rng, 25);
			arrive_of_16 = 4 + rng_below(&rng, 10);
		}
		now_ns += rng_below(&rng, 2 * gap_ns);
		if (rng_below(&rng, 16) < arrive_of_16) {
			const struct oracle_packet packet = {
				.number = i,
				.arrived_ns = (double)(now_ns / grid_ns * grid_ns),
				.len_bytes = (double)(40 + rng_below(&rng, 1461)),
				.can_mark = rng_below(&rng, 4) == 0,
			};

			put(pair, packet);
		} else {
			get(pair, now_ns / grid_ns * grid_ns);
		}
	}
}

static void verdicts_are_those_of_the_rfc(void **state)
{
	static const struct aqm_codel_params params[] = {
		{.target_ns = 5 * MS, .interval_ns = 100 * MS, .mtu_bytes = 1500},
		{.target_ns = 5 * MS, .interval_ns = 100 * MS, .mtu_bytes = 1500, .ecn = true},
		{.target_ns = MS, .interval_ns = 10 * MS, .mtu_bytes = 0, .ecn = true},
		{.target_ns = 20 * MS, .interval_ns = AQM_INTERVAL_MAX_NS, .mtu_bytes = 9000},
		{.target_ns = 100000, .interval_ns = MS, .mtu_bytes = 1500},
	};
	struct pair *pair = malloc(sizeof(*pair));
	unsigned long drops = 0, marks = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(params) / sizeof(params[0]); i++) {
		open_pair(pair, params[i / 2]);
		run_trace(pair, i, i % 2 ? MS : 1, STEPS);
		drops += pair->drops;
		marks += pair->marks;
		close_pair(pair);
	}
	/* The traces did go where verdicts differ. */
	assert_true(drops > 10000 && marks > 3000);
	free(pair);
}

static void the_root_is_the_largest_whose_square_fits(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (int i = 0; i < 1000000; i++) {
		const uint64_t value = i < 1000 ? (uint64_t)i
				       : i == 1000
					       ? UINT64_MAX
					       : rng_u64(&rng) >> rng_below(&rng, 64);
		const unsigned __int128 root = aqm_isqrt(value);

		assert_true(root * root <= value && (root + 1) * (root + 1) > value);
	}
}

static void the_control_law_rounds_down_once(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	for (int i = 0; i < 300000; i++) {
		const uint64_t interval_ns = 1 + rng_below(&rng, AQM_INTERVAL_MAX_NS);
		const uint64_t draw = rng_u64(&rng) >> (32 + i % 32);
		const uint32_t count = (uint32_t)(1 + draw % UINT32_MAX);
		const unsigned __int128 step = aqm_interval_over_sqrt_ns(interval_ns, count);
		const unsigned __int128 square = (unsigned __int128)interval_ns * interval_ns;

		/* step <= interval / sqrt(count) < step + 1, squared */
		assert_true(step * step * count <= square);
		assert_true((step + 1) * (step + 1) * count > square);
	}
	assert_int_equal(aqm_interval_over_sqrt_ns(100 * MS, 0), 100 * MS);
	assert_int_equal(aqm_interval_over_sqrt_ns(100 * MS, 4), 50 * MS);
}

static void the_count_does_not_wrap(void **state)
{
	const struct aqm_codel_params params = {.target_ns = MS, .interval_ns = 100 * MS};
	struct aqm_codel_vars vars = {
		.first_above_ns = 1, .dropping = true, .count = UINT32_MAX, .drop_next_ns = 1};
	struct aqm_codel_stats stats = {0};
	struct aqm_facts facts = {.now_ns = 100 * MS, .sojourn_ns = 5 * MS, .ecn = AQM_NOT_ECT};

	(void)state;
	facts.backlog_bytes[AQM_QUEUE_C] = 3000;
	assert_int_equal(aqm_codel_on_dequeue(&params, &vars, &stats, &facts), AQM_DROP);
	assert_int_equal(vars.count, UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_are_those_of_the_rfc),
		cmocka_unit_test(the_root_is_the_largest_whose_square_fits),
		cmocka_unit_test(the_control_law_rounds_down_once),
		cmocka_unit_test(the_count_does_not_wrap),
	};

	return cmocka_run_group_tests_name("codel", tests, NULL, NULL);
}
