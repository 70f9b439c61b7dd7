/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures as text, for terminals.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <stdbool.h>
#include <stdio.h>

#include "report/figure.h"

struct chart_style {
	int width, height; /* characters of the plot itself: at least 10 x 3, at most 200 x 50 */
	bool unicode;      /* braille dots and blocks; false: ASCII */
	bool colour;       /* ANSI colours tell series apart; false: letters do, in ASCII */
};

/* The figure with title, axes and legend.  Lines keep to the figure's range of y. */
void chart_put(FILE *out, const struct figure *figure, const struct chart_style *style);

/* `share` (0..1, cut to it) of a bar of `width` characters, filled up with blanks. */
void chart_put_bar(FILE *out, double share, int width, bool unicode);

/* A character for each value, 0 to `high`; a NaN is a blank. */
void chart_put_spark(FILE *out, const double *values, size_t count, double high, bool unicode);

#endif
