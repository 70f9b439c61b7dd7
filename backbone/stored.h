/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checkpoints whose projections lie in the storages that they are used in.
 *
 * Beside what Hugging Face has, model.safetensors then holds NAME.q8_0 and
 * NAME.q4_0 in place of NAME: bytes (outputs, blocks, bytes of a block), one
 * row of blocks (backbone/blocks.h) an output, the last one filled up with
 * zeros.  All blocks of an int8 row have the row's scale.
 */
#ifndef BACKBONE_STORED_H
#define BACKBONE_STORED_H

#include "backbone/backbone.h"

/*
 * Writes config.json and model.safetensors with the i-th projection, as
 * backbone_matrices() counts them, as types[i]: f32, bf16, int8 or int4.
 * Values are rounded to what matrix_from_f32() would make of them; int8 scales
 * to 16 bits.  The token embedding is left out.  ERR_UNSUPPORTED for other
 * types and for weights that are not plain f32.
 */
int backbone_save_stored(const struct backbone *backbone, const enum matrix_type *types,
			 const char *directory, struct error *error);

#endif
