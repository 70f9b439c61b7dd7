/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The weight matrix of a linear map, in the storage that it happens to have.
 *
 * A decision reads every weight once, so its cost is the bytes of the weights:
 * 4 (f32), 2 (bf16, f16), 1 (int8) or 9/16 (int4) each.  Activations stay f32,
 * but where weights are whole numbers each row of them may be rounded to 16
 * bits.  Gradients are f32 always.
 */
#ifndef TENSOR_MATRIX_H
#define TENSOR_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/linear.h"

enum matrix_type {
	MATRIX_F32,
	MATRIX_BF16,
	MATRIX_F16,
	MATRIX_INT8, /* whole numbers in [-127, 127], times the scale of their output; blocked */
	MATRIX_INT4, /* (out, blocks of 32 inputs): struct matrix_block */
	MATRIX_TYPES,
};

#define MATRIX_BLOCK 32   /* inputs that share a scale: int4 */
#define MATRIX_OUTPUTS 16 /* of a block of a blocked matrix */

/*
 * q4_0 of GGUF: weight j of the block is (nibble - 8) x scale; bytes hold
 * weights 0..15 in their lower and 16..31 in their upper halves.
 */
struct matrix_block {
	uint16_t scale; /* f16 */
	uint8_t nibbles[MATRIX_BLOCK / 2];
};

/*
 * Maps rows of `in` numbers to rows of `out`.  Owns nothing.  f32, bf16 and
 * f16 lie in either layout, int4 is LINEAR_OUT_IN; an int4 row that does not
 * fill its last block goes on with zeros there.  Blocked, with both extents
 * rounded up and zeros where there is nothing: (out / 16, in / 2, 16, 2), the
 * fastest way for bf16, the only one for int8; f32 (out / 16, in, 16), which
 * has the size of the unblocked matrix where nothing is rounded up.
 */
struct matrix {
	enum matrix_type type;
	enum linear_layout layout; /* unless blocked */
	bool blocked;
	int64_t in, out;
	const void *data;    /* need not be aligned */
	const float *scales; /* (out rounded up to 16): int8 only */
};

/* Where the rows of a call lie; strides count floats from row to row. */
struct matrix_rows {
	int64_t rows, in_stride, out_stride;
};

/* "f32", "bf16", "f16", "int8", "int4" */
const char *matrix_type_name(enum matrix_type type);

/* False when no type has this name. */
bool matrix_type_find(enum matrix_type *type, const char *name);

/* Bytes of `data`, of `scales`, and of both; type, blocked, in and out must be set. */
size_t matrix_data_bytes(const struct matrix *matrix);
size_t matrix_scales_bytes(const struct matrix *matrix);
size_t matrix_bytes(const struct matrix *matrix);

/*
 * Rounds `weight`, which lies as `layout` says, into `data` and `scales` (room
 * as above) and points the matrix, all else of which is set, there.  Rounding
 * is to nearest; int8 scales are the largest size over 127, int4 blocks scale
 * so that their largest number becomes -8.
 */
void matrix_from_f32(struct matrix *matrix, void *data, float *scales, const float *weight,
		     enum linear_layout layout);

/* The weights as f32, laid out as `layout` says. */
void matrix_to_f32(float *weight, enum linear_layout layout, const struct matrix *matrix);

/*
 * Inputs [i0, i1) of outputs [o0, o1) as f32: row-major without gaps, laid out
 * like the matrix, or LINEAR_OUT_IN when that is blocked.
 */
void matrix_part_to_f32(float *part, const struct matrix *matrix, int64_t o0, int64_t o1,
			int64_t i0, int64_t i1);

/* Bytes of scratch that both functions need when called now from this thread; may be 0. */
size_t matrix_scratch_bytes(const struct matrix *matrix, int64_t rows);

/*
 * out = in W + bias + residual.  `bias` (out) and `residual` (like out, the
 * same stride; may be out itself) may be NULL.
 */
void matrix_forward(float *out, const float *in, const struct matrix *matrix, const float *bias,
		    const float *residual, const struct matrix_rows *rows, void *scratch);

/* d_in = d_out W^T, or added to d_in with `add`. */
void matrix_backward_input(float *d_in, const float *d_out, const struct matrix *matrix, bool add,
			   const struct matrix_rows *rows, void *scratch);

/* matrix_forward() by its definition: one weight at a time, summed in double. */
void matrix_forward_reference(float *out, const float *in, const struct matrix *matrix,
			      const float *bias, const float *residual,
			      const struct matrix_rows *rows);

#endif
