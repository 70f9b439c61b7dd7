/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a training step takes, how much memory it needs, and how far both
 * are from what they must be.
 *
 * usage: bench_training [NAME...]   (all rows that are quick without a name)
 *
 * Each row is a process of its own: random weights of the true shape, windows
 * of 20 steps of 7 features (180 tokens), loss, backward, clipping and AdamW.
 * The limit is arithmetic alone: the multiply-adds that the step cannot do
 * without (projections forward and towards their input, towards their weights
 * in full fine-tuning, adapters, the causal half of attention, but no layer run
 * again) at the rate of an f32 product of 1024 cubed, measured in the same
 * process.  Memory is the peak of the process, beside the prediction that
 * `train` prints.  Large shapes come without their words, which a policy does
 * not read.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/test_folder.h"
#include "learn/footprint.h"
#include "learn/usage.h"
#include "tensor/gemm.h"
#include "tensor/threads.h"

#define STEPS 20
#define FEATURES 7
#define TOKENS (STEPS * (FEATURES + 2))
#define ROUNDS 7
#define ROUND_S 4.0

#define BUILT_IN                                                                                   \
	"{\"model_type\": \"gpt2\", \"n_layer\": 4, \"n_embd\": 160, \"n_head\": 5, "            \
	"\"vocab_size\": 8, \"n_positions\": 256}"
#define GPT2_124M                                                                                  \
	"{\"model_type\": \"gpt2\", \"n_layer\": 12, \"n_embd\": 768, \"n_head\": 12, "            \
	"\"vocab_size\": 50257, \"n_positions\": 1024}"
#define T5_220M                                                                                    \
	"{\"model_type\": \"t5\", \"num_layers\": 12, \"num_decoder_layers\": 12, "                \
	"\"d_model\": 768, \"num_heads\": 12, \"d_kv\": 64, \"d_ff\": 3072, \"vocab_size\": 8}"
#define LLAMA_970M                                                                                 \
	"{\"model_type\": \"llama\", \"num_hidden_layers\": 22, \"hidden_size\": 2048, "           \
	"\"num_attention_heads\": 32, \"num_key_value_heads\": 4, \"intermediate_size\": 5632, "   \
	"\"vocab_size\": 8, \"max_position_embeddings\": 2048}"
#define OPT_1B3                                                                                    \
	"{\"model_type\": \"opt\", \"num_hidden_layers\": 24, \"hidden_size\": 2048, "             \
	"\"num_attention_heads\": 32, \"ffn_dim\": 8192, \"vocab_size\": 8, "                      \
	"\"max_position_embeddings\": 2048}"
#define LLAMA2_7B                                                                                  \
	"{\"model_type\": \"llama\", \"num_hidden_layers\": 32, \"hidden_size\": 4096, "           \
	"\"num_attention_heads\": 32, \"num_key_value_heads\": 32, "                               \
	"\"intermediate_size\": 11008, \"vocab_size\": 8, \"max_position_embeddings\": 4096}"

struct row {
	const char *name, *config;
	int64_t batch, rank; /* rank 0: every weight learns */
	enum matrix_type precision;
	bool checkpoints; /* layers are run again in backward */
	bool slow;	  /* only when named */
};

static const struct row rows[] = {
	{"builtin", BUILT_IN, 8, 40, MATRIX_F32, false, false},
	{"gpt2", GPT2_124M, 1, 128, MATRIX_F32, false, false},
	{"gpt2-checkpoints", GPT2_124M, 1, 128, MATRIX_F32, true, false},
	{"gpt2-bf16", GPT2_124M, 1, 128, MATRIX_BF16, false, false},
	{"gpt2-batch8", GPT2_124M, 8, 128, MATRIX_F32, false, false},
	{"gpt2-full", GPT2_124M, 1, 0, MATRIX_F32, false, false},
	{"t5", T5_220M, 1, 128, MATRIX_F32, false, true},
	{"t5-full", T5_220M, 1, 0, MATRIX_F32, false, true},
	{"llama-1b", LLAMA_970M, 1, 128, MATRIX_BF16, true, true},
	{"opt-1.3b", OPT_1B3, 1, 128, MATRIX_BF16, true, true},
	{"llama-7b-int4", LLAMA2_7B, 1, 128, MATRIX_INT4, true, true},
	{"llama-7b", LLAMA2_7B, 1, 128, MATRIX_BF16, true, true},
};

struct run {
	const struct row *row;
	struct policy_net net;
	struct learner learner;
	struct policy_batch batch;
	float *weights, *logits;
	int32_t *labels;
};

static void fail(const struct error *error)
{
	char text[1500];

	fprintf(stderr, "training: %s\n", error_format(error, text, sizeof(text)));
	exit(1);
}

static void *take(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		exit(1);
	return memory;
}

static struct backbone *backbone_make(const struct row *row)
{
	const struct backbone_options options = {.trainable = row->rank == 0,
						 .precision = row->precision};
	const struct lora_options lora = {.rank = row->rank, .alpha = 32, .dropout = 0.05};
	char path[TEST_PATH_BYTES];
	struct backbone *backbone;
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 1);
	if (test_folder_make())
		exit(1);
	test_path(path, "config.json");
	if (file_write_all(path, row->config, strlen(row->config), &error) ||
	    backbone_random(&backbone, test_folder, &options, &rng, &error) ||
	    (row->rank && backbone_lora_new(backbone, &lora, &rng, &error)))
		fail(&error);
	backbone_checkpoint_activations(backbone, row->checkpoints);
	test_folder_remove();
	return backbone;
}

/* Windows of noise; what they hold does not change what they cost. */
static void batch_make(struct run *run)
{
	const size_t steps = (size_t)(run->row->batch * STEPS);
	float *states = take(steps * FEATURES, sizeof(float));
	float *numbers = take(steps, sizeof(float));
	int32_t *timesteps = take(steps, sizeof(int32_t));
	struct rng rng;

	rng_seed(&rng, 3);
	run->labels = take(steps, sizeof(int32_t));
	run->weights = take(steps, sizeof(float));
	run->logits = take(steps * POOL_ACTIONS, sizeof(float));
	for (size_t i = 0; i < steps; i++) {
		for (size_t f = 0; f < FEATURES; f++)
			states[i * FEATURES + f] = (float)rng_normal(&rng);
		numbers[i] = (float)rng_normal(&rng);
		timesteps[i] = (int32_t)(i % STEPS);
		run->labels[i] = (int32_t)(i % POOL_ACTIONS);
		run->weights[i] = 1;
	}
	run->batch = (struct policy_batch){.batch = run->row->batch,
					   .steps = STEPS,
					   .states = states,
					   .returns = numbers,
					   .actions = numbers,
					   .timesteps = timesteps};
}

static void run_open(struct run *run, const struct row *row)
{
	const struct policy_net_shape shape = {
		.features = FEATURES, .feature_dim = 256, .timesteps = 100};
	const struct learner_options options = {.adamw = adamw_defaults,
						.schedule = {.peak_rate = 1e-4},
						.accumulate = 1,
						.clip = 1};
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 2);
	run->row = row;
	if (policy_net_new(&run->net, &shape, backbone_make(row), &error))
		fail(&error);
	policy_net_init(&run->net, &rng);
	if (learner_init(&run->learner, &options, &run->net, &error))
		fail(&error);
	batch_make(run);
}

/* Seconds of one optimizer step. */
static double step_s(struct run *run, struct rng *dropout)
{
	const double start = clock_s();
	struct error error = {0};
	double loss;

	if (learner_accumulate(&run->learner, &run->batch, run->labels, run->weights, dropout,
			       run->logits, &loss, &error))
		fail(&error);
	learner_step(&run->learner);
	return clock_s() - start;
}

/* Multiply-adds a second of a product of this edge. */
static double probe_rate(void)
{
	enum { EDGE = 1024 };
	float *memory = take(3 * EDGE * EDGE, sizeof(float));
	const struct gemm gemm = {.m = EDGE, .n = EDGE, .k = EDGE, .alpha = 1,
				  .a = memory, .a_stride = EDGE, .b = memory + EDGE * EDGE,
				  .b_stride = EDGE, .c = memory + 2 * EDGE * EDGE,
				  .c_stride = EDGE};
	double best = INFINITY;

	for (int i = 0; i < 6; i++) {
		const double start = clock_s();

		gemm_run(&gemm);
		best = fmin(best, clock_s() - start);
	}
	free(memory);
	return (double)EDGE * EDGE * EDGE / best;
}

/* Multiply-adds that a step cannot do without. */
static double step_products(const struct run *run)
{
	const struct backbone_shape *shape = backbone_shape(run->net.backbone);
	const struct backbone_param *params;
	const size_t count = backbone_params(run->net.backbone, &params);
	const double rows_count = (double)(run->row->batch * TOKENS);
	const double width = (double)shape->width;
	const double words = (double)shape->vocabulary * width; /* and positions: not products */
	const double projections = (double)shape->parameters - words;
	const double pairs = (double)run->row->batch * TOKENS * (TOKENS + 1) / 2;
	double adapters = 0;

	for (size_t i = 0; i < count; i++)
		if (params[i].is_adapter)
			adapters += (double)params[i].count;
	return rows_count * projections * (run->row->rank ? 2 : 3) + rows_count * adapters * 3 +
	       (double)shape->layers * pairs * width * 2 * 3;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void row_run(const struct row *row)
{
	struct run run = {0};
	struct footprint footprint;
	struct error error = {0};
	struct rng dropout;
	double times[ROUNDS], start, peak, rate = 0, limit;
	int rounds = 0;

	rng_seed(&dropout, 4);
	run_open(&run, row);
	if (footprint_predict(&footprint, &run.learner, row->batch, STEPS, 0, &error))
		fail(&error);
	step_s(&run, &dropout);
	start = clock_s();
	do {
		times[rounds++] = step_s(&run, &dropout);
	} while (rounds < ROUNDS && clock_s() - start < ROUND_S);
	peak = (double)usage_now().peak_bytes;
	for (int i = 0; i < 3; i++)
		rate = fmax(rate, probe_rate());
	limit = step_products(&run) / rate;
	qsort(times, (size_t)rounds, sizeof(*times), compare);
	printf("%s: batch %" PRId64 ", %s, %s %" PRId64 "%s: step %.4f s (least %.4f); limit %.4f "
	       "s at %.0f GFLOP/s; ratio %.2f; %.2f windows/s; peak %.0f MB, predicted %.0f\n",
	       row->name, row->batch, matrix_type_name(row->precision),
	       row->rank ? "adapter of rank" : "all weights, rank", row->rank,
	       row->checkpoints ? ", checkpoints" : "", times[rounds / 2], times[0], limit,
	       2e-9 * rate, times[rounds / 2] / limit, (double)row->batch / times[rounds / 2],
	       peak / 1e6, (double)footprint.peak / 1e6);
	fflush(stdout);
}

static int row_fork(const struct row *row)
{
	const pid_t child = fork();
	int status = 1;

	if (child == 0) {
		row_run(row);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, &status, 0);
	return status != 0;
}

int main(int count, char **names)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool named = false;

		for (int n = 1; n < count; n++)
			named |= strcmp(names[n], rows[i].name) == 0;
		if (named || (count == 1 && !rows[i].slow))
			failed |= row_fork(&rows[i]);
	}
	return failed;
}
