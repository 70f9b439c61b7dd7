/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing a model on disk as a GGUF file.
 */
#ifndef BACKBONE_EXPORT_H
#define BACKBONE_EXPORT_H

#include "backbone/blocks.h"
#include "base/error.h"

/*
 * Converts `source` (a Hugging Face directory or a GGUF file) to the GGUF file
 * `path`, matrices as `type`: F32, F16, BF16, Q8_0 or Q4_0.  As llama.cpp has
 * it, vectors and position tables stay F32, and a matrix whose rows are not
 * whole blocks becomes F16.  One tensor at a time is in memory.  The source's
 * tokeniser goes with it (backbone/tokenizer.h).  Errors as backbone_open()'s;
 * ERR_UNSUPPORTED for another type or an architecture without GGUF names.
 */
int backbone_export(const char *source, const char *path, enum block_type type,
		    struct error *error);

#endif
