/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Congestion controls against their own texts, as a table.
 * usage: cc_laws [quick]; fails when a row is out of its bounds.
 */
#include "tests/cc_laws/laws.h"

#include <stdio.h>
#include <string.h>

static int failures;

void law_report(const struct law_row *row)
{
	const bool good = row->measured >= row->low && row->measured <= row->high;

	printf("%-10s %-50s %9.2f %9.2f %6.3f  %s\n", row->control, row->what, row->expected,
	       row->measured, row->measured / row->expected, good ? "ok" : "FAILED");
	fflush(stdout);
	failures += !good;
}

int main(int argc, char **argv)
{
	const bool quick = argc > 1 && strcmp(argv[1], "quick") == 0;

	printf("%-10s %-50s %9s %9s %6s  %s\n", "control", "law", "expected", "measured",
	       "ratio", "ok");
	laws_steady(quick);
	laws_shared(quick);
	laws_harsh(quick);
	if (failures)
		printf("%d out of bounds\n", failures);
	return failures ? 1 : 0;
}
