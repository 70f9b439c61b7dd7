/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm simulate: one closed-loop run of a scenario.
 *
 * The law is the scenario's, unless --aqm names another; --set changes its
 * parameters.  When --aqm names another law than the scenario's, the
 * scenario's `params` (which belong to its law) are left aside; its
 * `limit_packets` stays, and so does the router that its law runs in.
 * --policy puts every --interval-th packet to a policy on top of that law.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/clock.h"
#include "base/progress.h"
#include "cli/closed_loop.h"
#include "cli/command.h"
#include "cli/library.h"
#include "cli/policy_options.h"
#include "cli/series.h"
#include "cli/student_law.h"
#include "cli/summary.h"
#include "cli/watch.h"
#include "sim/run.h"

static const char *chosen_aqm, *chosen_folder, *chosen_log, *chosen_pcap, *chosen_policy;
static const char *chosen_device, *chosen_verdict, *chosen_watch; /* NULL: not given */
static struct option_list chosen_settings;
static struct policy_manner chosen_manner;
static uint64_t chosen_seed = 1, chosen_interval; /* 0: not given */
static double chosen_decision_ms = -1, chosen_bin_ms = 100, chosen_pace;
static bool chosen_unguarded;

/* What a run needs to talk while it goes on. */
struct running {
	const struct command_common *common;
	const struct scenario *scenario;
	double started_s;
	struct series series;
	struct watch watch;
};

static bool show_progress(void *context, double done)
{
	const struct running *running = context;
	char text[160], note[64];

	if (running->watch.open)
		return command_interrupted();
	snprintf(note, sizeof(note), "of %g s", running->scenario->duration_s);
	command_progress(running->common,
			 progress_text(text, sizeof(text), running->scenario->name,
				       (uint64_t)(done * 100 + 0.5), 100,
				       clock_s() - running->started_s, note),
			 false);
	return command_interrupted();
}

static bool take_bin(void *context, const struct sim_moment *moment)
{
	struct running *running = context;

	if (chosen_folder)
		series_write(&running->series, moment);
	return running->watch.open && watch_bin(&running->watch, moment);
}

static bool is_student(void)
{
	return chosen_policy && student_file_named(chosen_policy);
}

/* The law and its parameters (the caller frees them), as scenario and options want it. */
static int choose_law(const struct scenario *scenario, struct aqm_student_model *model,
		      const struct aqm_ops **law, void **params, struct error *error)
{
	int code;

	if (is_student() && chosen_aqm && strcmp(chosen_aqm, "student") != 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--aqm",
				"a student is a law of its own: leave out --aqm %s, or the student",
				chosen_aqm);
	code = is_student() ? student_law_open(model, scenario, chosen_policy, chosen_unguarded,
					       law, params, error)
			    : sim_law_named(scenario, chosen_aqm, law, params, error);

	for (size_t i = 0; code == 0 && i < chosen_settings.count; i++)
		code = aqm_params_set(*law, *params, chosen_settings.items[i], error);
	return code;
}

static bool capture_takes_stdout(void)
{
	return chosen_pcap && strcmp(chosen_pcap, "-") == 0;
}

static int tell(const struct command_common *common, const struct sim_result *result,
		const struct aqm_policy_counts *policy, struct error *error)
{
	int code = 0;

	if (chosen_folder)
		code = summary_write(chosen_folder, result, policy, error);
	if (code)
		return code;
	if (common->json) {
		json_t *object = summary_json(result, policy);

		if (json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)))
			code = error_set(error, ERR_IO, "cannot print the summary");
		putchar('\n');
		json_decref(object);
	} else if (!common->quiet) {
		summary_print(capture_takes_stdout() ? stderr : stdout, result, policy);
	}
	return code;
}

static int check_policy_options(struct error *error)
{
	const struct policy_option options[] = {
		{"--device", chosen_device != NULL, false},
		{"--precision", chosen_manner.precision != NULL, false},
		{"--context", chosen_manner.context != NULL, false},
		{"--interval", chosen_interval > 0, false},
		{"--decision-ms", chosen_decision_ms >= 0, false},
		{"--verdict", chosen_verdict != NULL, false},
		{"--no-guard", chosen_unguarded, true},
	};

	return policy_options_check(options, sizeof(options) / sizeof(*options), &chosen_policy,
				    chosen_policy != NULL, error);
}

/* What the options say of the policy; `loop->policy` is the caller's to destroy. */
static int choose_policy(struct closed_loop *loop, struct error *error)
{
	const int choice = aqm_policy_choice_find(chosen_verdict ? chosen_verdict : "drawn");
	int code = check_policy_options(error);

	if (code)
		return code;
	if (choice < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--verdict",
				"%s is neither drawn nor argmax", chosen_verdict);
	loop->interval = chosen_interval ? chosen_interval : 10;
	loop->latency_ms = fmax(chosen_decision_ms, 0);
	loop->choice = (enum aqm_policy_choice)choice;
	loop->unguarded = chosen_unguarded;
	if (!chosen_policy || is_student())
		return 0;
	code = backbone_place_all(chosen_device ? chosen_device : "cpu", error);
	return code ? code : policy_open_as(&loop->policy, chosen_policy, &chosen_manner, error);
}

static int run_and_tell(struct running *running, struct closed_loop *loop, struct error *error)
{
	const struct command_common *common = running->common;
	struct sim_result *result = calloc(1, sizeof(*result));
	struct aqm_policy_counts counts;
	int code;

	if (result == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = closed_loop_run(loop, result, &counts, error);
	watch_close(&running->watch);
	command_progress(common, "", false);
	if (code == 0) {
		code = tell(common, result, &counts, error);
		sim_result_free(result);
	}
	free(result);
	return code;
}

/* Watches, where that was asked for. */
static int run_watched(struct running *running, struct closed_loop *loop, struct error *error)
{
	int code = 0;

	if (chosen_watch)
		code = watch_open(&running->watch, loop->scenario, loop->law->name, loop->seed,
				  chosen_pace, error);
	/* Slow motion: bins that still come ten times a second. */
	if (chosen_watch && chosen_folder == NULL && chosen_pace > 0 && chosen_pace < 1)
		loop->bin_s *= chosen_pace;
	return code ? code : run_and_tell(running, loop, error);
}

/* The same with time series beside it, where a folder was named. */
static int run_with_series(struct running *running, struct closed_loop *loop, struct error *error)
{
	struct series *series = &running->series;
	int code = chosen_folder ? series_open(series, chosen_folder, error) : 0, closed = 0;

	if (code)
		return code;
	code = run_watched(running, loop, error);
	if (chosen_folder)
		closed = series_close(series, code == 0, code ? NULL : error);
	return code ? code : closed;
}

static int simulate(const struct command_common *common, struct scenario *scenario,
		    struct error *error)
{
	const bool bins = chosen_folder || chosen_watch;
	struct running running = {.common = common, .scenario = scenario};
	struct closed_loop loop = {
		.scenario = scenario,
		.seed = chosen_seed,
		.bin_s = bins ? chosen_bin_ms / 1e3 : 0,
		.bin = bins ? take_bin : NULL,
		.log = chosen_log,
		.pcap = chosen_pcap,
		.context = &running,
		.progress = show_progress,
	};
	struct aqm_student_model model;
	void *params = NULL;
	int code = choose_law(scenario, &model, &loop.law, &params, error);

	loop.params = params;
	if (code == 0)
		code = choose_policy(&loop, error);
	running.started_s = clock_s();
	if (code == 0)
		code = run_with_series(&running, &loop, error);
	policy_destroy(loop.policy);
	free(params);
	return code;
}

static int run_simulate(const struct command_common *common, const char **operands, size_t count,
			struct error *error)
{
	struct scenario *scenario;
	int code = chosen_watch ? watch_check(chosen_watch, &chosen_pace, error) : 0;

	if (code)
		return code;
	if (count != 1)
		return error_set(error, ERR_INVALID,
				 "name one scenario: aqmllm simulate scenarios/paper.yaml");
	if (capture_takes_stdout() && (common->json || chosen_watch))
		return error_at(error, ERR_INVALID, NULL, 0, "--pcap",
				"both it and %s want standard output; name a file",
				common->json ? "--json" : "--watch");
	if (chosen_log && strcmp(chosen_log, "-") == 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--log",
				"does not go to standard output; name a file");
	if (chosen_log && chosen_pcap && strcmp(chosen_log, chosen_pcap) == 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--log",
				"%s is the file of --pcap too; name another", chosen_log);
	scenario = calloc(1, sizeof(*scenario));
	if (scenario == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = library_read(scenario, operands[0], error);
	if (code == 0) {
		code = simulate(common, scenario, error);
		scenario_free(scenario);
	}
	free(scenario);
	return code;
}

static const struct option simulate_options[] = {
	{"aqm", 0, OPTION_TEXT, &chosen_aqm, "NAME",
	 "queue law instead of the scenario's; aqmllm aqms lists them", 0, 0},
	{"set", 0, OPTION_LIST, &chosen_settings, "K=V",
	 "parameter of the law, after the scenario's own; may be repeated", 0, 0},
	{"seed", 0, OPTION_U64, &chosen_seed, "S", "seed of all randomness (1)", 0, 0},
	{"device", 0, OPTION_TEXT, &chosen_device, "NAME", DEVICE_DOC, 0, 0},
	{"policy", 0, OPTION_TEXT, &chosen_policy, "DIR",
	 "folder of a policy that decides on top of the law, or adversary:NAME to test the guard "
	 "(docs/guard.md); or a student, FILE.aqms, as the law",
	 0, 0},
	{"precision", 0, OPTION_TEXT, &chosen_manner.precision, "P", PRECISION_DOC, 0, 0},
	{"context", 0, OPTION_TEXT, &chosen_manner.context, "HOW", CONTEXT_DOC, 0, 0},
	{"interval", 0, OPTION_U64, &chosen_interval, "N",
	 "every Nth arriving packet is put to the policy (10)", 1, 1e9},
	{"decision-ms", 0, OPTION_DOUBLE, &chosen_decision_ms, "D",
	 "simulated time that a decision takes: it is for the packet arriving D ms later (0)", 0,
	 1e6},
	{"verdict", 0, OPTION_TEXT, &chosen_verdict, "HOW", VERDICT_DOC, 0, 0},
	{"no-guard", 0, OPTION_FLAG, &chosen_unguarded, NULL, NO_GUARD_DOC, 0, 0},
	{"log", 0, OPTION_TEXT, &chosen_log, "FILE",
	 "write the router's log, 24 fields a packet; .gz and .zst compress it", 0, 0},
	{"pcap", 0, OPTION_TEXT, &chosen_pcap, "FILE",
	 "write every packet's headers as pcapng for Wireshark: interfaces C and L (leaving that "
	 "queue, after marking, with the sojourn time as a comment), dropped, and return (from "
	 "receivers, past the queue); - is standard output, the summary then goes to standard "
	 "error",
	 0, 0},
	{"watch", 0, OPTION_MAYBE, &chosen_watch, "FACTOR",
	 "show the run live in the terminal, FACTOR times as fast as real time (1; 0: as fast as "
	 "it goes); q ends the run and reports it up to there, space pauses, + and - change the "
	 "pace",
	 0, 0},
	{"output", 'o', OPTION_TEXT, &chosen_folder, "DIR",
	 "write summary.json, queue.csv and flows.csv into this folder", 0, 0},
	{"bin-ms", 0, OPTION_DOUBLE, &chosen_bin_ms, "W",
	 "width of the time series' bins in queue.csv and flows.csv (100)", 0.01, 1e9},
	{0},
};

const struct command command_simulate = {
	.name = "simulate",
	.operands = "SCENARIO",
	.summary = "run a scenario in closed loop: traffic, router, queue law",
	.details = "SCENARIO is a YAML file, or the name of one that comes with the program "
		   "(paper; aqmllm scenarios lists them): a bottleneck (rate, "
		   "delay, queue law, limit) and flows (congestion control, count, base round "
		   "trip, use of ECN, start and stop, and what runs on it: app: voice, gaming, "
		   "onoff, transfers, web, video); docs/scenarios.md has every key. The same "
		   "scenario and seed give the same results bit for bit; only "
		   "packets_per_wall_s is measured.\n"
		   "Queue delays are sojourn times of packets that left; the first warmup_s "
		   "seconds are left out of all statistics. --quiet leaves out the summary too, "
		   "for runs whose files are wanted; with --json it is printed.",
	.options = simulate_options,
	.heeds_interrupt = true,
	.run = run_simulate,
};
