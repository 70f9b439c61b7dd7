/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The weights of a Hugging Face directory.
 *
 * The index of a sharded checkpoint maps each tensor to the name of a file
 * beside it; a name with a slash is refused, and so is an index that sends a
 * tensor to a file that does not hold it.
 */
#include "backbone/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/config.h"
#include "base/file.h"

#define SINGLE_NAME "model.safetensors"
#define INDEX_NAME "model.safetensors.index.json"
#define FILES_MAX 1000

static int file_add(struct checkpoint *checkpoint, const char *folder, const char *name,
		    struct error *error)
{
	char path[4096];
	struct safetensors *files;
	int code = file_join(path, sizeof(path), folder, name, error);

	if (code)
		return code;
	files = realloc(checkpoint->files, (checkpoint->count + 1) * sizeof(*files));
	if (!files)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the list of shards");
	checkpoint->files = files;
	code = safetensors_open(&files[checkpoint->count], path, error);
	if (!code)
		checkpoint->count++;
	return code;
}

/* The open file called `name`, or NULL. */
static const struct safetensors *file_by_name(const struct checkpoint *checkpoint,
					      const char *name)
{
	for (size_t i = 0; i < checkpoint->count; i++) {
		const char *slash = strrchr(checkpoint->files[i].path, '/');

		if (strcmp(slash ? slash + 1 : checkpoint->files[i].path, name) == 0)
			return &checkpoint->files[i];
	}
	return NULL;
}

static int shard_check(struct checkpoint *checkpoint, const char *folder, const char *tensor,
		       const json_t *place, struct error *error)
{
	const char *name = json_string_value(place);
	const struct safetensors *file;
	int code;

	if (!name || !name[0] || strchr(name, '/') || !file_has_suffix(name, ".safetensors"))
		return error_at(error, ERR_INVALID, checkpoint->path, 0, tensor,
				"is not mapped to the name of a .safetensors file beside the "
				"index");
	if (!file_by_name(checkpoint, name)) {
		if (checkpoint->count == FILES_MAX)
			return error_at(error, ERR_RANGE, checkpoint->path, 0, "weight_map",
					"names more than %d files", FILES_MAX);
		code = file_add(checkpoint, folder, name, error);
		if (code)
			return code;
	}
	file = file_by_name(checkpoint, name);
	if (!safetensors_find(file, tensor))
		return error_at(error, ERR_INVALID, checkpoint->path, 0, tensor,
				"is mapped to %s, which does not hold it", name);
	return 0;
}

static int index_open(struct checkpoint *checkpoint, const char *folder, struct error *error)
{
	struct config config;
	const char *tensor;
	json_t *map, *place;
	int code = config_open(&config, folder, INDEX_NAME, error);

	if (code)
		return code;
	checkpoint->index = config.root;
	memcpy(checkpoint->path, config.path, sizeof(config.path));
	map = json_object_get(config.root, "weight_map");
	if (!json_is_object(map) || json_object_size(map) == 0)
		return error_at(error, ERR_INVALID, config.path, 0, "weight_map",
				"is missing, empty or not an object");
	json_object_foreach(map, tensor, place) {
		code = shard_check(checkpoint, folder, tensor, place, error);
		if (code)
			return code;
	}
	return 0;
}

int checkpoint_open(struct checkpoint *checkpoint, const char *folder, struct error *error)
{
	char path[4096];
	int code;

	memset(checkpoint, 0, sizeof(*checkpoint));
	code = file_join(path, sizeof(path), folder, INDEX_NAME, error);
	if (code)
		return code;
	if (file_exists(path)) {
		code = index_open(checkpoint, folder, error);
	} else {
		code = file_add(checkpoint, folder, SINGLE_NAME, error);
		if (!code)
			memcpy(checkpoint->path, checkpoint->files[0].path,
			       sizeof(checkpoint->path));
	}
	if (code)
		checkpoint_close(checkpoint);
	return code;
}

void checkpoint_close(struct checkpoint *checkpoint)
{
	for (size_t i = 0; i < checkpoint->count; i++)
		safetensors_close(&checkpoint->files[i]);
	free(checkpoint->files);
	json_decref(checkpoint->index);
	memset(checkpoint, 0, sizeof(*checkpoint));
}

const struct safetensors_entry *checkpoint_find(const struct checkpoint *checkpoint,
						const char *name, const char **path)
{
	const struct safetensors *file = checkpoint->files;

	if (checkpoint->index) {
		const json_t *map = json_object_get(checkpoint->index, "weight_map");
		const char *place = json_string_value(json_object_get(map, name));

		file = place ? file_by_name(checkpoint, place) : NULL;
	}
	if (!file)
		return NULL;
	if (path)
		*path = file->path;
	return safetensors_find(file, name);
}

int checkpoint_read(const struct safetensors_entry *entry, const char *path, float *out,
		    struct error *error)
{
	struct error inner = {0};
	const int code = safetensors_to_f32(entry, out, &inner);

	if (code)
		return error_at(error, code, path, 0, entry->name, "%s", inner.text);
	for (int64_t i = 0; i < entry->count; i++)
		if (!__builtin_isfinite(out[i]))
			return error_at(error, ERR_INVALID, path, 0, entry->name,
					"element %lld is not a finite number; the checkpoint is "
					"damaged", (long long)i);
	return 0;
}

static void shape_text(char *text, size_t size, int dims, const int64_t *shape)
{
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < dims && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, i ? " x %lld" : "%lld",
					 (long long)shape[i]);
}

int checkpoint_shape_check(const struct safetensors_entry *entry, const char *path, int dims,
			   const int64_t *shape, struct error *error)
{
	char found[160], wanted[160];
	bool same = entry->dims == dims;

	for (int i = 0; same && i < dims; i++)
		same = entry->shape[i] == shape[i];
	if (same)
		return 0;
	shape_text(found, sizeof(found), entry->dims, entry->shape);
	shape_text(wanted, sizeof(wanted), dims, shape);
	return error_at(error, ERR_INVALID, path, 0, entry->name,
			"has shape (%s) where the configuration needs (%s)", found, wanted);
}
