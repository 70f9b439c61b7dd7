/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values, mappings and lists out of a YAML document, each fault with its line.
 */
#include "sim/reader.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/scenario.h"

long reader_line(const yaml_node_t *node)
{
	return (long)node->start_mark.line + 1;
}

int reader_refuse(struct reader *reader, const yaml_node_t *node, const char *key, const char *why)
{
	return error_at(reader->error, ERR_INVALID, reader->path, reader_line(node), key, "%s",
			why);
}

/* Text of a scalar, or NULL. */
const char *reader_text(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || strlen(text) != node->data.scalar.length)
		return NULL;
	return text;
}

int reader_number(struct reader *reader, const struct key *key, const yaml_node_t *node,
		  double *value)
{
	const char *text = reader_text(node);
	char *end = NULL;

	errno = 0;
	if (text)
		*value = strtod(text, &end);
	if (text == NULL || end == text || *end || errno || !isfinite(*value))
		return reader_refuse(reader, node, key->name, "needs a number");
	if (*value < key->min || *value > key->max)
		return error_at(reader->error, ERR_RANGE, reader->path, reader_line(node),
				key->name, "%s is out of range; give a number from %.15g to %.15g",
				text, key->min, key->max);
	return 0;
}

int reader_string(struct reader *reader, const struct key *key, const yaml_node_t *node, char *out)
{
	const char *text = reader_text(node);

	if (text == NULL || text[0] == '\0' || strlen(text) >= key->size)
		return error_at(reader->error, ERR_INVALID, reader->path, reader_line(node),
				key->name, "needs a text of 1 to %zu characters", key->size - 1);
	strcpy(out, text);
	return 0;
}

static int read_value(struct reader *reader, const struct key *key, void *object, yaml_node_t *node)
{
	unsigned char *place = (unsigned char *)object + key->offset;
	double number = 0;
	int code;

	switch (key->kind) {
	case KEY_TEXT:
		return reader_string(reader, key, node, (char *)place);
	case KEY_CUSTOM:
		return key->read(reader, object, node);
	default:
		code = reader_number(reader, key, node, &number);
		if (code)
			return code;
		if (key->kind == KEY_NUMBER)
			memcpy(place, &number, sizeof(number));
		else if (number != floor(number))
			return reader_refuse(reader, node, key->name, "needs a whole number");
		else
			memcpy(place, &(uint64_t){(uint64_t)number}, sizeof(uint64_t));
		return 0;
	}
}

static int unknown_key(struct reader *reader, const struct key *keys, const yaml_node_t *node,
		       const char *name)
{
	char known[512] = "";
	size_t used = 0;

	for (const struct key *k = keys; k->name && used < sizeof(known); k++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 used ? ", " : "", k->name);
	return error_at(reader->error, ERR_INVALID, reader->path, reader_line(node), name,
			"no such key here; there are %s", known);
}

/* Keys of the top level and of the bottleneck may be at fault together: their lines are kept. */
static void keep_line(const struct reader *reader, const void *object, const char *key,
		      const yaml_node_t *node)
{
	struct scenario *scenario = reader->scenario;

	if (object == scenario && scenario->line_count < SCENARIO_MAX_LINES)
		scenario->lines[scenario->line_count++] =
			(struct scenario_line){key, reader_line(node)};
}

int reader_mapping(struct reader *reader, const struct key *keys, void *object, yaml_node_t *node,
		   const char *what)
{
	uint64_t seen = 0;

	if (node == NULL || node->type != YAML_MAPPING_NODE)
		return error_at(reader->error, ERR_INVALID, reader->path,
				node ? reader_line(node) : 1, what, "needs keys and values");
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key_node = yaml_document_get_node(reader->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
		const char *name = reader_text(key_node);
		const struct key *key = keys;
		int code;

		while (key->name && (name == NULL || strcmp(key->name, name) != 0))
			key++;
		if (key->name == NULL)
			return unknown_key(reader, keys, key_node, name ? name : "?");
		if (seen & UINT64_C(1) << (key - keys))
			return reader_refuse(reader, key_node, name, "is given twice");
		seen |= UINT64_C(1) << (key - keys);
		keep_line(reader, object, key->name, key_node);
		code = read_value(reader, key, object, value);
		if (code)
			return code;
	}
	return 0;
}

/* Calls `read` for every item of a list of at most `most`. */
int reader_list(struct reader *reader, yaml_node_t *node, const char *name, uint64_t most,
		int (*read)(struct reader *reader, yaml_node_t *item, uint64_t index))
{
	uint64_t index = 0;

	if (node->type != YAML_SEQUENCE_NODE)
		return reader_refuse(reader, node, name, "needs a list");
	for (yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++) {
		int code;

		if (index == most)
			return error_at(reader->error, ERR_RANGE, reader->path, reader_line(node),
					name, "at most %llu items", (unsigned long long)most);
		code = read(reader, yaml_document_get_node(reader->document, *item), index++);
		if (code)
			return code;
	}
	return 0;
}
