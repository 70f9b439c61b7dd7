/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of a progress bar.  The command line decides whether and where to print it.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

/*
 * "label [#####.....]  52%  00:12 left  note" in at most `size` bytes.
 * `elapsed_s` since the start; the remaining time is extrapolated from it.
 * total 0 prints the count alone.  Returns `text`.
 */
char *progress_text(char *text, size_t size, const char *label, uint64_t done, uint64_t total,
		    double elapsed_s, const char *note);

#endif
