/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Independent jobs on all cores.
 */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <stddef.h>

/*
 * Calls job(context, i) once for every i in [0, count) on up to `threads`
 * threads (0: one per core).  Jobs must be independent and write only to their
 * own slot, so that results do not depend on the number of threads.
 * Returns the code of the lowest-numbered failing job, or 0.
 */
int parallel_for(size_t count, unsigned threads, int (*job)(void *context, size_t index),
		 void *context);

/* Cores this process may run on, >= 1. */
unsigned parallel_cores(void);

#endif
