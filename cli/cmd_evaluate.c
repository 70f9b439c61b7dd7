/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm evaluate: policies against laws, in closed loop, on paired seeds.
 *
 * The arms of every scenario are the baseline (its own law, or what --baseline
 * says), each law of --against, and each policy on top of the baseline at each
 * --interval and each --decision-ms.  --in-data is another thing: the walk through recorded rows
 * that the released code calls evaluation (learn/in_data.h).
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/backbone.h"
#include "base/file.h"
#include "base/parallel.h"
#include "cli/command.h"
#include "cli/in_data_report.h"
#include "cli/policy_options.h"
#include "cli/trial.h"
#include "cli/trial_arms.h"
#include "cli/trial_beside.h"
#include "cli/trial_estimate.h"
#include "cli/trial_pairs_tell.h"
#include "cli/trial_real.h"
#include "cli/trial_report.h"
#include "cli/trial_results.h"
#include "cli/trial_spread.h"
#include "cli/trial_watch.h"
#include "cluster/ranks.h"

#define INTERVALS "10,100"

#define TOLD_MAX 12 /* scenarios of a suite that are told one by one */

static struct {
	struct option_list policies;
	struct policy_manner manner;
	const char *baseline, *against, *intervals, *decisions, *verdict, *device, *output,
		*in_data, *notes, *real;
	const char *title;
	uint64_t seeds, seed, threads, steps, pictures;
	bool unguarded, estimate;
} o = {
	.title = "AQM-LLM: policies and laws",
	.seeds = 5,
	.seed = 1,
	.steps = 3600,
	.pictures = 12,
};

static size_t baselines; /* arms that all others are compared with; 0: scenarios' own laws */

static const struct option evaluate_options[] = {
	{"policy", 'p', OPTION_LIST, &o.policies, "DIR",
	 "policy folder, or adversary:NAME to test the guard (docs/guard.md); may be repeated; "
	 "each decides on top of the first baseline; or a student, FILE.aqms, which is a law of "
	 "its own",
	 0, 0},
	{"precision", 0, OPTION_TEXT, &o.manner.precision, "P", PRECISION_DOC, 0, 0},
	{"context", 0, OPTION_TEXT, &o.manner.context, "HOW", CONTEXT_DOC, 0, 0},
	{"baseline", 0, OPTION_TEXT, &o.baseline, "LAW,...",
	 "laws to compare all others with, each on its defaults, LAW:NAME=VALUE:... with settings; "
	 "`own`: the scenario's own law; default " TRIAL_REFERENCE " for a sampled suite, else own",
	 0, 0},
	{"against", 0, OPTION_TEXT, &o.against, "LAW,...",
	 "laws to compare with the baseline; LAW:NAME=VALUE:... sets parameters", 0, 0},
	{"interval", 0, OPTION_TEXT, &o.intervals, "N,...",
	 "every Nth packet is put to the policy; default " INTERVALS, 0, 0},
	{"decision-ms", 0, OPTION_TEXT, &o.decisions, "D,...",
	 "simulated time that a decision takes; `measured` is what it takes here; default 0", 0, 0},
	{"verdict", 0, OPTION_TEXT, &o.verdict, "HOW", VERDICT_DOC, 0, 0},
	{"no-guard", 0, OPTION_FLAG, &o.unguarded, NULL, NO_GUARD_DOC, 0, 0},
	{"seeds", 0, OPTION_U64, &o.seeds, "N", "runs of each; default 5", 1, 10000},
	{"seed", 0, OPTION_U64, &o.seed, "S", "the first seed; default 1", 0, 0},
	{"real", 0, OPTION_TEXT, &o.real, "DIR",
	 "real runs of the same, SCENARIO/ARM/SEED.run as aqmllm route --run keeps them: a report "
	 "of theirs, and a page that lays both side by side",
	 0, 0},
	{"in-data", 0, OPTION_TEXT, &o.in_data, "POOL",
	 "instead of a suite: the released code's walk through recorded rows", 0, 0},
	{"steps", 0, OPTION_U64, &o.steps, "N", "of the walk through recorded rows; default 3600",
	 1, 1e8},
	{"pictures", 0, OPTION_U64, &o.pictures, "N",
	 "scenarios that get pictures in the report, the first ones; default 12", 0, 1e6},
	{"title", 0, OPTION_TEXT, &o.title, "TEXT", "heading of the report", 0, 0},
	{"notes", 0, OPTION_TEXT, &o.notes, "FILE", "text to show, closed, under the heading", 0,
	 0},
	{"device", 0, OPTION_TEXT, &o.device, "NAME", DEVICE_DOC, 0, 0},
	{"estimate", 0, OPTION_FLAG, &o.estimate, NULL,
	 "say how long it will take, and run nothing but a few runs to know", 0, 0},
	{"jobs", 'j', OPTION_U64, &o.threads, "N", "runs at a time; default 0: one a core", 0,
	 4096},
	{"threads", 0, OPTION_U64, &o.threads, "N", "the same as --jobs", 0, 4096},
	{"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder of the report; required", 0, 0},
	{0},
};

static const enum trial_metric told[] = {TRIAL_utilisation, TRIAL_qdelay_ms_mean,
					 TRIAL_qdelay_ms_p99, TRIAL_differed};

/* As wide as the longest name needs it. */
static int name_columns(const struct trial *trial)
{
	const int longest = trial_longest_name(trial);

	return longest > 28 ? longest : 28;
}

static void print_heading(const struct trial *trial)
{
	printf("%-*s %20s %20s %20s %10s\n", name_columns(trial), "", "utilisation",
	       "queue delay, mean ms", "p99 ms", "differed");
}

/* "1.23 ± 0.04"; one run has no interval. */
static void print_interval(struct interval interval, int digits)
{
	if (interval.count == 0)
		printf(" %20s", "-");
	else if (isfinite(interval.half_width))
		printf(" %10.*f ± %7.*f", digits, interval.mean, digits, interval.half_width);
	else
		printf(" %10.*f %9s", digits, interval.mean, "");
}

static void print_row(const struct trial *trial, size_t arm, const struct interval *intervals)
{
	printf("%-*s", name_columns(trial), trial->arms[arm].name);
	for (int m = 0; m < 3; m++)
		print_interval(intervals[m], m == 0 ? 4 : 2);
	if (intervals[3].count)
		printf(" %10.0f\n", intervals[3].mean);
	else
		printf(" %10s\n", "-");
}

static void print_scenario(const struct trial *trial, const struct results *results, size_t s)
{
	printf("%s, %" PRIu64 " seed%s\n", trial->scenarios[s].name, trial->seeds,
	       trial->seeds == 1 ? "" : "s");
	print_heading(trial);
	for (size_t a = 0; a < trial->arm_count; a++) {
		struct interval intervals[4];

		for (int m = 0; m < 4; m++)
			intervals[m] =
				results_interval(results, trial->scenarios[s].name,
						 trial->arms[a].name, trial_metric_name(told[m]));
		print_row(trial, a, intervals);
	}
}

static void print_suite(const struct trial *trial, const struct results *results)
{
	printf("all %zu scenarios, each by its mean over %" PRIu64 " seed%s\n",
	       trial->scenario_count, trial->seeds, trial->seeds == 1 ? "" : "s");
	print_heading(trial);
	for (size_t a = 0; a < trial->arm_count; a++) {
		struct interval intervals[4];

		for (int m = 0; m < 4; m++)
			intervals[m] = trial_suite_interval(trial, results, a, told[m], false);
		print_row(trial, a, intervals);
	}
}

static void print_results(const struct trial *trial, const struct results *results)
{
	for (size_t s = 0; s < trial->scenario_count && trial->scenario_count <= TOLD_MAX; s++)
		print_scenario(trial, results, s);
	if (trial->scenario_count > 1)
		print_suite(trial, results);
}

/* The command line that makes this report again. */
static void command_text(char *text, size_t size, const char *suite)
{
	size_t used = (size_t)snprintf(text, size, "aqmllm evaluate %s", suite);

	for (size_t i = 0; i < o.policies.count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, " --policy %s",
					 o.policies.items[i]);
	if (used < size && o.manner.precision)
		used += (size_t)snprintf(text + used, size - used, " --precision %s",
					 o.manner.precision);
	if (used < size && o.manner.context)
		used += (size_t)snprintf(text + used, size - used, " --context %s",
					 o.manner.context);
	if (used < size && o.device)
		used += (size_t)snprintf(text + used, size - used, " --device %s", o.device);
	if (used < size && o.baseline)
		used += (size_t)snprintf(text + used, size - used, " --baseline %s", o.baseline);
	if (used < size && o.against)
		used += (size_t)snprintf(text + used, size - used, " --against %s", o.against);
	if (used < size && o.intervals)
		used += (size_t)snprintf(text + used, size - used, " --interval %s", o.intervals);
	if (used < size && o.decisions)
		used += (size_t)snprintf(text + used, size - used, " --decision-ms %s",
					 o.decisions);
	if (used < size && o.verdict)
		used += (size_t)snprintf(text + used, size - used, " --verdict %s", o.verdict);
	if (used < size && o.real)
		used += (size_t)snprintf(text + used, size - used, " --real %s", o.real);
	if (used < size)
		snprintf(text + used, size - used,
			 "%s --seeds %" PRIu64 " --seed %" PRIu64 " -o %s",
			 o.unguarded ? " --no-guard" : "", o.seeds, o.seed, o.output);
}

static int write_results(const struct results *results, struct error *error)
{
	char path[4096];
	int code = file_join(path, sizeof(path), o.output, "results.csv", error);

	if (code == 0)
		code = results_write_csv(results, path, error);
	if (code == 0)
		code = file_join(path, sizeof(path), o.output, "results.sqlite", error);
	return code ? code : results_write_database(results, path, error);
}

static void print_json(const struct trial *trial, const struct results *results, bool compared)
{
	printf("{\"report\": \"%s/report.html\", \"results\": \"%s/results.csv\", ", o.output,
	       o.output);
	if (compared)
		printf("\"comparison\": \"%s/comparison.json\", ", o.output);
	if (o.real)
		printf("\"real\": \"%s/real/report.html\", \"beside\": \"%s/beside/report.html\", ",
		       o.output, o.output);
	printf("\"rows\": %zu, \"runs\": %zu, \"kept\": %zu}\n", results->count, trial_runs(trial),
	       trial->kept);
}

static void print_all(const struct trial *trial, const struct results *results,
		      const struct trial_pairs *pairs)
{
	print_results(trial, results);
	if (pairs->count)
		trial_pairs_print(pairs);
	if (trial->kept)
		printf("%zu of %zu runs were in %s/runs already\n", trial->kept, trial_runs(trial),
		       o.output);
}

/* The report stands last, where eyes and scripts look for it. */
static void print_paths(void)
{
	if (o.real)
		printf("%s/real/report.html\n%s/beside/report.html\n", o.output, o.output);
	printf("%s/report.html\n", o.output);
}

static int compare(const struct trial *trial, struct trial_pairs *pairs, struct error *error)
{
	int code = 0;

	if (baselines > 0 && trial->arm_count > 1)
		code = trial_pairs_make(pairs, trial, baselines, (unsigned)o.threads, error);
	return code || pairs->count == 0 ? code : trial_pairs_write(pairs, o.output, error);
}

/* `real`: NULL where there are no real runs of the same. */
static int tell(const struct command_common *common, const struct trial *trial,
		const struct trial *real, const char *suite, struct error *error)
{
	char command[8192], *notes = NULL;
	struct trial_report report = {
		.title = o.title,
		.command = command,
		.folder = o.output,
		.pictured = o.pictures,
		.threads = (unsigned)o.threads,
	};
	struct trial_pairs pairs = {0};
	struct results results;
	size_t size;
	int code = o.notes ? file_read_all(o.notes, &notes, &size, error) : 0;

	results_init(&results);
	command_text(command, sizeof(command), suite);
	report.notes = notes;
	if (code == 0)
		code = trial_results(trial, &results, error);
	if (code == 0)
		code = write_results(&results, error);
	if (code == 0)
		code = compare(trial, &pairs, error);
	report.pairs = pairs.count ? &pairs : NULL;
	if (code == 0)
		code = trial_report_write(&report, trial, &results, error);
	if (code == 0 && real)
		code = trial_beside_write(&report, trial, real, error);
	if (code == 0 && common->json) {
		print_json(trial, &results, pairs.count > 0);
	} else if (code == 0 && !common->quiet) {
		print_all(trial, &results, &pairs);
		if (real)
			trial_beside_print(stdout, trial, real);
		print_paths();
	}
	trial_pairs_free(&pairs);
	results_free(&results);
	free(notes);
	return code;
}

/* How long it would take here. */
static int tell_estimate(const struct command_common *common, struct trial *trial,
			 struct error *error)
{
	const double cores = (double)(o.threads ? o.threads : parallel_cores());
	struct trial_estimate estimate;
	const int code = trial_estimate(trial, &estimate, error);
	double unit_s;

	if (code)
		return code;
	unit_s = estimate.processor_s > 120 ? 60 : 1;
	if (common->json)
		printf("{\"runs\": %zu, \"kept\": %zu, \"processor_s\": %.1f, \"cores\": %.0f, "
		       "\"wall_s\": %.1f}\n",
		       estimate.runs, estimate.kept, estimate.processor_s, cores,
		       estimate.processor_s / cores);
	else
		printf("%zu runs, %zu of them in %s/runs already; the others take about %.3g %s "
		       "of processor time, %.3g on %.0f cores\n",
		       estimate.runs, estimate.kept, o.output, estimate.processor_s / unit_s,
		       unit_s > 1 ? "min" : "s", estimate.processor_s / unit_s / cores, cores);
	return 0;
}

/* A report may be made again; anything else that stands there is somebody's. */
static int check_folder(struct error *error)
{
	static const char *const ours[] = {"runs", "results.csv", "report.html"};
	struct dirent **entries;
	const int count = scandir(o.output, &entries, NULL, NULL);
	bool known = count <= 2;

	if (count < 0 && errno != ENOENT)
		return error_at(error, ERR_INVALID, o.output, 0, "--output",
				"cannot be the folder of the report: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		for (size_t k = 0; k < sizeof(ours) / sizeof(ours[0]); k++)
			known = known || strcmp(entries[i]->d_name, ours[k]) == 0;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	if (!known)
		return error_at(error, ERR_INVALID, o.output, 0, "--output",
				"this folder holds other things and no report; name a new one");
	return 0;
}

static int check_policy_options(struct error *error)
{
	const struct policy_option options[] = {
		{"--precision", o.manner.precision != NULL, false},
		{"--context", o.manner.context != NULL, false},
		{"--interval", o.intervals != NULL, false},
		{"--decision-ms", o.decisions != NULL, false},
		{"--verdict", o.verdict != NULL, false},
		{"--no-guard", o.unguarded, true},
		{"--device", o.device != NULL, false},
	};

	return policy_options_check(options, sizeof(options) / sizeof(*options), o.policies.items,
				    o.policies.count, error);
}

static int prepare(struct trial *trial, const char *suite, struct error *error)
{
	const struct trial_arms_wanted wanted = {
		.baselines = o.baseline,
		.against = o.against,
		.policies = &o.policies,
		.manner = &o.manner,
		.intervals = o.intervals ? o.intervals : INTERVALS,
		.decisions = o.decisions ? o.decisions : "0",
		.verdict = o.verdict ? o.verdict : "drawn",
		.device = o.device ? o.device : "cpu",
		.unguarded = o.unguarded,
	};
	int code;

	trial->first_seed = o.seed;
	trial->seeds = o.seeds;
	trial->bin_s = TRIAL_BIN_S;
	trial->folder = o.output;
	code = check_policy_options(error);
	if (code == 0)
		code = trial_read_suite(trial, suite, error);
	if (code == 0)
		code = trial_arms_add(trial, &wanted, &baselines, error);
	if (code == 0)
		code = trial_keys(trial, error);
	return code;
}

/* This process leads, and perhaps is alone. */
static int lead(const struct command_common *common, const struct ranks *ranks, struct trial *trial,
		const struct trial *real, const char *suite, struct error *error)
{
	int code;

	if (o.estimate)
		return tell_estimate(common, trial, error);
	code = ranks->count > 1 ? trial_spread_lead(ranks, trial, error)
				: trial_run_all(trial, (unsigned)o.threads, error);
	command_progress(common, "", false);
	return code ? code : tell(common, trial, real, suite, error);
}

/* Before anything is run, which may take hours. */
static int read_real(struct trial **real, const struct trial *trial, struct error *error)
{
	*real = calloc(1, sizeof(**real));
	return *real ? trial_real_read(*real, trial, o.real, error)
		     : error_set(error, ERR_NO_MEMORY, "out of memory for real runs");
}

static int evaluate_on(const struct command_common *common, const struct ranks *ranks,
		       const char *suite, struct error *error)
{
	struct trial *trial = calloc(1, sizeof(*trial)), *real = NULL;
	struct trial_watch watch;
	int code = trial ? prepare(trial, suite, error)
			 : error_set(error, ERR_NO_MEMORY, "out of memory");

	if (trial)
		trial_watch_open(&watch, common, trial, "evaluate");
	if (code == 0 && ranks->rank == 0)
		code = check_folder(error);
	if (code == 0 && ranks->rank == 0 && o.real && !o.estimate)
		code = read_real(&real, trial, error);
	if (code == 0 && ranks->count > 1 && o.threads > 1)
		code = error_at(error, ERR_INVALID, NULL, 0, "--jobs",
				"a rank runs one at a time; start more ranks: mpirun -n N");
	if (code == 0 && ranks->count > 1 && o.estimate)
		code = error_at(error, ERR_INVALID, NULL, 0, "--estimate",
				"is of one machine; ask without mpirun");
	if (ranks->count > 1)
		code = trial_spread_meet(ranks, trial, code, error);
	if (code == 0 && ranks->rank > 0)
		trial_spread_follow(trial);
	else if (code == 0)
		code = lead(common, ranks, trial, real, suite, error);
	if (real)
		trial_real_free(real);
	free(real);
	if (trial)
		trial_free(trial);
	free(trial);
	return code;
}

/* Under mpirun rank 0 speaks for all, also of failures. */
static int evaluate_suite(const struct command_common *common, const char *suite,
			  struct error *error)
{
	struct ranks ranks;
	int code = ranks_open(&ranks, error);
	bool leads;

	if (code)
		return code;
	leads = ranks.rank == 0;
	code = evaluate_on(common, &ranks, suite, error);
	ranks_close(&ranks);
	return leads ? command_goes_on(code, error, "the same command goes on") : 0;
}

static int evaluate_in_data(const struct command_common *common, struct error *error)
{
	struct number_list intervals = {0};
	struct in_data_report report = {
		.pool = o.in_data,
		.policies = o.policies.items,
		.policy_count = o.policies.count,
		.manner = o.manner,
		.intervals = intervals.values,
		.steps = o.steps,
		.folder = o.output,
	};
	int code = number_list_parse(&intervals, "--interval",
				     o.intervals ? o.intervals : INTERVALS, 1, false, error);

	command_end_at_once();
	report.interval_count = intervals.count;
	if (code == 0)
		code = in_data_report_write(&report, error);
	if (code == 0 && !common->quiet)
		printf("%s/report.html\n", o.output);
	return code;
}

static int evaluate(const struct command_common *common, const char **operands, size_t count,
		    struct error *error)
{
	const int code = backbone_place_all(o.device ? o.device : "cpu", error);

	if (code)
		return code;
	if (o.output == NULL || o.output[0] == '\0')
		return error_at(error, ERR_INVALID, NULL, 0, "--output",
				"name the folder of the report: -o DIR");
	if (o.estimate)
		command_end_at_once();
	if (o.in_data && count == 0)
		return evaluate_in_data(common, error);
	if (o.notes && access(o.notes, R_OK) != 0)
		return error_errno(error, o.notes, "--notes: opening");
	if (o.in_data || count != 1)
		return error_set(error, ERR_INVALID,
				 "name one suite (a scenario, a folder of them, or a name that "
				 "aqmllm scenarios lists), or "
				 "--in-data POOL");
	return evaluate_suite(common, operands[0], error);
}

const struct command command_evaluate = {
	.name = "evaluate",
	.operands = "SUITE -o DIR | --in-data POOL -o DIR",
	.summary = "compare policies and laws in closed loop, with a report",
	.details =
		"SUITE is a scenario file, a folder of them, the name of one that comes with the "
		"program (paper, room), or a sampled suite, train, heldout or small, with a "
		"number of networks and a seed where 20 (24) and 1 will not do (heldout:50:7); "
		"aqmllm scenarios lists them. Every scenario runs under the baseline, under each "
		"law of --against and under each policy, on the same seeds; the report gives means "
		"with 95 % confidence intervals and paired differences from the first arm.\n\n"
		"The baseline is the scenario's own law, or the laws of --baseline; of a sampled "
		"suite, whose laws are sampled too, DualPI2 as Linux has it with a step that asks "
		"for a packet in the queue. Beside a law of --baseline every other law stands on "
		"its defaults, whatever a scenario says of it, and policies decide on top of the "
		"first; networks.csv, groups.csv, claims.csv and comparison.json then tell, and "
		"report.html shows, each arm beside each baseline: ratios by network and by group "
		"of networks with 95 % bootstrap intervals, which networks are worse by 5 %, and "
		"what an AQM that claims to be better has to show (docs/learned.md).\n\n"
		"DIR receives report.html (one file, pictures inside), results.csv and "
		"results.sqlite (scenario, seed, aqm, metric, value), and figures/ with the data "
		"of "
		"every picture. runs/ keeps every finished run under a name made of all it is a "
		"function of (program, scenario, law, policy, seed): an interrupted sweep goes on "
		"when the same command is given again, and more seeds, laws or scenarios only add "
		"runs. Results are the same bytes on any number of cores. An arm `NAME/10 @39ms` "
		"is the policy NAME asked about every 10th "
		"packet, deciding in 39 ms.\n\n"
		"--in-data repeats the released code's evaluation, a walk through recorded rows. "
		"It "
		"is not a closed loop, and a policy that always says enqueue does as well there; "
		"it "
		"is shown beside.",
	.options = evaluate_options,
	.heeds_interrupt = true,
	.run = evaluate,
};
