/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An Ethernet interface as a router's port, through a packet socket (packet(7)).
 *
 * Super-packets of segmentation offload are cut, checksums that were left to the interface are
 * completed, VLAN tags put back: nothing of the interface has to be switched off, and nothing is to
 * be restored when the process ends.
 */
#ifndef OS_LINUX_PACKET_SOCKET_H
#define OS_LINUX_PACKET_SOCKET_H

#include "base/error.h"
#include "router/port.h"

/* Opens the interface in the caller's namespace.  ERR_NOT_FOUND: there is none of that name. */
int packet_socket_open(struct port **port, const char *interface, struct error *error);

#endif
