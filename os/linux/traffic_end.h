/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends of flows over sockets of the namespace that the caller is in.  Each goes on until it fails
 * or the process ends.
 */
#ifndef OS_LINUX_TRAFFIC_END_H
#define OS_LINUX_TRAFFIC_END_H

/* `address` is the receiver's, IPv4 or IPv6. */
void traffic_tcp_send(const char *address, unsigned port, const char *control);
void traffic_tcp_receive(const char *address, unsigned port);

/* IPv4. */
void traffic_prague_send(const char *address, unsigned port);
void traffic_prague_receive(const char *address, unsigned port);

#endif
