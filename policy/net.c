/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parameters of the decision network: one allocation of values and one of
 * gradients, named as the released code names them, so that its state files
 * and the golden vectors fit without a table of translations.
 *
 * With `shared_last` the last projection exists and is saved, but nothing
 * reads it: it has no gradient and no optimizer step, as in the released code.
 */
#include "policy/net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 64
#define TIMESTEP_DEVIATION 0.02

float policy_action_input(int action)
{
	return (float)(action + 1) / (float)POOL_ACTIONS;
}

/* Appends a parameter of (rows, columns), or (rows) when columns is 0. */
static struct backbone_param *add_param(struct policy_net *net, int64_t rows, int64_t columns,
					const char *name)
{
	struct backbone_param *param = &net->own[net->own_count++];

	param->name = arena_strdup(&net->memory, name);
	param->dims = columns ? 2 : 1;
	param->shape[0] = rows;
	param->shape[1] = columns;
	param->count = rows * (columns ? columns : 1);
	return param;
}

static struct policy_net_linear add_linear(struct policy_net *net, int64_t out, int64_t in,
					   const char *base)
{
	char name[NAME_BYTES];
	struct policy_net_linear linear;

	snprintf(name, sizeof(name), "%s.weight", base);
	linear.weight = add_param(net, out, in, name);
	snprintf(name, sizeof(name), "%s.bias", base);
	linear.bias = add_param(net, out, 0, name);
	return linear;
}

int policy_net_banks(const struct policy_net *net, int64_t feature)
{
	const struct policy_encoder_layout *layout = &net->shape.layout[feature];
	const bool series = net->shape.encoder == POLICY_ENCODER_multiscale &&
			    (net->shape.series >> feature & 1) != 0;

	if (layout->banks)
		return layout->banks;
	return series ? POLICY_ENCODER_BANKS : 1;
}

int policy_net_taps(const struct policy_net *net, int64_t feature, int bank)
{
	const struct policy_encoder_layout *layout = &net->shape.layout[feature];

	return layout->banks ? layout->bank[bank].taps
			     : policy_encoder_taps(policy_net_banks(net, feature), bank);
}

int64_t policy_net_channels(const struct policy_net *net, int64_t feature, int bank)
{
	const struct policy_encoder_layout *layout = &net->shape.layout[feature];

	return layout->banks ? layout->bank[bank].channels : net->shape.feature_dim;
}

int64_t policy_net_units(const struct policy_net *net, int64_t feature)
{
	int64_t units = 0;

	for (int b = 0; b < policy_net_banks(net, feature); b++)
		units += policy_net_channels(net, feature, b);
	return units;
}

/* A convolution over one channel is stored as the matrix it is: (channels, taps). */
static void lay_out_encoder(struct policy_net *net, int feature)
{
	const int banks = policy_net_banks(net, feature);
	char base[NAME_BYTES - 8];

	for (int b = 0; b < banks; b++) {
		const int taps = policy_net_taps(net, feature, b);

		if (taps == 1)
			snprintf(base, sizeof(base), "state_encoder.fc%d.0", feature + 1);
		else
			snprintf(base, sizeof(base), "state_encoder.conv%d.kernel%d", feature + 1,
				 taps);
		net->encoder[feature][b] =
			add_linear(net, policy_net_channels(net, feature, b), taps, base);
	}
}

static void lay_out(struct policy_net *net)
{
	const int64_t width = net->width;
	const int features = (int)net->shape.features;
	char base[NAME_BYTES - 8];

	for (int i = 0; i < features; i++)
		lay_out_encoder(net, i);
	net->timestep = add_param(net, net->shape.timesteps, width, "embed_timestep.weight");
	net->returns = add_linear(net, width, 1, "embed_return");
	net->action = add_linear(net, width, 1, "embed_action");
	for (int i = 0; i < features; i++) {
		snprintf(base, sizeof(base), "embed_state%d", i + 1);
		net->project[i] = add_linear(net, width, policy_net_units(net, i), base);
	}
	net->norm = add_linear(net, width, 0, "embed_ln");
	net->head = add_linear(net, POOL_ACTIONS, width, "action_head");
}

static bool is_unused(const struct policy_net *net, const struct backbone_param *param)
{
	const struct policy_net_linear *last = &net->project[net->shape.features - 1];

	return net->shape.shared_last && (param == last->weight || param == last->bias);
}

static int allocate_values(struct policy_net *net, struct error *error)
{
	size_t total = 0;

	for (size_t i = 0; i < net->own_count; i++)
		total += (size_t)net->own[i].count;

	float *values = arena_calloc(&net->memory, total, sizeof(float));
	float *gradients = arena_calloc(&net->memory, total, sizeof(float));

	if (!values || !gradients)
		return error_set(error, ERR_NO_MEMORY, "%zu parameters of encoder and head", total);
	for (size_t i = 0; i < net->own_count; i++) {
		struct backbone_param *param = &net->own[i];

		param->value = values;
		param->gradient = is_unused(net, param) ? NULL : gradients;
		values += param->count;
		gradients += param->count;
		if (!param->name)
			return error_set(error, ERR_NO_MEMORY, "names of parameters");
	}
	return 0;
}

static int check_shape(const struct policy_net_shape *shape, struct error *error)
{
	if (shape->features < 1 || shape->features > POOL_MAX_FEATURES)
		return error_set(error, ERR_RANGE, "%lld features; a policy takes 1 to %d",
				 (long long)shape->features, POOL_MAX_FEATURES);
	if (shape->feature_dim < 1 || shape->feature_dim > 65536 || shape->timesteps < 1 ||
	    shape->timesteps > (1 << 24))
		return error_set(error, ERR_RANGE, "feature_dim or timesteps of the policy");
	for (int64_t i = 0; i < shape->features; i++)
		if (shape->layout[i].banks && shape->encoder != POLICY_ENCODER_multiscale)
			return error_set(error, ERR_INVALID,
					 "a layout of its own needs the multiscale encoder");
	if (shape->shared_last && shape->features < 2)
		return error_set(error, ERR_RANGE, "a shared projection needs two features");
	if (shape->shared_last && shape->encoder != POLICY_ENCODER_linear)
		return error_set(error, ERR_INVALID,
				 "a shared projection needs the linear encoder: --encoder linear");
	return 0;
}

int policy_net_collect(struct policy_net *net, struct error *error)
{
	const struct backbone_param *theirs;
	const size_t count = backbone_params(net->backbone, &theirs);

	net->count = 0;
	net->params = arena_calloc(&net->memory, count + net->own_count, sizeof(*net->params));
	if (!net->params)
		return error_set(error, ERR_NO_MEMORY, "list of parameters");
	for (size_t i = 0; i < count; i++)
		net->params[net->count++] = theirs[i];
	for (size_t i = 0; i < net->own_count; i++)
		net->params[net->count++] = net->own[i];
	return 0;
}

int policy_net_new(struct policy_net *net, const struct policy_net_shape *shape,
		   struct backbone *backbone, struct error *error)
{
	int status;

	memset(net, 0, sizeof(*net));
	arena_init(&net->memory);
	net->backbone = backbone;
	net->shape = *shape;
	net->width = backbone_shape(backbone)->width;
	status = check_shape(shape, error);
	if (status)
		goto err_net;
	net->own =
		arena_calloc(&net->memory, (size_t)(8 * shape->features + 16), sizeof(*net->own));
	status = net->own ? 0 : error_set(error, ERR_NO_MEMORY, "list of parameters");
	if (status)
		goto err_net;
	lay_out(net);
	status = allocate_values(net, error);
	if (!status)
		status = policy_net_collect(net, error);
	if (!status)
		return 0;
err_net:
	policy_net_free(net);
	return status;
}

void policy_net_free(struct policy_net *net)
{
	if (net->backbone)
		backbone_close(net->backbone);
	arena_free(&net->memory);
	memset(net, 0, sizeof(*net));
}

static void init_uniform(const struct policy_net_linear *linear, int64_t inputs, struct rng *rng)
{
	const double bound = 1.0 / sqrt((double)inputs);

	for (int64_t i = 0; i < linear->weight->count; i++)
		linear->weight->value[i] = (float)(bound * (2 * rng_uniform(rng) - 1));
	for (int64_t i = 0; i < linear->bias->count; i++)
		linear->bias->value[i] = (float)(bound * (2 * rng_uniform(rng) - 1));
}

void policy_net_init(struct policy_net *net, struct rng *rng)
{
	for (int64_t i = 0; i < net->shape.features; i++) {
		const int banks = policy_net_banks(net, i);

		for (int b = 0; b < banks; b++)
			init_uniform(&net->encoder[i][b], policy_net_taps(net, i, b), rng);
		init_uniform(&net->project[i], policy_net_units(net, i), rng);
	}
	init_uniform(&net->returns, 1, rng);
	init_uniform(&net->action, 1, rng);
	init_uniform(&net->head, net->width, rng);
	for (int64_t i = 0; i < net->timestep->count; i++)
		net->timestep->value[i] = (float)(TIMESTEP_DEVIATION * rng_normal(rng));
	for (int64_t i = 0; i < net->width; i++) {
		net->norm.weight->value[i] = 1;
		net->norm.bias->value[i] = 0;
	}
}

const struct backbone_param *policy_net_param(const struct policy_net *net, const char *name)
{
	for (size_t i = 0; i < net->own_count; i++)
		if (strcmp(net->own[i].name, name) == 0)
			return &net->own[i];
	return NULL;
}
