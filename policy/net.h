/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision network: a backbone with what turns a router's steps into its
 * input embeddings and its hidden states into verdicts.
 *
 * Each step is F + 2 tokens: return-to-go, F features, action.  A feature goes
 * through its own encoder (policy/encoder.h) and Linear(U, H); return and action
 * through a Linear(1, H); all tokens of a step add its timestep's row of a
 * learned table; LayerNorm; backbone; and Linear(H, 3) on the hidden state of
 * the last feature, the token just before the action.  With `residual` the head
 * reads the sum of that hidden state and the same token's input embedding (the
 * paper's Algorithm 2).  Actions are ordered as in a pool: enqueue, drop, mark.
 */
#ifndef POLICY_NET_H
#define POLICY_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backbone/backbone.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/rng.h"
#include "experience/pool.h"
#include "policy/encoder.h"

struct policy_net_shape {
	int64_t features;    /* F, in [1, POOL_MAX_FEATURES] */
	int64_t feature_dim; /* D */
	int64_t timesteps;   /* rows of the timestep table */
	bool shared_last;    /* the released code: feature F goes through the projection of F - 1 */
	enum policy_encoder encoder;
	uint32_t series; /* multiscale: bit i is set when feature i is a series */
	bool residual;
	struct policy_encoder_layout layout[POOL_MAX_FEATURES]; /* banks 0: as `encoder` has it */
};

struct policy_net_linear {
	struct backbone_param *weight, *bias;
};

struct policy_net {
	struct policy_net_shape shape;
	int64_t width;		       /* H, the backbone's */
	struct backbone *backbone;     /* owned */
	struct backbone_param *params; /* all with a gradient: the backbone's, then these */
	size_t count;
	struct backbone_param *own; /* encoder, embeddings, norm, head */
	size_t own_count;
	struct policy_net_linear encoder[POOL_MAX_FEATURES][POLICY_ENCODER_BANKS];
	struct policy_net_linear project[POOL_MAX_FEATURES];
	struct policy_net_linear returns, action, norm, head;
	struct backbone_param *timestep;
	struct arena memory; /* of everything above but the backbone */
};

/* Input of one pass: `batch` windows of `steps` steps.  Numbers are scaled already. */
struct policy_batch {
	int64_t batch, steps;
	const float *states;	  /* (batch, steps, F) */
	const float *returns;	  /* (batch, steps) */
	const float *actions;	  /* (batch, steps): policy_action_input() of what was done */
	const int32_t *timesteps; /* (batch, steps), rows of the table */
	const float *past; /* see encoder_gather(); NULL: the window begins at its first step */
};

/* How the network reads an action: (action + 1) / 3. */
float policy_action_input(int action);

/*
 * A network over `backbone`, which it owns from here on (also when this
 * fails).  Own parameters are zero until policy_net_init() or a load.
 */
int policy_net_new(struct policy_net *net, const struct policy_net_shape *shape,
		   struct backbone *backbone, struct error *error);
void policy_net_free(struct policy_net *net);

/* Fresh own parameters: uniform within 1 / sqrt(inputs), small timesteps, unit norm. */
void policy_net_init(struct policy_net *net, struct rng *rng);

/* Finds the backbone's trainable parameters again, after an adapter was put on it. */
int policy_net_collect(struct policy_net *net, struct error *error);

/* Encoder banks of a feature; by kind: 1, or POLICY_ENCODER_BANKS for a series. */
int policy_net_banks(const struct policy_net *net, int64_t feature);

/* Steps that one of them sees, and its channels. */
int policy_net_taps(const struct policy_net *net, int64_t feature, int bank);
int64_t policy_net_channels(const struct policy_net *net, int64_t feature, int bank);

/* U, the units that a feature's projection reads. */
int64_t policy_net_units(const struct policy_net *net, int64_t feature);

/* Own parameter by name, or NULL. */
const struct backbone_param *policy_net_param(const struct policy_net *net, const char *name);

/*
 * Logits (batch, steps, 3) of every step.  With `tape` non-NULL, what backward
 * needs stays in `arena`; `dropout_rng` as in backbone_forward().
 */
struct policy_tape;
int policy_net_forward(const struct policy_net *net, struct arena *arena,
		       const struct policy_batch *batch, float *logits, struct policy_tape **tape,
		       struct rng *dropout_rng, struct error *error);

/* Adds to the gradients of net->params. */
int policy_net_backward(struct policy_net *net, struct arena *arena, const struct policy_tape *tape,
			const float *d_logits, struct error *error);

/* Parts of the pass, for streams and for tests: */

/* Tokens after the LayerNorm: embeds (batch, steps, F + 2, H). */
int policy_net_embed(const struct policy_net *net, struct arena *arena,
		     const struct policy_batch *batch, float *embeds, struct error *error);

/* One action token after the LayerNorm: embed (H). */
void policy_net_embed_action(const struct policy_net *net, float action, int32_t timestep,
			     float *embed);

/* logits (3) of one hidden state (H) and the input embedding (H) of the same token. */
void policy_net_decide(const struct policy_net *net, const float *hidden, const float *embed,
		       float *logits);

/* What the head saw and what the backbone was fed, of the pass recorded in `tape`. */
const float *policy_tape_hidden(const struct policy_tape *tape); /* (batch, steps, F + 2, H) */
const float *policy_tape_embeds(const struct policy_tape *tape); /* (batch, steps, F + 2, H) */

#endif
