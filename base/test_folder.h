/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests and benches: a folder of their own, under $TMPDIR or else /tmp.
 * Each file that includes this has its own.
 */
#ifndef BASE_TEST_FOLDER_H
#define BASE_TEST_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define TEST_PATH_BYTES 256

static char test_folder[TEST_PATH_BYTES - 96]; /* absolute, from test_folder_make() on */

/* Makes the folder; not 0 where it cannot, which is told.  After its removal, another one. */
static inline int test_folder_make(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(test_folder, sizeof(test_folder), "%s/aqmllm_test_XXXXXX",
		 parent && parent[0] == '/' ? parent : "/tmp");
	if (mkdtemp(test_folder))
		return 0;
	perror(test_folder);
	return -1;
}

/* folder/name in `path`. */
static inline const char *test_path(char path[TEST_PATH_BYTES], const char *name)
{
	snprintf(path, TEST_PATH_BYTES, "%s/%s", test_folder, name);
	return path;
}

static inline int test_entry_remove(const char *path, const struct stat *status, int type,
				    struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

/* Removes the folder with all that is in it; not 0 where something stays, which is told. */
static inline int test_folder_remove(void)
{
	if (nftw(test_folder, test_entry_remove, 16, FTW_DEPTH | FTW_PHYS) == 0)
		return 0;
	perror(test_folder);
	return -1;
}

#endif
