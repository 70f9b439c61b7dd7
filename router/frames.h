/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers for packets' bytes: all of one size, taken from the system when they are first needed and
 * kept, never more than a limit.
 */
#ifndef ROUTER_FRAMES_H
#define ROUTER_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/store.h"

struct frames {
	size_t bytes;     /* of a buffer */
	size_t limit;     /* buffers at most */
	size_t made;      /* taken from the system */
	size_t held;      /* given out and not yet returned */
	void *free;       /* list of those returned */
	struct store store;
};

void frames_init(struct frames *frames, size_t bytes, size_t limit);

/* All buffers are gone with it, those given out too. */
void frames_free(struct frames *frames);

/* `frames->bytes` bytes, or NULL: the limit is reached, or memory is out. */
uint8_t *frames_take(struct frames *frames);
void frames_give(struct frames *frames, uint8_t *bytes);

#endif
