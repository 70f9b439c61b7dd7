/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranks: the processes of one program that mpirun started together, on one
 * machine or on many, and messages between them.
 *
 * A process that was not started by mpirun is rank 0 of 1, and pays nothing for
 * Open MPI.  One thread at a time may call these functions, always the one that
 * opened.  Failures of the transport end all ranks, as is usual with MPI.
 */
#ifndef CLUSTER_RANKS_H
#define CLUSTER_RANKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct ranks {
	int rank, count;
};

struct ranks_message {
	int from, tag;
	char *bytes; /* owned by the receiver, who frees it */
	size_t size;
};

/* ERR_UNSUPPORTED: started by mpirun, but built without Open MPI. */
int ranks_open(struct ranks *ranks, struct error *error);

/* Every rank must come here before it ends. */
void ranks_close(struct ranks *ranks);

/* Returns when `bytes` may be changed again. */
void ranks_send(int to, int tag, const void *bytes, size_t size);

/*
 * Takes a message that has arrived, if one has: 1, 0 when there is none,
 * ERR_NO_MEMORY.  Messages of one rank come in the order in which it sent them.
 */
int ranks_poll(struct ranks_message *message);

/* As ranks_poll(), but waits.  Sleeps meanwhile: the core is somebody else's. */
int ranks_wait(struct ranks_message *message);

/*
 * The following two are called by all ranks together; with one rank they copy,
 * or do nothing.
 */

/* `all` (count x size bytes) receives `own` (size bytes) of every rank, in their order. */
void ranks_gather(const struct ranks *ranks, const void *own, size_t size, void *all);

/*
 * `values` become their sums over ranks, added in the order of ranks: the same
 * bits on every rank and in every run, whatever arrives first.
 */
void ranks_sum(const struct ranks *ranks, float *values, size_t count);

#endif
