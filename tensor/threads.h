/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads inside one operation.
 *
 * The number of threads belongs to the calling thread, not to the process.
 * Helpers are shared: while one operation has them, operations of other
 * threads run on their caller alone, so that many small networks side by side
 * never fight for cores.
 */
#ifndef TENSOR_THREADS_H
#define TENSOR_THREADS_H

#include <stdint.h>

/* Threads that operations called from this thread may use, 1 to 64 (at first, every core). */
int tensor_threads_get(void);

/*
 * Sets it; values below 1 mean 1.  It may exceed the cores there are: operations are then cut as
 * on a machine with so many, and give its bits.
 */
void tensor_threads_set(int threads);

/* Largest `worker` + 1 that tensor_split() will pass when called now. */
int tensor_workers(void);

/*
 * Calls body(context, worker, begin, end) over disjoint ranges that cover
 * [0, count).  Ranges hold at least `grain` (>= 1) items as long as there is
 * more than one.  No two calls share a `worker` number.  The cut depends on
 * the number of threads alone: a body that rounds an item differently with
 * other neighbours gives other last bits for another number of threads.
 */
void tensor_split(int64_t count, int64_t grain,
		  void (*body)(void *context, int worker, int64_t begin, int64_t end),
		  void *context);

/* Keeps oneDNN's calls from this thread on this thread; cheap when already done. */
void tensor_library_confine(void);

#endif
