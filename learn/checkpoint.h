/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checkpoints: named arrays of a running computation in one safetensors file,
 * replaced atomically, so that whenever a run is killed the file holds one
 * whole state.
 *
 * The same list of fields saves and loads.  A loaded state continues to the
 * same bits: whatever a run depends on has to be a field.
 */
#ifndef LEARN_CHECKPOINT_H
#define LEARN_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/safetensors.h"

struct checkpoint_field {
	const char *name;
	enum safetensors_dtype dtype;
	int64_t count;
	void *data; /* `count` elements; not owned */
};

/* `fingerprint` says what the run is (its options and data); loading demands the same text. */
int checkpoint_save(const char *path, const struct checkpoint_field *fields, size_t count,
		    const char *fingerprint, struct error *error);

/* All fields are checked before the first is written.  ERR_INVALID names the field at fault. */
int checkpoint_load(const char *path, const struct checkpoint_field *fields, size_t count,
		    const char *fingerprint, struct error *error);

#endif
