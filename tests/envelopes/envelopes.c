/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Closed-loop runs of published experiments, printed beside the published
 * figures and held to their bounds.
 *
 * usage: envelopes [--quick] [--seeds N] [--only TEXT]
 *
 * A bound holds when the mean over the seeds lies within it.  Exit status 1
 * when one does not, or when a case cannot run.  --quick takes the cases of
 * `make check`, 30 s each.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "report/statistics.h"
#include "tests/envelopes/cases.h"

#define SEEDS_MAX 100

struct outcome {
	double values[ENVELOPE_ROWS][SEEDS_MAX];
	char problem[SEEDS_MAX][200]; /* why a run gave nothing */
};

struct job {
	const struct envelope_case *cases;
	struct outcome *outcomes;
	size_t seeds;
};

static int run_job(void *context, size_t index)
{
	const struct job *job = context;
	const struct envelope_case *which = &job->cases[index / job->seeds];
	struct outcome *outcome = &job->outcomes[index / job->seeds];
	const size_t at = index % job->seeds;
	const struct sim_options options = {.seed = at + 1};
	struct scenario *scenario = malloc(sizeof(*scenario));
	struct sim_result result = {0};
	struct error error = {0};
	int code;

	if (!scenario)
		return ERR_NO_MEMORY;
	envelope_scenario(which, scenario);
	code = scenario_check(scenario, &error);
	if (!code)
		code = sim_run(scenario, &options, &result, &error);
	if (code)
		snprintf(outcome->problem[at], sizeof(outcome->problem[at]), "%.199s", error.text);
	for (unsigned row = 0; !code && row < which->row_count; row++)
		outcome->values[row][at] =
			envelope_measure(which, which->rows[row].figure, &result);
	sim_result_free(&result);
	scenario_free(scenario);
	free(scenario);
	return 0;
}

static void bound_text(const struct envelope_row *row, char *text, size_t size)
{
	if (isnan(row->lower) && isnan(row->upper))
		snprintf(text, size, "-");
	else if (isnan(row->lower))
		snprintf(text, size, "<= %.4g", row->upper);
	else if (isnan(row->upper))
		snprintf(text, size, ">= %.4g", row->lower);
	else
		snprintf(text, size, "%.4g to %.4g", row->lower, row->upper);
}

static bool row_holds(const struct envelope_row *row, double mean)
{
	return !isnan(mean) && !(mean < row->lower) && !(mean > row->upper);
}

/* Prints the rows of a case; counts in kept[false], kept[true] bounds missed and met. */
static void print_case(const struct envelope_case *which, const struct outcome *outcome,
		       size_t seeds, unsigned kept[2])
{
	printf("%s\n", which->name);
	for (size_t i = 0; i < seeds; i++)
		if (outcome->problem[i][0]) {
			printf("  did not run: %s\n", outcome->problem[i]);
			kept[false]++;
			return;
		}
	for (unsigned i = 0; i < which->row_count; i++) {
		const struct envelope_row *row = &which->rows[i];
		const struct interval mean = statistics_interval(outcome->values[i], seeds);
		const bool bound = !isnan(row->lower) || !isnan(row->upper);
		const bool holds = row_holds(row, mean.mean);
		char published[16] = "-", expected[32];

		if (!isnan(row->published))
			snprintf(published, sizeof(published), "%.4g", row->published);
		bound_text(row, expected, sizeof(expected));
		printf("  %-18s %9.4g +- %-9.2g %-16s %9s  %s\n",
		       envelope_figure_names[row->figure], mean.mean, mean.half_width, expected,
		       published, !bound ? "reported" : holds ? "met" : "MISSED");
		kept[holds] += bound;
	}
}

/* Keeps the cases wanted; returns how many. */
static size_t select_cases(struct envelope_case *cases, size_t count, bool quick, const char *only)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if ((quick && !cases[i].quick) || (only && !strstr(cases[i].name, only)))
			continue;
		cases[kept] = cases[i];
		if (quick)
			cases[kept].duration_s = 30;
		kept++;
	}
	return kept;
}

static int run_cases(const struct envelope_case *cases, size_t count, size_t seeds)
{
	struct outcome *outcomes = calloc(count + 1, sizeof(*outcomes));
	struct job job = {cases, outcomes, seeds};
	unsigned kept[2] = {0, 0};
	int code = outcomes ? parallel_for(count * seeds, 0, run_job, &job) : ERR_NO_MEMORY;

	if (code) {
		fprintf(stderr, "envelopes: out of memory\n");
		free(outcomes);
		return 1;
	}
	printf("%-20s %9s    %-9s %-16s %9s\n", "", "mean", "95 %", "bound", "published");
	for (size_t i = 0; i < count; i++)
		print_case(&cases[i], &outcomes[i], seeds, kept);
	printf("%u of %u bounds met, %zu seeds\n", kept[true], kept[true] + kept[false], seeds);
	free(outcomes);
	return kept[false] != 0;
}

int main(int argc, char **argv)
{
	bool quick = false;
	long seeds = 5;
	const char *only = NULL;
	size_t count = 0;
	struct envelope_case *cases;
	int status;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quick") == 0)
			quick = true;
		else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc)
			seeds = strtol(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
			only = argv[++i];
		else
			seeds = 0;
	}
	if (seeds < 3 || seeds > SEEDS_MAX) {
		fprintf(stderr, "usage: envelopes [--quick] [--seeds 3..%d] [--only TEXT]\n",
			SEEDS_MAX);
		return 2;
	}
	cases = envelope_cases(&count);
	if (!cases)
		return 1;
	count = select_cases(cases, count, quick, only);
	status = run_cases(cases, count, quick ? 3 : (size_t)seeds);
	free(cases);
	return status;
}
