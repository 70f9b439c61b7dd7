/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions are tried at BINS thresholds between a leaf's least and largest
 * value of a feature.  Rows are kept by leaf in one array of indices, of which
 * a split parts its leaf's piece in two.
 */
#include "learn/tree_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/student_float.h"

#define BINS 64

struct sums {
	double count, squares, of[AQM_STUDENT_OUTPUTS];
};

struct leaf {
	int64_t first, end; /* of the rows */
	struct sums sums;
	double gain; /* of its best question; 0: none */
	int input;   /* of the model, that it asks about */
	int16_t threshold;
	int parent; /* node that leads here, or -1 */
	bool above; /* on which side */
};

struct growth {
	const struct visits *visits;
	const struct visits_part *part;
	struct aqm_student_model *model;
	int64_t *row, *spare; /* (rows): indices into the part, leaf by leaf */
	int64_t rows;
	struct leaf leaf[AQM_STUDENT_LEAVES];
	int leaves;
};

static void sums_add(struct sums *sums, const float *target, int outputs)
{
	sums->count++;
	for (int c = 0; c < outputs; c++) {
		sums->of[c] += (double)target[c];
		sums->squares += (double)target[c] * (double)target[c];
	}
}

static void sums_merge(struct sums *sums, const struct sums *more)
{
	sums->count += more->count;
	sums->squares += more->squares;
	for (int c = 0; c < AQM_STUDENT_OUTPUTS; c++)
		sums->of[c] += more->of[c];
}

/* What `whole` holds more than `part`. */
static struct sums sums_rest(const struct sums *whole, const struct sums *part)
{
	struct sums rest = {whole->count - part->count, whole->squares - part->squares, {0}};

	for (int c = 0; c < AQM_STUDENT_OUTPUTS; c++)
		rest.of[c] = whole->of[c] - part->of[c];
	return rest;
}

/* Cross-entropy, in nats, of all rows with their mean; of settings their squares around it. */
static double disorder(const struct growth *growth, const struct sums *sums)
{
	double total = 0;

	if (growth->model->mode != AQM_STUDENT_verdict) {
		total = sums->squares;
		for (int c = 0; c < growth->visits->outputs; c++)
			total -= sums->of[c] * sums->of[c] / sums->count;
		return total;
	}
	for (int c = 0; c < growth->visits->outputs; c++)
		if (sums->of[c] > 0)
			total -= sums->of[c] * log(sums->of[c] / sums->count);
	return total;
}

static const float *target_of(const struct growth *growth, int64_t row)
{
	return growth->part->target + row * growth->visits->outputs;
}

static int16_t seen_of(const struct growth *growth, int64_t row, int feature)
{
	return growth->part->seen[row * growth->visits->features + feature];
}

/* The best threshold of one input for a leaf, if it is better than what the leaf has. */
static void try_input(const struct growth *growth, struct leaf *leaf, int input)
{
	const int feature = growth->model->feature[input];
	struct sums bin[BINS] = {0}, below = {0};
	int low = INT16_MAX, high = INT16_MIN, width;

	for (int64_t i = leaf->first; i < leaf->end; i++) {
		const int value = seen_of(growth, growth->row[i], feature);

		low = value < low ? value : low;
		high = value > high ? value : high;
	}
	width = (high - low) / BINS + 1;
	for (int64_t i = leaf->first; i < leaf->end; i++)
		sums_add(&bin[(seen_of(growth, growth->row[i], feature) - low) / width],
			 target_of(growth, growth->row[i]), growth->visits->outputs);
	for (int b = 0; b + 1 < BINS && low + (b + 1) * width <= high; b++) {
		struct sums above;
		double gain;

		sums_merge(&below, &bin[b]);
		above = sums_rest(&leaf->sums, &below);
		if (below.count < TREE_LEAST_ROWS || above.count < TREE_LEAST_ROWS)
			continue;
		gain = disorder(growth, &leaf->sums) - disorder(growth, &below) -
		       disorder(growth, &above);
		if (gain <= leaf->gain + 1e-9)
			continue;
		leaf->gain = gain;
		leaf->input = input;
		leaf->threshold = (int16_t)(low + (b + 1) * width);
	}
}

static void leaf_fill(const struct growth *growth, struct leaf *leaf)
{
	leaf->sums = (struct sums){0};
	leaf->gain = 0;
	for (int64_t i = leaf->first; i < leaf->end; i++)
		sums_add(&leaf->sums, target_of(growth, growth->row[i]), growth->visits->outputs);
	for (int input = 0; input < growth->model->inputs; input++)
		try_input(growth, leaf, input);
}

/* Rows of a leaf, those below the threshold first; returns where the others begin. */
static int64_t part_rows(struct growth *growth, const struct leaf *leaf)
{
	int64_t below = leaf->first, above = 0;

	for (int64_t i = leaf->first; i < leaf->end; i++) {
		const int64_t row = growth->row[i];

		if (seen_of(growth, row, growth->model->feature[leaf->input]) < leaf->threshold)
			growth->row[below++] = row;
		else
			growth->spare[above++] = row;
	}
	memcpy(growth->row + below, growth->spare, (size_t)above * sizeof(*growth->row));
	return below;
}

/* Tells the node above which node or leaf stands there now. */
static void link_parent(struct aqm_student_tree *tree, const struct leaf *leaf, int to,
			bool is_leaf)
{
	struct aqm_student_node *node;

	if (leaf->parent < 0)
		return;
	node = &tree->nodes[leaf->parent];
	if (leaf->above)
		node->above = (uint8_t)to;
	else
		node->below = (uint8_t)to;
	if (is_leaf)
		node->leaves |= (uint8_t)(1 << leaf->above);
}

static void split(struct growth *growth, int at)
{
	struct aqm_student_model *model = growth->model;
	struct leaf *below = &growth->leaf[at], *above = &growth->leaf[growth->leaves++];
	const int node = model->nodes++;

	link_parent(&model->tree, below, node, false);
	model->tree.nodes[node] = (struct aqm_student_node){.input = (uint8_t)below->input,
							    .threshold = below->threshold};
	*above = (struct leaf){.first = part_rows(growth, below), .end = below->end,
			       .parent = node, .above = true};
	*below = (struct leaf){.first = below->first, .end = above->first, .parent = node};
	leaf_fill(growth, below);
	leaf_fill(growth, above);
}

static void write_leaf(struct aqm_student_model *model, const struct leaf *leaf, int index)
{
	for (int c = 0; c < model->outputs; c++) {
		const double mean = leaf->sums.of[c] / leaf->sums.count;

		model->tree.leaves[index][c] = model->mode == AQM_STUDENT_verdict
						       ? student_output_of(mean)
						       : student_setting_of(mean);
	}
	link_parent(&model->tree, leaf, index, true);
}

static void grow_tree(struct growth *growth, int most)
{
	struct aqm_student_model *model = growth->model;

	growth->leaf[0] = (struct leaf){.end = growth->rows, .parent = -1};
	growth->leaves = 1;
	leaf_fill(growth, &growth->leaf[0]);
	while (growth->leaves < most) {
		int best = 0;

		for (int i = 1; i < growth->leaves; i++)
			if (growth->leaf[i].gain > growth->leaf[best].gain)
				best = i;
		if (growth->leaf[best].gain <= 0)
			break;
		split(growth, best);
	}
	model->leaves = (uint8_t)growth->leaves;
	for (int i = 0; i < growth->leaves; i++)
		write_leaf(model, &growth->leaf[i], i);
}

static void take_rows(struct growth *growth)
{
	for (int64_t i = 0; i < growth->part->segments * VISITS_SEGMENT; i++)
		if (visits_asked(target_of(growth, i)))
			growth->row[growth->rows++] = i;
}

int tree_fit(struct aqm_student_model *model, int leaves, const struct visits *visits,
	     const struct visits_part *part, struct error *error)
{
	const size_t steps = (size_t)(part->segments * VISITS_SEGMENT);
	struct growth growth = {.visits = visits, .part = part, .model = model};
	int status = 0;

	memset(&model->tree, 0, sizeof(model->tree));
	model->kind = AQM_STUDENT_tree;
	model->layers = 0;
	model->nodes = 0;
	growth.row = malloc((steps + 1) * sizeof(*growth.row));
	growth.spare = malloc((steps + 1) * sizeof(*growth.spare));
	if (!growth.row || !growth.spare) {
		status = error_set(error, ERR_NO_MEMORY, "%zu visited states", steps);
	} else {
		take_rows(&growth);
		if (growth.rows == 0)
			status = error_set(error, ERR_INVALID, "no visited state has a target");
		else
			grow_tree(&growth, leaves);
	}
	free(growth.row);
	free(growth.spare);
	return status ? status : student_model_complete(model, NULL, error);
}
