/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The space of students.
 *
 * What they learn from is one closed-loop run under DualPI2's probabilities put
 * at arrival: p_C for Classic packets, for L packets the larger of p_CL and the
 * step.  Features that tell p' are hidden from them: they have to read it off
 * queues, rates and signals.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/library.h"
#include "cli/loop_quality.h"
#include "cli/search_design.h"
#include "learn/student_imitation.h"
#include "policy/student_file.h"
#include "sim/run.h"

enum { GENE_layers, GENE_kind, GENE_first, GENE_second, GENE_third, GENE_groups };

static const int widths[] = {4, 8, 12, 16, 24, 32, 48};
static const char *const kinds[] = {"", "tanh", "gru"};

/* X(name, first, last): features that are seen or not together */
#define GROUP_TABLE(X)                                                                             \
	X(slow, qdelay_c_slow, qdelay_l_slow)                                                      \
	X(windows, trough_c_100, peak_l_2000)                                                      \
	X(rates, idle_500, packets_l)                                                              \
	X(signals, signal_share_c, signal_gap_c)                                                   \
	X(since, since_signal_c, since_signal_l)

enum {
#define GROUP_ENUM(name, first, last) GROUP_##name,
	GROUP_TABLE(GROUP_ENUM)
#undef GROUP_ENUM
	GROUPS
};

static const struct {
	const char *name;
	int first, last;
} groups[GROUPS] = {
#define GROUP_ROW(name, first, last)                                                               \
	{#name, AQM_STUDENT_FEATURE_##first, AQM_STUDENT_FEATURE_##last},
	GROUP_TABLE(GROUP_ROW)
#undef GROUP_ROW
};

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

struct space {
	struct search_training training;
	struct imitation_steps steps;
	size_t room;
	double entropy; /* of the held-out targets */
	struct search_gene genes[GENE_groups + GROUPS];
	struct search_design first[2];
};

/* ---- what they learn from ---- */

/* The law's probability of signalling this packet, from what a student sees. */
static double law_probability(const int16_t *seen)
{
	const double p = exp2((double)seen[AQM_STUDENT_FEATURE_p_own] / AQM_LOG2_ONE - 32);
	const double age_ms =
		(exp2((double)seen[AQM_STUDENT_FEATURE_qdelay_own] / AQM_LOG2_ONE) - 1) * 1024e-6;

	if (seen[AQM_STUDENT_FEATURE_is_l] && age_ms > 1)
		return 1;
	return seen[AQM_STUDENT_FEATURE_p_own] > 0 ? fmin(p, 1) : 0;
}

/* log2 of a chance with 12 fraction bits, not under -16, around +8: int16 holds no more. */
static int16_t chance_output(double p)
{
	const double log = fmax(p > 0 ? log2(p) : -16, -16) + 8;

	return (int16_t)fmin(log * AQM_STUDENT_ONE, INT16_MAX);
}

static void on_decided(void *context, const struct aqm_facts *facts, const int16_t *features,
		       int16_t *outputs)
{
	struct space *space = context;
	struct imitation_steps *steps = &space->steps;
	const double p = law_probability(features);
	const enum aqm_verdict signal =
		features[AQM_STUDENT_FEATURE_can_mark] ? AQM_MARK : AQM_DROP;

	(void)facts;
	for (int v = 0; v < 3; v++)
		outputs[v] = chance_output(v == AQM_PASS ? 1 - p : v == (int)signal ? p : 0);
	if (steps->count == space->room)
		return;
	memcpy(steps->seen[steps->count], features, sizeof(steps->seen[0]));
	steps->target[steps->count][AQM_PASS] = (float)(1 - p);
	steps->target[steps->count++][signal] = (float)p;
}

static int run(struct space *space, const struct scenario *scenario, struct error *error)
{
	static struct aqm_student_model speaker; /* says nothing of its own */
	const struct aqm_student_tap tap = {.context = space, .decided = on_decided};
	struct sim_options options = {.seed = space->training.seed};
	struct sim_result *result = calloc(1, sizeof(*result));
	void *params = NULL;
	int status = result ? sim_law_named(scenario, "student", &options.law, &params, error)
			    : error_set(error, ERR_NO_MEMORY, "a run");

	if (!status)
		status = student_model_shape(&speaker, AQM_STUDENT_verdict, "", NULL, 0, error);
	if (!status) {
		struct aqm_student_params *own = params;

		own->model = &speaker;
		own->tap = &tap;
		own->guarded = false;
		options.params = params;
		status = sim_run(scenario, &options, result, error);
	}
	if (!status)
		sim_result_free(result);
	free(params);
	free(result);
	return status;
}

static int collect(struct space *space, const char *name, struct error *error)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	int status = 0;

	space->room = 60000;
	space->steps.seen = calloc(space->room, sizeof(*space->steps.seen));
	space->steps.target = calloc(space->room, sizeof(*space->steps.target));
	if (!scenario || !space->steps.seen || !space->steps.target)
		status = error_set(error, ERR_NO_MEMORY, "%zu packets", space->room);
	if (!status)
		status = library_read(scenario, name, error);
	if (!status) {
		status = run(space, scenario, error);
		scenario_free(scenario);
	}
	free(scenario);
	space->steps.cut = space->steps.count * 4 / 5;
	if (!status && space->steps.cut <= IMITATION_SEGMENT)
		status = error_at(error, ERR_RANGE, name, 0, NULL,
				  "has too few packets to learn from: let it last longer");
	if (!status)
		space->entropy = student_imitation_entropy(&space->steps, space->steps.cut,
							   space->steps.count);
	return status;
}

/* ---- designs ---- */

static void layers_text(const struct search_design *design, char text[64])
{
	size_t used = 0;

	text[0] = '\0';
	for (int l = 0; l < design->gene[GENE_layers]; l++)
		used += (size_t)snprintf(text + used, 64 - used, "%s%s%d", l ? "," : "",
					 l ? "" : kinds[design->gene[GENE_kind]],
					 widths[design->gene[GENE_first + l]]);
}

/* What every student sees: the packet and the queues now, but nothing that tells p'. */
static bool is_seen(const struct search_design *design, int feature)
{
	for (int g = 0; g < GROUPS; g++)
		if (feature >= groups[g].first && feature <= groups[g].last)
			return design->gene[GENE_groups + g];
	return feature != AQM_STUDENT_FEATURE_p_own && feature < AQM_STUDENT_FIRST_TICK;
}

static int shape_of(const struct search_design *design, struct aqm_student_model *model,
		    struct error *error)
{
	uint8_t features[AQM_STUDENT_FEATURE_COUNT];
	char layers[64];
	int count = 0;

	for (int f = 0; f < AQM_STUDENT_FEATURE_COUNT; f++)
		if (is_seen(design, f))
			features[count++] = (uint8_t)f;
	layers_text(design, layers);
	return student_model_shape(model, AQM_STUDENT_verdict, layers, features, count, error);
}

/* Widths of layers that are not there, and the kind of none. */
static void settle(struct search_design *design)
{
	for (int l = design->gene[GENE_layers]; l < 3; l++)
		design->gene[GENE_first + l] = 0;
	if (design->gene[GENE_layers] == 0)
		design->gene[GENE_kind] = 0;
}

/* "gru16-32 sees slow windows" */
static void describe(void *context, const struct search_design *design,
		     char text[SEARCH_TEXT_BYTES])
{
	char layers[64];
	size_t used;

	(void)context;
	layers_text(design, layers);
	for (char *c = layers; *c; c++)
		if (*c == ',')
			*c = '-';
	used = (size_t)snprintf(text, SEARCH_TEXT_BYTES, "%s sees now",
				layers[0] ? layers : "no hidden layer");
	for (int g = 0; g < GROUPS; g++)
		if (design->gene[GENE_groups + g])
			used += (size_t)snprintf(text + used, SEARCH_TEXT_BYTES - used, " %s",
						 groups[g].name);
}

static int keep(const struct aqm_student_model *model, const char *folder, struct error *error)
{
	char path[PATH_MAX];
	int status = file_make_folders(folder, error);

	if (!status)
		status = file_join(path, sizeof(path), folder, "student" STUDENT_FILE_SUFFIX,
				   error);
	return status ? status : student_file_write(model, path, error);
}

/* Of the student in closed loop, the mean over seeds. */
static int measure_loop(const struct search_training *t, const struct aqm_student_model *model,
			double *quality, struct error *error)
{
	struct closed_loop loop = {.scenario = t->loop, .unguarded = true};
	struct sim_result *result = calloc(1, sizeof(*result));
	void *params = NULL;
	int status = result ? sim_law_named(t->loop, "student", &loop.law, &params, error)
			    : error_set(error, ERR_NO_MEMORY, "a run");

	*quality = 0;
	if (!status) {
		struct aqm_student_params *own = params;

		own->model = model;
		own->guarded = false;
		loop.params = params;
	}
	for (loop.seed = 1; loop.seed <= t->seeds && !status; loop.seed++) {
		double once;

		status = loop_quality_run(&loop, result, &once, error);
		if (!status)
			sim_result_free(result);
		*quality += once / (double)t->seeds;
	}
	free(params);
	free(result);
	return status;
}

/* A shape that is beyond what students may be has no figures. */
static int make(void *context, const struct search_design *design, const char *folder,
		double figures[SEARCH_FIGURES], struct error *error)
{
	const struct space *space = context;
	const struct search_training *t = &space->training;
	const struct imitation_options options = {.epochs = t->epochs, .segments = t->windows,
						  .batch = t->batch, .rate = t->rate,
						  .seed = t->seed};
	struct aqm_student_model *model = calloc(1, sizeof(*model));
	struct error too_large = {0};
	int status;

	for (int f = 0; f < SEARCH_FIGURES; f++)
		figures[f] = NAN;
	if (!model)
		return error_set(error, ERR_NO_MEMORY, "a student");
	if (shape_of(design, model, &too_large)) {
		free(model);
		return 0;
	}
	status = student_imitate(model, &space->steps, &options, error);
	if (!status)
		status = keep(model, folder, error);
	if (!status) {
		figures[SEARCH_loss] =
			student_imitation_loss(model, &space->steps, space->steps.cut,
					       space->steps.count) - space->entropy;
		figures[SEARCH_operations] = student_operations(model);
		figures[SEARCH_decision_ns] =
			student_decision_ns(model, &space->steps, t->timed * 16);
		figures[SEARCH_parameters] = (double)student_model_weights(model);
		figures[SEARCH_bytes] = (double)student_model_bytes(model);
	}
	if (!status && t->loop)
		status = measure_loop(t, model, &figures[SEARCH_quality], error);
	free(model);
	return status;
}

static void space_close(void *context)
{
	struct space *space = context;

	free(space->steps.seen);
	free(space->steps.target);
	free(space);
}

static void genes_fill(struct space *space)
{
	space->genes[GENE_layers] = (struct search_gene){"layers", 4};
	space->genes[GENE_kind] = (struct search_gene){"kind", COUNT(kinds)};
	for (int l = GENE_first; l <= GENE_third; l++)
		space->genes[l] = (struct search_gene){"width", COUNT(widths)};
	for (int g = 0; g < GROUPS; g++)
		space->genes[GENE_groups + g] = (struct search_gene){groups[g].name, 2};
	space->first[1].gene[GENE_layers] = 2; /* "32,32" over all that there is to see */
	space->first[1].gene[GENE_first] = space->first[1].gene[GENE_second] = 5;
	for (int g = 0; g < GROUPS; g++)
		space->first[1].gene[GENE_groups + g] = 1;
}

int search_students(struct search_designs *designs, const struct search_training *training,
		    const char *scenario, struct error *error)
{
	struct space *space = calloc(1, sizeof(*space));
	int status;

	if (!space)
		return error_set(error, ERR_NO_MEMORY, "a space of students");
	space->training = *training;
	status = collect(space, scenario, error);
	if (status) {
		space_close(space);
		return status;
	}
	genes_fill(space);
	*designs = (struct search_designs){.context = space, .genes = space->genes,
					   .count = GENE_groups + GROUPS, .first = space->first,
					   .first_count = 2, .settle = settle, .describe = describe,
					   .make = make, .close = space_close};
	return 0;
}
