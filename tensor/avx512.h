/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The door to AVX-512: intrinsics, and the sets of instructions that kernels
 * are compiled for.  A test builds the kernels over pairs of AVX2 vectors
 * instead (TENSOR_EMULATE_AVX512), so that every line of them runs, and is
 * checked, on machines that lack AVX-512.
 */
#ifndef TENSOR_AVX512_H
#define TENSOR_AVX512_H

#include <immintrin.h>

#ifdef TENSOR_EMULATE_AVX512

#include "tensor/avx512_emulated.h"

#define AVX512_F __attribute__((target("avx2,fma,f16c")))
#define AVX512_BW AVX512_F
#define AVX512_VNNI AVX512_F

#else

#define AVX512_F __attribute__((target("avx512f,avx2,fma,f16c")))
#define AVX512_BW __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma,f16c")))
#define AVX512_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")))

#endif

#endif
