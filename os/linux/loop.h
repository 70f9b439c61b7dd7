/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns a router until somebody says that it is enough.
 */
#ifndef OS_LINUX_LOOP_H
#define OS_LINUX_LOOP_H

#include "router/router.h"

struct loop {
	uint64_t tick_ns; /* between calls of tick(), at least */
	void *context;
	/* Signals are looked at here too.  True: it is enough. */
	bool (*tick)(void *context, uint64_t now_ns);
};

/* The monotonic clock, from when it was first asked. */
struct router_clock loop_clock(void);

/*
 * The calling thread, and processes that it starts from now on, come before others: packets do not
 * wait for a compiler.  Without the privilege nothing changes.
 */
void loop_come_forward(void);

/* The calling thread gives way to the router's, for what packets do not wait for. */
void loop_stand_back(void);

/* ERR_IO: a port is gone. */
int loop_run(const struct loop *loop, struct router *router, struct error *error);

#endif
