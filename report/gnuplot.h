/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running gnuplot.
 */
#ifndef REPORT_GNUPLOT_H
#define REPORT_GNUPLOT_H

#include <stdio.h>

#include "base/error.h"

/*
 * Runs the script that put() writes; the picture goes to the descriptor `picture`.
 * ERR_UNSUPPORTED when there is no gnuplot.
 */
int gnuplot_run(void (*put)(FILE *script, const void *context), const void *context, int picture,
		struct error *error);

#endif
