/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of flows by name: one table.
 */
#include "sim/scenario_options.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset; /* of a bool in struct tcp_options */
} table[] = {
	{"abe", offsetof(struct tcp_options, abe)},
	{"linux_cubic", offsetof(struct tcp_options, linux_cubic)},
	{"linux_prague", offsetof(struct tcp_options, linux_prague)},
	{"classic_fallback", offsetof(struct tcp_options, classic_fallback)},
	{"no_rtt_independence", offsetof(struct tcp_options, no_rtt_independence)},
};

#define COUNT (sizeof(table) / sizeof(table[0]))

bool scenario_option_set(struct tcp_options *options, const char *name)
{
	for (size_t i = 0; i < COUNT; i++) {
		if (strcmp(table[i].name, name) == 0) {
			*(bool *)((char *)options + table[i].offset) = true;
			return true;
		}
	}
	return false;
}

const char *scenario_option_names(void)
{
	return "abe, linux_cubic, linux_prague, classic_fallback, no_rtt_independence";
}

void scenario_options_write(FILE *out, const struct tcp_options *options)
{
	const char *before = ", options: [";

	for (size_t i = 0; i < COUNT; i++) {
		if (*(const bool *)((const char *)options + table[i].offset)) {
			fprintf(out, "%s%s", before, table[i].name);
			before = ", ";
		}
	}
	if (strcmp(before, ", ") == 0)
		fputs("]", out);
}
