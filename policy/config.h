/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.json: everything about a policy that is not a weight.
 */
#ifndef POLICY_CONFIG_H
#define POLICY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "experience/pool.h"
#include "policy/net.h"
#include "policy/policy.h"
#include "policy/scaling.h"
#include "policy/settings.h"
#include "tensor/matrix.h"

#define POLICY_FILE "policy.json"
#define POLICY_WEIGHTS_FILE "policy.safetensors"
#define POLICY_ADAPTER_FILE "adapter_model.safetensors"
#define POLICY_ADAPTER_CONFIG_FILE "adapter_config.json"
#define POLICY_BACKBONE_FOLDER "backbone"

enum policy_timestep_rule {
	POLICY_TIMESTEP_MODULO, /* step number modulo the table's rows: bounded, never stuck */
	POLICY_TIMESTEP_CLAMP,	/* step number, at most the last row: the released code's table */
};

/* What happens when the window of a stream is full: policy/stream.h. */
enum policy_context {
	POLICY_CONTEXT_KEEP,
	POLICY_CONTEXT_EXACT,
	POLICY_CONTEXT_CACHED,
};

struct policy_feature {
	char name[POOL_NAME_BYTES];
	struct scaling scaling;
};

/* The frozen network under a policy; it is named, not copied. */
struct policy_backbone {
	char reference[4096]; /* "builtin", or a Hugging Face directory */
	uint64_t checksum;    /* backbone_checksum() when the policy was made; 0: unknown */
	bool random;	      /* random weights from `random_seed` instead of the checkpoint's */
	uint64_t random_seed;
	bool no_positions; /* see backbone_options */
	enum matrix_type precision; /* of the frozen weights that the adapter was trained over */
	bool stored; /* instead: each as its own checkpoint has it, see backbone/stored.h */
	bool full; /* its own weights were trained: the policy holds them, POLICY_BACKBONE_FOLDER */
};

struct policy_config {
	int features;
	struct policy_feature feature[POOL_MAX_FEATURES];
	enum policy_encoder encoder;
	int64_t feature_dim;
	struct policy_encoder_layout layout[POOL_MAX_FEATURES]; /* see policy_net_shape */
	bool shared_last, residual; /* see policy_net_shape */
	int64_t timesteps;
	enum policy_timestep_rule timestep_rule;
	int64_t window, keep;	    /* see policy/stream.h */
	enum policy_context context; /* likewise */
	char reward[24], state[16]; /* of the pool it was trained on */
	double gamma;
	double reward_offset, reward_factor; /* r' = (r - offset) * factor, before discounting */
	struct scaling returns;
	double target_return; /* unscaled: what the policy is asked for */
	struct policy_settings settings; /* between which it moves; no rows: it gives verdicts */
	struct policy_backbone backbone;
	bool compat; /* made with --compat; a T5 is bidirectional then, see backbone_options */
	/* Checksums of the weight files; 0: not checked.  They tie the files together. */
	uint64_t adapter_checksum, weights_checksum, backbone_checksum;
};

/* Reads and checks `directory`/policy.json.  The error names file and key. */
int policy_config_read(struct policy_config *config, const char *directory, struct error *error);

/* Applies a manner.  ERR_INVALID for a name that there is not. */
int policy_config_manner(struct policy_config *config, const struct policy_manner *manner,
			 struct error *error);

/* Writes it atomically. */
int policy_config_write(const struct policy_config *config, const char *directory,
			struct error *error);

/* The network that this configuration asks for. */
struct policy_net_shape policy_config_shape(const struct policy_config *config);

/* Row of the timestep table for step `step` >= 0. */
int32_t policy_config_timestep(const struct policy_config *config, uint64_t step);

#endif
