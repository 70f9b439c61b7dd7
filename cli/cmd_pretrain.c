/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm pretrain: make the built-in backbone.
 */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/progress.h"
#include "cli/command.h"
#include "learn/pretrain.h"

static struct {
	const char *directory;
	uint64_t seed, steps, networks, width, layers, heads;
	double seconds, rate;
	bool resume;
} chosen = {
	.directory = "models/builtin",
	.seed = 1,
	.steps = 3000,
	.networks = 192,
	.width = 160,
	.layers = 4,
	.heads = 5,
	.seconds = 20,
	.rate = 1.5e-3,
};

static const struct option options[] = {
	{"output", 'o', OPTION_TEXT, &chosen.directory, "DIR",
	 "Hugging Face directory to write (default models/builtin)", 0, 0},
	{"seed", 0, OPTION_U64, &chosen.seed, "S",
	 "seed of networks, weights and order (default 1)", 0, 0},
	{"steps", 0, OPTION_U64, &chosen.steps, "N", "optimizer steps (default 3000)", 1, 1e9},
	{"networks", 0, OPTION_U64, &chosen.networks, "N",
	 "sampled networks to learn from (default 192)", 1, 1e6},
	{"seconds", 0, OPTION_DOUBLE, &chosen.seconds, "S",
	 "simulated seconds per network (default 20)", 1, 3600},
	{"width", 0, OPTION_U64, &chosen.width, "N", "width of the network (default 160)", 8, 4096},
	{"layers", 0, OPTION_U64, &chosen.layers, "N", "layers (default 4)", 1, 64},
	{"heads", 0, OPTION_U64, &chosen.heads, "N", "attention heads (default 5)", 1, 64},
	{"lr", 0, OPTION_DOUBLE, &chosen.rate, "RATE",
	 "highest learning rate of the schedule (default 0.0015)", 1e-9, 1},
	{"resume", 0, OPTION_FLAG, &chosen.resume, NULL,
	 "go on from the checkpoint of an interrupted run with the same options", 0, 0},
	{0},
};

struct view {
	const struct command_common *common;
	double start_s;
	const char *stage;
};

static bool show(void *context, const struct pretrain_progress *progress)
{
	struct view *view = context;
	char note[96] = "", text[256];

	if (view->stage != progress->stage) {
		view->stage = progress->stage;
		view->start_s = clock_s();
	}
	if (!isnan(progress->loss))
		snprintf(note, sizeof(note), "loss %.3f  held out %.3f  action %.4f",
			 progress->loss, progress->held_out_loss, progress->held_out_action);
	progress_text(text, sizeof(text), progress->stage, (uint64_t)progress->done,
		      (uint64_t)progress->total, clock_s() - view->start_s, note);
	command_progress(view->common, text, progress->done == progress->total);
	return command_interrupted();
}

static void print_result(const struct command_common *common, const struct pretrain_result *result)
{
	if (common->json)
		printf("{\"directory\":\"%s\",\"parameters\":%lld,\"loss\":%.6f,"
		       "\"held_out_loss\":%.6f,\"held_out_action_loss\":%.6f,"
		       "\"constant_action_loss\":%.6f,\"training_rows\":%lld,"
		       "\"held_out_rows\":%lld}\n",
		       chosen.directory, (long long)result->parameters, result->loss,
		       result->held_out_loss, result->held_out_action, result->uniform_action,
		       (long long)result->training_rows, (long long)result->held_out_rows);
	else if (!common->quiet)
		printf("%s: %lld parameters, %lld rows of telemetry\n"
		       "nats per token: training %.4f, held-out networks %.4f\n"
		       "nats per action on held-out networks: %.4f (their frequencies alone: "
		       "%.4f)\n",
		       chosen.directory, (long long)result->parameters,
		       (long long)result->training_rows, result->loss, result->held_out_loss,
		       result->held_out_action, result->uniform_action);
}

static int run(const struct command_common *common, const char **operands, size_t count,
	       struct error *error)
{
	struct pretrain_options chosen_options;
	struct view view = {.common = common};
	struct pretrain_result result;
	int code;

	if (count > 0)
		return error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"pretrain takes no operands; see aqmllm pretrain --help");
	pretrain_defaults(&chosen_options);
	chosen_options.directory = chosen.directory;
	chosen_options.seed = chosen.seed;
	chosen_options.steps = (int64_t)chosen.steps;
	chosen_options.networks = (int64_t)chosen.networks;
	chosen_options.width = (int64_t)chosen.width;
	chosen_options.layers = (int64_t)chosen.layers;
	chosen_options.heads = (int64_t)chosen.heads;
	chosen_options.seconds = chosen.seconds;
	chosen_options.learning_rate = chosen.rate;
	chosen_options.resume = chosen.resume;
	if (chosen.width % chosen.heads != 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--heads",
				"must divide --width (%llu)", (unsigned long long)chosen.width);
	code = pretrain_run(&chosen_options, show, &view, &result, error);
	if (code)
		return command_goes_on(code, error, "the same command with --resume goes on");
	print_result(common, &result);
	return 0;
}

const struct command command_pretrain = {
	.name = "pretrain",
	.operands = "[-o DIR]",
	.summary = "make the built-in backbone: a language model of router telemetry",
	.details =
		"Samples networks (rates, round-trip times, traffic mixes, queue laws), simulates "
		"them, spells what their routers log as tokens, and trains a GPT-2 on them to "
		"predict the next token. The result is a Hugging Face directory with a "
		"vocabulary.json beside the weights. The same options on the same machine give the "
		"same bytes; an interrupted run goes on with --resume.",
	.options = options,
	.heeds_interrupt = true,
	.run = run,
};
