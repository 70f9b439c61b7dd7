/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the program's own files are: an installation's data folder first, then
 * the source tree the program was built from.
 */
#include "cli/data_files.h"

#include <stdio.h>

#include "base/file.h"
#include "config.h"

static const char *const roots[] = {AQMLLM_DATA_DIR, AQMLLM_SOURCE_DIR};

int data_file_find(char *path, size_t size, const char *folder, const char *name,
		   const char *suffix, struct error *error)
{
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		const int length =
			snprintf(path, size, "%s/%s/%s%s", roots[i], folder, name,
				 file_has_suffix(name, suffix) ? "" : suffix);

		if (length > 0 && (size_t)length < size && file_exists(path))
			return 0;
	}
	return error_at(error, ERR_NOT_FOUND, name, 0, NULL,
			"no such file or folder, and none of the %s that come with the program",
			folder);
}
