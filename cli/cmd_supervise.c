/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm supervise: experience from which a policy learns to move a law's settings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/command.h"
#include "cli/trial.h"
#include "learn/hindsight.h"

static struct {
	const char *settings, *reward, *output;
	uint64_t interval, seeds, seed, rows, threads;
	double explore;
} o = {
	.settings = "target_ms=2/target_ms=5/target_ms=15/target_ms=40",
	.reward = "hindsight",
	.interval = 100,
	.seeds = 2,
	.seed = 1,
	.rows = 4000,
	.explore = 0.5,
};

static const struct option supervise_options[] = {
	{"settings", 0, OPTION_TEXT, &o.settings, "TABLE",
	 "rows of DualPI2's settings, from one end to the other: NAME=VALUE:NAME=VALUE/... "
	 "(target_ms=2/target_ms=5/target_ms=15/target_ms=40)",
	 0, 0},
	{"reward", 0, OPTION_TEXT, &o.reward, "WHAT",
	 "what the best row is best in, as for tune (hindsight)", 0, 0},
	{"interval", 0, OPTION_U64, &o.interval, "N", "packets between moves (100)", 1, 1e9},
	{"seeds", 0, OPTION_U64, &o.seeds, "N", "runs of each row in each network (2)", 1, 1000},
	{"seed", 0, OPTION_U64, &o.seed, "S", "the first seed (1)", 0, 0},
	{"explore", 0, OPTION_DOUBLE, &o.explore, "SHARE",
	 "of moves that go anywhere, not towards the best row (0.5)", 0, 1},
	{"rows", 0, OPTION_U64, &o.rows, "N", "of the pool from one network, at most (4000)", 1,
	 1e9},
	{"jobs", 'j', OPTION_U64, &o.threads, "N",
	 "networks at a time; does not change results (0: one a core)", 0, 4096},
	{"output", 'o', OPTION_TEXT, &o.output, "POOL",
	 "pool to write: .jsonl, .csv or .safetensors; required", 0, 0},
	{0},
};

static bool asked_to_stop(void *context)
{
	(void)context;
	return command_interrupted();
}

static void print_table(const struct trial *trial, const struct hindsight_options *options,
			const struct hindsight_network *networks)
{
	printf("reward of each row, relative to DualPI2 as it is; * is the best\n");
	for (int r = 0; r < options->settings.rows; r++)
		printf("  row %d: %s\n", r + 1, options->settings.row[r]);
	for (size_t i = 0; i < trial->scenario_count; i++) {
		printf("%-20s", trial->scenarios[i].name);
		for (int r = 0; r < options->settings.rows; r++)
			printf(" %8.3f%c", networks[i].reward[r],
			       r == networks[i].best ? '*' : ' ');
		printf("  %zu rows\n", networks[i].rows);
	}
}

static int print_json(const struct trial *trial, const struct hindsight_options *options,
		      const struct hindsight_network *networks, struct error *error)
{
	json_t *root = json_object(), *list = json_array();
	int code = 0;

	for (size_t i = 0; i < trial->scenario_count; i++) {
		json_t *rewards = json_array();

		for (int r = 0; r < options->settings.rows; r++)
			json_array_append_new(rewards, json_real(networks[i].reward[r]));
		json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:I}", "network",
						      trial->scenarios[i].name, "rewards", rewards,
						      "best", networks[i].best + 1, "rows",
						      (json_int_t)networks[i].rows));
	}
	json_object_set_new(root, "pool", json_string(o.output));
	json_object_set_new(root, "settings", json_string(o.settings));
	json_object_set_new(root, "networks", list);
	if (json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)))
		code = error_set(error, ERR_IO, "cannot print the summary");
	putchar('\n');
	json_decref(root);
	return code;
}

static int supervise(const struct command_common *common, const struct trial *trial,
		     const struct hindsight_options *options, struct error *error)
{
	struct hindsight_network *networks = calloc(trial->scenario_count, sizeof(*networks));
	struct pool pool;
	int code;

	if (!networks)
		return error_set(error, ERR_NO_MEMORY, "out of memory for networks");
	pool_init(&pool);
	code = hindsight_run(options, trial->scenarios, trial->scenario_count, networks, &pool,
			     asked_to_stop, NULL, error);
	if (!code)
		code = pool_write(&pool, o.output, error);
	if (!code && common->json)
		code = print_json(trial, options, networks, error);
	else if (!code && !common->quiet)
		print_table(trial, options, networks);
	pool_free(&pool);
	free(networks);
	return code;
}

static int run_supervise(const struct command_common *common, const char **operands, size_t count,
			 struct error *error)
{
	struct hindsight_options options = {
		.interval = o.interval,
		.seeds = o.seeds,
		.seed = o.seed,
		.explore = o.explore,
		.most_rows = (size_t)o.rows,
		.threads = (unsigned)o.threads,
	};
	struct trial trial = {0};
	int code = 0;

	if (!o.output)
		return error_at(error, ERR_INVALID, NULL, 0, "--output",
				"name a pool to write: -o POOL.csv");
	if (count == 0)
		return error_set(error, ERR_INVALID,
				 "name networks: a sampled suite as train:N, a folder, a file");
	code = policy_settings_parse(&options.settings, o.settings, error);
	if (!code)
		code = objective_parse(&options.objective, o.reward, error);
	for (size_t i = 0; i < count && !code; i++)
		code = trial_read_suite(&trial, operands[i], error);
	if (!code)
		code = supervise(common, &trial, &options, error);
	trial_free(&trial);
	return code;
}

const struct command command_supervise = {
	.name = "supervise",
	.operands = "SUITE... -o POOL",
	.summary = "experience for policies that move a law's settings instead of judging packets",
	.details =
		"In every network DualPI2 (step floor of one packet) runs under each row of a "
		"table of settings; the row with the best reward is what a policy should have "
		"chosen there. Then the network runs once more while the settings walk between "
		"rows, and every Nth packet's record before the decision is written down with the "
		"move towards the best row: 0 keep, 1 down, 2 up.\n\n"
		"A policy for such moves is trained on that pool with the same table, `aqmllm "
		"train POOL --settings TABLE -o DIR`, and runs as any other: `simulate --policy "
		"DIR --interval N`. The guard puts the law's own settings in force where delay "
		"says that the policy leads nowhere.",
	.options = supervise_options,
	.heeds_interrupt = true,
	.run = run_supervise,
};
