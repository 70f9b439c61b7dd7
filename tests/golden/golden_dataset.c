/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The released code's data set: rewards and ends of episodes in; returns,
 * timesteps and window starts out.  gamma, the returns' divisor, the window and
 * the step between windows stand in the vectors' README, not in the file.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/dataset.h"
#include "tests/golden/golden.h"

#define GAMMA 0.95
#define OUR_DIVISOR 1000.0 /* of `compat`, as the released configuration has it */
#define DIVISOR 10.0
#define WINDOW 20
#define SAMPLE_STEP 5

/* A column of floats or 32-bit integers as floats, or an error. */
static float *column(const struct safetensors *file, const char *name, int64_t *count,
		     struct error *error, int *code)
{
	const struct safetensors_entry *entry = safetensors_find(file, name);
	float *values = NULL;

	if (*code)
		return NULL;
	if (entry == NULL || entry->dtype != SAFETENSORS_I32) {
		*code = golden_floats(file, name, &values, count, error);
		return values;
	}
	*count = entry->count;
	values = malloc(((size_t)entry->count + 1) * sizeof(*values));
	if (values == NULL)
		*code = error_set(error, ERR_NO_MEMORY, "out of memory for %s", name);
	for (int64_t i = 0; values && i < entry->count; i++) {
		int32_t number;

		memcpy(&number, (const char *)entry->data + (size_t)i * sizeof(number),
		       sizeof(number));
		values[i] = (float)number;
	}
	return values;
}

static int make_pool(struct pool *pool, const float *rewards, const float *dones, int64_t rows)
{
	int code = 0;

	pool_init(pool);
	pool->features = 1;
	for (int64_t i = 0; code == 0 && i < rows; i++) {
		const double state = (double)i;

		code = pool_append(pool, &state, POOL_ENQUEUE, rewards[i], dones[i] != 0);
	}
	return code;
}

static void compare_windows(struct golden_report *report, const struct dataset *dataset,
			    const float *starts, int64_t count)
{
	const struct dataset_window_options options = {.steps = WINDOW,
						       .stride = SAMPLE_STEP,
						       .intervals = {1},
						       .interval_count = 1,
						       .cross = true};
	struct dataset_windows windows;

	if (dataset_windows_new(&windows, dataset, 0, dataset->rows, &options, NULL)) {
		golden_note(report, "window_starts", INFINITY, 0.5);
		return;
	}
	golden_note(report, "windows", fabs((double)windows.count - (double)count), 0.5);
	for (int64_t i = 0; i < count && (size_t)i < windows.count; i++)
		golden_note(report, "window_starts",
			    fabs((double)windows.all[i].first - (double)starts[i]), 0.5);
	dataset_windows_free(&windows);
}

static void compare(struct golden_report *report, const struct dataset *dataset,
		    const float *returns, const float *timesteps)
{
	golden_compare(report, "returns", dataset->returns, returns, (int64_t)dataset->rows,
		       report->tolerance);
	for (size_t row = 0; row < dataset->rows; row++)
		golden_note(
			report, "timesteps",
			fabs((double)dataset_timestep(dataset, row, 1) - (double)timesteps[row]),
			0.5);
}

/* The four columns of the file, in and out. */
struct columns {
	float *rewards, *dones, *returns, *timesteps, *starts;
	int64_t rows, windows;
};

static int run_columns(struct golden_report *report, const struct columns *columns,
		       struct error *error)
{
	const struct dataset_fit fit = {.scaling = -1, .gamma = GAMMA, .compat = true};
	struct policy_config config = {0};
	struct dataset dataset;
	struct pool pool;
	int code = make_pool(&pool, columns->rewards, columns->dones, columns->rows);

	if (code == 0)
		code = dataset_fit_config(&config, &pool, pool.rows, &fit, error);
	config.reward_factor *= OUR_DIVISOR / DIVISOR;
	if (code == 0)
		code = dataset_new(&dataset, &pool, pool.rows, &config, error);
	if (code == 0) {
		compare(report, &dataset, columns->returns, columns->timesteps);
		compare_windows(report, &dataset, columns->starts, columns->windows);
		dataset_free(&dataset);
	}
	pool_free(&pool);
	return code;
}

int golden_dataset(struct golden_report *report, const char *subject, struct error *error)
{
	struct columns columns = {0};
	struct safetensors file;
	char path[4096];
	int code = golden_path(report, NULL, subject, path, sizeof(path), error);

	if (code == 0)
		code = safetensors_open(&file, path, error);
	if (code)
		return code;
	columns.rewards = column(&file, "rewards", &columns.rows, error, &code);
	columns.dones = column(&file, "dones", &columns.rows, error, &code);
	columns.returns = column(&file, "returns", &columns.rows, error, &code);
	columns.timesteps = column(&file, "timesteps", &columns.rows, error, &code);
	columns.starts = column(&file, "window_starts", &columns.windows, error, &code);
	if (code == 0)
		code = run_columns(report, &columns, error);
	free(columns.rewards);
	free(columns.dones);
	free(columns.returns);
	free(columns.timesteps);
	free(columns.starts);
	safetensors_close(&file);
	return code;
}
