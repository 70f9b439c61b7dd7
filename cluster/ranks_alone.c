/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranks in a build without MPI: there is one.
 */
#include <stdlib.h>
#include <string.h>

#include "cluster/launcher.h"
#include "cluster/ranks.h"

int ranks_open(struct ranks *ranks, struct error *error)
{
	*ranks = (struct ranks){.rank = 0, .count = 1};
	if (launcher_is_mpi())
		return error_set(error, ERR_UNSUPPORTED,
				 "started by mpirun, but built without Open MPI: install "
				 "libopenmpi-dev and build anew, or use -j without mpirun");
	return 0;
}

void ranks_close(struct ranks *ranks)
{
	(void)ranks;
}

/* Nobody is there to send to or to hear from. */
void ranks_send(int to, int tag, const void *bytes, size_t size)
{
	(void)to, (void)tag, (void)bytes, (void)size;
	abort();
}

int ranks_poll(struct ranks_message *message)
{
	(void)message;
	return 0;
}

int ranks_wait(struct ranks_message *message)
{
	(void)message;
	abort();
}

void ranks_gather(const struct ranks *ranks, const void *own, size_t size, void *all)
{
	(void)ranks;
	memcpy(all, own, size);
}

void ranks_sum(const struct ranks *ranks, float *values, size_t count)
{
	(void)ranks, (void)values, (void)count;
}
