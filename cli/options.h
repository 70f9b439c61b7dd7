/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options: one table per command makes parsing, --help, the manual and tab
 * completion.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_MAYBE,  /* const char *: --name=value, or --name alone, which is "" */
	OPTION_LIST,   /* struct option_list: may be repeated */
	OPTION_U64,    /* uint64_t, within [min, max] */
	OPTION_DOUBLE, /* double, within [min, max] */
};

#define OPTION_LIST_MAX 64

struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t count;
};

struct option {
	const char *name;     /* long name without dashes */
	char letter;          /* short name, or 0 */
	enum option_kind kind;
	void *value;          /* holds the default before parsing */
	const char *argument; /* shown in help: "FILE", "N"; NULL for a flag */
	const char *doc;      /* one sentence; says the default */
	double min, max;      /* of numbers; both 0: any */
};

/*
 * Parses argv[1..argc-1]: operands go to `operands` (room for argc) and are
 * counted.  `--` ends options.  The error names the option and, for an unknown
 * one, the nearest that exists.
 */
int options_parse(const struct option *options, int argc, char **argv, const char **operands,
		  size_t *operand_count, struct error *error);

/*
 * The name in a table that a mistyped word most likely meant, or NULL.
 * name(table, i) gives the i-th name, NULL after the last.
 */
const char *options_nearest(const char *word, const char *(*name)(const void *table, size_t index),
			    const void *table);

#endif
