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
	uint64_t now_ns;
	unsigned added; /* extra signals allowed */
};

static void link_open(struct link *link)
{
	*link = (struct link){.now_ns = 7 * S};
	aqm_guard_set(&link->params, 15 * MS, MS);
	aqm_guard_init(&link->vars);
}

/* Packets of `queue` that wait, each of which the policy wants to signal. */
static void busy(struct link *link, unsigned queue, uint64_t ms, bool wants)
{
	for (uint64_t i = 0; i < ms; i++) {
		struct aqm_facts facts = {.now_ns = link->now_ns, .queue = (uint8_t)queue};

		facts.backlog_pkts[queue] = 3;
		aqm_guard_arrived(&link->vars, &facts);
		if (wants)
			link->added += aqm_guard_adds(&link->vars, queue);
		facts.sojourn_ns = 3 * MS;
		aqm_guard_departs(&link->params, &link->vars, &facts);
		link->now_ns += MS;
	}
}

static void idle(struct link *link, uint64_t ms)
{
	aqm_guard_found_empty(&link->vars, link->now_ns);
	link->now_ns += ms * MS;
}

static void nothing_is_saved_up_at_the_start(void **state)
{
	struct link link;

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 1000, true);
	assert_in_range(link.added, 0, 1);
	busy(&link, AQM_QUEUE_C, 3000, true);
	assert_in_range(link.added, 100, 3000);
}

static void extra_signals_end_with_idle_time(void **state)
{
	struct link link;
	unsigned added;

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 4000, true);
	added = link.added;
	assert_true(added > 0);
	idle(&link, 1000);
	busy(&link, AQM_QUEUE_C, 8000, true);
	assert_in_range(link.added, added, added + 1);
}

static void unused_time_earns_nothing(void **state)
{
	struct link link;

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 60000, false);
	busy(&link, AQM_QUEUE_C, 100, true);
	assert_in_range(link.added, 0, 8);
}

static void an_empty_classic_queue_ends_its_extra_signals(void **state)
{
	struct link link;
	unsigned added;

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 4000, true);
	added = link.added;
	busy(&link, AQM_QUEUE_L, 3000, false);
	busy(&link, AQM_QUEUE_C, 1000, true);
	assert_in_range(link.added, added, added + 1);
	busy(&link, AQM_QUEUE_C, 10000, true);
	assert_true(link.added > added + 100);
}

static void omissions_need_packets_that_waited_little(void **state)
{
	struct link link;
	unsigned omitted = 0;

	(void)state;
	link_open(&link);
	assert_false(aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_C, 15 * MS + 1));
	assert_false(aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_L, MS + 1));
	for (int i = 0; i < 10; i++)
		omitted += aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_C, 15 * MS);
	assert_int_equal(omitted, 2);
	busy(&link, AQM_QUEUE_C, 640, false);
	for (int i = 0; i < 10; i++)
		omitted += aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_C, 0);
	assert_int_equal(omitted, 4);
	for (int i = 0; i < 10; i++)
		omitted += aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_L, 0);
	assert_int_equal(omitted, 6);
	/* They waited for 3 ms, longer than L's aim. */
	busy(&link, AQM_QUEUE_L, 6400, false);
	assert_false(aqm_guard_omits(&link.params, &link.vars, AQM_QUEUE_L, 0));
}

static void overload_is_the_laws(void **state)
{
	struct link link;
	const struct aqm_facts facts = {.queue = AQM_QUEUE_C};

	(void)state;
	link_open(&link);
	assert_int_equal(aqm_guard_judges(&link.params, &link.vars, &facts, AQM_DROP, AQM_PASS,
					  true),
			 AQM_DROP);
	assert_int_equal(aqm_guard_judges(&link.params, &link.vars, &facts, AQM_DROP, AQM_PASS,
					  false),
			 AQM_PASS);
	assert_int_equal(aqm_guard_judges(&link.params, &link.vars, &facts, AQM_MARK, AQM_DROP,
					  false),
			 AQM_MARK);
}

static void settings_are_trusted_while_measurements_are_good(void **state)
{
	struct link link;
	struct aqm_facts late = {.sojourn_ns = 23 * MS};

	(void)state;
	link_open(&link);
	busy(&link, AQM_QUEUE_C, 100, false);
	assert_true(aqm_guard_trusts(&link.vars));
	idle(&link, 20);
	busy(&link, AQM_QUEUE_C, 1, false);
	assert_false(aqm_guard_trusts(&link.vars));
	busy(&link, AQM_QUEUE_C, 1000, false);
	assert_true(aqm_guard_trusts(&link.vars));
	for (int i = 0; i < 30; i++) {
		late.now_ns = link.now_ns;
		aqm_guard_departs(&link.params, &link.vars, &late);
		link.now_ns += MS;
	}
	assert_false(aqm_guard_trusts(&link.vars));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_saved_up_at_the_start),
		cmocka_unit_test(extra_signals_end_with_idle_time),
		cmocka_unit_test(unused_time_earns_nothing),
		cmocka_unit_test(an_empty_classic_queue_ends_its_extra_signals),
		cmocka_unit_test(omissions_need_packets_that_waited_little),
		cmocka_unit_test(overload_is_the_laws),
		cmocka_unit_test(settings_are_trusted_while_measurements_are_good),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
