/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A student that is a decision tree, grown on its teacher's answers (Bastani,
 * Pu and Solar-Lezama 2018 grow theirs on an aggregate of visits too).
 *
 * A leaf says the mean of its rows' probabilities, or settings.  The leaf whose
 * best question saves most of the rows' cross-entropy with that mean, of settings
 * of their squared distance from it, is split first, until there are enough
 * leaves or no question saves anything.
 */
#ifndef LEARN_TREE_FIT_H
#define LEARN_TREE_FIT_H

#include "learn/visits.h"
#include "policy/student_model.h"

/* Rows that a leaf holds at least. */
#define TREE_LEAST_ROWS 64

/*
 * `model`, of any shape, becomes a tree of its mode with at most `leaves` leaves, 1 to
 * AQM_STUDENT_LEAVES, over its features; visits->outputs is that of the mode.  Rows that the
 * teacher was not asked about do not count.  ERR_INVALID without rows, ERR_NO_MEMORY.
 */
int tree_fit(struct aqm_student_model *model, int leaves, const struct visits *visits,
	     const struct visits_part *part, struct error *error);

#endif
