/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One training run over ranks (cluster/ranks.h): every micro-batch's windows
 * are shared out, gradients are summed in the order of ranks, and all ranks
 * take the same step.
 *
 * What equals what: a number of ranks gives its own bits every time, whatever
 * arrives first.  Against another number of ranks sums are rounded in another
 * order, and adapter dropout draws other masks; all else (windows, order,
 * returns, augmentation, schedule) is the same.
 *
 * Every function but spread_windows() is called by all ranks together, and does
 * nothing where there is one rank.
 */
#ifndef LEARN_SPREAD_H
#define LEARN_SPREAD_H

#include <stddef.h>
#include <stdint.h>

#include "backbone/backbone.h"
#include "base/error.h"
#include "cluster/ranks.h"

struct spread {
	struct ranks ranks;
	size_t record_bytes; /* of a rank's share of a micro-batch */
	char *own, *all;     /* one record, and those of all ranks */
	double *values;      /* (ranks): spread_sum() */
};

/* `window_floats` logits a window, at most `windows` windows a micro-batch.  ERR_NO_MEMORY. */
int spread_open(struct spread *spread, const struct ranks *ranks, int64_t windows,
		int64_t window_floats, struct error *error);
void spread_close(struct spread *spread);

/* The windows [first, end) of `windows` that `rank` works on; as even as can be. */
void spread_windows(const struct spread *spread, int rank, int64_t windows, int64_t *first,
		    int64_t *end);

/* The code of the lowest rank that failed, with its error, on all ranks; 0 when none did. */
int spread_agree(const struct spread *spread, int code, struct error *error);

/*
 * Joins what the ranks found for a micro-batch: `logits` (windows x
 * window_floats) holds the own part and receives all; *loss the own windows'
 * summed loss, and receives that of all, added in the order of ranks.  Agrees
 * on `code` as spread_agree() does.
 */
int spread_results(struct spread *spread, int code, int64_t windows, float *logits,
		   int64_t window_floats, double *loss, struct error *error);

/* Every gradient becomes its sum over ranks. */
void spread_gradients(const struct spread *spread, const struct backbone_param *params,
		      size_t count);

/* The sum of a number over ranks. */
double spread_sum(const struct spread *spread, double value);

/* `record` becomes rank 0's on all ranks.  ERR_NO_MEMORY. */
int spread_record(const struct spread *spread, void *record, size_t bytes, struct error *error);

#endif
