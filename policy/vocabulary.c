/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vocabulary of telemetry: bins, tokens and their file.
 *
 * Bins are even on a logarithmic scale, because queues live on one: 1 ms
 * against 2 ms of delay matters as much as 100 ms against 200.  Zero always
 * has a token of its own (an accumulated probability of exactly zero is an
 * event), and so do the two thresholds of PIE's derandomisation (RFC 8033
 * section 5.1: 0.85 and 8.5).
 */
#include "policy/vocabulary.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define PROBABILITY_ONE 2147483647.0

/* Bins of one field: zero alone, then `per_octave` bins an octave over [low, high]. */
struct scale {
	const char *name;
	double low, high;
	double per_octave;
	double extra[2]; /* further edges; 0: none */
};

static const struct scale scales[] = {
	{VOCABULARY_RETURN, 0.0625, 32768, 2, {0, 0}},
	{"burst_allowance", 5000, 160000, 3, {0, 0}},
	{"drop_probability", 1024, PROBABILITY_ONE, 2, {0.1 * PROBABILITY_ONE, 0}},
	{"current_queue_delay", 100, 4e6, 3, {0, 0}},
	{"accumulated_probability", 1024, 1e11, 2, {0.85 * PROBABILITY_ONE, 8.5 * PROBABILITY_ONE}},
	{"length_in_bytes", 40, 16e6, 3, {0, 0}},
	{"total_drops", 1, 1 << 20, 2, {0, 0}},
	{"packet_length", 40, 1500, 4, {1499.5, 0}},
};

static int compare_doubles(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static void fill_scale(struct vocabulary_field *field, const struct scale *scale)
{
	const int steps = (int)floor(log2(scale->high / scale->low) * scale->per_octave);

	field->edges = 0;
	if (scale->low > 1)
		field->edge[field->edges++] = 0.5;
	for (int i = 0; i <= steps; i++)
		field->edge[field->edges++] = scale->low * exp2(i / scale->per_octave);
	for (int i = 0; i < 2; i++)
		if (scale->extra[i] > 0)
			field->edge[field->edges++] = scale->extra[i];
	qsort(field->edge, (size_t)field->edges, sizeof(field->edge[0]), compare_doubles);
}

static struct vocabulary_field *add_field(struct vocabulary *vocabulary, const char *name)
{
	struct vocabulary_field *field = &vocabulary->field[vocabulary->fields++];

	memset(field, 0, sizeof(*field));
	strncpy(field->name, name, sizeof(field->name) - 1);
	return field;
}

/* Gives every field its tokens, in order. */
static void number_tokens(struct vocabulary *vocabulary)
{
	int32_t next = 0;

	for (int32_t i = 0; i < vocabulary->fields; i++) {
		vocabulary->field[i].first = next;
		next += vocabulary->field[i].edges + 1;
	}
	vocabulary->return_unknown = next++;
	vocabulary->tokens = (next + 15) / 16 * 16;
}

void vocabulary_default(struct vocabulary *vocabulary)
{
	struct vocabulary_field *field;

	memset(vocabulary, 0, sizeof(*vocabulary));
	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
		fill_scale(add_field(vocabulary, scales[i].name), &scales[i]);
	field = add_field(vocabulary, "queue_type");
	field->edges = 1;
	field->edge[0] = 0.5;
	field = add_field(vocabulary, VOCABULARY_ACTION);
	field->edges = 2;
	field->edge[0] = 0.5;
	field->edge[1] = 1.5;
	number_tokens(vocabulary);
}

const struct vocabulary_field *vocabulary_find(const struct vocabulary *vocabulary,
					       const char *name)
{
	for (int32_t i = 0; i < vocabulary->fields; i++)
		if (strcmp(vocabulary->field[i].name, name) == 0)
			return &vocabulary->field[i];
	return NULL;
}

int32_t vocabulary_token(const struct vocabulary_field *field, double value)
{
	int32_t low = 0, high = field->edges;

	while (low < high) {
		const int32_t middle = (low + high) / 2;

		if (field->edge[middle] <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return field->first + low;
}

double vocabulary_representative(const struct vocabulary_field *field, int32_t index)
{
	const double *edge = field->edge;

	if (index <= 0)
		return edge[0] > 0.5 ? edge[0] / 2 : 0;
	if (index >= field->edges)
		return edge[field->edges - 1] * 1.05;
	if (edge[index - 1] > 0)
		return sqrt(edge[index - 1] * edge[index]);
	return (edge[index - 1] + edge[index]) / 2;
}

static json_t *field_to_json(const struct vocabulary_field *field)
{
	json_t *edges = json_array();

	for (int32_t i = 0; i < field->edges; i++)
		json_array_append_new(edges, json_real(field->edge[i]));
	return json_pack("{s:s, s:i, s:o}", "name", field->name, "first", (int)field->first,
			 "edges", edges);
}

int vocabulary_write(const struct vocabulary *vocabulary, const char *directory,
		     struct error *error)
{
	char path[4096];
	json_t *fields = json_array(), *root;
	char *text;
	int code = file_join(path, sizeof(path), directory, VOCABULARY_FILE, error);

	for (int32_t i = 0; i < vocabulary->fields; i++)
		json_array_append_new(fields, field_to_json(&vocabulary->field[i]));
	root = json_pack("{s:i, s:i, s:i, s:o}", "version", 1, "tokens", (int)vocabulary->tokens,
			 "return_unknown", (int)vocabulary->return_unknown, "fields", fields);
	text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
	json_decref(root);
	if (code == 0 && text == NULL)
		code = error_set(error, ERR_NO_MEMORY, "out of memory writing %s", path);
	if (code == 0)
		code = file_write_all(path, text, strlen(text), error);
	free(text);
	return code;
}

/* Reads ascending edges; anything else is refused. */
static int read_edges(struct vocabulary_field *field, const json_t *edges, const char *path,
		      struct error *error)
{
	const size_t count = json_array_size(edges);

	if (count < 1 || count > VOCABULARY_MAX_EDGES)
		return error_at(error, ERR_INVALID, path, 0, field->name,
				"`edges` must be a list of 1 to %d numbers", VOCABULARY_MAX_EDGES);
	field->edges = (int32_t)count;
	for (size_t i = 0; i < count; i++) {
		const json_t *edge = json_array_get(edges, i);

		field->edge[i] = json_number_value(edge);
		if (!json_is_number(edge) || (i > 0 && field->edge[i] <= field->edge[i - 1]))
			return error_at(error, ERR_INVALID, path, 0, field->name,
					"`edges` must be numbers in ascending order");
	}
	return 0;
}

static int read_field(struct vocabulary *vocabulary, const json_t *entry, const char *path,
		      struct error *error)
{
	const char *name = json_string_value(json_object_get(entry, "name"));
	const json_t *first = json_object_get(entry, "first");
	struct vocabulary_field *field;
	int code;

	if (name == NULL || strlen(name) >= sizeof(field->name) || !json_is_integer(first) ||
	    vocabulary->fields == VOCABULARY_MAX_FIELDS)
		return error_at(
			error, ERR_INVALID, path, 0, "fields",
			"each of at most %d fields needs a short `name` and an integer `first`",
			VOCABULARY_MAX_FIELDS);
	field = add_field(vocabulary, name);
	code = read_edges(field, json_object_get(entry, "edges"), path, error);
	if (code)
		return code;
	if (json_integer_value(first) < 0 ||
	    json_integer_value(first) + field->edges >= vocabulary->tokens)
		return error_at(error, ERR_INVALID, path, 0, name,
				"its tokens must lie within the %d of the vocabulary",
				(int)vocabulary->tokens);
	field->first = (int32_t)json_integer_value(first);
	return 0;
}

static int read_root(struct vocabulary *vocabulary, const json_t *root, const char *path,
		     struct error *error)
{
	const json_t *fields = json_object_get(root, "fields");
	const json_int_t tokens = json_integer_value(json_object_get(root, "tokens"));
	const json_int_t unknown = json_integer_value(json_object_get(root, "return_unknown"));

	if (tokens < 1 || tokens > 1 << 20 || unknown < 0 || unknown >= tokens)
		return error_at(error, ERR_INVALID, path, 0, "tokens",
				"needs `tokens` (1 to 1048576) and `return_unknown` below it");
	vocabulary->tokens = (int32_t)tokens;
	vocabulary->return_unknown = (int32_t)unknown;
	for (size_t i = 0; i < json_array_size(fields); i++) {
		const int code = read_field(vocabulary, json_array_get(fields, i), path, error);

		if (code)
			return code;
	}
	if (vocabulary_find(vocabulary, VOCABULARY_ACTION) == NULL)
		return error_at(error, ERR_INVALID, path, 0, "fields",
				"a field `action` is missing");
	return 0;
}

int vocabulary_read(struct vocabulary *vocabulary, const char *directory, struct error *error)
{
	char path[4096], *text;
	size_t size;
	json_error_t problem;
	json_t *root;
	int code = file_join(path, sizeof(path), directory, VOCABULARY_FILE, error);

	memset(vocabulary, 0, sizeof(*vocabulary));
	if (code == 0)
		code = file_read_all(path, &text, &size, error);
	if (code)
		return code;
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
	free(text);
	if (root == NULL)
		return error_at(error, ERR_INVALID, path, problem.line, NULL, "not JSON: %s",
				problem.text);
	code = read_root(vocabulary, root, path, error);
	json_decref(root);
	return code;
}
