/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The weights of a Hugging Face directory: model.safetensors, or several files
 * and model.safetensors.index.json.
 */
#ifndef BACKBONE_CHECKPOINT_H
#define BACKBONE_CHECKPOINT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/safetensors.h"

struct checkpoint {
	struct safetensors *files;
	size_t count;
	char path[4096]; /* of the index, or of the only file */
	json_t *index;   /* root of the index; NULL for a single file */
};

/* Opens every file of `folder`.  ERR_NOT_FOUND, ERR_INVALID. */
int checkpoint_open(struct checkpoint *checkpoint, const char *folder, struct error *error);
void checkpoint_close(struct checkpoint *checkpoint);

/* A tensor and the path of the file that holds it (`path` may be NULL); NULL when there is none. */
const struct safetensors_entry *checkpoint_find(const struct checkpoint *checkpoint,
						const char *name, const char **path);

/* Converts `entry` to f32 and refuses values that are not finite.  `path` is for the message. */
int checkpoint_read(const struct safetensors_entry *entry, const char *path, float *out,
		    struct error *error);

/* ERR_INVALID unless the entry has exactly these extents. */
int checkpoint_shape_check(const struct safetensors_entry *entry, const char *path, int dims,
			   const int64_t *shape, struct error *error);

#endif
