/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder on a CUDA device: what its files share.
 *
 * The host keeps the truth.  Weights are copied to the device before the first
 * call and again after an adapter was folded in; adapters before every forward;
 * of a call only embeddings, hidden states and adapter gradients cross.  Inputs
 * of matrix products are in the type of the weights, all else is f32.
 */
#ifndef BACKBONE_CUDA_DECODER_H
#define BACKBONE_CUDA_DECODER_H

#include "backbone/decoder.h"
#include "tensor/cuda/ops.h"

/* Projections whose weights lie one after another on the device: one product does them all. */
enum cuda_group {
	GROUP_QKV,
	GROUP_OUT,
	GROUP_UP, /* gate | up */
	GROUP_DOWN,
	GROUP_COUNT,
};

/* Roles [first, last] of a group. */
struct cuda_group_roles {
	enum projection_role first, last;
};

extern const struct cuda_group_roles cuda_group_roles[GROUP_COUNT];

struct cuda_matrix {
	void *weight; /* (out, in), however it lies on the host */
	float *bias;  /* (out); NULL: none */
	int64_t in, out;
};

struct cuda_norm {
	float *weight, *bias; /* bias NULL: RMSNorm */
};

/* Adapter of a projection; NULL: none. */
struct cuda_adapter {
	const void *a, *b; /* in the type of the weights */
	float *d_a, *d_b;
};

struct cuda_layer {
	struct cuda_matrix groups[GROUP_COUNT];
	struct cuda_norm attention_norm, ffn_norm;
	struct cuda_adapter adapters[ROLE_COUNT];
};

/* Device counterpart of struct layer_arrays. */
struct cuda_arrays {
	float *in, *mid, *out, *stats1, *stats2, *qkv, *up, *weights;
	void *norm1, *norm2, *mix, *act; /* inputs of products */
	void *low[ROLE_COUNT];           /* (rows, rank): adapter's input times A^T */
	uint64_t seed[ROLE_COUNT];       /* of the dropout mask */
};

struct cuda_decoder {
	struct backbone_device device; /* first */
	struct cuda *cuda;
	enum cuda_type type; /* of the weights */
	bool weights_ready, adapter_ready;
	uint64_t version;    /* counts what caches may have recorded and no longer holds */
	struct cuda_arena weights, adapter, scratch;
	struct cuda_layer *layers;
	struct cuda_norm final_norm;
	float *positions, *rope_table; /* positions: from the row of position 0 on; NULL: none */

	/* All adapters side by side; offsets[i] is where params[i] begins. */
	int64_t adapter_floats, *offsets;
	float *adapter_values, *adapter_gradients, *adapter_staging;
	void *adapter_operands; /* values in the type of the weights */

	/* The one tape that is alive. */
	uint64_t tape_serial;
	struct cuda_arrays *tape;
	float *tape_final_in, *tape_final_stats;
	bool tape_dropped;
};

struct cuda_tape {
	struct backbone_tape call; /* first */
	uint64_t serial;
};

/* One call on the device; `arrays` are those that layers share. */
struct cuda_call {
	struct cuda_decoder *decoder;
	const struct backbone *backbone;
	struct cuda_arena *arena;
	int64_t batch, tokens, rows;
	struct rng *dropout_rng;
	float *mix, *hidden;     /* f32: attention's output; (rows, H) */
	void *attention_scratch; /* NULL behind a cache */
	void *low;               /* shared (rows, rank) */
	struct cuda_cache_step step; /* behind a cache; step.first NULL: none */
};

/* Copies what the host changed since the last call. */
int cuda_decoder_refresh(struct cuda_decoder *decoder, const struct backbone *backbone,
			 struct error *error);

/* Adds the device's adapter gradients to the host's. */
int cuda_decoder_gradients(struct cuda_decoder *decoder, struct backbone *backbone,
			   struct error *error);

/* (rows, width) numbers of f32, or of the weights' type; NULL after a fault. */
float *cuda_call_floats(const struct cuda_call *call, int64_t width);
void *cuda_call_operand(const struct cuda_call *call, int64_t width);

struct attention_shape cuda_call_attention_shape(const struct cuda_call *call);

enum cuda_activation cuda_decoder_activation(const struct backbone *backbone);

float cuda_adapter_scale(const struct backbone *backbone);

/* See struct backbone_device. */
int cuda_decoder_forward(struct backbone_call *call, const float *embeds, float *hidden,
			 struct backbone_tape **tape, struct error *error);
int cuda_decoder_backward(struct backbone_call *call, const struct backbone_tape *tape,
			  const float *d_hidden, float *d_embeds, struct error *error);
int cuda_cache_make(const struct backbone *backbone, struct backbone_cache *cache,
		    struct error *error);
void cuda_cache_drop(struct backbone_cache *cache);
int cuda_cache_extend(struct backbone_call *call, const float *embeds, float *hidden,
		      struct error *error);

#endif
