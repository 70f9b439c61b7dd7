/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Congestion controls against their own texts: groups of laws, each a row.
 */
#ifndef TESTS_CC_LAWS_LAWS_H
#define TESTS_CC_LAWS_LAWS_H

#include <stdbool.h>

/* What was expected of a control in one situation, and what it did. */
struct law_row {
	const char *control;
	const char *what;
	double expected, measured;
	double low, high; /* bounds of the measured figure, inclusive */
};

/* Prints the row; counts it where it is out of bounds. */
void law_report(const struct law_row *row);

/* Averages under a given share of losses or marks; `quick`: fewer points. */
void laws_steady(bool quick);

/* Equal flows in one queue: shares, and how long a newcomer waits for its own. */
void laws_shared(bool quick);

/* What must not stall a flow: all marked, half the acknowledgements gone, darkness. */
void laws_harsh(bool quick);

#endif
