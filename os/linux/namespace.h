/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network namespaces: entered for a moment, to make something in them that stays.
 *
 * A namespace lives as long as somebody holds it: a process in it, a mount, or an open file.  Those
 * made here are held by a file alone, so nothing is left of them when this process ends, however it
 * ends.
 */
#ifndef OS_LINUX_NAMESPACE_H
#define OS_LINUX_NAMESPACE_H

#include "base/error.h"

/*
 * Opens a namespace: a name (as `ip netns` has them), a path, or a process's number.  Returns a
 * file descriptor, closed on exec.  ERR_NOT_FOUND and others of opening a file.
 */
int namespace_open(const char *name, struct error *error);

/* Makes one, empty but for its loopback, which is up.  Returns a descriptor as above. */
int namespace_new(struct error *error);

/* Calls inside(context, error) in the namespace `fd` and returns what it said. */
int namespace_within(int fd, int (*inside)(void *context, struct error *error), void *context,
		     struct error *error);

/* ERR_UNSUPPORTED: one line of what this process lacks for making and entering namespaces. */
int namespace_allowed(struct error *error);

#endif
