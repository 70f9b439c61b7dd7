/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One or several pools as what a policy is trained on.
 *
 * Each pool keeps its own last rows out.  Of several pools, all rows to train
 * on come first, pool after pool, then the rows held out, likewise; each part
 * ends an episode, so no return and no window reaches across.
 */
#ifndef LEARN_SOURCES_H
#define LEARN_SOURCES_H

#include <stddef.h>

#include "base/error.h"
#include "experience/pool.h"

#define SOURCES_MAX 64

struct sources {
	struct pool pool;
	size_t cut;		       /* rows [0, cut) train, the rest is held out */
	size_t count;		       /* pools */
	size_t train_end[SOURCES_MAX]; /* pool i trains on rows [train_end[i - 1], train_end[i]) */
};

/*
 * Reads `count` pools; the last `held_out` of each is held out.  Their features
 * must be the same (order does not matter), and so must reward and state; the
 * error names file and field.  `sources` may be freed whatever is returned.
 */
int sources_read(struct sources *sources, const char *const *paths, size_t count, double held_out,
		 struct error *error);
void sources_free(struct sources *sources);

#endif
