/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layers of a backbone one by one: each is a map of the residual stream,
 * x' = layer(x), both (B, T, W) with W the shape's inner_width, and its
 * derivative is there as a product with its transpose.
 *
 * For decoders (gpt2, opt, llama) on the CPU; ERR_UNSUPPORTED for T5, whose
 * second stack reads two streams, and on a device.
 */
#ifndef BACKBONE_LAYERS_H
#define BACKBONE_LAYERS_H

#include "backbone/backbone.h"

/* Layers that run: all, or those before stop_layer. */
int64_t backbone_layer_count(const struct backbone *backbone);

/* What layer 0 reads for these embeds (B, T, H): mapped to the inner width, positions added. */
int backbone_layer_input(const struct backbone *backbone, struct arena *arena,
			 const float *embeds, int64_t batch, int64_t tokens, float *stream,
			 struct error *error);

/* out = layer(in), without dropout; the two may not overlap. */
int backbone_layer_forward(const struct backbone *backbone, struct arena *arena, int64_t layer,
			   const float *in, int64_t batch, int64_t tokens, float *out,
			   struct error *error);

/*
 * d_in = J^T d_out, J the layer's Jacobian at `in`.  Gradients of parameters that have any are
 * added to as in backbone_backward().
 */
int backbone_layer_backward(const struct backbone *backbone, struct arena *arena, int64_t layer,
			    const float *in, int64_t batch, int64_t tokens, const float *d_out,
			    float *d_in, struct error *error);

#endif
