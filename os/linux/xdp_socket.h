/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An Ethernet interface as a router's port, through AF_XDP: frames come before the kernel makes
 * anything of them, from all receive queues, and never reach it.
 *
 * The program that takes them off is attached by a link that this process holds: when it ends,
 * however it ends, the interface is as before.  Frames come as they were on the wire; interfaces
 * that leave cutting and checksums to others (veth pairs whose other end offloads) want
 * packet_socket_open().
 */
#ifndef OS_LINUX_XDP_SOCKET_H
#define OS_LINUX_XDP_SOCKET_H

#include <stdbool.h>

#include "base/error.h"
#include "router/port.h"

/*
 * Opens the interface in the caller's namespace; `native` asks for the driver's own support, false
 * takes the kernel's generic one where there is no other.  ERR_NOT_FOUND; ERR_UNSUPPORTED: the
 * interface, the kernel or the privileges do not allow it.
 */
int xdp_socket_open(struct port **port, const char *interface, bool native, struct error *error);

#endif
