/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that come with the program: found beside it in a source tree, or under
 * the data folder of an installation.
 */
#ifndef CLI_DATA_FILES_H
#define CLI_DATA_FILES_H

#include <stddef.h>

#include "base/error.h"

/*
 * Path of folder/name (suffix added when `name` lacks it), tried in turn in the
 * installed data folder and in the source tree.  ERR_NOT_FOUND.
 */
int data_file_find(char *path, size_t size, const char *folder, const char *name,
		   const char *suffix, struct error *error);

#endif
