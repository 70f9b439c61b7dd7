/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One job a network.  The walker is a policy like any other; the pool's rows are
 * what it was shown.
 */
#include "learn/hindsight.h"

#include <stdio.h>
 * Collecting in parallel, then plain stochastic descent of the squared error.
 */
#include "learn/hindsight.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/rng.h"
#include "experience/collect.h"
#include "experience/record_fields.h"
#include "policy/aqm_policy.h"
#include "sim/run.h"

/* What a supervising policy is shown: the paper's seven, and the target in force. */
static const char *const feature_names[] = {
	"queue_type", "burst_allowance", "drop_probability", "current_queue_delay",
	"accumulated_probability", "length_in_bytes", "packet_length", "qdelay_reference",
};
#define FEATURES (sizeof(feature_names) / sizeof(feature_names[0]))

struct walker {
	struct policy base;
	const struct hindsight_options *options;
	struct pool *pool;
	struct rng rng;
	struct aqm_record record;
	int start, row, best;
	int code;
};

static int walker_observe(struct policy *policy, const struct aqm_record *record,
			  struct error *error)
{
	(void)error;
	((struct walker *)policy)->record = *record;
	return 0;
}

/* One move for certain: the walker draws it itself. */
static int walker_decide(struct policy *policy, uint64_t now_ns, double probability[3],
			 struct error *error)
{
	struct walker *walker = (struct walker *)policy;
	const bool anywhere = rng_uniform(&walker->rng) < walker->options->explore;
	const int by = anywhere ? (int)rng_below(&walker->rng, 3) - 1
				: (walker->best > walker->row) - (walker->best < walker->row);

	(void)now_ns;
	(void)error;
	for (int verdict = 0; verdict < 3; verdict++)
		probability[verdict] = policy_move_of_verdict((enum aqm_verdict)verdict) == by;
	return 0;
}

static void walker_acted(struct policy *policy, enum aqm_verdict verdict)
{
	struct walker *walker = (struct walker *)policy;
	double state[FEATURES];

	for (size_t i = 0; i < FEATURES; i++)
		state[i] = (double)record_value(&walker->record, record_field(feature_names[i]));
	if (walker->pool->rows < walker->options->most_rows && walker->code == 0)
		walker->code = pool_append(walker->pool, state,
					   policy_move_towards(walker->row, walker->best),
					   collect_reward_of(COLLECT_paper, &walker->record),
					   false);
	walker->row += policy_move_of_verdict(verdict);
}

static void walker_reset(struct policy *policy)
{
	((struct walker *)policy)->row = ((struct walker *)policy)->start;
}

static const struct policy_settings *walker_settings(const struct policy *policy)
{
	return &((const struct walker *)policy)->options->settings;
}

static const struct policy_ops walker_ops = {
	.name = "walker",
	.observe = walker_observe,
	.decide = walker_decide,
	.acted = walker_acted,
	.reset = walker_reset,
	.settings = walker_settings,
};

struct hindsight {
	const struct hindsight_options *options;
	const struct scenario *scenarios;
	struct hindsight_network *networks;
	struct pool *pools;   /* one a network */
	int *codes;
	struct error *errors;
	bool (*stop)(void *context);
	void *context;
};

static bool stopped(void *context, double done)
{
	const struct hindsight *hindsight = context;

	(void)done;
	return hindsight->stop && hindsight->stop(hindsight->context);
}

/* DualPI2 with a step floor of one packet in a network. */
static int own_law(const struct scenario *scenario, const struct aqm_ops **law, void **params,
		   struct error *error)
{
	const int code = sim_law_named(scenario, "dualpi2", law, params, error);

	return code ? code : aqm_params_set(*law, *params, "min_qlen_step=1", error);
}

static int run(struct hindsight *hindsight, const struct scenario *scenario,
	       const struct aqm_ops *law, const void *params, uint64_t seed,
	       struct objective_figures *figures, struct error *error)
{
	const struct sim_options options = {.seed = seed, .law = law, .params = params,
					    .context = hindsight, .progress = stopped};
	struct sim_result *result = calloc(1, sizeof(*result));
	int code;

	if (!result)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a run");
	code = sim_run(scenario, &options, result, error);
	if (!code) {
		objective_measure(result, figures);
		sim_result_free(result);
	}
	free(result);
	return code;
}

/* Mean rewards of all rows in a network. */
static int score_rows(struct hindsight *hindsight, size_t index, const struct aqm_ops *law,
		      const void *params, struct error *error)
{
	const struct hindsight_options *options = hindsight->options;
	const struct scenario *scenario = &hindsight->scenarios[index];
	struct hindsight_network *network = &hindsight->networks[index];
	struct objective_figures reference, figures;
	void *rows;
	int code = policy_settings_expand(&options->settings, law, params, &rows, error);

	if (code)
		return code;
	for (uint64_t s = 0; s < options->seeds && !code; s++) {
		code = run(hindsight, scenario, law, params, options->seed + s, &reference, error);
		for (int r = 0; r < options->settings.rows && !code; r++) {
			code = run(hindsight, scenario, law,
				   (unsigned char *)rows + (size_t)r * law->params_size,
				   options->seed + s, &figures, error);
			if (!code)
				network->reward[r] += objective_reward(&options->objective,
								       &figures, &reference) /
						      (double)options->seeds;
		}
	}
	free(rows);
	for (int r = 1; r < options->settings.rows; r++)
		if (network->reward[r] > network->reward[network->best])
			network->best = r;
	return code;
}

static int walk(struct hindsight *hindsight, size_t index, const struct aqm_ops *law,
		const void *params, struct error *error)
{
	const struct hindsight_options *options = hindsight->options;
	struct walker walker = {.base = {&walker_ops}, .options = options,
				.pool = &hindsight->pools[index],
				.best = hindsight->networks[index].best};
	const struct aqm_policy_config config = {.law = law, .law_params = params,
						 .policy = &walker.base,
						 .interval = options->interval, .guarded = true};
	struct objective_figures figures;
	struct aqm_policy *wrapped;
	int code;

	walker.start = policy_settings_start(&options->settings, law, params);
	rng_seed(&walker.rng, options->seed + 1000 * index);
	code = aqm_policy_new(&wrapped, &config, error);
	if (code)
		return code;
	code = run(hindsight, &hindsight->scenarios[index], aqm_policy_ops(wrapped),
		   aqm_policy_params(wrapped), options->seed + options->seeds, &figures, error);
	aqm_policy_free(wrapped);
	return code ? code
		    : walker.code ? error_set(error, walker.code, "out of memory for a pool") : 0;
}

static void set_columns(struct pool *pool)
{
	pool->features = FEATURES;
	for (size_t i = 0; i < FEATURES; i++) {
		strcpy(pool->columns[i].name, feature_names[i]);
		pool->columns[i].is_integer = true;
	}
	strcpy(pool->meta.reward, collect_reward_name(COLLECT_paper));
	strcpy(pool->meta.state, "before");
	pool->meta.gamma = 0.95;
}

static int network_job(void *context, size_t index)
{
	struct hindsight *hindsight = context;
	struct pool *pool = &hindsight->pools[index];
	struct error *error = &hindsight->errors[index];
	const struct aqm_ops *law;
	void *params = NULL;
	int code = own_law(&hindsight->scenarios[index], &law, &params, error);

	pool_init(pool);
	set_columns(pool);
	if (!code)
		code = score_rows(hindsight, index, law, params, error);
	if (!code)
		code = walk(hindsight, index, law, params, error);
	if (!code && pool->rows)
		pool->done[pool->rows - 1] = 1;
	hindsight->networks[index].rows = pool->rows;
	hindsight->codes[index] = code;
	free(params);
	return code;
}

static int join(const struct hindsight *hindsight, size_t count, struct pool *pool,
		struct error *error)
{
	set_columns(pool);
	for (size_t i = 0; i < count; i++) {
		const struct pool *part = &hindsight->pools[i];

		for (size_t row = 0; row < part->rows; row++)
			if (pool_append(pool, part->state + row * FEATURES, part->action[row],
					part->reward[row], part->done[row]))
				return error_set(error, ERR_NO_MEMORY, "out of memory for a pool");
	}
	return 0;
}

static int run_jobs(struct hindsight *hindsight, size_t count, struct pool *pool,
		    struct error *error)
{
	const int code = parallel_for(count, hindsight->options->threads, network_job, hindsight);

	for (size_t i = 0; i < count && code; i++)
		if (hindsight->codes[i]) {
			*error = hindsight->errors[i];
			return hindsight->codes[i];
		}
	return code ? error_set(error, code, "out of memory for threads")
		    : join(hindsight, count, pool, error);
}

int hindsight_run(const struct hindsight_options *options, const struct scenario *scenarios,
		  size_t count, struct hindsight_network *networks, struct pool *pool,
		  bool (*stop)(void *context), void *context, struct error *error)
{
	struct hindsight hindsight = {
		.options = options,
		.scenarios = scenarios,
		.networks = networks,
		.pools = calloc(count, sizeof(struct pool)),
		.codes = calloc(count, sizeof(int)),
		.errors = calloc(count, sizeof(struct error)),
		.stop = stop,
		.context = context,
	};
	int code = ERR_NO_MEMORY;

	memset(networks, 0, count * sizeof(*networks));
	if (hindsight.pools && hindsight.codes && hindsight.errors)
		code = run_jobs(&hindsight, count, pool, error);
	else
		error_set(error, code, "out of memory for %zu networks", count);
	for (size_t i = 0; i < count && hindsight.pools; i++)
		pool_free(&hindsight.pools[i]);
	free(hindsight.pools);
	free(hindsight.codes);
	free(hindsight.errors);
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
	const struct hindsight_label *labels;
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
	const struct hindsight_label *label = &all->labels[index / RUNS];
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
		     const struct hindsight_label *labels, struct student_float_tape *tape,
		     float *wrong)
{
	const float *wanted = labels[lesson->label[row]].output;
	float output[AQM_STUDENT_OUTPUTS] = {0};
	struct student_float_state state = {{0}};
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
		  const struct hindsight_label *labels, double rate)
{
	struct student_float_tape tape;

	for (size_t at = 0; at < lesson->rows; at += BATCH) {
		const size_t end = at + BATCH < lesson->rows ? at + BATCH : lesson->rows;

		for (size_t i = at; i < end; i++) {
			struct student_float_state d_hidden = {{0}};
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
		 const struct hindsight_label *labels, uint64_t seed, struct error *error)
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
		    const struct lesson *lesson, const struct hindsight_label *labels,
		    struct hindsight_fit *fit)
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
	*fit = (struct hindsight_fit){
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
				 "hindsight teaches supervising nets without cells only");
}

/* What every run saw; the visits are the caller's to free. */
static int collect(const struct aqm_student_model *shape, struct visit *visits,
		   const struct hindsight_label *labels, size_t count,
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
		if (code)
			*error = all.failure;
	}
	free(still);
	free(zero);
	return code;
}

int hindsight_fit(const struct aqm_student_model *shape, float *theta,
		  const struct hindsight_label *labels, size_t count, const struct rollout_law *law,
		  uint64_t seed, const struct rollout_crew *crew, struct hindsight_fit *fit,
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
