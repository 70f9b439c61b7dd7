/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm distill: teacher to student, on the states that the student visits.
 */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/trial.h"
#include "learn/dagger.h"
#include "learn/settings_rollout.h"
#include "learn/teacher.h"
#include "policy/student_file.h"

static struct {
	const char *policy, *teacher, *settings, *student, *loss, *output;
	struct option_list suites;
	uint64_t rounds, interval, updates, batch, visits, stretches, steps, seed, threads;
	double temperature, correlation, rate, held_out, decision_ms;
	bool resume;
} o = {
	.teacher = "policy",
	.student = "mlp:32,32",
	.loss = "correlated",
	.rounds = 4,
	.interval = 10,
	.updates = 1500,
	.batch = 16,
	.visits = 200000,
	.stretches = 8,
	.steps = 256,
	.seed = 1,
	.temperature = 1,
	.correlation = 0.1,
	.rate = 3e-3,
	.held_out = 0.2,
};

static const struct option distill_options[] = {
	{"policy", 'p', OPTION_TEXT, &o.policy, "DIR",
	 "folder of the teacher, an adapted backbone", 0, 0},
	{"teacher", 0, OPTION_TEXT, &o.teacher, "WHO",
	 "policy: --policy teaches; law: DualPI2's own probabilities do; none: what DualPI2 did is "
	 "imitated, with --settings the row that was best in hindsight (policy)",
	 0, 0},
	{"settings", 0, OPTION_TEXT, &o.settings, "TABLE",
	 "with --teacher none: the student supervises, and learns from these rows, "
	 "NAME=VALUE:NAME=VALUE/...; a --policy has its own table",
	 0, 0},
	{"suite", 0, OPTION_LIST, &o.suites, "SUITE",
	 "networks to visit, besides those named as operands: train:N, a folder, a file; may be "
	 "repeated",
	 0, 0},
	{"student", 0, OPTION_TEXT, &o.student, "SHAPE",
	 "mlp:WIDTH,..., linear, gru:CELLS,WIDTH,..., transformer:WIDTH[:WINDOW] (16:8) or "
	 "tree:LEAVES (mlp:32,32)",
	 0, 0},
	{"loss", 0, OPTION_TEXT, &o.loss, "NAME",
	 "plain: divergence from the teacher's probabilities, of settings the squared difference; "
	 "correlated: besides, how answers hang together within a batch (correlated)",
	 0, 0},
	{"temperature", 0, OPTION_DOUBLE, &o.temperature, "T",
	 "softens the probabilities of both in the loss of verdicts (1)", 0.1, 100},
	{"correlation", 0, OPTION_DOUBLE, &o.correlation, "W",
	 "weight of the correlations in the loss (0.1)", 0, 1e6},
	{"rounds", 0, OPTION_U64, &o.rounds, "R", "rounds of visiting and fitting (4)", 1,
	 DAGGER_ROUNDS_MAX},
	{"interval", 0, OPTION_U64, &o.interval, "N",
	 "the teacher is asked about every Nth packet, at its router and here (10)", 1, 1e9},
	{"decision-ms", 0, OPTION_DOUBLE, &o.decision_ms, "D",
	 "simulated time that the teacher's decisions take where it is measured itself (0)", 0,
	 1e6},
	{"updates", 0, OPTION_U64, &o.updates, "N", "optimizer steps of a round (1500)", 1, 1e9},
	{"batch", 0, OPTION_U64, &o.batch, "N", "segments of 32 visits in a step (16)", 1, 4096},
	{"lr", 0, OPTION_DOUBLE, &o.rate, "RATE", "highest learning rate (0.003)", 1e-9, 1},
	{"visits", 0, OPTION_U64, &o.visits, "N", "visits kept to train on, at most (200000)", 32,
	 1e9},
	{"stretches", 0, OPTION_U64, &o.stretches, "N",
	 "parts of a run that are kept, evenly over its time (8)", 1, 1e6},
	{"steps", 0, OPTION_U64, &o.steps, "N", "visits of a stretch, at most (256)", 32, 1e9},
	{"held-out", 0, OPTION_DOUBLE, &o.held_out, "SHARE",
	 "of the networks, the last ones, that are measured and not trained on (0.2)", 0.01, 0.9},
	{"seed", 0, OPTION_U64, &o.seed, "S", "seed of runs, weights and order (1)", 0, 0},
	{"jobs", 'j', OPTION_U64, &o.threads, "N",
	 "runs at a time; does not change results (0: one a core)", 0, 4096},
	{"resume", 0, OPTION_FLAG, &o.resume, NULL,
	 "go on after the last finished round of the same command", 0, 0},
	{"output", 'o', OPTION_TEXT, &o.output, "DIR",
	 "folder for student.aqms, rounds.csv and quality.csv; required", 0, 0},
	{0},
};

struct view {
	const struct command_common *common;
	pthread_mutex_t lock;
	const char *stage;
	double start_s;
};

static void show(void *context, const char *stage, uint64_t round, uint64_t done, uint64_t total)
{
	struct view *view = context;
	char text[256], note[64];

	if (done != total && done % 16)
		return;
	pthread_mutex_lock(&view->lock);
	if (view->stage != stage) {
		view->stage = stage;
		view->start_s = clock_s();
	}
	snprintf(note, sizeof(note), "round %" PRIu64 " of %" PRIu64, round, o.rounds);
	progress_text(text, sizeof(text), stage, done, total, clock_s() - view->start_s, note);
	command_progress(view->common, text, false);
	pthread_mutex_unlock(&view->lock);
}

static bool asked_to_stop(void *context)
{
	(void)context;
	return command_interrupted();
}

static void print_header(bool supervises)
{
	if (supervises)
		printf("%-12s %9s %9s %9s", "", "spread", "error", "float p99");
	else
		printf("%-12s %9s %9s %9s %9s %9s", "", "agreement", "majority", "balanced", "KL",
		       "float p99");
	printf(" %8s %8s %8s %8s %8s %7s\n", "mean ms", "p99 ms", "L p99", "C p99", "util.",
	       "score");
}

static void print_quality(const struct quality *quality, double score)
{
	printf(" %8.3f %8.3f %8.3f %8.3f %8.4f %7.3f\n", quality->mean_ms, quality->p99_ms,
	       quality->l_p99_ms, quality->c_p99_ms, quality->utilisation, score);
}

/* Somebody who has no columns of a student's. */
static void print_other(bool supervises, const char *name, const struct quality *quality,
			double score)
{
	printf("%-*s", supervises ? 42 : 62, name);
	print_quality(quality, score);
}

static void print_round(bool supervises, const struct dagger_round *round)
{
	const struct agreement *agreement = &round->agreement;
	const struct settings_error *settings = &round->settings;

	if (supervises)
		printf("round %-6.0f %9.4f %9.4f %9.5f", round->round, settings->spread,
		       settings->error, settings->float_p99);
	else
		printf("round %-6.0f %9.4f %9.4f %9.4f %9.5f %9.5f", round->round,
		       agreement->agreement, agreement->majority, agreement->balanced,
		       agreement->kl, agreement->float_p99);
	print_quality(&round->quality, round->score);
}

/* The others once, before the first round that is told. */
static void tell_round(void *context, const struct dagger_report *report)
{
	struct view *view = context;
	const bool supervises = report->student.mode != AQM_STUDENT_verdict;

	if (view->common->json || view->common->quiet)
		return;
	command_progress(view->common, "", false);
	if (report->count == 1) {
		print_header(supervises);
		print_other(supervises, "dualpi2", &report->law, 0);
		if (report->teacher.mean_ms > 0)
			print_other(supervises, "teacher", &report->teacher,
				    report->teacher_score);
	}
	print_round(supervises, &report->rounds[report->count - 1]);
	fflush(stdout);
}

static json_t *quality_json(const struct quality *quality)
{
	json_t *object = json_object();

#define SET(name) json_object_set_new(object, #name, json_real(quality->name));
	QUALITY_TABLE(SET)
#undef SET
	return object;
}

/* How near the student is to its teacher, in the words of its mode. */
static json_t *nearness_json(const struct dagger_report *report)
{
	const struct dagger_round *last = &report->rounds[report->count - 1];
	json_t *object = json_object();

#define SET_AGREEMENT(name) json_object_set_new(object, #name, json_real(last->agreement.name));
#define SET_SETTINGS(name) json_object_set_new(object, #name, json_real(last->settings.name));
	if (report->student.mode == AQM_STUDENT_verdict) {
		AGREEMENT_TABLE(SET_AGREEMENT)
	} else {
		SETTINGS_ERROR_TABLE(SET_SETTINGS)
	}
#undef SET_AGREEMENT
#undef SET_SETTINGS
	return object;
}

static int print_json(const struct dagger_report *report, struct error *error)
{
	const struct dagger_round *last = &report->rounds[report->count - 1];
	char text[128];
	json_t *root = json_object();
	int code = 0;

	json_object_set_new(root, "directory", json_string(o.output));
	json_object_set_new(root, "rounds", json_integer((json_int_t)report->count));
	json_object_set_new(root, "student",
			    json_string(student_model_describe(&report->student, text,
							       sizeof(text))));
	json_object_set_new(root, "mode",
			    json_string(student_mode_name(report->student.mode)));
	json_object_set_new(root, "visits", json_real(last->visits));
	json_object_set_new(root, report->student.mode == AQM_STUDENT_verdict ? "agreement"
									      : "settings",
			    nearness_json(report));
	json_object_set_new(root, "dualpi2", quality_json(&report->law));
	if (report->teacher.mean_ms > 0)
		json_object_set_new(root, "teacher", quality_json(&report->teacher));
	json_object_set_new(root, "closed_loop", quality_json(&last->quality));
	json_object_set_new(root, "score", json_real(last->score));
	if (json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)))
		code = error_set(error, ERR_IO, "cannot print the summary");
	putchar('\n');
	json_decref(root);
	return code;
}

/* "mlp:32,32", "linear", "gru:16,32", "transformer:16:8" as layers of dagger_shape(); "tree:63". */
static int read_shape(struct dagger_options *options, char *layers, size_t size,
		      struct error *error)
{
	const char *text = o.student;
	struct aqm_student_model model;
	int used = 0;

	options->layers = layers;
	if (strncmp(text, "mlp", 3) == 0 && (text[3] == ':' || !text[3])) {
		snprintf(layers, size, "%s", text[3] ? text + 4 : "32,32");
	} else if (strcmp(text, "linear") == 0) {
		layers[0] = '\0';
	} else if (strncmp(text, "gru", 3) == 0 && (text[3] == ':' || !text[3])) {
		snprintf(layers, size, "gru%s", text[3] ? text + 4 : "16,32");
	} else if (strncmp(text, "transformer", 11) == 0 && (text[11] == ':' || !text[11])) {
		snprintf(layers, size, "transformer%s", text[11] ? text + 12 : "16");
	} else if (strcmp(text, "tree") == 0 ||
		   (sscanf(text, "tree:%d%n", &options->leaves, &used) == 1 && !text[used])) {
		options->layers = NULL;
		if (!used)
			options->leaves = 64;
		if (options->leaves < 2 || options->leaves > AQM_STUDENT_LEAVES)
			return error_at(error, ERR_RANGE, NULL, 0, "--student",
					"a tree has 2 to %d leaves", AQM_STUDENT_LEAVES);
		return 0;
	} else {
		return error_at(error, ERR_INVALID, NULL, 0, "--student",
				"%s is none of mlp:WIDTH,..., linear, gru:CELLS,WIDTH,..., "
				"transformer:WIDTH[:WINDOW] and tree:LEAVES",
				text);
	}
	return dagger_shape(&model, options->settings.rows > 0, layers, error);
}

/* The table between whose rows the teacher moves: its own, or --settings; none of verdicts. */
static int read_settings(struct dagger_options *options, struct error *error)
{
	struct teacher teacher;
	int code;

	if (o.settings && options->teacher != DAGGER_TEACHER_none)
		return error_at(error, ERR_INVALID, NULL, 0, "--settings",
				options->policy ? "a --policy has its own table: leave it out"
						: "the law's own settings are none to learn: "
						  "say --teacher none");
	if (o.settings)
		return policy_settings_parse(&options->settings, o.settings, error);
	if (!options->policy)
		return 0;
	code = teacher_open(&teacher, options->policy, error);
	if (!code) {
		options->settings = teacher.config.settings;
		teacher_free(&teacher);
	}
	return code;
}

/* Before a folder is made: can students say what the rows set, in every network? */
static int try_settings(const struct dagger_options *options, struct error *error)
{
	struct settings_table table;
	int code = 0;

	for (size_t i = 0; i < options->count && options->settings.rows && !code; i++)
		code = settings_table_of(&table, &options->settings, &options->scenarios[i],
					 error);
	return code;
}

static int read_teacher(struct dagger_options *options, struct error *error)
{
	const int teacher = dagger_teacher_find(o.teacher), loss = distill_loss_find(o.loss);

	if (teacher < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--teacher",
				"%s is none of policy, law and none", o.teacher);
	if (loss < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--loss",
				"%s is neither plain nor correlated", o.loss);
	if (teacher == DAGGER_TEACHER_policy && !o.policy)
		return error_at(error, ERR_INVALID, NULL, 0, "--policy",
				"name the teacher's folder, or say --teacher none or law");
	if (teacher != DAGGER_TEACHER_policy && o.policy)
		return error_at(error, ERR_INVALID, NULL, 0, "--policy",
				"is not asked with --teacher %s: leave one of them out",
				o.teacher);
	options->teacher = (enum dagger_teacher)teacher;
	options->policy = o.policy;
	options->loss.temperature = o.temperature;
	options->loss.correlation = loss == DISTILL_LOSS_correlated ? o.correlation : 0;
	return 0;
}

static int read_networks(struct trial *trial, const char **operands, size_t count,
			 struct error *error)
{
	int code = 0;

	for (size_t i = 0; i < count && !code; i++)
		code = trial_read_suite(trial, operands[i], error);
	for (size_t i = 0; i < o.suites.count && !code; i++)
		code = trial_read_suite(trial, o.suites.items[i], error);
	if (!code && trial->scenario_count == 0)
		code = error_set(error, ERR_INVALID,
				 "name networks to visit: --suite train:N, or scenario files");
	return code;
}

/*
 * What the computation is a function of, as hexadecimal digits: the program, the teacher's files,
 * the networks, the options.
 */
static int fingerprint_of(struct trial *trial, char text[2 * DIGEST_BYTES + 1], struct error *error)
{
	unsigned char value[DIGEST_BYTES];
	struct digest digest;
	char options[512];
	int length, code;

	trial->arms[0] = (struct trial_arm){.name = "teacher", .policy = o.policy,
					    .interval = o.interval, .latency_ms = o.decision_ms};
	trial->arm_count = 1;
	trial->first_seed = o.seed;
	trial->seeds = 1;
	code = trial_keys(trial, error);
	if (code)
		return code;
	length = snprintf(options, sizeof(options),
			  "%s %s %s %a %a %a %a rounds %" PRIu64 " updates %" PRIu64
			  " batch %" PRIu64 " visits %" PRIu64 " stretches %" PRIu64
			  " steps %" PRIu64, o.teacher, o.student, o.loss, o.temperature,
			  o.correlation, o.rate, o.held_out, o.rounds, o.updates, o.batch,
			  o.visits, o.stretches, o.steps);
	digest_init(&digest);
	digest_add(&digest, options, (size_t)length);
	if (o.settings)
		digest_add(&digest, o.settings, strlen(o.settings));
	digest_add(&digest, trial->keys, trial_runs(trial) * sizeof(*trial->keys));
	digest_end(&digest, value);
	for (int i = 0; i < DIGEST_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", value[i]);
	return 0;
}

static int distill(const struct command_common *common, struct dagger_options *options,
		   struct error *error)
{
	struct view view = {.common = common};
	const struct dagger_observer observer = {&view, show, tell_round, asked_to_stop};
	struct dagger_report *report = calloc(1, sizeof(*report));
	int code;

	if (!report)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	pthread_mutex_init(&view.lock, NULL);
	code = try_settings(options, error);
	if (!code)
		code = file_make_folders(o.output, error);
	if (!code)
		code = dagger_run(options, &observer, report, error);
	command_progress(common, "", false);
	if (!code && common->json)
		code = print_json(report, error);
	pthread_mutex_destroy(&view.lock);
	free(report);
	return code;
}

static int run_distill(const struct command_common *common, const char **operands, size_t count,
		       struct error *error)
{
	struct dagger_options options = {
		.rounds = o.rounds,
		.interval = o.interval,
		.latency_ms = o.decision_ms,
		.updates = o.updates,
		.batch = (int64_t)o.batch,
		.rate = o.rate,
		.visits = (int64_t)o.visits,
		.stretches = (int64_t)o.stretches,
		.stretch_steps = (int64_t)o.steps,
		.held_out = o.held_out,
		.seed = o.seed,
		.threads = (unsigned)o.threads,
		.directory = o.output,
		.resume = o.resume,
	};
	char layers[128], fingerprint[2 * DIGEST_BYTES + 1];
	struct trial trial = {0};
	int code;

	if (!o.output)
		return error_at(error, ERR_INVALID, NULL, 0, "--output",
				"name a folder for the student: -o DIR");
	code = read_teacher(&options, error);
	if (!code)
		code = read_settings(&options, error);
	if (!code)
		code = read_shape(&options, layers, sizeof(layers), error);
	if (!code)
		code = read_networks(&trial, operands, count, error);
	if (!code)
		code = fingerprint_of(&trial, fingerprint, error);
	options.scenarios = trial.scenarios;
	options.count = trial.scenario_count;
	options.fingerprint = fingerprint;
	if (!code)
		code = distill(common, &options, error);
	trial_free(&trial);
	return command_goes_on(code, error, "the same command with --resume goes on");
}

const struct command command_distill = {
	.name = "distill",
	.operands = "--policy DIR [SCENARIO...] -o DIR",
	.summary = "teacher to student: a small integer network learns from an adapted backbone",
	.details =
		"Rounds of DAgger: networks run in closed loop under the student (in the first "
		"round under DualPI2), the teacher says what it would have done in every Nth "
		"state visited there, a float twin of the student learns that from all rounds' "
		"visits, and integers are made of it. The student gives verdicts: DualPI2 runs "
		"inside it and its guard is on. docs/learned.md has the details.\n\n"
		"A teacher that moves settings (`train --settings`) has a student that supervises: "
		"at every update of p' it says the settings themselves, those on which the "
		"teacher's moves would settle in the state at hand, as octaves from DualPI2's own; "
		"the guard cuts them to the room there is. In the first round the settings walk "
		"between the table's rows.\n\n"
		"The table tells, on networks held out: how often student and teacher find the "
		"same verdict most likely, beside the share of the most frequent one; the mean "
		"over verdicts; KL(teacher || student); the 99th percentile of what integers "
		"change in a probability where the law's is above 0; and queue delay and "
		"utilisation in closed loop (geometric mean and mean over those networks), and the "
		"score that laws are tuned by, relative to DualPI2's: below 0 is better. Of "
		"settings: how far the teacher's are from their mean, and the student's from the "
		"teacher's (octaves, mean), and what integers change in them.\n\n"
		"`--teacher none` is the control: the same student on the same networks learns "
		"from what DualPI2 did; `--teacher law` from its probabilities. With --settings "
		"TABLE `--teacher none` has a student that supervises: every row runs in every "
		"network (two seeds, reward `hindsight`), and the student learns the best one of "
		"each, which is what a teacher of settings has learned from.",
	.options = distill_options,
	.heeds_interrupt = true,
	.run = run_distill,
};
