/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Labels are predictions in windows laid as a stream lays them: a full window
 * forgets all but `keep` steps, so each window answers for its last
 * window - keep steps and reads the others as context.
 */
#include "learn/teacher.h"

#include <string.h>

#include "experience/record_fields.h"
#include "learn/dataset.h"
#include "policy/store.h"

int teacher_open(struct teacher *teacher, const char *directory, struct error *error)
{
	const struct policy_config *config = &teacher->config;
	int status;

	memset(teacher, 0, sizeof(*teacher));
	status = policy_store_open(&teacher->net, &teacher->config, directory, error);
	if (status)
		return status;
	for (int i = 0; i < config->features && !status; i++) {
		teacher->field[i] = record_field(config->feature[i].name);
		if (teacher->field[i] < 0)
			status = error_at(error, ERR_INVALID, directory, 0, config->feature[i].name,
					  "feature is not a field of a router's record, so this "
					  "policy cannot teach at one");
	}
	teacher->options = (struct predictor_options){
		.window = config->window,
		.stride = config->window - config->keep,
		.interval = 1,
		.streamed = true,
	};
	if (status)
		teacher_free(teacher);
	return status;
}

void teacher_free(struct teacher *teacher)
{
	policy_net_free(&teacher->net);
}

void teacher_pool(const struct teacher *teacher, struct pool *pool)
{
	pool_init(pool);
	pool->features = (size_t)teacher->config.features;
	for (size_t i = 0; i < pool->features; i++) {
		strcpy(pool->columns[i].name, teacher->config.feature[i].name);
		pool->columns[i].is_integer = true;
	}
}

int teacher_saw(const struct teacher *teacher, struct pool *pool, const struct aqm_record *before,
		enum pool_action action)
{
	double state[POOL_MAX_FEATURES];

	for (size_t i = 0; i < pool->features; i++)
		state[i] = (double)record_value(before, teacher->field[i]);
	return pool_append(pool, state, action, 0, false);
}

static void take(void *context, size_t row, const double probability[POOL_ACTIONS])
{
	float *out = (float *)context + row * POOL_ACTIONS;

	for (int a = 0; a < POOL_ACTIONS; a++)
		out[a] = (float)probability[a];
}

int teacher_label(const struct teacher *teacher, const struct pool *pool, float *probability,
		  struct error *error)
{
	struct metrics metrics = {0};
	struct dataset dataset;
	int status = dataset_new(&dataset, pool, 0, &teacher->config, error);

	if (status)
		return status;
	status = predictor_run(&teacher->net, &dataset, 0, dataset.rows, &teacher->options,
			       &metrics, take, probability, error);
	dataset_free(&dataset);
	return status;
}
