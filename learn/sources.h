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
	size_t held_out_end[SOURCES_MAX]; /* likewise, from `cut` on */
};

/* What pools need not have in common, or-ed: whoever replaces it does not care. */
enum sources_mixed { SOURCES_MIXED_REWARD = 1, SOURCES_MIXED_GAMMA = 2 };

/*
 * Reads `count` pools; the last `held_out` of each is held out.  Their features
 * must be the same (order does not matter), and so must reward, state and gamma;
 * the error names file and field.  `sources` may be freed whatever is returned.
 */
int sources_read(struct sources *sources, const char *const *paths, size_t count, double held_out,
		 struct error *error);

/* The same of pools that may differ in `mixed`; the first one's stands for all. */
int sources_read_mixed(struct sources *sources, const char *const *paths, size_t count,
		       double held_out, unsigned mixed, struct error *error);

/* The pool that a row is of; `own` receives its row there. */
size_t sources_origin(const struct sources *sources, size_t row, size_t *own);

void sources_free(struct sources *sources);

#endif
