/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard event by event: what earns tokens, what loses them, what is refused.
 */
#include "aqm/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)
#define S (1000 * MS)

/* A link that sends a packet a millisecond, or nothing. */
struct link {
	struct aqm_guard_params params;
	struct aqm_guard_vars vars;
	uint64_t now_ns, waited_ns;
	unsigned added; /* extra signals allowed */
};

static void link_open(struct link *link)
{
	*link = (struct link){.now_ns = 7 * S, .waited_ns = 3 * MS};
	aqm_guard_set(&link->params, 15 * MS, MS);
	aqm_guard_init(&link->vars);
}

/* Packets of `queue`, each of which the policy wants to signal or not. */
static void busy(struct link *link, unsigned queue, uint64_t ms, bool wants)
{
	for (uint64_t i = 0; i < ms; i++) {
		struct aqm_facts facts = {.now_ns = link->now_ns, .queue = (uint8_t)queue};

		aqm_guard_arrived(&link->vars, &facts);
		facts.sojourn_ns = link->waited_ns;
		aqm_guard_departs(&link->params, &link->vars, &facts);
		if (wants)
			link->added += aqm_guard_judges(&link->params, &link->vars, &facts,
							AQM_PASS, AQM_MARK, false) == AQM_MARK;
		link->now_ns += MS;
	}
}

static void idle(struct link *link, uint64_t ms)
{
	aqm_guard_found_empty(&link->vars, link->now_ns);
	link->now_ns += ms * MS;
}

static void the_law_is_measured_first(void **state)
{
	struct link link;

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 1070, true);
	assert_int_equal(link.added, 0);
	assert_false(aqm_guard_trusts(&link.vars));
	busy(&link, AQM_QUEUE_C, 2600, true);
	assert_true(aqm_guard_trusts(&link.vars));
	assert_in_range(link.added, 40, 2600 / 16);
}

static void an_idle_link_closes_the_guard_each_time_for_longer(void **state)
{
	struct link link;
	uint64_t closed_ms[6];

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 3000, true);
	for (int i = 0; i < 6; i++) {
		assert_true(aqm_guard_trusts(&link.vars));
		idle(&link, 150);
		busy(&link, AQM_QUEUE_C, 1, true);
		assert_false(aqm_guard_trusts(&link.vars));
		closed_ms[i] = 1;
		while (!aqm_guard_trusts(&link.vars) && closed_ms[i] < 60000) {
			busy(&link, AQM_QUEUE_C, 1, true);
			closed_ms[i]++;
		}
	}
	/* A full budget of idle time is 4.3 s of a busy link. */
	assert_in_range(closed_ms[0], 4300, 5500);
	assert_in_range(closed_ms[1], 4300, 5500);
	for (int i = 2; i < 5; i++)
		assert_in_range(closed_ms[i], 2147 << i, (2147 << i) + 1000);
	assert_in_range(closed_ms[5], 34000, 35000);
}

/* A link that idles under the law as well opens the guard, and closes it when it idles more. */
static void idleness_of_the_laws_own_is_allowed(void **state)
{
	struct link link;
	unsigned seconds = 0;

	(void)state;
	link_open(&link);
	for (; seconds < 120 && !aqm_guard_trusts(&link.vars); seconds++) {
		busy(&link, AQM_QUEUE_C, 700, false);
		idle(&link, 300);
	}
	assert_in_range(seconds, 5, 100);
	for (int i = 0; i < 60; i++) {
		busy(&link, AQM_QUEUE_C, 700, false);
		idle(&link, 300);
	}
	assert_in_range(link.vars.idle_share_q32 >> 16, 65536 * 2 / 10, 65536 * 3 / 10);
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 3000, false);
	assert_true(aqm_guard_trusts(&link.vars));
	for (int i = 0; i < 2; i++) {
		busy(&link, AQM_QUEUE_C, 700, false);
		idle(&link, 300);
	}
	assert_false(aqm_guard_trusts(&link.vars));
}

static void classic_that_gets_less_closes_the_guard(void **state)
{
	struct link link;

	(void)state;
	link_open(&link);
	for (int i = 0; i < 50; i++) {
		busy(&link, AQM_QUEUE_L, 30, false);
		busy(&link, AQM_QUEUE_C, 70, false);
	}
	assert_true(aqm_guard_trusts(&link.vars));
	for (int i = 0; i < 100; i++) {
		busy(&link, AQM_QUEUE_L, 70, false);
		busy(&link, AQM_QUEUE_C, 40, false);
	}
	assert_true(aqm_guard_trusts(&link.vars));
	for (int i = 0; i < 60; i++) {
		busy(&link, AQM_QUEUE_L, 95, false);
		busy(&link, AQM_QUEUE_C, 5, false);
	}
	assert_false(aqm_guard_trusts(&link.vars));
}

static void settings_give_few_signals_less(void **state)
{
	(void)state;
	assert_int_equal(aqm_guard_at_most(60 * MS, 16 * MS), 18 * MS);
	assert_int_equal(aqm_guard_at_most(17 * MS, 16 * MS), 17 * MS);
	assert_int_equal(aqm_guard_at_most(1, 16 * MS), 1);
	assert_int_equal(aqm_guard_at_least(1, 800), 700);
	assert_int_equal(aqm_guard_at_least(750, 800), 750);
	assert_int_equal(aqm_guard_at_least(6400, 800), 6400);
}

static void extra_signals_need_a_queue(void **state)
{
	struct link link;
	unsigned added;

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 5000, true);
	added = link.added;
	assert_true(added > 0);
	link.waited_ns = 15 * MS / 8;
	busy(&link, AQM_QUEUE_C, 1000, true);
	assert_int_equal(link.added, added);
	/* Packets were late: the law's aim is the least, until they have not been for 2 s. */
	link.waited_ns = 23 * MS;
	busy(&link, AQM_QUEUE_C, 60, false);
	link.waited_ns = 14 * MS;
	busy(&link, AQM_QUEUE_C, 1000, true);
	assert_int_equal(link.added, added);
	link.waited_ns = 16 * MS;
	busy(&link, AQM_QUEUE_C, 1000, true);
	assert_true(link.added > added);
	added = link.added;
	link.waited_ns = 3 * MS;
	busy(&link, AQM_QUEUE_C, 6000, true);
	assert_true(link.added > added);
}

static void nobody_signals_everything(void **state)
{
	struct link link;

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 10000, true);
	link.added = 0;
	busy(&link, AQM_QUEUE_C, 16000, true);
	assert_in_range(link.added, 950, 1000 + 4);
}

static void omissions_need_packets_that_waited_little(void **state)
{
	struct link link;
	unsigned omitted = 0;

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 640, false);
	assert_false(aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_C, 15 * MS + 1));
	for (int i = 0; i < 10; i++)
		omitted += aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_C, 15 * MS);
	assert_int_equal(omitted, 2);
	/* They waited for 3 ms, longer than L's aim. */
	busy(&link, AQM_QUEUE_L, 6400, false);
	assert_false(aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_L, 0));
	link.waited_ns = MS;
	busy(&link, AQM_QUEUE_L, 64, false);
	assert_true(aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_L, MS));
	assert_false(aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_L, MS));
}

static void overload_is_the_laws(void **state)
{
	struct link link;
	const struct aqm_facts facts = {.queue = AQM_QUEUE_C, .sojourn_ns = 3 * MS};

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 5000, true);
	busy(&link, AQM_QUEUE_C, 100, false);
	for (int law = AQM_PASS; law <= AQM_DROP; law++)
		for (int wanted = AQM_PASS; wanted <= AQM_DROP; wanted++) {
			struct aqm_guard_vars vars = link.vars;

			assert_int_equal(aqm_guard_judges(&link.params, &vars, &facts,
							  (enum aqm_verdict)law,
							  (enum aqm_verdict)wanted, true),
					 law);
			assert_int_equal(aqm_guard_judges(&link.params, &vars, &facts,
							  (enum aqm_verdict)law,
							  (enum aqm_verdict)wanted, false),
					 wanted);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_law_is_measured_first),
		cmocka_unit_test(an_idle_link_closes_the_guard_each_time_for_longer),
		cmocka_unit_test(idleness_of_the_laws_own_is_allowed),
		cmocka_unit_test(classic_that_gets_less_closes_the_guard),
		cmocka_unit_test(settings_give_few_signals_less),
		cmocka_unit_test(extra_signals_need_a_queue),
		cmocka_unit_test(nobody_signals_everything),
		cmocka_unit_test(omissions_need_packets_that_waited_little),
		cmocka_unit_test(overload_is_the_laws),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
