/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What storages and contexts cost in decisions, and what they save in time.
 *
 *     bench_streaming POLICY POOL [ROWS]
 *
 * Streams the last ROWS (1000) rows of a pool through a policy, each with the
 * action that was taken, in every context (policy/stream.h) and precision, and
 * compares with f32 in the exact context: root mean square and largest
 * difference of logits, decisions (the most likely action) that differ, the
 * log loss of the actions that were taken, and the time of a decision.
 *
 * Then MANY queues at once, each with its own part of those rows, in the cached
 * context: decided one after the other, and together, where one reading of the
 * weights serves all (policy_stream_decide_many()).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "learn/dataset.h"
#include "learn/loss.h"
#include "policy/store.h"
#include "policy/stream.h"

#define MANY 16

struct subject {
	const char *precision, *context;
};

static const struct subject subjects[] = {
	{"f32", "exact"}, {"f32", "keep"}, {"f32", "cached"},
	{"bf16", "exact"}, {"int8", "exact"}, {"int4", "exact"},
	{"bf16", "cached"}, {"int8", "cached"}, {"int4", "cached"},
};

struct pass {
	struct pool pool;
	size_t first, rows;
	float *logits, *wanted; /* (rows, 3); wanted: of the first subject */
	double *ms;             /* (rows) */
	double log_loss;        /* mean */
};

static void fail(const struct error *error)
{
	char text[1500];

	fprintf(stderr, "bench_streaming: %s\n", error_format(error, text, sizeof(text)));
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int64_t kept_steps(const struct policy_config *config)
{
	if (config->context == POLICY_CONTEXT_CACHED)
		return POLICY_STREAM_CACHED;
	return config->context == POLICY_CONTEXT_EXACT ? config->window - 1 : config->keep;
}

static void stream_rows(struct pass *pass, const struct policy_net *net,
			const struct policy_config *config)
{
	struct policy_stream stream;
	struct dataset dataset = {0};
	struct error error = {0};

	if (dataset_new(&dataset, &pass->pool, 0, config, &error) ||
	    policy_stream_new(&stream, net, config->window, kept_steps(config), &error))
		fail(&error);
	for (size_t i = 0; i < pass->rows; i++) {
		const size_t row = pass->first + i;
		const double start = now_ms();

		if (policy_stream_decide(&stream, dataset.states + row * (size_t)dataset.features,
					 dataset.target, policy_config_timestep(config, i),
					 pass->logits + i * POOL_ACTIONS, &error))
			fail(&error);
		pass->ms[i] = now_ms() - start;
		policy_stream_acted(&stream, dataset.labels[row]);
	}
	pass->log_loss = 0;
	for (size_t i = 0; i < pass->rows; i++) {
		double probability[POOL_ACTIONS];

		softmax_row(pass->logits + i * POOL_ACTIONS, POOL_ACTIONS, probability);
		pass->log_loss -= log(probability[dataset.labels[pass->first + i]]) /
				  (double)pass->rows;
	}
	policy_stream_free(&stream);
	dataset_free(&dataset);
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int largest_of(const float *logits)
{
	int best = 0;

	for (int c = 1; c < POOL_ACTIONS; c++)
		best = logits[c] > logits[best] ? c : best;
	return best;
}

static void subject_report(struct pass *pass, const struct subject *subject, size_t weights)
{
	double square = 0, largest = 0, total = 0;
	size_t differ = 0;

	for (size_t i = 0; i < pass->rows; i++) {
		const float *a = pass->logits + i * POOL_ACTIONS;
		const float *b = pass->wanted + i * POOL_ACTIONS;

		for (int c = 0; c < POOL_ACTIONS; c++) {
			const double d = fabs((double)a[c] - b[c]);

			square += d * d;
			largest = fmax(largest, d);
		}
		differ += largest_of(a) != largest_of(b);
		total += pass->ms[i];
	}
	qsort(pass->ms, pass->rows, sizeof(*pass->ms), by_size);
	printf("%-5s %-7s %8.1f MB  logits: rms %.5f, largest %.4f; decisions that differ %zu of "
	       "%zu; log loss %.4f; ms: mean %.3f, median %.3f, p99 %.3f\n", subject->precision,
	       subject->context, 1e-6 * (double)weights,
	       sqrt(square / (double)(pass->rows * POOL_ACTIONS)), largest, differ, pass->rows,
	       pass->log_loss, total / (double)pass->rows, pass->ms[pass->rows / 2],
	       pass->ms[pass->rows * 99 / 100]);
	fflush(stdout);
}

/* MANY streams over one network, stream i at row first + i x each. */
struct queues {
	const struct policy_net *net;
	const struct policy_config *config;
	const struct dataset *dataset;
	size_t first, each;
	struct policy_stream streams[MANY];
};

/* Decides row `step` of every queue. */
static void queues_decide(struct queues *queues, size_t step, bool together, float *logits)
{
	const size_t features = (size_t)queues->dataset->features;
	struct policy_stream *streams[MANY];
	float states[MANY * POOL_MAX_FEATURES], returns[MANY];
	int32_t timesteps[MANY];
	struct error error = {0};
	int code = 0;

	for (size_t i = 0; i < MANY; i++) {
		const size_t row = queues->first + i * queues->each + step;

		streams[i] = &queues->streams[i];
		returns[i] = queues->dataset->target;
		timesteps[i] = policy_config_timestep(queues->config, step);
		memcpy(states + i * features, queues->dataset->states + row * features,
		       features * sizeof(float));
	}
	if (together)
		code = policy_stream_decide_many(streams, MANY, states, returns, timesteps, logits,
						 &error);
	for (size_t i = 0; i < MANY && !together && !code; i++)
		code = policy_stream_decide(streams[i], states + i * features, returns[i],
					    timesteps[i], logits + i * POOL_ACTIONS, &error);
	if (code)
		fail(&error);
}

/* Mean time of one queue's decision. */
static double queues_run(struct queues *queues, bool together, float *logits)
{
	struct error error = {0};
	double total = 0;

	for (size_t i = 0; i < MANY; i++)
		if (policy_stream_new(&queues->streams[i], queues->net, queues->config->window,
				      POLICY_STREAM_CACHED, &error))
			fail(&error);
	for (size_t step = 0; step < queues->each; step++) {
		const double start = now_ms();

		queues_decide(queues, step, together, logits + step * MANY * POOL_ACTIONS);
		total += now_ms() - start;
		for (size_t i = 0; i < MANY; i++)
			policy_stream_acted(&queues->streams[i],
					    queues->dataset->labels[queues->first +
								    i * queues->each + step]);
	}
	for (size_t i = 0; i < MANY; i++)
		policy_stream_free(&queues->streams[i]);
	return total / (double)(queues->each * MANY);
}

static void queues_report(struct pass *pass, const struct policy_net *net,
			  const struct policy_config *config, const char *precision)
{
	struct queues queues = {.net = net, .config = config, .first = pass->first,
				.each = pass->rows / MANY};
	const size_t count = queues.each * MANY * POOL_ACTIONS;
	float *alone = calloc(count + 1, sizeof(float));
	float *together = calloc(count + 1, sizeof(float));
	struct dataset dataset = {0};
	struct error error = {0};
	double alone_ms, together_ms, largest = 0;

	if (!alone || !together)
		exit(1);
	if (dataset_new(&dataset, &pass->pool, 0, config, &error))
		fail(&error);
	queues.dataset = &dataset;
	alone_ms = queues_run(&queues, false, alone);
	together_ms = queues_run(&queues, true, together);
	for (size_t i = 0; i < count; i++)
		largest = fmax(largest, fabs((double)alone[i] - together[i]));
	printf("%-5s cached, %d queues: each alone %.3f ms, together %.3f ms a decision; logits "
	       "differ by at most %.1e\n", precision, MANY, alone_ms, together_ms, largest);
	fflush(stdout);
	dataset_free(&dataset);
	free(alone);
	free(together);
}

static void subject_run(struct pass *pass, const char *folder, const struct subject *subject)
{
	const struct policy_manner manner = {subject->precision, subject->context};
	struct policy_config config;
	struct policy_net net;
	struct error error = {0};

	if (policy_store_open_as(&net, &config, folder, &manner, &error) ||
	    (config.backbone.precision == MATRIX_F32 &&
	     (backbone_lora_merge(net.backbone, &error) ||
	      backbone_settle(net.backbone, &error))))
		fail(&error);
	stream_rows(pass, &net, &config);
	if (subject == subjects)
		memcpy(pass->wanted, pass->logits, pass->rows * POOL_ACTIONS * sizeof(float));
	subject_report(pass, subject, backbone_memory_bytes(net.backbone));
	if (config.context == POLICY_CONTEXT_CACHED && pass->rows >= MANY)
		queues_report(pass, &net, &config, subject->precision);
	policy_net_free(&net);
}

int main(int argc, char **argv)
{
	struct pass pass = {.rows = argc > 3 ? (size_t)atol(argv[3]) : 1000};
	struct error error = {0};

	if (argc < 3) {
		puts("name a policy and a pool: bench_streaming POLICY POOL [ROWS]");
		return 0;
	}
	pool_init(&pass.pool);
	if (pool_read(&pass.pool, argv[2], &error))
		fail(&error);
	if (pass.rows > pass.pool.rows)
		pass.rows = pass.pool.rows;
	pass.first = pass.pool.rows - pass.rows;
	pass.logits = calloc(pass.rows * POOL_ACTIONS, sizeof(float));
	pass.wanted = calloc(pass.rows * POOL_ACTIONS, sizeof(float));
	pass.ms = calloc(pass.rows, sizeof(double));
	if (!pass.logits || !pass.wanted || !pass.ms || pass.rows == 0)
		return 1;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		subject_run(&pass, argv[1], &subjects[i]);
	free(pass.logits);
	free(pass.wanted);
	free(pass.ms);
	pool_free(&pass.pool);
	return 0;
}
