/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that hands an interface's frames to sockets.
 */
#ifndef OS_LINUX_XDP_PROGRAM_H
#define OS_LINUX_XDP_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct xdp_program {
	int map, program, link; /* files; -1: not open */
};

/* Loads it for an interface of so many receive queues; nothing is attached yet. */
int xdp_program_open(struct xdp_program *program, uint32_t queues, struct error *error);

/* Frames of receive queue `queue` go to the socket. */
int xdp_program_serve(const struct xdp_program *program, uint32_t queue, int socket,
		      struct error *error);

/* Attaches it until xdp_program_close(), or until the process ends. */
int xdp_program_attach(struct xdp_program *program, int interface_index, bool native,
		       struct error *error);
void xdp_program_close(struct xdp_program *program);

#endif
