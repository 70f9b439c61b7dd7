/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Settings of network interfaces in the namespace that the caller is in.
 */
#ifndef OS_LINUX_INTERFACE_H
#define OS_LINUX_INTERFACE_H

#include <stdint.h>

#include "base/error.h"

int interface_up(const char *name, struct error *error);

/* Of IP packets. */
int interface_set_mtu(const char *name, uint32_t bytes, struct error *error);
int interface_mtu(const char *name, uint32_t *bytes, struct error *error);

/* Packets that may wait in it for whoever reads them. */
int interface_set_queue(const char *name, uint32_t packets, struct error *error);

/*
 * "10.1.2.3/24" or "2001:db8::1/64".  Returns when it can be used; up to 2 s.  ERR_INVALID: it is
 * none.
 */
int interface_add_address(const char *name, const char *address, struct error *error);

/* ERR_NOT_FOUND. */
int interface_index(const char *name, int *index, struct error *error);

#endif
