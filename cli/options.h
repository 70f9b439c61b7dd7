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
 * Parses argv[1..]; operands are moved to the front of `operands` (room for
 * argc) and counted.  `--` ends options.  --help, --json and --quiet are
 * understood everywhere (see command_common).  The error names the option.
 */
int options_parse(const struct option *options, int argc, char **argv, const char **operands,
		  size_t *operand_count, struct error *error);

#endif
