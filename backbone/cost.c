/* SPDX-License-Identifier: BSD-2-Clause */
#include "backbone/cost.h"

#include "backbone/decoder.h"

static size_t held_bytes(const struct backbone_weight *weight)
{
	return weight->matrix.data ? matrix_bytes(&weight->matrix)
				   : (size_t)weight->param.count * sizeof(float);
}

struct backbone_cost backbone_cost(const struct backbone *backbone, int64_t tokens, int64_t keys)
{
	const bool decoder = backbone->architecture->pass == &decoder_pass;
	struct backbone_cost cost = {0};

	for (size_t i = 0; i < backbone->weight_count; i++) {
		const struct backbone_weight *weight = &backbone->weights[i];

		if (!weight->used || weight->absent)
			continue;
		cost.parameters += weight->param.count;
		cost.bytes += held_bytes(weight);
		if (weight->matrix.in > 0)
			cost.operations +=
				(double)(weight->matrix.in * weight->matrix.out * tokens);
	}
	for (size_t i = 0; i < backbone->adapter.used; i++) {
		cost.parameters += backbone->adapter.params[i].count;
		cost.bytes += (size_t)backbone->adapter.params[i].count * sizeof(float);
		cost.operations += (double)(backbone->adapter.params[i].count * tokens);
	}
	for (int64_t l = 0; decoder && l < backbone->decoder.run_layers; l++)
		cost.operations += 2.0 * (double)(tokens * keys) *
				   (double)decoder_q_width(backbone, &backbone->decoder.layers[l]);
	return cost;
}
