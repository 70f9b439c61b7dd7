/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smaller policy: the backbone without its silent units, and an encoder
 * whose banks have the channels that are left.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/prune.h"
#include "base/file.h"
#include "learn/prune.h"
#include "policy/store.h"

/* The part of a feature's channels, or NULL. */
static const struct prune_part *encoder_part(const struct prune *prune, int64_t feature)
{
	for (size_t i = 0; i < prune->count; i++)
		if (prune->part[i].kind == PRUNE_encoder && prune->part[i].index == feature)
			return &prune->part[i];
	return NULL;
}

/* Channels of a bank, numbered from `first` among the feature's, that stay. */
static int64_t channels_kept(const struct prune_part *part, int64_t first, int64_t channels)
{
	int64_t count = 0;

	for (int64_t c = 0; c < channels; c++)
		count += part->keep[first + c];
	return count;
}

/* Banks without channels go. */
static void layout_fill(struct policy_config *config, const struct prune *prune)
{
	const struct policy_net *net = prune->net;

	for (int64_t i = 0; i < net->shape.features; i++) {
		const struct prune_part *part = encoder_part(prune, i);
		struct policy_encoder_layout layout = {0};
		int64_t first = 0;

		for (int b = 0; part && b < policy_net_banks(net, i); b++) {
			const int64_t channels = policy_net_channels(net, i, b);
			const int64_t kept = channels_kept(part, first, channels);

			first += channels;
			if (!kept)
				continue;
			layout.bank[layout.banks].taps = policy_net_taps(net, i, b);
			layout.bank[layout.banks++].channels = kept;
		}
		config->layout[i] = layout;
	}
}

/* Weight (channels, taps) and bias of the banks, and the columns of the projection. */
static void feature_copy(const struct prune *prune, struct policy_net *to, int64_t feature)
{
	const struct policy_net *from = prune->net;
	const struct prune_part *part = encoder_part(prune, feature);
	const int64_t old_units = policy_net_units(from, feature);
	const int64_t new_units = policy_net_units(to, feature);
	int64_t unit = 0, column = 0;
	int at = 0;

	for (int b = 0; b < policy_net_banks(from, feature); b++) {
		const struct policy_net_linear *old = &from->encoder[feature][b];
		const struct policy_net_linear *new = &to->encoder[feature][at];
		const int64_t channels = policy_net_channels(from, feature, b);
		const size_t taps = (size_t)policy_net_taps(from, feature, b);
		int64_t row = 0;

		for (int64_t c = 0; c < channels; c++, unit++) {
			if (!part->keep[unit])
				continue;
			memcpy(new->weight->value + (size_t)row * taps,
			       old->weight->value + (size_t)c * taps, taps * sizeof(float));
			new->bias->value[row++] = old->bias->value[c];
			for (int64_t h = 0; h < from->width; h++)
				to->project[feature].weight->value[h * new_units + column] =
					from->project[feature].weight->value[h * old_units + unit];
			column++;
		}
		at += row > 0;
	}
}

static void own_copy(const struct prune *prune, struct policy_net *to)
{
	const struct policy_net *from = prune->net;

	for (int64_t i = 0; i < from->shape.features; i++)
		if (encoder_part(prune, i))
			feature_copy(prune, to, i);
	for (size_t i = 0; i < to->own_count; i++) {
		const struct backbone_param *old = policy_net_param(from, to->own[i].name);

		if (old && old->count == to->own[i].count &&
		    !(encoder_part(prune, 0) && strstr(old->name, "state_encoder")))
			memcpy(to->own[i].value, old->value,
			       (size_t)old->count * sizeof(float));
	}
}

static int backbone_write(const struct prune *prune, const char *path, struct error *error)
{
	const bool **keep = calloc(prune->count, sizeof(*keep));
	int status;

	if (!keep)
		return error_set(error, ERR_NO_MEMORY, "what is kept");
	for (size_t i = 0; i < prune->count; i++) /* the backbone's come first, in its order */
		keep[i] = prune->part[i].keep;
	status = backbone_prune(prune->net->backbone, keep, path, error);
	free(keep);
	return status;
}

int prune_save(const struct prune *prune, const struct policy_config *config,
	       const char *directory, struct error *error)
{
	struct policy_config smaller = *config;
	const struct backbone_options options = {.no_positions = config->backbone.no_positions};
	struct policy_net_shape shape;
	struct backbone *backbone;
	struct policy_net net;
	char path[PATH_MAX];
	int status = file_join(path, sizeof(path), directory, POLICY_BACKBONE_FOLDER, error);

	if (!status)
		status = file_make_folders(path, error);
	if (!status)
		status = backbone_write(prune, path, error);
	if (!status)
		status = backbone_open(&backbone, path, &options, error);
	if (status)
		return status;
	layout_fill(&smaller, prune);
	smaller.backbone.full = true;
	shape = policy_config_shape(&smaller);
	status = policy_net_new(&net, &shape, backbone, error);
	if (status)
		return status;
	own_copy(prune, &net);
	status = policy_store_save(&net, &smaller, directory, error);
	policy_net_free(&net);
	return status;
}
