/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranks over MPI.  Waiting is polling with naps, because MPI's own waiting
 * keeps a core busy that a run could use.
 */
#include <mpi.h>
#include <stdlib.h>
#include <time.h>

#include "cluster/launcher.h"
#include "cluster/ranks.h"

#define NAP_NS 200000

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
