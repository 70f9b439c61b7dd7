/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON settings of a Hugging Face directory (config.json, adapter_config.json),
 * read field by field.  Every error names the file and the key.  A key with a
 * dot, "rope_scaling.factor", looks into an object.
 */
#ifndef BACKBONE_CONFIG_H
#define BACKBONE_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct config {
	json_t *root; /* an object */
	char path[4096];
};

/* Reads folder/name.  ERR_NOT_FOUND, ERR_INVALID. */
int config_open(struct config *config, const char *folder, const char *name, struct error *error);
void config_close(struct config *config);

/* A whole number in [min, max].  `value` holds the default; a missing or null key keeps it. */
struct config_integer {
	const char *key;
	int64_t *value;
	int64_t min, max;
	bool required;
};

int config_integers(const struct config *config, const struct config_integer *fields, size_t count,
		    struct error *error);

/* A number in (min, max]; a missing or null key keeps *value. */
int config_real(const struct config *config, const char *key, double min, double max,
		double *value, struct error *error);

/* A truth value; a missing or null key keeps *value. */
int config_flag(const struct config *config, const char *key, bool *value, struct error *error);

/* Text, or NULL when the key is missing or null; ERR_INVALID when it is something else. */
int config_text(const struct config *config, const char *key, const char **value,
		struct error *error);

/* Whether `key` is there and an object; ERR_INVALID when it is something else but null. */
int config_object(const struct config *config, const char *key, bool *there,
		  struct error *error);

/* ERR_UNSUPPORTED unless the truth value `key` is `wanted` (missing: as wanted). */
int config_flag_is(const struct config *config, const char *key, bool wanted,
		   struct error *error);

#endif
