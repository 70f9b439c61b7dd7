/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pre-trained transformer as a function of input embeddings.
 *
 * hidden = f(inputs_embeds): no token embedding, no language-model head; the
 * final norm is included.  Shapes: B sequences of T tokens, width H; row-major,
 * last index fastest.  Weights of projections are held in the precision that
 * was asked for; everything else is f32.
 */
#ifndef BACKBONE_BACKBONE_H
#define BACKBONE_BACKBONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/rng.h"
#include "tensor/matrix.h"

struct backbone;

/* One named array of parameters. Names are Hugging Face's (weights) or PEFT's (adapters). */
struct backbone_param {
	const char *name;
	float *value;
	float *gradient;   /* same shape; NULL while frozen */
	int dims;
	int64_t shape[4];
	int64_t count;
	bool is_adapter;
};

enum backbone_head {
	HEAD_NONE, /* the checkpoint has none */
	HEAD_OWN,
	HEAD_TIED, /* the token embedding serves */
};

struct backbone_shape {
	const char *architecture; /* "gpt2", "opt", "llama", "t5" */
	int64_t layers, width, heads, kv_heads, ffn_width, vocabulary;
	int64_t decoder_layers; /* T5: of its second stack; else 0 */
	int64_t max_positions;  /* 0: no limit */
	int64_t inner_width; /* of the layers; that of embeds and hidden, but for OPT-350M */
	int64_t parameters; /* total, without adapters */
	bool has_embedding;      /* of tokens */
	enum backbone_head head; /* of a language model, read or not */
};

/* T5 only: what its decoder, the second stack, is fed with. */
enum backbone_decoder_input {
	DECODER_READS_ENCODER, /* the encoder's hidden states, as the released code does */
	DECODER_READS_INPUTS,  /* the embeddings */
	DECODER_ABSENT,        /* nothing: the encoder's hidden states are the result */
};

struct backbone_options {
	bool no_positions; /* GPT-2 only: leave `wpe` out (released code; needed for `compat`) */
	/*
	 * T5 only: encoder and cross-attention see all tokens, as T5 was trained and as
	 * the released code runs it, so that a state sees the actions after it.
	 */
	bool bidirectional;
	enum backbone_decoder_input decoder_input;
	int64_t stop_layer; /* run layers [0, stop_layer) (T5: of both stacks); 0: all */
	bool lm_head;      /* read an own language-model head too, see backbone_lm_head() */
	bool trainable;    /* gradients for the own weights too (full fine-tuning, pre-training) */
	/*
	 * Storage of the projections' weights, MATRIX_F32 by default.  Tensors that a
	 * checkpoint holds in that storage are used where they lie in its file, which
	 * must not change meanwhile; others are rounded.  Only f32 is `trainable`;
	 * adapters train over any.
	 */
	enum matrix_type precision;
	/*
	 * Instead: every projection in the storage that is nearest to its tensor's in the
	 * checkpoint (backbone/stored.h).  Not `trainable`.
	 */
	bool as_stored;
};

#define LORA_TARGETS_ALL "all" /* as the only target: every projection of every layer */

struct lora_options {
	int64_t rank;          /* 0: no adapter */
	double alpha;          /* scale = alpha / rank */
	double dropout;        /* on the adapter's input, training only */
	const char *const *targets; /* projection names, NULL at the end; NULL: the default ones */
};

/* Opens a Hugging Face directory.  Errors name file and key. */
int backbone_open(struct backbone **backbone, const char *directory,
		  const struct backbone_options *options, struct error *error);

/* A network of the same configuration (config.json of `directory`) with random initial weights. */
int backbone_random(struct backbone **backbone, const char *directory,
		    const struct backbone_options *options, struct rng *rng, struct error *error);

/*
 * Where the backbone computes from now on: "cpu", "cuda" or "cuda:bf16" (weights
 * rounded to bfloat16 there; activations and sums stay f32).  The host's values
 * stay the truth: parameters and gradients are read and written as before.
 * Differences: a device keeps the tape of the last forward only, draws other
 * dropout masks from the same generator, and does not train own weights.
 * ERR_UNSUPPORTED where this build or this machine has no CUDA.
 */
int backbone_place(struct backbone *backbone, const char *device, struct error *error);

/*
 * The same for every backbone that is opened from now on, by any thread ("cpu"
 * at first).  Call it before there are threads.  ERR_INVALID for a name that
 * backbone_place() does not know.
 */
int backbone_place_all(const char *device, struct error *error);

/* "CPU", or the name of the device. */
const char *backbone_device_name(const struct backbone *backbone);

/* Most memory that was ever in use on the device, in bytes; 0 on the CPU. */
size_t backbone_device_peak_bytes(const struct backbone *backbone);

/*
 * As backbone_random() and backbone_place() on a device, but the values of weight
 * matrices exist there alone, for measuring at sizes that would take the host
 * minutes.  It cannot be saved, and adapters cannot be folded in.
 */
int backbone_random_placed(struct backbone **backbone, const char *directory,
			   const struct backbone_options *options, const char *device,
			   struct rng *rng, struct error *error);

/*
 * Reads configuration and headers only: the shape of what backbone_open()
 * would open, or its error (short of damaged values).
 */
int backbone_inspect(const char *directory, struct backbone_shape *shape, struct error *error);

/* Name of the index-th architecture that is supported; NULL past the last. */
const char *backbone_architecture(size_t index);

/* Writes config.json and model.safetensors; ERR_UNSUPPORTED unless the precision is f32. */
int backbone_save(const struct backbone *backbone, const char *directory, struct error *error);
void backbone_close(struct backbone *backbone);

const struct backbone_shape *backbone_shape(const struct backbone *backbone);

/* True when hidden states depend on later tokens: T5 with backbone_options.bidirectional. */
bool backbone_sees_both_ways(const struct backbone *backbone);

/* Fresh adapter: A uniform (Kaiming, as PEFT), B zero. */
int backbone_lora_new(struct backbone *backbone, const struct lora_options *options,
		      struct rng *rng, struct error *error);

/* PEFT directory: adapter_config.json and adapter_model.safetensors. */
int backbone_lora_load(struct backbone *backbone, const char *directory, struct error *error);
int backbone_lora_save(const struct backbone *backbone, const char *directory,
		       struct error *error);

/*
 * Folds the adapter into the weights, W += alpha / rank (B A), and forgets it:
 * the same function, cheaper.  Not for a backbone that goes on training.  Where
 * weights are not f32 the sum is rounded anew, from the checkpoint's own values
 * if there is a checkpoint.
 */
int backbone_lora_merge(struct backbone *backbone, struct error *error);

/*
 * The weights will not change any more: f32 ones are put in the order that
 * products like best, in place.  Nothing on a device, or with `trainable`.
 * backbone_save() refuses afterwards.  ERR_NO_MEMORY, for a copy of one weight.
 */
int backbone_settle(struct backbone *backbone, struct error *error);

/*
 * Parameters with a gradient, in a fixed order: with `trainable` every weight
 * that takes part in the function (not the token embedding, nor layers that
 * are not run), then the adapter.  Valid until an adapter is made, loaded or merged.
 */
size_t backbone_params(const struct backbone *backbone, const struct backbone_param **params);

/* Sets every gradient to zero. */
void backbone_zero_gradients(struct backbone *backbone);

/* Bytes held by weights (mapped ones too), gradients and tables. */
size_t backbone_memory_bytes(const struct backbone *backbone);

/* Token embedding table (vocabulary, width) when the checkpoint has one, else NULL; no gradient. */
const struct backbone_param *backbone_token_embedding(const struct backbone *backbone);

/*
 * Language-model head (vocabulary, width), logits = hidden W^T: the token
 * embedding where the configuration ties the two, else lm_head.weight, which
 * is only read with options.lm_head; NULL when there is none.  No gradient.
 * (T5 divides hidden by sqrt(width) before a tied head.)
 */
const struct backbone_param *backbone_lm_head(const struct backbone *backbone);

/*
 * Tapes made from now on keep each layer's input only, and backward runs the
 * layer again for the rest: the same gradients, bit for bit, for a third more
 * arithmetic at most.  False, and nothing changes, where the architecture
 * cannot (T5).
 */
bool backbone_checkpoint_activations(struct backbone *backbone, bool on);

/*
 * Forward.  `embeds` and `hidden` are (B, T, H).  With `tape` non-NULL the
 * activations that backward needs are kept in `arena` and *tape points to
 * them; with NULL nothing is kept.  `dropout_rng` non-NULL switches adapter
 * dropout on.
 */
struct backbone_tape;
int backbone_forward(const struct backbone *backbone, struct arena *arena, const float *embeds,
		     int64_t batch, int64_t tokens, float *hidden, struct backbone_tape **tape,
		     struct rng *dropout_rng, struct error *error);

/* Backward: adds to the gradients of backbone_params(); writes d_embeds (B, T, H) unless NULL. */
int backbone_backward(struct backbone *backbone, struct arena *arena,
		      const struct backbone_tape *tape, const float *d_hidden, float *d_embeds,
		      struct error *error);

/*
 * Streaming with a key/value cache: positions continue from the tokens already
 * in the cache.  One cache serves one sequence of one backbone as it is: start
 * over after its weights or adapter changed.  (Bidirectional T5 keeps the
 * embeddings and runs them all at each call; hidden is then that of the new
 * tokens in the sequence as it stands.)
 */
struct backbone_cache;
int backbone_cache_new(const struct backbone *backbone, int64_t max_tokens,
		       struct backbone_cache **cache, struct error *error);

/* What a cache of `max_tokens` takes. */
size_t backbone_cache_bytes(const struct backbone *backbone, int64_t max_tokens);
void backbone_cache_free(struct backbone_cache *cache);
int64_t backbone_cache_tokens(const struct backbone_cache *cache);

/* Forgets everything from token `tokens` on. */
void backbone_cache_truncate(struct backbone_cache *cache, int64_t tokens);

/*
 * Forgets the first `tokens` tokens.  What was computed of the others stays as
 * it is, with all that they saw of the forgotten ones, and positions go on
 * from where they are.  ERR_UNSUPPORTED where keys and values are not cached.
 */
int backbone_cache_forget(const struct backbone *backbone, struct backbone_cache *cache,
			  int64_t tokens, struct error *error);

/* Tokens that can follow before the model's positions end; INT64_MAX: they never do. */
int64_t backbone_cache_positions_left(const struct backbone *backbone,
				      const struct backbone_cache *cache);

/* Runs `tokens` new tokens after those in the cache; hidden is (tokens, H). */
int backbone_extend(const struct backbone *backbone, struct arena *arena,
		    struct backbone_cache *cache, const float *embeds, int64_t tokens,
		    float *hidden, struct error *error);

/*
 * backbone_extend() for `count` caches at once, `tokens` new tokens each: every
 * weight is read once for all of them.  embeds and hidden are (count, tokens,
 * H).  On an error no cache has grown.
 */
int backbone_extend_many(const struct backbone *backbone, struct arena *arena,
			 struct backbone_cache *const *caches, int64_t count, const float *embeds,
			 int64_t tokens, float *hidden, struct error *error);

#endif
