/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of backbone/ share; nobody outside includes it.
 *
 * A backbone is a list of weights plus a description of how they are wired.
 * The architecture's configure() reads config.json into `shape` and `decoder`,
 * declares every weight (name, extents, how it starts out) and ties the layers
 * to them; loading, random initialisation, saving and gradients then only walk
 * the list.  Weights of projections may be held in another storage than f32
 * (backbone_options.precision); all others are f32.
 */
#ifndef BACKBONE_INTERNAL_H
#define BACKBONE_INTERNAL_H

#include "backbone/backbone.h"
#include "backbone/config.h"
#include "tensor/matrix.h"
#include "tensor/rope.h"

enum weight_start {
	START_NORMAL,   /* N(0, initializer_range) */
	START_RESIDUAL, /* the same over sqrt(2 layers): maps that write into the residual stream */
	START_ZERO,
	START_ONE,
};

struct backbone_weight {
	struct backbone_param param;
	enum weight_start start;
	double deviation; /* of START_NORMAL; 0: initializer_range */
	const char *const *aliases; /* other names in checkpoints, ends with NULL; NULL: none */
	bool optional; /* a checkpoint may lack it */
	bool absent;   /* and does: param.value stays NULL */
	bool changed;  /* its values are no longer those of the checkpoint */
	bool used;     /* takes part in the function of input embeddings as configured */
	/* Projections only (others have matrix.in 0). */
	enum linear_layout layout; /* of the tensor in a checkpoint, and of param.value */
	struct matrix matrix;      /* data NULL: the values are param.value */
	enum matrix_type stored;   /* of the tensor in the checkpoint: for as_stored */
	bool mapped;               /* matrix.data lies in, or just as in, the checkpoint's file */
};

struct checkpoint;
struct checkpoint_tensor;

/* y = x W + bias, plus scale x (dropped x) A^T B^T with an adapter. */
struct backbone_projection {
	char path[64]; /* "h.0.attn.c_attn": the weight's name without ".weight" */
	struct backbone_weight *weight; /* NULL: the layer has no such projection */
	struct backbone_weight *bias;   /* may be NULL */
	int64_t in, out;
	enum linear_layout layout;
	struct backbone_param *lora_a, *lora_b; /* (rank, in), (out, rank); NULL: no adapter */
};

/* Projections of a layer.  ROLE_Q may be fused: then it is wider, and K and V are absent. */
enum projection_role {
	ROLE_Q,
	ROLE_K,
	ROLE_V,
	ROLE_OUT,
	ROLE_GATE,
	ROLE_UP,
	ROLE_DOWN,
	ROLE_COUNT,
};

struct backbone_norm {
	struct backbone_weight *weight;
	struct backbone_weight *bias; /* NULL: RMSNorm, no mean is taken */
};

struct backbone_layer {
	int64_t heads, kv_heads, ffn_width; /* those of the shape, unless it was pruned */
	struct backbone_norm attention_norm, ffn_norm;
	struct backbone_projection projections[ROLE_COUNT];
};

enum backbone_activation {
	ACTIVATION_GELU_NEW,
	ACTIVATION_RELU,
	ACTIVATION_SILU_GATE, /* ROLE_GATE and ROLE_UP side by side */
	ACTIVATION_GELU_GATE, /* the same */
};

/* A causal transformer: what gpt2, opt and llama have in common, and where they differ. */
struct decoder {
	struct backbone_layer *layers;
	int64_t run_layers; /* layers [0, run_layers) are run */
	struct backbone_layer widest; /* its counts: the shape's; no layer has more */
	bool pruned; /* a layer has less */
	struct backbone_norm final_norm; /* its weight NULL: none */
	bool norm_after; /* norms stand behind the residual sums, not before attention and ffn */
	struct backbone_projection project_in, project_out; /* between width and inner_width */
	struct backbone_weight *positions; /* rows added to the input; NULL: none */
	int64_t position_offset;           /* the row of position 0 */
	float *rope_table;                 /* (max_positions, head_width); NULL: no rotation */
	double rope_theta;                 /* 0: no rotation */
	struct rope_scaling rope_scaling;
	int64_t head_width;
	double norm_epsilon;
	enum backbone_activation activation;
};

struct backbone_pass;
struct t5;

struct architecture {
	const char *name;               /* model_type */
	const char *class_name;         /* of the headless model in Hugging Face's library */
	const char *const *prefixes;    /* that checkpoints put before our names; ends with NULL */
	const char *const *lora_targets; /* default; ends with NULL */
	const struct backbone_pass *pass; /* its wiring, see pass.h */
	int (*configure)(struct backbone *backbone, const struct config *config,
			 struct error *error);
};

extern const struct architecture architecture_gpt2;
extern const struct architecture architecture_llama;
extern const struct architecture architecture_opt;
extern const struct architecture architecture_t5;

struct adapter {
	struct backbone_param *params; /* A, B of each adapted projection */
	size_t count;
	size_t used;          /* the first of them: those that take part in the function */
	int64_t rank;
	double alpha, dropout;
	const char **targets; /* ends with NULL */
};

struct backbone {
	const struct architecture *architecture;
	struct backbone_shape shape;
	struct backbone_options options;
	struct config config;  /* as read; written again by backbone_save() */
	char directory[4096];
	double initializer_range;
	struct arena memory;         /* weights, gradients, names, tables */
	struct arena adapter_memory; /* of the present adapter */
	struct backbone_weight *weights;
	size_t weight_count, weight_capacity;
	struct backbone_projection **projections; /* all that were declared, in order */
	size_t projection_count;
	struct backbone_weight *token_embedding;
	struct backbone_weight *lm_head; /* of its own; NULL: none, or tied */
	bool lm_head_tied;               /* the token embedding serves as head */
	struct decoder decoder;
	struct t5 *t5; /* instead, with architecture_t5 */
	struct adapter adapter;
	struct backbone_param *exposed; /* what backbone_params() gives out */
	size_t exposed_count;
	struct checkpoint *checkpoint; /* stays open while weights lie in it; else NULL */
	struct backbone_device *device; /* see pass.h; NULL: the CPU */
	bool device_only;               /* the host has no values of weight matrices */
	bool checkpoint_activations;
	bool words_in_file; /* the token embedding's values lie in the checkpoint */
	bool settled; /* some f32 weights are blocked: backbone_settle() */
	bool failed; /* a declaration ran out of memory */
};

/* Sizes beyond these are refused as absurd. */
enum {
	LAYERS_MAX = 1024,
	WIDTH_MAX = 1 << 16,
	HEADS_MAX = 1024,
	FFN_MAX = 1 << 18,
	VOCABULARY_MAX = 1 << 22,
	POSITIONS_MAX = 1 << 20,
};

/*
 * Room for `weights` declarations and the decoder's layers; call it before declaring.
 * Declarations return NULL only after setting backbone->failed.
 */
int backbone_reserve(struct backbone *backbone, size_t weights, struct error *error);

/* Keys of config.json that list what every layer of a pruned backbone has left. */
#define BACKBONE_HEADS_KEY "layer_heads"
#define BACKBONE_FFN_KEY "layer_ffn_widths"

/*
 * Counts of heads and feed-forward units of every layer: as listed, else the
 * shape's.  Call it after backbone_reserve().
 */
int backbone_layers_read(struct backbone *backbone, const struct config *config,
			 struct error *error);

/* ERR_UNSUPPORTED where the configuration has these keys: for wirings without such counts. */
int backbone_layers_refuse(const struct config *config, struct error *error);

struct backbone_weight *backbone_declare(struct backbone *backbone, enum weight_start start,
					 int dims, const int64_t *shape, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Declares path.weight, and path.bias with `bias`. */
void backbone_norm_declare(struct backbone *backbone, struct backbone_norm *norm, bool bias,
			   bool used, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Declares a projection whose in, out and layout are set; `start` is that of its weight. */
void backbone_projection_declare(struct backbone *backbone,
				 struct backbone_projection *projection, enum weight_start start,
				 bool bias, bool used, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* A projection of a layer, `name` under the layer's path. */
struct projection_row {
	enum projection_role role;
	const char *name;
	int64_t in, out;
	enum weight_start start;
	bool bias;
};

/* Declares the projections of one layer, LINEAR_OUT_IN, in order. */
void backbone_rows_declare(struct backbone *backbone, struct backbone_layer *layer,
			   const struct projection_row *rows, size_t count, bool used,
			   const char *path);

/*
 * Reads tie_word_embeddings (`tied` when missing) and, where the head is not
 * the token embedding and the options ask for it, declares lm_head.weight.
 */
int backbone_lm_head_declare(struct backbone *backbone, const struct config *config, bool tied,
			     struct error *error);

/* Rebuilds the list behind backbone_params() after adapters changed. */
int backbone_expose(struct backbone *backbone, struct error *error);

/* The matrix of a projection's weight, whatever storage it is in. */
struct matrix weight_matrix(const struct backbone_weight *weight);

/* True when this weight is to be held in backbone_options.precision rather than as f32. */
bool weight_is_held(const struct backbone *backbone, const struct backbone_weight *weight);

/* Bytes that the weight takes. */
size_t weight_bytes(const struct backbone *backbone, const struct backbone_weight *weight);

/* Memory for a weight, and for its gradient when it trains.  ERR_NO_MEMORY. */
int weight_allocate(struct backbone *backbone, struct backbone_weight *weight);

/*
 * Rounds `values`, laid out as declared, into the storage of a held weight; one
 * that was mapped moves into memory.  ERR_NO_MEMORY.
 */
int weight_hold(struct backbone *backbone, struct backbone_weight *weight, const float *values);

/* The tensor of a weight in the checkpoint; false when there is none. */
bool weight_find(const struct backbone *backbone, const struct checkpoint *checkpoint,
		 const struct backbone_weight *weight, struct checkpoint_tensor *tensor);

/* The storage that is nearest to how the tensor lies in its file. */
enum matrix_type weight_stored_type(const struct checkpoint_tensor *tensor);

/*
 * The tensor of a projection's weight in blocks of its own, NAME.q8_0 or
 * NAME.q4_0 (backbone/stored.h); false: none that fits.
 */
bool stored_find(const struct checkpoint *checkpoint, const struct backbone_weight *weight,
		 const char *name, struct checkpoint_tensor *tensor);

/* True when every weight is on the host as f32, as declared. */
bool backbone_is_plain(const struct backbone *backbone);

/* config.json as it was read, but naming the headless class that the file now holds. */
int backbone_config_write(const struct backbone *backbone, const char *directory,
			  struct error *error);

/* Fills or maps a weight from its tensor. */
int weight_load(struct backbone *backbone, struct backbone_weight *weight,
		const struct checkpoint_tensor *tensor, struct error *error);

/*
 * The weight as f32, laid out as declared: from the checkpoint while that is
 * open and holds it (what was stored, not what it was rounded to).
 */
int weight_values(const struct backbone *backbone, const struct backbone_weight *weight,
		  float *values, struct error *error);

/* What a projection keeps from forward for its backward. */
struct projection_tape {
	const float *in;   /* (rows, in) */
	const float *low;  /* (rows, rank): input times A^T */
	bool dropped;
	struct rng rng;    /* draws the dropout mask again */
};

/* One call of a projection: rows of `in` without gaps, rows of out `out_stride` apart. */
struct projection_call {
	const struct backbone *backbone;
	const struct backbone_projection *projection;
	struct arena *arena;
	int64_t rows, out_stride;
	struct rng *dropout_rng; /* NULL: no dropout */
};

/*
 * out = residual + projection(in); `residual` lies like out and may be NULL or
 * out itself.  `tape` NULL: nothing is kept.  ERR_NO_MEMORY.
 */
int projection_forward(const struct projection_call *call, float *out, const float *in,
		       const float *residual, struct projection_tape *tape);

/* Adds weight, bias and adapter gradients where there are any; d_in = or += (add). */
int projection_backward(const struct projection_call *call, float *d_in, bool add,
			const float *d_out, const struct projection_tape *tape);

/* True when backward of this projection needs its input. */
bool projection_trains(const struct backbone_projection *projection);

/* Room for `floats` numbers; NULL (and the caller says ERR_NO_MEMORY) when there is none. */
float *backbone_floats(struct arena *arena, int64_t floats);

#endif
