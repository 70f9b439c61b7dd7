/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy directory names its backbone instead of copying it, so it must find
 * it again on another day, and notice when it is another network: an adapter
 * on the wrong weights runs without complaint and decides nonsense.
 *
 * FNV-1a (Fowler, Noll, Vo) is taken over 64-bit little-endian words, the last
 * one padded with zeros, and the length; it guards against mix-ups, not
 * against an adversary.
 */
#include "policy/reference.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/checkpoint.h"
#include "base/file.h"

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FORGET_BYTES (8 << 20)
#define FNV_PRIME UINT64_C(1099511628211)
#define LEVELS_UP 3

/* A folder with a config.json, or a GGUF file. */
static bool is_backbone(const char *folder)
{
	char path[PATH_MAX];

	if (checkpoint_is_gguf(folder) && !file_is_folder(folder))
		return file_exists(folder);
	return file_join(path, sizeof(path), folder, "config.json", NULL) == 0 && file_exists(path);
}

static bool try_folder(char *path, size_t size, const char *folder, const char *name)
{
	return file_join(path, size, folder, name, NULL) == 0 && is_backbone(path);
}

static bool find_near_program(char *path, size_t size)
{
	char program[PATH_MAX];
	const ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (length <= 0)
		return false;
	program[length] = '\0';
	for (int level = 0; level < LEVELS_UP; level++) {
		char *slash = strrchr(program, '/');

		if (!slash)
			return false;
		*slash = '\0';
		if (try_folder(path, size, program, "models/builtin") ||
		    try_folder(path, size, program, "share/aqmllm/models/builtin"))
			return true;
	}
	return false;
}

static int resolve_builtin(char *path, size_t size, struct error *error)
{
	const char *models = getenv("AQMLLM_MODELS");

	if (models && try_folder(path, size, models, REFERENCE_BUILTIN))
		return 0;
	if (models)
		return error_at(error, ERR_NOT_FOUND, models, 0, "AQMLLM_MODELS",
				"no builtin/config.json in this folder");
	if (find_near_program(path, size))
		return 0;
	return error_set(
		error, ERR_NOT_FOUND,
		"the built-in backbone is not beside the program (models/builtin or "
		"share/aqmllm/models/builtin); set AQMLLM_MODELS to the folder holding it");
}

int reference_resolve(char *path, size_t size, const char *reference, const char *base,
		      struct error *error)
{
	if (strcmp(reference, REFERENCE_BUILTIN) == 0)
		return resolve_builtin(path, size, error);
	if (is_backbone(reference) && file_is_folder(reference))
		return file_join(path, size, reference, ".", error);
	if (is_backbone(reference) && strlen(reference) < size) {
		strcpy(path, reference);
		return 0;
	}
	if (base && reference[0] != '/' && try_folder(path, size, base, reference))
		return 0;
	return error_at(error, ERR_NOT_FOUND, reference, 0, NULL,
			"not a backbone: neither a folder with config.json nor a .gguf file");
}

/* Of a mapped file; what has been read is forgotten, so that a large file takes no memory. */
static uint64_t fnv_add(uint64_t hash, const unsigned char *data, size_t size)
{
	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		const size_t left = size - at;
		uint64_t word = 0;

		memcpy(&word, data + at, left < sizeof(word) ? left : sizeof(word));
		hash = (hash ^ word) * FNV_PRIME;
		if (at && at % FORGET_BYTES == 0)
			file_map_forget(data + at - FORGET_BYTES, FORGET_BYTES);
	}
	return (hash ^ (uint64_t)size) * FNV_PRIME;
}

static int add_file(uint64_t *checksum, const char *path, struct error *error)
{
	struct file_map map;
	const int status = file_map_open(&map, path, error);

	if (status)
		return status;
	*checksum = fnv_add(*checksum, map.data, map.size);
	file_map_close(&map);
	return 0;
}

int reference_file_checksum(uint64_t *checksum, const char *path, struct error *error)
{
	*checksum = FNV_OFFSET;
	return add_file(checksum, path, error);
}

static int is_weight_file(const struct dirent *entry)
{
	return file_has_suffix(entry->d_name, ".safetensors") ||
	       file_has_suffix(entry->d_name, ".bin");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_weights(uint64_t *checksum, const char *directory, struct error *error)
{
	struct dirent **names;
	const int count = scandir(directory, &names, is_weight_file, by_name);
	int status = count < 0 ? error_errno(error, directory, "list") : 0;

	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (!status)
			status = file_join(path, sizeof(path), directory, names[i]->d_name, error);
		if (!status)
			status = add_file(checksum, path, error);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return status;
}

int reference_checksum(uint64_t *checksum, const char *directory, bool weights, struct error *error)
{
	char path[PATH_MAX];
	int status;

	if (checkpoint_is_gguf(directory) && !file_is_folder(directory))
		return reference_file_checksum(checksum, directory, error);
	status = file_join(path, sizeof(path), directory, "config.json", error);
	*checksum = FNV_OFFSET;
	if (!status)
		status = add_file(checksum, path, error);
	if (!status && weights)
		status = add_weights(checksum, directory, error);
	return status;
}
