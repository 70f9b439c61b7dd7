/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy directories: policy.json, the adapter in PEFT layout, and
 * policy.safetensors (encoder, embeddings, norm, head); and, where the
 * backbone's own weights were trained, backbone/ in Hugging Face's layout.
 */
#ifndef POLICY_STORE_H
#define POLICY_STORE_H

#include "base/error.h"
#include "policy/config.h"
#include "policy/net.h"
#include "policy/policy.h"

/*
 * Finds, checks and opens the backbone that `config` names and puts a network
 * of its shape on it: no adapter yet, own parameters zero.  A reference is
 * resolved relative to `directory` (may be NULL).  A checksum of 0 in the
 * configuration is filled in; another one must match.  With backbone.full its
 * own weights have gradients.
 */
int policy_store_new(struct policy_net *net, struct policy_config *config, const char *directory,
		     struct error *error);

/* Opens a policy directory: configuration and network with all weights, the backbone's frozen. */
int policy_store_open(struct policy_net *net, struct policy_config *config, const char *directory,
		      struct error *error);

/* The same in another manner, which goes into `config`. */
int policy_store_open_as(struct policy_net *net, struct policy_config *config,
			 const char *directory, const struct policy_manner *manner,
			 struct error *error);

/*
 * Opens a policy that holds its backbone itself (config.backbone.full) with
 * gradients for all weights.  ERR_INVALID for any other: see policy_store_fold().
 */
int policy_store_open_to_train(struct policy_net *net, struct policy_config *config,
			       const char *directory, struct error *error);

/*
 * policy_store_save() with the backbone's i-th projection, as backbone_matrices()
 * counts them, stored as types[i] (backbone/stored.h), which is how the policy
 * is run from then on.  For one that holds its backbone itself, with plain weights.
 */
int policy_store_save_stored(const struct policy_net *net, struct policy_config *config,
			     const enum matrix_type *types, const char *directory,
			     struct error *error);

/*
 * Writes the policy `from` to the folder `to` as one that holds its backbone
 * itself, the adapter folded in: the same function.
 */
int policy_store_fold(const char *from, const char *to, struct error *error);

/*
 * Saves a policy directory, creating it.  Files are written aside and renamed
 * one by one, policy.json last with the checksums of the others, so that a
 * directory caught between two renames is recognised and never run.
 */
int policy_store_save(const struct policy_net *net, struct policy_config *config,
		      const char *directory, struct error *error);

/* Reads own parameters from a safetensors file (authors' names). */
int policy_store_read_own(struct policy_net *net, const char *path, struct error *error);

#endif
