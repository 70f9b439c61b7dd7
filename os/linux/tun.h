/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TUN device as a router's port: what a namespace sends through the device comes to the router,
 * what the router sends arrives from it.  The device is gone when the port is closed or the process
 * ends.
 */
#ifndef OS_LINUX_TUN_H
#define OS_LINUX_TUN_H

#include "base/error.h"
#include "router/port.h"

#define TUN_ADDRESSES 2

struct tun_config {
	const char *name;                      /* of the device, at most 15 characters */
	const char *addresses[TUN_ADDRESSES];  /* with prefixes; NULL: none */
	uint32_t mtu_bytes;
	uint32_t queue_packets;                /* that may wait for the router to read them */
};

/* Makes the device in the namespace `namespace_fd`, sets it up and opens it. */
int tun_open(struct port **port, int namespace_fd, const struct tun_config *config,
	     struct error *error);

#endif
