/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files: maps, whole reads, and atomic replacement.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_regular(const char *path, struct stat *status, struct error *error)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(error, path, "cannot open");
	if (fstat(fd, status) != 0) {
		const int code = error_errno(error, path, "cannot examine");

		close(fd);
		return code;
	}
	if (!S_ISREG(status->st_mode)) {
		close(fd);
		return error_at(error, ERR_INVALID, path, 0, NULL, "not a regular file");
	}
	return fd;
}

int file_map_open(struct file_map *map, const char *path, struct error *error)
{
	struct stat status;
	const int fd = open_regular(path, &status, error);
	void *data;
	int code = 0;

	*map = (struct file_map){0};
	if (fd < 0)
		return fd;
	if (status.st_size > 0) {
		data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED)
			code = error_errno(error, path, "cannot map");
		else
			*map = (struct file_map){data, (size_t)status.st_size};
	}
	close(fd);
	return code;
}

void file_map_close(struct file_map *map)
{
	if (map->data)
		munmap((void *)map->data, map->size);
	*map = (struct file_map){0};
}

int file_replace_open(struct file_replace *replace, const char *path, struct error *error)
{
	int fd;

	replace->stream = NULL;
	if (strlen(path) >= sizeof(replace->path))
		return error_at(error, ERR_RANGE, path, 0, NULL, "the path is too long");
	strcpy(replace->path, path);
	snprintf(replace->temporary, sizeof(replace->temporary), "%s.%ld.tmp", path,
		 (long)getpid());
	fd = open(replace->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_errno(error, path, "cannot write");
	replace->stream = fdopen(fd, "wb");
	if (replace->stream == NULL) {
		const int code = error_errno(error, path, "cannot write");

		close(fd);
		unlink(replace->temporary);
		return code;
	}
	return 0;
}

/* Makes the rename itself durable. */
static void sync_folder_of(const char *path)
{
	char copy[4096];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

int file_replace_commit(struct file_replace *replace, struct error *error)
{
	FILE *stream = replace->stream;
	int code = 0;

	replace->stream = NULL;
	if (ferror(stream) || fflush(stream) != 0 || fsync(fileno(stream)) != 0)
		code = error_errno(error, replace->path, "cannot write");
	if (fclose(stream) != 0 && code == 0)
		code = error_errno(error, replace->path, "cannot write");
	if (code == 0 && rename(replace->temporary, replace->path) != 0)
		code = error_errno(error, replace->path, "cannot replace");
	if (code) {
		unlink(replace->temporary);
		return code;
	}
	sync_folder_of(replace->path);
	return 0;
}

void file_replace_abort(struct file_replace *replace)
{
	if (replace->stream == NULL)
		return;
	fclose(replace->stream);
	replace->stream = NULL;
	unlink(replace->temporary);
}

int file_write_all(const char *path, const void *data, size_t size, struct error *error)
{
	struct file_replace replace;
	int code = file_replace_open(&replace, path, error);

	if (code)
		return code;
	/* A short write is seen by the commit through ferror(). */
	fwrite(data, 1, size, replace.stream);
	return file_replace_commit(&replace, error);
}

/* Reads to the end of `stream`: also good for pipes, whose size is not known. */
static int read_stream(FILE *stream, const char *path, char **data, size_t *size,
		       struct error *error)
{
	size_t capacity = 1 << 16, used = 0;
	char *text = malloc(capacity);

	while (text) {
		used += fread(text + used, 1, capacity - used - 1, stream);
		if (used < capacity - 1)
			break;
		capacity *= 2;
		char *grown = realloc(text, capacity);

		if (grown == NULL)
			free(text);
		text = grown;
	}
	if (text == NULL)
		return error_at(error, ERR_NO_MEMORY, path, 0, NULL, "too large for memory");
	if (ferror(stream)) {
		free(text);
		return error_errno(error, path, "cannot read");
	}
	text[used] = '\0';
	*data = text;
	*size = used;
	return 0;
}

int file_read_all(const char *path, char **data, size_t *size, struct error *error)
{
	FILE *stream;
	int code;

	if (file_is_folder(path))
		return error_at(error, ERR_INVALID, path, 0, NULL, "is a folder, not a file");
	stream = fopen(path, "rbe");
	if (stream == NULL)
		return error_errno(error, path, "cannot open");
	code = read_stream(stream, path, data, size, error);
	fclose(stream);
	return code;
}

int file_make_folders(const char *path, struct error *error)
{
	char copy[4096];

	if (strlen(path) >= sizeof(copy))
		return error_at(error, ERR_RANGE, path, 0, NULL, "the path is too long");
	strcpy(copy, path);
	for (char *c = copy + 1; copy[0] && *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		if (mkdir(copy, 0777) != 0 && errno != EEXIST)
			return error_errno(error, copy, "cannot make the folder");
		*c = '/';
	}
	if (mkdir(copy, 0777) != 0 && errno != EEXIST)
		return error_errno(error, copy, "cannot make the folder");
	if (!file_is_folder(copy))
		return error_at(error, ERR_INVALID, copy, 0, NULL, "exists and is not a folder");
	return 0;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool file_is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int file_join(char *path, size_t size, const char *folder, const char *name, struct error *error)
{
	const size_t length = strlen(folder);
	const char *slash = length == 0 || folder[length - 1] == '/' ? "" : "/";
	const int written = snprintf(path, size, "%s%s%s", folder, slash, name);

	if (written < 0 || (size_t)written >= size)
		return error_at(error, ERR_RANGE, folder, 0, NULL, "the path to %s is too long",
				name);
	return 0;
}

bool file_has_suffix(const char *path, const char *suffix)
{
	const size_t length = strlen(path), tail = strlen(suffix);

	return length >= tail && strcmp(path + length - tail, suffix) == 0;
}
