/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder (gpt2, opt, llama): what its forward and backward half share.
 */
#ifndef BACKBONE_DECODER_H
#define BACKBONE_DECODER_H

#include "backbone/pass.h"

/*
 * Arrays of one layer.  rows = batch x tokens, H the inner width.  With a tape, those that
 * backward needs belong to the layer; the others are scratch that all layers
 * share.
 */
struct layer_arrays {
	const float *in;  /* (rows, H) residual stream before the layer */
	float *mid;       /* (rows, H) the sum after attention */
	float *out;       /* (rows, H) the sum after feed-forward */
	float *stats1, *stats2; /* (rows, 2) of the two norms */
	float *norm1, *norm2;   /* (rows, H); norm_after: of mid and out, norm2 is the result */
	float *qkv;       /* (rows, q | k | v) */
	float *weights;   /* attention's softmax; NULL without a tape */
	float *mix;       /* (rows, heads x head_width) */
	float *up;        /* (rows, F), or (rows, 2F): gate | up */
	float *act;       /* (rows, F) */
	struct projection_tape projections[ROLE_COUNT];
	struct rng dropout_rng; /* checkpointed: as it was before the layer */
};

/*
 * With checkpoints (backbone_checkpoint_activations()) a layer's row holds
 * `in` and `dropout_rng` alone, and backward makes the rest again.  All inputs
 * lie in one array, the last one being the final norm's.
 */
struct decoder_tape {
	struct backbone_tape call; /* first: backbone_tape points here */
	bool checkpoints, dropout;
	struct layer_arrays *layers; /* run_layers of them */
	const float *final_in;       /* (rows, H) */
	float *final_stats;          /* (rows, 2) */
	struct projection_tape project_in, project_out;
};

/* Widths of the arrays above in a layer; decoder.widest: of those that layers share. */
int64_t decoder_q_width(const struct backbone *backbone, const struct backbone_layer *layer);
int64_t decoder_kv_width(const struct backbone *backbone, const struct backbone_layer *layer);
int64_t decoder_up_width(const struct backbone *backbone, const struct backbone_layer *layer);

struct norm_shape decoder_norm_shape(const struct backbone_call *call);

/* Attention inside the qkv array of a call without a cache. */
struct attention_shape decoder_attention_shape(const struct backbone_call *call,
					       const struct backbone_layer *layer);

/* Rotation of the queries (layer->heads) or keys (layer->kv_heads) in the qkv array. */
struct rope_shape decoder_rope_shape(const struct backbone_call *call,
				     const struct backbone_layer *layer, int64_t heads);

/*
 * Runs layer `index` from tape->layers[index].in once more and gives what its
 * backward reads; its arrays lie in call->arena.  ERR_NO_MEMORY.
 */
int decoder_layer_again(const struct backbone_call *call, const struct decoder_tape *tape,
			int64_t index, struct layer_arrays *arrays);

/* What the first layer reads: embeds, mapped and with positions. */
int decoder_input(const struct backbone_call *call, float *x, const float *embeds);

/* Layer `index` alone: out (rows, H) of in (rows, H).  ERR_NO_MEMORY. */
int decoder_layer_map(struct backbone_call *call, int64_t index, const float *in, float *out);

/* d_in = J^T d_out of that map at `in`; adds to gradients of parameters.  ERR_NO_MEMORY. */
int decoder_layer_pull(struct backbone_call *call, int64_t index, const float *in,
		       const float *d_out, float *d_in);

/* See struct backbone_pass. */
int decoder_backward(struct backbone_call *call, const struct backbone_tape *tape,
		     const float *d_hidden, float *d_embeds);

#endif
