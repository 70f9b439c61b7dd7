/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A student's model in BPF: what aqm/student_net.h computes, in a form that the verifier follows
 * and that needs little stack.  Included by aqm/student.h (AQM_STUDENT_OWN); the vectors of
 * tests/vectors/ hold it to the original.
 *
 * The model and all scratch memory are globals, which BPF keeps in a map.  Every index is masked;
 * masks change nothing where a model is a good one, as whoever loads it has checked.  Weights are
 * walked by bpf_loop(), so that one of them is verified, not all.  One program at a time runs this:
 * its host has a lock.
 */
#ifndef KERNEL_BPF_STUDENT_OWN_H
#define KERNEL_BPF_STUDENT_OWN_H

#include <bpf/bpf_helpers.h>

#define BPF_PLACES 128 /* a power of two above AQM_STUDENT_PLACES */
_Static_assert(AQM_STUDENT_PLACES < BPF_PLACES, "places fit");

/* Masks are no masks for other sizes. */
#define BPF_POWER_OF_TWO(size) _Static_assert(((size) & ((size) - 1)) == 0, "a power of two")
BPF_POWER_OF_TWO(BPF_PLACES);
BPF_POWER_OF_TWO(AQM_STUDENT_ROWS);
BPF_POWER_OF_TWO(AQM_STUDENT_WEIGHTS / 2);
BPF_POWER_OF_TWO(AQM_STUDENT_LAYERS);
BPF_POWER_OF_TWO(AQM_STUDENT_LEAVES);

struct aqm_student_model student_model SEC(".data.model");

/* Where the walk through a layer's weights is. */
struct bpf_row {
	uint32_t rows, pairs, activation, half;
	uint32_t first_pair, first_row;
	uint32_t row, pair;
	int32_t sum;
	bool to_gate; /* rows go to `gate` */
};

/* A cell at work, number by number of its state. */
struct bpf_cell {
	uint32_t inputs, size, half, hidden;
};

/* Where a walk through the tree is. */
struct bpf_walk {
	uint32_t at;
	bool leaf;
};

/* An attention at work, number by number of its ring. */
struct bpf_attention {
	uint32_t width, token, window, half;
	uint32_t place;	       /* of this decision in the ring */
	uint32_t walk, number; /* the decision and the number that is walked over */
	int32_t sum, largest;
	uint64_t total, inverse;
	int32_t score[AQM_STUDENT_WINDOW]; /* then powers of two */
};

/* What a run of the model has to do with. */
struct bpf_scratch {
	int16_t place[2][BPF_PLACES]; /* a layer's inputs and outputs, in turn */
	int16_t gate[BPF_PLACES];
	int32_t hidden[AQM_STUDENT_WIDTH];
	int16_t feature[AQM_STUDENT_FEATURE_COUNT];
	int16_t output[AQM_STUDENT_OUTPUTS];
	struct bpf_row row;
	struct bpf_cell cell;
	struct bpf_walk walk;
	struct bpf_attention attention;
	struct aqm_student_ring ring;
};
struct bpf_scratch student_scratch SEC(".data.scratch");

AQM_INLINE const struct aqm_student_model *aqm_student_model_of(const struct aqm_student_vars *vars)
{
	(void)vars;
	return &student_model;
}

AQM_INLINE void aqm_student_read_inputs(struct aqm_student_vars *vars, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < AQM_STUDENT_INPUTS; i++) {
		const uint32_t feature = student_model.feature[i];

		if (i >= to)
			break;
		if (feature < AQM_STUDENT_FEATURE_COUNT)
			vars->input[i] = aqm_student_input(vars->sense.feature[feature],
							   student_model.offset[i],
							   student_model.scale[i]);
	}
}

AQM_INLINE int32_t bpf_curve(uint32_t activation, int32_t z)
{
	if (activation == AQM_STUDENT_relu)
		return z < 0 ? 0 : z;
	if (activation == AQM_STUDENT_tanh)
		return aqm_student_tanh(z);
	return activation == AQM_STUDENT_sigmoid ? aqm_student_sigmoid(z) : z;
}

/* A row is through: its sum shifted, cut, bent. */
AQM_INLINE void bpf_row_end(const struct bpf_row *row)
{
	const uint32_t at = (row->first_row + row->row) & (AQM_STUDENT_ROWS - 1);
	const uint32_t shift = student_model.net.shift[at] & 15;
	const int32_t z = aqm_student_cut((row->sum + ((1 << shift) >> 1)) >> shift);
	const uint32_t to = row->row & (BPF_PLACES - 1);

	if (row->to_gate)
		student_scratch.gate[to] = (int16_t)bpf_curve(row->activation, z);
	else
		student_scratch.place[~row->half & 1][to] =
			(int16_t)bpf_curve(row->activation, z);
}

/* Two inputs of a row: pair after pair, row after row. */
static long bpf_pair_run(uint32_t i, void *context)
{
	struct bpf_row *row = &student_scratch.row;
	const int16_t *x = student_scratch.place[row->half & 1];
	const uint32_t at = row->first_pair + row->pair * row->rows + row->row;
	const int16_t pair = student_model.net.pair[at & (AQM_STUDENT_WEIGHTS / 2 - 1)];
	const uint32_t j = 2 * row->pair & (BPF_PLACES - 2);

	(void)i;
	(void)context;
	if (row->pair == 0)
		row->sum = student_model.net.bias[(row->first_row + row->row) &
						  (AQM_STUDENT_ROWS - 1)];
	row->sum += (int8_t)pair * x[j] + (pair >> 8) * x[j + 1];
	if (++row->pair < row->pairs)
		return 0;
	bpf_row_end(row);
	row->pair = 0;
	row->row++;
	return 0;
}

/* A layer, from one half of the places into the other, or into `gate`. */
__attribute__((noinline)) int bpf_layer_run(uint32_t index, uint32_t half, uint32_t to_gate)
{
	const struct aqm_student_layer *layer =
		&student_model.layer[index & (AQM_STUDENT_LAYERS - 1)];

	student_scratch.row = (struct bpf_row){
		.rows = aqm_student_rows(layer->outputs),
		.pairs = (layer->inputs + 1U) / 2,
		.activation = layer->activation,
		.half = half,
		.first_pair = layer->first_pair,
		.first_row = layer->first_row,
		.to_gate = to_gate != 0,
	};

	student_scratch.place[half & 1][layer->inputs & (BPF_PLACES - 1)] = 0;
	bpf_loop(layer->outputs * student_scratch.row.pairs, bpf_pair_run, NULL, 0);
	return 0;
}

/* The state goes behind the cell's inputs. */
static long bpf_cell_in(uint32_t i, void *context)
{
	const struct bpf_cell *cell = &student_scratch.cell;
	const uint32_t at = cell->hidden + i;

	(void)context;
	if (at < AQM_STUDENT_WIDTH)
		student_scratch.place[cell->half & 1][(cell->inputs + i) & (BPF_PLACES - 1)] =
			(int16_t)(student_scratch.hidden[at] >> 4);
	return 0;
}

/* Behind the first gate. */
static long bpf_cell_gate(uint32_t i, void *context)
{
	const struct bpf_cell *cell = &student_scratch.cell;
	int16_t *own =
		&student_scratch.place[cell->half & 1][(cell->inputs + i) & (BPF_PLACES - 1)];

	(void)context;
	*own = (int16_t)aqm_halved_s32(student_scratch.gate[i & (BPF_PLACES - 1)] * *own, 12);
	return 0;
}

/* The state moves towards the candidate. */
static long bpf_cell_out(uint32_t i, void *context)
{
	const struct bpf_cell *cell = &student_scratch.cell;
	const uint32_t at = cell->hidden + i;
	const int32_t gate = student_scratch.gate[(cell->size + i) & (BPF_PLACES - 1)];
	int16_t *y = &student_scratch.place[~cell->half & 1][i & (BPF_PLACES - 1)];

	(void)context;
	if (at >= AQM_STUDENT_WIDTH)
		return 1;
	student_scratch.hidden[at] +=
		aqm_halved_s32(gate * (16 * *y - student_scratch.hidden[at]), 12);
	*y = (int16_t)(student_scratch.hidden[at] >> 4);
	return 0;
}

/* The cell whose gates are layer `index`, and whose state begins at `hidden`. */
AQM_INLINE void bpf_cell_run(uint32_t index, uint32_t half, uint32_t hidden)
{
	const uint32_t size = student_model.layer[(index + 1) & (AQM_STUDENT_LAYERS - 1)].outputs;

	student_scratch.cell = (struct bpf_cell){
		.inputs = student_model.layer[index & (AQM_STUDENT_LAYERS - 1)].inputs - size,
		.size = size,
		.half = half,
		.hidden = hidden,
	};

	bpf_loop(size, bpf_cell_in, NULL, 0);
	bpf_layer_run(index, half, 1);
	bpf_loop(size, bpf_cell_gate, NULL, 0);
	bpf_layer_run(index + 1, half, 0);
	bpf_loop(size, bpf_cell_out, NULL, 0);
}

#include "kernel/bpf/attention_own.h"

/* Inputs are in the first half of the places. */
__attribute__((noinline)) int bpf_net_run(void)
{
	uint32_t half = 0, hidden = 0;

	for (uint32_t l = 0; l < AQM_STUDENT_LAYERS && l < student_model.layers; l++) {
		if (student_model.layer[l].kind == AQM_STUDENT_gates) {
			bpf_cell_run(l, half, hidden);
			l++;
			hidden += student_model.layer[l & (AQM_STUDENT_LAYERS - 1)].outputs;
		} else if (student_model.layer[l].kind == AQM_STUDENT_attention) {
			bpf_attention_run(l, half);
		} else if (student_model.layer[l].kind == AQM_STUDENT_residual) {
			bpf_residual_run(l, half);
		} else {
			bpf_layer_run(l, half, 0);
		}
		half = !half;
	}
	for (uint32_t i = 0; i < AQM_STUDENT_OUTPUTS && i < student_model.outputs; i++)
		student_scratch.output[i] = student_scratch.place[half & 1][i];
	return 0;
}

static long bpf_node_run(uint32_t i, void *context)
{
	struct bpf_walk *walk = &student_scratch.walk;
	const struct aqm_student_node *node;
	uint32_t feature = 0;
	bool above;

	(void)i;
	(void)context;
	if (walk->leaf || walk->at >= AQM_STUDENT_NODES)
		return 1;
	node = &student_model.tree.nodes[walk->at];
	if (node->input < AQM_STUDENT_INPUTS)
		feature = student_model.feature[node->input];
	if (feature >= AQM_STUDENT_FEATURE_COUNT)
		return 1;
	above = student_scratch.feature[feature] >= node->threshold;
	walk->at = above ? node->above : node->below;
	walk->leaf = (uint32_t)node->leaves >> above & 1;
	return 0;
}

__attribute__((noinline)) int bpf_tree_run(void)
{
	const int16_t *leaf;

	student_scratch.walk = (struct bpf_walk){.leaf = student_model.nodes == 0};
	bpf_loop(AQM_STUDENT_NODES, bpf_node_run, NULL, 0);
	leaf = student_model.tree.leaves[student_scratch.walk.at & (AQM_STUDENT_LEAVES - 1)];
	for (uint32_t i = 0; i < AQM_STUDENT_OUTPUTS && i < student_model.outputs; i++)
		student_scratch.output[i] = leaf[i];
	return 0;
}

/* One after another: clang would spread a copy out, over more stack than there is. */
#define BPF_COPY(to, from, count)                                                                  \
	for (uint32_t bpf_at = 0; bpf_at < (count); bpf_at++) {                                    \
		(to)[bpf_at] = (from)[bpf_at];                                                     \
		__asm__ volatile("" ::: "memory");                                                 \
	}

AQM_PART void bpf_speak_take(const struct aqm_student_vars *vars)
{
	BPF_COPY(student_scratch.feature, vars->sense.feature, AQM_STUDENT_FEATURE_COUNT)
	BPF_COPY(student_scratch.place[0], vars->input, AQM_STUDENT_PLACES)
	BPF_COPY(student_scratch.hidden, vars->state.hidden, AQM_STUDENT_WIDTH)
}

AQM_PART void bpf_ring_take(const struct aqm_student_ring *ring)
{
	BPF_COPY(student_scratch.ring.key, ring->key, AQM_STUDENT_RING)
	BPF_COPY(student_scratch.ring.value, ring->value, AQM_STUDENT_RING)
	student_scratch.ring.next = ring->next;
}

AQM_PART void bpf_ring_give(struct aqm_student_ring *ring)
{
	BPF_COPY(ring->key, student_scratch.ring.key, AQM_STUDENT_RING)
	BPF_COPY(ring->value, student_scratch.ring.value, AQM_STUDENT_RING)
	ring->next = student_scratch.ring.next;
}

AQM_PART void bpf_speak_give(struct aqm_student_vars *vars)
{
	BPF_COPY(vars->state.hidden, student_scratch.hidden, AQM_STUDENT_WIDTH)
	BPF_COPY(vars->output, student_scratch.output, AQM_STUDENT_OUTPUTS)
}

AQM_INLINE void aqm_student_speak(struct aqm_student_vars *vars)
{
	const bool attends = bpf_attends();

	bpf_speak_take(vars);
	if (attends)
		bpf_ring_take(&vars->state.ring);
	if (student_model.kind == AQM_STUDENT_tree)
		bpf_tree_run();
	else
		bpf_net_run();
	bpf_speak_give(vars);
	if (attends)
		bpf_ring_give(&vars->state.ring);
}

/* All features, whatever the model reads: which they are would be for the verifier to follow. */
AQM_INLINE void aqm_student_speak_of(struct aqm_student_vars *vars,
				     const uint64_t value[AQM_STUDENT_VALUES], bool all)
{
	(void)all;
	aqm_student_features_of(value, 0, AQM_STUDENT_FIRST_TICK, vars->sense.feature);
	aqm_student_read_inputs(vars, 0, student_model.fast_inputs);
	aqm_student_speak(vars);
}

/* There are no function pointers, hence no taps. */
AQM_INLINE void aqm_student_tell(const struct aqm_student_params *params,
				 struct aqm_student_vars *vars, const struct aqm_facts *facts)
{
	(void)params;
	(void)vars;
	(void)facts;
}

AQM_INLINE void aqm_student_tell_stats(const struct aqm_student_params *params,
				       const struct aqm_student_stats *stats)
{
	(void)params;
	(void)stats;
}

#endif
