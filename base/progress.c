/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of a progress bar.
 *
 * The remaining time assumes that the rest goes as fast as what is done; it
 * is left out until something is done and shown as hours from one hour on.
 */
#include "base/progress.h"

#include <stdio.h>
#include <string.h>

#define PROGRESS_CELLS 20

/* "12:34" or "1:02:03"; at most 99 hours are told apart. */
static void duration_text(char *text, size_t size, double seconds)
{
	const double longest_s = 99 * 3600.0 + 3599;
	const unsigned whole = (unsigned)((seconds < longest_s ? seconds : longest_s) + 0.5);

	if (whole >= 3600)
		snprintf(text, size, "%u:%02u:%02u", whole / 3600, whole / 60 % 60, whole % 60);
	else
		snprintf(text, size, "%02u:%02u", whole / 60, whole % 60);
}

char *progress_text(char *text, size_t size, const char *label, uint64_t done, uint64_t total,
		    double elapsed_s, const char *note)
{
	char bar[PROGRESS_CELLS + 1], time[16];
	const char *gap = note && note[0] ? "  " : "";
	double share;

	if (!note)
		note = "";
	if (total == 0) {
		snprintf(text, size, "%s %llu%s%s", label, (unsigned long long)done, gap, note);
		return text;
	}
	share = done < total ? (double)done / (double)total : 1;
	memset(bar, '.', PROGRESS_CELLS);
	memset(bar, '#', (size_t)(share * PROGRESS_CELLS));
	bar[PROGRESS_CELLS] = '\0';
	if (share > 0 && elapsed_s >= 0) {
		duration_text(time, sizeof(time), elapsed_s * (1 - share) / share);
		snprintf(text, size, "%s [%s] %3d%%  %s left%s%s", label, bar, (int)(share * 100),
			 time, gap, note);
	} else {
		snprintf(text, size, "%s [%s] %3d%%%s%s", label, bar, (int)(share * 100), gap,
			 note);
	}
	return text;
}
