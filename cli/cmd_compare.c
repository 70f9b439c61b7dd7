/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm compare: the paper's comparison of backbone families on one pool.
 *
 * Every family is adapted by `aqmllm train` in a process of its own, so that
 * peak memory is its own too; then its decisions are timed on the pool's rows.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/comparison.h"
#include "cli/training_stage.h"

static struct {
	const char *output, *only;
	uint64_t epochs, windows, rows, seed;
	bool whole, no_full;
} o = {.only = "", .epochs = 80, .windows = 124, .rows = 200, .seed = 1};

static const struct option compare_options[] = {
	{"output", 'o', OPTION_TEXT, &o.output, "DIR",
	 "folder of policies, figures and report; "
	 "required",
	 0, 0},
	{"true-shapes", 0, OPTION_FLAG, &o.whole, NULL,
	 "the paper's models (124 M to 7 B parameters) in place of small ones; take few epochs and "
	 "windows",
	 0, 0},
	{"only", 0, OPTION_TEXT, &o.only, "NAME", "one family: gpt2, opt, llama or t5", 0, 0},
	{"epochs", 'e', OPTION_U64, &o.epochs, "N", "default 80, the paper's", 1, 100000},
	{"windows-per-epoch", 0, OPTION_U64, &o.windows, "N",
	 "default 124, what the released pool gives", 1, 1e9},
	{"rows", 0, OPTION_U64, &o.rows, "N", "decisions to time, with 24 to warm up; default 200",
	 25, 1e9},
	{"no-full", 0, OPTION_FLAG, &o.no_full, NULL,
	 "leave out the epoch of full fine-tuning beside the adapter", 0, 0},
	{"seed", 0, OPTION_U64, &o.seed, "N", "default 1", 0, 0},
	{0},
};

static int shape_write(char *shape, size_t size, const struct family *family, struct error *error)
{
	const char *text = o.whole ? family->whole : family->small;
	char path[4200];
	int code;

	snprintf(shape, size, "%s/shapes/%s", o.output, family->name);
	code = file_make_folders(shape, error);
	if (code == 0)
		code = file_join(path, sizeof(path), shape, "config.json", error);
	return code ? code : file_write_all(path, text, strlen(text), error);
}

static void say_training(struct stages *stages, const struct family *family, const char *pool,
			 const char *shape, const char *policy, uint64_t epochs)
{
	char number[3][32];

	snprintf(number[0], sizeof(number[0]), "%" PRIu64, epochs);
	snprintf(number[1], sizeof(number[1]), "%" PRIu64, o.windows);
	snprintf(number[2], sizeof(number[2]), "%" PRIu64, o.seed);
	stages_say(stages, "train", pool, "--backbone", shape, "--random-weights", "--epochs",
		   number[0], "--windows-per-epoch", number[1], "--patience", "0", "--seed",
		   number[2], "-o", policy);
	if (o.whole)
		stages_say(stages, "--batch", "1", "--precision", "bf16");
	if (o.whole && family->checkpoints)
		stages_say(stages, "--checkpoint-activations");
}

static double epoch_mean_s(const struct training_curve *curve)
{
	double sum = 0;

	for (size_t i = 0; i < curve->count; i++)
		sum += curve->epochs[i].seconds;
	return sum / (double)curve->count;
}

/* One epoch with every weight trained, for what it costs. */
static int full_run(struct stages *stages, struct comparison_arm *arm, const char *pool,
		    const char *shape, struct error *error)
{
	struct training_curve curve;
	char policy[4200];
	int code;

	arm->full_train_s = arm->full_peak_bytes = NAN;
	if (o.no_full || o.whole)
		return 0;
	snprintf(policy, sizeof(policy), "%s/%s_full", o.output, arm->family->name);
	say_training(stages, arm->family, pool, shape, policy, 1);
	stages_say(stages, "--full");
	code = training_stage_run(stages, "The same with every weight trained, one epoch", pool,
				  policy, error);
	arm->full_peak_bytes = (double)stages->peak_bytes;
	if (code == 0)
		code = training_curve_read(&curve, policy, error);
	if (code)
		return code;
	arm->full_train_s = epoch_mean_s(&curve);
	training_curve_free(&curve);
	return 0;
}

static int arm_run(struct stages *stages, struct comparison_arm *arm, const char *pool_path,
		   const struct pool *pool, struct error *error)
{
	char shape[4200], policy[4200], title[96];
	int code = shape_write(shape, sizeof(shape), arm->family, error);

	snprintf(policy, sizeof(policy), "%s/%s", o.output, arm->family->name);
	snprintf(title, sizeof(title), "%s is adapted", arm->family->title);
	if (code)
		return code;
	say_training(stages, arm->family, pool_path, shape, policy, o.epochs);
	code = training_stage_run(stages, title, pool_path, policy, error);
	arm->train_s = stages->seconds;
	arm->train_peak_bytes = (double)stages->peak_bytes;
	if (code == 0)
		code = training_curve_read(&arm->curve, policy, error);
	if (code)
		return code;
	arm->lora_epoch_s = epoch_mean_s(&arm->curve);
	code = full_run(stages, arm, pool_path, shape, error);
	return code ? code : decision_probe_run(&arm->decision, policy, pool, o.rows, error);
}

/* The families, one after the other up to the first that fails; counts those that finished. */
static int families_run(struct stages *stages, struct comparison *comparison, const char *pool_path,
			struct error *error)
{
	struct pool pool;
	int code;

	pool_init(&pool);
	code = pool_read(&pool, pool_path, error);
	for (size_t i = 0; code == 0 && i < FAMILIES; i++) {
		struct comparison_arm *arm = &comparison->arms[comparison->count];

		if (o.only[0] && strcmp(o.only, families[i].name) != 0)
			continue;
		arm->family = &families[i];
		code = arm_run(stages, arm, pool_path, &pool, error);
		comparison->count += code == 0;
	}
	pool_free(&pool);
	if (code == 0 && comparison->count == 0)
		code = error_at(error, ERR_INVALID, NULL, 0, "--only",
				"%s is none of gpt2, opt, llama, t5", o.only);
	return code;
}

/* The arms that finished.  All saw the same rows, so the rules beside them are scored once. */
static int tell(const struct command_common *common, struct comparison *comparison,
		struct error *error)
{
	char path[4200];
	int code;

	snprintf(path, sizeof(path), "%s/%s", o.output, comparison->arms[0].family->name);
	training_curve_score(&comparison->arms[0].curve, path);
	code = comparison_write(comparison, o.output, error);
	if (code)
		return code;
	if (!comparison->has_picture)
		fprintf(stderr,
			"aqmllm: warning: no pictures, there is no gnuplot; the numbers "
			"are in %s/figures\n",
			o.output);
	if (common->json || !common->quiet)
		comparison_print(comparison, common->json);
	snprintf(path, sizeof(path), "%s/report.html", o.output);
	if (!common->json && !common->quiet)
		printf("\n%s\n", path);
	return 0;
}

/* What finished is told even where a later family fails; the failure is the error then. */
static int compare(struct stages *stages, struct comparison *comparison, const char *pool_path,
		   struct error *error)
{
	struct error untold = {0};
	const size_t kept = file_existing_part(o.output);
	int code = file_make_folders(o.output, error), told = 0;

	if (code == 0)
		code = families_run(stages, comparison, pool_path, error);
	comparison->whole = o.whole;
	comparison->notes = stages->notes;
	if (comparison->count)
		told = tell(stages->common, comparison, code ? &untold : error);
	else
		file_remove_empty_folders(o.output, kept);
	return code ? code : told;
}

static int run_compare(const struct command_common *common, const char **operands, size_t count,
		       struct error *error)
{
	struct stages *stages;
	struct comparison *comparison;
	int code;

	if (count != 1 || !o.output)
		return error_set(error, ERR_INVALID,
				 "name a pool and a folder: aqmllm compare "
				 "POOL -o DIR");
	stages = calloc(1, sizeof(*stages));
	comparison = calloc(1, sizeof(*comparison));
	code = stages && comparison ? stages_init(stages, common, error)
				    : error_set(error, ERR_NO_MEMORY, "out of memory");
	if (code == 0)
		code = compare(stages, comparison, operands[0], error);
	for (size_t i = 0; comparison && i < FAMILIES; i++)
		training_curve_free(&comparison->arms[i].curve);
	free(comparison);
	free(stages);
	return command_goes_on(code, error, "the same command goes on");
}

const struct command command_compare = {
	.name = "compare",
	.operands = "POOL -o DIR",
	.summary = "the four backbone families on one pool: figures 9, 10, 17 to 20 of the paper",
	.details =
		"GPT-2, OPT, Llama 2 and T5 with random weights are adapted to the pool one after "
		"the other: loss and accuracy per epoch beside rules that know nothing, trainable "
		"parameters, peak memory, decision time and training time, as pictures with their "
		"numbers and a report. Small shapes by default; --true-shapes takes the paper's, "
		"which needs 20 GB for Llama 2 7 B and hours for 80 epochs: give --epochs and "
		"--windows-per-epoch.\n\n"
		"Beside each small shape stands an epoch of full fine-tuning (the paper: LoRA "
		"takes 64 % less memory and 15.1 % less time); not with --true-shapes. When a "
		"family fails, the report tells of those before it. The same command goes on where "
		"it was interrupted: a family that has finished is taken over, one that has not "
		"is resumed (its training time is then the sum of its epochs).",
	.options = compare_options,
	.heeds_interrupt = true,
	.run = run_compare,
};
