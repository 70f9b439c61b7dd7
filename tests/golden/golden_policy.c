/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Golden cases of policies: policy/<case>/golden.safetensors, made by the
 * released code over genuine transformers and PEFT.
 *
 *   one window     logits, loss, what the head saw, what the backbone was fed,
 *                  every gradient, clipping, one AdamW step, logits after it
 *   accumulation   (acc.) the released training loop over micro-batches with
 *                  clipping at each and warm-up: two optimizer steps
 *   rollout        (roll.) decision after decision in a sliding window
 *
 * A part that a case does not hold is not compared; a tensor that it does hold
 * and that is neither an input nor compared is an error.  Shapes come from the
 * files.  Gradients are measured against the largest of their tensor; an
 * update against 1e-6 where its gradient is more than noise, and otherwise
 * against twice the step that Adam takes on a gradient of any size.
 */
#include "tests/golden/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "learn/learner.h"
#include "learn/loss.h"
#include "policy/store.h"
#include "policy/stream.h"

#define GRADIENT_TOLERANCE 1e-4
#define UPDATE_TOLERANCE 1e-6
#define NOISE_TOLERANCE 2e-4
#define NOISE_GRADIENT 1e-6
#define RATE 1e-4
#define CLIP 0.25

struct subject {
	struct golden_report *report;
	const char *name;
	struct safetensors file;
	bool *compared; /* (file.count) */
	double logits_tolerance;
	struct policy_net net;
};

static void mark_compared(const struct subject *subject, const char *name)
{
	const struct safetensors_entry *entry = safetensors_find(&subject->file, name);

	if (entry)
		subject->compared[entry - subject->file.entries] = true;
}

/* One window or micro-batch of the file. */
struct window {
	float *states, *returns, *actions;
	int32_t *timesteps, *labels;
	struct policy_batch batch;
	float *logits;
};

/* Cases over another base than their name says; all others: the folder of that name. */
static const struct base_model {
	const char *name, *folder;
	bool no_positions;
} base_models[] = {
	{"gpt2", "gpt2", true},
	{"gpt2_wpe", "gpt2", false},
	{"t5", "t5_v11", false},
};

static struct base_model base_of(const char *name)
{
	for (size_t i = 0; i < sizeof(base_models) / sizeof(base_models[0]); i++)
		if (strcmp(base_models[i].name, name) == 0)
			return base_models[i];
	return (struct base_model){name, name, false};
}

static int shape_of(const struct safetensors *init, struct policy_net_shape *shape,
		    struct error *error)
{
	const struct safetensors_entry *time = safetensors_find(init, "embed_timestep.weight");
	const struct safetensors_entry *first;
	char name[64];

	*shape = (struct policy_net_shape){.shared_last = true};
	do {
		snprintf(name, sizeof(name), "state_encoder.fc%d.0.weight", (int)++shape->features);
	} while (safetensors_find(init, name));
	shape->features--;
	first = safetensors_find(init, "state_encoder.fc1.0.weight");
	if (!time || !first)
		return error_at(error, ERR_INVALID, init->path, 0, NULL, "is no initial policy");
	shape->feature_dim = first->shape[0];
	shape->timesteps = time->shape[0];
	return 0;
}

/* A fresh network with the case's initial weights. */
static int net_make(struct subject *subject, struct error *error)
{
	const struct base_model base = base_of(subject->name);
	const struct backbone_options options = {.no_positions = base.no_positions,
						 .bidirectional = true};
	char init_path[4096], path[4096];
	struct policy_net_shape shape;
	struct backbone *backbone;
	struct safetensors init;
	int status = golden_path(subject->report, "policy", "init.safetensors", init_path,
				 sizeof(init_path), error);

	if (!status)
		status = safetensors_open(&init, init_path, error);
	if (status)
		return status;
	status = shape_of(&init, &shape, error);
	safetensors_close(&init);
	if (!status)
		status = golden_path(subject->report, NULL, base.folder, path, sizeof(path), error);
	if (!status)
		status = backbone_open(&backbone, path, &options, error);
	if (!status)
		status = policy_net_new(&subject->net, &shape, backbone, error);
	if (!status)
		status = policy_store_read_own(&subject->net, init_path, error);
	snprintf(path, sizeof(path), "%s/policy/%s/adapter", subject->report->folder,
		 subject->name);
	if (!status)
		status = backbone_lora_load(subject->net.backbone, path, error);
	return status ? status : policy_net_collect(&subject->net, error);
}

static int integers(const struct safetensors *file, const char *name, int32_t **out, int64_t count,
		    struct error *error)
{
	const struct safetensors_entry *entry = safetensors_find(file, name);

	*out = NULL;
	if (!entry || entry->count != count ||
	    (entry->dtype != SAFETENSORS_I64 && entry->dtype != SAFETENSORS_I32))
		return error_at(error, ERR_INVALID, file->path, 0, name, "integers are missing");
	*out = calloc((size_t)count, sizeof(**out));
	if (!*out)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %s", name);
	for (int64_t i = 0; i < count; i++) {
		int64_t wide = 0;

		if (entry->dtype == SAFETENSORS_I64)
			memcpy(&wide, (const char *)entry->data + i * 8, 8);
		else
			memcpy(*out + i, (const char *)entry->data + i * 4, 4);
		if (entry->dtype == SAFETENSORS_I64)
			(*out)[i] = (int32_t)wide;
	}
	return 0;
}

static void window_free(struct window *window)
{
	free(window->states);
	free(window->returns);
	free(window->actions);
	free(window->timesteps);
	free(window->labels);
	free(window->logits);
}

/* `prefix`states, returns, actions, timesteps, labels. */
static int window_read(const struct subject *subject, const char *prefix, struct window *window,
		       struct error *error)
{
	const struct safetensors *file = &subject->file;
	const struct safetensors_entry *states;
	int64_t count, rows;
	char name[128];
	int status;

	memset(window, 0, sizeof(*window));
	snprintf(name, sizeof(name), "%sstates", prefix);
	states = safetensors_find(file, name);
	if (!states || states->dims != 3 || states->shape[2] != subject->net.shape.features)
		return error_at(error, ERR_INVALID, file->path, 0, name, "wrong shape");
	rows = states->shape[0] * states->shape[1];
	status = golden_floats(file, name, &window->states, &count, error);
	snprintf(name, sizeof(name), "%sreturns", prefix);
	if (!status)
		status = golden_floats(file, name, &window->returns, &count, error);
	snprintf(name, sizeof(name), "%sactions", prefix);
	if (!status)
		status = golden_floats(file, name, &window->actions, &count, error);
	snprintf(name, sizeof(name), "%stimesteps", prefix);
	if (!status)
		status = integers(file, name, &window->timesteps, rows, error);
	snprintf(name, sizeof(name), "%slabels", prefix);
	if (!status)
		status = integers(file, name, &window->labels, rows, error);
	window->logits = calloc((size_t)(rows * POOL_ACTIONS), sizeof(float));
	window->batch = (struct policy_batch){
		.batch = states->shape[0],
		.steps = states->shape[1],
		.states = window->states,
		.returns = window->returns,
		.actions = window->actions,
		.timesteps = window->timesteps,
	};
	return status;
}

/* Compares with the whole tensor `name`, if the file has it. */
static int compare_tensor(const struct subject *subject, const char *name, const float *got,
			  int64_t count, double tolerance, struct error *error)
{
	float *want;
	int64_t theirs;
	int status;

	if (!safetensors_find(&subject->file, name))
		return 0;
	status = golden_floats(&subject->file, name, &want, &theirs, error);
	if (status)
		return status;
	if (theirs != count)
		status = error_at(error, ERR_INVALID, subject->file.path, 0, name, "wrong shape");
	else
		golden_compare(subject->report, name, got, want, count, tolerance);
	mark_compared(subject, name);
	free(want);
	return status;
}

static int compare_scalar(const struct subject *subject, const char *name, double got,
			  double tolerance, struct error *error)
{
	const float value = (float)got;

	return compare_tensor(subject, name, &value, 1, tolerance, error);
}

static void tensor_name(const struct backbone_param *param, const char *prefix, char *name,
			size_t size)
{
	snprintf(name, size, "%s%s%s", prefix, param->is_adapter ? "lora." : "", param->name);
}

/* Every gradient against `prefix`<name>, relative to the largest of its tensor. */
static int compare_gradients(const struct subject *subject, const char *prefix, bool complete,
			     struct error *error)
{
	for (size_t i = 0; i < subject->net.count; i++) {
		const struct backbone_param *param = &subject->net.params[i];
		const struct safetensors_entry *entry;
		double largest = 0;
		char name[256];
		int status;

		tensor_name(param, prefix, name, sizeof(name));
		entry = safetensors_find(&subject->file, name);
		if (!param->gradient || (!entry && !complete))
			continue;
		if (!entry)
			return error_at(error, ERR_INVALID, subject->file.path, 0, name,
					"is missing");
		for (int64_t j = 0; j < param->count; j++)
			largest = fmax(largest, fabs((double)param->gradient[j]));
		status = compare_tensor(subject, name, param->gradient, param->count,
					GRADIENT_TOLERANCE * largest, error);
		if (status)
			return status;
	}
	return 0;
}

/* Largest update error, apart for elements with and without a gradient above noise. */
static int compare_update(const struct subject *subject, const char *name,
			  const struct backbone_param *param, const float *gradient,
			  struct error *error)
{
	double sure = 0, noisy = 0;
	float *want;
	int64_t count;
	int status = golden_floats(&subject->file, name, &want, &count, error);

	if (status)
		return status;
	for (int64_t j = 0; j < param->count && j < count; j++) {
		const double difference = fabs((double)param->value[j] - (double)want[j]);

		if (gradient && fabs((double)gradient[j]) > NOISE_GRADIENT)
			sure = fmax(sure, difference);
		else
			noisy = fmax(noisy, difference);
	}
	mark_compared(subject, name);
	golden_note(subject->report, name, sure, UPDATE_TOLERANCE);
	golden_note(subject->report, name, noisy, NOISE_TOLERANCE);
	free(want);
	return count == param->count
		       ? 0
		       : error_at(error, ERR_INVALID, subject->file.path, 0, name, "wrong shape");
}

/* Gradients of every parameter, one after the other; the caller frees. */
static float *gradients_copy(const struct policy_net *net)
{
	float *copy = calloc(gradients_elements(net->params, net->count) + 1, sizeof(float));
	float *at = copy;

	for (size_t i = 0; copy && i < net->count; i++) {
		if (!net->params[i].gradient)
			continue;
		memcpy(at, net->params[i].gradient, (size_t)net->params[i].count * sizeof(float));
		at += net->params[i].count;
	}
	return copy;
}

/* Values against `prefix`<name>; `gradients` as gradients_copy() made it. */
static int compare_updates(const struct subject *subject, const char *prefix,
			   const float *gradients, struct error *error)
{
	for (size_t i = 0; i < subject->net.count; i++) {
		const struct backbone_param *param = &subject->net.params[i];
		char name[256];
		int status = 0;

		tensor_name(param, prefix, name, sizeof(name));
		if (safetensors_find(&subject->file, name))
			status = compare_update(subject, name, param,
						param->gradient ? gradients : NULL, error);
		if (status)
			return status;
		if (param->gradient)
			gradients += param->count;
	}
	return 0;
}

static int compare_window(const struct subject *subject, const struct window *window,
			  const struct policy_tape *tape, struct error *error)
{
	const struct policy_net *net = &subject->net;
	const int64_t rows = window->batch.batch * window->batch.steps;
	const int64_t slots = net->shape.features + 2, width = net->width;
	float *seen = malloc((size_t)(rows * width) * sizeof(float) + 1);
	char name[64];
	int status;

	if (!seen)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	for (int64_t n = 0; n < rows; n++)
		memcpy(seen + n * width,
		       policy_tape_hidden(tape) + (n * slots + net->shape.features) * width,
		       (size_t)width * sizeof(float));
	snprintf(name, sizeof(name), "out.hidden_at_state%d", (int)net->shape.features);
	status = compare_tensor(subject, name, seen, rows * width, 1e-4, error);
	free(seen);
	if (!status)
		status = compare_tensor(subject, "out.stacked_inputs_ln", policy_tape_embeds(tape),
					rows * slots * width, 1e-4, error);
	if (!status)
		status = compare_tensor(subject, "out.logits", window->logits, rows * POOL_ACTIONS,
					subject->logits_tolerance, error);
	return status;
}

static const struct learner_options released_step = {
	.adamw = {.weight_decay = 1e-4, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
	.schedule = {.peak_rate = RATE},
	.accumulate = 1,
	.clip = CLIP,
	.clip_each = true,
};

static int update_check(struct subject *subject, struct learner *learner, struct window *window,
			struct error *error)
{
	struct policy_net *net = &subject->net;
	const double norm = gradients_norm(net->params, net->count);
	float *gradients;
	int status = compare_scalar(subject, "out.grad_norm", norm, 1e-4 * norm, error);

	if (!status)
		status = compare_scalar(subject, "out.clip_coef", fmin(1, CLIP / (norm + 1e-6)),
					1e-5, error);
	gradients_clip(net->params, net->count, CLIP);
	gradients = gradients_copy(net);
	if (status || !gradients) {
		free(gradients);
		return status ? status : error_set(error, ERR_NO_MEMORY, "out of memory");
	}
	learner_step(learner);
	status = compare_updates(subject, "upd.", gradients, error);
	free(gradients);
	if (!status)
		status = policy_net_forward(net, &learner->arena, &window->batch, window->logits,
					    NULL, NULL, error);
	return status ? status
		      : compare_tensor(subject, "out.logits_after_upd", window->logits,
				       window->batch.batch * window->batch.steps * POOL_ACTIONS,
				       subject->logits_tolerance, error);
}

static int window_check(struct subject *subject, struct error *error)
{
	struct policy_net *net = &subject->net;
	struct learner learner = {0};
	struct policy_tape *tape;
	struct window window;
	double loss;
	int status = window_read(subject, "in.", &window, error);

	if (!status)
		status = learner_init(&learner, &released_step, net, error);
	if (!status)
		status = policy_net_forward(net, &learner.arena, &window.batch, window.logits,
					    &tape, NULL, error);
	if (!status)
		status = compare_window(subject, &window, tape, error);
	learner.options.clip_each = false; /* look at the gradients first */
	if (!status)
		status = learner_accumulate(&learner, &window.batch, window.labels, NULL, NULL,
					    window.logits, &loss, error);
	if (!status)
		status = compare_scalar(subject, "out.loss", loss, 1e-5, error);
	if (!status)
		status = compare_gradients(subject, "grad.", true, error);
	if (!status)
		status = update_check(subject, &learner, &window, error);
	learner_free(&learner);
	window_free(&window);
	return status;
}

static int accumulate_one(struct subject *subject, struct learner *learner, int64_t index,
			  float want_loss, struct error *error)
{
	struct window window;
	char prefix[32];
	double loss;
	int status;

	snprintf(prefix, sizeof(prefix), "acc.mb%d.", (int)index);
	status = window_read(subject, prefix, &window, error);
	if (!status)
		status = learner_accumulate(learner, &window.batch, window.labels, NULL, NULL,
					    window.logits, &loss, error);
	if (!status)
		golden_note(subject->report, "acc.losses", fabs(loss - (double)want_loss), 1e-5);
	mark_compared(subject, "acc.losses");
	window_free(&window);
	return status;
}

/* The released loop; `losses` (micro), `rates` (steps). */
static int accumulate_all(struct subject *subject, struct learner *learner, const float *losses,
			  int64_t micro, const float *rates, int64_t steps, struct error *error)
{
	float *gradients = NULL;
	int status = 0;

	for (int64_t i = 0; !status && i < micro; i++) {
		const int64_t step = i / (micro / steps);

		status = accumulate_one(subject, learner, i, losses[i], error);
		if (status || (i + 1) % (micro / steps) != 0)
			continue;
		if (step == 0)
			status = compare_gradients(subject, "acc.grad_step1.", false, error);
		free(gradients);
		gradients = gradients_copy(&subject->net);
		mark_compared(subject, "acc.lrs");
		golden_note(subject->report, "acc.lrs",
			    fabs(learner_step(learner) - (double)rates[step]), 1e-10);
	}
	if (!status && gradients)
		status = compare_updates(subject, "acc.upd2.", gradients, error);
	free(gradients);
	return status;
}

static int accumulation_check(struct subject *subject, struct error *error)
{
	struct learner_options options = released_step;
	struct learner learner = {0};
	float *losses = NULL, *rates = NULL;
	int64_t micro = 0, steps = 0;
	int status;

	if (!safetensors_find(&subject->file, "acc.losses"))
		return 0;
	status = golden_floats(&subject->file, "acc.losses", &losses, &micro, error);
	if (!status)
		status = golden_floats(&subject->file, "acc.lrs", &rates, &steps, error);
	if (!status && (steps < 1 || micro % steps != 0))
		status = error_at(error, ERR_INVALID, subject->file.path, 0, "acc.lrs",
				  "micro-batches are no multiple of steps");
	if (!status) {
		options.accumulate = (uint64_t)(micro / steps);
		options.schedule.warmup_steps = 3;
		status = learner_init(&learner, &options, &subject->net, error);
	}
	if (!status)
		status = accumulate_all(subject, &learner, losses, micro, rates, steps, error);
	learner_free(&learner);
	free(losses);
	free(rates);
	return status;
}

/* Inputs and expectations of a rollout of `steps` decisions. */
struct rollout {
	float *states, *returns, *logits;
	int32_t *timesteps, *actions;
	int64_t steps;
};

static int rollout_read(const struct subject *subject, struct rollout *rollout, struct error *error)
{
	const struct safetensors *file = &subject->file;
	int64_t count;
	int status = golden_floats(file, "roll.states", &rollout->states, &count, error);

	if (!status)
		status = golden_floats(file, "roll.target_return", &rollout->returns,
				       &rollout->steps, error);
	if (!status)
		status = golden_floats(file, "roll.logits", &rollout->logits, &count, error);
	if (!status)
		status = integers(file, "roll.timesteps", &rollout->timesteps, rollout->steps,
				  error);
	if (!status)
		status = integers(file, "roll.actions", &rollout->actions, rollout->steps, error);
	return status;
}

static int rollout_run(const struct subject *subject, const struct rollout *rollout,
		       struct policy_stream *stream, struct error *error)
{
	for (int64_t i = 0; i < rollout->steps; i++) {
		float logits[POOL_ACTIONS];
		int32_t action = 0;
		const int status = policy_stream_decide(
			stream, rollout->states + i * subject->net.shape.features,
			rollout->returns[i], rollout->timesteps[i], logits, error);

		if (status)
			return status;
		for (int32_t c = 1; c < POOL_ACTIONS; c++)
			if (logits[c] > logits[action])
				action = c;
		golden_compare(subject->report, "roll.logits", logits,
			       rollout->logits + i * POOL_ACTIONS, POOL_ACTIONS,
			       subject->logits_tolerance);
		golden_note(subject->report, "roll.actions", action != rollout->actions[i], 0.5);
		mark_compared(subject, "roll.logits");
		mark_compared(subject, "roll.actions");
		policy_stream_acted(stream, action);
	}
	return 0;
}

/* The released sample() looks at the current step and as many former ones as a window has. */
static int rollout_check(struct subject *subject, struct error *error)
{
	const struct safetensors_entry *window = safetensors_find(&subject->file, "in.timesteps");
	struct rollout rollout = {0};
	struct policy_stream stream = {0};
	int status;

	if (!safetensors_find(&subject->file, "roll.states") || !window || window->dims != 2)
		return 0;
	status = rollout_read(subject, &rollout, error);
	if (!status)
		status = policy_stream_new(&stream, &subject->net, window->shape[1] + 1,
					   window->shape[1], error);
	if (!status)
		status = rollout_run(subject, &rollout, &stream, error);
	policy_stream_free(&stream);
	free(rollout.states);
	free(rollout.returns);
	free(rollout.logits);
	free(rollout.timesteps);
	free(rollout.actions);
	return status;
}

static bool is_input(const char *name)
{
	static const char *const inputs[] = {"in.", "acc.mb", "roll.states", "roll.target_return",
					     "roll.timesteps"};

	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
		if (strncmp(name, inputs[i], strlen(inputs[i])) == 0)
			return true;
	return false;
}

static int check_complete(const struct subject *subject, struct error *error)
{
	for (size_t i = 0; i < subject->file.count; i++) {
		const char *name = subject->file.entries[i].name;

		if (!subject->compared[i] && !is_input(name))
			return error_at(error, ERR_INVALID, subject->file.path, 0, name,
					"is in the file and was not compared");
	}
	return 0;
}

int golden_policy(struct golden_report *report, const char *name, struct error *error)
{
	static int (*const checks[])(struct subject *, struct error *) = {
		window_check, accumulation_check, rollout_check};
	struct subject subject = {
		.report = report, .name = name, .logits_tolerance = report->tolerance};
	char path[4096];
	int status;

	snprintf(path, sizeof(path), "%s/policy/%s/golden.safetensors", report->folder, name);
	if (!file_exists(path))
		return error_set(error, ERR_UNSUPPORTED, "no file %s", path);
	status = safetensors_open(&subject.file, path, error);
	if (status)
		return status;
	subject.compared = calloc(subject.file.count + 1, sizeof(*subject.compared));
	if (!subject.compared)
		status = error_set(error, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; !status && i < sizeof(checks) / sizeof(checks[0]); i++) {
		status = net_make(&subject, error);
		if (!status)
			status = checks[i](&subject, error);
		if (subject.net.backbone)
			policy_net_free(&subject.net);
	}
	if (!status)
		status = check_complete(&subject, error);
	free(subject.compared);
	safetensors_close(&subject.file);
	return status;
}
