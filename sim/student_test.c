/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A student that says nothing is DualPI2, bit for bit, but for pauses of the link; one that
 * speaks is heard.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aqm/student.h"
#include "sim/run.h"

#define HEAD "name: student\nduration_s: 12\nwarmup_s: 4\nbottleneck:\n  delay_ms: 10\n"

static const char *const networks[] = {
	HEAD "  rate_mbps: 12\n  aqm: dualpi2\n  params: [\"min_qlen_step=1\"]\n"
	     "flows:\n  - {cc: cubic, count: 2}\n  - {cc: newreno, ecn: none}\n  - {cc: prague}\n",
	HEAD "  rate_steps: [{at_s: 0, rate_mbps: 30}, {at_s: 5, rate_mbps: 6}]\n"
	     "  aqm: dualpi2\n  params: [\"min_qlen_step=1\"]\n"
	     "flows:\n  - {cc: cubic}\n  - {cc: dctcp, count: 2}\n  - {cc: udp, rate_mbps: 2}\n",
	/* Overload in L and in Classic. */
	HEAD "  rate_mbps: 8\n  aqm: dualpi2\n  params: [\"min_qlen_step=1\"]\n"
	     "flows:\n  - {cc: cubic}\n  - {cc: udp, rate_mbps: 7, ecn: ect1}\n"
	     "  - {cc: udp, rate_mbps: 4}\n",
};

#define NETWORKS (sizeof(networks) / sizeof(networks[0]))

static void mix(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	const int64_t *field = &record->queue_type;
	uint64_t *digest = context;

	*digest = (*digest ^ now_ns) * UINT64_C(1099511628211);
	for (int i = 0; i < AQM_RECORD_FIELDS; i++)
		*digest = (*digest ^ (uint64_t)field[i]) * UINT64_C(1099511628211);
}

/* Its link takes aggregates. */
static const char batches[] =
	HEAD "  rate_mbps: 60\n  aqm: dualpi2\n  params: [\"min_qlen_step=1\"]\n"
	     "  aggregation: {packets: 64, txop_ms: 4, gap_ms: 1}\n"
	     "flows:\n  - {cc: cubic}\n  - {cc: prague}\n";

struct how {
	bool unguarded, pauses;
};

/* A run under a law of this name; the digest is of all its records. */
static uint64_t run_as(struct how how, const char *network, const char *law,
		       const struct aqm_student_model *model, const struct aqm_student_tap *tap,
		       struct sim_result *result)
{
	uint64_t digest = 1;
	struct sim_options options = {.seed = 3, .context = &digest, .record = mix};
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};
	void *params;

	if (scenario_parse(scenario, network, strlen(network), "test", &error) ||
	    sim_law_named(scenario, law, &options.law, &params, &error))
		fail_msg("%s", error.text);
	if (strcmp(law, "student") == 0) {
		((struct aqm_student_params *)params)->model = model;
		((struct aqm_student_params *)params)->tap = tap;
		((struct aqm_student_params *)params)->guarded = !how.unguarded;
		((struct aqm_student_params *)params)->pauses_q16 = how.pauses ? 1U << 16 : 0;
	}
	options.params = params;
	memset(result, 0, sizeof(*result));
	if (sim_run(scenario, &options, result, &error))
		fail_msg("%s", error.text);
	free(params);
	scenario_free(scenario);
	free(scenario);
	return digest;
}

static uint64_t run(const char *network, const char *law, const struct aqm_student_model *model,
		    struct sim_result *result)
{
	return run_as((struct how){.pauses = true}, network, law, model, NULL, result);
}

/* One linear layer over one feature, of zeros. */
static struct aqm_student_model silent(enum aqm_student_mode mode, uint8_t outputs)
{
	return (struct aqm_student_model){
		.mode = (uint8_t)mode,
		.inputs = 1,
		.outputs = outputs,
		.fast_inputs = 1,
		.layers = 1,
		.feature = {AQM_STUDENT_FEATURE_qdelay_c},
		.scale = {64},
		.layer = {{.kind = AQM_STUDENT_dense, .inputs = 1, .outputs = outputs}},
	};
}

static void a_silent_student_is_dualpi2(void **state)
{
	const struct aqm_student_model model =
		silent(AQM_STUDENT_supervise, AQM_STUDENT_SETTING_COUNT);
	struct sim_result result;

	(void)state;
	for (size_t i = 0; i < NETWORKS; i++) {
		const uint64_t law = run(networks[i], "dualpi2", NULL, &result);
		uint64_t student;

		sim_result_free(&result);
		student = run(networks[i], "student", &model, &result);
		sim_result_free(&result);
		assert_true(student == law);
	}
}

static void pauses_are_all_that_differs_where_batches_leave(void **state)
{
	const struct aqm_student_model model =
		silent(AQM_STUDENT_supervise, AQM_STUDENT_SETTING_COUNT);
	uint64_t digest[3];
	struct sim_result result;

	(void)state;
	digest[0] = run(batches, "dualpi2", NULL, &result);
	sim_result_free(&result);
	for (int pauses = 0; pauses <= 1; pauses++) {
		digest[1 + pauses] = run_as((struct how){.pauses = pauses}, batches, "student",
					    &model, NULL, &result);
		sim_result_free(&result);
	}
	assert_true(digest[1] == digest[0]);
	assert_true(digest[2] != digest[0]);
}

/* What a tap asks for; and what it saw. */
struct wish {
	int16_t outputs[AQM_STUDENT_OUTPUTS];
	uint64_t decisions;
	double rate_log2, idle_log2;
};

static void ask(void *context, const struct aqm_facts *facts, const int16_t *features,
		int16_t *outputs)
{
	struct wish *wish = context;

	(void)facts;
	memcpy(outputs, wish->outputs, sizeof(wish->outputs));
	wish->decisions++;
	wish->rate_log2 = features[AQM_STUDENT_FEATURE_rate] / 256.0;
	wish->idle_log2 = features[AQM_STUDENT_FEATURE_idle_4000] / 256.0;
}

/* Without a guard, so that all of it counts. */
static double classic_ms(const struct wish *wish)
{
	const struct aqm_student_model model =
		silent(AQM_STUDENT_supervise, AQM_STUDENT_SETTING_COUNT);
	struct aqm_student_stats stats = {0};
	const struct aqm_student_tap tap = {(void *)wish, ask, &stats};
	struct sim_result result;
	double mean;

	run_as((struct how){.unguarded = true}, networks[0], "student", &model, &tap, &result);
	assert_true(stats.packets >= result.arrived_packets * 99 / 100);
	mean = histogram_mean(&result.queues[AQM_QUEUE_C].qdelay_ns) / 1e6;
	sim_result_free(&result);
	return mean;
}

static void settings_are_heard(void **state)
{
	struct wish as_it_is = {0}, low = {0}, high = {0}, beyond = {0};
	double mean;

	(void)state;
	mean = classic_ms(&as_it_is);
	assert_true(mean > 11 && mean < 19);
	assert_in_range(as_it_is.decisions, 12000 / 16 - 1, 12000 / 16);
	/* 12 Mbit/s are 1.5 MB/s. */
	assert_true(fabs(as_it_is.rate_log2 - log2(1.5e6)) < 0.05);
	low.outputs[AQM_STUDENT_SETTING_target] = -2 * AQM_STUDENT_ONE;
	assert_true(classic_ms(&low) < 0.5 * mean);
	/* A short queue runs dry now and then. */
	assert_true(low.idle_log2 > as_it_is.idle_log2);
	high.outputs[AQM_STUDENT_SETTING_target] = AQM_STUDENT_ONE;
	assert_true(classic_ms(&high) > 1.5 * mean);
	beyond.outputs[AQM_STUDENT_SETTING_target] = INT16_MAX;
	assert_true(classic_ms(&beyond) < 70);
}

/* Even chances: two thirds of the packets are marked or dropped where there is no guard. */
static void verdicts_are_heard_and_guarded(void **state)
{
	const struct aqm_student_model model = silent(AQM_STUDENT_verdict, 3);
	struct sim_result result;
	double signals, packets;

	(void)state;
	run(networks[1], "student", &model, &result);
	signals = (double)(result.queues[SIM_ALL].marks + result.queues[SIM_ALL].drops);
	packets = (double)(result.queues[SIM_ALL].packets + result.queues[SIM_ALL].drops);
	assert_true(signals < 0.35 * packets);
	assert_true(result.utilisation > 0.7);
	sim_result_free(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_student_is_dualpi2),
		cmocka_unit_test(pauses_are_all_that_differs_where_batches_leave),
		cmocka_unit_test(settings_are_heard),
		cmocka_unit_test(verdicts_are_heard_and_guarded),
	};

	return cmocka_run_group_tests_name("student", tests, NULL, NULL);
}
