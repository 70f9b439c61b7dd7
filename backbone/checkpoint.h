/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pre-trained model on disk: a Hugging Face directory (config.json and
 * model.safetensors, or several files and model.safetensors.index.json) or one
 * GGUF file, seen alike.  Tensors have Hugging Face's names and extents.
 */
#ifndef BACKBONE_CHECKPOINT_H
#define BACKBONE_CHECKPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backbone/blocks.h"
#include "backbone/config.h"
#include "base/error.h"
#include "base/safetensors.h"

struct gguf;
struct gguf_architecture;

struct checkpoint {
	struct safetensors *files;
	size_t count;
	char path[4096]; /* of the index, or of the only file */
	json_t *index;   /* root of the index; NULL for a single file */
	struct gguf *gguf; /* NULL: a directory */
	const struct gguf_architecture *names;
	int64_t heads, kv_heads; /* of the GGUF file's model: its rotary pairs need them */
};

/* One tensor as it lies in a file; everything points into the open checkpoint. */
struct checkpoint_tensor {
	const char *name;      /* as the file calls it */
	const char *path;      /* of the file */
	const char *type_name; /* "BF16" */
	enum block_type type;  /* meaningful when readable */
	bool readable;         /* floating point, of a type that can be decoded */
	int dims;
	int64_t shape[SAFETENSORS_MAX_DIMS]; /* as Hugging Face has it, last index fastest */
	int64_t count;
	const void *data; /* whole rows of stored numbers; may be unaligned */
	size_t size_bytes;
	bool padded; /* rows fill up their last block with zeros, which are not counted */
	bool transposed;      /* stored as rows of the transposed matrix */
	int64_t rotary_heads; /* stored with rows of each head in rotary pairs; 0: in order */
};

/* Opens a directory's files, or a GGUF file.  ERR_NOT_FOUND, ERR_INVALID, ERR_UNSUPPORTED. */
int checkpoint_open(struct checkpoint *checkpoint, const char *path, struct error *error);
void checkpoint_close(struct checkpoint *checkpoint);

/* True for a path that checkpoint_open() takes as a GGUF file: its name ends in .gguf. */
bool checkpoint_is_gguf(const char *path);

/* The model's config.json, read or made from the keys of a GGUF file. */
int checkpoint_config(struct config *config, const char *path, struct error *error);

/* An error about a setting of `config` names the key that the file itself has for it. */
void checkpoint_error_name(const struct config *config, struct error *error);

/* The tensor with this name (with any prefix the class of a whole model gives); false: none. */
bool checkpoint_find(const struct checkpoint *checkpoint, const char *name,
		     struct checkpoint_tensor *tensor);

/* As the file would call the tensor with this name; for messages. */
void checkpoint_name(const struct checkpoint *checkpoint, const char *name, char *text,
		     size_t size);

/* What the files hold, whatever a model needs of it. */
#define CHECKPOINT_TYPES_MAX 16

struct checkpoint_inventory {
	const char *container; /* "safetensors", "sharded safetensors", "GGUF" */
	size_t files, tensors;
	size_t bytes; /* of tensors */
	size_t types; /* of the list below, in order of first appearance */
	struct checkpoint_type_count {
		const char *name; /* "BF16" */
		size_t tensors, bytes;
	} type[CHECKPOINT_TYPES_MAX];
};

struct checkpoint_inventory checkpoint_inventory(const struct checkpoint *checkpoint);

/* A tensor of a safetensors file, which outlives it. */
struct checkpoint_tensor checkpoint_tensor_of(const struct safetensors *file,
					      const struct safetensors_entry *entry);

/*
 * Converts to f32 in Hugging Face's order and refuses values that are not
 * finite.  ERR_UNSUPPORTED for a type that is not readable, ERR_NO_MEMORY.
 */
int checkpoint_read(const struct checkpoint_tensor *tensor, float *out, struct error *error);

/* Refuses values of the tensor that are not finite. */
int checkpoint_finite_check(const struct checkpoint_tensor *tensor, const float *values,
			    struct error *error);

/* Sets the error for one that is not finite and returns its code. */
int checkpoint_damaged(const struct checkpoint_tensor *tensor, int64_t element,
		       struct error *error);

/*
 * The stored bytes of a matrix with rotary pairs, its rows in Hugging Face's
 * order: `out` has room for size_bytes.  ERR_INVALID.
 */
int checkpoint_rows(const struct checkpoint_tensor *tensor, void *out, struct error *error);

/* ERR_INVALID unless the tensor has exactly these extents. */
int checkpoint_shape_check(const struct checkpoint_tensor *tensor, int dims, const int64_t *shape,
			   struct error *error);

#endif
