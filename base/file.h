/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files: read-only maps, and replacement that is all or nothing.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

struct file_map {
	const unsigned char *data; /* NULL when size is 0 */
	size_t size;
};

/* Maps a regular file for reading.  ERR_NOT_FOUND, ERR_IO, ERR_INVALID (a directory). */
int file_map_open(struct file_map *map, const char *path, struct error *error);
void file_map_close(struct file_map *map);

/*
 * `size` bytes at `data`, part of a map, are not needed soon: they count as this
 * process's memory no more, and are read again when they are.
 */
void file_map_forget(const void *data, size_t size);

/*
 * Atomic replacement: write to `stream`, then commit.  Until the commit the
 * old file stands untouched; the commit flushes, fsyncs, renames and fsyncs
 * the folder.  A failed commit, and abort, which may follow any commit, remove
 * the temporary file.
 */
struct file_replace {
	FILE *stream;
	char path[4096];
	char temporary[4128];
	unsigned place; /* among those that file_replace_discard_all() knows, from 1; 0: none */
};

int file_replace_open(struct file_replace *replace, const char *path, struct error *error);
int file_replace_commit(struct file_replace *replace, struct error *error);
void file_replace_abort(struct file_replace *replace);

/*
 * Removes the temporary files of all replacements that are under way in any thread (the first 64
 * of them).  Only for a process that then ends: commits fail.  May be called by a signal's handler.
 */
void file_replace_discard_all(void);

/* Writes a whole small file atomically. */
int file_write_all(const char *path, const void *data, size_t size, struct error *error);

/* Reads a whole file into malloc'd memory with a NUL after it; the caller frees. */
int file_read_all(const char *path, char **data, size_t *size, struct error *error);

/* mkdir -p. */
int file_make_folders(const char *path, struct error *error);

/* How much of `path`, in bytes, is there already. */
size_t file_existing_part(const char *path);

/* Removes `path` and the folders above it as far as they are empty; not the first `kept` bytes. */
void file_remove_empty_folders(const char *path, size_t kept);

bool file_exists(const char *path);
bool file_is_folder(const char *path);

/* "folder/name" into `path`; ERR_RANGE when it does not fit. */
int file_join(char *path, size_t size, const char *folder, const char *name, struct error *error);

/* The last part of a path: what stands after the last slash, or all of it where nothing does. */
const char *file_name(const char *path);

/* True when `path` ends in `suffix`. */
bool file_has_suffix(const char *path, const char *suffix);

#endif
