/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a decision and a training step take on a CUDA device, and how far
 * that is from what the device could do.
 *
 * Random weights of two shapes: GPT-2 124 M and Llama 2 7B (in bf16, made on
 * the device).  A decision is 9 new tokens behind 171 in a key/value cache, or
 * a window of 180 tokens at once; a training step is forward and backward of a
 * batch of windows with an adapter of rank 128 on the default projections, and
 * then clipping and AdamW on the host.  Times are wall times of the calls that
 * a policy makes, copies to and from the host included: the best of a few
 * rounds.  The limit beside each is the larger of traffic (every weight read
 * once, at the bandwidth of a copy on the device) and arithmetic (the products
 * of weights, forward and, in training, the gradient of their inputs, at the
 * rate of a large product of the same type), both measured here.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/backbone.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/test_folder.h"
#include "learn/adamw.h"
#include "tensor/cuda/ops.h"

#define WINDOW 180
#define STEP 9
#define RANK 128
#define LARGEST_BATCH 8
#define MEASURE_S 0.4
#define ROUNDS 4

struct rates {
	double copy, product[2]; /* bytes/s, both ways counted; multiply-adds x 2 per s, by type */
};

struct subject {
	const char *name, *config, *device;
};

#define GPT2                                                                                       \
	"{\"model_type\": \"gpt2\", \"n_layer\": 12, \"n_embd\": 768, \"n_head\": 12, "            \
	"\"vocab_size\": 50257, \"n_positions\": 1024}"
#define LLAMA2_7B                                                                                  \
	"{\"model_type\": \"llama\", \"num_hidden_layers\": 32, \"hidden_size\": 4096, "           \
	"\"num_attention_heads\": 32, \"intermediate_size\": 11008, \"vocab_size\": 32000, "       \
	"\"max_position_embeddings\": 4096}"

static const struct subject subjects[] = {
	{"GPT-2 124 M, f32", GPT2, "cuda"},
	{"GPT-2 124 M, bf16", GPT2, "cuda:bf16"},
	{"Llama 2 7B, bf16", LLAMA2_7B, "cuda:bf16"},
};

struct run {
	struct backbone *backbone;
	struct backbone_cache *cache;
	struct arena arena;
	float *embeds, *hidden;
	int64_t batch;
	struct adamw adamw;
	struct cuda *cuda;
	struct cuda_gemm gemm;
	char *memory;
	size_t bytes;
};

static void must(int code, const struct error *error)
{
	char text[1500];

	if (!code)
		return;
	fprintf(stderr, "gpu: %s\n", error_format(error, text, sizeof(text)));
	exit(1);
}

/* Seconds a call takes: the best of a few rounds. */
static double measure(void (*call)(struct run *run), struct run *run)
{
	double best = INFINITY;

	call(run);
	call(run);
	for (int round = 0; round < ROUNDS; round++) {
		const double start = clock_s();
		int calls = 0;
		double each;

		do {
			call(run);
			calls++;
		} while (clock_s() - start < MEASURE_S / ROUNDS);
		each = (clock_s() - start) / calls;
		best = each < best ? each : best;
	}
	return best;
}

static void window_call(struct run *run)
{
	struct error error = {0};

	must(backbone_forward(run->backbone, &run->arena, run->embeds, 1, WINDOW, run->hidden, NULL,
			      NULL, &error), &error);
}

static void step_call(struct run *run)
{
	struct error error = {0};

	backbone_cache_truncate(run->cache, WINDOW - STEP);
	must(backbone_extend(run->backbone, &run->arena, run->cache, run->embeds, STEP, run->hidden,
			     &error), &error);
}

static void train_call(struct run *run)
{
	struct backbone_tape *tape = NULL;
	struct error error = {0};

	arena_reset(&run->arena);
	must(backbone_forward(run->backbone, &run->arena, run->embeds, run->batch, WINDOW,
			      run->hidden, &tape, NULL, &error), &error);
	must(backbone_backward(run->backbone, &run->arena, tape, run->embeds, run->hidden, &error),
	     &error);
}

static void update_call(struct run *run)
{
	const struct backbone_param *params;
	const size_t count = backbone_params(run->backbone, &params);

	adamw_step(&run->adamw, params, count, 1e-6,
		   gradients_clip_scale(gradients_norm(params, count), 0.25));
}

static void copy_call(struct run *run)
{
	struct error error = {0};

	for (int i = 0; i < 4; i++)
		cuda_copy(run->cuda, run->memory, run->memory + run->bytes, run->bytes);
	must(cuda_finish(run->cuda, &error), &error);
}

static void product_call(struct run *run)
{
	struct error error = {0};

	for (int i = 0; i < 4; i++)
		cuda_gemm_run(run->cuda, &run->gemm);
	must(cuda_finish(run->cuda, &error), &error);
}

/* What streaming lives on: a few rows times a matrix of the largest layer. */
static void few_rows_report(struct run *run)
{
	const int64_t outs = 22016, in = 4096;
	char *x = run->memory + outs * in * 2, *out = x + 32 * in * 2;

	for (int64_t rows = STEP; rows <= 2 * STEP; rows += STEP) {
		double s;

		run->gemm = (struct cuda_gemm){
			.transpose_b = true, .m = rows, .n = outs, .k = in, .alpha = 1,
			.type = CUDA_BF16, .type_c = CUDA_F32, .a = x, .a_stride = in,
			.b = run->memory, .b_stride = in, .c = out, .c_stride = outs};
		s = measure(product_call, run) / 4;
		printf("%" PRId64 " rows times (4096, 22016), bf16: %.1f us, %.2f TB/s read\n",
		       rows, s * 1e6, (double)(outs * in * 2) / s * 1e-12);
	}
}

/* On a device of its own, closed again: what it holds must not stand in the peaks below. */
static struct rates rates_measure(struct cuda *cuda)
{
	const int64_t edges[] = {[CUDA_F32] = 4096, [CUDA_BF16] = 8192};
	struct run run = {.cuda = cuda, .bytes = (size_t)1 << 30};
	struct rates rates;
	struct error error = {0};

	run.memory = cuda_alloc(cuda, 2 * run.bytes);
	must(cuda_finish(cuda, &error), &error);
	cuda_random_normal(cuda, run.memory, CUDA_F32, (int64_t)run.bytes / 2, 1, 1);
	rates.copy = 4 * 2 * (double)run.bytes / measure(copy_call, &run);
	for (int type = CUDA_F32; type <= CUDA_BF16; type++) {
		const int64_t edge = edges[type];
		const int64_t bytes = edge * edge * (int64_t)cuda_type_bytes((enum cuda_type)type);

		cuda_random_normal(cuda, run.memory, (enum cuda_type)type, 2 * edge * edge, 1, 1);
		run.gemm = (struct cuda_gemm){
			.transpose_b = true, .m = edge, .n = edge, .k = edge, .alpha = 1,
			.type = (enum cuda_type)type, .type_c = (enum cuda_type)type,
			.a = run.memory, .a_stride = edge, .b = run.memory + bytes,
			.b_stride = edge, .c = run.memory + 2 * bytes, .c_stride = edge};
		rates.product[type] = 4 * 2.0 * (double)(edge * edge * edge) /
				      measure(product_call, &run);
	}
	few_rows_report(&run);
	cuda_free(cuda, run.memory);
	printf("copy %.2f TB/s (bytes read and written), product f32 %.1f, bf16 %.0f TFLOP/s\n",
	       rates.copy * 1e-12, rates.product[CUDA_F32] * 1e-12,
	       rates.product[CUDA_BF16] * 1e-12);
	return rates;
}

/* Weights of the layers' projections: all that a decision reads, but for norms. */
static double weights_of(const struct backbone_shape *shape)
{
	const bool llama = strcmp(shape->architecture, "llama") == 0;
	const double width = (double)shape->width, ffn = (double)shape->ffn_width;

	return (double)shape->layers * (4 * width * width + (llama ? 3 : 2) * width * ffn);
}

/* Shortest time for `tokens` tokens through the weights `passes` times. */
static double limit_s(const struct rates *rates, const struct run *run, bool bf16, int64_t tokens,
		      int passes)
{
	const double weights = weights_of(backbone_shape(run->backbone));
	const double traffic = passes * weights * (bf16 ? 2 : 4) / rates->copy;
	const double compute = passes * 2 * (double)tokens * weights /
			       rates->product[bf16 ? CUDA_BF16 : CUDA_F32];

	return compute > traffic ? compute : traffic;
}

static void line(const char *what, double s, double limit)
{
	printf("  %-44s %9.3f ms; limit %8.3f ms; ratio %.2f\n", what, s * 1e3, limit * 1e3,
	       s / limit);
	fflush(stdout);
}

static void run_open(struct run *run, const struct subject *subject)
{
	char path[TEST_PATH_BYTES];
	const size_t floats = (size_t)LARGEST_BATCH * WINDOW * 4096;
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 1);
	if (test_folder_make())
		exit(1);
	test_path(path, "config.json");
	must(file_write_all(path, subject->config, strlen(subject->config), &error), &error);
	must(backbone_random_placed(&run->backbone, test_folder, NULL, subject->device, &rng,
				    &error),
	     &error);
	test_folder_remove();
	arena_init(&run->arena);
	run->embeds = calloc(floats, sizeof(float));
	run->hidden = calloc(floats, sizeof(float));
	if (!run->embeds || !run->hidden)
		exit(1);
	for (size_t i = 0; i < floats; i++)
		run->embeds[i] = (float)rng_normal(&rng);
}

static void run_close(struct run *run)
{
	backbone_close(run->backbone);
	arena_free(&run->arena);
	free(run->embeds);
	free(run->hidden);
}

static double peak_gb(const struct run *run)
{
	return (double)backbone_device_peak_bytes(run->backbone) * 1e-9;
}

static void decisions_report(struct run *run, const struct rates *rates, bool bf16)
{
	struct error error = {0};

	must(backbone_cache_new(run->backbone, WINDOW, &run->cache, &error), &error);
	must(backbone_extend(run->backbone, &run->arena, run->cache, run->embeds, WINDOW,
			     run->hidden, &error), &error);
	line("decision, 9 tokens behind 171", measure(step_call, run),
	     limit_s(rates, run, bf16, STEP, 1));
	line("decision, window of 180 tokens", measure(window_call, run),
	     limit_s(rates, run, bf16, WINDOW, 1));
	backbone_cache_free(run->cache);
	printf("  device memory so far %.2f GB\n", peak_gb(run));
}

static void training_report(struct run *run, const struct rates *rates, bool bf16)
{
	const struct lora_options lora = {.rank = RANK, .alpha = 32};
	const struct backbone_param *params;
	struct error error = {0};
	struct rng rng;
	size_t count;
	char what[64];

	rng_seed(&rng, 2);
	must(backbone_lora_new(run->backbone, &lora, &rng, &error), &error);
	count = backbone_params(run->backbone, &params);
	must(adamw_init(&run->adamw, &adamw_defaults, params, count, &error), &error);
	for (run->batch = 1; run->batch <= LARGEST_BATCH; run->batch *= LARGEST_BATCH) {
		snprintf(what, sizeof(what), "training, batch %" PRId64 ", forward and backward",
			 run->batch);
		line(what, measure(train_call, run),
		     limit_s(rates, run, bf16, run->batch * WINDOW, 2));
		printf("  device memory so far %.2f GB\n", peak_gb(run));
	}
	printf("  clipping and AdamW of %.1f M numbers on the host %20.3f ms\n",
	       (double)gradients_elements(params, count) * 1e-6, measure(update_call, run) * 1e3);
	adamw_free(&run->adamw);
}

int main(void)
{
	struct cuda *cuda = NULL;
	struct error error = {0};
	struct rates rates;
	const int code = cuda_open(&cuda, &error);

	if (code == ERR_UNSUPPORTED) {
		printf("SKIP: %s\n", error.text);
		return 0;
	}
	must(code, &error);
	printf("%s\n", cuda_name(cuda));
	rates = rates_measure(cuda);
	cuda_close(cuda);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		const bool bf16 = strcmp(subjects[i].device, "cuda:bf16") == 0;
		struct run run = {0};

		printf("%s\n", subjects[i].name);
		run_open(&run, &subjects[i]);
		decisions_report(&run, &rates, bf16);
		training_report(&run, &rates, bf16);
		run_close(&run);
	}
	return 0;
}
