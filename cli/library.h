/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library of scenarios that come with the program: files are scenarios,
 * folders are suites of them.  It is looked for where an installation has it,
 * then in the source tree the program was built from.
 */
#ifndef CLI_LIBRARY_H
#define CLI_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sim/scenario.h"

/*
 * Path of the scenario or suite `name` (with or without .yaml; a scenario of a
 * suite also as SUITE/NAME).  ERR_NOT_FOUND names all there are.
 */
int library_find(char *path, size_t size, const char *name, struct error *error);

/*
 * Reads a scenario from a file, or by its name from the library: ERR_NOT_FOUND
 * names all there are.  The caller frees it by scenario_free().
 */
int library_read(struct scenario *scenario, const char *name, struct error *error);

/* The same, to be run for duration_s; a warm-up that is not shorter becomes a quarter of it. */
int library_read_for(struct scenario *scenario, const char *name, double duration_s,
		     struct error *error);

/* Of the file that library_read() reads (policy/reference.h), which may change under its name. */
int library_checksum(uint64_t *checksum, const char *name, struct error *error);

/*
 * Calls take(context, path, name, folder) for every scenario and suite of the
 * library, in the order of their names; a return other than 0 ends it.
 */
int library_each(int (*take)(void *context, const char *path, const char *name, bool folder),
		 void *context, struct error *error);

/* scandir() filter: YAML files. */
struct dirent;
int library_is_scenario(const struct dirent *entry);

#endif
