/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm scenarios: the library of scenarios, and suites sampled from a
 * distribution.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/library.h"
#include "cli/trial.h"
#include "sim/rate_model.h"
#include "sim/suite.h"
#include "sim/variation.h"

#define DESCRIBED_NETWORKS 1000 /* whose coverage is told */

static struct {
	const char *suite, *output, *trace;
	double mean_mbps, duration_s;
	uint64_t seed, count;
	bool list, describe;
} o = {.mean_mbps = 20, .duration_s = 60, .seed = 1};

static const struct option scenarios_options[] = {
	{"suite", 's', OPTION_TEXT, &o.suite, "NAME", "the suite to sample or to describe", 0, 0},
	{"seed", 0, OPTION_U64, &o.seed, "S", "of the sample; default 1", 0, 0},
	{"count", 'n', OPTION_U64, &o.count, "N",
	 "networks to sample; default 20, of small 24; of --describe 1000", 1, 1e6},
	{"output", 'o', OPTION_TEXT, &o.output, "DIR",
	 "new folder for the scenarios; of a trace, its file", 0, 0},
	{"trace", 0, OPTION_TEXT, &o.trace, "KIND",
	 "write a Mahimahi trace of an lte, wifi or satellite link: that of rate_generated in a "
	 "run of this seed",
	 0, 0},
	{"mean-mbps", 0, OPTION_DOUBLE, &o.mean_mbps, "M", "mean rate of the trace; default 20",
	 0.1, 1000},
	{"duration-s", 0, OPTION_DOUBLE, &o.duration_s, "S",
	 "length of the trace, after which it repeats; default 60", 0.001, 120},
	{"list", 'l', OPTION_FLAG, &o.list, NULL, "list what there is; so does naming nothing", 0,
	 0},
	{"describe", 'd', OPTION_FLAG, &o.describe, NULL,
	 "tell the distribution that --suite samples from, and what a sample covers", 0, 0},
	{0},
};

/* A listing under way: text or JSON. */
struct listing {
	json_t *json; /* NULL: text */
	struct error *error;
};

static void list_one(struct listing *listing, const char *name, const struct trial *trial)
{
	if (listing->json) {
		json_t *list = json_array();

		for (size_t i = 0; i < trial->scenario_count; i++)
			json_array_append_new(list, json_string(trial->scenarios[i].name));
		json_array_append_new(listing->json,
				      json_pack("{s:s, s:s, s:o}", "name", name, "kind", "library",
						"scenarios", list));
		return;
	}
	if (trial->scenario_count > 1)
		printf("  %-16s %zu scenarios\n", name, trial->scenario_count);
	else
		printf("  %s\n", name);
	for (size_t i = 0; i < trial->scenario_count; i++) {
		const struct scenario *s = &trial->scenarios[i];

		printf("      %-24s %g Mbit/s, %g ms one way, %s, %" PRIu64 " flow%s, %g s\n",
		       s->name, s->rate_mbps, s->delay_ms, s->aqm, scenario_flows(s),
		       scenario_flows(s) == 1 ? "" : "s", s->duration_s);
	}
}

static int take_entry(void *context, const char *path, const char *name, bool folder)
{
	struct listing *listing = context;
	struct trial trial = {0};
	const int code = trial_read_suite(&trial, path, listing->error);

	(void)folder;
	if (code == 0)
		list_one(listing, name, &trial);
	trial_free(&trial);
	return code;
}

static int list_all(const struct command_common *common, struct error *error)
{
	struct listing listing = {common->json ? json_array() : NULL, error};
	int code;

	if (!common->json)
		printf("Library:\n");
	code = library_each(take_entry, &listing, error);
	if (!common->json)
		printf("Sampled:\n");
	for (const struct suite *suite = suites; code == 0 && suite->name; suite++) {
		if (common->json)
			json_array_append_new(listing.json,
					      json_pack("{s:s, s:s, s:s}", "name", suite->name,
							"kind", "sampled", "summary",
							suite->summary));
		else
			printf("  %-16s %s\n", suite->name, suite->summary);
	}
	if (code == 0 && common->json) {
		if (json_dumpf(listing.json, stdout, JSON_INDENT(2)))
			code = error_set(error, ERR_IO, "cannot print the list");
		putchar('\n');
	} else if (code == 0 && !common->quiet) {
		printf("\naqmllm scenarios --describe --suite NAME tells what is sampled;\n"
		       "aqmllm evaluate NAME --against LAW,... -o DIR runs any of them.\n");
	}
	json_decref(listing.json);
	return code;
}

/* The distribution, and what a sample of it holds. */
static int describe(const struct suite *suite, struct error *error)
{
	const uint64_t networks = o.count      ? o.count
				  : suite->in_turn ? suite->networks
						   : DESCRIBED_NETWORKS;
	char *text = suite_describe(suite), *cover = suite_cover(suite, o.seed, networks);
	const bool good = text && cover;

	if (good)
		printf("%s\n%s", text, cover);
	free(text);
	free(cover);
	return good ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory");
}

/* Scenarios of another sample would join the suite: only a new or empty folder will do. */
static int make_folder(struct error *error)
{
	struct dirent **entries;
	const int count = scandir(o.output, &entries, NULL, NULL);

	for (int i = 0; i < count; i++)
		free(entries[i]);
	if (count >= 0)
		free(entries);
	if (count > 2)
		return error_at(error, ERR_INVALID, o.output, 0, "--output",
				"this folder is not empty; name a new one");
	if (count < 0 && errno != ENOENT)
		return error_at(error, ERR_INVALID, o.output, 0, "--output",
				"cannot be the folder of a suite: %s", strerror(errno));
	return file_make_folders(o.output, error);
}

/* The network and its file; free the network. */
static int sample(const struct suite *suite, uint64_t index, struct scenario *scenario,
		  char path[PATH_MAX], struct error *error)
{
	char name[80];

	suite_sample(suite, o.seed, index, scenario);
	snprintf(name, sizeof(name), "%s.yaml", scenario->name);
	return file_join(path, PATH_MAX, o.output, name, error);
}

static int write_network(const struct suite *suite, uint64_t index, struct scenario *scenario,
			 struct error *error)
{
	char path[PATH_MAX];
	int code = sample(suite, index, scenario, path, error);

	if (code == 0)
		code = scenario_write(scenario, path, error);
	scenario_free(scenario);
	return code;
}

/* Part of a suite would stand in the way of the same command. */
static void remove_networks(const struct suite *suite, uint64_t count, struct scenario *scenario)
{
	char path[PATH_MAX];

	for (uint64_t i = 0; i < count; i++) {
		if (sample(suite, i, scenario, path, NULL) == 0)
			unlink(path);
		scenario_free(scenario);
	}
}

static int write_networks(const struct command_common *common, const struct suite *suite,
			  struct scenario *scenario, struct error *error)
{
	uint64_t written = 0;
	char text[160];
	int code = 0;

	while (code == 0 && written < o.count) {
		code = write_network(suite, written, scenario, error);
		written += code == 0;
		if (code == 0 && written < o.count && command_interrupted())
			code = error_set(error, ERR_INTERRUPTED,
					 "interrupted after %" PRIu64 " of %" PRIu64
					 " networks; none is kept",
					 written, o.count);
		progress_text(text, sizeof(text), suite->name, written, o.count, 0, "networks");
		command_progress(common, text, false);
	}
	if (code)
		remove_networks(suite, written, scenario);
	return code;
}

static int write_suite(const struct command_common *common, const struct suite *suite,
		       struct error *error)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	const size_t kept = o.output ? file_existing_part(o.output) : 0;
	int code = scenario ? make_folder(error) : error_set(error, ERR_NO_MEMORY, "out of memory");

	if (code == 0) {
		code = write_networks(common, suite, scenario, error);
		if (code)
			file_remove_empty_folders(o.output, kept);
	}
	command_progress(common, "", false);
	free(scenario);
	if (code == 0 && common->json)
		printf("{\"suite\": \"%s\", \"seed\": %" PRIu64 ", \"networks\": %" PRIu64 "}\n",
		       suite->name, o.seed, o.count);
	else if (code == 0 && !common->quiet)
		printf("%" PRIu64 " networks of %s, seed %" PRIu64 ", in %s\n", o.count,
		       suite->name, o.seed, o.output);
	return code;
}

static int write_trace(const struct command_common *common, struct error *error)
{
	const enum rate_kind kind = rate_kind_find(o.trace);
	const struct rng random = variation_random(o.seed);
	struct file_replace file;
	uint64_t count, *trace_ms;
	int code;

	if (kind == RATE_NONE)
		return error_at(error, ERR_INVALID, NULL, 0, "--trace",
				"%s is not one of lte, wifi, satellite", o.trace);
	if (o.output == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, "--output",
				"name the file of the trace: -o FILE");
	trace_ms = variation_trace(kind, o.mean_mbps, o.duration_s, &random, &count);
	if (trace_ms == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the trace");
	code = file_replace_open(&file, o.output, error);
	for (uint64_t i = 0; code == 0 && i < count; i++)
		fprintf(file.stream, "%" PRIu64 "\n", trace_ms[i]);
	if (code == 0)
		code = file_replace_commit(&file, error);
	free(trace_ms);
	if (code == 0 && common->json)
		printf("{\"kind\": \"%s\", \"seed\": %" PRIu64 ", \"opportunities\": %" PRIu64
		       "}\n",
		       o.trace, o.seed, count);
	else if (code == 0 && !common->quiet)
		printf("%" PRIu64 " opportunities of 1500 bytes in %g s, %s, seed %" PRIu64
		       ", in %s\n",
		       count, o.duration_s, o.trace, o.seed, o.output);
	return code;
}

static int run_scenarios(const struct command_common *common, const char **operands, size_t count,
			 struct error *error)
{
	const struct suite *suite = o.suite ? suite_find(o.suite) : NULL;

	if (count > 0)
		return error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"is no option; name a suite with --suite");
	if (o.trace)
		return write_trace(common, error);
	if (o.suite && suite == NULL)
		return error_at(
			error, ERR_INVALID, NULL, 0, "--suite",
			"%s is not sampled; train, heldout and small are; --list shows the library",
			o.suite);
	if (o.suite == NULL && (o.describe || o.output))
		return error_at(error, ERR_INVALID, NULL, 0, "--suite",
				"name the suite: train, heldout or small");
	if (o.suite == NULL || o.list)
		return list_all(common, error);
	if (o.describe)
		return describe(suite, error);
	if (o.count == 0)
		o.count = suite->networks;
	if (o.output == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, "--output",
				"name a new folder for the scenarios: -o DIR");
	return write_suite(common, suite, error);
}

const struct command command_scenarios = {
	.name = "scenarios",
	.operands = "[--list] | --suite NAME [--seed S] [-n N] -o DIR | --trace KIND -o FILE",
	.summary = "list the scenarios that come with the program, or sample new ones",
	.details =
		"The library holds single scenarios and suites (folders) of them. Sampled suites "
		"are networks drawn from a distribution that --describe tells: network i is a "
		"function of suite, seed and i, and goes to a file of its own. `train` and "
		"`heldout` share no network whatever the seeds, because every cell of bottleneck "
		"rate and delay belongs to one of them; `small` is a short sample of the latter's.",
	.options = scenarios_options,
	.heeds_interrupt = true,
	.run = run_scenarios,
};
