/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction sets, asked for once: in a virtual machine each question costs
 * as much as a small product.
 */
#include "tensor/level.h"

#include <stdatomic.h>
#include <stdbool.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif

static atomic_int found = -1;
static atomic_int cap = TENSOR_LEVELS - 1;

const char *tensor_level_name(enum tensor_level level)
{
	static const char *const names[TENSOR_LEVELS] = {
		[TENSOR_LEVEL_PLAIN] = "plain", [TENSOR_LEVEL_AVX2] = "AVX2",
		[TENSOR_LEVEL_AVX512] = "AVX-512", [TENSOR_LEVEL_VNNI] = "AVX-512 VNNI",
	};

	return names[level];
}

#if defined(__x86_64__) && defined(__GNUC__)

/* clang 14 does not know this name in __builtin_cpu_supports. */
static bool has_f16c(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static enum tensor_level find(void)
{
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
		return TENSOR_LEVEL_PLAIN;
#ifdef TENSOR_EMULATE_AVX512
	return TENSOR_LEVEL_VNNI;
#endif
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
	    !__builtin_cpu_supports("avx512vl"))
		return TENSOR_LEVEL_AVX2;
	return __builtin_cpu_supports("avx512vnni") ? TENSOR_LEVEL_VNNI : TENSOR_LEVEL_AVX512;
}

#else

static enum tensor_level find(void)
{
	return TENSOR_LEVEL_PLAIN;
}

#endif

enum tensor_level tensor_level(void)
{
	int level = atomic_load_explicit(&found, memory_order_relaxed);
	const int most = atomic_load_explicit(&cap, memory_order_relaxed);

	if (level < 0) {
		level = (int)find();
		atomic_store_explicit(&found, level, memory_order_relaxed);
	}
	return (enum tensor_level)(level < most ? level : most);
}

void tensor_level_cap(enum tensor_level level)
{
	atomic_store(&cap, (int)level);
}
