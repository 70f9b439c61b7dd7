/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rounds, and the state between them.
 *
 * Visits are written first, under a name with their round, then the checkpoint
 * that speaks of them, then older visits go: whenever a run is killed there is
 * a checkpoint with its visits.
 */
#include "learn/dagger.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "learn/checkpoint.h"
#include "learn/dagger_parts.h"
#include "learn/tree_fit.h"
#include "learn/visit_rollout.h"
#include "policy/student_file.h"

#define CHECKPOINT_FILE "checkpoint.safetensors"
#define QUALITY_COUNT (sizeof(struct quality) / sizeof(double))
#define ROUND_COUNT (sizeof(struct dagger_round) / sizeof(double))

static const char *const teacher_names[] = {
#define TEACHER_NAME(name, text) #name,
	DAGGER_TEACHER_TABLE(TEACHER_NAME)
#undef TEACHER_NAME
};

int dagger_teacher_find(const char *name)
{
	for (int i = 0; i < DAGGER_TEACHERS; i++)
		if (strcmp(teacher_names[i], name) == 0)
			return i;
	return -1;
}

size_t dagger_measured(const struct dagger *dagger)
{
	return dagger->held ? dagger->held : 1;
}

const struct scenario *dagger_measured_network(const struct dagger *dagger, size_t index)
{
	return &dagger->options->scenarios[dagger->options->count - dagger_measured(dagger) +
					   index];
}

uint64_t dagger_seed(const struct dagger *dagger, uint64_t round, uint64_t index)
{
	struct rng root, of_round, of_run;

	rng_seed(&root, dagger->options->seed);
	of_round = rng_split(&root, round);
	of_run = rng_split(&of_round, index);
	return rng_u64(&of_run);
}

bool dagger_stopped(void *context)
{
	const struct dagger *dagger = context;

	return dagger->observer->stop && dagger->observer->stop(dagger->observer->context);
}

struct quality *dagger_quality_of(const struct dagger *dagger, size_t arm)
{
	return dagger->quality + arm * dagger_measured(dagger);
}

int dagger_shape(struct aqm_student_model *model, bool supervises, const char *layers,
		 struct error *error)
{
	uint8_t features[AQM_STUDENT_FIRST_OWN - AQM_STUDENT_FIRST_NOW];
	const int count = sizeof(features);

	for (int i = 0; i < count; i++)
		features[i] = (uint8_t)(AQM_STUDENT_FIRST_NOW + i);
	return supervises ? student_model_shape(model, AQM_STUDENT_supervise, layers, features,
						count, error)
			  : student_model_shape(model, AQM_STUDENT_verdict, layers, NULL, 0, error);
}

/* A net starts from seeded weights, a tree from nothing. */
static int begin_student(struct dagger *dagger, struct error *error)
{
	const struct dagger_options *options = dagger->options;
	struct rng rng;
	const int status =
		dagger_shape(&dagger->model, dagger_supervises(dagger),
			     options->layers ? options->layers : "", error);

	if (status || !options->layers)
		return status;
	dagger->theta = calloc(student_float_count(&dagger->model), sizeof(*dagger->theta));
	if (!dagger->theta)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a student");
	rng_seed(&rng, dagger_seed(dagger, 0, UINT64_MAX));
	student_float_init(&dagger->model, dagger->theta, &rng);
	return student_float_quantise(&dagger->model, dagger->theta, &dagger->model, error);
}

static int begin(struct dagger *dagger, struct error *error)
{
	const struct dagger_options *options = dagger->options;
	const size_t share = (size_t)lround(options->held_out * (double)options->count);

	if (options->count > 1)
		dagger->held = share < 1 ? 1 : share >= options->count ? options->count - 1 : share;
	visits_init(&dagger->visits, AQM_STUDENT_FEATURE_COUNT,
		    dagger_supervises(dagger) ? AQM_STUDENT_SETTING_COUNT : VISIT_CHANCES,
		    options->visits);
	dagger->quality = calloc((2 + options->rounds) * dagger_measured(dagger),
				 sizeof(*dagger->quality));
	if (!dagger->quality)
		return error_set(error, ERR_NO_MEMORY, "out of memory for figures");
	if (dagger_supervises(dagger) && options->teacher == DAGGER_TEACHER_none) {
		const int status = dagger_find_best(dagger, error);

		if (status)
			return status;
	}
	return begin_student(dagger, error);
}

int dagger_path(const struct dagger *dagger, char *path, size_t size, const char *name,
		struct error *error)
{
	return file_join(path, size, dagger->options->directory, name, error);
}

static int visits_path(const struct dagger *dagger, char *path, size_t size, uint64_t round,
		       struct error *error)
{
	char name[64];

	snprintf(name, sizeof(name), "visits-%" PRIu64 ".safetensors", round);
	return dagger_path(dagger, path, size, name, error);
}

/* What the checkpoint holds; `count` of report->rounds are done when saving. */
static size_t fields_of(struct dagger *dagger, int64_t *done, struct checkpoint_field fields[4])
{
	const struct dagger_options *options = dagger->options;
	const size_t measured = (2 + options->rounds) * dagger_measured(dagger);
	size_t count = 0;

	fields[count++] = (struct checkpoint_field){"rounds_done", SAFETENSORS_I64, 1, done};
	fields[count++] = (struct checkpoint_field){
		"rounds", SAFETENSORS_F64, (int64_t)(options->rounds * ROUND_COUNT),
		dagger->report->rounds};
	fields[count++] = (struct checkpoint_field){"quality", SAFETENSORS_F64,
						    (int64_t)(measured * QUALITY_COUNT),
						    dagger->quality};
	if (dagger->theta)
		fields[count++] = (struct checkpoint_field){
			"theta", SAFETENSORS_F32, (int64_t)student_float_count(&dagger->model),
			dagger->theta};
	return count;
}

static int save_state(struct dagger *dagger, struct error *error)
{
	struct checkpoint_field fields[4];
	int64_t done = (int64_t)dagger->report->count;
	const size_t count = fields_of(dagger, &done, fields);
	char path[4096];
	int status = visits_path(dagger, path, sizeof(path), (uint64_t)done, error);

	if (!status)
		status = visits_save(&dagger->visits, path, dagger->options->fingerprint, error);
	if (!status)
		status = dagger_path(dagger, path, sizeof(path), CHECKPOINT_FILE, error);
	if (!status)
		status = checkpoint_save(path, fields, count, dagger->options->fingerprint, error);
	if (!status)
		status = visits_path(dagger, path, sizeof(path), (uint64_t)done - 1, error);
	if (!status)
		unlink(path);
	return status;
}

/* The integers that the visits or theta make. */
static int make_integers(struct dagger *dagger, struct error *error)
{
	if (dagger->theta)
		return student_float_quantise(&dagger->model, dagger->theta, &dagger->model,
					      error);
	return tree_fit(&dagger->model, dagger->options->leaves, &dagger->visits,
			&dagger->visits.train, error);
}

static void summarise(struct dagger *dagger)
{
	const size_t measured = dagger_measured(dagger);
	const struct quality *law = dagger_quality_of(dagger, DAGGER_ARM_LAW);
	const struct quality *teacher = dagger_quality_of(dagger, DAGGER_ARM_TEACHER);

	dagger->report->law = quality_mean(law, measured);
	if (dagger->options->teacher != DAGGER_TEACHER_policy)
		return;
	dagger->report->teacher = quality_mean(teacher, measured);
	dagger->report->teacher_score = quality_score(teacher, law, measured);
}

static int load_state(struct dagger *dagger, struct error *error)
{
	struct checkpoint_field fields[4];
	int64_t done = 0;
	const size_t count = fields_of(dagger, &done, fields);
	char path[4096];
	int status = dagger_path(dagger, path, sizeof(path), CHECKPOINT_FILE, error);

	if (!status)
		status = checkpoint_load(path, fields, count, dagger->options->fingerprint, error);
	if (!status)
		status = visits_path(dagger, path, sizeof(path), (uint64_t)done, error);
	if (!status)
		status = visits_load(&dagger->visits, path, dagger->options->fingerprint, error);
	if (!status)
		status = make_integers(dagger, error);
	if (status)
		return status;
	dagger->report->count = (size_t)done;
	dagger->report->student = dagger->model;
	summarise(dagger);
	return 0;
}

struct fitting {
	const struct dagger *dagger;
	uint64_t round;
};

static bool fit_progress(void *context, uint64_t done, const struct distill_terms *terms)
{
	const struct fitting *fitting = context;
	const struct dagger_observer *observer = fitting->dagger->observer;

	(void)terms;
	if (observer->progress)
		observer->progress(observer->context, "fitting", fitting->round, done,
				   fitting->dagger->options->updates);
	return dagger_stopped((void *)fitting->dagger);
}

static int fit(struct dagger *dagger, uint64_t round, struct distill_terms *terms,
	       struct error *error)
{
	const struct dagger_options *options = dagger->options;
	struct fitting fitting = {dagger, round};
	const struct student_fit_options how = {.loss = options->loss, .updates = options->updates,
						.batch = options->batch, .rate = options->rate,
						.context = &fitting, .progress = fit_progress};
	struct rng rng;
	int status = 0;

	*terms = (struct distill_terms){.plain = NAN};
	if (dagger->theta) {
		rng_seed(&rng, dagger_seed(dagger, round, UINT64_MAX));
		status = student_fit(&dagger->model, dagger->theta, &dagger->visits,
				     &dagger->visits.train, &how, &rng, terms, error);
	}
	return status ? status : make_integers(dagger, error);
}

static int write_student(const struct dagger *dagger, struct error *error)
{
	char path[4096];
	const int status = dagger_path(dagger, path, sizeof(path), DAGGER_STUDENT_FILE, error);

	return status ? status : student_file_write(&dagger->model, path, error);
}

static int write_results(struct dagger *dagger, struct error *error)
{
	int status = write_student(dagger, error);

	if (!status)
		status = dagger_write_tables(dagger, error);
	return status ? status : save_state(dagger, error);
}

/* Student and teacher on what was visited in networks held out. */
static int compare_answers(const struct dagger *dagger, struct dagger_round *row,
			   struct error *error)
{
	const struct visits_part *part = &dagger->visits.held_out;

	if (dagger_supervises(dagger))
		return settings_error_measure(&row->settings, &dagger->model, dagger->theta,
					      &dagger->visits, part, error);
	return agreement_measure(&row->agreement, &dagger->model, dagger->theta, &dagger->visits,
				 part, error);
}

static int play_round(struct dagger *dagger, uint64_t round, struct error *error)
{
	struct dagger_report *report = dagger->report;
	struct dagger_round *row = &report->rounds[round - 1];
	struct quality *quality = dagger_quality_of(dagger, 1 + round);
	struct distill_terms terms;
	int status = dagger_visit(dagger, round, error);

	if (!status)
		status = fit(dagger, round, &terms, error);
	if (!status)
		status = compare_answers(dagger, row, error);
	if (!status)
		status = dagger_measure(dagger, DAGGER_ARM_STUDENT, round, quality, error);
	if (status)
		return status;
	row->round = (double)round;
	row->visits = (double)(dagger->visits.train.segments * VISITS_SEGMENT);
	row->held_out_visits = (double)(dagger->visits.held_out.segments * VISITS_SEGMENT);
	row->train_loss = terms.plain;
	row->train_correlation = terms.correlation;
	row->quality = quality_mean(quality, dagger_measured(dagger));
	row->score = quality_score(quality, dagger_quality_of(dagger, DAGGER_ARM_LAW),
				   dagger_measured(dagger));
	report->count = round;
	report->student = dagger->model;
	status = write_results(dagger, error);
	if (!status && dagger->observer->round)
		dagger->observer->round(dagger->observer->context, report);
	return status;
}

/* The law and the teacher, once. */
static int measure_others(struct dagger *dagger, struct error *error)
{
	int status = dagger_measure(dagger, DAGGER_ARM_LAW, 0,
				    dagger_quality_of(dagger, DAGGER_ARM_LAW), error);

	if (!status && dagger->options->teacher == DAGGER_TEACHER_policy)
		status = dagger_measure(dagger, DAGGER_ARM_TEACHER, 0,
					dagger_quality_of(dagger, DAGGER_ARM_TEACHER), error);
	summarise(dagger);
	return status;
}

static bool has_checkpoint(const struct dagger *dagger)
{
	char path[4096];

	return !dagger_path(dagger, path, sizeof(path), CHECKPOINT_FILE, NULL) && file_exists(path);
}

int dagger_run(const struct dagger_options *options, const struct dagger_observer *observer,
	       struct dagger_report *report, struct error *error)
{
	struct dagger dagger = {.options = options, .observer = observer, .report = report};
	int status;

	if (!options->resume && has_checkpoint(&dagger))
		return error_at(error, ERR_INVALID, options->directory, 0, "--output",
				"holds a run: go on with --resume, or name a new folder");
	status = begin(&dagger, error);

	memset(report, 0, sizeof(*report));
	if (!status && options->resume && has_checkpoint(&dagger))
		status = load_state(&dagger, error);
	else if (!status)
		status = measure_others(&dagger, error);
	for (uint64_t round = report->count + 1; round <= options->rounds && !status; round++)
		status = play_round(&dagger, round, error);
	visits_free(&dagger.visits);
	free(dagger.theta);
	free(dagger.quality);
	free(dagger.best);
	return status;
}
