/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jobs on threads: each thread takes the next index until none is left.
 */
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/interrupt.h"

struct crew {
	int (*job)(void *context, size_t index);
	void *context;
	size_t count;
	atomic_size_t next;
	int *codes; /* (count) */
};

static void *work(void *argument)
{
	struct crew *crew = argument;

	for (;;) {
		const size_t index = atomic_fetch_add(&crew->next, 1);

		if (index >= crew->count)
			return NULL;
		crew->codes[index] = crew->job(crew->context, index);
	}
}

unsigned parallel_cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return CPU_COUNT(&set) > 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* The calling thread works too; a thread that cannot start is done without. */
static void run_crew(struct crew *crew, unsigned threads)
{
	pthread_t *helpers = calloc(threads, sizeof(*helpers));
	unsigned started = 0;
	sigset_t before;

	interrupt_block(&before);
	while (helpers && started + 1 < threads &&
	       pthread_create(&helpers[started], NULL, work, crew) == 0)
		started++;
	interrupt_unblock(&before);
	work(crew);
	for (unsigned i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
	free(helpers);
}

int parallel_for(size_t count, unsigned threads, int (*job)(void *context, size_t index),
		 void *context)
{
	struct crew crew = {.job = job, .context = context, .count = count};
	int code = 0;

	if (count == 0)
		return 0;
	crew.codes = calloc(count, sizeof(*crew.codes));
	if (crew.codes == NULL)
		return ERR_NO_MEMORY;
	atomic_init(&crew.next, 0);
	if (threads == 0)
		threads = parallel_cores();
	run_crew(&crew, threads < count ? threads : (unsigned)count);
	for (size_t i = 0; i < count && code == 0; i++)
		code = crew.codes[i];
	free(crew.codes);
	return code;
}
