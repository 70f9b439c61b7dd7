/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/offline.h"

#include <math.h>
#include <stdlib.h>

#include "learn/advantage.h"
#include "learn/agreement.h"
#include "learn/critic.h"
#include "learn/moments.h"
#include "learn/student_fit.h"

#define VERDICTS 3
#define ROUNDS 5 /* of the critic */

/* Streams of random numbers. */
enum { STREAM_CRITIC, STREAM_ACTOR, STREAM_CRITIC_ORDER, STREAM_ACTOR_ORDER };

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
	float *value, *returned; /* (rows of the pool) */
	/* Of the steps of visits.train, and from `cut` on of visits.held_out: (rows of the pool) */
	size_t *row; /* in the pool */
	float *weight;
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

/* Both parts in whole segments. */
static int read_states(struct offline *offline, struct error *error)
{
	const struct pool *pool = offline->pool;
	const size_t cut = offline->cut;
	struct visits_part *train = &offline->visits.train, *held_out = &offline->visits.held_out;
	int status = pool_states_read(train, offline->row, pool, 0, cut, error);

	if (!status)
		status = pool_states_read(held_out, offline->row + cut, pool, cut, pool->rows,
					  error);
	if (!status && (train->segments == 0 || held_out->segments == 0))
		status = error_set(error, ERR_RANGE,
				   "%zu rows to learn from and %zu held back; %d of each are "
				   "needed, one after another in an episode",
				   cut, pool->rows - cut, VISITS_SEGMENT);
	return status;
}

static int offline_open(struct offline *offline, struct error *error)
{
	const struct pool *pool = offline->pool;
	struct rng critic = stream(offline, STREAM_CRITIC), actor = stream(offline, STREAM_ACTOR);
	int status;

	offline->visits = (struct visits){.features = AQM_STUDENT_FEATURE_COUNT,
					  .outputs = VERDICTS};
	offline->theta = calloc(student_float_count(offline->model) + 1, sizeof(float));
	offline->value = calloc(pool->rows + 1, sizeof(float));
	offline->returned = calloc(pool->rows + 1, sizeof(float));
	offline->row = calloc(pool->rows + 1, sizeof(*offline->row));
	offline->weight = calloc(pool->rows + 1, sizeof(float));
	if (!offline->theta || !offline->value || !offline->returned || !offline->row ||
	    !offline->weight)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %zu rows", pool->rows);
	student_float_init(offline->model, offline->theta, &actor);
	status = read_states(offline, error);
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
	free(offline->row);
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
	struct rng order = stream(offline, STREAM_CRITIC_ORDER);
	int status = 0;

	value_nothing(offline);
	for (uint64_t round = 0; round < ROUNDS && !status; round++) {
		read_returns(offline, round ? options->lambda : 1);
		offline->critic_done = round * options->critic_updates / ROUNDS;
		fit.updates = (round + 1) * options->critic_updates / ROUNDS - offline->critic_done;
		status = critic_fit(&offline->critic, offline->returned, offline->cut, &fit, &order,
				    error);
		if (!status)
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

/* Weights of the part's steps, of which the first is step `first` of offline->row and weight. */
static struct advantage_weights weigh_part(struct offline *offline,
					   const struct visits_part *part, size_t first)
{
	const size_t steps = (size_t)part->segments * VISITS_SEGMENT;
	const struct offline_options *options = offline->options;
	float *weight = offline->weight + first;

	for (size_t i = 0; i < steps; i++) {
		const size_t row = offline->row[first + i];

		weight[i] = offline->returned[row] - offline->value[row];
	}
	return advantage_weigh(weight, steps, options->beta, options->most);
}

/* Weights of both parts; those of the rows held back are for the report. */
static struct advantage_weights weigh(struct offline *offline)
{
	read_returns(offline, offline->options->lambda);
	weigh_part(offline, &offline->visits.train, 0);
	return weigh_part(offline, &offline->visits.held_out, offline->cut);
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
	struct rng order = stream(offline, STREAM_ACTOR_ORDER);
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
	for (size_t i = 0; i < rows; i++) {
		const double signalled = 1 - (double)part->target[i * VERDICTS + AQM_PASS];
		int16_t output[AQM_STUDENT_OUTPUTS];
		double probability[VERDICTS];

		aqm_student_run(offline->model, &state, part->seen + i * AQM_STUDENT_FEATURE_COUNT,
				output);
		student_probabilities(output, probability);
		report->logged_signals += signalled / (double)rows;
		report->student_signals += (1 - probability[AQM_PASS]) / (double)rows;
		report->weighted_signals += (double)offline->weight[offline->cut + i] * signalled /
					    (double)rows; /* weights have a mean of 1 */
	}
}

static void tell_returns(struct offline *offline, struct offline_report *report)
{
	const float *returned = offline->returned + offline->cut;
	const size_t rows = offline->pool->rows - offline->cut;
	struct moments moments;

	read_returns(offline, 1);
	moments = moments_of(returned, NULL, rows);
	report->return_mean = moments.mean;
	report->return_deviation = sqrt(moments.variance);
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
	int status = offline_open(&offline, error);

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
