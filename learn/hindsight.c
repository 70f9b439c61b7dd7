/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One job a network.  The walker is a policy like any other; the pool's rows are
 * what it was shown.
 */
#include "learn/hindsight.h"

#include <stdio.h>
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
	int field[FEATURES]; /* of each feature, in struct aqm_record */
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
		state[i] = (double)record_value(&walker->record, walker->field[i]);
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
	struct pool *pools;   /* one a network; NULL: nobody walks */
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

	for (size_t i = 0; i < FEATURES; i++)
		walker.field[i] = record_field(feature_names[i]);
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

/* The rows of the pool that a network gives. */
static int fill_pool(struct hindsight *hindsight, size_t index, const struct aqm_ops *law,
		     const void *params, struct error *error)
{
	struct pool *pool = &hindsight->pools[index];
	int code;

	pool_init(pool);
	set_columns(pool);
	code = walk(hindsight, index, law, params, error);
	if (!code && pool->rows)
		pool->done[pool->rows - 1] = 1;
	hindsight->networks[index].rows = pool->rows;
	return code;
}

static int network_job(void *context, size_t index)
{
	struct hindsight *hindsight = context;
	struct error *error = &hindsight->errors[index];
	const struct aqm_ops *law;
	void *params = NULL;
	int code = own_law(&hindsight->scenarios[index], &law, &params, error);

	if (!code)
		code = score_rows(hindsight, index, law, params, error);
	if (!code && hindsight->pools)
		code = fill_pool(hindsight, index, law, params, error);
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

static int run_jobs(struct hindsight *hindsight, size_t count, struct error *error)
{
	const int code = parallel_for(count, hindsight->options->threads, network_job, hindsight);

	for (size_t i = 0; i < count && code; i++)
		if (hindsight->codes[i]) {
			*error = hindsight->errors[i];
			return hindsight->codes[i];
		}
	return code ? error_set(error, code, "out of memory for threads") : 0;
}

/* Every network's job; `pool` (may be NULL) receives their rows. */
static int run_all(struct hindsight *hindsight, size_t count, struct pool *pool,
		   struct error *error)
{
	int code = ERR_NO_MEMORY;

	memset(hindsight->networks, 0, count * sizeof(*hindsight->networks));
	hindsight->pools = pool ? calloc(count, sizeof(struct pool)) : NULL;
	hindsight->codes = calloc(count, sizeof(int));
	hindsight->errors = calloc(count, sizeof(struct error));
	if ((hindsight->pools || !pool) && hindsight->codes && hindsight->errors)
		code = run_jobs(hindsight, count, error);
	else
		error_set(error, code, "out of memory for %zu networks", count);
	if (!code && pool)
		code = join(hindsight, count, pool, error);
	for (size_t i = 0; i < count && hindsight->pools; i++)
		pool_free(&hindsight->pools[i]);
	free(hindsight->pools);
	free(hindsight->codes);
	free(hindsight->errors);
	return code;
}

int hindsight_run(const struct hindsight_options *options, const struct scenario *scenarios,
		  size_t count, struct hindsight_network *networks, struct pool *pool,
		  bool (*stop)(void *context), void *context, struct error *error)
{
	struct hindsight hindsight = {.options = options, .scenarios = scenarios,
				      .networks = networks, .stop = stop, .context = context};

	return run_all(&hindsight, count, pool, error);
}

int hindsight_score(const struct hindsight_options *options, const struct scenario *scenarios,
		    size_t count, struct hindsight_network *networks, bool (*stop)(void *context),
		    void *context, struct error *error)
{
	struct hindsight hindsight = {.options = options, .scenarios = scenarios,
				      .networks = networks, .stop = stop, .context = context};

	return run_all(&hindsight, count, NULL, error);
}
