/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An adapted backbone at a router.
 *
 * Each packet put to the policy becomes a step: the record's features in the
 * order of the training pool, scaled as then, under the target return.  The
 * return token stays at the target at every step (a router does not know what
 * is still to come, and training shows the target as often as true returns).
 * What was done comes back through acted() and becomes the step's action
 * token.  The adapter is folded into the weights on opening.  Cost is the wall
 * time of decide(), by the monotonic clock.
 */
#include "policy/llm_policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "experience/record_fields.h"
#include "policy/store.h"
#include "policy/stream.h"
#include "tensor/threads.h"

/*
 * Parameters below which a decision runs on one thread: a window's worth of
 * such a network is over in milliseconds, and a second thread that has to be
 * woken, or shares its core, costs more than it brings.
 */
#define ONE_THREAD_BELOW 20000000

struct llm_policy {
	struct policy base;
	struct policy_config config;
	struct policy_net net;
	struct policy_stream stream;
	int field[POOL_MAX_FEATURES]; /* of each feature, in struct aqm_record */
	float state[POOL_MAX_FEATURES];
	float target;
	uint64_t steps;
	struct policy_cost cost;
};

static int find_features(struct llm_policy *self, struct error *error)
{
	for (int i = 0; i < self->config.features; i++) {
		self->field[i] = record_field(self->config.feature[i].name);
		if (self->field[i] < 0)
			return error_at(error, ERR_INVALID, POLICY_FILE, 0,
					self->config.feature[i].name,
					"feature is not a field of a router's record, so this "
					"policy can only predict pools");
	}
	return 0;
}

static int observe(struct policy *policy, const struct aqm_record *record, struct error *error)
{
	struct llm_policy *self = (struct llm_policy *)policy;

	(void)error;
	for (int i = 0; i < self->config.features; i++) {
		const double raw = (double)record_value(record, self->field[i]);

		self->state[i] = (float)scaling_apply(&self->config.feature[i].scaling, raw);
	}
	return 0;
}

/* Probabilities in the order of enum aqm_verdict from logits in the order of a pool. */
static int verdicts_from_logits(const float *logits, double *probability, struct error *error)
{
	const double top = fmax(logits[0], fmax(logits[1], logits[2]));
	const double pass = exp((double)logits[POOL_ENQUEUE] - top);
	const double drop = exp((double)logits[POOL_DROP] - top);
	const double mark = exp((double)logits[POOL_MARK] - top);
	const double sum = pass + drop + mark;

	if (!isfinite(sum))
		return error_set(error, ERR_FAILED, "the policy's logits are not numbers");
	probability[AQM_PASS] = pass / sum;
	probability[AQM_DROP] = drop / sum;
	probability[AQM_MARK] = mark / sum;
	return 0;
}

static int decide(struct policy *policy, uint64_t now_ns, double probability[3],
		  struct error *error)
{
	struct llm_policy *self = (struct llm_policy *)policy;
	const int32_t timestep = policy_config_timestep(&self->config, self->steps);
	const uint64_t start_ns = clock_ns();
	const int threads = tensor_threads_get();
	float logits[POOL_ACTIONS];
	int status;

	(void)now_ns;
	if (self->cost.parameters < ONE_THREAD_BELOW)
		tensor_threads_set(1);
	status = policy_stream_decide(&self->stream, self->state, self->target, timestep, logits,
				      error);
	tensor_threads_set(threads);
	if (!status)
		status = verdicts_from_logits(logits, probability, error);
	self->cost.wall_ns += clock_ns() - start_ns;
	self->cost.decisions++;
	return status;
}

static void acted(struct policy *policy, enum aqm_verdict verdict)
{
	struct llm_policy *self = (struct llm_policy *)policy;
	static const int action[] = {
		[AQM_PASS] = POOL_ENQUEUE, [AQM_MARK] = POOL_MARK, [AQM_DROP] = POOL_DROP};

	policy_stream_acted(&self->stream, action[verdict]);
	self->steps++;
}

static void reset(struct policy *policy)
{
	struct llm_policy *self = (struct llm_policy *)policy;

	policy_stream_reset(&self->stream);
	self->steps = 0;
}

static void cost(const struct policy *policy, struct policy_cost *out)
{
	*out = ((const struct llm_policy *)policy)->cost;
}

static const struct policy_settings *settings(const struct policy *policy)
{
	const struct llm_policy *self = (const struct llm_policy *)policy;

	return self->config.settings.rows ? &self->config.settings : NULL;
}

static void destroy(struct policy *policy)
{
	struct llm_policy *self = (struct llm_policy *)policy;

	policy_stream_free(&self->stream);
	policy_net_free(&self->net);
	free(self);
}

static const struct policy_ops llm_policy_ops = {
	.name = "llm",
	.observe = observe,
	.decide = decide,
	.acted = acted,
	.reset = reset,
	.cost = cost,
	.settings = settings,
	.destroy = destroy,
};

static void count_parameters(struct llm_policy *self)
{
	const struct backbone_shape *shape = backbone_shape(self->net.backbone);
	int64_t trainable = 0;

	for (size_t i = 0; i < self->net.count; i++)
		trainable += self->net.params[i].count;
	self->cost.parameters = (uint64_t)(shape->parameters + trainable);
	if (self->config.backbone.full)
		trainable += shape->parameters;
	self->cost.trainable = (uint64_t)trainable;
}

/* The backbone, encoder and head with their gradients, the window's cache and embeddings. */
static void count_memory(struct llm_policy *self)
{
	const int64_t tokens = self->config.window * (self->config.features + 2);
	const int64_t embeds = 2 * tokens * self->net.width;
	int64_t own = 0;

	for (size_t i = 0; i < self->net.own_count; i++)
		own += 2 * self->net.own[i].count;
	self->cost.memory_bytes = backbone_memory_bytes(self->net.backbone) +
				  backbone_cache_bytes(self->net.backbone, tokens) +
				  (uint64_t)(own + embeds) * sizeof(float);
}

/*
 * Folds the adapter into the weights, which then settle: the same function,
 * cheaper.  Over rounded weights it stays.
 */
static int fold_adapter(struct llm_policy *self, struct error *error)
{
	int status;

	if (self->config.backbone.precision != MATRIX_F32)
		return 0;
	status = backbone_lora_merge(self->net.backbone, error);
	if (!status)
		status = backbone_settle(self->net.backbone, error);
	return status ? status : policy_net_collect(&self->net, error);
}

/* What a full window keeps, in the words of policy/stream.h. */
static int64_t kept_steps(const struct policy_config *config)
{
	if (config->context == POLICY_CONTEXT_CACHED)
		return POLICY_STREAM_CACHED;
	return config->context == POLICY_CONTEXT_EXACT ? config->window - 1 : config->keep;
}

int llm_policy_new(struct policy **policy, const struct policy_config *config,
		   struct policy_net *net, struct error *error)
{
	struct llm_policy *self = calloc(1, sizeof(*self));
	int status;

	if (!self) {
		policy_net_free(net);
		return error_set(error, ERR_NO_MEMORY, "a policy");
	}
	self->base.ops = &llm_policy_ops;
	self->config = *config;
	self->net = *net;
	self->target = (float)scaling_apply(&config->returns, config->target_return);
	count_parameters(self);
	status = find_features(self, error);
	if (!status)
		status = fold_adapter(self, error);
	if (!status)
		status = policy_stream_new(&self->stream, &self->net, config->window,
					   kept_steps(config), error);
	if (status) {
		policy_net_free(&self->net);
		free(self);
		return status;
	}
	count_memory(self);
	*policy = &self->base;
	return 0;
}

int llm_policy_open(struct policy **policy, const char *directory,
		    const struct policy_manner *manner, struct error *error)
{
	struct policy_config config;
	struct policy_net net;
	int status = policy_store_open_as(&net, &config, directory, manner, error);

	return status ? status : llm_policy_new(policy, &config, &net, error);
}
