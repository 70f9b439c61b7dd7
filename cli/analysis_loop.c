/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The closed loop as it stands: drift, supremum, memory.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/analysis.h"
#include "report/autocorrelation.h"
#include "report/drift.h"

#define BLOCK_S 5 /* of the bootstrap: longer than these loops remember, which mixing tells */

/* The steady runs of an arm after warm-up. */
struct arm_runs {
	const char *name;
	double target_ms, sample_ms;
	const double **series; /* (runs) */
	size_t runs, count;
};

static int arm_runs_take(struct arm_runs *runs, const struct analysis *analysis, size_t arm,
			 struct error *error)
{
	const struct trial *trial = &analysis->trial;

	*runs = (struct arm_runs){
		.name = trial->arms[arm].name,
		.target_ms = analysis->targets_ms[arm],
		.sample_ms = analysis->options.sample_ms,
		.series = calloc(trial->seeds + 1, sizeof(*runs->series)),
		.runs = trial->seeds,
	};
	if (runs->series == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the runs");
	for (size_t s = 0; s < trial->seeds; s++)
		runs->series[s] = analysis_course(analysis, 0, arm, s,
						  trial->scenarios[0].warmup_s, &runs->count);
	return 0;
}

/* Calls tell() for every arm. */
static int each_arm(const struct analysis *analysis, struct findings *findings, void *context,
		    int (*tell)(const struct analysis *analysis, const struct arm_runs *runs,
				struct findings *findings, void *context, struct error *error),
		    struct error *error)
{
	int code = 0;

	for (size_t a = 0; code == 0 && a < analysis->trial.arm_count; a++) {
		struct arm_runs runs;

		code = arm_runs_take(&runs, analysis, a, error);
		if (code == 0)
			code = tell(analysis, &runs, findings, context, error);
		free(runs.series);
	}
	return code;
}

/* ---- drift ---- */

#define DRIFT_HORIZONS 2

/* Drift of all arms at one horizon, for the picture. */
struct drift_picture {
	struct figure figure;
	double x[TRIAL_MAX_ARMS][DRIFT_BINS], y[TRIAL_MAX_ARMS][DRIFT_BINS];
	char names[TRIAL_MAX_ARMS][TRIAL_NAME_BYTES];
};

static const struct findings_column drift_columns[] = {
	{"arm", "arm"},
	{"horizon_ms", "over ms"},
	{"from_ms", "from ms"},
	{"to_ms", "to ms"},
	{"samples", "samples"},
	{"share", "share"},
	{"drift_ms2", "drift, ms²"},
	{"low_ms2", "95 % from"},
	{"high_ms2", "to"},
	{"sign", "sign"},
};

static void drift_row(struct findings *findings, const struct arm_runs *runs, double horizon_ms,
		      const struct drift_bin *bin)
{
	const struct findings_cell cells[] = {
		{runs->name, 0},
		{NULL, horizon_ms},
		{NULL, bin->low},
		{NULL, bin->high},
		{NULL, (double)bin->count},
		{NULL, bin->share},
		{NULL, bin->drift},
		{NULL, bin->bounds.low},
		{NULL, bin->bounds.high},
		{bin->sign < 0 ? "negative" : bin->sign > 0 ? "positive" : "open", 0},
	};

	if (bin->count)
		findings_row(findings, cells);
}

static void drift_draw(struct drift_picture *picture, const struct arm_runs *runs,
		       const struct drift *drift)
{
	const size_t i = picture->figure.series_count;
	size_t count = 0;

	if (i >= FIGURE_MAX_SERIES)
		return;
	for (size_t b = 0; b < DRIFT_BINS; b++) {
		const struct drift_bin *bin = &drift->bins[b];

		if (!bin->count)
			continue;
		picture->x[i][count] = isfinite(bin->high) ? (bin->low + bin->high) / 2 : bin->low;
		picture->y[i][count++] = bin->drift;
	}
	snprintf(picture->names[i], sizeof(picture->names[i]), "%s", runs->name);
	picture->figure.series[picture->figure.series_count++] = (struct figure_series){
		.name = picture->names[i], .x = picture->x[i], .y = picture->y[i], .count = count};
}

/* Foster's criterion: where is the drift shown to be negative, where not? */
static void drift_judge(struct findings *findings, const struct arm_runs *runs,
			const struct drift *drift, double horizon_ms)
{
	double negative = 0, positive = 0, low = INFINITY, high = 0;

	for (size_t b = 0; b < DRIFT_BINS; b++) {
		const struct drift_bin *bin = &drift->bins[b];

		if (isnan(bin->bounds.low))
			continue;
		negative += bin->sign < 0 ? bin->share : 0;
		positive += bin->sign > 0 ? bin->share : 0;
		if (bin->sign >= 0) {
			low = fmin(low, bin->low);
			high = fmax(high, bin->high);
		}
	}
	findings_verdict(findings,
			 "%s, over %.4g ms: the drift is negative in states that hold %.1f %% of "
			 "the time and positive in %.1f %%: as an inequality in every state, "
			 "E[V(s')] - V(s) < 0 is %s",
			 runs->name, horizon_ms, 100 * negative, 100 * positive,
			 positive > 0 ? "refuted on these runs" : "not refuted on these runs");
	if (high > 0)
		findings_verdict(findings,
				 "%s, over %.4g ms: outside %.4g to %.4g ms it is negative where "
				 "there were enough samples; mean V %.4g ms²",
				 runs->name, horizon_ms, low, high, drift->mean_v);
}

/* One sample, and about a tenth of a second: a round trip and more of most networks. */
static size_t horizon_of(const struct arm_runs *runs, int which)
{
	const double samples = 100 / runs->sample_ms;

	return which == 0 || samples < 1.5 ? 1 : (size_t)(samples + 0.5);
}

static int tell_drift(const struct analysis *analysis, const struct arm_runs *runs,
		      struct findings *findings, void *context, struct error *error)
{
	struct drift_picture *picture = context;

	(void)analysis;
	for (int h = 0; h < DRIFT_HORIZONS; h++) {
		const struct drift_options options = {
			.target = runs->target_ms,
			.horizon = horizon_of(runs, h),
			.block = (size_t)fmax(1, BLOCK_S * 1e3 / runs->sample_ms),
		};
		const double horizon_ms = (double)options.horizon * runs->sample_ms;
		struct drift drift;

		if (drift_measure(&drift, &options, runs->series, runs->runs, runs->count))
			return error_set(error, ERR_NO_MEMORY, "out of memory for the drift");
		for (size_t b = 0; b < DRIFT_BINS; b++)
			drift_row(findings, runs, horizon_ms, &drift.bins[b]);
		drift_judge(findings, runs, &drift, horizon_ms);
		if (h == DRIFT_HORIZONS - 1)
			drift_draw(picture, runs, &drift);
	}
	return 0;
}

static int drift_part(const struct analysis *analysis, struct findings *findings,
		      struct error *error)
{
	struct drift_picture *picture = calloc(1, sizeof(*picture));
	int code;

	if (picture == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a figure");
	findings_section(findings, "Lyapunov drift");
	findings_say(findings,
		     "E[V(s')] - V(s) with V = (queue delay - target)², by bins of the queue "
		     "delay; a state is the mean delay of packets that left within %g ms, s' the "
		     "state one sample, or about 100 ms, later; runs without their warm-up. "
		     "Intervals: bootstrap over blocks of %d s. V is 0 at the target and never "
		     "below, so there the drift of every law is 0 or more: the paper's inequality "
		     "can hold outside a bounded set (Foster), not in every state.",
		     analysis->options.sample_ms, BLOCK_S);
	findings_table(findings, "drift", "Drift by queue delay; \"open\": the interval holds 0",
		       drift_columns, sizeof(drift_columns) / sizeof(*drift_columns));
	code = each_arm(analysis, findings, picture, tell_drift, error);
	if (code == 0)
		findings_table_end(findings);
	picture->figure.kind = FIGURE_LINES;
	picture->figure.title = "Lyapunov drift over about 100 ms";
	picture->figure.x_label = "queue delay, ms";
	picture->figure.y_label = "E[V(s')] - V(s), ms^2";
	picture->figure.lines[picture->figure.line_count++] = (struct figure_line){"0", 0};
	if (code == 0)
		findings_figure(findings, &picture->figure, "drift",
				"Lyapunov drift by queue delay");
	free(picture);
	return code;
}

/* ---- supremum ---- */

static const struct findings_column supremum_columns[] = {
	{"arm", "arm"},	      {"epsilon_ms", "eps, ms"},
	{"runs", "runs"},     {"within", "within eps"},
	{"probability", "P"}, {"low", "95 % from"},
	{"high", "to"},
};

static double supremum_of(const double *series, size_t count, double target_ms)
{
	double supremum = 0;

	for (size_t i = 0; i < count; i++)
		supremum = fmax(supremum, fabs(series[i] - target_ms));
	return supremum;
}

static int tell_supremum(const struct analysis *analysis, const struct arm_runs *runs,
			 struct findings *findings, void *context, struct error *error)
{
	const struct analysis_options *options = &analysis->options;

	(void)context;
	(void)error;
	for (size_t e = 0; e < options->epsilon_count; e++) {
		size_t within = 0;
		struct bounds bounds;

		for (size_t r = 0; r < runs->runs; r++)
			within += supremum_of(runs->series[r], runs->count, runs->target_ms) <=
				  options->epsilons_ms[e];
		bounds = statistics_proportion(within, runs->runs);
		findings_row(findings, (const struct findings_cell[]){
					       {runs->name, 0},
					       {NULL, options->epsilons_ms[e]},
					       {NULL, (double)runs->runs},
					       {NULL, (double)within},
					       {NULL, (double)within / (double)runs->runs},
					       {NULL, bounds.low},
					       {NULL, bounds.high},
				       });
	}
	return 0;
}

static int judge_supremum(const struct analysis *analysis, const struct arm_runs *runs,
			  struct findings *findings, void *context, struct error *error)
{
	double least = INFINITY, most = 0;

	(void)context;
	(void)error;
	for (size_t r = 0; r < runs->runs; r++) {
		const double s = supremum_of(runs->series[r], runs->count, runs->target_ms);

		least = fmin(least, s);
		most = fmax(most, s);
	}
	findings_verdict(findings,
			 "%s: over %.4g s the largest deviation from %.4g ms was %.4g to %.4g ms "
			 "in %zu runs; P(sup <= %.4g ms) is at least %.3f with 97.5 %% confidence",
			 runs->name,
			 analysis->trial.scenarios[0].duration_s -
				 analysis->trial.scenarios[0].warmup_s,
			 runs->target_ms, least, most, runs->runs, most,
			 statistics_proportion(runs->runs, runs->runs).low);
	return 0;
}

static int supremum_part(const struct analysis *analysis, struct findings *findings,
			 struct error *error)
{
	int code;

	findings_section(findings, "Largest deviation");
	findings_say(findings,
		     "P(sup over t >= T0 of |queue delay - target| <= eps): the share of runs, one "
		     "a seed, in which no sample of %g ms from the end of warm-up to the end of "
		     "the run lies further off, with exact binomial intervals (Clopper and "
		     "Pearson). The run's length is part of the claim: a noisy loop left alone "
		     "long enough exceeds every eps.",
		     analysis->options.sample_ms);
	findings_table(findings, "supremum", "Runs that stay within eps of the target",
		       supremum_columns, sizeof(supremum_columns) / sizeof(*supremum_columns));
	code = each_arm(analysis, findings, NULL, tell_supremum, error);
	if (code == 0)
		findings_table_end(findings);
	return code ? code : each_arm(analysis, findings, NULL, judge_supremum, error);
}

/* ---- mixing ---- */

static const struct findings_column mixing_columns[] = {
	{"arm", "arm"},
	{"mean_ms", "mean delay, ms"},
	{"deviation_ms", "deviation, ms"},
	{"time_ms", "tau, ms"},
	{"low_ms", "95 % from"},
	{"high_ms", "to"},
	{"window_ms", "summed to, ms"},
	{"independent", "independent samples a run"},
};

static int tell_mixing(const struct analysis *analysis, const struct arm_runs *runs,
		       struct findings *findings, void *context, struct error *error)
{
	const struct autocorrelation_time time =
		autocorrelation_time_of(runs->series, runs->runs, runs->count);
	double mean = 0, square = 0;
	const double n = (double)(runs->runs * runs->count), ms = runs->sample_ms;

	(void)analysis;
	(void)context;
	(void)error;
	for (size_t r = 0; r < runs->runs; r++) {
		for (size_t i = 0; i < runs->count; i++) {
			mean += runs->series[r][i] / n;
			square += runs->series[r][i] * runs->series[r][i] / n;
		}
	}
	findings_row(findings, (const struct findings_cell[]){
				       {runs->name, 0},
				       {NULL, mean},
				       {NULL, sqrt(fmax(0, square - mean * mean))},
				       {NULL, time.samples * ms},
				       {NULL, time.bounds.low * ms},
				       {NULL, time.bounds.high * ms},
				       {NULL, time.window ? (double)time.window * ms : NAN},
				       {NULL, (double)runs->count / time.samples},
			       });
	if (time.window == 0 && !isnan(time.samples))
		findings_verdict(findings,
				 "%s: the queue delay remembers longer than half a run; its mixing "
				 "time is only a lower bound",
				 runs->name);
	return 0;
}

static int mixing_part(const struct analysis *analysis, struct findings *findings,
		       struct error *error)
{
	int code;

	findings_section(findings, "Mixing time of the closed loop");
	findings_say(findings,
		     "Integrated autocorrelation time of the queue delay, tau = 1 + 2 sum of the "
		     "autocorrelations, summed to the lag W with 2 W >= 5 tau (Sokal): a run of "
		     "length T tells as much of the mean as T / tau independent samples. "
		     "Intervals: bootstrap over runs.");
	findings_table(findings, "mixing", "Autocorrelation time of the queue delay",
		       mixing_columns, sizeof(mixing_columns) / sizeof(*mixing_columns));
	code = each_arm(analysis, findings, NULL, tell_mixing, error);
	if (code == 0)
		findings_table_end(findings);
	return code;
}

int analysis_loop(const struct analysis *analysis, struct findings *findings, struct error *error)
{
	int code = drift_part(analysis, findings, error);

	if (code == 0)
		code = supremum_part(analysis, findings, error);
	return code ? code : mixing_part(analysis, findings, error);
}
