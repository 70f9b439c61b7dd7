/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows from one namespace to another, each in processes of its own that end when this one does.
 *
 * A flow is TCP under a congestion control of the kernel (through iperf3 where it is installed,
 * otherwise a sender of ours), or UDP Prague (tcp/udp_prague.c over a socket).
 */
#ifndef OS_LINUX_TRAFFIC_H
#define OS_LINUX_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define TRAFFIC_FLOWS_MAX 16
#define TRAFFIC_FIRST_PORT 5201
#define TRAFFIC_PRAGUE "prague"

struct traffic_flow {
	const char *control; /* of the kernel's TCP (cubic, reno, bbr...), or TRAFFIC_PRAGUE */
	const char *address; /* of the receiver */
};

struct traffic {
	pid_t children[2 * TRAFFIC_FLOWS_MAX];
	size_t count;
};

/*
 * Starts flows from the namespace `from` to `to`; flow i goes to port TRAFFIC_FIRST_PORT + i.
 * `with_iperf` asks for iperf3.  ERR_INVALID: the kernel has no such congestion control; it names
 * those it has.
 */
int traffic_start(struct traffic *traffic, int from, int to, const struct traffic_flow *flows,
		  size_t count, bool with_iperf, struct error *error);

/* Ends the processes. */
void traffic_stop(struct traffic *traffic);

/* iperf3 can be started. */
bool traffic_has_iperf(void);

/* TCP in the namespace asks for ECN, and reacts to it.  False: the system does not let it. */
bool traffic_use_ecn(int namespace_fd);

/*
 * TCP sockets in the namespace begin as Reno's: one that began as BBR's, a machine's default
 * perhaps, stays paced whatever it becomes.  False: the system does not let them.
 */
bool traffic_begin_as_reno(int namespace_fd);

#endif
