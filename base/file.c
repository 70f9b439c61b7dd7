/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files: maps, whole reads, and replacement that is all or nothing.
 *
 * Rules of a replacement: the new content is written to a sibling
 * "NAME.tmp-PID-N" made with O_EXCL, flushed and fsynced, then renamed over
 * the target, then the folder is fsynced, so a crash or SIGKILL at any moment
 * leaves either the old file or the new one.  A symbolic link is followed, so
 * that the link itself survives.  Only ordinary files are replaced: renaming
 * over /dev/stdout or a pipe would destroy it.
 *
 * A killed process may leave its temporary sibling behind; nothing reads it.
 * One that handles a signal can remove it: names are known while they exist,
 * and whoever takes one out of the table by an atomic exchange owns it.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KNOWN_MAX 64

/* Malloc'd names of temporary files. */
static _Atomic(char *) known[KNOWN_MAX];

/* Without a place or memory the name stays unknown, which costs a file after a signal at most. */
static void make_known(struct file_replace *replace)
{
	char *name = strdup(replace->temporary);

	for (unsigned i = 0; name && i < KNOWN_MAX; i++) {
		char *none = NULL;

		if (atomic_compare_exchange_strong(&known[i], &none, name)) {
			replace->place = i + 1;
			return;
		}
	}
	free(name);
}

static void forget(struct file_replace *replace)
{
	if (replace->place)
		free(atomic_exchange(&known[replace->place - 1], NULL));
	replace->place = 0;
}

void file_replace_discard_all(void)
{
	for (unsigned i = 0; i < KNOWN_MAX; i++) {
		char *name = atomic_exchange(&known[i], NULL), *none = NULL;

		if (!name)
			continue;
		unlink(name);
		/* Back, for its replacement to free. */
		atomic_compare_exchange_strong(&known[i], &none, name);
	}
}

static int map_descriptor(struct file_map *map, int descriptor, const char *path,
			  struct error *error)
{
	struct stat status;
	void *data;

	if (fstat(descriptor, &status) != 0)
		return error_errno(error, path, "reading its size");
	if (S_ISDIR(status.st_mode))
		return error_at(error, ERR_INVALID, path, 0, NULL,
				"is a folder; name a file in it");
	if (!S_ISREG(status.st_mode))
		return error_at(error, ERR_INVALID, path, 0, NULL,
				"is not an ordinary file; save its content to one first");
	if (status.st_size == 0)
		return 0;
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (data == MAP_FAILED)
		return error_errno(error, path, "mapping");
	map->data = data;
	map->size = (size_t)status.st_size;
	return 0;
}

int file_map_open(struct file_map *map, const char *path, struct error *error)
{
	int descriptor, code;

	memset(map, 0, sizeof(*map));
	/* Non-blocking, so that naming a FIFO is an error and not a wait for its writer. */
	descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0)
		return error_errno(error, path, "opening");
	code = map_descriptor(map, descriptor, path, error);
	close(descriptor);
	return code;
}

void file_map_close(struct file_map *map)
{
	if (map->data)
		munmap((void *)(uintptr_t)map->data, map->size);
	memset(map, 0, sizeof(*map));
}

void file_map_forget(const void *data, size_t size)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t first = (uintptr_t)data / page * page;
	const uintptr_t end = ((uintptr_t)data + size) / page * page;

	if (end > first)
		madvise((void *)first, end - first, MADV_DONTNEED);
}

/* Follows links of an existing target into replace->path; refuses what is not an ordinary file. */
static int replace_target(struct file_replace *replace, const char *path, struct error *error)
{
	struct stat status;
	char resolved[PATH_MAX];

	if (strlen(path) >= sizeof(replace->path))
		return error_at(error, ERR_RANGE, path, 0, NULL, "path is too long");
	strcpy(replace->path, path);
	if (path[0] == '\0')
		return error_set(error, ERR_INVALID, "file name is empty; name the file to write");
	if (stat(path, &status) != 0) {
		if (errno == ENOENT)
			return 0;
		return error_errno(error, path, "writing");
	}
	if (S_ISDIR(status.st_mode))
		return error_at(error, ERR_INVALID, path, 0, NULL,
				"is a folder; name a file to write in it");
	if (!S_ISREG(status.st_mode))
		return error_at(error, ERR_INVALID, path, 0, NULL,
				"is not an ordinary file; name one that may be replaced");
	if (!realpath(path, resolved))
		return error_errno(error, path, "writing");
	if (strlen(resolved) >= sizeof(replace->path))
		return error_at(error, ERR_RANGE, path, 0, NULL, "path is too long");
	strcpy(replace->path, resolved);
	return 0;
}

int file_replace_open(struct file_replace *replace, const char *path, struct error *error)
{
	static atomic_uint serial;
	int descriptor, code;

	memset(replace, 0, sizeof(*replace));
	code = replace_target(replace, path, error);
	if (code < 0)
		return code;
	do {
		snprintf(replace->temporary, sizeof(replace->temporary), "%s.tmp-%ld-%u",
			 replace->path, (long)getpid(), atomic_fetch_add(&serial, 1));
		descriptor =
			open(replace->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	} while (descriptor < 0 && errno == EEXIST);
	if (descriptor < 0) {
		code = error_errno(error, path, "writing");
		replace->temporary[0] = '\0';
		return code;
	}
	make_known(replace);
	replace->stream = fdopen(descriptor, "w");
	if (!replace->stream) {
		code = error_errno(error, path, "writing");
		close(descriptor);
		file_replace_abort(replace);
		return code;
	}
	return 0;
}

/* Makes a rename in `path`'s folder durable.  File systems that cannot are let pass. */
static void folder_sync(const char *path)
{
	char folder[PATH_MAX];
	char *slash;
	int descriptor;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		strcpy(folder, ".");
	else if (slash == folder)
		folder[1] = '\0';
	else
		*slash = '\0';
	descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return;
	fsync(descriptor);
	close(descriptor);
}

int file_replace_commit(struct file_replace *replace, struct error *error)
{
	FILE *stream = replace->stream;
	/* A write that failed earlier and was not looked at shows up here. */
	bool good = !ferror(stream) && fflush(stream) == 0 && fsync(fileno(stream)) == 0;

	if (good) {
		replace->stream = NULL;
		good = fclose(stream) == 0 && rename(replace->temporary, replace->path) == 0;
	}
	if (!good) {
		const int code = error_errno(error, replace->path, "writing");

		file_replace_abort(replace);
		return code;
	}
	replace->temporary[0] = '\0';
	forget(replace);
	folder_sync(replace->path);
	return 0;
}

void file_replace_abort(struct file_replace *replace)
{
	if (replace->stream)
		fclose(replace->stream);
	if (replace->temporary[0])
		unlink(replace->temporary);
	forget(replace);
	replace->stream = NULL;
	replace->temporary[0] = '\0';
}

int file_write_all(const char *path, const void *data, size_t size, struct error *error)
{
	struct file_replace replace;
	int code = file_replace_open(&replace, path, error);

	if (code < 0)
		return code;
	if (size > 0 && fwrite(data, 1, size, replace.stream) != size)
		code = error_errno(error, path, "writing");
	else
		code = file_replace_commit(&replace, error);
	file_replace_abort(&replace);
	return code;
}

/* What no regular file is and does not end may be a device, or a pipe that never will. */
#define ENDLESS_BYTES ((size_t)1 << 30)

static bool is_endless(FILE *stream, size_t used)
{
	struct stat status;

	return used >= ENDLESS_BYTES && fstat(fileno(stream), &status) == 0 &&
	       !S_ISREG(status.st_mode);
}

/* Reads until the end of `stream` into a growing buffer that keeps room for a NUL. */
static int read_stream(FILE *stream, const char *path, char **data, size_t *size,
		       struct error *error)
{
	size_t capacity = 64 << 10, used = 0;
	char *buffer = malloc(capacity);

	while (buffer) {
		used += fread(buffer + used, 1, capacity - used - 1, stream);
		if (ferror(stream)) {
			const int code = error_errno(error, path, "reading");

			free(buffer);
			return code;
		}
		if (feof(stream)) {
			buffer[used] = '\0';
			*data = buffer;
			*size = used;
			return 0;
		}
		if (is_endless(stream, used)) {
			free(buffer);
			return error_at(error, ERR_RANGE, path, 0, NULL,
					"is no file and does not end within 1 GiB");
		}
		if (capacity - used == 1) {
			char *larger = realloc(buffer, capacity * 2);

			if (!larger)
				break;
			buffer = larger;
			capacity *= 2;
		}
	}
	free(buffer);
	return error_at(error, ERR_NO_MEMORY, path, 0, NULL, "too large for this machine's memory");
}

int file_read_all(const char *path, char **data, size_t *size, struct error *error)
{
	FILE *stream = fopen(path, "re");
	int code;

	*data = NULL;
	*size = 0;
	if (!stream && path[0] == '\0')
		return error_set(error, ERR_INVALID, "a file name is empty; name the file");
	if (!stream)
		return error_errno(error, path, "opening");
	code = read_stream(stream, path, data, size, error);
	fclose(stream);
	return code;
}

/* One step of mkdir -p: an existing folder is success. */
static int make_folder(const char *path, struct error *error)
{
	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return error_errno(error, path, "making the folder");
	if (!file_is_folder(path))
		return error_at(error, ERR_INVALID, path, 0, NULL,
				"exists and is not a folder; choose another name");
	return 0;
}

int file_make_folders(const char *path, struct error *error)
{
	char partial[PATH_MAX];

	if (path[0] == '\0')
		return error_set(error, ERR_INVALID, "a folder name is empty; name the folder");
	if (strlen(path) >= sizeof(partial))
		return error_at(error, ERR_RANGE, path, 0, NULL, "path is too long");
	strcpy(partial, path);
	for (char *at = partial + 1; *at; at++) {
		int code;

		if (*at != '/')
			continue;
		*at = '\0';
		code = make_folder(partial, error);
		if (code < 0)
			return code;
		*at = '/';
	}
	return make_folder(partial, error);
}

size_t file_existing_part(const char *path)
{
	char part[PATH_MAX];
	size_t size = strlen(path);

	if (size >= sizeof(part))
		return size;
	strcpy(part, path);
	while (size > 0 && !file_exists(part)) {
		while (size > 0 && part[size - 1] != '/')
			size--;
		while (size > 0 && part[size - 1] == '/')
			size--;
		part[size] = '\0';
	}
	return size;
}

void file_remove_empty_folders(const char *path, size_t kept)
{
	char part[PATH_MAX];
	size_t size = strlen(path);

	if (size >= sizeof(part))
		return;
	strcpy(part, path);
	while (size > kept && rmdir(part) == 0) {
		while (size > 0 && part[size - 1] != '/')
			size--;
		while (size > 0 && part[size - 1] == '/')
			size--;
		part[size] = '\0';
	}
}

bool file_exists(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0;
}

bool file_is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int file_join(char *path, size_t size, const char *folder, const char *name, struct error *error)
{
	const size_t length = strlen(folder);
	const char *slash = length > 0 && folder[length - 1] != '/' ? "/" : "";
	const int needed = snprintf(path, size, "%s%s%s", folder, slash, name);

	if (needed < 0 || (size_t)needed >= size)
		return error_at(error, ERR_RANGE, folder, 0, NULL, "path is too long");
	return 0;
}

const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

bool file_has_suffix(const char *path, const char *suffix)
{
	const size_t length = strlen(path), tail = strlen(suffix);

	return length >= tail && strcmp(path + length - tail, suffix) == 0;
}
