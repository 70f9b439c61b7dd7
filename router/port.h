/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a router's packets come from and go to.  What an operating system has of that kind stands
 * in os/ and implements this.
 */
#ifndef ROUTER_PORT_H
#define ROUTER_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packets that are received or sent in one call at most. */
#define PORT_BATCH 64

struct port_frame {
	uint8_t *bytes;
	uint32_t size;
};

struct port;

struct port_ops {
	const char *name;
	/*
	 * Receives up to `count` packets, each into `room` bytes, without waiting, and says how
	 * many came.  A longer packet is cut; its size then is above `room`, if the port knows it.
	 * So is that of a packet which the port could not make anything of.  -1: the port is gone.
	 */
	int (*receive)(struct port *port, struct port_frame *frames, size_t count, size_t room);
	/* Sends without waiting and says how many the port took; the others are lost. */
	size_t (*send)(struct port *port, const struct port_frame *frames, size_t count);
	void (*close)(struct port *port);
};

/* Every port embeds this first. */
struct port {
	const struct port_ops *ops;
	int fd;        /* is readable when packets wait */
	bool ethernet; /* packets begin with an Ethernet header; false: with IP's */
};

#endif
