/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Progress bars as text.
 */
#include "base/progress.h"

#include <stdio.h>
#include <string.h>

#define BAR_CELLS 24

static void format_clock(char *text, size_t size, double seconds)
{
	const long whole = seconds > 0 && seconds < 1e9 ? (long)(seconds + 0.5) : 0;

	if (whole >= 3600)
		snprintf(text, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
	else
		snprintf(text, size, "%02ld:%02ld", whole / 60, whole % 60);
}

char *progress_text(char *text, size_t size, const char *label, uint64_t done, uint64_t total,
		    double elapsed_s, const char *note)
{
	char bar[BAR_CELLS + 1], clock[24];
	double share;
	int cells;

	if (total == 0) {
		format_clock(clock, sizeof(clock), elapsed_s);
		snprintf(text, size, "%s  %llu  %s  %s", label, (unsigned long long)done, clock,
			 note ? note : "");
		return text;
	}
	share = done >= total ? 1 : (double)done / (double)total;
	cells = (int)(share * BAR_CELLS);
	memset(bar, '.', BAR_CELLS);
	memset(bar, '#', (size_t)cells);
	bar[BAR_CELLS] = '\0';
	format_clock(clock, sizeof(clock),
		     share < 1 && share > 0 ? elapsed_s * (1 - share) / share : elapsed_s);
	snprintf(text, size, "%s [%s] %3d%%  %s %s  %s", label, bar, (int)(share * 100), clock,
		 share < 1 ? "left" : "total", note ? note : "");
	return text;
}
