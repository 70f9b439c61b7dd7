/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long one decision takes, and how far that is from what this machine
 * could do.
 *
 *     bench_decision [--threads N] [--seconds S] [TEXT...]
 *
 * runs the rows whose names hold every TEXT, without any all but those that
 * need more than 8 GB.  Models have random weights, made in the precision of
 * the row; token embeddings, which no decision reads, are left out.  A window
 * is 180 tokens (20 steps of 9), a step 9 tokens behind 171 in a cache.
 *
 * The limit is the larger of arithmetic (multiply-adds of the projections and
 * of the causal half of attention, at the rate of oneDNN's own product of
 * 2048 x 2048 x 2048 in that precision, or the next finer one that it has
 * here) and traffic (every weight and every cached key and value read once, at
 * the bandwidth measured here).  Times are medians.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dnnl.h>

#include "backbone/backbone.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/test_folder.h"
#include "tensor/gemm.h"
#include "tensor/threads.h"

#define WINDOW 180
#define STEP 9
#define MANY 16 /* caches at once */
#define CALLS_MAX 4000
#define EDGE 2048

struct model {
	const char *name, *config;
	bool large;
};

static const struct model models[] = {
	{"built-in shape",
	 "{\"model_type\": \"gpt2\", \"n_layer\": 4, \"n_embd\": 160, \"n_head\": 5, "
	 "\"vocab_size\": 8, \"n_positions\": 256}", false},
	{"GPT-2 124M",
	 "{\"model_type\": \"gpt2\", \"n_layer\": 12, \"n_embd\": 768, \"n_head\": 12, "
	 "\"vocab_size\": 8, \"n_positions\": 1024}", false},
	{"Llama 0.97B",
	 "{\"model_type\": \"llama\", \"num_hidden_layers\": 22, \"hidden_size\": 2048, "
	 "\"num_attention_heads\": 32, \"num_key_value_heads\": 4, \"intermediate_size\": 5632, "
	 "\"vocab_size\": 8, \"max_position_embeddings\": 2048}", false},
	{"OPT 1.3B",
	 "{\"model_type\": \"opt\", \"num_hidden_layers\": 24, \"hidden_size\": 2048, "
	 "\"num_attention_heads\": 32, \"ffn_dim\": 8192, \"vocab_size\": 8, "
	 "\"max_position_embeddings\": 2048, \"word_embed_proj_dim\": 2048, "
	 "\"do_layer_norm_before\": true}", false},
	{"T5 220M",
	 "{\"model_type\": \"t5\", \"num_layers\": 12, \"num_decoder_layers\": 12, "
	 "\"d_model\": 768, \"d_kv\": 64, \"d_ff\": 3072, \"num_heads\": 12, "
	 "\"vocab_size\": 8}", false},
	{"Llama2 7B",
	 "{\"model_type\": \"llama\", \"num_hidden_layers\": 32, \"hidden_size\": 4096, "
	 "\"num_attention_heads\": 32, \"intermediate_size\": 11008, \"vocab_size\": 8, "
	 "\"max_position_embeddings\": 4096}", true},
};

/* `wanted_ms`: to be reached on two cores with AVX-512, bf16 and VNNI; 0: not stated. */
struct row {
	int model;
	enum matrix_type precision;
	enum way { IN_WINDOW, IN_STEP } way;
	double wanted_ms;
};

static const struct row rows[] = {
	{0, MATRIX_F32, IN_WINDOW, 0}, {0, MATRIX_F32, IN_STEP, 0},
	{0, MATRIX_INT8, IN_WINDOW, 0}, {0, MATRIX_INT8, IN_STEP, 0},
	{1, MATRIX_F32, IN_WINDOW, 95}, {1, MATRIX_F32, IN_STEP, 10},
	{1, MATRIX_BF16, IN_WINDOW, 45}, {1, MATRIX_BF16, IN_STEP, 5.5},
	{1, MATRIX_INT8, IN_WINDOW, 28}, {1, MATRIX_INT8, IN_STEP, 3},
	{1, MATRIX_INT4, IN_WINDOW, 0}, {1, MATRIX_INT4, IN_STEP, 0},
	{2, MATRIX_BF16, IN_WINDOW, 520}, {2, MATRIX_BF16, IN_STEP, 55},
	{2, MATRIX_INT4, IN_WINDOW, 0}, {2, MATRIX_INT4, IN_STEP, 0},
	{3, MATRIX_BF16, IN_WINDOW, 0}, {3, MATRIX_BF16, IN_STEP, 0},
	{4, MATRIX_F32, IN_WINDOW, 0}, {4, MATRIX_BF16, IN_WINDOW, 0},
	{5, MATRIX_BF16, IN_STEP, 0}, {5, MATRIX_INT4, IN_STEP, 0},
};

/* What this machine can do, measured in this run. */
static struct {
	double bytes_per_s, rate[MATRIX_TYPES]; /* multiply-adds a second */
} machine;

static double seconds = 1;

struct run {
	struct backbone *backbone;
	struct backbone_cache *caches[MANY];
	int64_t count; /* caches in use */
	struct arena arena;
	float *embeds, *hidden;
};

static void fail(const struct error *error)
{
	char text[1500];

	fprintf(stderr, "bench_decision: %s\n", error_format(error, text, sizeof(text)));
	exit(1);
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median time of a call; *least, unless NULL, is the shortest. */
static double measure(void (*call)(void *context), void *context, double *least)
{
	static double times[CALLS_MAX];
	const double start = clock_s();
	int count = 0;

	call(context);
	while (count < 5 || (clock_s() - start < seconds && count < CALLS_MAX)) {
		const double before = clock_s();

		call(context);
		times[count++] = clock_s() - before;
	}
	qsort(times, (size_t)count, sizeof(*times), by_size);
	if (least)
		*least = times[0];
	return times[count / 2];
}

struct memory {
	const float *floats;
	int64_t count;
	float sums[64]; /* of each worker, so that nothing is left out */
};

static void read_part(void *context, int worker, int64_t begin, int64_t end)
{
	struct memory *memory = context;
	float sum[64] = {0};

	for (int64_t i = begin; i + 64 <= end; i += 64)
		for (int j = 0; j < 64; j++)
			sum[j] += memory->floats[i + j];
	for (int j = 1; j < 64; j++)
		sum[0] += sum[j];
	memory->sums[worker] = sum[0];
}

static void read_call(void *context)
{
	const struct memory *memory = context;

	tensor_split(memory->count, 1 << 20, read_part, context);
}

static void gemm_call(void *context)
{
	gemm_run(context);
}

/* A product of oneDNN's in 16 or 8 bits, cut over the threads as ours are. */
struct product {
	dnnl_engine_t engine;
	dnnl_primitive_t primitive;
	dnnl_memory_desc_t a, b, c;
	void *a_data, *b_data, *c_data;
	int64_t rows; /* of a part */
};

static void product_part(void *context, int worker, int64_t begin, int64_t end)
{
	const struct product *p = context;

	(void)worker;
	tensor_library_confine();
	for (int64_t part = begin; part < end; part++) {
		dnnl_memory_t a, b, c;
		dnnl_stream_t stream;
		const size_t a_bytes = dnnl_memory_desc_get_size(&p->a);
		const size_t c_bytes = dnnl_memory_desc_get_size(&p->c);

		dnnl_stream_create(&stream, p->engine, dnnl_stream_default_flags);
		dnnl_memory_create(&a, &p->a, p->engine, (char *)p->a_data + part * a_bytes);
		dnnl_memory_create(&b, &p->b, p->engine, p->b_data);
		dnnl_memory_create(&c, &p->c, p->engine, (char *)p->c_data + part * c_bytes);
		const dnnl_exec_arg_t list[] = {
			{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}};

		dnnl_primitive_execute(p->primitive, stream, 3, list);
		dnnl_stream_wait(stream);
		dnnl_memory_destroy(a);
		dnnl_memory_destroy(b);
		dnnl_memory_destroy(c);
		dnnl_stream_destroy(stream);
	}
}

static void product_call(void *context)
{
	const struct product *p = context;

	tensor_split(EDGE / p->rows, 1, product_part, context);
}

/* Makes the primitive, with weights packed as oneDNN likes them; false when it has none. */
static bool product_make(struct product *p, dnnl_data_type_t a, dnnl_data_type_t b,
			 dnnl_data_type_t c)
{
	const dnnl_dims_t part = {p->rows, EDGE}, whole = {EDGE, EDGE};
	dnnl_primitive_desc_t desc;
	dnnl_matmul_desc_t matmul;
	bool made;

	dnnl_memory_desc_init_by_tag(&p->a, 2, part, a, dnnl_ab);
	dnnl_memory_desc_init_by_tag(&p->b, 2, whole, b, dnnl_format_tag_any);
	dnnl_memory_desc_init_by_tag(&p->c, 2, part, c, dnnl_ab);
	if (dnnl_matmul_desc_init(&matmul, &p->a, &p->b, NULL, &p->c) != dnnl_success ||
	    dnnl_primitive_desc_create(&desc, &matmul, NULL, p->engine, NULL) != dnnl_success)
		return false;
	p->b = *dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
	made = dnnl_primitive_create(&p->primitive, desc) == dnnl_success;
	dnnl_primitive_desc_destroy(desc);
	return made;
}

/* Multiply-adds a second; 0: oneDNN has no such product here. */
static double product_rate(dnnl_data_type_t a, dnnl_data_type_t b, dnnl_data_type_t c)
{
	struct product p = {.rows = EDGE / tensor_threads_get() / 64 * 64};
	double least = INFINITY;

	while (EDGE % p.rows)
		p.rows -= 64;
	tensor_library_confine();
	dnnl_engine_create(&p.engine, dnnl_cpu, 0);
	if (product_make(&p, a, b, c)) {
		p.a_data = calloc(EDGE * EDGE, 4);
		p.b_data = calloc(1, dnnl_memory_desc_get_size(&p.b) + 64);
		p.c_data = calloc(EDGE * EDGE, 4);
		if (!p.a_data || !p.b_data || !p.c_data)
			exit(1);
		measure(product_call, &p, &least);
		dnnl_primitive_destroy(p.primitive);
		free(p.a_data);
		free(p.b_data);
		free(p.c_data);
	}
	dnnl_engine_destroy(p.engine);
	return (double)EDGE * EDGE * EDGE / least;
}

static void machine_measure(void)
{
	const int64_t count = INT64_C(64) << 20;
	float *floats = malloc((size_t)count * sizeof(*floats));
	struct memory memory = {.floats = floats, .count = count};
	struct gemm gemm = {.m = EDGE, .n = EDGE, .k = EDGE, .alpha = 1,
			    .a = floats, .a_stride = EDGE, .b = floats + EDGE * EDGE,
			    .b_stride = EDGE, .c = floats + 2 * EDGE * EDGE, .c_stride = EDGE};
	double least;

	if (!floats)
		exit(1);
	for (int64_t i = 0; i < count; i++)
		floats[i] = 1e-3f;
	measure(read_call, &memory, &least);
	machine.bytes_per_s = (double)count * sizeof(*floats) / least;
	measure(gemm_call, &gemm, &least);
	free(floats);
	machine.rate[MATRIX_F32] = (double)EDGE * EDGE * EDGE / least;
	machine.rate[MATRIX_BF16] = fmax(product_rate(dnnl_bf16, dnnl_bf16, dnnl_f32),
					 machine.rate[MATRIX_F32]);
	machine.rate[MATRIX_F16] = machine.rate[MATRIX_F32];
	machine.rate[MATRIX_INT8] = fmax(product_rate(dnnl_u8, dnnl_s8, dnnl_s32),
					 machine.rate[MATRIX_BF16]);
	machine.rate[MATRIX_INT4] = machine.rate[MATRIX_INT8];
	printf("%d thread(s): memory %.1f GB/s; products f32 %.0f, bf16 %.0f, int8 %.0f GFLOP/s\n",
	       tensor_threads_get(), machine.bytes_per_s * 1e-9, 2e-9 * machine.rate[MATRIX_F32],
	       2e-9 * machine.rate[MATRIX_BF16], 2e-9 * machine.rate[MATRIX_INT8]);
}

static void window_call(void *context)
{
	struct run *run = context;
	struct error error = {0};

	if (backbone_forward(run->backbone, &run->arena, run->embeds, 1, WINDOW, run->hidden, NULL,
			     NULL, &error))
		fail(&error);
}

static void step_call(void *context)
{
	struct run *run = context;
	struct error error = {0};

	for (int64_t i = 0; i < run->count; i++)
		backbone_cache_truncate(run->caches[i], WINDOW - STEP);
	if (backbone_extend_many(run->backbone, &run->arena, run->caches, run->count, run->embeds,
				 STEP, run->hidden, &error))
		fail(&error);
}

/* Everything that is not a norm, a bias or a position. */
static double projection_weights(const struct backbone_shape *shape)
{
	return (double)shape->parameters - 8.0 * (double)shape->width;
}

/* Keys and values of one cache. */
static double cache_bytes(const struct run *run)
{
	return (double)backbone_cache_bytes(run->backbone, WINDOW);
}

/* Shortest time for `count` times `tokens` new tokens that end at WINDOW; *bytes: to be read. */
static double limit_s(const struct run *run, const struct row *row, double *bytes)
{
	const struct backbone_shape *shape = backbone_shape(run->backbone);
	const int64_t tokens = row->way == IN_STEP ? STEP : WINDOW;
	const double pairs = (double)tokens * (WINDOW - (double)(tokens - 1) / 2);
	const double attention = (double)shape->layers * 2 * (double)shape->width * pairs;
	const double count = (double)run->count;
	const double compute = count * (double)tokens * projection_weights(shape) /
				       machine.rate[row->precision] +
			       count * attention / machine.rate[MATRIX_F32];

	*bytes = (double)backbone_memory_bytes(run->backbone);
	if (row->way == IN_STEP)
		*bytes += count * cache_bytes(run);
	return fmax(compute, *bytes / machine.bytes_per_s);
}

static void backbone_make(struct run *run, const struct row *row)
{
	const struct backbone_options options = {.precision = row->precision};
	const char *config = models[row->model].config;
	char path[TEST_PATH_BYTES];
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 1);
	if (test_folder_make())
		exit(1);
	test_path(path, "config.json");
	if (file_write_all(path, config, strlen(config), &error) ||
	    backbone_random(&run->backbone, test_folder, &options, &rng, &error) ||
	    backbone_settle(run->backbone, &error))
		fail(&error);
	test_folder_remove();
}

static void run_open(struct run *run, const struct row *row)
{
	struct error error = {0};
	struct rng rng;
	size_t floats;

	rng_seed(&rng, 2);
	backbone_make(run, row);
	arena_init(&run->arena);
	floats = (size_t)WINDOW * (size_t)backbone_shape(run->backbone)->width;
	run->embeds = calloc(floats, sizeof(float));
	run->hidden = calloc(floats, sizeof(float));
	if (!run->embeds || !run->hidden)
		exit(1);
	for (size_t i = 0; i < floats; i++)
		run->embeds[i] = (float)rng_normal(&rng);
	run->count = 1;
	for (int i = 0; i < MANY && row->way == IN_STEP; i++)
		if (backbone_cache_new(run->backbone, WINDOW, &run->caches[i], &error) ||
		    backbone_extend(run->backbone, &run->arena, run->caches[i], run->embeds,
				    WINDOW, run->hidden, &error))
			fail(&error);
}

static void run_close(struct run *run)
{
	for (int i = 0; i < MANY; i++)
		backbone_cache_free(run->caches[i]);
	backbone_close(run->backbone);
	arena_free(&run->arena);
	free(run->embeds);
	free(run->hidden);
}

static void row_name(char *name, size_t size, const struct row *row)
{
	snprintf(name, size, "%s, %s, %s", models[row->model].name,
		 row->way == IN_STEP ? "step" : "window", matrix_type_name(row->precision));
}

static void line_print(const struct run *run, const struct row *row, const char *name)
{
	void (*call)(void *context) = row->way == IN_STEP ? step_call : window_call;
	double least, bytes;
	const double limit = limit_s(run, row, &bytes);
	const double median = measure(call, (void *)run, &least);

	printf("%-28s %2lld at once %9.3f ms, least %9.3f; limit %8.3f; ratio %5.2f; to read "
	       "%6.0f MB", name, (long long)run->count, 1e3 * median, 1e3 * least, 1e3 * limit,
	       median / limit, 1e-6 * bytes);
	if (run->count > 1)
		printf("; each %.3f ms", 1e3 * median / (double)run->count);
	else if (row->wanted_ms > 0)
		printf("; with AVX-512 %.1f ms wanted", row->wanted_ms);
	printf("\n");
	fflush(stdout);
}

static void row_run(const struct row *row, const char *name)
{
	struct run run = {0};

	run_open(&run, row);
	for (run.count = 1; run.count <= (row->way == IN_STEP ? MANY : 1); run.count *= 2)
		line_print(&run, row, name);
	run_close(&run);
}

static bool is_chosen(const struct row *row, const char *name, char **texts)
{
	if (!*texts)
		return !models[row->model].large;
	for (; *texts; texts++)
		if (!strstr(name, *texts))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	for (argv++; argc > 2 && strncmp(*argv, "--", 2) == 0; argv += 2, argc -= 2)
		if (strcmp(*argv, "--threads") == 0)
			tensor_threads_set(atoi(argv[1]));
		else
			seconds = atof(argv[1]);
	machine_measure();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[64];

		row_name(name, sizeof(name), &rows[i]);
		if (is_chosen(&rows[i], name, argv))
			row_run(&rows[i], name);
	}
	return 0;
}
