/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of settings: what is read, what is refused; a law moves between rows
 * as its policy says, within the table, and its own settings return where the
 * guard mistrusts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/aqm_policy.h"
#include "policy/settings.h"

static void reads_tables(void **state)
{
	struct policy_settings settings;
	struct error error = {0};
	char many[200] = "a=1";

	(void)state;
	assert_int_equal(policy_settings_parse(&settings, "target_ms=5:k=1/target_ms=15", &error),
			 0);
	assert_int_equal(settings.rows, 2);
	assert_string_equal(settings.row[0], "target_ms=5:k=1");
	assert_string_equal(settings.row[1], "target_ms=15");
	assert_int_equal(policy_settings_parse(&settings, "target_ms=5", &error), ERR_INVALID);
	assert_int_equal(policy_settings_parse(&settings, "a=1//b=2", &error), ERR_INVALID);
	for (int i = 0; i < POLICY_SETTINGS_ROWS; i++)
		strcat(many, "/a=1");
	assert_int_equal(policy_settings_parse(&settings, many, &error), ERR_RANGE);
}

static void moves_and_actions_agree(void **state)
{
	(void)state;
	for (int from = 0; from < 3; from++)
		for (int to = 0; to < 3; to++) {
			const enum pool_action action = policy_move_towards(from, to);
			const enum aqm_verdict verdict = action == POOL_ENQUEUE ? AQM_PASS
							 : action == POOL_DROP	? AQM_DROP
										: AQM_MARK;

			assert_int_equal(policy_move_of_verdict(verdict),
					 (to > from) - (to < from));
		}
}

/* Says one move, always. */
struct mover {
	struct policy base;
	struct policy_settings settings;
	enum aqm_verdict says;
	int moved; /* rows, as told by acted() */
	int64_t target_us; /* of the last record */
};

static int mover_observe(struct policy *policy, const struct aqm_record *record,
			 struct error *error)
{
	(void)error;
	((struct mover *)policy)->target_us = record->qdelay_reference;
	return 0;
}

static int mover_decide(struct policy *policy, uint64_t now_ns, double probability[3],
			struct error *error)
{
	(void)now_ns;
	(void)error;
	memset(probability, 0, 3 * sizeof(*probability));
	probability[((struct mover *)policy)->says] = 1;
	return 0;
}

static void mover_acted(struct policy *policy, enum aqm_verdict verdict)
{
	((struct mover *)policy)->moved += policy_move_of_verdict(verdict);
}

static void mover_reset(struct policy *policy)
{
	((struct mover *)policy)->moved = 0;
}

static const struct policy_settings *mover_settings(const struct policy *policy)
{
	return &((const struct mover *)policy)->settings;
}

static const struct policy_ops mover_ops = {
	.name = "mover",
	.observe = mover_observe,
	.decide = mover_decide,
	.acted = mover_acted,
	.reset = mover_reset,
	.settings = mover_settings,
};

struct stage {
	struct mover mover;
	struct aqm_policy *wrapped;
	void *vars, *stats;
	uint64_t now_ns;
};

static int stage_open(struct stage *stage, const char *table, bool guarded)
{
	const struct aqm_ops *law = aqm_find("dualpi2");
	void *params = malloc(law->params_size);
	struct aqm_policy_config config = {.law = law, .law_params = params, .interval = 2,
					   .guarded = guarded, .policy = &stage->mover.base};
	struct error error = {0};
	int code;

	memset(stage, 0, sizeof(*stage));
	stage->mover.base.ops = &mover_ops;
	assert_int_equal(aqm_params_default(law, params, NULL), 0);
	assert_int_equal(policy_settings_parse(&stage->mover.settings, table, &error), 0);
	code = aqm_policy_new(&stage->wrapped, &config, &error);
	free(params);
	if (code)
		return code;
	stage->vars = calloc(1, aqm_policy_ops(stage->wrapped)->vars_size);
	stage->stats = calloc(1, aqm_policy_ops(stage->wrapped)->stats_size);
	aqm_policy_ops(stage->wrapped)->init(aqm_policy_params(stage->wrapped), stage->vars,
					     stage->stats);
	return 0;
}

static void stage_close(struct stage *stage)
{
	aqm_policy_free(stage->wrapped);
	free(stage->vars);
	free(stage->stats);
}

/* A packet arrives and one that waited `sojourn_ns` leaves; the target then in force, ms. */
static double packet(struct stage *stage, enum aqm_verdict says, uint64_t sojourn_ns)
{
	const struct aqm_ops *ops = aqm_policy_ops(stage->wrapped);
	const void *params = aqm_policy_params(stage->wrapped);
	struct aqm_facts facts = {.now_ns = stage->now_ns += 1000000, .len_bytes = 1500,
				  .backlog_pkts = {9, 0}, .backlog_bytes = {13500, 0},
				  .head_sojourn_ns = {sojourn_ns, 0}, .random = stage->now_ns};
	struct aqm_record record = {0};

	stage->mover.says = says;
	ops->on_enqueue(params, stage->vars, stage->stats, &facts, &facts.cookie);
	facts.sojourn_ns = sojourn_ns;
	facts.now_ns += 500000;
	ops->on_dequeue(params, stage->vars, stage->stats, &facts);
	ops->record(params, stage->vars, &facts, true, &record);
	return (double)record.qdelay_reference / 1000;
}

#define MEASURED 1200 /* packets, one a ms, by which the guard has measured the law and opens */

static void the_law_moves_between_rows(void **state)
{
	struct stage stage;

	(void)state;
	assert_int_equal(stage_open(&stage, "target_ms=2/target_ms=5/target_ms=15/target_ms=40",
				    true), 0);
	/* It begins at the row that the law is, and is asked at every second packet. */
	assert_true(packet(&stage, AQM_PASS, 0) == 15);
	for (int i = 0; i < MEASURED; i++)
		packet(&stage, AQM_PASS, 0);
	assert_true(packet(&stage, AQM_DROP, 0) == 15);
	assert_true(packet(&stage, AQM_DROP, 0) == 5);
	assert_true(stage.mover.target_us == 15000);
	for (int i = 0; i < 9; i++)
		packet(&stage, AQM_DROP, 0);
	assert_true(packet(&stage, AQM_DROP, 0) == 2);
	assert_int_equal(stage.mover.moved, -2); /* the table ends there */
	packet(&stage, AQM_PASS, 0);
	assert_true(packet(&stage, AQM_MARK, 0) == 5);
	assert_int_equal(aqm_policy_counts(stage.wrapped).decisions, 8 + MEASURED / 2);
	assert_true(aqm_policy_counts(stage.wrapped).overridden <= MEASURED / 2);
	stage_close(&stage);
}

static void the_law_stands_while_the_guard_measures(void **state)
{
	struct stage stage;

	(void)state;
	assert_int_equal(stage_open(&stage, "target_ms=2/target_ms=5/target_ms=15", true), 0);
	for (int i = 0; i < 20; i++)
		assert_true(packet(&stage, AQM_DROP, 0) == 15);
	assert_int_equal(aqm_policy_counts(stage.wrapped).overridden, 10);
	stage_close(&stage);
}

static void the_guard_puts_the_law_back(void **state)
{
	struct stage stage;
	bool back = false;

	(void)state;
	for (int guarded = 0; guarded < 2; guarded++) {
		assert_int_equal(stage_open(&stage, "target_ms=2/target_ms=15/target_ms=1000",
					    guarded), 0);
		for (int i = 0; i < 5000; i++)
			back = packet(&stage, AQM_MARK, 900000000) == 15 && i > 10;
		assert_int_equal(back, guarded);
		assert_int_equal(aqm_policy_counts(stage.wrapped).overridden > 0, guarded);
		stage_close(&stage);
	}
}

static void rows_are_the_laws(void **state)
{
	struct stage stage;

	(void)state;
	assert_int_equal(stage_open(&stage, "target_ms=5/colour=red", true), ERR_INVALID);
	assert_true(stage_open(&stage, "target_ms=5/target_ms=90000", true) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_tables),
		cmocka_unit_test(moves_and_actions_agree),
		cmocka_unit_test(the_law_moves_between_rows),
		cmocka_unit_test(the_law_stands_while_the_guard_measures),
		cmocka_unit_test(the_guard_puts_the_law_back),
		cmocka_unit_test(rows_are_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
