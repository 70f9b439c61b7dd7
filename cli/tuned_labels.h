/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `aqmllm tune` found, as labels for a student (learn/tuned_fit.h): of each
 * network the mean of the settings tried, as logarithms, weighted by
 * exp(reward / 0.1), so that settings about as good as the best speak too.
 */
#ifndef CLI_TUNED_LABELS_H
#define CLI_TUNED_LABELS_H

#include "learn/tuned_fit.h"

/*
 * Labels (malloc'd, the caller frees) of those `scenarios` (count) that
 * `folder`/settings.csv names, in its order.  Parameters that the student does not
 * set are passed over.  ERR_INVALID: none of the networks stands there, or a line
 * is no row of such a table.
 */
int tuned_labels_read(struct tuned_label **labels, size_t *label_count, const char *folder,
			  const struct scenario *scenarios, size_t count, struct error *error);

#endif
