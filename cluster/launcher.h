/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the environment tells of who started this process.
 */
#ifndef CLUSTER_LAUNCHER_H
#define CLUSTER_LAUNCHER_H

#include <stdbool.h>

/* Started by mpirun, or by a batch system in its place, as one of several. */
bool launcher_is_mpi(void);

#endif
