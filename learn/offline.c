/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/offline.h"

#include <math.h>
#include <stdlib.h>

#include "learn/advantage.h"
#include "learn/agreement.h"
#include "learn/critic.h"
#include "learn/student_fit.h"

#define VERDICTS 3
#define ROUNDS 5	      /* of the critic */
#define STATE_MAX 9007199254740992.0 /* 2^53: more is no integer of a log */

/* Streams of random numbers. */
enum { STREAM_CRITIC, STREAM_ACTOR, STREAM_ORDER };

struct offline {
	const struct offline_options *options;
	const struct pool *pool;
	size_t cut;
	const struct offline_observer *observer;
	struct aqm_student_model *model;
	struct visits visits;
	struct critic critic;
	uint64_t critic_done; /* updates of earlier rounds */
	float *theta;
	float *value, *returned, *weight; /* (rows of the pool) */
};

static struct rng stream(const struct offline *offline, uint64_t label)
{
	struct rng root;

	rng_seed(&root, offline->options->seed);
	return rng_split(&root, label);
}

static bool told(const struct offline *offline, const char *stage, uint64_t done, uint64_t total)
{
	const struct offline_observer *observer = offline->observer;

	return observer->progress && observer->progress(observer->context, stage, done, total);
}

static int check_rows(const struct pool *pool, size_t cut, struct error *error)
{
	if (cut < VISITS_SEGMENT || pool->rows - cut < VISITS_SEGMENT)
		return error_set(error, ERR_RANGE,
				 "%zu rows to learn from and %zu held back; %d of each are needed",
				 cut, pool->rows - cut, VISITS_SEGMENT);
	for (size_t row = 0; row < pool->rows; row++) {
		bool good = isfinite(pool->reward[row]);

		for (size_t i = 0; i < pool->features; i++) {
			const double x = pool->state[row * pool->features + i];

			good = good && fabs(x) < STATE_MAX;
		}
		if (!good)
			return error_set(error, ERR_RANGE,
					 "row %zu has a number that no router logs", row + 1);
	}
	return 0;
}

static int offline_open(struct offline *offline, struct error *error)
{
	const struct pool *pool = offline->pool;
	struct rng critic = stream(offline, STREAM_CRITIC), actor = stream(offline, STREAM_ACTOR);
	int status;

	offline->visits = (struct visits){.features = AQM_STUDENT_FEATURE_COUNT,
					  .outputs = VERDICTS};
	offline->theta = calloc(student_float_count(offline->model) + 1, sizeof(float));
	offline->value = calloc(pool->rows, sizeof(float));
	offline->returned = calloc(pool->rows, sizeof(float));
	offline->weight = calloc(pool->rows, sizeof(float));
	if (!offline->theta || !offline->value || !offline->returned || !offline->weight)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %zu rows", pool->rows);
	student_float_init(offline->model, offline->theta, &actor);
	status = pool_states_read(&offline->visits.train, pool, 0, offline->cut, error);
	if (!status)
		status = pool_states_read(&offline->visits.held_out, pool, offline->cut, pool->rows,
					  error);
	return status ? status
		      : critic_open(&offline->critic, pool, offline->cut,
				    offline->options->critic_width, &critic, error);
}

static void offline_free(struct offline *offline)
{
	visits_free(&offline->visits);
	critic_free(&offline->critic);
	free(offline->theta);
	free(offline->value);
	free(offline->returned);
	free(offline->weight);
}

/* Returns on both sides of the cut: neither knows of the other's rewards. */
static void read_returns(struct offline *offline, double lambda)
{
	const struct pool *pool = offline->pool;
	const size_t cut = offline->cut;
	const struct advantage_rows train = {pool->reward, pool->done, cut};
	const struct advantage_rows held_out = {pool->reward + cut, pool->done + cut,
						pool->rows - cut};

	advantage_returns(&train, offline->value, offline->options->gamma, lambda,
			  offline->returned);
	advantage_returns(&held_out, offline->value + cut, offline->options->gamma, lambda,
			  offline->returned + cut);
}

static bool critic_told(void *context, uint64_t done)
{
	const struct offline *offline = context;

	return told(offline, "critic", offline->critic_done + done,
		    offline->options->critic_updates);
}

/* Nobody knows yet what states are worth: the mean reward. */
static void value_nothing(struct offline *offline)
{
	double mean = 0;

	for (size_t row = 0; row < offline->cut; row++)
		mean += offline->pool->reward[row] / (double)offline->cut;
	for (size_t row = 0; row < offline->pool->rows; row++)
		offline->value[row] = (float)mean;
}

static int learn_values(struct offline *offline, struct error *error)
{
	const struct offline_options *options = offline->options;
	struct critic_options fit = {.batch = options->batch * VISITS_SEGMENT,
				     .rate = options->rate, .context = offline,
				     .progress = critic_told};
	struct rng order = stream(offline, STREAM_ORDER);
	int status = 0;

	value_nothing(offline);
	for (uint64_t round = 0; round < ROUNDS && !status; round++) {
		read_returns(offline, round ? options->lambda : 1);
		offline->critic_done = round * options->critic_updates / ROUNDS;
		fit.updates = (round + 1) * options->critic_updates / ROUNDS - offline->critic_done;
		status = critic_fit(&offline->critic, offline->returned, offline->cut, &fit, &order,
				    error);
		critic_values(&offline->critic, offline->value);
	}
	return status;
}

static bool actor_told(void *context, uint64_t done, const struct distill_terms *terms)
{
	const struct offline *offline = context;

	(void)terms;
	return told(offline, "actor", done, offline->options->updates);
}

/* Weights of both sides; those of the rows held back are for the report. */
static struct advantage_weights weigh(struct offline *offline)
{
	const struct offline_options *options = offline->options;
	const size_t cut = offline->cut;

	read_returns(offline, options->lambda);
	advantage_weigh(offline->returned, offline->value, cut, options->beta, options->most,
			offline->weight);
	return advantage_weigh(offline->returned + cut, offline->value + cut,
			       offline->pool->rows - cut, options->beta, options->most,
			       offline->weight + cut);
}

static int learn_actions(struct offline *offline, struct error *error)
{
	const struct student_fit_options fit = {.loss = {.temperature = 1},
						.updates = offline->options->updates,
						.batch = offline->options->batch,
						.rate = offline->options->rate,
						.weight = offline->weight,
						.context = offline,
						.progress = actor_told};
	struct rng order = stream(offline, STREAM_ORDER);
	struct distill_terms terms;
	int status = student_fit(offline->model, offline->theta, &offline->visits,
				 &offline->visits.train, &fit, &order, &terms, error);

	return status ? status
		      : student_float_quantise(offline->model, offline->theta, offline->model,
					       error);
}

/* Signals among the rows held back: in the log, by their weights, by the student. */
static void count_signals(const struct offline *offline, struct offline_report *report)
{
	const struct visits_part *part = &offline->visits.held_out;
	const size_t rows = (size_t)part->segments * VISITS_SEGMENT;
	struct aqm_student_state state = {0};
	double weights = 0, weighted = 0;

	for (size_t i = 0; i < rows; i++) {
		const double signalled = 1 - (double)part->target[i * VERDICTS + AQM_PASS];
		const double weight = (double)offline->weight[offline->cut + i];
		int16_t output[AQM_STUDENT_OUTPUTS];
		double probability[VERDICTS];

		aqm_student_run(offline->model, &state, part->seen + i * AQM_STUDENT_FEATURE_COUNT,
				output);
		student_probabilities(output, probability);
		report->logged_signals += signalled / (double)rows;
		report->student_signals += (1 - probability[AQM_PASS]) / (double)rows;
		weights += weight;
		weighted += weight * signalled;
	}
	report->weighted_signals = weighted / weights;
}

static void tell_returns(struct offline *offline, struct offline_report *report)
{
	const float *returned = offline->returned + offline->cut;
	const size_t rows = offline->pool->rows - offline->cut;
	double squares = 0;

	read_returns(offline, 1);
	for (size_t i = 0; i < rows; i++)
		report->return_mean += (double)returned[i] / (double)rows;
	for (size_t i = 0; i < rows; i++)
		squares += pow((double)returned[i] - report->return_mean, 2);
	report->return_deviation = sqrt(squares / (double)rows);
	report->explained = advantage_explained(returned, offline->value + offline->cut, rows);
}

static int tell(struct offline *offline, const struct advantage_weights *weights,
		struct offline_report *report, struct error *error)
{
	struct agreement agreement;
	const int status = agreement_measure(&agreement, offline->model, offline->theta,
					     &offline->visits, &offline->visits.held_out, error);

	if (status)
		return status;
	*report = (struct offline_report){
		.rows = (double)offline->cut,
		.held_out_rows = (double)(offline->pool->rows - offline->cut),
		.advantage_deviation = weights->deviation,
		.effective = weights->effective,
		.bounded = weights->bounded,
		.majority = agreement.majority,
		.agreement = agreement.agreement,
		.balanced = agreement.balanced,
		.cross_entropy = agreement.kl, /* actions are certain: they have no entropy */
	};
	count_signals(offline, report);
	tell_returns(offline, report);
	return 0;
}

int offline_run(const struct offline_options *options, const struct pool *pool, size_t cut,
		const struct offline_observer *observer, struct aqm_student_model *model,
		struct offline_report *report, struct error *error)
{
	struct offline offline = {.options = options, .pool = pool, .cut = cut,
				  .observer = observer, .model = model};
	struct advantage_weights weights;
	int status = check_rows(pool, cut, error);

	if (status)
		return status;
	status = offline_open(&offline, error);
	if (!status)
		status = learn_values(&offline, error);
	if (!status) {
		weights = weigh(&offline);
		status = learn_actions(&offline, error);
	}
	if (!status)
		status = tell(&offline, &weights, report, error);
	offline_free(&offline);
	return status;
}
