/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads inside one operation, through OpenMP: the same pool that oneDNN
 * uses, so that the two never compete.  Built without OpenMP, everything runs
 * on the calling thread.
 */
#include "tensor/threads.h"

#ifdef _OPENMP
#include <omp.h>
#endif

int tensor_threads_get(void)
{
#ifdef _OPENMP
	return omp_get_max_threads();
#else
	return 1;
#endif
}

void tensor_threads_set(int threads)
{
#ifdef _OPENMP
	omp_set_num_threads(threads < 1 ? 1 : threads);
#else
	(void)threads;
#endif
}

int tensor_workers(void)
{
#ifdef _OPENMP
	return omp_in_parallel() ? 1 : omp_get_max_threads();
#else
	return 1;
#endif
}

void tensor_split(int64_t count, int64_t grain,
		  void (*body)(void *context, int worker, int64_t begin, int64_t end),
		  void *context)
{
	int64_t parts = tensor_workers();

	if (parts > count / grain)
		parts = count / grain;
	if (parts <= 1) {
		if (count > 0)
			body(context, 0, 0, count);
		return;
	}
#ifdef _OPENMP
#pragma omp parallel for num_threads((int)parts) schedule(static, 1)
#endif
	for (int64_t part = 0; part < parts; part++)
		body(context, (int)part, count * part / parts, count * (part + 1) / parts);
}
