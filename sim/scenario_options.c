/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of flows by name: one table.
 */
#include "sim/scenario_options.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;      /* of a bool in struct tcp_options */
	const char *of[2];  /* controls that know it */
} table[] = {
	{"abe", offsetof(struct tcp_options, abe), {"newreno", "cubic"}},
	{"linux_bbr", offsetof(struct tcp_options, linux_bbr), {"bbr", NULL}},
	{"linux_cubic", offsetof(struct tcp_options, linux_cubic), {"cubic", NULL}},
	{"linux_dctcp", offsetof(struct tcp_options, linux_dctcp), {"dctcp", NULL}},
	{"linux_prague", offsetof(struct tcp_options, linux_prague), {"prague", NULL}},
	{"classic_fallback", offsetof(struct tcp_options, classic_fallback), {"prague", NULL}},
	{"no_rtt_independence", offsetof(struct tcp_options, no_rtt_independence),
	 {"prague", NULL}},
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

static bool is_of(size_t option, const char *cc)
{
	for (int i = 0; i < 2 && table[option].of[i]; i++)
		if (strcmp(table[option].of[i], cc) == 0)
			return true;
	return false;
}

bool scenario_options_fault(const struct tcp_options *options, const char *cc, char *fault,
			    size_t size)
{
	const char *before = "it has ";
	size_t used = 0, odd = COUNT;

	for (size_t i = 0; i < COUNT && odd == COUNT; i++)
		if (*(const bool *)((const char *)options + table[i].offset) && !is_of(i, cc))
			odd = i;
	if (odd == COUNT)
		return false;
	used = (size_t)snprintf(fault, size, "%s is of %s%s%s, not of %s; ", table[odd].name,
				table[odd].of[0], table[odd].of[1] ? " and " : "",
				table[odd].of[1] ? table[odd].of[1] : "", cc);
	for (size_t i = 0; i < COUNT && used < size; i++) {
		if (!is_of(i, cc))
			continue;
		used += (size_t)snprintf(fault + used, size - used, "%s%s", before, table[i].name);
		before = ", ";
	}
	if (used < size && strcmp(before, ", ") != 0)
		snprintf(fault + used, size - used, "it has none");
	return true;
}

const char *scenario_option_names(void)
{
	return "abe, linux_bbr, linux_cubic, linux_dctcp, linux_prague, classic_fallback, "
	       "no_rtt_independence";
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
