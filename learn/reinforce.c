/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generations: networks are drawn, candidates run, the mean takes a step.
 */
#include "learn/reinforce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "learn/spread.h"
#include "learn/student_float.h"

/* Labels of generators: which networks with which seeds, and seeds of those held back. */
enum stream { STREAM_NETWORKS = 1, STREAM_HELD_BACK };

#define FIELDS (EVOLUTION_FIELDS + 3)

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int allocate(struct reinforce *r, struct error *error)
{
	const size_t parameters = r->evolution.count;
	const size_t candidates = evolution_candidates(&r->evolution);
	const size_t networks = most(r->options.networks, r->options.held_back);

	r->best = calloc(parameters + 1, sizeof(*r->best));
	r->candidate = calloc(parameters + 1, sizeof(*r->candidate));
	r->models = calloc(candidates, sizeof(*r->models));
	r->networks = calloc(networks, sizeof(*r->networks));
	r->figures = calloc(networks * candidates, sizeof(*r->figures));
	r->reference = calloc(networks, sizeof(*r->reference));
	r->held_back = calloc(r->options.held_back + 1, sizeof(*r->held_back));
	r->fitness = calloc(candidates, sizeof(*r->fitness));
	return r->best && r->candidate && r->models && r->networks && r->figures && r->reference &&
			       r->held_back && r->fitness
		       ? 0
		       : error_set(error, ERR_NO_MEMORY, "out of memory for %zu candidates",
				   candidates);
}

int reinforce_open(struct reinforce *reinforce, const struct reinforce_options *options,
		   const struct aqm_student_model *shape, const float *theta,
		   const struct scenario *scenarios, size_t count, struct error *error)
{
	int code;

	*reinforce = (struct reinforce){
		.options = *options,
		.shape = shape,
		.scenarios = scenarios,
		.best_reward = -INFINITY,
	};
	if (count <= options->held_back)
		return error_set(error, ERR_RANGE,
				 "%zu networks, of which %zu are held back, leave none to train on",
				 count, options->held_back);
	reinforce->training = count - options->held_back;
	if (options->networks > reinforce->training)
		reinforce->options.networks = reinforce->training;
	code = evolution_open(&reinforce->evolution, &options->evolution, theta,
			      student_float_count(shape), error);
	if (code)
		return code;
	code = allocate(reinforce, error);
	if (code)
		reinforce_free(reinforce);
	else
		memcpy(reinforce->best, theta, reinforce->evolution.count * sizeof(*theta));
	return code;
}

void reinforce_free(struct reinforce *reinforce)
{
	evolution_free(&reinforce->evolution);
	free(reinforce->best);
	free(reinforce->candidate);
	free(reinforce->models);
	free(reinforce->networks);
	free(reinforce->figures);
	free(reinforce->reference);
	free(reinforce->held_back);
	free(reinforce->fitness);
	memset(reinforce, 0, sizeof(*reinforce));
}

size_t reinforce_rollouts(const struct reinforce *reinforce)
{
	return reinforce->options.networks * (evolution_candidates(&reinforce->evolution) + 1);
}

static struct rng generator(const struct reinforce *r, enum stream stream, uint64_t label)
{
	struct rng root, of_stream;

	rng_seed(&root, r->options.seed);
	of_stream = rng_split(&root, stream);
	return rng_split(&of_stream, label);
}

/* Networks of the present generation, no two alike: selection sampling (Knuth, algorithm S). */
static void draw_networks(struct reinforce *r)
{
	struct rng rng = generator(r, STREAM_NETWORKS, r->evolution.generation);
	size_t taken = 0;

	for (size_t i = 0; taken < r->options.networks; i++)
		if (rng_below(&rng, r->training - i) < r->options.networks - taken)
			r->networks[taken++] = (struct rollout_network){
				.scenario = &r->scenarios[i], .seed = rng_u64(&rng)};
}

static void take_held_back(struct reinforce *r)
{
	for (size_t i = 0; i < r->options.held_back; i++) {
		struct rng rng = generator(r, STREAM_HELD_BACK, i);

		r->networks[i] = (struct rollout_network){
			.scenario = &r->scenarios[r->training + i], .seed = rng_u64(&rng)};
	}
}

static int make_candidates(struct reinforce *r, struct error *error)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < evolution_candidates(&r->evolution); i++) {
		evolution_candidate(&r->evolution, i, r->candidate);
		code = student_float_quantise(r->shape, r->candidate, &r->models[i], error);
	}
	return code;
}

/* Mean reward over the networks of a candidate, in their order. */
static double mean_reward(const struct reinforce *r, size_t candidate)
{
	const size_t candidates = evolution_candidates(&r->evolution);
	double sum = 0;

	for (size_t n = 0; n < r->options.networks; n++)
		sum += objective_reward(&r->options.objective,
					&r->figures[n * candidates + candidate], &r->reference[n]);
	return sum / (double)r->options.networks;
}

static void tell_generation(const struct reinforce *r, struct reinforce_row *row)
{
	const size_t candidates = evolution_candidates(&r->evolution);

	row->reward_mean = 0;
	row->reward_best = -INFINITY;
	for (size_t i = 0; i < candidates; i++) {
		row->reward_mean += r->fitness[i] / (double)candidates;
		row->reward_best = fmax(row->reward_best, r->fitness[i]);
	}
}

int reinforce_generation(struct reinforce *reinforce, const struct rollout_crew *crew,
			 struct reinforce_row *row, struct error *error)
{
	const size_t candidates = evolution_candidates(&reinforce->evolution);
	const struct rollout_batch batch = {
		.networks = reinforce->networks,
		.network_count = reinforce->options.networks,
		.models = reinforce->models,
		.model_count = candidates,
		.student = &reinforce->options.student,
		.reference = &reinforce->options.reference,
	};
	int code = make_candidates(reinforce, error);

	if (code)
		return code;
	draw_networks(reinforce);
	code = rollout_batch_run(&batch, crew, reinforce->figures, reinforce->reference, error);
	if (code)
		return code;
	for (size_t i = 0; i < candidates; i++)
		reinforce->fitness[i] = mean_reward(reinforce, i);
	tell_generation(reinforce, row);
	row->gradient = evolution_step(&reinforce->evolution, reinforce->fitness);
	row->generation = (double)reinforce->evolution.generation;
	return 0;
}

static int compare(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Run over reference of the networks held back, sorted; those with neither are left out. */
static size_t ratios_of(const struct reinforce *r, enum objective_figure figure, double *ratios)
{
	size_t count = 0;

	for (size_t n = 0; n < r->options.held_back; n++) {
		const double ratio =
			r->figures[n].values[figure] / r->held_back[n].values[figure];

		if (isfinite(ratio))
			ratios[count++] = ratio;
	}
	qsort(ratios, count, sizeof(*ratios), compare);
	return count;
}

static double median_of(const double *sorted, size_t count)
{
	return count ? (sorted[(count - 1) / 2] + sorted[count / 2]) / 2 : NAN;
}

static int tell_held_back(const struct reinforce *r, struct reinforce_row *row,
			  struct error *error)
{
	const size_t networks = r->options.held_back;
	double *values = calloc(networks + 1, sizeof(*values));
	size_t count;

	if (values == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	row->held_back = 0;
	row->held_back_worst = INFINITY;
	for (size_t n = 0; n < networks; n++) {
		const double reward = objective_reward(&r->options.objective, &r->figures[n],
						       &r->held_back[n]);

		row->held_back += reward / (double)networks;
		row->held_back_worst = fmin(row->held_back_worst, reward);
	}
	row->l_p99 = median_of(values, ratios_of(r, OBJECTIVE_l_p99_ms, values));
	row->c_p99 = median_of(values, ratios_of(r, OBJECTIVE_c_p99_ms, values));
	count = ratios_of(r, OBJECTIVE_goodput_mbps, values);
	row->goodput = median_of(values, count);
	row->goodput_worst = count ? values[0] : NAN;
	free(values);
	return 0;
}

static void keep_best(struct reinforce *r, double reward)
{
	if (!(reward > r->best_reward))
		return;
	r->best_reward = reward;
	r->best_generation = r->evolution.generation;
	memcpy(r->best, r->evolution.theta, r->evolution.count * sizeof(*r->best));
}

/* The student on the networks held back; the reference runs there once. */
static int run_held_back(struct reinforce *r, const struct rollout_crew *crew, struct error *error)
{
	const struct rollout_batch batch = {
		.networks = r->networks,
		.network_count = r->options.held_back,
		.models = r->models,
		.model_count = 1,
		.student = &r->options.student,
		.reference = r->has_held_back ? NULL : &r->options.reference,
	};
	int code = student_float_quantise(r->shape, r->evolution.theta, r->models, error);

	if (code)
		return code;
	take_held_back(r);
	code = rollout_batch_run(&batch, crew, r->figures, r->held_back, error);
	r->has_held_back = r->has_held_back || code == 0;
	return code;
}

int reinforce_validate(struct reinforce *reinforce, const struct rollout_crew *crew,
		       struct reinforce_row *row, struct error *error)
{
	int code;

	if (reinforce->options.held_back == 0) {
		reinforce->best_reward = -INFINITY;
		keep_best(reinforce, 0);
		return 0;
	}
	code = run_held_back(reinforce, crew, error);
	if (code == 0)
		code = tell_held_back(reinforce, row, error);
	if (code == 0)
		keep_best(reinforce, row->held_back);
	return code;
}

int reinforce_student(const struct reinforce *reinforce, struct aqm_student_model *model,
		      struct error *error)
{
	return student_float_quantise(reinforce->shape, reinforce->best, model, error);
}

static void state_fields(struct reinforce *r, struct checkpoint_field *fields)
{
	evolution_fields(&r->evolution, fields);
	fields[EVOLUTION_FIELDS] = (struct checkpoint_field){
		"best", SAFETENSORS_F32, (int64_t)r->evolution.count, r->best};
	fields[EVOLUTION_FIELDS + 1] =
		(struct checkpoint_field){"best_reward", SAFETENSORS_F64, 1, &r->best_reward};
	fields[EVOLUTION_FIELDS + 2] = (struct checkpoint_field){
		"best_generation", SAFETENSORS_I64, 1, &r->best_generation};
}

int reinforce_save(struct reinforce *reinforce, const char *path, const char *fingerprint,
		   struct error *error)
{
	struct checkpoint_field fields[FIELDS];

	state_fields(reinforce, fields);
	return checkpoint_save(path, fields, FIELDS, fingerprint, error);
}

int reinforce_load(struct reinforce *reinforce, const char *path, const char *fingerprint,
		   struct error *error)
{
	struct checkpoint_field fields[FIELDS];
	int code;

	state_fields(reinforce, fields);
	code = checkpoint_load(path, fields, FIELDS, fingerprint, error);
	if (code == 0)
		evolution_resumed(&reinforce->evolution);
	return code;
}

int reinforce_share(struct reinforce *reinforce, const struct ranks *ranks, struct error *error)
{
	const struct spread spread = {.ranks = *ranks};
	struct checkpoint_field fields[FIELDS];
	int code = 0;

	state_fields(reinforce, fields);
	for (int i = 0; code == 0 && i < FIELDS; i++)
		code = spread_record(&spread, fields[i].data,
				     (size_t)fields[i].count *
					     safetensors_dtype_bytes(fields[i].dtype),
				     error);
	evolution_resumed(&reinforce->evolution);
	return code;
}
