/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads inside one operation: a small pool that never waits for a helper
 * that did not come.
 *
 * An operation is cut into parts.  Helpers and the caller claim parts from one
 * atomic word (number of parts, next part); the caller returns when all are
 * done.  A helper that the scheduler keeps away (a machine shared with others)
 * costs nothing: the caller claims its part too.  Helpers look out for work
 * for a few microseconds, then sleep; waking them is one system call.
 *
 * One operation at a time has the helpers.  Who finds them taken does all
 * parts alone, and who runs inside a part does the operation uncut: programs
 * with a thread for each model lose nothing to each other.  The cut follows
 * from the number of threads asked for, not from the cores there are, because
 * oneDNN's kernels for AVX2 round an item differently with its neighbours.
 *
 * OpenMP is not used for this because its barriers wait for every thread, for
 * many milliseconds where cores are shared; oneDNN's own use of it is confined
 * to one thread.
 */
#include "tensor/threads.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/parallel.h"

#ifdef _OPENMP
#include <omp.h>
#endif

#define HELPERS_MAX 63
#define SPINS 1000 /* some tens of microseconds */

typedef void split_body(void *context, int worker, int64_t begin, int64_t end);

static struct {
	pthread_once_t once;
	pthread_mutex_t busy;    /* held for the length of an operation */
	int helpers;
	_Atomic uint32_t claims; /* parts in the upper half, next part in the lower */
	_Atomic int done;        /* parts finished */
	_Atomic uint32_t epoch;  /* counts operations: what helpers sleep on */
	_Atomic int asleep;
	split_body *body;        /* the operation; still while a part is claimed */
	void *context;
	int64_t count;
} pool = {.once = PTHREAD_ONCE_INIT, .busy = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local int limit;    /* 0: every core */
static _Thread_local bool inside;  /* running a part */

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* Claims and runs one part; false when there is none. */
static bool part_run(void)
{
	uint32_t claims = atomic_load_explicit(&pool.claims, memory_order_acquire);
	int64_t part, parts;

	do {
		part = claims & 0xffff;
		parts = claims >> 16;
		if (part >= parts)
			return false;
	} while (!atomic_compare_exchange_weak(&pool.claims, &claims, claims + 1));
	pool.body(pool.context, (int)part, pool.count * part / parts,
		  pool.count * (part + 1) / parts);
	atomic_fetch_add_explicit(&pool.done, 1, memory_order_release);
	return true;
}

static void helper_sleep(uint32_t epoch)
{
	atomic_fetch_add(&pool.asleep, 1);
	syscall(SYS_futex, &pool.epoch, FUTEX_WAIT_PRIVATE, epoch, NULL, NULL, 0);
	atomic_fetch_sub(&pool.asleep, 1);
}

static void *helper_main(void *unused)
{
	(void)unused;
	inside = true;
	tensor_library_confine();
	for (;;) {
		const uint32_t epoch = atomic_load(&pool.epoch);
		int spins = 0;

		while (part_run())
			;
		while (spins++ < SPINS && atomic_load(&pool.epoch) == epoch)
			relax();
		if (atomic_load(&pool.epoch) == epoch)
			helper_sleep(epoch);
	}
	return NULL;
}

/* Helpers take no signals: those belong to the program's own threads. */
static void pool_start(void)
{
	const int wanted = (int)parallel_cores() - 1;
	sigset_t before;

	interrupt_block(&before);
	while (pool.helpers < wanted && pool.helpers < HELPERS_MAX) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, helper_main, NULL))
			break;
		pthread_detach(thread);
		pool.helpers++;
	}
	interrupt_unblock(&before);
}

void tensor_library_confine(void)
{
#ifdef _OPENMP
	static _Thread_local bool confined;

	if (!confined)
		omp_set_num_threads(1);
	confined = true;
#endif
}

int tensor_threads_get(void)
{
	const int threads = limit > 0 ? limit : (int)parallel_cores();

	return threads <= HELPERS_MAX ? threads : HELPERS_MAX + 1;
}

void tensor_threads_set(int threads)
{
	limit = threads < 1 ? 1 : threads;
}

int tensor_workers(void)
{
	return inside ? 1 : tensor_threads_get();
}

static void operation_start(split_body *body, void *context, int64_t count, uint32_t parts)
{
	pool.body = body;
	pool.context = context;
	pool.count = count;
	atomic_store(&pool.done, 0);
	atomic_store_explicit(&pool.claims, parts << 16, memory_order_release);
	atomic_fetch_add(&pool.epoch, 1);
	if (atomic_load(&pool.asleep))
		syscall(SYS_futex, &pool.epoch, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void operation_finish(int parts)
{
	int spins = 0;

	while (part_run())
		;
	while (atomic_load_explicit(&pool.done, memory_order_acquire) < parts)
		if (spins++ < SPINS)
			relax();
		else
			sched_yield();
}

static void parts_alone(int64_t count, int64_t parts, split_body *body, void *context)
{
	if (parts <= 1 && count > 0)
		body(context, 0, 0, count);
	for (int64_t part = 0; parts > 1 && part < parts; part++)
		body(context, (int)part, count * part / parts, count * (part + 1) / parts);
}

void tensor_split(int64_t count, int64_t grain, split_body *body, void *context)
{
	int64_t parts = tensor_workers();

	if (parts > count / grain)
		parts = count / grain;
	if (parts > 1)
		pthread_once(&pool.once, pool_start);
	if (parts <= 1 || pthread_mutex_trylock(&pool.busy)) {
		parts_alone(count, parts, body, context);
		return;
	}
	inside = true;
	operation_start(body, context, count, (uint32_t)parts);
	operation_finish((int)parts);
	inside = false;
	pthread_mutex_unlock(&pool.busy);
}
