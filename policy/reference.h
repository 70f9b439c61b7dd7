/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the backbone of a policy lies, and whether it is still the same one.
 */
#ifndef POLICY_REFERENCE_H
#define POLICY_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define REFERENCE_BUILTIN "builtin"

/*
 * Folder, or GGUF file, of a backbone.  "builtin" is looked for under $AQMLLM_MODELS, then in
 * `models/` and `share/aqmllm/models/` beside and above the program; any other
 * reference is a path as it stands or, failing that, relative to `base` (may
 * be NULL).  ERR_NOT_FOUND says where it looked.
 */
int reference_resolve(char *path, size_t size, const char *reference, const char *base,
		      struct error *error);

/*
 * 64-bit FNV-1a, by words, over config.json and, with `weights`, every
 * *.safetensors and *.bin file of the folder in order of name; over the whole
 * of a GGUF file.
 */
int reference_checksum(uint64_t *checksum, const char *directory, bool weights,
		       struct error *error);

/* The same over one file. */
int reference_file_checksum(uint64_t *checksum, const char *path, struct error *error);

#endif
