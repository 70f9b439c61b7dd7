/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saving and opening policy directories.
 *
 * The adapter's file and the encoder's file belong together: one from before
 * and one from after an interrupted save would run and decide nonsense.
 * policy.json is renamed into place last and carries both checksums.
 */
#include "policy/store.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/stored.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "policy/reference.h"

#define STAGE ".saving"

static int misfit(const char *path, struct error *error)
{
	return error_at(error, ERR_INVALID, path, 0, "checksum",
			"does not belong to policy.json beside it: a save was cut short "
			"(run train --resume) or the file was exchanged");
}

static int check_backbone(struct policy_config *config, const char *path, struct error *error)
{
	uint64_t checksum;
	int status = reference_checksum(&checksum, path, !config->backbone.random, error);

	if (status)
		return status;
	if (config->backbone.checksum == 0)
		config->backbone.checksum = checksum;
	if (config->backbone.checksum != checksum)
		return error_at(error, ERR_INVALID, path, 0, "checksum",
				"this is not the backbone that the policy was trained on");
	return 0;
}

/* `own`: the policy's own weights, not those of the backbone that it is named after. */
static int open_backbone(struct backbone **backbone, const struct policy_config *config,
			 const char *path, bool own, bool frozen, struct error *error)
{
	const struct backbone_options options = {.no_positions = config->backbone.no_positions,
						 .bidirectional = config->compat,
						 .trainable = !frozen,
						 .precision = config->backbone.precision,
						 .as_stored = config->backbone.stored};
	struct rng rng;

	if (!config->backbone.random || own)
		return backbone_open(backbone, path, &options, error);
	rng_seed(&rng, config->backbone.random_seed);
	return backbone_random(backbone, path, &options, &rng, error);
}

int policy_store_new(struct policy_net *net, struct policy_config *config, const char *directory,
		     struct error *error)
{
	const struct policy_net_shape shape = policy_config_shape(config);
	char path[PATH_MAX];
	struct backbone *backbone;
	int status =
		reference_resolve(path, sizeof(path), config->backbone.reference, directory, error);

	memset(net, 0, sizeof(*net));
	if (!status)
		status = check_backbone(config, path, error);
	if (!status)
		status = open_backbone(&backbone, config, path, false, !config->backbone.full,
				       error);
	return status ? status : policy_net_new(net, &shape, backbone, error);
}

/* The network of a policy that holds its backbone itself. */
static int open_full(struct policy_net *net, const struct policy_config *config,
		     const char *directory, bool frozen, struct error *error)
{
	const struct policy_net_shape shape = policy_config_shape(config);
	char path[PATH_MAX];
	struct backbone *backbone;
	uint64_t checksum;
	int status = file_join(path, sizeof(path), directory, POLICY_BACKBONE_FOLDER, error);

	memset(net, 0, sizeof(*net));
	if (!status)
		status = reference_checksum(&checksum, path, true, error);
	if (!status && checksum != config->backbone_checksum)
		status = misfit(path, error);
	if (!status)
		status = open_backbone(&backbone, config, path, true, frozen, error);
	return status ? status : policy_net_new(net, &shape, backbone, error);
}

static int read_param(const struct backbone_param *param, const struct safetensors *file,
		      struct error *error)
{
	const struct safetensors_entry *entry = safetensors_find(file, param->name);
	int status;

	if (!entry)
		return error_at(error, ERR_INVALID, file->path, 0, param->name,
				"tensor is missing");
	if (entry->count != param->count || entry->dims != param->dims ||
	    memcmp(entry->shape, param->shape, (size_t)param->dims * sizeof(int64_t)) != 0)
		return error_at(error, ERR_INVALID, file->path, 0, param->name,
				"shape does not fit the backbone and policy.json");
	status = safetensors_to_f32(entry, param->value, error);
	for (int64_t i = 0; !status && i < param->count; i++)
		if (!isfinite(param->value[i]))
			return error_at(error, ERR_INVALID, file->path, 0, param->name,
					"holds a value that is not a number");
	return status;
}

int policy_store_read_own(struct policy_net *net, const char *path, struct error *error)
{
	struct safetensors file;
	int status = safetensors_open(&file, path, error);

	if (status)
		return status;
	for (size_t i = 0; !status && i < net->own_count; i++)
		status = read_param(&net->own[i], &file, error);
	safetensors_close(&file);
	return status;
}

static int check_file(const char *path, uint64_t expected, struct error *error)
{
	uint64_t checksum;
	int status = expected ? reference_file_checksum(&checksum, path, error) : 0;

	return status || expected == 0 || checksum == expected ? status : misfit(path, error);
}

static int read_weights(struct policy_net *net, const struct policy_config *config,
			const char *directory, struct error *error)
{
	char path[PATH_MAX];
	int status = file_join(path, sizeof(path), directory, POLICY_WEIGHTS_FILE, error);

	if (!status)
		status = check_file(path, config->weights_checksum, error);
	if (!status)
		status = policy_store_read_own(net, path, error);
	if (!status)
		status = file_join(path, sizeof(path), directory, POLICY_ADAPTER_FILE, error);
	if (status || !file_exists(path))
		return status;
	status = check_file(path, config->adapter_checksum, error);
	if (!status)
		status = backbone_lora_load(net->backbone, directory, error);
	return status ? status : policy_net_collect(net, error);
}

/* What was trained in f32 is rounded as one: the adapter goes in first. */
static int fold(struct policy_net *net, struct error *error)
{
	const int status = backbone_lora_merge(net->backbone, error);

	return status ? status : policy_net_collect(net, error);
}

int policy_store_open(struct policy_net *net, struct policy_config *config, const char *directory,
		      struct error *error)
{
	const struct policy_manner as_told = {0};

	return policy_store_open_as(net, config, directory, &as_told, error);
}

int policy_store_open_as(struct policy_net *net, struct policy_config *config,
			 const char *directory, const struct policy_manner *manner,
			 struct error *error)
{
	int status = policy_config_read(config, directory, error);
	const enum matrix_type trained = config->backbone.precision;

	if (!status)
		status = policy_config_manner(config, manner, error);
	if (!status)
		status = config->backbone.full ? open_full(net, config, directory, true, error)
					       : policy_store_new(net, config, directory, error);
	if (status)
		return status;
	status = read_weights(net, config, directory, error);
	if (!status && trained == MATRIX_F32 && config->backbone.precision != MATRIX_F32)
		status = fold(net, error);
	if (status)
		policy_net_free(net);
	return status;
}

int policy_store_open_to_train(struct policy_net *net, struct policy_config *config,
			       const char *directory, struct error *error)
{
	int status = policy_config_read(config, directory, error);

	if (!status && !config->backbone.full)
		status = error_at(error, ERR_INVALID, directory, 0, "full",
				  "the policy does not hold its backbone");
	if (!status) {
		config->backbone.precision = MATRIX_F32;
		config->backbone.stored = false;
		status = open_full(net, config, directory, false, error);
	}
	if (status)
		return status;
	status = read_weights(net, config, directory, error);
	if (status)
		policy_net_free(net);
	return status;
}

int policy_store_fold(const char *from, const char *to, struct error *error)
{
	const struct policy_manner exact = {.precision = "f32"};
	struct policy_config config;
	struct policy_net net;
	int status = policy_store_open_as(&net, &config, from, &exact, error);

	if (status)
		return status;
	status = fold(&net, error);
	config.backbone.full = true;
	if (!status)
		status = policy_store_save(&net, &config, to, error);
	policy_net_free(&net);
	return status;
}

static bool has_adapter(const struct policy_net *net)
{
	for (size_t i = 0; i < net->count; i++)
		if (net->params[i].is_adapter)
			return true;
	return false;
}

static int write_own(const struct policy_net *net, const char *path, struct error *error)
{
	struct safetensors_item *items = calloc(net->own_count, sizeof(*items));
	int status;

	if (!items)
		return error_set(error, ERR_NO_MEMORY, "list of tensors");
	for (size_t i = 0; i < net->own_count; i++) {
		items[i] = (struct safetensors_item){.name = net->own[i].name,
						     .dtype = SAFETENSORS_F32,
						     .dims = net->own[i].dims,
						     .data = net->own[i].value};
		memcpy(items[i].shape, net->own[i].shape, sizeof(net->own[i].shape));
	}
	status = safetensors_write(path, items, net->own_count, NULL, error);
	free(items);
	return status;
}

/* The backbone's own weights, when they were trained; `types` NULL: as f32. */
static int stage_backbone(const struct policy_net *net, struct policy_config *config,
			  const enum matrix_type *types, const char *stage, struct error *error)
{
	char path[PATH_MAX];
	int status;

	if (!config->backbone.full)
		return 0;
	status = file_join(path, sizeof(path), stage, POLICY_BACKBONE_FOLDER, error);
	if (!status)
		status = file_make_folders(path, error);
	if (!status)
		status = types ? backbone_save_stored(net->backbone, types, path, error)
			       : backbone_save(net->backbone, path, error);
	return status ? status : reference_checksum(&config->backbone_checksum, path, true, error);
}

static int stage_files(const struct policy_net *net, struct policy_config *config,
		       const enum matrix_type *types, const char *stage, struct error *error)
{
	char path[PATH_MAX];
	int status = file_join(path, sizeof(path), stage, POLICY_WEIGHTS_FILE, error);

	if (!status)
		status = write_own(net, path, error);
	if (!status)
		status = reference_file_checksum(&config->weights_checksum, path, error);
	config->adapter_checksum = 0;
	if (!status && has_adapter(net)) {
		status = backbone_lora_save(net->backbone, stage, error);
		if (!status)
			status = file_join(path, sizeof(path), stage, POLICY_ADAPTER_FILE, error);
		if (!status)
			status = reference_file_checksum(&config->adapter_checksum, path, error);
	}
	if (!status)
		status = stage_backbone(net, config, types, stage, error);
	return status ? status : policy_config_write(config, stage, error);
}

/* Moves a staged file into place; one that was not staged is removed there. */
static int publish(const char *stage, const char *directory, const char *name, struct error *error)
{
	char from[PATH_MAX], to[PATH_MAX];
	int status = file_join(from, sizeof(from), stage, name, error);

	if (!status)
		status = file_join(to, sizeof(to), directory, name, error);
	if (status)
		return status;
	if (!file_exists(from)) {
		unlink(to);
		return 0;
	}
	return rename(from, to) == 0 ? 0 : error_errno(error, to, "replace");
}

/* Likewise the folder of the backbone. */
static int publish_backbone(const char *stage, const char *directory, bool full,
			    struct error *error)
{
	static const char *const names[] = {"config.json", "model.safetensors"};
	char from[PATH_MAX], to[PATH_MAX];
	int status;

	if (!full)
		return 0;
	status = file_join(from, sizeof(from), stage, POLICY_BACKBONE_FOLDER, error);
	if (!status)
		status = file_join(to, sizeof(to), directory, POLICY_BACKBONE_FOLDER, error);
	if (!status)
		status = file_make_folders(to, error);
	for (size_t i = 0; !status && i < sizeof(names) / sizeof(names[0]); i++)
		status = publish(from, to, names[i], error);
	rmdir(from);
	return status;
}

static int save(const struct policy_net *net, struct policy_config *config,
		const enum matrix_type *types, const char *directory, struct error *error)
{
	static const char *const names[] = {POLICY_ADAPTER_CONFIG_FILE, POLICY_ADAPTER_FILE,
					    POLICY_WEIGHTS_FILE, POLICY_FILE};
	char stage[PATH_MAX];
	int status = file_join(stage, sizeof(stage), directory, STAGE, error);

	if (!status)
		status = file_make_folders(stage, error);
	if (!status)
		status = stage_files(net, config, types, stage, error);
	if (!status)
		status = publish_backbone(stage, directory, config->backbone.full, error);
	for (size_t i = 0; !status && i < sizeof(names) / sizeof(names[0]); i++)
		status = publish(stage, directory, names[i], error);
	rmdir(stage);
	return status;
}

int policy_store_save(const struct policy_net *net, struct policy_config *config,
		      const char *directory, struct error *error)
{
	return save(net, config, NULL, directory, error);
}

int policy_store_save_stored(const struct policy_net *net, struct policy_config *config,
			     const enum matrix_type *types, const char *directory,
			     struct error *error)
{
	if (!config->backbone.full)
		return error_set(error, ERR_INVALID,
				 "only a policy that holds its backbone stores it");
	config->backbone.stored = true;
	return save(net, config, types, directory, error);
}
