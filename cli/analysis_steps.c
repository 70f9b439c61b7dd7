/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Steps of load and rate: the mean course over seeds, and what it does.
 *
 * One run's queue delay never rests: windows saw.  What settles is its mean
 * over runs, so that is judged, smoothed over a fifth of a second; intervals
 * come from runs drawn again.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/analysis.h"
#include "report/bootstrap.h"
#include "report/step_response.h"

#define SMOOTH_S 0.2
#define FINAL_SHARE 3	   /* the last third after the step is the final value */
#define BAND_LEAST_MS 1.0  /* a band never is narrower */
#define HOLD_S 3	   /* in the band: the mean of few runs leaves it again now and then */
#define BEFORE_S 5	   /* shown before the step */

static const char *const titles[] = {"steady", "twice the flows", "half the rate", NULL};

/* The courses of one arm after one step. */
struct arm_step {
	const struct analysis *analysis;
	size_t scenario, arm;
	size_t count; /* samples after the step */
	struct step_response_options options;
	double *mean; /* (count): scratch of whoever asks */
};

/* Mean over the chosen seeds, smoothed over the samples that were there before: causal. */
static void mean_course(const struct arm_step *step, const size_t *chosen, size_t units,
			double from_s, double *mean)
{
	const double sample_s = step->options.sample_s;
	const size_t window = (size_t)fmax(1, SMOOTH_S / sample_s + 0.5);
	size_t count = 0;
	double sum = 0;

	for (size_t i = 0; i < units; i++) {
		const double *course = analysis_course(step->analysis, step->scenario, step->arm,
						       chosen[i], from_s, &count);

		for (size_t k = 0; k < count; k++)
			mean[k] = (i ? mean[k] : 0) + course[k] / (double)units;
	}
	/* From the end, so that what is read has not been written. */
	for (size_t k = count; k-- > 0;) {
		const size_t from = k + 1 > window ? k + 1 - window : 0;

		sum = 0;
		for (size_t j = from; j <= k; j++)
			sum += mean[j];
		mean[k] = sum / (double)(k + 1 - from);
	}
}

static struct step_response response_of(const struct arm_step *step, const size_t *chosen,
					size_t units)
{
	mean_course(step, chosen, units, step->analysis->step_s, step->mean);
	return step_response_of(step->mean, step->count, &step->options);
}

static double draw_settling(const void *context, const size_t *chosen, size_t units)
{
	return response_of(context, chosen, units).settling_s;
}

static double draw_overshoot(const void *context, const size_t *chosen, size_t units)
{
	return response_of(context, chosen, units).overshoot;
}

static const struct findings_column columns[] = {
	{"step", "step"},
	{"arm", "arm"},
	{"before_ms", "before, ms"},
	{"final_ms", "final, ms"},
	{"band_ms", "band, ± ms"},
	{"settling_s", "settles in s"},
	{"settling_low_s", "95 % from"},
	{"settling_high_s", "to"},
	{"overshoot_ms", "overshoot, ms"},
	{"overshoot_low_ms", "95 % from"},
	{"overshoot_high_ms", "to"},
	{"overshoot_share", "of final"},
};

static double mean_before(const struct arm_step *step)
{
	const struct trial *trial = &step->analysis->trial;
	const double warmup_s = trial->scenarios[0].warmup_s;
	double sum = 0;
	size_t count = 0;

	for (size_t s = 0; s < trial->seeds; s++) {
		const double *course = analysis_course(step->analysis, step->scenario, step->arm, s,
						       warmup_s, &count);

		count -= step->count < count ? step->count : count;
		for (size_t k = 0; k < count; k++)
			sum += course[k];
	}
	return count ? sum / (double)(count * trial->seeds) : NAN;
}

static void judge(struct findings *findings, const struct arm_step *step, const char *title,
		  const struct step_response *response, const struct bounds *settling)
{
	const char *arm = step->analysis->trial.arms[step->arm].name;

	if (isinf(response->settling_s))
		findings_verdict(findings,
				 "%s, %s: the mean delay does not stay within %.3g ms of its final "
				 "%.4g ms for %d s in the %.4g s that were looked at",
				 title, arm, response->band, response->final, HOLD_S,
				 (double)step->count * step->options.sample_s);
	else
		findings_verdict(findings,
				 "%s, %s: within %.3g ms of the final %.4g ms after %.3g s (95 %%: "
				 "%.3g to %.3g), overshoot %.3g ms",
				 title, arm, response->band, response->final,
				 response->settling_s, settling->low, settling->high,
				 response->overshoot);
}

static void tell(struct findings *findings, const struct arm_step *step, const size_t *all,
		 const char *title)
{
	const struct trial *trial = &step->analysis->trial;
	const struct step_response response = response_of(step, all, trial->seeds);
	const struct bounds settling = bootstrap_bounds(trial->seeds, 1, draw_settling, step);
	const struct bounds overshoot = bootstrap_bounds(trial->seeds, 1, draw_overshoot, step);

	findings_row(findings, (const struct findings_cell[]){
				       {title, 0},
				       {trial->arms[step->arm].name, 0},
				       {NULL, mean_before(step)},
				       {NULL, response.final},
				       {NULL, response.band},
				       {NULL, response.settling_s},
				       {NULL, settling.low},
				       {NULL, settling.high},
				       {NULL, response.overshoot},
				       {NULL, overshoot.low},
				       {NULL, overshoot.high},
				       {NULL, response.overshoot / response.final},
			       });
	judge(findings, step, title, &response, &settling);
}

/* The courses of all arms around the step. */
static int draw_courses(const struct analysis *analysis, size_t scenario, const size_t *all,
			const char *title, const char *name, struct findings *findings,
			struct error *error)
{
	const struct trial *trial = &analysis->trial;
	const double from_s = fmax(0, analysis->step_s - BEFORE_S);
	struct figure *figure = calloc(1, sizeof(*figure));
	double *memory = calloc((trial->arm_count + 1) * (analysis->samples + 1), sizeof(*memory));
	size_t count = 0;

	for (size_t a = 0; figure && memory && a < trial->arm_count; a++) {
		const struct arm_step step = {
			.analysis = analysis,
			.scenario = scenario,
			.arm = a,
			.options.sample_s = analysis->options.sample_ms / 1e3,
		};
		double *y = memory + (a + 1) * (analysis->samples + 1);

		if (figure->series_count == FIGURE_MAX_SERIES)
			break;
		analysis_course(analysis, scenario, a, 0, from_s, &count);
		mean_course(&step, all, trial->seeds, from_s, y);
		for (size_t k = 0; k < count; k++)
			memory[k] = from_s + ((double)k + 1) * step.options.sample_s;
		figure->series[figure->series_count++] = (struct figure_series){
			.name = trial->arms[a].name, .x = memory, .y = y, .count = count};
	}
	if (figure && memory) {
		figure->kind = FIGURE_LINES;
		figure->title = title;
		figure->x_label = "time, s";
		figure->y_label = "queue delay, mean over runs, ms";
		figure->from_zero = true;
		findings_figure(findings, figure, name, "Mean course around the step");
	}
	free(memory);
	free(figure);
	return figure && memory ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory for a figure");
}

static int tell_all(const struct analysis *analysis, const size_t *all, double *scratch,
		    struct findings *findings)
{
	const struct trial *trial = &analysis->trial;

	for (size_t s = 1; s < trial->scenario_count; s++) {
		if (titles[analysis->experiments[s]] == NULL)
			continue;
		for (size_t a = 0; a < trial->arm_count; a++) {
			const double ms = analysis->options.sample_ms;
			struct arm_step step = {
				.analysis = analysis,
				.scenario = s,
				.arm = a,
				.options = {.sample_s = ms / 1e3,
					    .band_share = analysis->options.band,
					    .band_least = BAND_LEAST_MS,
					    .hold_samples = (size_t)fmax(1, HOLD_S * 1e3 / ms)},
				.mean = scratch,
			};

			analysis_course(analysis, s, a, 0, analysis->step_s, &step.count);
			step.options.final_samples = step.count / FINAL_SHARE + 1;
			tell(findings, &step, all, titles[analysis->experiments[s]]);
		}
	}
	return 0;
}

int analysis_steps(const struct analysis *analysis, struct findings *findings, struct error *error)
{
	const struct trial *trial = &analysis->trial;
	double *scratch = calloc(analysis->samples + 1, sizeof(*scratch));
	size_t *all = calloc(trial->seeds + 1, sizeof(*all));
	int code = scratch && all ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory for steps");

	if (code == 0) {
		for (size_t s = 0; s < trial->seeds; s++)
			all[s] = s;
		findings_section(findings, "Settling after a step");
		findings_say(findings,
			     "At %.4g s every group of flows starts once more, or the link's rate "
			     "halves. Judged is the mean delay over %d runs, smoothed over %g s: "
			     "its final value is the mean of the last third, it has settled when "
			     "it stays within %g %% of that (at least %g ms) for %d s, and "
			     "overshoot is its peak above the final value. An empty settling time: "
			     "it never does. Intervals: bootstrap over runs.",
			     analysis->step_s, (int)trial->seeds, SMOOTH_S,
			     100 * analysis->options.band, BAND_LEAST_MS, HOLD_S);
		findings_table(findings, "steps", "Settling and overshoot", columns,
			       sizeof(columns) / sizeof(*columns));
		code = tell_all(analysis, all, scratch, findings);
		findings_table_end(findings);
	}
	for (size_t s = 1; code == 0 && s < trial->scenario_count; s++)
		if (titles[analysis->experiments[s]])
			code = draw_courses(analysis, s, all, titles[analysis->experiments[s]],
					    analysis->experiments[s] == ANALYSIS_load_step
						    ? "load_step"
						    : "rate_step",
					    findings, error);
	free(scratch);
	free(all);
	return code;
}
