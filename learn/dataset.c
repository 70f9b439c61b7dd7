/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a pool to numbers a network can take.
 *
 * Return-to-go: R_t = r'_t + gamma R_{t+1} inside an episode, with
 * r' = (r - offset) * factor.  By default offset 0 and factor 1, and R is
 * scaled by its rank; the released code normalises r to [0, 1] over the whole
 * pool, uses gamma 1 and divides R by 1000.  The target return is the largest
 * of the training rows (released: of the pool).
 *
 * Everything is fitted on the training rows alone (the released normalisation
 * excepted, which `compat` reproduces).
 */
#include "learn/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/baselines.h"

#define DEFAULT_GAMMA 0.95
#define FEATURE_DIM 256
#define TIMESTEPS 64 /* not a multiple of 5: published pools repeat every 5 rows */
#define COMPAT_RETURN_SCALE 1000.0

/* The row before `cut` is the last that rows before it know of; compat: there is no cut. */
static void fill_returns(const struct pool *pool, const struct policy_config *config, size_t cut,
			 double *returns)
{
	double after = 0;

	for (size_t row = pool->rows; row-- > 0;) {
		const double reward =
			(pool->reward[row] - config->reward_offset) * config->reward_factor;

		if (pool->done[row] || (row + 1 == cut && !config->compat))
			after = 0;
		after = reward + config->gamma * after;
		returns[row] = after;
	}
}

static size_t longest_episode(const struct pool *pool)
{
	size_t longest = 0, length = 0;

	for (size_t row = 0; row < pool->rows; row++) {
		length++;
		longest = length > longest ? length : longest;
		if (pool->done[row])
			length = 0;
	}
	return longest;
}

static void fit_rewards(struct policy_config *config, const struct pool *pool,
			const struct dataset_fit *fit)
{
	double low = INFINITY, high = -INFINITY;

	config->gamma = fit->gamma >= 0	       ? fit->gamma
			: pool->meta.gamma > 0 ? pool->meta.gamma
					       : DEFAULT_GAMMA;
	config->reward_offset = 0;
	config->reward_factor = 1;
	if (!fit->compat)
		return;
	for (size_t row = 0; row < pool->rows; row++) {
		low = fmin(low, pool->reward[row]);
		high = fmax(high, pool->reward[row]);
	}
	config->gamma = fit->gamma >= 0 ? fit->gamma : 1.0;
	config->reward_offset = low;
	config->reward_factor = 1.0 / ((high > low ? high - low : 1.0) * COMPAT_RETURN_SCALE);
}

static int fit_returns(struct policy_config *config, const struct pool *pool, size_t cut,
		       const struct dataset_fit *fit, struct error *error)
{
	const size_t seen = fit->compat ? pool->rows : cut;
	double *returns = malloc((pool->rows + 1) * sizeof(double));
	int status;

	if (!returns)
		return error_set(error, ERR_NO_MEMORY, "returns of %zu rows", pool->rows);
	fit_rewards(config, pool, fit);
	fill_returns(pool, config, cut, returns);
	config->target_return = returns[0];
	for (size_t row = 1; row < seen; row++)
		config->target_return = fmax(config->target_return, returns[row]);
	status = scaling_fit(&config->returns, fit->compat ? SCALING_identity : SCALING_quantile,
			     returns, cut, 1, error);
	free(returns);
	return status;
}

static int fit_features(struct policy_config *config, const struct pool *pool, size_t cut,
			const struct dataset_fit *fit, struct error *error)
{
	const enum scaling_kind by_default = fit->compat ? SCALING_identity : SCALING_quantile;
	const enum scaling_kind kind =
		fit->scaling < 0 ? by_default : (enum scaling_kind)fit->scaling;
	int status = 0;

	config->features = 0;
	for (size_t i = 0; !status && i < pool->features; i++) {
		struct policy_feature *feature = &config->feature[config->features];

		if (strcmp(pool->columns[i].name, POOL_LAW_COLUMN) == 0)
			continue;
		memcpy(feature->name, pool->columns[i].name, POOL_NAME_BYTES);
		status = scaling_fit(&feature->scaling, kind, pool->state + i, cut, pool->features,
				     error);
		config->features++;
	}
	return status;
}

int dataset_fit_config(struct policy_config *config, const struct pool *pool, size_t cut,
		       const struct dataset_fit *fit, struct error *error)
{
	int status;

	if (cut == 0)
		return error_set(error, ERR_INVALID, "the pool has no rows to train on");
	config->feature_dim = FEATURE_DIM;
	config->compat = fit->compat;
	config->timesteps = fit->compat ? (int64_t)longest_episode(pool) : TIMESTEPS;
	config->timestep_rule = fit->compat ? POLICY_TIMESTEP_CLAMP : POLICY_TIMESTEP_MODULO;
	memcpy(config->reward, pool->meta.reward, sizeof(config->reward));
	memcpy(config->state, pool->meta.state, sizeof(config->state));
	status = fit_features(config, pool, cut, fit, error);
	config->shared_last = fit->compat && config->features > 1;
	return status ? status : fit_returns(config, pool, cut, fit, error);
}

static int find_columns(const struct pool *pool, const struct policy_config *config,
			size_t *columns, struct error *error)
{
	for (int i = 0; i < config->features; i++) {
		const int column = pool_feature(pool, config->feature[i].name);

		if (column < 0)
			return error_at(error, ERR_INVALID, NULL, 0, config->feature[i].name,
					"the policy was trained with this feature, and the pool "
					"does not have it");
		columns[i] = (size_t)column;
	}
	return 0;
}

int dataset_feature(const struct dataset *dataset, const char *name)
{
	for (int i = 0; i < dataset->features; i++)
		if (strcmp(dataset->config->feature[i].name, name) == 0)
			return i;
	return -1;
}

float dataset_scaled(const struct dataset *dataset, size_t row, int feature, double factor)
{
	const struct pool *pool = dataset->pool;
	const double raw = pool->state[row * pool->features + dataset->columns[feature]];

	return (float)scaling_apply(&dataset->config->feature[feature].scaling, raw * factor);
}

static int fill_states(struct dataset *dataset, const struct pool *pool, struct error *error)
{
	const struct policy_config *config = dataset->config;
	const size_t *columns = dataset->columns;
	const int status = find_columns(pool, config, dataset->columns, error);

	if (status)
		return status;
	for (size_t row = 0; row < pool->rows; row++) {
		const double *state = pool->state + row * pool->features;
		float *out = dataset->states + row * (size_t)dataset->features;

		for (int i = 0; i < dataset->features; i++) {
			if (!isfinite(state[columns[i]]) || fabs(state[columns[i]]) > 1e30)
				return error_at(error, ERR_INVALID, NULL, (long)row + 1,
						config->feature[i].name,
						"row holds a value that is not a finite number");
			out[i] = (float)scaling_apply(&config->feature[i].scaling,
						      state[columns[i]]);
		}
	}
	return 0;
}

static int fill_rows(struct dataset *dataset, const struct pool *pool, size_t cut,
		     struct error *error)
{
	double *returns = malloc((pool->rows + 1) * sizeof(double));
	uint32_t first = 0;

	if (!returns)
		return error_set(error, ERR_NO_MEMORY, "returns of %zu rows", pool->rows);
	fill_returns(pool, dataset->config, cut, returns);
	for (size_t row = 0; row < pool->rows; row++) {
		dataset->returns[row] =
			(float)scaling_apply(&dataset->config->returns, returns[row]);
		dataset->labels[row] = pool->action[row];
		dataset->parts[row] = (uint8_t)pool_row_part(pool, row);
		dataset->episode[row] = first;
		if (pool->done[row])
			first = (uint32_t)row + 1;
	}
	free(returns);
	return fill_states(dataset, pool, error);
}

int dataset_new(struct dataset *dataset, const struct pool *pool, size_t cut,
		const struct policy_config *config, struct error *error)
{
	const size_t rows = pool->rows;
	int status;

	*dataset = (struct dataset){
		.rows = rows, .features = config->features, .config = config, .pool = pool};
	if (rows >= UINT32_MAX)
		return error_set(error, ERR_RANGE, "a pool of %zu rows is too long", rows);
	dataset->target = (float)scaling_apply(&config->returns, config->target_return);
	dataset->states = calloc(rows * (size_t)config->features + 1, sizeof(float));
	dataset->returns = calloc(rows + 1, sizeof(float));
	dataset->labels = calloc(rows + 1, sizeof(int32_t));
	dataset->episode = calloc(rows + 1, sizeof(uint32_t));
	dataset->parts = calloc(rows + 1, 1);
	if (!dataset->states || !dataset->returns || !dataset->labels || !dataset->episode ||
	    !dataset->parts)
		status = error_set(error, ERR_NO_MEMORY, "a pool of %zu rows", rows);
	else
		status = fill_rows(dataset, pool, cut, error);
	if (status)
		dataset_free(dataset);
	return status;
}

void dataset_free(struct dataset *dataset)
{
	free(dataset->states);
	free(dataset->returns);
	free(dataset->labels);
	free(dataset->episode);
	free(dataset->parts);
	memset(dataset, 0, sizeof(*dataset));
}

int32_t dataset_timestep(const struct dataset *dataset, size_t row, uint32_t interval)
{
	return policy_config_timestep(dataset->config, (row - dataset->episode[row]) / interval);
}

static bool has_event(const struct dataset *dataset, size_t first, int64_t steps, uint32_t interval)
{
	for (int64_t i = 0; i < steps; i++)
		if (dataset->labels[first + (size_t)i * interval] != POOL_ENQUEUE)
			return true;
	return false;
}

/* Counts, or with `out` fills, the windows of one interval that do (`event`) or do not hold one. */
static size_t collect_windows(const struct dataset *dataset, size_t begin, size_t end,
			      const struct dataset_window_options *options, uint32_t interval,
			      bool event, struct dataset_window *out)
{
	const size_t span = (size_t)(options->steps - 1) * interval;
	size_t count = 0;

	for (size_t first = begin; first + span < end; first += (size_t)options->stride) {
		if (!options->cross && dataset->episode[first] != dataset->episode[first + span])
			continue;
		if (has_event(dataset, first, options->steps, interval) != event)
			continue;
		if (out)
			out[count] = (struct dataset_window){(uint32_t)first, interval, 1};
		count++;
	}
	return count;
}

static size_t collect_all(const struct dataset *dataset, size_t first, size_t end,
			  const struct dataset_window_options *options, bool event,
			  struct dataset_window *out)
{
	size_t count = 0;

	for (int i = 0; i < options->interval_count; i++)
		count += collect_windows(dataset, first, end, options, options->intervals[i], event,
					 out ? out + count : NULL);
	return count;
}

static int no_window(size_t rows, const struct dataset_window_options *options, struct error *error)
{
	return error_set(error, ERR_INVALID,
			 "no window of %lld steps fits into an episode of %s%zu training rows; "
			 "choose a smaller --window",
			 (long long)options->steps, options->strata > 1 ? "a pool's " : "the ",
			 rows);
}

/* Rows of stratum `index`. */
static void stratum_rows(const struct dataset_window_options *options, size_t index, size_t *first,
			 size_t *end)
{
	if (options->strata == 0)
		return;
	*first = index ? options->stratum_end[index - 1] : *first;
	*end = options->stratum_end[index];
}

static int count_windows(struct dataset_windows *windows, const struct dataset *dataset,
			 size_t first, size_t end, const struct dataset_window_options *options,
			 struct error *error)
{
	for (size_t i = 0; i < windows->strata; i++) {
		struct dataset_stratum *stratum = &windows->stratum[i];
		size_t low = first, high = end;

		stratum_rows(options, i, &low, &high);
		stratum->first = windows->count;
		stratum->quiet = collect_all(dataset, low, high, options, false, NULL);
		stratum->count =
			stratum->quiet + collect_all(dataset, low, high, options, true, NULL);
		if (stratum->count == 0)
			return no_window(high - low, options, error);
		windows->count += stratum->count;
		windows->quiet += stratum->quiet;
	}
	return 0;
}

int dataset_windows_new(struct dataset_windows *windows, const struct dataset *dataset,
			size_t first, size_t end, const struct dataset_window_options *options,
			struct error *error)
{
	int status;

	*windows = (struct dataset_windows){.steps = options->steps,
					    .strata = options->strata ? options->strata : 1};
	if (options->strata > DATASET_MAX_STRATA)
		return error_set(error, ERR_RANGE, "%zu strata; at most %d", options->strata,
				 DATASET_MAX_STRATA);
	status = count_windows(windows, dataset, first, end, options, error);
	if (status)
		return status;
	windows->all = malloc(windows->count * sizeof(*windows->all));
	if (!windows->all)
		return error_set(error, ERR_NO_MEMORY, "%zu windows", windows->count);
	for (size_t i = 0; i < windows->strata; i++) {
		const struct dataset_stratum *stratum = &windows->stratum[i];
		struct dataset_window *out = windows->all + stratum->first;
		size_t low = first, high = end;

		stratum_rows(options, i, &low, &high);
		collect_all(dataset, low, high, options, false, out);
		collect_all(dataset, low, high, options, true, out + stratum->quiet);
	}
	return 0;
}

void dataset_windows_free(struct dataset_windows *windows)
{
	free(windows->all);
	memset(windows, 0, sizeof(*windows));
}

static void swap_windows(struct dataset_window *a, struct dataset_window *b)
{
	const struct dataset_window keep = *a;

	*a = *b;
	*b = keep;
}

/* `count` draws from `from` (size of them), each once before any twice. */
static void draw_some(struct rng *rng, const struct dataset_window *from, size_t size, size_t count,
		      float weight, struct dataset_window *out)
{
	size_t done = 0;

	for (; done + size <= count; done += size)
		memcpy(out + done, from, size * sizeof(*out));
	/* Selection sampling (Knuth, algorithm 3.4.2 S): in order, without a copy. */
	for (size_t i = 0, left = count - done; left > 0; i++) {
		if (rng_below(rng, size - i) >= left)
			continue;
		out[done++] = from[i];
		left--;
	}
	for (size_t i = 0; i < count; i++)
		out[i].weight = weight;
}

/* `count` windows of a stratum, unshuffled. */
static void draw_stratum(const struct dataset_window *all, const struct dataset_stratum *stratum,
			 struct rng *rng, size_t count, double event_share,
			 struct dataset_window *out)
{
	const struct dataset_window *from = all + stratum->first;
	const size_t quiet = stratum->quiet, event = stratum->count - quiet;
	const double size = (double)stratum->count;
	size_t events = (size_t)(event_share * (double)count + 0.5);

	if (event_share < 0 || count < 2 || count == stratum->count || !quiet || !event) {
		draw_some(rng, from, stratum->count, count, 1, out);
		return;
	}
	events = events < 1 ? 1 : events > count - 1 ? count - 1 : events;
	draw_some(rng, from + quiet, event, events,
		  (float)((double)event / size * (double)count / (double)events), out);
	draw_some(rng, from, quiet, count - events,
		  (float)((double)quiet / size * (double)count / (double)(count - events)),
		  out + events);
}

void dataset_windows_draw(const struct dataset_windows *windows, struct rng *rng, size_t count,
			  double event_share, struct dataset_window *out)
{
	size_t done = 0;

	for (size_t i = 0; i < windows->strata; i++) {
		const size_t end = count * (i + 1) / windows->strata;

		draw_stratum(windows->all, &windows->stratum[i], rng, end - done, event_share,
			     out + done);
		done = end;
	}
	for (size_t i = count; i > 1; i--)
		swap_windows(&out[i - 1], &out[rng_below(rng, i)]);
}
