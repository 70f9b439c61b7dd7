/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm analyse: the paper's appendix, measured rather than assumed.
 *
 * Arms are a law alone, each policy on top of it, and each law of --against;
 * every part of the report lays them side by side.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/file.h"
#include "cli/analysis.h"
#include "cli/command.h"
#include "cli/policy_label.h"
#include "cli/policy_options.h"
#include "cli/trial_watch.h"
#include "policy/config.h"
#include "policy/student_file.h"

#define PART_LOOP 1u
#define PART_STEPS 2u
#define PART_TRAINING 4u
#define PART_LAYERS 8u
#define PART_MARGINS 16u
#define PART_RUNS (PART_LOOP | PART_STEPS | PART_MARGINS) /* that need closed loops */

static struct {
	struct option_list policies, settings, runs;
	struct policy_manner manner;
	const char *scenario, *aqm, *against, *epsilons, *verdict, *device, *output, *only, *queue;
	const char *column, *pool;
	uint64_t states, interval, seeds, seed, threads;
	uint64_t tones;
	double decision_ms, sample_ms, target_ms, band, gamma, low_hz, high_hz, depth;
	bool unguarded;
} o = { /* options of policies: NULL, 0 and -1 are not given */
	.scenario = "paper",
	.epsilons = "5,10,15,20,30,50,100",
	.decision_ms = -1,
	.queue = "C",
	.states = 3,
	.seeds = 20,
	.seed = 1,
	.sample_ms = 16,
	.band = 25,
	.gamma = 0.95,
	.tones = 10,
	.low_hz = 0.1,
	.high_hz = 5,
	.depth = 80,
};

static const struct option analyse_options[] = {
	{"scenario", 's', OPTION_TEXT, &o.scenario, "S",
	 "network: a scenario file or a name that aqmllm scenarios lists; default paper", 0, 0},
	{"policy", 'p', OPTION_LIST, &o.policies, "DIR",
	 "folder of a policy that decides on top of the law; or a student, FILE.aqms, which is a "
	 "law of its own; may be repeated",
	 0, 0},
	{"aqm", 0, OPTION_TEXT, &o.aqm, "NAME",
	 "law to analyse, alone and under the policies; default the scenario's", 0, 0},
	{"set", 0, OPTION_LIST, &o.settings, "K=V",
	 "parameter of that law, after the scenario's own; may be repeated", 0, 0},
	{"against", 0, OPTION_TEXT, &o.against, "LAW,...",
	 "laws to lay beside it; LAW:NAME=VALUE:... sets parameters", 0, 0},
	{"run", 0, OPTION_LIST, &o.runs, "DIR",
	 "folder of a run of train or reinforce, for the contraction over training; may be "
	 "repeated; default the policies' folders that are one",
	 0, 0},
	{"column", 0, OPTION_TEXT, &o.column, "NAME",
	 "column of its metrics.csv or progress.csv that is J; default the loss or reward on what "
	 "is held out",
	 0, 0},
	{"gamma", 0, OPTION_DOUBLE, &o.gamma, "G", "gamma of eq. 9; default 0.95", 0.001, 1},
	{"pool", 0, OPTION_TEXT, &o.pool, "POOL",
	 "states at which layers are looked at; default what each policy was trained on", 0, 0},
	{"states", 0, OPTION_U64, &o.states, "N", "so many windows of it; default 3", 1, 10000},
	{"only", 0, OPTION_TEXT, &o.only, "PART,...",
	 "parts of the report: loop (drift, largest deviation, mixing), steps, margins, layers, "
	 "training; default "
	 "all that there is something for",
	 0, 0},
	{"seeds", 0, OPTION_U64, &o.seeds, "N", "runs of each experiment; default 20", 2, 10000},
	{"seed", 0, OPTION_U64, &o.seed, "S", "the first seed; default 1", 0, 0},
	{"sample-ms", 0, OPTION_DOUBLE, &o.sample_ms, "W",
	 "time between samples of the queue delay; default 16", 0.1, 1e4},
	{"target-ms", 0, OPTION_DOUBLE, &o.target_ms, "T",
	 "the target of V and of deviations; default the law's own", 0, 1e6},
	{"eps-ms", 0, OPTION_TEXT, &o.epsilons, "E,...",
	 "deviations whose probability is asked for; default 5,10,15,20,30,50,100", 0, 0},
	{"band-percent", 0, OPTION_DOUBLE, &o.band, "X",
	 "how near to its final value the delay has settled; default 25", 0.1, 1000},
	{"queue", 0, OPTION_TEXT, &o.queue, "Q",
	 "whose delay and signals: C (of a single queue: the queue), L, or all; default C; of L "
	 "give --target-ms, as a law's target is Classic's",
	 0, 0},
	{"tones", 0, OPTION_U64, &o.tones, "N",
	 "sines of the disturbance for gain and phase margins; default 10", 2,
	 PERTURBATION_MAX_TONES},
	{"low-hz", 0, OPTION_DOUBLE, &o.low_hz, "F", "the slowest; default 0.1", 1e-3, 1e3},
	{"high-hz", 0, OPTION_DOUBLE, &o.high_hz, "F", "the fastest; default 5", 1e-3, 1e3},
	{"depth-percent", 0, OPTION_DOUBLE, &o.depth, "X",
	 "so many of the signals the disturbance holds back or adds at most; default 80", 1, 95},
	{"interval", 0, OPTION_U64, &o.interval, "N",
	 "every Nth arriving packet is put to the policy; default 10", 1, 1e9},
	{"decision-ms", 0, OPTION_DOUBLE, &o.decision_ms, "D",
	 "simulated time that a decision takes; default 0", 0, 1e6},
	{"verdict", 0, OPTION_TEXT, &o.verdict, "HOW", VERDICT_DOC, 0, 0},
	{"no-guard", 0, OPTION_FLAG, &o.unguarded, NULL, NO_GUARD_DOC, 0, 0},
	{"precision", 0, OPTION_TEXT, &o.manner.precision, "P", PRECISION_DOC, 0, 0},
	{"context", 0, OPTION_TEXT, &o.manner.context, "HOW", CONTEXT_DOC, 0, 0},
	{"device", 0, OPTION_TEXT, &o.device, "NAME", DEVICE_DOC, 0, 0},
	{"jobs", 'j', OPTION_U64, &o.threads, "N", "runs at a time; default 0: one a core", 0,
	 4096},
	{"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder of the report; required", 0, 0},
	{0},
};

static char own_settings[1024]; /* that arms point to */
static const char *run_folders[OPTION_LIST_MAX];
static size_t run_count;
static const char *layered[OPTION_LIST_MAX]; /* policies with a backbone */
static size_t layered_count;

/* --set K=V --set K=V as K=V:K=V, tried on the law. */
static int join_settings(const struct trial *trial, struct error *error)
{
	struct trial_arm arm = {.law = o.aqm, .settings = own_settings, .name = "--set"};
	const struct aqm_ops *law;
	void *params;
	size_t used = 0;
	int code;

	for (size_t i = 0; i < o.settings.count && used < sizeof(own_settings); i++)
		used += (size_t)snprintf(own_settings + used, sizeof(own_settings) - used, "%s%s",
					 i ? ":" : "", o.settings.items[i]);
	if (used >= sizeof(own_settings))
		return error_at(error, ERR_RANGE, NULL, 0, "--set", "the list is too long");
	code = sim_law_named(trial->scenarios, o.aqm, &law, &params, error);
	if (code)
		return code;
	code = trial_arm_set(&arm, law, params, error);
	free(params);
	return code;
}

static int add_own(struct trial *trial, struct error *error)
{
	struct trial_arm arm = {.law = o.aqm, .settings = own_settings};
	const char *law = o.aqm ? o.aqm : trial->scenarios[0].aqm;
	int code = join_settings(trial, error);

	if (code == 0)
		code = trial_arm_call(&arm, error, "%s%s%s", law, own_settings[0] ? ":" : "",
				      own_settings);
	return code ? code : trial_add_arm(trial, &arm, error);
}

static uint64_t interval(void)
{
	return o.interval ? o.interval : 10;
}

static int add_policy(struct trial *trial, size_t index, enum aqm_policy_choice choice,
		      struct error *error)
{
	const char *folder = o.policies.items[index];
	struct trial_arm arm = {
		.law = o.aqm,
		.settings = own_settings,
		.policy = folder,
		.label = policy_label(o.policies.items, o.policies.count, index),
		.manner = o.manner,
		.device = o.device ? o.device : "cpu",
		.interval = interval(),
		.latency_ms = fmax(o.decision_ms, 0),
		.choice = choice,
		.unguarded = o.unguarded,
	};
	struct policy *policy = NULL;
	int code = policy_open_as(&policy, folder, &arm.manner, error);

	policy_destroy(policy);
	if (code == 0)
		code = trial_arm_call(&arm, error, "%s/%" PRIu64, arm.label, arm.interval);
	return code ? code : trial_add_arm(trial, &arm, error);
}

static int add_policies(struct trial *trial, struct error *error)
{
	const int choice = aqm_policy_choice_find(o.verdict ? o.verdict : "drawn");
	int code = 0;

	if (choice < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--verdict",
				"%s is neither drawn nor argmax", o.verdict);
	for (size_t i = 0; code == 0 && i < o.policies.count; i++)
		code = student_file_named(o.policies.items[i])
			       ? trial_add_student(trial, o.policies.items, o.policies.count, i,
						   o.unguarded, error)
			       : add_policy(trial, i, (enum aqm_policy_choice)choice, error);
	return code;
}

/* "pi2:target_ms=5,pie" */
static int add_laws(struct trial *trial, struct error *error)
{
	char *rest = o.against ? trial_keep_text(trial, o.against) : NULL, *text;
	int code = o.against && !rest ? error_set(error, ERR_NO_MEMORY, "out of memory") : 0;

	while (code == 0 && rest && (text = strsep(&rest, ",")))
		code = trial_add_law(trial, text, false, "--against", error);
	return code;
}

/* "5,10" into eps; false when it is not a list of positive numbers. */
static bool parse_epsilons(struct analysis_options *options)
{
	const char *at = o.epsilons;

	while (options->epsilon_count < ANALYSIS_MAX_EPSILONS) {
		char *end;
		const double value = strtod(at, &end);

		if (end == at || !(value > 0 && value < 1e9))
			return false;
		options->epsilons_ms[options->epsilon_count++] = value;
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
		at = end + 1;
	}
	return false;
}

static int choose_options(struct analysis_options *options, struct error *error)
{
	static const struct {
		const char *name;
		unsigned queue;
	} queues[] = {{"C", AQM_QUEUE_C}, {"L", AQM_QUEUE_L}, {"all", SIM_ALL}};

	*options = (struct analysis_options){
		.sample_ms = o.sample_ms,
		.target_ms = o.target_ms,
		.band = o.band / 100,
		.threads = (unsigned)o.threads,
		.queue = SIM_QUEUES,
		.low_hz = o.low_hz,
		.high_hz = o.high_hz,
		.depth = o.depth / 100,
		.tones = o.tones,
	};
	if (o.low_hz >= o.high_hz)
		return error_at(error, ERR_RANGE, NULL, 0, "--low-hz",
				"%g is not below --high-hz, %g", o.low_hz, o.high_hz);
	for (size_t i = 0; i < 3; i++)
		if (strcmp(o.queue, queues[i].name) == 0)
			options->queue = queues[i].queue;
	if (options->queue == SIM_QUEUES)
		return error_at(error, ERR_INVALID, NULL, 0, "--queue", "%s is none of C, L, all",
				o.queue);
	if (!parse_epsilons(options))
		return error_at(error, ERR_INVALID, NULL, 0, "--eps-ms",
				"%s: give up to %d positive numbers, separated by commas",
				o.epsilons, ANALYSIS_MAX_EPSILONS);
	return 0;
}

/* Training runs: those of --run, or the policies that have a record. */
static int choose_runs(struct error *error)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < o.runs.count; i++) {
		code = analysis_check_record(o.runs.items[i], error);
		run_folders[run_count++] = o.runs.items[i];
	}
	for (size_t i = 0; o.runs.count == 0 && i < o.policies.count; i++)
		if (analysis_check_record(o.policies.items[i], NULL) == 0)
			run_folders[run_count++] = o.policies.items[i];
	return code;
}

/* Policies of other kinds, and students in files, have no layers to take apart. */
static void choose_layered(void)
{
	struct policy_config *config = malloc(sizeof(*config));

	for (size_t i = 0; config && i < o.policies.count; i++)
		if (policy_config_read(config, o.policies.items[i], NULL) == 0)
			layered[layered_count++] = o.policies.items[i];
	free(config);
}

static int choose_parts(unsigned *parts, struct error *error)
{
	static const struct {
		const char *name;
		unsigned part;
	} known[] = {{"loop", PART_LOOP},
		     {"steps", PART_STEPS},
		     {"margins", PART_MARGINS},
		     {"layers", PART_LAYERS},
		     {"training", PART_TRAINING}};
	char list[256], *rest = list, *word;

	*parts = PART_RUNS | (run_count ? PART_TRAINING : 0) |
		 (layered_count ? PART_LAYERS : 0);
	if (o.only == NULL)
		return 0;
	*parts = 0;
	snprintf(list, sizeof(list), "%s", o.only);
	while ((word = strsep(&rest, ","))) {
		unsigned part = 0;

		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (strcmp(word, known[i].name) == 0)
				part = known[i].part;
		if (part == 0)
			return error_at(error, ERR_INVALID, NULL, 0, "--only",
					"%s is none of loop, steps, margins, layers, training",
					word);
		*parts |= part;
	}
	if ((*parts & PART_TRAINING) && run_count == 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--only",
				"training needs the folder of a run of train or reinforce: --run "
				"DIR");
	if ((*parts & PART_LAYERS) && layered_count == 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--only",
				"layers needs a policy with a backbone: --policy DIR");
	return 0;
}

static int run_experiments(const struct command_common *common, struct analysis *analysis,
			   unsigned parts, struct error *error)
{
	struct trial *trial = &analysis->trial;
	struct trial_watch watch;
	const unsigned wanted =
		(parts & PART_STEPS ? 1u << ANALYSIS_load_step | 1u << ANALYSIS_rate_step : 0) |
		(parts & PART_MARGINS ? 1u << ANALYSIS_disturbed : 0);
	int code = analysis_experiments(analysis, o.scenario, wanted, error);

	trial->first_seed = o.seed;
	trial->seeds = o.seeds;
	trial->folder = o.output;
	trial_watch_open(&watch, common, trial, "analyse");
	if (code == 0)
		code = add_own(trial, error);
	if (code == 0)
		code = add_policies(trial, error);
	if (code == 0)
		code = add_laws(trial, error);
	if (code == 0)
		code = analysis_run(analysis, error);
	command_progress(common, "", false);
	trial->context = NULL;
	return code;
}

static bool layers_stopped(void *context)
{
	(void)context;
	return command_interrupted();
}

static int tell_layers(const struct command_common *common, struct findings *findings,
		       struct error *error)
{
	const struct analysis_layers what = {
		.folders = layered,
		.count = layered_count,
		.states = o.states,
		.pool = o.pool,
		.interval = interval(),
		.progress = layers_stopped,
	};
	int code;

	command_progress(common, "analyse: Jacobians of the layers", false);
	code = analysis_layers(&what, findings, error);
	command_progress(common, "", false);
	return code;
}

static int tell(const struct command_common *common, const struct analysis *analysis,
		unsigned parts, struct error *error)
{
	struct findings *findings;
	char subtitle[512] = "";
	int code;

	if (parts & PART_RUNS)
		snprintf(subtitle, sizeof(subtitle), "%s, %" PRIu64 " seeds",
			 analysis->trial.scenarios[0].name, o.seeds);
	code = findings_open(&findings, common, o.output, "AQM-LLM: the closed loop, analysed",
			     subtitle, error);
	if (code == 0 && (parts & PART_LOOP))
		code = analysis_loop(analysis, findings, error);
	if (code == 0 && (parts & PART_STEPS))
		code = analysis_steps(analysis, findings, error);
	if (code == 0 && (parts & PART_MARGINS))
		code = analysis_margins(analysis, findings, error);
	if (code == 0 && (parts & PART_LAYERS))
		code = tell_layers(common, findings, error);
	if (code == 0 && (parts & PART_TRAINING))
		code = analysis_training(run_folders, run_count, o.column, o.gamma, findings,
					 error);
	if (code == 0 && analysis->kept)
		findings_say(findings, "%zu of %zu runs were in %s/runs already.", analysis->kept,
			     trial_runs(&analysis->trial), o.output);
	return findings_close(findings, code, "analysis", error);
}

static int check_policy_options(struct error *error)
{
	const struct policy_option options[] = {
		{"--interval", o.interval > 0, false},
		{"--decision-ms", o.decision_ms >= 0, false},
		{"--verdict", o.verdict != NULL, false},
		{"--no-guard", o.unguarded, true},
		{"--precision", o.manner.precision != NULL, false},
		{"--context", o.manner.context != NULL, false},
		{"--device", o.device != NULL, false},
	};

	return policy_options_check(options, sizeof(options) / sizeof(*options), o.policies.items,
				    o.policies.count, error);
}

static int analyse(const struct command_common *common, struct analysis *analysis,
		   struct error *error)
{
	unsigned parts = 0;
	int code = choose_options(&analysis->options, error);

	if (code == 0)
		code = check_policy_options(error);
	if (code == 0)
		code = choose_runs(error);
	choose_layered();
	if (code == 0)
		code = choose_parts(&parts, error);
	if (code == 0)
		code = backbone_place_all(o.device ? o.device : "cpu", error);
	if (code == 0 && (parts & PART_RUNS))
		code = run_experiments(common, analysis, parts, error);
	return code ? code : tell(common, analysis, parts, error);
}

static int run_analyse(const struct command_common *common, const char **operands, size_t count,
		       struct error *error)
{
	struct analysis *analysis;
	int code;

	(void)operands;
	if (count)
		return error_set(error, ERR_INVALID,
				 "takes no operands; the network is --scenario S, policies are "
				 "--policy DIR");
	if (o.output == NULL || o.output[0] == '\0')
		return error_at(error, ERR_INVALID, NULL, 0, "--output",
				"name the folder of the report: -o DIR");
	analysis = calloc(1, sizeof(*analysis));
	if (analysis == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = analyse(common, analysis, error);
	analysis_free(analysis);
	free(analysis);
	return command_goes_on(code, error, "the same command goes on");
}

const struct command command_analyse = {
	.name = "analyse",
	.operands = "[--policy DIR] [--scenario S] [--run DIR] -o DIR",
	.summary = "the paper's appendix, measured: drift, deviations, mixing, settling, "
		   "contraction",
	.details =
		"The law (the scenario's, or --aqm with --set), each policy on top of it and each "
		"law of --against run in closed loop on the same seeds, and the report lays them "
		"side by side: Lyapunov drift by queue delay with bootstrap intervals; the "
		"probability that the delay stays within eps of its target, with exact binomial "
		"bounds; the integrated autocorrelation time of the delay; settling time and "
		"overshoot when the load doubles and when the rate halves; gain and phase margins, "
		"from a disturbance of the signals; of policies with a "
		"backbone, singular values and spectral radii of its layers' Jacobians, with and "
		"without the adapter; and, of training runs, the fitted contraction of |J - J*| "
		"beside eq. 9. Where a condition of the paper is refuted on these runs it says so. "
		"docs/learned.md tells what each number means.\n\n"
		"DIR receives report.html, analysis.json (what --json prints), a CSV file a table "
		"and figures/; runs/ keeps every finished run under a name made of all it is a "
		"function of, so the same command goes on where it was interrupted.",
	.options = analyse_options,
	.heeds_interrupt = true,
	.run = run_analyse,
};
