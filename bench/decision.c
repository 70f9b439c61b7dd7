/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long one decision takes, and how far that is from what this machine
 * could do.
 *
 * Two models with random weights: the built-in shape (GPT-2, 4 layers, width
 * 160) and GPT-2 124 M.  Two ways to decide: a full window of 180 tokens, and
 * 9 new tokens behind 171 in a key/value cache.  The limit beside each time is
 * the larger of arithmetic (multiply-adds of the projections and of the causal
 * half of attention, at the rate of a 1024-cubed product measured here) and
 * traffic (every weight read once, at the bandwidth measured here).  For the
 * built-in shape also the adapter's training step, per window of a batch.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backbone/backbone.h"
#include "base/file.h"
#include "tensor/gemm.h"
#include "tensor/threads.h"

#define WINDOW 180
#define STEP 9
#define BATCH 8
#define MEASURE_S 0.3
#define REPEATS 4

struct machine {
	double flops, bytes_per_s;
};

struct subject {
	const char *name, *config;
};

static const struct subject subjects[] = {
	{"built-in shape",
	 "{\"model_type\": \"gpt2\", \"n_layer\": 4, \"n_embd\": 160, \"n_head\": 5, "
	 "\"vocab_size\": 8, \"n_positions\": 256}"},
	{"GPT-2 124 M",
	 "{\"model_type\": \"gpt2\", \"n_layer\": 12, \"n_embd\": 768, \"n_head\": 12, "
	 "\"vocab_size\": 50257, \"n_positions\": 1024}"},
};

struct run {
	struct backbone *backbone;
	struct backbone_cache *cache;
	struct arena arena;
	float *embeds, *hidden;
	struct gemm gemm;
	const float *memory;
	size_t floats;
	volatile float sink;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds a call takes: the best of a few rounds. */
static double measure(void (*call)(struct run *run), struct run *run)
{
	double best = INFINITY;

	call(run);
	for (int repeat = 0; repeat < REPEATS; repeat++) {
		const double start = now_s();
		int calls = 0;
		double each;

		do {
			call(run);
			calls++;
		} while (now_s() - start < MEASURE_S / REPEATS);
		each = (now_s() - start) / calls;
		best = each < best ? each : best;
	}
	return best;
}

static void fail(const struct error *error)
{
	char text[1500];

	fprintf(stderr, "decision: %s\n", error_format(error, text, sizeof(text)));
	exit(1);
}

static void window_call(struct run *run)
{
	struct error error = {0};

	if (backbone_forward(run->backbone, &run->arena, run->embeds, 1, WINDOW, run->hidden, NULL,
			     NULL, &error))
		fail(&error);
}

static void step_call(struct run *run)
{
	struct error error = {0};

	backbone_cache_truncate(run->cache, WINDOW - STEP);
	if (backbone_extend(run->backbone, &run->arena, run->cache, run->embeds, STEP,
			    run->hidden, &error))
		fail(&error);
}

static void train_call(struct run *run)
{
	struct backbone_tape *tape = NULL;
	struct error error = {0};

	arena_reset(&run->arena);
	if (backbone_forward(run->backbone, &run->arena, run->embeds, BATCH, WINDOW, run->hidden,
			     &tape, NULL, &error) ||
	    backbone_backward(run->backbone, &run->arena, tape, run->hidden, NULL, &error))
		fail(&error);
}

static void gemm_call(struct run *run)
{
	gemm_run(&run->gemm);
}

static void read_part(void *context, int worker, int64_t begin, int64_t end)
{
	struct run *run = context;
	float sum[64] = {0};

	(void)worker;
	for (int64_t i = begin; i + 64 <= end; i += 64)
		for (int j = 0; j < 64; j++)
			sum[j] += run->memory[i + j];
	run->sink = sum[0] + sum[33];
}

static void read_call(struct run *run)
{
	tensor_split((int64_t)run->floats, 1 << 20, read_part, run);
}

static struct machine machine_measure(void)
{
	enum { EDGE = 1024, FLOATS = 64 << 20 };
	float *memory = malloc((size_t)FLOATS * sizeof(float));
	struct machine machine;
	struct run run = {.memory = memory, .floats = FLOATS};

	if (!memory)
		exit(1);
	for (int i = 0; i < FLOATS; i++)
		memory[i] = 1e-3f;
	run.gemm = (struct gemm){.m = EDGE, .n = EDGE, .k = EDGE, .alpha = 1,
				 .a = memory, .a_stride = EDGE, .b = memory + EDGE * EDGE,
				 .b_stride = EDGE, .c = memory + 2 * EDGE * EDGE,
				 .c_stride = EDGE};
	machine.flops = 2.0 * EDGE * EDGE * EDGE / measure(gemm_call, &run);
	machine.bytes_per_s = (double)FLOATS * sizeof(float) / measure(read_call, &run);
	free(memory);
	return machine;
}

/* Shortest time for `tokens` new tokens that end at WINDOW. */
static double limit_s(const struct machine *machine, const struct backbone_shape *shape,
		      int64_t tokens)
{
	const double width = (double)shape->width, ffn = (double)shape->ffn_width;
	const double weights = (double)shape->layers * (4 * width * width + 2 * width * ffn);
	const double pairs = (double)tokens * (WINDOW - (double)(tokens - 1) / 2);
	const double attention = (double)shape->layers * 2 * width * pairs;
	const double compute = 2 * ((double)tokens * weights + attention) / machine->flops;
	const double traffic = 4 * weights / machine->bytes_per_s;

	return compute > traffic ? compute : traffic;
}

static void line_print(const char *name, const char *what, double s, double limit)
{
	printf("%s, %s: %.3f ms; limit %.3f ms; ratio %.2f\n", name, what, s * 1e3, limit * 1e3,
	       s / limit);
}

static void run_open(struct run *run, const struct subject *subject)
{
	char folder[] = "/tmp/bench_decision_XXXXXX", path[64];
	struct error error = {0};
	struct rng rng;
	const size_t floats = (size_t)BATCH * WINDOW * 1024;

	rng_seed(&rng, 1);
	if (!mkdtemp(folder))
		exit(1);
	snprintf(path, sizeof(path), "%s/config.json", folder);
	if (file_write_all(path, subject->config, strlen(subject->config), &error) ||
	    backbone_random(&run->backbone, folder, NULL, &rng, &error) ||
	    backbone_cache_new(run->backbone, WINDOW, &run->cache, &error))
		fail(&error);
	unlink(path);
	rmdir(folder);
	arena_init(&run->arena);
	run->embeds = calloc(floats, sizeof(float));
	run->hidden = calloc(floats, sizeof(float));
	if (!run->embeds || !run->hidden)
		exit(1);
	for (size_t i = 0; i < floats; i++)
		run->embeds[i] = (float)rng_normal(&rng);
	if (backbone_extend(run->backbone, &run->arena, run->cache, run->embeds, WINDOW,
			    run->hidden, &error))
		fail(&error);
}

static void run_close(struct run *run)
{
	backbone_close(run->backbone);
	backbone_cache_free(run->cache);
	arena_free(&run->arena);
	free(run->embeds);
	free(run->hidden);
}

static void train_report(struct run *run, const struct subject *subject)
{
	const int64_t width = backbone_shape(run->backbone)->width;
	const struct lora_options lora = {.rank = width / 4, .alpha = 32};
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 2);
	if (backbone_lora_new(run->backbone, &lora, &rng, &error))
		fail(&error);
	printf("%s, adapter step (forward and backward), batch of %d, per window: %.3f ms\n",
	       subject->name, BATCH, measure(train_call, run) * 1e3 / BATCH);
}

int main(void)
{
	const int cores = tensor_threads_get();
	struct machine machine;

	for (int threads = 1; threads <= cores; threads = threads < cores ? cores : cores + 1) {
		tensor_threads_set(threads);
		machine = machine_measure();
		printf("%d thread(s): product %.0f GFLOP/s, memory %.1f GB/s\n", threads,
		       machine.flops * 1e-9, machine.bytes_per_s * 1e-9);
		for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
			struct run run = {0};

			run_open(&run, &subjects[i]);
			line_print(subjects[i].name, "window of 180 tokens",
				   measure(window_call, &run),
				   limit_s(&machine, backbone_shape(run.backbone), WINDOW));
			line_print(subjects[i].name, "9 tokens on a cache",
				   measure(step_call, &run),
				   limit_s(&machine, backbone_shape(run.backbone), STEP));
			if (i == 0)
				train_report(&run, &subjects[i]);
			run_close(&run);
		}
	}
	return 0;
}
