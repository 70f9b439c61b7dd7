/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranks over MPI.  Waiting is polling with naps, because MPI's own waiting
 * keeps a core busy that a run could use.
 */
#include <mpi.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/launcher.h"
#include "cluster/ranks.h"

#define NAP_NS 200000
#define PIECE (1 << 18) /* floats of a sum under way at a time */
#define RANKS_MAX 4096	/* that a sum goes over */

int ranks_open(struct ranks *ranks, struct error *error)
{
	int provided;

	*ranks = (struct ranks){.rank = 0, .count = 1};
	if (!launcher_is_mpi())
		return 0;
	if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
		return error_set(error, ERR_FAILED, "Open MPI cannot be started");
	MPI_Comm_rank(MPI_COMM_WORLD, &ranks->rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ranks->count);
	if (provided < MPI_THREAD_FUNNELED) {
		ranks_close(ranks);
		return error_set(error, ERR_UNSUPPORTED,
				 "this Open MPI was built without threads; use -j instead");
	}
	return 0;
}

void ranks_close(struct ranks *ranks)
{
	int begun;

	MPI_Initialized(&begun);
	if (begun)
		MPI_Finalize();
	*ranks = (struct ranks){.rank = 0, .count = 1};
}

void ranks_send(int to, int tag, const void *bytes, size_t size)
{
	MPI_Send(bytes, (int)size, MPI_BYTE, to, tag, MPI_COMM_WORLD);
}

int ranks_poll(struct ranks_message *message)
{
	MPI_Status status;
	int there, size;

	MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
	if (!there)
		return 0;
	MPI_Get_count(&status, MPI_BYTE, &size);
	message->from = status.MPI_SOURCE;
	message->tag = status.MPI_TAG;
	message->size = (size_t)size;
	message->bytes = malloc(message->size + 1);
	if (message->bytes == NULL)
		return ERR_NO_MEMORY;
	MPI_Recv(message->bytes, size, MPI_BYTE, message->from, message->tag, MPI_COMM_WORLD,
		 MPI_STATUS_IGNORE);
	return 1;
}

int ranks_wait(struct ranks_message *message)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	int code;

	while ((code = ranks_poll(message)) == 0)
		nanosleep(&nap, NULL);
	return code;
}

void ranks_gather(const struct ranks *ranks, const void *own, size_t size, void *all)
{
	if (ranks->count == 1)
		memcpy(all, own, size);
	else
		MPI_Allgather(own, (int)size, MPI_BYTE, all, (int)size, MPI_BYTE, MPI_COMM_WORLD);
}

/*
 * Each rank adds up one part: it hears that part of every rank, adds in their
 * order and tells the sum to all.
 */
static void piece_sum(const struct ranks *ranks, float *values, int count)
{
	static float parts[PIECE + RANKS_MAX];
	static int lengths[RANKS_MAX], starts[RANKS_MAX], own_lengths[RANKS_MAX],
		own_starts[RANKS_MAX];
	const int n = ranks->count;
	int length;

	for (int r = 0; r < n; r++) {
		starts[r] = (int)((int64_t)count * r / n);
		lengths[r] = (int)((int64_t)count * (r + 1) / n) - starts[r];
	}
	length = lengths[ranks->rank];
	for (int r = 0; r < n; r++) {
		own_lengths[r] = length;
		own_starts[r] = r * length;
	}
	MPI_Alltoallv(values, lengths, starts, MPI_FLOAT, parts, own_lengths, own_starts, MPI_FLOAT,
		      MPI_COMM_WORLD);
	for (int i = 0; i < length; i++) {
		float sum = parts[i];

		for (int r = 1; r < n; r++)
			sum += parts[r * length + i];
		values[starts[ranks->rank] + i] = sum;
	}
	MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, lengths, starts, MPI_FLOAT,
		       MPI_COMM_WORLD);
}

void ranks_sum(const struct ranks *ranks, float *values, size_t count)
{
	if (ranks->count == 1)
		return;
	if (ranks->count > RANKS_MAX)
		MPI_Abort(MPI_COMM_WORLD, 1);
	for (size_t done = 0; done < count; done += PIECE)
		piece_sum(ranks, values + done,
			  (int)(count - done < PIECE ? count - done : PIECE));
}
