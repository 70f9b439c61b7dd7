/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The student's arithmetic: logarithms, trees, draws, and how regular and how steep signals are.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aqm/student.h"
#include "aqm/student_replace.h"
#include "base/rng.h"

static void logarithms_are_near(void **state)
{
	(void)state;
	assert_int_equal(aqm_log2_q8(0), 0);
	assert_int_equal(aqm_log2_q8(UINT64_MAX), 63 * 256 + 255);
	for (uint64_t x = 1; x < UINT64_C(1) << 60; x += 1 + x / 37)
		assert_true(fabs(aqm_log2_q8(x) / 256.0 - log2((double)x + 1)) < 0.017);
	for (int32_t z = -8 * 4096; z <= 8 * 4096; z++)
		assert_true(fabs(aqm_exp2_q16(z) / 65536.0 / exp2(z / 4096.0) - 1) <
			    0.004 + exp2(-15 - z / 4096.0));
	for (int32_t z = -8 * 4096 + 1; z <= 8 * 4096; z++)
		assert_true(aqm_exp2_q16(z) >= aqm_exp2_q16(z - 1));
	assert_int_equal(aqm_exp2_q16(0), 65536);
}

static void curves_are_odd_and_bounded(void **state)
{
	(void)state;
	for (int z = INT16_MIN; z <= INT16_MAX; z++) {
		const int tanh_z = aqm_student_tanh(z);
		const int sigmoid_z = aqm_student_sigmoid(z);
		const double x = z / 4096.0;
		const double exact = fabs(x) >= 2 ? copysign(1, x) : x * (1 - fabs(x) / 4);

		assert_true(fabs(tanh_z / 4096.0 - exact) <= 1.0 / 4096);
		assert_in_range(sigmoid_z, 0, 4096);
		if (z > INT16_MIN)
			assert_int_equal(aqm_student_tanh(-z), -tanh_z);
	}
}

static void trees_go_where_features_say(void **state)
{
	const struct aqm_student_model model = {
		.kind = AQM_STUDENT_tree,
		.inputs = 2,
		.outputs = 1,
		.nodes = 2,
		.leaves = 3,
		.feature = {3, 7},
		.tree = {.nodes = {{0, 0, 1, 1, 100}, {1, 1, 2, 3, -5}},
			 .leaves = {{10}, {20}, {30}}},
	};
	const struct aqm_student_model alone = {
		.kind = AQM_STUDENT_tree, .outputs = 1, .leaves = 1, .tree = {.leaves = {{7}}}};
	int16_t features[AQM_STUDENT_FEATURE_COUNT] = {0}, out[AQM_STUDENT_OUTPUTS];

	(void)state;
	features[3] = 99;
	aqm_student_tree_run(&model, features, out);
	assert_int_equal(out[0], 10);
	features[3] = 100;
	features[7] = -6;
	aqm_student_tree_run(&model, features, out);
	assert_int_equal(out[0], 20);
	features[7] = -5;
	aqm_student_tree_run(&model, features, out);
	assert_int_equal(out[0], 30);
	aqm_student_tree_run(&alone, features, out);
	assert_int_equal(out[0], 7);
}

static void verdicts_are_drawn_as_often_as_said(void **state)
{
	const int16_t out[3] = {4 * 4096, 0, -4096}; /* 16 : 1 : 1/2 */
	unsigned count[3] = {0};

	(void)state;
	for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += 4099)
		count[aqm_student_draw(out, (uint32_t)bits)]++;
	assert_true(fabs(count[AQM_PASS] * 4099 / 4294967296.0 - 16 / 17.5) < 1e-4);
	assert_true(fabs(count[AQM_MARK] * 4099 / 4294967296.0 - 1 / 17.5) < 1e-4);
	assert_true(fabs(count[AQM_DROP] * 4099 / 4294967296.0 - 0.5 / 17.5) < 1e-4);
	/* Drops come first, as with other policies: packets with small bits are hit hardest. */
	assert_int_equal(aqm_student_draw(out, 0), AQM_DROP);
	assert_int_equal(aqm_student_draw(out, UINT32_MAX), AQM_PASS);
}

/* Mean and deviation of the gaps between signals at p_C = 1/25. */
static void gaps(double regularity, double *mean, double *deviation)
{
	struct aqm_student_vars vars = {
		.regularity_q16 = (uint32_t)(regularity * 65536),
		.exponential_q32 = AQM_Q32_ONE,
	};
	double sum = 0, squares = 0, last = 0;
	int signals = 0;
	struct rng rng;

	rng_seed(&rng, 4);
	for (int packet = 1; signals < 20000; packet++) {
		if (!aqm_student_adds_up(&vars, AQM_Q32_ONE / 25, (uint32_t)rng_u64(&rng)))
			continue;
		sum += packet - last;
		squares += (packet - last) * (packet - last);
		last = packet;
		signals++;
	}
	*mean = sum / signals;
	*deviation = sqrt(squares / signals - *mean * *mean);
}

static void regularity_changes_gaps_and_not_their_mean(void **state)
{
	static const double values[] = {1.0 / 65536, 0.25, 0.5, 0.75, 1};

	(void)state;
	for (int i = 0; i < 5; i++) {
		double mean, deviation;

		gaps(values[i], &mean, &deviation);
		assert_true(fabs(mean / 25 - 1) < 0.02);
		assert_true(fabs(deviation / 25 - (1 - values[i])) < 0.04);
	}
}

/* p_C of a packet that waited so many ms, in shares of the law's, at a target of 15 ms. */
static double steep(double steepness, double p, double waited_ms)
{
	const struct aqm_student_vars vars = {
		.now.target_ns = 15000000,
		.per_target_q48 = (UINT64_C(1) << 48) / 15000000,
		.steep_below_q16 = (uint32_t)(steepness * 65536),
		.steep_above_q16 = (uint32_t)(steepness * 65536),
		.law.p_q32 = (uint64_t)(p * 4294967296.0),
	};

	return (double)aqm_student_p_c_q32(&vars, (uint64_t)(waited_ms * 1e6)) / 4294967296.0 /
	       (p * p);
}

static void steep_signals_follow_the_sojourn(void **state)
{
	(void)state;
	for (double waited_ms = 0; waited_ms < 100; waited_ms += 0.7) {
		const double ratio = fmin(waited_ms / 15, 3);

		assert_true(fabs(steep(0, 0.2, waited_ms) - 1) < 1e-6);
		assert_true(fabs(steep(1, 0.2, waited_ms) - ratio * ratio) < 2e-4);
		assert_true(fabs(steep(0.5, 0.2, waited_ms) - pow(0.5 + ratio / 2, 2)) < 2e-4);
		assert_true(fabs(steep(4, 0.1, waited_ms) -
				 pow(fmax(0, 1 + 4 * (ratio - 1)), 2)) < 0.01);
		assert_true(steep(1, 0.9, waited_ms) <= 1 / 0.81 + 1e-9);
	}
	/* Whatever a clock says. */
	assert_true(fabs(steep(1, 0.2, 1e12) - 9) < 1e-3);
}

static bool departs_signalled(struct aqm_student_vars *vars, uint64_t waited_ns, uint64_t random)
{
	const struct aqm_facts facts = {
		.queue = AQM_QUEUE_C,
		.ecn = AQM_ECT0,
		.len_bytes = 1500,
		.sojourn_ns = waited_ns,
		.random = random,
		.backlog_bytes = {150000, 0},
	};
	struct aqm_student_stats stats = {0};

	return aqm_student_law(vars, &stats, &facts, 100) != AQM_PASS;
}

/* p' of 1/6 signals one in 36 at the target, one in four at three times that, none at 0. */
static void steep_signals_need_no_regularity(void **state)
{
	static const uint64_t waited_ns[] = {0, 15000000, 45000000, 90000000};
	static const double wanted[] = {0, 1.0 / 36, 1.0 / 4, 1.0 / 4};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (int regular = 0; regular < 2; regular++)
		for (int i = 0; i < 4; i++) {
			struct aqm_student_vars vars = {
				.now = {.target_ns = 15000000, .k_q16 = 2 << 16, .mtu_bytes = 1500},
				.per_target_q48 = (UINT64_C(1) << 48) / 15000000,
				.steep_below_q16 = 65536,
				.steep_above_q16 = 65536,
				.regularity_q16 = regular ? 65536 : 0,
				.exponential_q32 = AQM_Q32_ONE,
				.law.p_q32 = AQM_Q32_ONE / 6,
			};
			int signals = 0;

			for (int packet = 0; packet < 40000; packet++)
				signals += departs_signalled(&vars, waited_ns[i], rng_u64(&rng));
			assert_true(fabs(signals / 40000.0 - wanted[i]) < 0.006);
		}
}

static void settings_stay_in_their_ranges(void **state)
{
	const struct aqm_student_params params = {
		.base = {.target_ns = 15000000,
			 .alpha_q16 = 8 << 16,
			 .beta_q16 = 209570,
			 .k_q16 = 2 << 16,
			 .step.threshold_ns = 1000000}};
	struct aqm_student_vars vars;
	struct aqm_student_stats stats;
	static const struct aqm_student_model model = {.inputs = 1};

	(void)state;
	aqm_student_init(&params, &model, &vars, &stats);
	for (int z = INT16_MIN; z <= INT16_MAX; z += 61) {
		for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
			vars.output[i] = (int16_t)z;
		aqm_student_settings_apply(&params.base, vars.output, &vars);
		assert_in_range(vars.now.target_ns, 1000000, 60000000);
		assert_in_range(vars.now.step.threshold_ns, 250000, 4000000);
		assert_in_range(vars.now.k_q16, 1 << 14, 8 << 16);
		assert_in_range(vars.now.alpha_q16, 1 << 16, 1 << 22);
		assert_in_range(vars.now.beta_q16, 209570 / 8, 8 * 209570);
		assert_in_range(vars.regularity_q16, 0, 65536);
		assert_in_range(vars.steep_below_q16, 0, 4 * 65536);
		assert_int_equal(vars.steep_above_q16, vars.steep_below_q16);
	}
	memset(vars.output, 0, sizeof(vars.output));
	aqm_student_settings_apply(&params.base, vars.output, &vars);
	assert_memory_equal(&vars.now, &params.base, sizeof(vars.now));
}

static void the_level_integrates_within_its_range(void **state)
{
	static struct aqm_student_vars vars;
	const uint64_t tupdate_ns = 16000000;

	(void)state;
	vars.output[AQM_STUDENT_SETTING_level] = AQM_STUDENT_ONE;
	aqm_student_level_move(&vars, tupdate_ns);
	/* 4 in 2^30 ns: finer than the feature shows. */
	assert_int_equal(vars.level_q16, 3906);
	assert_int_equal(vars.sense.feature[AQM_STUDENT_FEATURE_own_level], 15);
	for (int i = 0; i < 100; i++)
		aqm_student_level_move(&vars, tupdate_ns);
	assert_int_equal(vars.sense.feature[AQM_STUDENT_FEATURE_own_level], 4 * 256);
	vars.output[AQM_STUDENT_SETTING_level] = INT16_MIN;
	for (int i = 0; i < 100; i++)
		aqm_student_level_move(&vars, 4000000000);
	assert_int_equal(vars.level_q16, -4 * 65536);
}

static void idle_time_gives_up_probability(void **state)
{
	static struct aqm_student_vars vars;

	(void)state;
	vars.law.p_q32 = AQM_Q32_ONE;
	vars.decay_q16 = 65536;
	assert_int_equal(aqm_student_given_up(&vars), 0);
	vars.sense.idle_q16 = 65536;
	assert_int_equal(aqm_student_given_up(&vars), AQM_Q32_ONE);
	vars.decay_q16 = vars.sense.idle_q16 = 32768;
	assert_int_equal(aqm_student_given_up(&vars), AQM_Q32_ONE / 4);
}

/* Departures at times in ms, the last ones of each moment all there was or not. */
static void depart_at(struct aqm_student_sense *sense, uint64_t ms, unsigned packets, bool empties)
{
	for (unsigned i = 0; i < packets; i++) {
		struct aqm_facts facts = {.now_ns = ms * 1000000, .len_bytes = 1500};

		facts.backlog_pkts[AQM_QUEUE_C] = empties && i + 1 == packets ? 0 : 5;
		aqm_student_sense_departure(sense, &facts, AQM_PASS);
	}
}

/* A clock of 1 ms takes 10 packets: one with 4 leaves 6/10 of its time unused. */
static void batches_that_lack_packets_are_idle_time(void **state)
{
	static struct aqm_student_sense sense;
	struct aqm_facts facts = {.now_ns = 16000000};

	(void)state;
	aqm_student_sense_init(&sense);
	for (uint64_t ms = 1; ms <= 8; ms++)
		depart_at(&sense, ms, 10, false);
	for (uint64_t ms = 9; ms <= 16; ms++)
		depart_at(&sense, ms, 4, true);
	aqm_student_sense_tick(&sense, &facts, 0, false, 16000000);
	/* Seven of the eight gaps are over; those before were used. */
	assert_in_range(sense.feature[AQM_STUDENT_FEATURE_idle], 4096 * 7 * 6 / 160 - 60,
			4096 * 7 * 6 / 160 + 60);
	/* One packet at a time: none of it. */
	aqm_student_sense_init(&sense);
	for (uint64_t ms = 1; ms <= 16; ms++)
		depart_at(&sense, ms, 1, ms % 2);
	aqm_student_sense_tick(&sense, &facts, 0, false, 16000000);
	assert_int_equal(sense.feature[AQM_STUDENT_FEATURE_idle], 0);
}

/* What a packet finds that comes at any moment: a pause counts by its time, if batches leave. */
static void pauses_are_the_links_own(void **state)
{
	static struct aqm_student_sense sense;
	struct aqm_facts facts = {.now_ns = 32000000};

	(void)state;
	aqm_student_sense_init(&sense);
	assert_int_equal(aqm_student_pause_ns(&sense), 0);
	for (uint64_t ms = 4; ms <= 16; ms += 4)
		depart_at(&sense, ms, 10, false);
	aqm_student_sense_tick(&sense, &facts, 0, false, 16000000);
	assert_in_range(aqm_student_pause_ns(&sense), 3980000, 4000000);
	/* Four of 2 ms and one of 8: (4 x 4 + 64) / 16 = 5.  Behind the last nothing waits. */
	aqm_student_sense_init(&sense);
	for (uint64_t ms = 2; ms <= 10; ms += 2)
		depart_at(&sense, ms, 3, false);
	depart_at(&sense, 18, 2, true);
	depart_at(&sense, 30, 2, false);
	aqm_student_sense_tick(&sense, &facts, 0, false, 16000000);
	assert_in_range(aqm_student_pause_ns(&sense), 4980000, 5000000);
	/* One packet at a time, then as long again in batches. */
	aqm_student_sense_init(&sense);
	for (uint64_t ms = 2; ms < 16; ms += 2)
		depart_at(&sense, ms, 1, false);
	facts.now_ns = 16000000;
	aqm_student_sense_tick(&sense, &facts, 0, false, 16000000);
	assert_int_equal(aqm_student_pause_ns(&sense), 0);
	for (uint64_t ms = 16; ms <= 28; ms += 4)
		depart_at(&sense, ms, 2, false);
	facts.now_ns = 32000000;
	aqm_student_sense_tick(&sense, &facts, 0, false, 16000000);
	assert_in_range(aqm_student_pause_ns(&sense), 1800000, 1900000);
	/* A link that stands still for a second. */
	aqm_student_sense_init(&sense);
	depart_at(&sense, 1, 2, false);
	depart_at(&sense, 1001, 2, false);
	aqm_student_sense_tick(&sense, &facts, 0, false, 16000000);
	assert_in_range(aqm_student_pause_ns(&sense), 270000, 290000);
}

static void ask_for_all(void *context, const struct aqm_facts *facts, const int16_t *features,
			int16_t *outputs)
{
	int16_t *room = context;

	(void)facts;
	*room = features[AQM_STUDENT_FEATURE_room];
	outputs[AQM_STUDENT_SETTING_target] = -4 * AQM_STUDENT_ONE;
	outputs[AQM_STUDENT_SETTING_step] = -2 * AQM_STUDENT_ONE;
	outputs[AQM_STUDENT_SETTING_k] = 2 * AQM_STUDENT_ONE;
	outputs[AQM_STUDENT_SETTING_gain] = 3 * AQM_STUDENT_ONE;
	outputs[AQM_STUDENT_SETTING_steepness] = 4 * AQM_STUDENT_ONE;
}

static const struct aqm_student_model silent_supervisor = {
	.mode = AQM_STUDENT_supervise,
	.inputs = 1,
	.outputs = AQM_STUDENT_SETTING_COUNT,
	.layers = 1,
	.layer = {{.inputs = 1, .outputs = AQM_STUDENT_SETTING_COUNT}},
};

static struct aqm_student_params guarded_params(const struct aqm_student_tap *tap)
{
	return (struct aqm_student_params){
		.base = {.target_ns = 16000000,
			 .tupdate_ns = 16000000,
			 .alpha_q16 = 8000,
			 .beta_q16 = 160000,
			 .k_q16 = 2 << 16,
			 .mtu_bytes = 1500,
			 .step.threshold_ns = 1000000},
		.guarded = true,
		.tap = tap,
	};
}

static void settings_go_as_far_as_there_is_room(void **state)
{
	int16_t room = -1;
	const struct aqm_student_tap tap = {.context = &room, .decided = ask_for_all};
	static struct aqm_student_vars vars;
	const struct aqm_student_params params = guarded_params(&tap);
	struct aqm_facts facts = {.now_ns = 1000000000, .len_bytes = 1500};
	struct aqm_student_stats stats;

	(void)state;
	aqm_student_init(&params, &silent_supervisor, &vars, &stats);
	vars.room.left_ns = AQM_ROOM_FULL_NS;
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_int_equal(room, 512);
	assert_int_equal(vars.now.target_ns, 4000000);
	assert_int_equal(vars.now.step.threshold_ns, 250000);
	assert_int_equal(vars.now.k_q16, 8 << 16);
	assert_int_equal(vars.now.beta_q16, 8 * 160000);
	assert_int_equal(vars.steep_above_q16, 4 * 65536);
	assert_int_equal(vars.per_target_q48, (UINT64_C(1) << 48) / 4000000);
	aqm_student_on_dequeue(&params, &vars, &stats, &facts, 1, false, AQM_PASS);
	assert_int_equal(stats.overridden, 1);
	vars.room.left_ns = AQM_ROOM_FULL_NS / 10;
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_in_range(vars.now.target_ns, 13900000, 13940000);
	assert_in_range(vars.now.beta_q16, 2 * 160000 - 4000, 2 * 160000 + 5000);
	assert_int_equal(vars.steep_below_q16, 4 * 65536); /* which needs none */
	assert_in_range(vars.steep_above_q16, 4 * 65536 / 10, 4 * 65536 / 10 + 600);
	/* Idle time: nothing is left at the next update. */
	vars.room = (struct aqm_room){0};
	vars.sense.count.idle_ns = params.base.tupdate_ns;
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_memory_equal(&vars.now, &params.base, sizeof(vars.now));
	assert_int_equal(vars.steep_above_q16, 0);
}

/* Whatever was asked for, and no cut; without the parameter it is as if there were none. */
static void the_step_lasts_for_pauses(void **state)
{
	static const struct aqm_student_model judge = {.mode = AQM_STUDENT_verdict};
	int16_t room;
	const struct aqm_student_tap bold = {.context = &room, .decided = ask_for_all};
	struct aqm_student_params params = guarded_params(NULL);
	static struct aqm_student_vars vars;
	struct aqm_facts facts = {.now_ns = 1000000000, .len_bytes = 1500};
	struct aqm_student_stats stats;

	(void)state;
	for (uint32_t halves = 0; halves <= 8; halves++) {
		params.pauses_q16 = halves << 15;
		aqm_student_init(&params, &silent_supervisor, &vars, &stats);
		for (uint64_t ms = 4; ms <= 16; ms += 4)
			depart_at(&vars.sense, ms, 10, false);
		aqm_student_tick(&params, &vars, &stats, &facts);
		assert_in_range(vars.now.step.threshold_ns, halves ? halves * 1990000 : 1000000,
				halves ? halves * 2000000 : 1000000);
		assert_false(vars.cut);
	}
	/* So does a model that comes in the place of another. */
	aqm_student_replace(&params, &vars, &silent_supervisor);
	assert_in_range(vars.now.step.threshold_ns, 8 * 1990000, 8 * 2000000);
	aqm_student_replace(&params, &vars, &judge);
	assert_int_equal(vars.now.step.threshold_ns, 1000000);
	/* However low a step is asked for, with all the room there is or without a guard. */
	params.tap = &bold;
	params.pauses_q16 = 1U << 16;
	for (int guarded = 0; guarded <= 1; guarded++) {
		params.guarded = guarded;
		aqm_student_init(&params, &silent_supervisor, &vars, &stats);
		vars.room.left_ns = AQM_ROOM_FULL_NS;
		for (uint64_t ms = 4; ms <= 16; ms += 4)
			depart_at(&vars.sense, ms, 10, false);
		aqm_student_tick(&params, &vars, &stats, &facts);
		assert_int_equal(vars.now.target_ns, guarded ? 4000000 : 1000000);
		assert_in_range(vars.now.step.threshold_ns, 3980000, 4000000);
	}
	/* Shorter pauses than the step change nothing. */
	params.tap = NULL;
	params.guarded = true;
	params.pauses_q16 = 1U << 14;
	aqm_student_init(&params, &silent_supervisor, &vars, &stats);
	for (uint64_t ms = 3; ms <= 15; ms += 3)
		depart_at(&vars.sense, ms, 10, false);
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_int_equal(vars.now.step.threshold_ns, 1000000);
}

static void ask_for_little(void *context, const struct aqm_facts *facts, const int16_t *features,
			   int16_t *outputs)
{
	(void)context;
	(void)facts;
	(void)features;
	outputs[AQM_STUDENT_SETTING_target] = AQM_STUDENT_ONE;
	outputs[AQM_STUDENT_SETTING_step] = AQM_STUDENT_ONE;
	outputs[AQM_STUDENT_SETTING_k] = -AQM_STUDENT_ONE;
	outputs[AQM_STUDENT_SETTING_gain] = -AQM_STUDENT_ONE;
}

static void only_the_coupling_gives_fewer_signals(void **state)
{
	static const struct aqm_student_tap tap = {.decided = ask_for_little};
	static struct aqm_student_vars vars;
	struct aqm_student_params params = guarded_params(&tap);
	struct aqm_facts facts = {.now_ns = 1000000000, .len_bytes = 1500};
	struct aqm_student_stats stats;

	(void)state;
	aqm_student_init(&params, &silent_supervisor, &vars, &stats);
	vars.room.left_ns = AQM_ROOM_FULL_NS;
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_int_equal(vars.now.target_ns, params.base.target_ns);
	assert_int_equal(vars.now.step.threshold_ns, params.base.step.threshold_ns);
	assert_int_equal(vars.now.k_q16, 3 << 15);
	assert_int_equal(vars.now.alpha_q16, params.base.alpha_q16);
	assert_int_equal(vars.now.beta_q16, params.base.beta_q16);
	assert_true(vars.cut);
	params.guarded = false;
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_int_equal(vars.now.target_ns, 32000000);
	assert_false(vars.cut);
}

/* All shares the same: of every room, to both sides and beyond, the guard finds nothing to cut. */
static void say_share(void *context, const struct aqm_facts *facts, const int16_t *features,
		      int16_t *outputs)
{
	(void)facts;
	(void)features;
	for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
		outputs[i] = *(const int16_t *)context;
}

static void shares_reach_the_bounds_and_not_beyond(void **state)
{
	static const int16_t shares[] = {INT16_MIN, -AQM_STUDENT_ONE, -1, 0, 1, 2000,
					 AQM_STUDENT_ONE, INT16_MAX};
	static struct aqm_student_vars vars;
	int16_t share;
	const struct aqm_student_tap tap = {.context = &share, .decided = say_share};
	const struct aqm_student_params params = guarded_params(&tap);
	struct aqm_student_model model = silent_supervisor;
	struct aqm_facts facts = {.now_ns = 1000000000, .len_bytes = 1500};
	struct aqm_student_stats stats;

	(void)state;
	model.mode = AQM_STUDENT_share;
	aqm_student_init(&params, &model, &vars, &stats);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		for (int64_t left = 0; left <= AQM_ROOM_FULL_NS; left += AQM_ROOM_FULL_NS / 64) {
			share = shares[i];
			vars.room.left_ns = left;
			aqm_student_tick(&params, &vars, &stats, &facts);
			assert_false(vars.cut);
		}
	assert_int_equal(vars.now.target_ns, 4000000);
	assert_int_equal(vars.now.step.threshold_ns, 250000);
	assert_int_equal(vars.now.k_q16, 8 << 16);
	assert_int_equal(vars.now.beta_q16, 8 * 160000);
	assert_int_equal(vars.decay_q16, 65536 / 16);
	assert_int_equal(vars.steep_below_q16, 4 * 65536);
	assert_int_equal(vars.steep_above_q16, 4 * 65536);
	share = -AQM_STUDENT_ONE;
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_int_equal(vars.now.target_ns, params.base.target_ns);
	assert_int_equal(vars.now.step.threshold_ns, params.base.step.threshold_ns);
	assert_int_equal(vars.now.beta_q16, params.base.beta_q16);
	/* The bound as exactly as powers of two are: aqm/log2.h. */
	assert_in_range(vars.now.k_q16, 3 << 15, (3 << 15) + (3 << 8));
	assert_int_equal(vars.decay_q16, 0);
	assert_int_equal(vars.steep_below_q16, 0);
	share = 0;
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_memory_equal(&vars.now, &params.base, sizeof(vars.now));
}

/* Of 4000 packets that leave after 60 ms. */
static int dropped(const struct aqm_student_params *params, struct aqm_student_vars *vars,
		   uint8_t queue, uint8_t ecn)
{
	struct aqm_student_stats stats = {0};
	struct rng rng;
	int drops = 0;

	rng_seed(&rng, 7);
	for (int packet = 0; packet < 4000; packet++) {
		const struct aqm_facts facts = {
			.now_ns = 2000000000,
			.queue = queue,
			.ecn = ecn,
			.len_bytes = 1500,
			.sojourn_ns = 60000000,
			.random = rng_u64(&rng),
			.backlog_bytes = {150000, 150000},
		};

		drops += aqm_student_on_dequeue(params, vars, &stats, &facts, 100, false,
						AQM_PASS) == AQM_DROP;
	}
	return drops;
}

/* All of the room there is, and a queue that grows by 60 ms within an update. */
static void overload_is_the_laws_own(void **state)
{
	static struct aqm_student_vars vars;
	int16_t share = AQM_STUDENT_ONE;
	const struct aqm_student_tap tap = {.context = &share, .decided = say_share};
	struct aqm_student_params params = guarded_params(&tap);
	struct aqm_student_model model = silent_supervisor;
	struct aqm_facts facts = {.now_ns = 1000000000, .len_bytes = 1500};
	struct aqm_student_stats stats;

	(void)state;
	params.base.drop_overload = true;
	model.mode = AQM_STUDENT_share;
	aqm_student_init(&params, &model, &vars, &stats);
	vars.room.left_ns = AQM_ROOM_FULL_NS;
	aqm_student_tick(&params, &vars, &stats, &facts);
	facts.head_sojourn_ns[AQM_QUEUE_C] = 60000000;
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_true(aqm_student_overload(&vars));
	assert_false(aqm_dualpi2_overload(&params.base, vars.own_p_q32));
	assert_int_equal(dropped(&params, &vars, AQM_QUEUE_C, AQM_ECT0), 0);
	assert_int_equal(dropped(&params, &vars, AQM_QUEUE_L, AQM_ECT1), 0);
	assert_true(dropped(&params, &vars, AQM_QUEUE_C, AQM_NOT_ECT) > 1000);
	params.guarded = false;
	assert_true(dropped(&params, &vars, AQM_QUEUE_C, AQM_ECT0) > 1000);
	assert_true(dropped(&params, &vars, AQM_QUEUE_L, AQM_ECT1) > 1000);
	params.guarded = true;
	vars.own_p_q32 = AQM_Q32_ONE / 2; /* k p' = 1 */
	assert_in_range(dropped(&params, &vars, AQM_QUEUE_C, AQM_ECT0), 700, 1100);
	assert_in_range(dropped(&params, &vars, AQM_QUEUE_L, AQM_ECT1), 900, 1100);
}

/* Queues that come and go, long enough for every bound of p'. */
static void delay_wanders(struct aqm_facts *facts, struct rng *rng)
{
	const uint64_t longest_ns = rng_u64(rng) % 4 == 0 ? 400000000 : 20000000;

	facts->now_ns += 16000000;
	facts->head_sojourn_ns[AQM_QUEUE_C] = rng_u64(rng) % longest_ns;
	facts->backlog_bytes[AQM_QUEUE_C] = 150000;
}

/* Of a supervisor that says nothing the second p' is the law's, where overload drops and not. */
static void own_p_moves_as_the_laws(void **state)
{
	static struct aqm_student_vars vars;
	int16_t nothing = 0;
	const struct aqm_student_tap tap = {.context = &nothing, .decided = say_share};
	struct aqm_student_params params = guarded_params(&tap);
	struct aqm_student_stats stats;
	struct rng rng;
	uint64_t highest_q32;

	(void)state;
	for (int drops = 0; drops < 2; drops++) {
		struct aqm_facts facts = {.now_ns = 1000000000, .len_bytes = 1500};

		params.base.drop_overload = drops;
		highest_q32 = 0;
		rng_seed(&rng, 7);
		aqm_student_init(&params, &silent_supervisor, &vars, &stats);
		for (int i = 0; i < 1000; i++) {
			delay_wanders(&facts, &rng);
			aqm_student_tick(&params, &vars, &stats, &facts);
			assert_int_equal(vars.own_p_q32, vars.law.p_q32);
			if (vars.own_p_q32 > highest_q32)
				highest_q32 = vars.own_p_q32;
		}
		assert_int_equal(highest_q32, drops ? AQM_Q32_ONE : AQM_Q32_ONE / 2);
	}
}

/* With bold settings it moves by the law's own gains, around the target that they set. */
static void own_p_has_own_gains_and_the_target_in_force(void **state)
{
	static struct aqm_student_vars vars;
	int16_t all = AQM_STUDENT_ONE;
	const struct aqm_student_tap tap = {.context = &all, .decided = say_share};
	const struct aqm_student_params params = guarded_params(&tap);
	struct aqm_student_model model = silent_supervisor;
	struct aqm_facts facts = {.now_ns = 1000000000, .len_bytes = 1500};
	struct aqm_student_stats stats;

	(void)state;
	model.mode = AQM_STUDENT_share;
	aqm_student_init(&params, &model, &vars, &stats);
	vars.room.left_ns = AQM_ROOM_FULL_NS;
	facts.head_sojourn_ns[AQM_QUEUE_C] = 4000000;
	aqm_student_tick(&params, &vars, &stats, &facts);
	facts.head_sojourn_ns[AQM_QUEUE_C] = 10000000;
	aqm_student_tick(&params, &vars, &stats, &facts);
	assert_int_equal(vars.now.target_ns, 4000000);
	assert_int_equal(vars.own_p_q32,
			 aqm_pi_change_q32(8000, 160000, 4000000, 4000000, 0) +
				 aqm_pi_change_q32(8000, 160000, 4000000, 10000000, 4000000));
	assert_true(vars.law.p_q32 > 4 * vars.own_p_q32);
}

/* Another model begins with the law's settings: none of them is cut. */
static void another_model_has_had_nothing_cut(void **state)
{
	static struct aqm_student_vars vars;
	static const struct aqm_student_tap tap = {.decided = ask_for_little};
	const struct aqm_student_params params = guarded_params(&tap);
	const struct aqm_facts facts = {.now_ns = 1000000000, .len_bytes = 1500};
	struct aqm_student_stats stats;

	(void)state;
	aqm_student_init(&params, &silent_supervisor, &vars, &stats);
	aqm_student_tick(&params, &vars, &stats, &facts);
	aqm_student_on_dequeue(&params, &vars, &stats, &facts, 1, false, AQM_PASS);
	assert_int_equal(stats.overridden, 1);
	aqm_student_replace(&params, &vars, &silent_supervisor);
	assert_int_equal(vars.now.target_ns, params.base.target_ns);
	aqm_student_on_dequeue(&params, &vars, &stats, &facts, 1, false, AQM_PASS);
	assert_int_equal(stats.overridden, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logarithms_are_near),
		cmocka_unit_test(curves_are_odd_and_bounded),
		cmocka_unit_test(trees_go_where_features_say),
		cmocka_unit_test(verdicts_are_drawn_as_often_as_said),
		cmocka_unit_test(regularity_changes_gaps_and_not_their_mean),
		cmocka_unit_test(steep_signals_follow_the_sojourn),
		cmocka_unit_test(steep_signals_need_no_regularity),
		cmocka_unit_test(settings_stay_in_their_ranges),
		cmocka_unit_test(the_level_integrates_within_its_range),
		cmocka_unit_test(idle_time_gives_up_probability),
		cmocka_unit_test(batches_that_lack_packets_are_idle_time),
		cmocka_unit_test(pauses_are_the_links_own),
		cmocka_unit_test(settings_go_as_far_as_there_is_room),
		cmocka_unit_test(the_step_lasts_for_pauses),
		cmocka_unit_test(only_the_coupling_gives_fewer_signals),
		cmocka_unit_test(shares_reach_the_bounds_and_not_beyond),
		cmocka_unit_test(overload_is_the_laws_own),
		cmocka_unit_test(own_p_moves_as_the_laws),
		cmocka_unit_test(own_p_has_own_gains_and_the_target_in_force),
		cmocka_unit_test(another_model_has_had_nothing_cut),
	};

	return cmocka_run_group_tests_name("student", tests, NULL, NULL);
}
