/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm tune: a law tuned in hindsight for each network, and what that gains.
 *
 * Runs are those of a trial, so they are kept, go on after an interruption and
 * spread over ranks.  They come in two parts: all settings on the seeds for
 * tuning; then, on the other seeds, what was chosen.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/reward_help.h"
#include "cli/trial_spread.h"
#include "cli/trial_watch.h"
#include "cli/tuning.h"
#include "cli/tuning_report.h"
#include "cluster/ranks.h"

static struct {
	struct option_list students;
	const char *law, *reference, *against, *vary, *reward, *output;
	double duration_s, warmup_s, most_mbps;
	uint64_t settings, seeds, tuning_seeds, seed, threads;
} o = {
	.law = "dualpi2:min_qlen_step=1",
	.reference = "dualpi2:min_qlen_step=1",
	.reward = "hindsight",
	.settings = 50,
	.seeds = 3,
	.tuning_seeds = 2,
	.seed = 1,
};

static const struct option tune_options[] = {
	{"law", 0, OPTION_TEXT, &o.law, "LAW",
	 "the law to tune, LAW:NAME=VALUE:... with settings of its own; default "
	 "dualpi2:min_qlen_step=1, DualPI2 whose step is no lower than a packet",
	 0, 0},
	{"vary", 0, OPTION_TEXT, &o.vary, "NAME=LOW..HIGH,...",
	 "what is varied, words as NAME=WORD/WORD; ranges of a factor 4 and more are spread by "
	 "ratio; default target_ms=1..60,step_ms=0.25..4,k=0.5..8 as far as the law has them",
	 0, 0},
	{"settings", 0, OPTION_U64, &o.settings, "N",
	 "tried in each network, besides the law as it is; default 50", 1, TUNING_MAX_SETTINGS},
	{"seeds", 0, OPTION_U64, &o.seeds, "N", "to compare on; default 3", 1, 1000},
	{"tuning-seeds", 0, OPTION_U64, &o.tuning_seeds, "N",
	 "to choose on, none of which is compared on; default 2", 1, 1000},
	{"seed", 0, OPTION_U64, &o.seed, "S", "the first seed; default 1", 0, 0},
	{"reward", 0, OPTION_TEXT, &o.reward, "REWARD",
	 "what is best: a name, NAME=WEIGHT,... or both; default hindsight", 0, 0},
	{"reference", 0, OPTION_TEXT, &o.reference, "LAW",
	 "whose run of the same network and seed rewards are relative to; default "
	 "dualpi2:min_qlen_step=1",
	 0, 0},
	{"against", 0, OPTION_TEXT, &o.against, "LAW,...",
	 "laws, untuned, to compare with the tuned one; LAW:NAME=VALUE:... sets parameters", 0, 0},
	{"student", 0, OPTION_LIST, &o.students, "FILE.aqms",
	 "a student to compare with the tuned law, guard on; may be repeated", 0, 0},
	{"duration-s", 0, OPTION_DOUBLE, &o.duration_s, "S",
	 "of a run on a sampled network; default: as the suite has it", 0, 100000},
	{"warmup-s", 0, OPTION_DOUBLE, &o.warmup_s, "S",
	 "of it, not rewarded; default with --duration-s: a quarter", 0, 100000},
	{"most-mbps", 0, OPTION_DOUBLE, &o.most_mbps, "R",
	 "sample no link with a higher rate; default: as the suite has it", 0, 1000},
	{"jobs", 'j', OPTION_U64, &o.threads, "N", "runs at a time; default 0: one a core", 0,
	 4096},
	{"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder of runs and tables; required", 0,
	 0},
	{0},
};

static int prepare(struct tuning *tuning, const char *suite, struct error *error)
{
	const struct tuning_laws laws = {
		.reference = o.reference,
		.law = o.law,
		.beside = o.against,
		.students = &o.students,
		.vary = o.vary,
	};
	int code = objective_parse(&tuning->objective, o.reward, error);

	if (code == 0 && o.warmup_s > 0 && o.warmup_s >= o.duration_s)
		code = error_at(error, ERR_RANGE, NULL, 0, "--warmup-s",
				"give a longer --duration-s too");
	tuning->trial.sampling = (struct trial_sampling){
		o.duration_s, o.warmup_s > 0 ? o.warmup_s : o.duration_s / 4, o.most_mbps};
	if (code == 0)
		code = trial_read_suite(&tuning->trial, suite, error);
	if (code)
		return code;
	tuning->settings = o.settings;
	tuning->tuning_seeds = o.tuning_seeds;
	tuning->other_seeds = o.seeds;
	tuning->trial.first_seed = o.seed;
	tuning->trial.folder = o.output;
	code = tuning_prepare(tuning, &laws, error);
	return code ? code : trial_keys(&tuning->trial, error);
}

/* What is wanted now, over all ranks; every rank hears how it went. */
static int run_part(struct tuning *tuning, const struct ranks *ranks, struct error *error)
{
	struct trial *trial = &tuning->trial;
	int code = 0, *codes = calloc((size_t)ranks->count, sizeof(*codes));

	if (codes == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	if (ranks->count == 1)
		code = trial_run_all(trial, (unsigned)o.threads, error);
	else if (ranks->rank == 0)
		code = trial_spread_lead(ranks, trial, error);
	else
		trial_spread_follow(trial);
	ranks_gather(ranks, &code, sizeof(code), codes);
	code = codes[0];
	free(codes);
	return code;
}

/* Followers run and know nothing of outcomes. */
static int run_parts(struct tuning *tuning, const struct ranks *ranks, struct error *error)
{
	int code;

	tuning_want_settings(tuning);
	code = run_part(tuning, ranks, error);
	if (code)
		return code;
	if (ranks->rank == 0) {
		tuning_choose(tuning);
		tuning_want_chosen(tuning);
		trial_forget(&tuning->trial);
	}
	return run_part(tuning, ranks, error);
}

static int tell(const struct command_common *common, const struct tuning *tuning,
		struct error *error)
{
	bool pictured;
	int code = tuning_report_write(tuning, o.output, &pictured, error);

	if (code == 0 && (common->json || !common->quiet))
		code = tuning_report_print(stdout, tuning, common->json, error);
	if (code == 0 && !common->json && !common->quiet)
		printf("%s/networks.csv\n%s/figures/gain.%s\n", o.output, o.output,
		       pictured ? "svg" : "csv");
	return code;
}

static int tune_on(const struct command_common *common, const struct ranks *ranks,
		   const char *suite, struct error *error)
{
	struct tuning *tuning = calloc(1, sizeof(*tuning));
	struct trial_watch watch;
	int code = tuning ? prepare(tuning, suite, error)
			  : error_set(error, ERR_NO_MEMORY, "out of memory");

	if (code == 0 && ranks->rank == 0)
		code = file_make_folders(o.output, error);
	if (tuning)
		trial_watch_open(&watch, common, &tuning->trial, "tune");
	if (ranks->count > 1 && tuning)
		code = trial_spread_meet(ranks, &tuning->trial, code, error);
	if (code == 0)
		code = run_parts(tuning, ranks, error);
	command_progress(common, "", false);
	if (code == 0 && ranks->rank == 0)
		code = tell(common, tuning, error);
	if (tuning)
		tuning_free(tuning);
	free(tuning);
	return code;
}

/* Under mpirun rank 0 speaks for all, also of failures. */
static int tune(const struct command_common *common, const char **operands, size_t count,
		struct error *error)
{
	struct ranks ranks;
	bool leads;
	int code;

	if (o.output == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, "--output", "name the folder: -o DIR");
	if (count != 1)
		return error_set(error, ERR_INVALID,
				 "name one suite: a scenario, a folder of them, or a name that "
				 "aqmllm scenarios lists");
	code = ranks_open(&ranks, error);
	if (code)
		return code;
	leads = ranks.rank == 0;
	code = tune_on(common, &ranks, operands[0], error);
	ranks_close(&ranks);
	return leads ? command_goes_on(code, error, "the same command goes on") : 0;
}

const struct command command_tune = {
	.name = "tune",
	.operands = "SUITE -o DIR",
	.summary = "tune a law in hindsight for each network of a suite: the room there is",
	.details =
		"SUITE is as in aqmllm evaluate. In every network the law runs as it is and with N "
		"settings, spread evenly over the ranges of --vary (the same settings in every "
		"network, and the first N of any larger N), on the seeds for tuning; the best of "
		"them runs again, beside the law as it is, on seeds that the choice has not seen. "
		"The gain in the median network is what a law that knew where it is could win.\n\n"
		"DIR receives networks.csv (chosen settings, rewards, gains and figures of each "
		"network; the gain on the tuning seeds beside it shows what the choice flattered "
		"itself with), settings.csv (every setting in every network), figures/ and runs/, "
		"from which an interrupted command goes on when it is given again; more settings "
		"or seeds only add runs. mpirun spreads runs over ranks. Results are the same on "
		"any number of cores.\n\n" REWARD_HELP,
	.options = tune_options,
	.heeds_interrupt = true,
	.run = tune,
};
