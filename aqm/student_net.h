/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The network of a student, in integers only.
 *
 * Activations are int16 with 12 fraction bits, so within +-8.  Weights are int8;
 * each row (an output) has its own power of two: weight = q / 2^shift.  Sums and
 * biases are int32 with 12 + shift fraction bits: at most 96 products of
 * 127 x 32768 and a bias of 2^30 stay below 2^31.  After a row is shifted down,
 * rounded to nearest, it is cut to int16 and goes through its activation:
 *
 *     relu      max(z, 0)
 *     tanh      z (1 - |z| / 4) up to |z| = 2, then +-1
 *     sigmoid   (1 + tanh(z / 2)) / 2
 *
 * The curves are the network's own functions, not approximations of others: the
 * float twin (learn/student_float.h) is trained with the same ones.
 *
 * Layers are dense, or a gated recurrent cell (Cho et al. 2014) made of two of
 * them: gates r and z of [x, h], then the candidate n of [x, r h]; h moves by
 * z (n - h).  A transformer's block is made of them too: an `attention` makes queries, keys, values
 * and lags of a token, and adds to it what it heeds of the last decisions
 * (aqm/student_attention.h); a `residual` adds its rows to what the layer before it was given.  A
 * tree asks one feature a node and ends in a row of outputs.
 *
 * A model is plain constant data; it may be shared by any number of queues.
 * What checks it is a reader of files (policy/student_file.h, aqm/student_bytes.h).
 */
#ifndef AQM_STUDENT_NET_H
#define AQM_STUDENT_NET_H

#include "aqm/halved.h"
#include "aqm/student_attention.h"

#define AQM_STUDENT_WEIGHTS 8192 /* bytes of int8, padding included */
#define AQM_STUDENT_ROWS 512     /* of all layers, padding included */
#define AQM_STUDENT_LAYERS 8
#define AQM_STUDENT_INPUTS 96    /* most inputs of a layer */
#define AQM_STUDENT_WIDTH 96     /* most outputs of a layer */
/* An odd number of inputs ends in a 0, and hosts may write whole vectors. */
#define AQM_STUDENT_PLACES (AQM_STUDENT_INPUTS + AQM_STUDENT_LANES)
#define AQM_STUDENT_OUTPUTS 8    /* most outputs of the whole */
#define AQM_STUDENT_LANES 16     /* rows of a layer are padded to a multiple of these */
#define AQM_STUDENT_NODES 255
#define AQM_STUDENT_LEAVES 128   /* x AQM_STUDENT_OUTPUTS outputs */
#define AQM_STUDENT_ONE 4096     /* an activation of 1 */
#define AQM_STUDENT_BIAS_MAX (1 << 30)
#define AQM_STUDENT_SHIFT_MAX 15

/* These lists are counted from 0 in files: what is new goes to the end. */

/* X(name): what a student is made of */
#define AQM_STUDENT_KINDS(X) X(net) X(tree)

/* X(name): what it decides; aqm/student.h */
#define AQM_STUDENT_MODES(X) X(supervise) X(verdict) X(share)

/* X(name) */
#define AQM_STUDENT_ACTIVATIONS(X) X(linear) X(relu) X(tanh) X(sigmoid)

/* X(name): a cell is `gates` and then `candidate`; at most one attention goes into a net */
#define AQM_STUDENT_LAYER_KINDS(X) X(dense) X(gates) X(candidate) X(attention) X(residual)

#define AQM_STUDENT_ENUM(name) AQM_STUDENT_##name,
enum aqm_student_kind { AQM_STUDENT_KINDS(AQM_STUDENT_ENUM) AQM_STUDENT_KIND_COUNT };
enum aqm_student_mode { AQM_STUDENT_MODES(AQM_STUDENT_ENUM) AQM_STUDENT_MODE_COUNT };
enum aqm_student_activation {
	AQM_STUDENT_ACTIVATIONS(AQM_STUDENT_ENUM) AQM_STUDENT_ACTIVATION_COUNT
};
enum aqm_student_layer_kind {
	AQM_STUDENT_LAYER_KINDS(AQM_STUDENT_ENUM) AQM_STUDENT_LAYER_KIND_COUNT
};
#undef AQM_STUDENT_ENUM

struct aqm_student_layer {
	uint8_t kind;       /* enum aqm_student_layer_kind */
	/* enum aqm_student_activation; of gates: sigmoid; of attention and residual: linear */
	uint8_t activation;
	uint16_t inputs; /* of gates and candidate: those of the cell and its state */
	/*
	 * Of gates: twice the state, r first.  Of attention: query, key and value, as wide as the
	 * inputs each, and a lag for every decision of its window.
	 */
	uint16_t outputs;
	/*
	 * Index of its first pair of weights.  Inputs go by pairs, of an odd number the last one
	 * with a 0: those of inputs 2 j and 2 j + 1 of row i are at j x rows + i, rows being
	 * outputs rounded up to lanes.
	 */
	uint16_t first_pair;
	uint16_t first_row; /* index into bias and shift */
};

/* Features below `threshold` go to `below`, others to `above`: a node's index, or a leaf's. */
struct aqm_student_node {
	uint8_t input;     /* index into the model's inputs */
	uint8_t below, above;
	uint8_t leaves;    /* bit 0: `below` is a leaf; bit 1: `above` is */
	int16_t threshold; /* as the feature is, with 8 fraction bits */
};

struct aqm_student_tree {
	struct aqm_student_node nodes[AQM_STUDENT_NODES];
	int16_t leaves[AQM_STUDENT_LEAVES][AQM_STUDENT_OUTPUTS]; /* with 12 fraction bits */
};

struct aqm_student_weights {
	int16_t pair[AQM_STUDENT_WEIGHTS / 2]; /* low byte: input 2 j; high byte: 2 j + 1 */
	int32_t bias[AQM_STUDENT_ROWS];
	uint8_t shift[AQM_STUDENT_ROWS];
};

struct aqm_student_model {
	uint8_t kind; /* enum aqm_student_kind */
	uint8_t mode; /* enum aqm_student_mode */
	uint8_t inputs, outputs;
	uint8_t fast_inputs; /* so many inputs, the first ones, change with every packet */
	uint8_t layers;      /* of a net */
	uint8_t nodes;       /* of a tree */
	uint8_t leaves;
	/* Of each input: its feature (aqm/student_features.h), ascending. */
	uint8_t feature[AQM_STUDENT_INPUTS];
	/* What is taken from a feature, and what it is then multiplied by: both of 8 fraction bits.
	 */
	int16_t offset[AQM_STUDENT_INPUTS];
	int16_t scale[AQM_STUDENT_INPUTS]; /* 0..16383 */
	struct aqm_student_layer layer[AQM_STUDENT_LAYERS];
	union {
		struct aqm_student_weights net;
		struct aqm_student_tree tree;
	};
};

/* What a student remembers between decisions; all zeros before the first. */
struct aqm_student_state {
	int32_t hidden[AQM_STUDENT_WIDTH]; /* its cells' states, 16 fraction bits, in +-1 */
	struct aqm_student_ring ring;      /* what its attention looks back on */
};

AQM_INLINE uint32_t aqm_student_rows(uint32_t outputs)
{
	return (outputs + AQM_STUDENT_LANES - 1) / AQM_STUDENT_LANES * AQM_STUDENT_LANES;
}

/* How many numbers the next layer gets from this one, which is no `gates`. */
AQM_INLINE uint32_t aqm_student_gives(const struct aqm_student_layer *layer)
{
	return layer->kind == AQM_STUDENT_attention ? layer->inputs : layer->outputs;
}

/* Decisions that an attention looks back on; below 1: it is none. */
AQM_INLINE int32_t aqm_student_window(const struct aqm_student_layer *attention)
{
	return attention->outputs - 3 * attention->inputs;
}

AQM_INLINE int32_t aqm_student_cut(int32_t value)
{
	return value < -32768 ? -32768 : value > 32767 ? 32767 : value;
}

/* An input from its feature. */
AQM_INLINE int16_t aqm_student_input(int16_t feature, int16_t offset, int16_t scale)
{
	return (int16_t)aqm_student_cut(((int32_t)feature - offset) * scale >> 4);
}

/* z within int16, and so is the value. */
AQM_INLINE int32_t aqm_student_tanh(int32_t z)
{
	const int32_t size = z < 0 ? -z : z;
	const int32_t within = size > 2 * AQM_STUDENT_ONE ? 2 * AQM_STUDENT_ONE : size;
	const int32_t bent = within - (within * within >> 14);

	return z < 0 ? -bent : bent;
}

AQM_INLINE int32_t aqm_student_sigmoid(int32_t z)
{
	return (AQM_STUDENT_ONE + aqm_student_tanh(aqm_halved_s32(z, 1))) >> 1;
}

/*
 * The sums of a layer's first `rows` rows, from its inputs, of an odd number with a 0 behind; pairs
 * of weights are `stride` apart.  Compilers turn the inner loop into vectors of 16-bit products,
 * even the oldest ones.
 */
AQM_INLINE void aqm_student_sums(const int16_t *restrict pair, uint32_t stride, uint32_t rows,
				 uint32_t inputs, const int16_t *restrict x, int32_t *restrict sum)
{
	for (uint32_t j = 0; j < inputs; j += 2, pair += stride) {
		const int16_t first = x[j], second = x[j + 1];

		for (uint32_t i = 0; i < rows; i++) {
			const int16_t low = (int16_t)((int16_t)((uint16_t)pair[i] << 8) >> 8);
			const int16_t high = (int16_t)(pair[i] >> 8);

			sum[i] += low * first + high * second;
		}
	}
}

/* Values within int16, `rows` of them, through the layer's curve. */
AQM_INLINE void aqm_student_curve(uint8_t activation, uint32_t rows, const int32_t *restrict z,
				  int16_t *restrict y)
{
	if (activation == AQM_STUDENT_relu)
		for (uint32_t i = 0; i < rows; i++)
			y[i] = (int16_t)(z[i] < 0 ? 0 : z[i]);
	else if (activation == AQM_STUDENT_tanh)
		for (uint32_t i = 0; i < rows; i++)
			y[i] = (int16_t)aqm_student_tanh(z[i]);
	else if (activation == AQM_STUDENT_sigmoid)
		for (uint32_t i = 0; i < rows; i++)
			y[i] = (int16_t)aqm_student_sigmoid(z[i]);
	else
		for (uint32_t i = 0; i < rows; i++)
			y[i] = (int16_t)z[i];
}

/*
 * One dense layer: sums are shifted down to 12 fraction bits, rounded, cut, and go through the
 * curve.  y has room for the padded rows.
 */
AQM_INLINE void aqm_student_dense_plain(const struct aqm_student_weights *net,
					const struct aqm_student_layer *layer, const int16_t *x,
					int16_t *y)
{
	const uint32_t stride = aqm_student_rows(layer->outputs);
	/* Those that matter, to whole vectors of half the lanes. */
	const uint32_t rows = (layer->outputs + AQM_STUDENT_LANES / 2U - 1) &
			      ~(AQM_STUDENT_LANES / 2U - 1);
	const uint8_t *shift = net->shift + layer->first_row;
	int32_t sum[AQM_STUDENT_WIDTH];

	for (uint32_t i = 0; i < rows; i++)
		sum[i] = net->bias[layer->first_row + i];
	aqm_student_sums(net->pair + layer->first_pair, stride, rows, layer->inputs, x, sum);
	for (uint32_t i = 0; i < layer->outputs; i++)
		sum[i] = (sum[i] + ((1 << shift[i]) >> 1)) >> shift[i];
	for (uint32_t i = 0; i < rows; i++)
		sum[i] = aqm_student_cut(sum[i]);
	aqm_student_curve(layer->activation, rows, sum, y);
}

/* A way to compute a dense layer. */
typedef void aqm_student_dense(const struct aqm_student_weights *net,
			       const struct aqm_student_layer *layer, const int16_t *x,
			       int16_t *y);

/*
 * One step of a cell: `layer` points to its gates, its candidate follows.  On entry x holds the
 * cell's inputs and has room for the state behind them; on return y is the new state.
 */
AQM_INLINE void aqm_student_cell(aqm_student_dense *dense, const struct aqm_student_weights *net,
				 const struct aqm_student_layer *layer, int16_t *x,
				 int32_t *hidden, int16_t *y)
{
	const uint32_t size = layer[1].outputs, inputs = layer->inputs - size;
	int16_t gate[AQM_STUDENT_WIDTH];

	for (uint32_t i = 0; i < size; i++)
		x[inputs + i] = (int16_t)(hidden[i] >> 4);
	dense(net, layer, x, gate);
	for (uint32_t i = 0; i < size; i++)
		x[inputs + i] = (int16_t)aqm_halved_s32(gate[i] * x[inputs + i], 12);
	dense(net, layer + 1, x, y);
	for (uint32_t i = 0; i < size; i++) {
		hidden[i] += aqm_halved_s32(gate[size + i] * (16 * y[i] - hidden[i]), 12);
		y[i] = (int16_t)(hidden[i] >> 4);
	}
}

/*
 * An attention or a residual.  `given`: what the layer before was given, which may be y.
 */
AQM_INLINE void aqm_student_other(aqm_student_dense *dense, const struct aqm_student_weights *net,
				  const struct aqm_student_layer *layer, const int16_t *x,
				  const int16_t *given, struct aqm_student_ring *ring, int16_t *y)
{
	int16_t said[AQM_STUDENT_WIDTH], heeded[AQM_STUDENT_TOKEN];
	const bool attends = layer->kind == AQM_STUDENT_attention;
	const int16_t *to = attends ? x : given, *more = attends ? heeded : said;

	dense(net, layer, x, said);
	if (attends)
		aqm_student_attend(ring, layer->inputs, (uint32_t)aqm_student_window(layer), said,
				   heeded);
	for (uint32_t i = 0; i < aqm_student_gives(layer); i++)
		y[i] = (int16_t)aqm_student_cut(to[i] + more[i]);
}

/* Ways to compute a net's parts, as the functions above do; constants, so that they are inlined. */
struct aqm_student_way {
	aqm_student_dense *dense;
	void (*cell)(const struct aqm_student_weights *net, const struct aqm_student_layer *layer,
		     int16_t *x, int32_t *hidden, int16_t *y);
	void (*other)(const struct aqm_student_weights *net, const struct aqm_student_layer *layer,
		      const int16_t *x, const int16_t *given, struct aqm_student_ring *ring,
		      int16_t *y);
};

/*
 * The net's outputs, 12 fraction bits, from its inputs.  x has AQM_STUDENT_PLACES places, and what
 * is behind the inputs is overwritten.
 */
AQM_INLINE void aqm_student_net_with(const struct aqm_student_way *way,
				     const struct aqm_student_model *model,
				     struct aqm_student_state *state, int16_t *x,
				     int16_t out[AQM_STUDENT_OUTPUTS])
{
	int16_t buffer[2][AQM_STUDENT_PLACES];
	int32_t *hidden = state->hidden;
	const int16_t *given = x; /* to the layer before */

	for (uint32_t l = 0; l < model->layers; l++) {
		const struct aqm_student_layer *layer = &model->layer[l];
		int16_t *y = x == buffer[0] ? buffer[1] : buffer[0];

		x[layer->inputs] = 0;
		if (layer->kind == AQM_STUDENT_dense) {
			way->dense(&model->net, layer, x, y);
		} else if (layer->kind == AQM_STUDENT_gates) {
			way->cell(&model->net, layer, x, hidden, y);
			hidden += layer[1].outputs;
			l++;
		} else {
			way->other(&model->net, layer, x, given, &state->ring, y);
		}
		given = x;
		x = y;
	}
	for (uint32_t i = 0; i < model->outputs; i++)
		out[i] = x[i];
}

AQM_INLINE void aqm_student_cell_plain(const struct aqm_student_weights *net,
				       const struct aqm_student_layer *layer, int16_t *x,
				       int32_t *hidden, int16_t *y)
{
	aqm_student_cell(aqm_student_dense_plain, net, layer, x, hidden, y);
}

AQM_INLINE void aqm_student_other_plain(const struct aqm_student_weights *net,
					const struct aqm_student_layer *layer, const int16_t *x,
					const int16_t *given, struct aqm_student_ring *ring,
					int16_t *y)
{
	aqm_student_other(aqm_student_dense_plain, net, layer, x, given, ring, y);
}

/* Portable C. */
static const struct aqm_student_way aqm_student_way_plain = {
	aqm_student_dense_plain, aqm_student_cell_plain, aqm_student_other_plain};

AQM_INLINE void aqm_student_net_plain(const struct aqm_student_model *model,
				      struct aqm_student_state *state, int16_t *x,
				      int16_t out[AQM_STUDENT_OUTPUTS])
{
	aqm_student_net_with(&aqm_student_way_plain, model, state, x, out);
}

/* A host may compute nets with its own instructions; integers have one result. */
#ifndef AQM_STUDENT_NET
#define AQM_STUDENT_NET aqm_student_net_plain
#endif

/* The tree's outputs from features as they are, at most `nodes` questions. */
AQM_INLINE void aqm_student_tree_run(const struct aqm_student_model *model, const int16_t *features,
				     int16_t out[AQM_STUDENT_OUTPUTS])
{
	const struct aqm_student_tree *tree = &model->tree;
	uint32_t at = 0, leaf = model->nodes == 0;

	for (uint32_t i = 0; i < model->nodes && !leaf; i++) {
		const struct aqm_student_node *node = &tree->nodes[at];
		const bool above = features[model->feature[node->input]] >= node->threshold;

		at = above ? node->above : node->below;
		leaf = (uint32_t)node->leaves >> above & 1;
	}
	for (uint32_t i = 0; i < model->outputs; i++)
		out[i] = tree->leaves[at][i];
}

/* Inputs [from, to) from their features. */
AQM_INLINE void aqm_student_inputs(const struct aqm_student_model *model, uint32_t from,
				   uint32_t to, const int16_t *feature, int16_t *input)
{
	for (uint32_t i = from; i < to; i++)
		input[i] = aqm_student_input(feature[model->feature[i]], model->offset[i],
					     model->scale[i]);
}

/* What a net or a tree says of features, AQM_STUDENT_FEATURE_COUNT of them. */
AQM_INLINE void aqm_student_run(const struct aqm_student_model *model,
				struct aqm_student_state *state, const int16_t *features,
				int16_t out[AQM_STUDENT_OUTPUTS])
{
	int16_t x[AQM_STUDENT_PLACES];

	if (model->kind == AQM_STUDENT_tree) {
		aqm_student_tree_run(model, features, out);
		return;
	}
	aqm_student_inputs(model, 0, model->inputs, features, x);
	AQM_STUDENT_NET(model, state, x, out);
}

#endif
