/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * T5: two stacks of layers, of which the second also attends to the result of
 * the first.  What its files share.
 */
#ifndef BACKBONE_T5_H
#define BACKBONE_T5_H

#include "backbone/pass.h"
#include "tensor/attention.h"

struct t5_attention {
	struct backbone_norm norm;
	struct backbone_projection q, k, v, out;
};

struct t5_block {
	struct t5_attention self;
	struct t5_attention cross; /* decoder only; elsewhere its q.weight is NULL */
	struct backbone_norm ffn_norm;
	struct backbone_projection gate, up, down; /* gate.weight NULL: not gated */
};

struct t5_stack {
	struct t5_block *blocks;
	int64_t layers, run_layers;
	struct backbone_weight *distance_bias; /* (buckets, heads), of all its self-attention */
	struct backbone_norm final_norm;
	bool bidirectional; /* every token sees all */
	bool two_sided;     /* half of the buckets are for keys behind the query */
	int64_t first_plane; /* of the cache: keys and values of its first self-attention */
};

struct t5 {
	struct t5_stack encoder, decoder;
	int64_t head_width, buckets, max_distance;
	double norm_epsilon;
	enum backbone_activation activation;
};

/* Arrays of one attention; H is the model's width, N = heads x head_width. */
struct t5_attention_arrays {
	const float *in; /* (rows, H) residual stream before */
	float *out;      /* (rows, H) and after */
	float *stats;    /* (rows, 2) of the norm */
	float *norm;     /* (rows, H) */
	float *q;        /* (rows, N) */
	float *kv;       /* (rows, k | v) */
	float *weights;  /* the softmax; NULL without a tape */
	float *mix;      /* (rows, N) */
	struct projection_tape q_tape, k_tape, v_tape, out_tape;
};

/* Arrays of one feed-forward. */
struct t5_ffn_arrays {
	const float *in; /* (rows, H) */
	float *out;      /* (rows, H) */
	float *stats;    /* (rows, 2) */
	float *norm;     /* (rows, H) */
	float *up;       /* (rows, F), or (rows, 2F): gate | up */
	float *act;      /* (rows, F) */
	struct projection_tape gate_tape, up_tape, down_tape;
};

struct t5_block_tape {
	struct t5_attention_arrays self, cross;
	struct t5_ffn_arrays ffn;
};

struct t5_stack_tape {
	struct t5_block_tape *blocks; /* run_layers of them */
	const float *final_in;        /* (rows, H) */
	float *final_stats;           /* (rows, 2) */
};

struct t5_tape {
	struct backbone_tape call; /* first: backbone_tape points here */
	struct t5_stack_tape encoder, decoder;
};

int64_t t5_attention_width(const struct backbone *backbone); /* N */
struct norm_shape t5_norm_shape(const struct backbone_call *call);

/* Attention of a call without a cache; `bias` may be NULL. */
struct attention_shape t5_attention_shape(const struct backbone_call *call, bool bidirectional,
					  const struct attention_bias *bias);

/*
 * Bucket of a key `distance` tokens after its query (before it: negative):
 * near ones have a bucket each, farther ones share in logarithmic steps, and
 * all from max_distance on share the last.  Source: Raffel et al. 2020, as
 * Hugging Face's T5 computes it, in f32.
 */
int64_t t5_bucket(const struct t5 *t5, bool two_sided, int64_t distance);

/* Extents of the table by distance for a stack that sees `keys` keys; no values yet. */
struct attention_bias t5_bias_extents(const struct t5_stack *stack, int64_t keys);

/* See struct backbone_pass. */
int t5_backward(struct backbone_call *call, const struct backbone_tape *tape,
		const float *d_hidden, float *d_embeds);

extern const struct backbone_pass t5_pass;

#endif
