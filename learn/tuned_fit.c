/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collecting in parallel, then plain stochastic descent of the squared error.
 */
#include "learn/tuned_fit.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/rng.h"
#include "learn/adamw.h"
#include "learn/student_float.h"

#define RUNS 2	       /* of a network: under the labelled settings, under the law's own */
#define EVERY 16       /* decisions from row to row */
#define EPOCHS 20      /* at least, and more where there are few rows */
#define STEPS 2000     /* at least, in all */
#define BATCH 128
#define RATE 3e-3      /* at the start; falls to 0 along a line */

/* What one run saw. */
struct visit {
	const int16_t *forced; /* outputs put in the student's place; NULL: it may go on */
	uint64_t decisions;
	int16_t (*features)[AQM_STUDENT_FEATURE_COUNT]; /* (rows); owned */
	size_t rows, room;
	bool failed;
};

struct collection {
	const struct aqm_student_model *still; /* whose outputs are 0 */
	const struct tuned_label *labels;
	const struct rollout_law *law;
	const struct rollout_crew *crew;
	uint64_t seed;
	struct visit *visits; /* (labels x RUNS) */
	pthread_mutex_t lock;
	struct error failure; /* of any */
};

static void add_row(struct visit *visit, const int16_t *features)
{
	if (visit->rows == visit->room) {
		const size_t room = visit->room ? 2 * visit->room : 64;
		void *more = realloc(visit->features, room * sizeof(*visit->features));

		if (more == NULL) {
			visit->failed = true;
			return;
		}
		visit->features = more;
		visit->room = room;
	}
	memcpy(visit->features[visit->rows++], features, sizeof(*visit->features));
}

static void on_decided(void *context, const struct aqm_facts *facts, const int16_t *features,
		       int16_t *outputs)
{
	struct visit *visit = context;

	(void)facts;
	if (++visit->decisions % EVERY == 0)
		add_row(visit, features);
	if (visit->forced)
		memcpy(outputs, visit->forced, AQM_STUDENT_SETTING_COUNT * sizeof(*outputs));
}

static bool is_stopped(void *context, double done)
{
	const struct rollout_crew *crew = context;

	(void)done;
	return crew->stop && crew->stop(crew->context);
}

static int visit_network(void *context, size_t index)
{
	struct collection *all = context;
	const struct tuned_label *label = &all->labels[index / RUNS];
	const struct rollout_network network = {label->scenario, all->seed + index / RUNS};
	int16_t forced[AQM_STUDENT_SETTING_COUNT];
	struct visit *visit = &all->visits[index];
	const struct aqm_student_tap tap = {.context = visit, .decided = on_decided};
	const struct rollout_student student = {all->still, &tap};
	struct objective_figures figures;
	struct error error = {0};
	int code;

	for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
		forced[i] = (int16_t)lroundf(label->output[i] * AQM_STUDENT_ONE);
	visit->forced = index % RUNS == 0 ? forced : NULL;
	code = rollout_run(&network, all->law, &student, (void *)all->crew, is_stopped, &figures,
			   &error);
	visit->forced = NULL;
	if (code == 0 && visit->failed)
		code = error_set(&error, ERR_NO_MEMORY, "out of memory for what a run saw");
	if (code) {
		pthread_mutex_lock(&all->lock);
		all->failure = error;
		pthread_mutex_unlock(&all->lock);
	}
	return code;
}

/* Rows as a net sees them, with their labels; own outputs stay 0. */
struct lesson {
	size_t rows;
	float (*input)[AQM_STUDENT_INPUTS]; /* (rows); owned */
	uint32_t *label;		    /* (rows); owned */
	uint32_t *order;		    /* (rows); owned */
};

static void lesson_free(struct lesson *lesson)
{
	free(lesson->input);
	free(lesson->label);
	free(lesson->order);
}

static void hide_own(const struct aqm_student_model *shape, float *input)
{
	for (int i = 0; i < shape->inputs; i++)
		if (shape->feature[i] >= AQM_STUDENT_FIRST_OWN)
			input[i] = 0;
}

static int lesson_make(struct lesson *lesson, const struct aqm_student_model *shape,
		       const struct visit *visits, size_t count, struct error *error)
{
	size_t rows = 0;

	for (size_t v = 0; v < count; v++)
		rows += visits[v].rows;
	*lesson = (struct lesson){
		.input = calloc(rows + 1, sizeof(*lesson->input)),
		.label = calloc(rows + 1, sizeof(*lesson->label)),
		.order = calloc(rows + 1, sizeof(*lesson->order)),
	};
	if (!lesson->input || !lesson->label || !lesson->order)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %zu rows", rows);
	for (size_t v = 0; v < count; v++)
		for (size_t r = 0; r < visits[v].rows; r++) {
			float *input = lesson->input[lesson->rows];

			student_float_inputs(shape, visits[v].features[r], input);
			hide_own(shape, input);
			lesson->label[lesson->rows] = (uint32_t)(v / RUNS);
			lesson->order[lesson->rows] = (uint32_t)lesson->rows;
			lesson->rows++;
		}
	return lesson->rows ? 0 : error_set(error, ERR_FAILED, "no run saw anything");
}

/* The net's answer to a row, and what is wrong with it; returns the squared error. */
static double answer(const struct aqm_student_model *shape, const float *theta,
		     const struct lesson *lesson, uint32_t row,
		     const struct tuned_label *labels, struct student_float_tape *tape,
		     float *wrong)
{
	const float *wanted = labels[lesson->label[row]].output;
	float output[AQM_STUDENT_OUTPUTS] = {0};
	struct student_float_state state = {0};
	double squares = 0;

	student_float_forward(shape, theta, &state, lesson->input[row], output, tape);
	for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++) {
		wrong[i] = output[i] - wanted[i];
		squares += (double)wrong[i] * (double)wrong[i];
	}
	return squares;
}

/* Steps through all rows once, in a new order. */
static void epoch(const struct aqm_student_model *shape, struct adamw *adam,
		  const struct backbone_param *param, const struct lesson *lesson,
		  const struct tuned_label *labels, double rate)
{
	struct student_float_tape tape;

	for (size_t at = 0; at < lesson->rows; at += BATCH) {
		const size_t end = at + BATCH < lesson->rows ? at + BATCH : lesson->rows;

		for (size_t i = at; i < end; i++) {
			struct student_float_state d_hidden = {0};
			float wrong[AQM_STUDENT_OUTPUTS] = {0};

			answer(shape, param->value, lesson, lesson->order[i], labels, &tape, wrong);
			student_float_backward(shape, param->value, &tape, wrong, &d_hidden,
					       param->gradient);
		}
		adamw_step(adam, param, 1, rate, 1 / (float)(end - at));
	}
}

/* Weights of inputs that are the student's own outputs. */
static void forget_own(const struct aqm_student_model *shape, float *theta)
{
	float *weights = theta + student_float_weights_at(shape, 0);

	for (int row = 0; row < shape->layer[0].outputs; row++)
		hide_own(shape, weights + row * shape->layer[0].inputs);
}

static int learn(const struct aqm_student_model *shape, float *theta, struct lesson *lesson,
		 const struct tuned_label *labels, uint64_t seed, struct error *error)
{
	const struct adamw_options options = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
	const int64_t count = (int64_t)student_float_count(shape);
	struct backbone_param param = {
		.name = "theta",
		.value = theta,
		.gradient = calloc((size_t)count + 1, sizeof(float)),
		.dims = 1,
		.shape = {count},
		.count = count,
	};
	struct adamw adam = {0};
	const size_t least = STEPS * BATCH / lesson->rows;
	const int epochs = least > EPOCHS ? (int)least : EPOCHS;
	struct rng rng;
	int code = param.gradient ? adamw_init(&adam, &options, &param, 1, error)
				  : error_set(error, ERR_NO_MEMORY, "out of memory");

	rng_seed(&rng, seed);
	forget_own(shape, theta);
	for (int e = 0; code == 0 && e < epochs; e++) {
		rng_shuffle(&rng, lesson->order, (uint32_t)lesson->rows);
		epoch(shape, &adam, &param, lesson, labels, RATE * (epochs - e) / epochs);
	}
	adamw_free(&adam);
	free(param.gradient);
	return code;
}

static void measure(const struct aqm_student_model *shape, const float *theta,
		    const struct lesson *lesson, const struct tuned_label *labels,
		    struct tuned_fit *fit)
{
	double mean[AQM_STUDENT_SETTING_COUNT] = {0}, squares = 0, errors = 0;
	struct student_float_tape tape;
	const double rows = (double)lesson->rows;

	for (size_t r = 0; r < lesson->rows; r++)
		for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
			mean[i] += (double)labels[lesson->label[r]].output[i] / rows;
	for (size_t r = 0; r < lesson->rows; r++) {
		float wrong[AQM_STUDENT_OUTPUTS];

		errors += answer(shape, theta, lesson, (uint32_t)r, labels, &tape, wrong);
		for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
			squares += pow((double)labels[lesson->label[r]].output[i] - mean[i], 2);
	}
	*fit = (struct tuned_fit){
		.rows = lesson->rows,
		.spread = sqrt(squares / rows / AQM_STUDENT_SETTING_COUNT),
		.error = sqrt(errors / rows / AQM_STUDENT_SETTING_COUNT),
	};
}

static int check_shape(const struct aqm_student_model *shape, struct error *error)
{
	bool dense = shape->kind == AQM_STUDENT_net && shape->mode == AQM_STUDENT_supervise;

	for (int l = 0; l < shape->layers; l++)
		dense = dense && shape->layer[l].kind == AQM_STUDENT_dense;
	return dense ? 0
		     : error_set(error, ERR_UNSUPPORTED,
				 "tuned settings teach supervising nets without cells or attention "
				 "only");
}

/* What every run saw; the visits are the caller's to free. */
static int collect(const struct aqm_student_model *shape, struct visit *visits,
		   const struct tuned_label *labels, size_t count,
		   const struct rollout_law *law, uint64_t seed, const struct rollout_crew *crew,
		   struct error *error)
{
	struct aqm_student_model *still = malloc(sizeof(*still));
	float *zero = calloc(student_float_count(shape) + 1, sizeof(*zero));
	struct collection all = {still, labels, law,   crew,
				 seed,	visits, PTHREAD_MUTEX_INITIALIZER, {0}};
	int code = still && zero ? student_float_quantise(shape, zero, still, error)
				 : error_set(error, ERR_NO_MEMORY, "out of memory");

	if (code == 0) {
		code = parallel_for(count * RUNS, crew->threads, visit_network, &all);
		if (code && !all.failure.text[0])
			error_set(error, code, "out of memory for threads");
		else if (code && error)
			*error = all.failure;
	}
	free(still);
	free(zero);
	return code;
}

int tuned_fit(const struct aqm_student_model *shape, float *theta,
		  const struct tuned_label *labels, size_t count, const struct rollout_law *law,
		  uint64_t seed, const struct rollout_crew *crew, struct tuned_fit *fit,
		  struct error *error)
{
	struct visit *visits = calloc(count * RUNS, sizeof(*visits));
	struct lesson lesson = {0};
	int code = check_shape(shape, error);

	if (code == 0 && visits == NULL)
		code = error_set(error, ERR_NO_MEMORY, "out of memory");
	if (code == 0)
		code = collect(shape, visits, labels, count, law, seed, crew, error);
	if (code == 0)
		code = lesson_make(&lesson, shape, visits, count * RUNS, error);
	if (code == 0)
		code = learn(shape, theta, &lesson, labels, seed, error);
	if (code == 0)
		measure(shape, theta, &lesson, labels, fit);
	lesson_free(&lesson);
	for (size_t v = 0; visits && v < count * RUNS; v++)
		free(visits[v].features);
	free(visits);
	return code;
}
