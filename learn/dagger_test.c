/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Visits are what a run showed; rounds give the same bytes on any number of
 * threads and after an interruption; a student comes to do as its teacher does.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "base/file.h"
#include "learn/dagger.h"
#include "learn/settings_rollout.h"
#include "learn/visit_rollout.h"
#include "policy/store.h"
#include "policy/student_file.h"

static const char network[] = "name: net\nduration_s: 4\nwarmup_s: 1\n"
			      "bottleneck: {rate_mbps: 12, delay_ms: 5, aqm: dualpi2}\n"
			      "flows:\n  - {cc: cubic}\n  - {cc: prague}\n";

static void scenario_make(struct scenario *scenario)
{
	struct error error = {0};

	memset(scenario, 0, sizeof(*scenario));
	if (scenario_parse(scenario, network, strlen(network), "net.yaml", &error))
		fail_msg("%s: %s", error.field, error.text);
}

#define TABLE "target_ms=4/target_ms=15/target_ms=60"

/* `settings`: a table, or NULL for verdicts. */
static void save_teacher(char *path, size_t size, const char *settings)
{
	static const double values[] = {0, 0, 1, 5, 700, 1500, 9000};
	const char *const names[] = {settings ? "qdelay_reference" : "queue_type",
				     "current_queue_delay", "packet_length"};
	struct policy_config config = {.features = 3, .feature_dim = 5, .timesteps = 6, .window = 6,
				       .keep = 3, .reward = "paper", .state = "before",
				       .gamma = 0.95, .reward_factor = 1, .target_return = 2.5};
	struct error error = {0};
	struct policy_net net;
	struct rng rng;

	for (int i = 0; i < 3; i++) {
		strcpy(config.feature[i].name, names[i]);
		scaling_fit(&config.feature[i].scaling, SCALING_quantile, values, 7, 1, NULL);
	}
	scaling_fit(&config.returns, SCALING_linear, values, 7, 1, NULL);
	strcpy(config.backbone.reference, test_folder);
	config.backbone.random = true;
	if (settings)
		assert_int_equal(policy_settings_parse(&config.settings, settings, NULL), 0);
	rng_seed(&rng, 3);
	snprintf(path, size, "%s/%s", test_folder, settings ? "mover" : "policy");
	test_file_write("config.json", TINY_GPT2);
	assert_int_equal(policy_store_new(&net, &config, NULL, &error), 0);
	policy_net_init(&net, &rng);
	assert_int_equal(policy_store_save(&net, &config, path, &error), 0);
	policy_net_free(&net);
}

static void visits_are_what_a_run_showed(void **state)
{
	const struct visit_plan plan = {.interval = 3, .between = true, .stretches = 2,
					.stretch_steps = 90};
	struct aqm_student_model model;
	struct error error = {0};
	struct scenario scenario;
	struct teacher teacher;
	struct visit_haul haul;
	size_t asked = 0, signals = 0;
	char path[256];

	(void)state;
	save_teacher(path, sizeof(path), NULL);
	scenario_make(&scenario);
	assert_int_equal(teacher_open(&teacher, path, &error), 0);
	assert_int_equal(student_model_shape(&model, AQM_STUDENT_verdict, "", NULL, 0, &error), 0);
	if (visit_rollout(&haul, &scenario, &model, &teacher, &plan, 5, NULL, NULL, &error))
		fail_msg("%s", error.text);
	assert_int_equal(haul.steps, 180);
	for (int64_t i = 0; i < haul.steps; i++) {
		const float *p = haul.chances + i * VISIT_CHANCES;
		const int16_t *seen = haul.seen + i * AQM_STUDENT_FEATURE_COUNT;

		assert_true(fabs((double)(p[0] + p[1] + p[2]) - 1) < 1e-6);
		assert_int_equal(haul.is_asked[i], i % 90 % 3 == 0);
		signals += haul.done[i] != AQM_PASS;
		if (p[AQM_PASS] == 1)
			assert_int_equal(haul.done[i], AQM_PASS);
		if (!haul.is_asked[i])
			continue;
		/* The teacher's record and the student's features are of the same packet. */
		assert_true(haul.asked.state[asked * 3] ==
			    (seen[AQM_STUDENT_FEATURE_is_l] ? 1 : 0));
		assert_true(fabs(log2(1 + haul.asked.state[asked * 3 + 2]) * 256 -
				 seen[AQM_STUDENT_FEATURE_packet_length]) < 3);
		assert_int_equal(haul.asked.action[asked], haul.done[i] == AQM_PASS   ? POOL_ENQUEUE
							   : haul.done[i] == AQM_MARK ? POOL_MARK
										      : POOL_DROP);
		asked++;
	}
	assert_int_equal(haul.asked.rows, asked);
	assert_true(haul.asked.done[29] && haul.asked.done[59] && !haul.asked.done[30]);
	assert_true(signals > 0 && signals < 90);
	visit_haul_free(&haul);
	teacher_free(&teacher);
	scenario_free(&scenario);
}

/* Every question is asked under every row; the walk is under all of them, and so are its states. */
static void updates_are_what_a_run_showed(void **state)
{
	const struct visit_plan plan = {.interval = 4, .stretches = 2, .stretch_steps = 64};
	static const double target_us[] = {4000, 15000, 60000};
	struct policy_settings settings;
	struct aqm_student_model model;
	struct settings_table table;
	struct error error = {0};
	struct scenario scenario;
	struct teacher teacher;
	struct settings_haul haul;
	double differ = 0;
	char path[256];
	int low = 0, high = 0;

	(void)state;
	save_teacher(path, sizeof(path), TABLE);
	scenario_make(&scenario);
	assert_int_equal(policy_settings_parse(&settings, TABLE, &error), 0);
	assert_int_equal(settings_table_of(&table, &settings, &scenario, &error), 0);
	assert_int_equal(teacher_open(&teacher, path, &error), 0);
	assert_int_equal(teacher.config.settings.rows, 3);
	assert_int_equal(dagger_shape(&model, true, "", &error), 0);
	if (settings_rollout(&haul, &scenario, &model, &table, &teacher, &plan, 5, NULL, NULL,
			     &error))
		fail_msg("%s", error.text);
	assert_int_equal(haul.steps, 128);
	assert_true(haul.asked_count >= 128);
	for (int64_t i = 0; i < haul.steps; i++) {
		const int16_t *seen = haul.seen + i * AQM_STUDENT_FEATURE_COUNT;

		/* Each step has questions of its own, and none is asked for later. */
		assert_true(haul.asks[i] > (i ? haul.asks[i - 1] : 0));
		low += seen[AQM_STUDENT_FEATURE_own_target] < -256;
		high += seen[AQM_STUDENT_FEATURE_own_target] > 256;
	}
	assert_int_equal(haul.asks[127], haul.asked_count);
	assert_true(low + high > 0 && low + high < 128); /* it has walked */
	for (int r = 0; r < 3; r++) {
		const struct pool *asked = &haul.asked[r], *first = &haul.asked[0];

		assert_int_equal(asked->rows, haul.asked_count);
		assert_true(asked->done[haul.asks[63] - 1] && asked->done[haul.asks[127] - 1]);
		for (size_t i = 0; i < asked->rows; i++) {
			assert_true(asked->state[i * 3] == target_us[r]);
			assert_true(asked->state[i * 3 + 1] == first->state[i * 3 + 1]);
			assert_int_equal(asked->action[i], policy_move_towards(r, r));
			differ = fmax(differ, fabs(asked->state[i * 3 + 1] - first->state[1]));
		}
	}
	assert_true(differ > 1000); /* us: the queue moved */
	settings_haul_free(&haul);
	teacher_free(&teacher);
	scenario_free(&scenario);
}

static void options_make(struct dagger_options *options, const struct scenario *scenarios,
			 const char *directory)
{
	*options = (struct dagger_options){
		.teacher = DAGGER_TEACHER_law, .layers = "12", .loss = {.temperature = 1,
		.correlation = 0.1}, .rounds = 3, .interval = 2, .updates = 150, .batch = 8,
		.rate = 1e-2, .visits = 4000, .stretches = 4, .stretch_steps = 128,
		.held_out = 0.3, .seed = 5, .threads = 1, .scenarios = scenarios, .count = 1,
		.directory = directory, .fingerprint = "test", .resume = true,
	};
	assert_int_equal(file_make_folders(directory, NULL), 0);
}

static int stop_after; /* rounds; 0: never */

static void count_round(void *context, const struct dagger_report *report)
{
	*(size_t *)context = report->count;
}

static bool asked_to_stop(void *context)
{
	return stop_after && *(size_t *)context >= (size_t)stop_after;
}

static int run(const struct dagger_options *options, struct dagger_report *report)
{
	size_t rounds = 0;
	const struct dagger_observer observer = {&rounds, NULL, count_round, asked_to_stop};
	struct error error = {0};
	const int code = dagger_run(options, &observer, report, &error);

	if (code && code != ERR_INTERRUPTED)
		fail_msg("%s", error.text);
	return code;
}

static char *read_student(const char *directory, size_t *size)
{
	char path[512], *bytes;

	snprintf(path, sizeof(path), "%s/" DAGGER_STUDENT_FILE, directory);
	assert_int_equal(file_read_all(path, &bytes, size, NULL), 0);
	return bytes;
}

static void assert_same_student(const char *a, const char *b)
{
	size_t size_a, size_b;
	char *bytes_a = read_student(a, &size_a), *bytes_b = read_student(b, &size_b);

	assert_int_equal(size_a, size_b);
	assert_memory_equal(bytes_a, bytes_b, size_a);
	free(bytes_a);
	free(bytes_b);
}

static void same_bytes_however_it_is_run(void **state)
{
	struct dagger_report *report = calloc(1, sizeof(*report));
	struct scenario scenario;
	struct dagger_options options;
	char path[3][256];

	(void)state;
	scenario_make(&scenario);
	for (int i = 0; i < 3; i++)
		snprintf(path[i], sizeof(path[i]), "%s/run%d", test_folder, i);
	options_make(&options, &scenario, path[0]);
	assert_int_equal(run(&options, report), 0);
	assert_int_equal(report->count, 3);
	/* It does as DualPI2 does: of all probabilities, and in closed loop. */
	assert_true(report->rounds[2].agreement.error < 0.1);
	assert_true(report->rounds[2].agreement.kl < 0.1);
	assert_true(report->rounds[2].agreement.float_p99 < 0.02);
	assert_true(report->rounds[2].quality.utilisation > 0.9);
	assert_true(report->rounds[2].visits > 2 * report->rounds[0].visits);
	options_make(&options, &scenario, path[1]);
	options.threads = 3;
	assert_int_equal(run(&options, report), 0);
	assert_same_student(path[0], path[1]);
	options_make(&options, &scenario, path[2]);
	stop_after = 2;
	assert_int_equal(run(&options, report), ERR_INTERRUPTED);
	stop_after = 0;
	assert_int_equal(run(&options, report), 0);
	assert_int_equal(report->count, 3);
	assert_same_student(path[0], path[2]);
	scenario_free(&scenario);
	free(report);
}

static void a_policy_teaches_a_tree(void **state)
{
	struct dagger_report *report = calloc(1, sizeof(*report));
	struct scenario scenario;
	struct dagger_options options;
	char path[256], policy[256];

	(void)state;
	save_teacher(policy, sizeof(policy), NULL);
	scenario_make(&scenario);
	snprintf(path, sizeof(path), "%s/tree", test_folder);
	options_make(&options, &scenario, path);
	options.teacher = DAGGER_TEACHER_policy;
	options.policy = policy;
	options.layers = NULL;
	options.leaves = 16;
	options.rounds = 2;
	assert_int_equal(run(&options, report), 0);
	assert_int_equal(report->student.kind, AQM_STUDENT_tree);
	assert_true(report->student.leaves > 4 && report->student.leaves <= 16);
	assert_true(report->teacher.utilisation > 0);
	assert_true(isnan(report->rounds[1].train_loss));
	assert_true(report->rounds[1].agreement.rows > 0 && report->rounds[1].agreement.kl < 0.5);
	scenario_free(&scenario);
	free(report);
}

/* In hindsight one row is best; whoever is told so says it, whatever it sees. */
static void hindsight_teaches_a_supervisor(void **state)
{
	struct dagger_report *report = calloc(1, sizeof(*report));
	struct dagger_options options;
	struct scenario scenario;
	char path[3][256];

	(void)state;
	scenario_make(&scenario);
	for (int i = 0; i < 3; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/supervisor%d", test_folder, i);
		options_make(&options, &scenario, path[i]);
		options.teacher = DAGGER_TEACHER_none;
		options.stretch_steps = 64;
		options.threads = i == 1 ? 3 : 1;
		assert_int_equal(policy_settings_parse(&options.settings,
						       "target_ms=3/target_ms=6", NULL), 0);
		stop_after = i == 2 ? 1 : 0;
		assert_int_equal(run(&options, report), i == 2 ? ERR_INTERRUPTED : 0);
	}
	stop_after = 0;
	assert_int_equal(run(&options, report), 0);
	assert_same_student(path[0], path[1]);
	assert_same_student(path[0], path[2]);
	assert_int_equal(report->student.mode, AQM_STUDENT_supervise);
	assert_true(report->rounds[2].settings.rows > 0);
	assert_true(report->rounds[2].settings.spread < 1e-6);
	assert_true(report->rounds[2].settings.error < 0.1);
	assert_true(report->rounds[2].quality.utilisation > 0.9);
	/* Both rows are below the law's own target; in four seconds there is little room yet. */
	assert_true(report->rounds[2].quality.c_p99_ms < 0.95 * report->law.c_p99_ms);
	scenario_free(&scenario);
	free(report);
}

static void a_policy_of_settings_teaches_trees_and_cells(void **state)
{
	static const char *const layers[] = {NULL, "gru4"};
	struct dagger_report *report = calloc(1, sizeof(*report));
	struct dagger_options options;
	struct scenario scenario;
	char path[256], policy[256];

	(void)state;
	save_teacher(policy, sizeof(policy), TABLE);
	scenario_make(&scenario);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/taught%d", test_folder, i);
		options_make(&options, &scenario, path);
		options.teacher = DAGGER_TEACHER_policy;
		options.policy = policy;
		options.layers = layers[i];
		options.leaves = 8;
		options.rounds = 2;
		options.stretch_steps = 64;
		assert_int_equal(policy_settings_parse(&options.settings, TABLE, NULL), 0);
		assert_int_equal(run(&options, report), 0);
		assert_int_equal(report->student.kind, i ? AQM_STUDENT_net : AQM_STUDENT_tree);
		assert_int_equal(report->student.mode, AQM_STUDENT_supervise);
		assert_true(report->teacher.utilisation > 0);
		assert_true(report->rounds[1].settings.spread > 0);
		assert_true(report->rounds[1].settings.error < 1);
		for (int f = 0; f < report->student.inputs; f++)
			assert_true(report->student.feature[f] < AQM_STUDENT_FIRST_OWN);
	}
	scenario_free(&scenario);
	free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(visits_are_what_a_run_showed),
		cmocka_unit_test(same_bytes_however_it_is_run),
		cmocka_unit_test(a_policy_teaches_a_tree),
		cmocka_unit_test(updates_are_what_a_run_showed),
		cmocka_unit_test(hindsight_teaches_a_supervisor),
		cmocka_unit_test(a_policy_of_settings_teaches_trees_and_cells),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
