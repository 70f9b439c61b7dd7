/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open MPI's mpirun says how many it started; batch systems that speak PMI or
 * PMIx say so in their own variables.
 */
#include "cluster/launcher.h"

#include <stdlib.h>

bool launcher_is_mpi(void)
{
	static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};

	for (int i = 0; i < 2; i++) {
		const char *size = getenv(sizes[i]);

		if (size)
			return atoi(size) > 1;
	}
	return getenv("PMIX_RANK") != NULL;
}
