/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The training run of the built-in backbone.
 *
 * Loss: cross-entropy of the next token at every position but the last of a
 * window, weighted by the token's class (action tokens more, a return that is
 * not told not at all).  The output layer is the embedding table itself, so its
 * gradient has two parts: rows looked up, and rows predicted.
 *
 * Randomness of step k comes from a generator split off the seed by k alone:
 * a resumed run needs no generator state, only weights, moments and the step.
 */
#include "learn/pretrain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "learn/adamw.h"
#include "learn/corpus.h"
#include "learn/loss.h"
#include "learn/schedule.h"
#include "policy/vocabulary.h"
#include "tensor/gemm.h"

#define HELD_OUT_WINDOWS 64
#define WARMUP_STEPS 100
#define CLIP_NORM 1.0
/* Rows kept of one network: more networks beat longer logs. */
#define ROWS_PER_NETWORK 20000
/* Networks from here on are held out; training never reaches them. */
#define HELD_OUT_FIRST (INT64_C(1) << 32)

struct run {
	const struct pretrain_options *options;
	struct vocabulary vocabulary;
	struct corpus training, held_out;
	struct backbone *backbone;
	struct backbone_param *params;    /* the backbone's, then the embedding table */
	struct backbone_param *embedding; /* last of params */
	size_t param_count;
	struct adamw adamw;
	struct arena arena;
	float *class_weight; /* (tokens) */
	struct rng root;
	int64_t step;
	bool (*progress)(void *context, const struct pretrain_progress *progress);
	void *context;
	struct pretrain_progress now;
};

/* One batch: tokens (batch, window * step_tokens). */
struct batch {
	int32_t *tokens;
	int64_t windows, length;
};

void pretrain_defaults(struct pretrain_options *options)
{
	*options = (struct pretrain_options){
		.directory = "models/builtin",
		.seed = 1,
		.width = 160,
		.layers = 4,
		.heads = 5,
		.window = 20,
		.batch = 8,
		.steps = 3000,
		.networks = 192,
		.held_out_networks = 16,
		.seconds = 20,
		.learning_rate = 1.5e-3,
		.action_weight = 4,
		.event_share = 0.6,
		.checkpoint_steps = 250,
	};
}

/* Row at which a window starts: any, or so that the window holds an event somewhere. */
static int64_t draw_start(const struct telemetry *telemetry, int64_t window, bool event,
			  struct rng *rng)
{
	const int64_t starts = telemetry->rows - window + 1;

	for (int tries = 0; event && tries < 400; tries++) {
		const int64_t row = (int64_t)rng_below(rng, (uint64_t)telemetry->rows);
		const int64_t start = row - (int64_t)rng_below(rng, (uint64_t)window);

		if (telemetry->event[row] && start >= 0 && start < starts)
			return start;
	}
	return (int64_t)rng_below(rng, (uint64_t)starts);
}

/* Windows of one batch come from networks with the same number of features. */
static const struct telemetry *draw_network(const struct corpus *corpus, int32_t step_tokens,
					    int64_t window, struct rng *rng)
{
	for (;;) {
		const struct telemetry *telemetry =
			&corpus->telemetry[rng_below(rng, (uint64_t)corpus->networks)];

		if ((step_tokens == 0 || telemetry->step_tokens == step_tokens) &&
		    telemetry->rows >= window)
			return telemetry;
	}
}

/* Half of the windows are not told their returns. */
static void draw_batch(const struct run *run, const struct corpus *corpus, struct rng *rng,
		       struct batch *batch, struct arena *arena)
{
	const int64_t window = run->options->window;
	const int32_t step_tokens = draw_network(corpus, 0, window, rng)->step_tokens;

	batch->windows = run->options->batch;
	batch->length = window * step_tokens;
	batch->tokens = arena_alloc(arena, (size_t)(batch->windows * batch->length) *
						   sizeof(*batch->tokens));
	for (int64_t i = 0; i < batch->windows; i++) {
		const struct telemetry *telemetry =
			draw_network(corpus, step_tokens, window, rng);
		const bool event = rng_uniform(rng) < run->options->event_share;
		const bool told = rng_uniform(rng) < 0.5;
		const int64_t start = draw_start(telemetry, window, event, rng);
		int32_t *tokens = batch->tokens + i * batch->length;

		memcpy(tokens, telemetry->tokens + start * step_tokens,
		       (size_t)batch->length * sizeof(*tokens));
		for (int64_t j = 0; !told && j < batch->length; j += step_tokens)
			tokens[j] = run->vocabulary.return_unknown;
	}
}

static float *alloc_floats(struct arena *arena, int64_t count)
{
	return arena_alloc(arena, (size_t)count * sizeof(float));
}

/* embeds (rows, H) = rows of the table. */
static void look_up(const struct run *run, const struct batch *batch, float *embeds)
{
	const int64_t width = run->embedding->shape[1];

	for (int64_t i = 0; i < batch->windows * batch->length; i++)
		memcpy(embeds + i * width, run->embedding->value + batch->tokens[i] * width,
		       (size_t)width * sizeof(float));
}

/*
 * Rows whose next token is in the window, packed: hidden (windows, length, H)
 * -> (windows * (length - 1), H) and the labels beside them.
 */
static int64_t pack_rows(const struct batch *batch, const float *hidden, int64_t width,
			 float *packed, int32_t *labels)
{
	const int64_t keep = batch->length - 1;

	for (int64_t i = 0; i < batch->windows; i++) {
		memcpy(packed + i * keep * width, hidden + i * batch->length * width,
		       (size_t)(keep * width) * sizeof(float));
		memcpy(labels + i * keep, batch->tokens + i * batch->length + 1,
		       (size_t)keep * sizeof(*labels));
	}
	return batch->windows * keep;
}

/* The forward half of a batch, shared by training and measuring. */
struct passed {
	float *hidden, *packed, *logits;
	int32_t *labels;
	int64_t rows;
	struct backbone_tape *tape;
};

static int pass_forward(struct run *run, const struct batch *batch, bool training,
			struct passed *passed, struct error *error)
{
	const int64_t width = run->embedding->shape[1], tokens = run->embedding->shape[0];
	const int64_t count = batch->windows * batch->length;
	float *embeds = alloc_floats(&run->arena, count * width);
	int code;

	passed->hidden = alloc_floats(&run->arena, count * width);
	passed->packed = alloc_floats(&run->arena, count * width);
	passed->logits = alloc_floats(&run->arena, count * tokens);
	passed->labels = arena_alloc(&run->arena, (size_t)count * sizeof(int32_t));
	look_up(run, batch, embeds);
	code = backbone_forward(run->backbone, &run->arena, embeds, batch->windows, batch->length,
				passed->hidden, training ? &passed->tape : NULL, NULL, error);
	if (code)
		return code;
	passed->rows = pack_rows(batch, passed->hidden, width, passed->packed, passed->labels);
	gemm_run(&(struct gemm){
		.transpose_b = true,
		.m = passed->rows, .n = tokens, .k = width,
		.alpha = 1,
		.a = passed->packed, .a_stride = width,
		.b = run->embedding->value, .b_stride = width,
		.c = passed->logits, .c_stride = tokens,
	});
	return 0;
}

/* Adds the output layer's gradient to the table's, and unpacks d_hidden (windows, length, H). */
static void output_backward(struct run *run, const struct batch *batch,
			    const struct passed *passed, const float *d_logits, float *d_hidden)
{
	const int64_t width = run->embedding->shape[1], tokens = run->embedding->shape[0];
	const int64_t keep = batch->length - 1;
	float *d_packed = alloc_floats(&run->arena, passed->rows * width);

	gemm_run(&(struct gemm){
		.transpose_a = true,
		.m = tokens, .n = width, .k = passed->rows,
		.alpha = 1, .beta = 1,
		.a = d_logits, .a_stride = tokens,
		.b = passed->packed, .b_stride = width,
		.c = run->embedding->gradient, .c_stride = width,
	});
	gemm_run(&(struct gemm){
		.m = passed->rows, .n = width, .k = tokens,
		.alpha = 1,
		.a = d_logits, .a_stride = tokens,
		.b = run->embedding->value, .b_stride = width,
		.c = d_packed, .c_stride = width,
	});
	for (int64_t i = 0; i < batch->windows; i++) {
		memcpy(d_hidden + i * batch->length * width, d_packed + i * keep * width,
		       (size_t)(keep * width) * sizeof(float));
		memset(d_hidden + (i * batch->length + keep) * width, 0,
		       (size_t)width * sizeof(float));
	}
}

static void look_up_backward(struct run *run, const struct batch *batch, const float *d_embeds)
{
	const int64_t width = run->embedding->shape[1];

	for (int64_t i = 0; i < batch->windows * batch->length; i++) {
		float *gradient = run->embedding->gradient + batch->tokens[i] * width;

		for (int64_t j = 0; j < width; j++)
			gradient[j] += d_embeds[i * width + j];
	}
}

static int train_step(struct run *run, double *loss, struct error *error)
{
	struct rng rng = rng_split(&run->root, (uint64_t)run->step);
	const struct schedule schedule = {run->options->learning_rate, WARMUP_STEPS,
					  (uint64_t)run->options->steps, SCHEDULE_COSINE};
	const int64_t tokens = run->embedding->shape[0];
	struct batch batch;
	struct passed passed;
	float *d_logits, *d_hidden, *d_embeds, *weight;
	int64_t floats;
	int code;

	arena_reset(&run->arena);
	gradients_zero(run->params, run->param_count);
	draw_batch(run, &run->training, &rng, &batch, &run->arena);
	code = pass_forward(run, &batch, true, &passed, error);
	if (code)
		return code;
	floats = batch.windows * batch.length * run->embedding->shape[1];
	d_logits = alloc_floats(&run->arena, passed.rows * tokens);
	d_hidden = alloc_floats(&run->arena, floats);
	d_embeds = alloc_floats(&run->arena, floats);
	weight = alloc_floats(&run->arena, passed.rows);
	for (int64_t i = 0; i < passed.rows; i++)
		weight[i] = run->class_weight[passed.labels[i]];
	*loss = cross_entropy(passed.logits, passed.labels, passed.rows, (int)tokens, weight, 1,
			      d_logits);
	output_backward(run, &batch, &passed, d_logits, d_hidden);
	code = backbone_backward(run->backbone, &run->arena, passed.tape, d_hidden, d_embeds,
				 error);
	if (code)
		return code;
	look_up_backward(run, &batch, d_embeds);
	adamw_step(&run->adamw, run->params, run->param_count,
		   schedule_rate(&schedule, (uint64_t)run->step),
		   gradients_clip_scale(gradients_norm(run->params, run->param_count), CLIP_NORM));
	return 0;
}

/* Mean negative log-likelihood of the labels that `wanted` admits; NaN when there are none. */
struct likelihood {
	double sum;
	int64_t count;
};

static void add_likelihood(struct likelihood *all, struct likelihood *action,
			   const struct run *run, const struct passed *passed)
{
	const struct vocabulary_field *field = vocabulary_find(&run->vocabulary, VOCABULARY_ACTION);
	const int64_t tokens = run->embedding->shape[0];

	for (int64_t i = 0; i < passed->rows; i++) {
		const int32_t label = passed->labels[i];
		double loss;

		if (label == run->vocabulary.return_unknown)
			continue;
		loss = cross_entropy(passed->logits + i * tokens, &label, 1, (int)tokens, NULL, 1,
				     NULL);
		all->sum += loss;
		all->count++;
		if (label >= field->first && label <= field->first + field->edges) {
			action->sum += loss;
			action->count++;
		}
	}
}

/* The same held-out windows every time: their generator depends on the seed alone. */
static int measure_held_out(struct run *run, struct error *error)
{
	struct rng rng = rng_split(&run->root, UINT64_MAX);
	struct likelihood all = {0, 0}, action = {0, 0};

	for (int64_t done = 0; done < HELD_OUT_WINDOWS; done += run->options->batch) {
		struct batch batch;
		struct passed passed;
		int code;

		arena_reset(&run->arena);
		draw_batch(run, &run->held_out, &rng, &batch, &run->arena);
		code = pass_forward(run, &batch, false, &passed, error);
		if (code)
			return code;
		add_likelihood(&all, &action, run, &passed);
	}
	run->now.held_out_loss = all.count ? all.sum / (double)all.count : NAN;
	run->now.held_out_action = action.count ? action.sum / (double)action.count : NAN;
	return 0;
}

/* Entropy of the action frequencies in the held-out windows: what a constant prediction scores. */
static double constant_action_loss(struct run *run)
{
	const struct vocabulary_field *field = vocabulary_find(&run->vocabulary, VOCABULARY_ACTION);
	struct rng rng = rng_split(&run->root, UINT64_MAX);
	double count[POOL_ACTIONS] = {0}, total = 0, loss = 0;

	for (int64_t done = 0; done < HELD_OUT_WINDOWS; done += run->options->batch) {
		struct batch batch;

		arena_reset(&run->arena);
		draw_batch(run, &run->held_out, &rng, &batch, &run->arena);
		for (int64_t i = 0; i < batch.windows * batch.length; i++) {
			const int32_t index = batch.tokens[i] - field->first;

			if (index >= 0 && index < POOL_ACTIONS) {
				count[index]++;
				total++;
			}
		}
	}
	for (int i = 0; i < POOL_ACTIONS; i++)
		loss -= count[i] > 0 ? count[i] / total * log(count[i] / total) : 0;
	return loss;
}

static void networks_done(void *context, int64_t networks)
{
	struct run *run = context;

	run->now.stage = "networks";
	run->now.done = networks;
	if (run->progress)
		run->progress(run->context, &run->now);
}

static int build_corpora(struct run *run, struct error *error)
{
	const struct pretrain_options *options = run->options;
	struct corpus_options corpus = {
		.seed = options->seed,
		.networks = options->networks,
		.seconds = options->seconds,
		.max_rows = ROWS_PER_NETWORK,
		.gamma = 0.95,
	};
	int code;

	run->now.total = options->networks + options->held_out_networks;
	code = corpus_build(&run->training, &corpus, &run->vocabulary, networks_done, run, error);
	if (code)
		return code;
	corpus.first = HELD_OUT_FIRST;
	corpus.networks = options->held_out_networks;
	return corpus_build(&run->held_out, &corpus, &run->vocabulary, NULL, NULL, error);
}

/* GPT-2's configuration, as Hugging Face writes it, with our shape. */
static int write_config(const struct run *run, struct error *error)
{
	const struct pretrain_options *options = run->options;
	char text[1024], path[4096];
	int code = file_make_folders(options->directory, error);

	if (code == 0)
		code = file_join(path, sizeof(path), options->directory, "config.json", error);
	if (code)
		return code;
	snprintf(text, sizeof(text),
		 "{\n  \"architectures\": [\"GPT2LMHeadModel\"],\n  \"model_type\": \"gpt2\",\n"
		 "  \"activation_function\": \"gelu_new\",\n  \"n_embd\": %lld,\n"
		 "  \"n_layer\": %lld,\n  \"n_head\": %lld,\n  \"n_inner\": null,\n"
		 "  \"n_positions\": 512,\n  \"vocab_size\": %d,\n"
		 "  \"layer_norm_epsilon\": 1e-05,\n  \"initializer_range\": 0.02,\n"
		 "  \"attn_pdrop\": 0.0,\n  \"embd_pdrop\": 0.0,\n  \"resid_pdrop\": 0.0,\n"
		 "  \"tie_word_embeddings\": true,\n  \"torch_dtype\": \"float32\"\n}\n",
		 (long long)options->width, (long long)options->layers, (long long)options->heads,
		 (int)run->vocabulary.tokens);
	code = file_write_all(path, text, strlen(text), error);
	return code ? code : vocabulary_write(&run->vocabulary, options->directory, error);
}

/* The list of a backbone leaves the embedding table out: a policy never looks anything up. */
static int list_params(struct run *run, struct error *error)
{
	const struct backbone_param *listed, *table = backbone_token_embedding(run->backbone);
	const size_t count = backbone_params(run->backbone, &listed);

	run->params = calloc(count + 1, sizeof(*run->params));
	if (run->params == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	memcpy(run->params, listed, count * sizeof(*listed));
	run->embedding = &run->params[count];
	*run->embedding = *table;
	run->embedding->gradient = calloc((size_t)table->count, sizeof(float));
	if (run->embedding->gradient == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	run->param_count = count + 1;
	return 0;
}

static int open_network(struct run *run, struct error *error)
{
	const struct backbone_options options = {.trainable = true};
	struct rng rng = rng_split(&run->root, UINT64_MAX - 1);
	int code = write_config(run, error);

	if (code == 0)
		code = backbone_random(&run->backbone, run->options->directory, &options, &rng,
				       error);
	if (code)
		return code;
	code = list_params(run, error);
	if (code)
		return code;
	return adamw_init(&run->adamw, &adamw_defaults, run->params, run->param_count, error);
}

static int weigh_classes(struct run *run, struct error *error)
{
	const struct vocabulary_field *field = vocabulary_find(&run->vocabulary, VOCABULARY_ACTION);

	run->class_weight = malloc((size_t)run->vocabulary.tokens * sizeof(float));
	if (run->class_weight == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	for (int32_t i = 0; i < run->vocabulary.tokens; i++)
		run->class_weight[i] = 1;
	for (int32_t i = 0; i <= field->edges; i++)
		run->class_weight[field->first + i] = (float)run->options->action_weight;
	run->class_weight[run->vocabulary.return_unknown] = 0;
	return 0;
}

/* What a checkpoint must agree on with the run that resumes it. */
static void fingerprint(const struct pretrain_options *options, char *text, size_t size)
{
	snprintf(text, size, "%llu %lld %lld %lld %lld %lld %lld %lld %lld %.17g %.17g %.17g %.17g",
		 (unsigned long long)options->seed, (long long)options->width,
		 (long long)options->layers, (long long)options->heads, (long long)options->window,
		 (long long)options->batch, (long long)options->steps,
		 (long long)options->networks, (long long)options->held_out_networks,
		 options->seconds, options->learning_rate, options->action_weight,
		 options->event_share);
}

static int checkpoint_path(const struct run *run, char *path, size_t size, struct error *error)
{
	return file_join(path, size, run->options->directory, "pretrain.safetensors", error);
}

/* Every parameter's values one after another, in the optimizer's order. */
static void copy_values(const struct run *run, float *flat, bool into_flat)
{
	for (size_t i = 0; i < run->param_count; i++) {
		const struct backbone_param *param = &run->params[i];
		const size_t bytes = (size_t)param->count * sizeof(float);

		if (into_flat)
			memcpy(flat, param->value, bytes);
		else
			memcpy(param->value, flat, bytes);
		flat += param->count;
	}
}

static int save_checkpoint(struct run *run, struct error *error)
{
	const int64_t count = (int64_t)run->adamw.elements;
	char path[4096], options[512], step[32];
	const char *const metadata[] = {"options", options, "step", step, NULL};
	float *values;
	int code = checkpoint_path(run, path, sizeof(path), error);

	if (code)
		return code;
	arena_reset(&run->arena);
	values = alloc_floats(&run->arena, count);
	copy_values(run, values, true);
	fingerprint(run->options, options, sizeof(options));
	snprintf(step, sizeof(step), "%lld", (long long)run->step);
	return safetensors_write(
		path,
		(struct safetensors_item[]){
			{"moment1", SAFETENSORS_F32, 1, {count}, run->adamw.moment1},
			{"moment2", SAFETENSORS_F32, 1, {count}, run->adamw.moment2},
			{"value", SAFETENSORS_F32, 1, {count}, values},
		},
		3, metadata, error);
}

static int read_flat(const struct safetensors *file, const char *name, float *out, size_t count,
		     struct error *error)
{
	const struct safetensors_entry *entry = safetensors_find(file, name);

	if (entry == NULL || (size_t)entry->count != count)
		return error_at(error, ERR_INVALID, file->path, 0, name,
				"not this run's checkpoint; name a new folder");
	return safetensors_to_f32(entry, out, error);
}

static int restore_values(struct run *run, const struct safetensors *file, struct error *error)
{
	char options[512];
	const char *written = safetensors_metadata(file, "options");
	const char *step = safetensors_metadata(file, "step");
	float *values;
	int code;

	fingerprint(run->options, options, sizeof(options));
	if (written == NULL || step == NULL || strcmp(written, options) != 0)
		return error_at(error, ERR_INVALID, file->path, 0, "options",
				"the checkpoint was made with other options; repeat them or name "
				"a new folder");
	arena_reset(&run->arena);
	values = alloc_floats(&run->arena, (int64_t)run->adamw.elements);
	code = read_flat(file, "value", values, run->adamw.elements, error);
	if (code == 0)
		code = read_flat(file, "moment1", run->adamw.moment1, run->adamw.elements, error);
	if (code == 0)
		code = read_flat(file, "moment2", run->adamw.moment2, run->adamw.elements, error);
	if (code)
		return code;
	copy_values(run, values, false);
	run->step = strtoll(step, NULL, 10);
	run->adamw.steps = (uint64_t)run->step;
	return 0;
}

/* What an interrupted run computed is not to be lost to a command that says nothing of it. */
static int refuse_checkpoint(const struct run *run, struct error *error)
{
	char path[4096];
	const int code = checkpoint_path(run, path, sizeof(path), error);

	if (code || !file_exists(path))
		return code;
	return error_at(error, ERR_INVALID, run->options->directory, 0, "--output",
			"holds a run: go on with --resume, or name a new folder");
}

static int load_checkpoint(struct run *run, struct error *error)
{
	struct safetensors file;
	char path[4096];
	int code = checkpoint_path(run, path, sizeof(path), error);

	if (code == 0)
		code = safetensors_open(&file, path, error);
	if (code)
		return code;
	code = restore_values(run, &file, error);
	safetensors_close(&file);
	return code;
}

/* Tells how it goes; true: stop. */
static bool report(struct run *run)
{
	run->now.stage = "training";
	run->now.done = run->step;
	run->now.total = run->options->steps;
	return run->progress && run->progress(run->context, &run->now);
}

static int train(struct run *run, struct error *error)
{
	const int64_t every = run->options->checkpoint_steps;
	double loss = NAN;
	int code = 0;

	while (code == 0 && run->step < run->options->steps) {
		bool stop = false;

		code = train_step(run, &loss, error);
		run->step++;
		if (code)
			break;
		run->now.loss = isnan(run->now.loss) ? loss : 0.98 * run->now.loss + 0.02 * loss;
		if (run->step % every == 0)
			code = measure_held_out(run, error);
		if (code == 0)
			stop = report(run);
		if (code == 0 && (stop || run->step % every == 0))
			code = save_checkpoint(run, error);
		if (code == 0 && stop)
			code = error_set(error, ERR_INTERRUPTED,
					 "stopped at step %lld after a checkpoint",
					 (long long)run->step);
	}
	return code;
}

static int finish(struct run *run, struct pretrain_result *result, struct error *error)
{
	char path[4096];
	int code = measure_held_out(run, error);

	if (code)
		return code;
	report(run);
	*result = (struct pretrain_result){
		.loss = run->now.loss,
		.held_out_loss = run->now.held_out_loss,
		.held_out_action = run->now.held_out_action,
		.uniform_action = constant_action_loss(run),
		.parameters = backbone_shape(run->backbone)->parameters,
		.tokens_seen = run->options->steps * run->options->batch * run->options->window * 9,
		.training_rows = run->training.rows,
		.held_out_rows = run->held_out.rows,
	};
	code = backbone_save(run->backbone, run->options->directory, error);
	if (code == 0)
		code = checkpoint_path(run, path, sizeof(path), error);
	if (code == 0)
		remove(path);
	return code;
}

static void free_run(struct run *run)
{
	corpus_free(&run->training);
	corpus_free(&run->held_out);
	if (run->backbone)
		backbone_close(run->backbone);
	adamw_free(&run->adamw);
	arena_free(&run->arena);
	free(run->class_weight);
	if (run->embedding)
		free(run->embedding->gradient);
	free(run->params);
}

int pretrain_run(const struct pretrain_options *options,
		 bool (*progress)(void *context, const struct pretrain_progress *progress),
		 void *context, struct pretrain_result *result, struct error *error)
{
	struct run run = {
		.options = options,
		.progress = progress,
		.context = context,
		.now = {.loss = NAN, .held_out_loss = NAN, .held_out_action = NAN},
	};
	int code;

	arena_init(&run.arena);
	rng_seed(&run.root, options->seed);
	vocabulary_default(&run.vocabulary);
	code = options->resume ? 0 : refuse_checkpoint(&run, error);
	if (code == 0)
		code = weigh_classes(&run, error);
	if (code == 0)
		code = open_network(&run, error);
	if (code == 0 && options->resume)
		code = load_checkpoint(&run, error);
	if (code == 0)
		code = build_corpora(&run, error);
	if (code == 0)
		code = train(&run, error);
	if (code == 0)
		code = finish(&run, result, error);
	free_run(&run);
	return code;
}
