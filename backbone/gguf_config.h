/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The settings of a GGUF file as the config.json that a Hugging Face directory
 * of the same model would hold.
 */
#ifndef BACKBONE_GGUF_CONFIG_H
#define BACKBONE_GGUF_CONFIG_H

#include <jansson.h>

#include "backbone/gguf.h"

/*
 * A new reference in *root.  ERR_UNSUPPORTED for an architecture or a variant
 * that is not built, ERR_INVALID for a key that is missing or contradicts
 * another; the message names the key as the file does.
 */
int gguf_config(struct gguf *file, json_t **root, struct error *error);

#endif
