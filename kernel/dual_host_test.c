/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes of parameters under a law that goes on; verdicts are the vectors' matter.
 */
#include "kernel/dual_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/vectors/cases.h"

static struct dual_host host;
static struct dual_host_params params;
static struct aqm_student_model model;
static const struct dual_host_heads empty;

static void start(uint32_t which)
{
	vectors_params(which, &params);
	memset(&model, 0, sizeof(model));
	if (params.law == DUAL_HOST_STUDENT)
		vectors_model(which, &model);
	params.own.model = &model;
	dual_host_init(&host, &params, 0);
}

/* One Classic packet comes and goes. */
static void pass_one(uint64_t now_ns)
{
	struct dual_host_packet packet = {.random = UINT64_MAX, .len_bytes = 1000};
	struct dual_host_heads heads = empty;

	dual_host_arrive(&host, &heads, &packet, now_ns);
	heads.len_bytes[AQM_QUEUE_C] = packet.len_bytes;
	heads.enqueued_ns[AQM_QUEUE_C] = packet.enqueued_ns;
	assert_int_equal(dual_host_take(&host, &heads, now_ns), AQM_QUEUE_C);
	dual_host_depart(&host, &empty, &packet, now_ns);
}

static void a_shorter_tupdate_holds_at_once(void **state)
{
	static const uint32_t laws[] = {VECTORS_linux, VECTORS_supervise};

	(void)state;
	for (int i = 0; i < 2; i++) {
		start(laws[i]);
		params.own.base.tupdate_ns = 4000000000;
		dual_host_change(&host, &params, 0);
		dual_host_run(&host, &empty, 100000000, 100);
		assert_true(dual_host_due_ns(&host) > 4000000000);
		params.own.base.tupdate_ns = 16000000;
		dual_host_change(&host, &params, 200000000);
		assert_int_equal(dual_host_due_ns(&host), 216000000);
		/* What is due sooner stays so. */
		dual_host_change(&host, &params, 210000000);
		assert_int_equal(dual_host_due_ns(&host), 216000000);
	}
}

/* Packets count as overridden as long as cut settings are in force, and no longer. */
static void new_parameters_are_the_laws_own(void **state)
{
	const struct aqm_student_vars *vars = &host.law.student.vars;
	const struct aqm_student_stats *stats = &host.law.student.stats;

	(void)state;
	start(VECTORS_supervise);
	dual_host_run(&host, &empty, 16000000, 1);
	assert_true(vars->cut);
	pass_one(17000000);
	assert_int_equal(stats->overridden, 1);
	params.own.base.target_ns = 10000000;
	dual_host_change(&host, &params, 18000000);
	assert_int_equal(vars->now.target_ns, 10000000);
	pass_one(19000000);
	assert_int_equal(stats->overridden, 1);
	dual_host_run(&host, &empty, 32000000, 1);
	pass_one(33000000);
	assert_int_equal(stats->overridden, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shorter_tupdate_holds_at_once),
		cmocka_unit_test(new_parameters_are_the_laws_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
