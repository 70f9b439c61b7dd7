/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What vqueue.bpf.c and vqueue.c share: the program's state, one global of its own map.
 */
#ifndef KERNEL_BPF_VQUEUE_H
#define KERNEL_BPF_VQUEUE_H

#include "kernel/virtual_queue.h"

struct vqueue {
	uint64_t busy;       /* a processor works on it */
	uint64_t passed_by;  /* packets that found it so, and passed as they were */
	uint64_t now_ns;     /* of the packet at hand */
	uint64_t link_bytes; /* of the device's own header, in front of IP's */
	struct virtual_queue queue;
};

#endif
