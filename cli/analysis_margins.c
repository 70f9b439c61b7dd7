/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gain and phase margins of closed loops, from runs with disturbed signals.
 *
 * Tones at which |L| is less than twice its standard error tell no phase: they
 * are shown, and left out of margins.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/analysis.h"
#include "report/bootstrap.h"
#include "report/loop_gain.h"

#define TOLD_ERRORS 2 /* |L| over its standard error, from which on a tone counts */

/* Disturbed runs of one arm. */
struct arm_gains {
	const char *name;
	struct loop_runs runs;
	double complex *memory; /* behind `runs` */
	double hz[PERTURBATION_MAX_TONES];
	double signals;	       /* that the law gave in a run, mean */
	size_t tones;	       /* that count, the first ones in `kept` */
	size_t kept[PERTURBATION_MAX_TONES];
	size_t *all;	       /* (runs) */
};

enum margin { PHASE, GAIN, MODULUS };

/* What a draw of the bootstrap looks at. */
struct margin_of {
	const struct arm_gains *gains;
	enum margin margin;
};

static size_t disturbed_scenario(const struct analysis *analysis)
{
	size_t s = analysis->trial.scenario_count - 1;

	return analysis->experiments[s] == ANALYSIS_disturbed ? s : 0;
}

static void arm_gains_free(struct arm_gains *gains)
{
	free(gains->memory);
	free(gains->all);
}

static void keep_tones(struct arm_gains *gains)
{
	for (size_t i = 0; i < gains->runs.tones; i++) {
		const double complex gain =
			loop_gain(&gains->runs, i, gains->all, gains->runs.runs);

		if (cabs(gain) > TOLD_ERRORS * loop_gain_error(&gains->runs, i))
			gains->kept[gains->tones++] = i;
	}
}

static int arm_gains_take(struct arm_gains *gains, const struct analysis *analysis, size_t arm,
			  struct error *error)
{
	const struct trial *trial = &analysis->trial;
	const size_t scenario = disturbed_scenario(analysis);
	struct perturbation_plan plan;
	double complex *given, *met;

	analysis_disturbance(analysis, trial->first_seed, &plan);
	*gains = (struct arm_gains){
		.name = trial->arms[arm].name,
		.memory = calloc(2 * trial->seeds * plan.count + 1, sizeof(*gains->memory)),
		.all = calloc(trial->seeds + 1, sizeof(*gains->all)),
	};
	if (!gains->memory || !gains->all)
		return error_set(error, ERR_NO_MEMORY, "out of memory for loop gains");
	given = gains->memory;
	met = given + trial->seeds * plan.count;
	gains->runs = (struct loop_runs){given, met, trial->seeds, plan.count};
	for (size_t s = 0; s < trial->seeds; s++) {
		const struct perturbation_sums *sums = analysis_sums(analysis, scenario, arm, s);

		for (size_t i = 0; i < plan.count; i++) {
			given[s * plan.count + i] = sums->law[i];
			met[s * plan.count + i] = sums->met[i];
			gains->hz[i] = plan.tones[i].hz;
		}
		gains->signals += sums->law_signals / (double)trial->seeds;
		gains->all[s] = s;
	}
	keep_tones(gains);
	return 0;
}

static struct loop_margins margins_of(const struct arm_gains *gains, const size_t *chosen,
				      size_t units)
{
	double complex values[PERTURBATION_MAX_TONES];
	double hz[PERTURBATION_MAX_TONES];

	for (size_t i = 0; i < gains->tones; i++) {
		values[i] = loop_gain(&gains->runs, gains->kept[i], chosen, units);
		hz[i] = gains->hz[gains->kept[i]];
	}
	return loop_margins_of(hz, values, gains->tones);
}

static double pick(const struct loop_margins *margins, enum margin margin)
{
	switch (margin) {
	case PHASE:
		return margins->phase_deg;
	case GAIN:
		return margins->gain;
	default:
		return margins->modulus;
	}
}

static double draw(const void *context, const size_t *chosen, size_t units)
{
	const struct margin_of *of = context;
	const struct loop_margins margins = margins_of(of->gains, chosen, units);

	return pick(&margins, of->margin);
}

static struct bounds bounds_of(const struct arm_gains *gains, enum margin margin)
{
	const struct margin_of of = {gains, margin};

	return bootstrap_bounds(gains->runs.runs, 1, draw, &of);
}

static const struct findings_column gain_columns[] = {
	{"arm", "arm"},
	{"hz", "Hz"},
	{"gain", "|L|"},
	{"error", "± 1 s.e."},
	{"gain_db", "dB"},
	{"phase_deg", "phase, deg"},
	{"sensitivity", "|S|"},
	{"counts", "counts"},
};

static bool counts(const struct arm_gains *gains, size_t tone)
{
	for (size_t i = 0; i < gains->tones; i++)
		if (gains->kept[i] == tone)
			return true;
	return false;
}

static void tell_gains(struct findings *findings, const struct arm_gains *gains)
{
	double complex values[PERTURBATION_MAX_TONES];
	double phases[PERTURBATION_MAX_TONES];

	for (size_t i = 0; i < gains->runs.tones; i++)
		values[i] = loop_gain(&gains->runs, i, gains->all, gains->runs.runs);
	loop_phases(values, gains->runs.tones, phases);
	for (size_t i = 0; i < gains->runs.tones; i++) {
		findings_row(findings, (const struct findings_cell[]){
					       {gains->name, 0},
					       {NULL, gains->hz[i]},
					       {NULL, cabs(values[i])},
					       {NULL, loop_gain_error(&gains->runs, i)},
					       {NULL, 20 * log10(cabs(values[i]))},
					       {NULL, phases[i]},
					       {NULL, 1 / cabs(1 + values[i])},
					       {counts(gains, i) ? "yes" : "no", 0},
				       });
	}
}

static const struct findings_column margin_columns[] = {
	{"arm", "arm"},
	{"signals_per_s", "signals/s"},
	{"crossover_hz", "crossover, Hz"},
	{"phase_deg", "phase margin, deg"},
	{"phase_low_deg", "95 % from"},
	{"phase_high_deg", "to"},
	{"turn_hz", "-180 at, Hz"},
	{"gain", "gain margin"},
	{"gain_low", "95 % from"},
	{"gain_high", "to"},
	{"modulus", "least |1 + L|"},
	{"modulus_low", "95 % from"},
	{"modulus_high", "to"},
};

static void judge(struct findings *findings, const struct arm_gains *gains,
		  const struct loop_margins *margins)
{
	char phase[128] = "its gain does not fall through 1", gain[192];
	const size_t last = gains->tones ? gains->kept[gains->tones - 1] : 0;

	if (gains->tones < 2) {
		findings_verdict(findings,
				 "%s: %.3g signals a run are too few, or the loop too deaf, to "
				 "tell its gain; more --seeds, or a longer scenario",
				 gains->name, gains->signals);
		return;
	}
	if (cabs(loop_gain(&gains->runs, gains->kept[0], gains->all, gains->runs.runs)) < 1)
		snprintf(phase, sizeof(phase), "its gain is below 1 from the first on");
	if (!isnan(margins->phase_deg))
		snprintf(phase, sizeof(phase), "phase margin %.3g degrees at %.3g Hz",
			 margins->phase_deg, margins->crossover_hz);
	if (isnan(margins->gain))
		snprintf(gain, sizeof(gain),
			 "the phase does not reach -180 where the gain could be told, so the gain "
			 "margin is above %.3g if the gain goes on falling",
			 1 / cabs(loop_gain(&gains->runs, last, gains->all, gains->runs.runs)));
	else
		snprintf(gain, sizeof(gain), "gain margin %.3g at %.3g Hz", margins->gain,
			 margins->turn_hz);
	findings_verdict(findings,
			 "%s, from %.3g to %.3g Hz: %s; %s; disturbances are amplified at most "
			 "%.3g times",
			 gains->name, gains->hz[gains->kept[0]], gains->hz[last], phase, gain,
			 1 / margins->modulus);
}

static void tell_margins(struct findings *findings, const struct analysis *analysis,
			 const struct arm_gains *gains)
{
	const struct loop_margins margins = margins_of(gains, gains->all, gains->runs.runs);
	const struct bounds phase = bounds_of(gains, PHASE), gain = bounds_of(gains, GAIN);
	const struct bounds modulus = bounds_of(gains, MODULUS);
	const struct scenario *scenario = &analysis->trial.scenarios[0];

	findings_row(findings,
		     (const struct findings_cell[]){
			     {gains->name, 0},
			     {NULL, gains->signals / (scenario->duration_s - scenario->warmup_s)},
			     {NULL, margins.crossover_hz},
			     {NULL, margins.phase_deg},
			     {NULL, phase.low},
			     {NULL, phase.high},
			     {NULL, margins.turn_hz},
			     {NULL, margins.gain},
			     {NULL, gain.low},
			     {NULL, gain.high},
			     {NULL, margins.modulus},
			     {NULL, modulus.low},
			     {NULL, modulus.high},
		     });
	judge(findings, gains, &margins);
}

/* |L| in dB, or phases, of all arms over frequency. */
static void draw_gains(struct findings *findings, const struct arm_gains *gains, size_t count,
		       bool phase)
{
	static double x[TRIAL_MAX_ARMS][PERTURBATION_MAX_TONES];
	static double y[TRIAL_MAX_ARMS][PERTURBATION_MAX_TONES];
	struct figure *figure = calloc(1, sizeof(*figure));

	for (size_t a = 0; figure && a < count && a < FIGURE_MAX_SERIES; a++) {
		double complex values[PERTURBATION_MAX_TONES];

		for (size_t i = 0; i < gains[a].tones; i++) {
			const size_t tone = gains[a].kept[i];

			values[i] = loop_gain(&gains[a].runs, tone, gains[a].all,
					      gains[a].runs.runs);
			x[a][i] = gains[a].hz[tone];
			y[a][i] = 20 * log10(cabs(values[i]));
		}
		if (phase)
			loop_phases(values, gains[a].tones, y[a]);
		figure->series[figure->series_count++] = (struct figure_series){
			.name = gains[a].name, .x = x[a], .y = y[a], .count = gains[a].tones};
	}
	if (figure == NULL)
		return;
	figure->kind = FIGURE_LINES;
	figure->log_x = true;
	figure->title = phase ? "Phase of the loop gain" : "Loop gain";
	figure->x_label = "frequency, Hz";
	figure->y_label = phase ? "degrees" : "|L|, dB";
	figure->lines[figure->line_count++] = phase ? (struct figure_line){"-180", -180}
						    : (struct figure_line){"1", 0};
	findings_figure(findings, figure, phase ? "loop_phase" : "loop_gain",
			phase ? "Phase margin: above -180 where the gain is 1"
			      : "Gain margin: below 1 where the phase is -180");
	free(figure);
}

static void say(struct findings *findings, const struct analysis *analysis)
{
	const struct analysis_options *options = &analysis->options;

	findings_say(findings,
		     "Between the law and the senders signals are held back or doubled so that "
		     "senders meet 1 + d(t) times as many, d a sum of %zu sines of %.2g to %.2g "
		     "Hz that stays within %g. At each frequency L = -U / E, U what the law gave "
		     "and E what senders met, is the gain once around the loop, cut at the "
		     "signals of the queue that is looked at; the other queue's loop stays "
		     "closed. Margins are of the loop as it works around this network's operating "
		     "point, from tones whose gain is over %d standard errors; between tones "
		     "logarithms are straight. Intervals: bootstrap over runs; where more than one "
		     "draw in twenty shows no crossing there is none.",
		     options->tones, options->low_hz, options->high_hz, options->depth,
		     TOLD_ERRORS);
}

int analysis_margins(const struct analysis *analysis, struct findings *findings,
		     struct error *error)
{
	const size_t arms = analysis->trial.arm_count;
	struct arm_gains *gains = calloc(arms + 1, sizeof(*gains));
	int code = gains ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory for loop gains");

	findings_section(findings, "Gain and phase margins");
	say(findings, analysis);
	for (size_t a = 0; code == 0 && a < arms; a++)
		code = arm_gains_take(&gains[a], analysis, a, error);
	if (code == 0) {
		findings_table(findings, "loop_gain", "Gain once around the loop", gain_columns,
			       sizeof(gain_columns) / sizeof(*gain_columns));
		for (size_t a = 0; a < arms; a++)
			tell_gains(findings, &gains[a]);
		findings_table_end(findings);
		findings_table(findings, "margins", "Margins; empty: not in what was measured",
			       margin_columns, sizeof(margin_columns) / sizeof(*margin_columns));
		for (size_t a = 0; a < arms; a++)
			tell_margins(findings, analysis, &gains[a]);
		findings_table_end(findings);
		draw_gains(findings, gains, arms, false);
		draw_gains(findings, gains, arms, true);
	}
	for (size_t a = 0; gains && a < arms; a++)
		arm_gains_free(&gains[a]);
	free(gains);
	return code;
}
