/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call of a backbone: what run.c hands to the wiring that computes it.
 */
#ifndef BACKBONE_PASS_H
#define BACKBONE_PASS_H

#include "backbone/internal.h"
#include "tensor/attention.h"
#include "tensor/norm.h"

/* First member of what a wiring keeps from forward for its backward. */
struct backbone_tape {
	int64_t batch, tokens;
};

struct backbone_cache {
	int64_t tokens, max_tokens;
	int64_t forgotten; /* tokens that were there before: positions go on */
	float *memory; /* max_tokens x cache_width() floats; see backbone_cache_append() */
	struct backbone_device_cache *device; /* in place of `memory` on a device */
	void (*free_device)(struct backbone_cache *cache); /* NULL on the CPU */
};

struct backbone_call {
	const struct backbone *backbone;
	struct arena *arena;
	int64_t batch, tokens, rows;  /* rows = batch x tokens */
	struct backbone_cache *cache; /* NULL: the sequences stand alone */
	struct backbone_cache *const *caches; /* of each in the batch, `cache` then NULL; or NULL */
	struct rng *dropout_rng;
	float *attention_scratch;
};

/*
 * How the weights of an architecture are wired.  Both functions return 0 or
 * ERR_NO_MEMORY; run.c has checked the sizes.
 */
struct backbone_pass {
	/* As backbone_forward(); `tape` may be NULL. With a cache: batch is 1, `tape` NULL. */
	int (*forward)(struct backbone_call *call, const float *embeds, float *hidden,
		       struct backbone_tape **tape);
	int (*backward)(struct backbone_call *call, const struct backbone_tape *tape,
			const float *d_hidden, float *d_embeds);
	int64_t (*cache_width)(const struct backbone *backbone); /* floats a token takes */
	bool checkpoints; /* see backbone_checkpoint_activations() */
	/*
	 * Width of the planes of keys and of values that fill the cache; NULL where it
	 * holds anything else.  With it, forward takes `caches`.
	 */
	int64_t (*plane_width)(const struct backbone *backbone);
};

extern const struct backbone_pass decoder_pass;

/* LayerNorm or RMSNorm, as the norm has a bias or not; see tensor/norm.h. */
void backbone_norm_forward(const struct backbone_norm *norm, const struct norm_shape *shape,
			   float *out, float *stats, const float *in);

/* Adds to the norm's gradients, and to d_in the gradient of its input. */
void backbone_norm_backward(const struct backbone_norm *norm, const struct norm_shape *shape,
			    float *d_in, const float *d_out, const float *in, const float *stats);

/* Numbers that one output takes: 2 with a gate, else 1. */
int64_t backbone_activation_inputs(enum backbone_activation activation);

/* out (rows, width) from in (rows, inputs x width). */
void backbone_activation_forward(enum backbone_activation activation, float *out, const float *in,
				 int64_t rows, int64_t width);
void backbone_activation_backward(enum backbone_activation activation, float *d_in,
				  const float *d_out, const float *in, int64_t rows,
				  int64_t width);

/* (rows, width): alone when `own` or nothing is `shared`, else that; *failed: there is no room. */
float *backbone_array(const struct backbone_call *call, bool own, float *shared, int64_t width,
		      bool *failed);

/* A copy in the call's arena; NULL when there is no room. */
const float *backbone_floats_copy(const struct backbone_call *call, const float *from,
				  int64_t count);

/*
 * Appends a call's keys *k and values *v, which lie as `shape` says, to pair
 * of planes `index` of the cache, and points all three at what is there.
 */
void backbone_cache_append(const struct backbone_call *call, int64_t index,
			   struct attention_shape *shape, const float **k, const float **v);

/* A projection of all rows of a call. */
struct projection_call backbone_projection_call(const struct backbone_call *call,
						const struct backbone_projection *projection,
						int64_t out_stride);

/*
 * A device that a backbone is placed on: first member of what knows it.  The
 * calls are those of backbone.h with the sizes checked.
 */
struct backbone_device {
	int (*forward)(struct backbone_call *call, const float *embeds, float *hidden,
		       struct backbone_tape **tape, struct error *error);
	int (*backward)(struct backbone_call *call, const struct backbone_tape *tape,
			const float *d_hidden, float *d_embeds, struct error *error);
	/* Fills cache->device; run.c calls cache_free() also after a failure. */
	int (*cache_new)(const struct backbone *backbone, struct backbone_cache *cache,
			 struct error *error);
	void (*cache_free)(struct backbone_cache *cache);
	int (*extend)(struct backbone_call *call, const float *embeds, float *hidden,
		      struct error *error);
	/* The host exchanged its adapter and, with `weights`, changed its weights. */
	void (*changed)(struct backbone_device *device, bool weights);
	void (*close)(struct backbone_device *device);
	size_t (*peak_bytes)(const struct backbone_device *device);
	const char *(*name)(const struct backbone_device *device);
};

/* Places a new backbone where backbone_place_all() said. */
int backbone_place_opened(struct backbone *backbone, struct error *error);

/* Sets backbone->device.  ERR_UNSUPPORTED in a build without CUDA or on a machine without. */
int backbone_place_cuda(struct backbone *backbone, bool bf16, struct error *error);

#endif
