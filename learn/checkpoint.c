/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A checkpoint is a safetensors file of one-dimensional tensors with the run's
 * fingerprint as metadata; unsigned 64-bit numbers travel as I64.
 */
#include "learn/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#define FINGERPRINT "fingerprint"

int checkpoint_save(const char *path, const struct checkpoint_field *fields, size_t count,
		    const char *fingerprint, struct error *error)
{
	const char *const metadata[] = {FINGERPRINT, fingerprint, NULL};
	struct safetensors_item *items = calloc(count + 1, sizeof(*items));
	int status;

	if (!items)
		return error_set(error, ERR_NO_MEMORY, "list of a checkpoint's tensors");
	for (size_t i = 0; i < count; i++)
		items[i] = (struct safetensors_item){.name = fields[i].name,
						     .dtype = fields[i].dtype,
						     .dims = 1,
						     .shape = {fields[i].count},
						     .data = fields[i].data};
	status = safetensors_write(path, items, count, metadata, error);
	free(items);
	return status;
}

static int check_fields(const struct safetensors *file, const struct checkpoint_field *fields,
			size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		const struct safetensors_entry *entry = safetensors_find(file, fields[i].name);

		if (!entry)
			return error_at(error, ERR_INVALID, file->path, 0, fields[i].name,
					"missing in this checkpoint");
		if (entry->dtype != fields[i].dtype || entry->count != fields[i].count)
			return error_at(error, ERR_INVALID, file->path, 0, fields[i].name,
					"belongs to a run of another shape");
	}
	return 0;
}

int checkpoint_load(const char *path, const struct checkpoint_field *fields, size_t count,
		    const char *fingerprint, struct error *error)
{
	struct safetensors file;
	const char *theirs;
	int status = safetensors_open(&file, path, error);

	if (status)
		return status;
	theirs = safetensors_metadata(&file, FINGERPRINT);
	if (!theirs || strcmp(theirs, fingerprint) != 0)
		status = error_at(error, ERR_INVALID, path, 0, FINGERPRINT,
				  "checkpoint of another run: options or data have changed");
	if (!status)
		status = check_fields(&file, fields, count, error);
	for (size_t i = 0; !status && i < count; i++) {
		const struct safetensors_entry *entry = safetensors_find(&file, fields[i].name);

		memcpy(fields[i].data, entry->data, entry->size_bytes);
	}
	safetensors_close(&file);
	return status;
}
