/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the instruction sets that kernels are written for this machine has.
 */
#ifndef TENSOR_LEVEL_H
#define TENSOR_LEVEL_H

/* Each has all that the one before it has. */
enum tensor_level {
	TENSOR_LEVEL_PLAIN,
	TENSOR_LEVEL_AVX2,   /* with FMA and F16C */
	TENSOR_LEVEL_AVX512, /* F, BW and VL */
	TENSOR_LEVEL_VNNI,   /* AVX512_VNNI */
	TENSOR_LEVELS,
};

/* "plain", "AVX2", "AVX-512", "AVX-512 VNNI" */
const char *tensor_level_name(enum tensor_level level);

/* The highest level of this machine, or the cap if that is lower. */
enum tensor_level tensor_level(void);

/* For tests and for finding faults: no thread's kernels go above `level` from now on. */
void tensor_level_cap(enum tensor_level level);

#endif
