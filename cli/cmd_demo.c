/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm demo: the paper's experiment from end to end.
 *
 * Each stage is a command that anyone could type, and is shown as such; this
 * program runs itself for it.  Nothing here knows how a stage works.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/data_files.h"
#include "cli/stages.h"

static struct {
	const char *output, *backbone;
	uint64_t epochs, seeds;
} o = {.output = "demo", .backbone = "builtin", .epochs = 6, .seeds = 5};

static const struct option demo_options[] = {
	{"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder of everything made; default demo", 0,
	 0},
	{"backbone", 'b', OPTION_TEXT, &o.backbone, "DIR",
	 "Hugging Face folder, GGUF file, or builtin; default builtin", 0, 0},
	{"epochs", 'e', OPTION_U64, &o.epochs, "N", "of training; default 6", 1, 1000},
	{"seeds", 0, OPTION_U64, &o.seeds, "N", "closed-loop runs of each; default 5", 1, 1000},
	{0},
};

/*
 * Drops and marks come in bursts, and in most runs none falls into the last fifth, which is held
 * out: then every rule scores 1.  In this one they come all along.
 */
#define LOGGED_SEED "1018"

/* A word that is a file of the output folder. */
static const char *at(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", o.output, name);
	return path;
}

/* The testbed's traffic through its router, which logs every packet; the log as experience. */
static int collect(struct stages *demo, const char *scenario, struct error *error)
{
	char log[4200], pool[4200];
	int code;

	stages_say(demo, "simulate", scenario, "--seed", LOGGED_SEED, "--log",
		   at(log, sizeof(log), "router.log"));
	code = stages_run(demo, "The testbed: three flows through the logging router", error);
	if (code)
		return code;
	stages_say(demo, "pool", log, "--law", "l4s-freebsd", "-o",
		   at(pool, sizeof(pool), "pool.safetensors"));
	return stages_run(demo, "The log becomes experience, with the state before each decision",
			 error);
}

static int adapt(struct stages *demo, struct error *error)
{
	char pool[4200], policy[4200], epochs[32];
	int code;

	snprintf(epochs, sizeof(epochs), "%" PRIu64, o.epochs);
	stages_say(demo, "train", at(pool, sizeof(pool), "pool.safetensors"), "--backbone",
		   o.backbone, "--interval", "1,10,100", "--untrained", "-o",
		   at(policy, sizeof(policy), "untrained"));
	code = stages_run(demo, "The policy before its first step, to compare with", error);
	if (code)
		return code;
	stages_say(demo, "train", pool, "--backbone", o.backbone, "--interval", "1,10,100",
		   "--epochs", epochs, "-o", at(policy, sizeof(policy), "trained"));
	code = stages_run(demo, "The backbone is adapted to it (LoRA)", error);
	if (code)
		return code;
	stages_say(demo, "predict", pool, "--policy", policy, "--held-out", "0.2", "--stride",
		   "10");
	return stages_run(demo, "What it learned, beside rules that know nothing", error);
}

static int write_notes(struct stages *demo, const char *path, struct error *error)
{
	return file_write_all(path, demo->notes, strlen(demo->notes), error);
}

/* The adapted policy manages the queue, against the law it learned from and others. */
static int close_loop(struct stages *demo, const char *scenario, struct error *error)
{
	char trained[4200], untrained[4200], report[4200], notes[4200], seeds[32];
	int code = write_notes(demo, at(notes, sizeof(notes), "stages.txt"), error);

	snprintf(seeds, sizeof(seeds), "%" PRIu64, o.seeds);
	stages_say(demo, "evaluate", scenario, "--policy", at(trained, sizeof(trained), "trained"),
		   "--policy", at(untrained, sizeof(untrained), "untrained"), "--against",
		   "pie,dualpi2", "--interval", "10,100", "--decision-ms", "0,39", "--seeds", seeds,
		   "--title", "The paper's experiment", "--notes", notes, "-o",
		   at(report, sizeof(report), "report"));
	if (code == 0)
		code = stages_run(demo, "Closed loop: the policy manages the queue", error);
	return code;
}

static int demo_run(struct stages *demo, struct error *error)
{
	char scenario[4096];
	int code = stages_init(demo, demo->common, error);

	if (code == 0)
		code = data_file_find(scenario, sizeof(scenario), "scenarios", "paper_as_run",
				      ".yaml", error);
	if (code == 0)
		code = file_make_folders(o.output, error);
	if (code == 0)
		code = collect(demo, scenario, error);
	if (code == 0)
		code = adapt(demo, error);
	return code ? code : close_loop(demo, scenario, error);
}

static int run_demo(const struct command_common *common, const char **operands, size_t count,
		    struct error *error)
{
	struct stages *demo = calloc(1, sizeof(*demo));
	char folder[4096];
	int code;

	if (demo == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	demo->common = common;
	code = count ? error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"demo takes no operands; see aqmllm demo --help")
		     : demo_run(demo, error);
	free(demo);
	if (code)
		return command_goes_on(code, error,
				       "the same command begins again, but for runs of the "
				       "closed loop that have finished");
	if (realpath(o.output, folder) == NULL)
		return error_errno(error, o.output, "cannot find");
	if (common->json)
		printf("{\"report\": \"%s/report/report.html\"}\n", folder);
	else
		printf("\n%s/report/report.html\n", folder);
	return 0;
}

const struct command command_demo = {
	.name = "demo",
	.operands = "",
	.summary = "the paper's experiment from end to end, with a report",
	.details =
		"Simulates the testbed as its released logs show it, logs every packet as its "
		"router's kernel does, makes a pool of the log, adapts the backbone to it, and "
		"lets the adapted policy manage the queue in closed loop, beside itself untrained, "
		"the law it learned from, PIE and DualPI2, all on the same seeds. Every stage is "
		"an aqmllm command and is shown before it runs.\n\n"
		"The last line is the path of the report.",
	.options = demo_options,
	.heeds_interrupt = true,
	.run = run_demo,
};
