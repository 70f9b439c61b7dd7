/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of keys, and what reads a YAML document by them.
 *
 * libyaml's document tree keeps the line of every node, so each message can
 * name the line of the key it is about.  One table per mapping says which keys
 * exist, of what type and in which range; nothing else is accepted.
 */
#ifndef SIM_READER_H
#define SIM_READER_H

#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "base/error.h"

struct scenario;

struct reader {
	yaml_document_t *document;
	struct scenario *scenario;
	const char *path;
	struct error *error;
};

enum key_kind { KEY_NUMBER, KEY_COUNT, KEY_TEXT, KEY_CUSTOM };

struct key {
	const char *name;
	enum key_kind kind;
	size_t offset, size;  /* in the structure; size of texts */
	double min, max;      /* inclusive */
	int (*read)(struct reader *reader, void *object, yaml_node_t *node);
};

/* 1-based. */
long reader_line(const yaml_node_t *node);

/* ERR_INVALID: key `key` at `node`, and why. */
int reader_refuse(struct reader *reader, const yaml_node_t *node, const char *key, const char *why);

/* Text of a scalar, or NULL. */
const char *reader_text(const yaml_node_t *node);

/* A finite number in the key's range. */
int reader_number(struct reader *reader, const struct key *key, const yaml_node_t *node,
		  double *value);

/* A text of the key's size. */
int reader_string(struct reader *reader, const struct key *key, const yaml_node_t *node, char *out);

/* Keys and values into `object`; `what` names the mapping in messages. */
int reader_mapping(struct reader *reader, const struct key *keys, void *object, yaml_node_t *node,
		   const char *what);

/* Calls `read` for every item of a list of at most `most`. */
int reader_list(struct reader *reader, yaml_node_t *node, const char *name, uint64_t most,
		int (*read)(struct reader *reader, yaml_node_t *item, uint64_t index));

#endif
