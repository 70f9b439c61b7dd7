/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buffer returned last, which is in the caches still, is the next to be given.
 */
#include "router/frames.h"

#include <string.h>

void frames_init(struct frames *frames, size_t bytes, size_t limit)
{
	memset(frames, 0, sizeof(*frames));
	store_init(&frames->store);
	frames->bytes = (bytes + 63) & ~(size_t)63;
	frames->limit = limit;
}

void frames_free(struct frames *frames)
{
	store_free(&frames->store);
	memset(frames, 0, sizeof(*frames));
}

uint8_t *frames_take(struct frames *frames)
{
	uint8_t *bytes = frames->free;

	if (bytes) {
		memcpy(&frames->free, bytes, sizeof(frames->free));
	} else {
		bytes = frames->made < frames->limit ? store_take(&frames->store, frames->bytes)
						     : NULL;
		if (bytes == NULL)
			return NULL;
		frames->made++;
	}
	frames->held++;
	return bytes;
}

void frames_give(struct frames *frames, uint8_t *bytes)
{
	memcpy(bytes, &frames->free, sizeof(frames->free));
	frames->free = bytes;
	frames->held--;
}
