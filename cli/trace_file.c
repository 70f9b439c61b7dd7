/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line at a time; times must not go back.
 */
#include "cli/trace_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/facts.h"

#define CELLS_MAX 32

enum { T_NS, OP, LEN_BYTES, ECN, FLOW, REQUIRED, SOURCE_HOST = REQUIRED, DESTINATION_HOST, NAMES };

static const char *const names[NAMES] = {
	"t_ns", "op", "len_bytes", "ecn", "flow", "source_host", "destination_host",
};

static int refuse(const struct trace_file *trace, int name, const char *why, struct error *error)
{
	return error_at(error, ERR_INVALID, trace->path, trace->line, names[name], "%s", why);
}

/* Cuts the line at its commas; returns the number of cells. */
static int cut(char *line, char *cells[CELLS_MAX])
{
	int count = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (count < CELLS_MAX) {
		cells[count++] = line;
		line = strchr(line, ',');
		if (line == NULL)
			break;
		*line++ = '\0';
	}
	return count;
}

static int read_header(struct trace_file *trace, struct error *error)
{
	char *cells[CELLS_MAX];

	trace->line = 1;
	if (getline(&trace->text, &trace->size, trace->stream) < 0)
		return error_at(error, ERR_INVALID, trace->path, 0, NULL,
				"the file is empty; it begins with t_ns,op,len_bytes,ecn,flow");
	trace->columns = cut(trace->text, cells);
	for (int n = 0; n < NAMES; n++) {
		trace->column[n] = -1;
		for (int c = 0; c < trace->columns; c++)
			if (strcmp(cells[c], names[n]) == 0)
				trace->column[n] = c;
		if (trace->column[n] < 0 && n < REQUIRED)
			return refuse(trace, n, "the header lacks this column", error);
	}
	return 0;
}

int trace_file_open(struct trace_file *trace, const char *path, struct error *error)
{
	int code;

	memset(trace, 0, sizeof(*trace));
	trace->path = path;
	trace->stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	if (trace->stream == NULL)
		return error_errno(error, path, "cannot open");
	code = read_header(trace, error);
	if (code)
		trace_file_close(trace);
	return code;
}

static int read_number(const struct trace_file *trace, char *const *cells, int name, uint64_t low,
		       uint64_t high, uint64_t *value, struct error *error)
{
	const char *text = cells[trace->column[name]];
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || *value < low || *value > high)
		return error_at(error, ERR_INVALID, trace->path, trace->line, names[name],
				"'%.40s' is not a whole number from %llu to %llu", text,
				(unsigned long long)low, (unsigned long long)high);
	return 0;
}

/* Index of the cell's word among `words` (ends with NULL), or -1. */
static int read_word(const char *text, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}

/* A flow's or host's number; left alone where none stands. */
static int read_identity(const struct trace_file *trace, char *const *cells, int name,
			 uint32_t *number, struct error *error)
{
	uint64_t value = 0;
	int code;

	if (trace->column[name] < 0 || cells[trace->column[name]][0] == '\0')
		return 0;
	code = read_number(trace, cells, name, 0, UINT32_MAX, &value, error);
	*number = (uint32_t)value;
	return code;
}

static int read_packet(const struct trace_file *trace, char *const *cells, struct trace_row *row,
		       struct error *error)
{
	static const char *const words[] = {"not", "ect1", "ect0", "ce", NULL};
	const int ecn = read_word(cells[trace->column[ECN]], words);
	uint64_t value = 0;
	int code = read_number(trace, cells, LEN_BYTES, 1, 65535, &value, error);

	row->len_bytes = (uint32_t)value;
	if (code == 0 && ecn < 0)
		return refuse(trace, ECN, "is one of not, ect0, ect1, ce", error);
	row->ecn = (uint8_t)ecn;
	if (code == 0)
		code = read_identity(trace, cells, FLOW, &row->flow, error);
	if (code == 0)
		code = read_identity(trace, cells, SOURCE_HOST, &row->source_host, error);
	if (code == 0)
		code = read_identity(trace, cells, DESTINATION_HOST, &row->destination_host, error);
	return code;
}

int trace_file_next(struct trace_file *trace, struct trace_row *row, struct error *error)
{
	static const char *const words[] = {"enq", "deq", "obs", NULL};
	char *cells[CELLS_MAX];
	int code, op;

	trace->line++;
	if (getline(&trace->text, &trace->size, trace->stream) < 0)
		return ferror(trace->stream) ? error_errno(error, trace->path, "cannot read") : 0;
	if (cut(trace->text, cells) != trace->columns)
		return error_at(error, ERR_INVALID, trace->path, trace->line, NULL,
				"needs %d fields, as the header has", trace->columns);
	memset(row, 0, sizeof(*row));
	code = read_number(trace, cells, T_NS, 0, INT64_MAX, &row->t_ns, error);
	if (code)
		return code;
	if (row->t_ns < trace->last_ns)
		return refuse(trace, T_NS, "goes back in time; sort the trace", error);
	trace->last_ns = row->t_ns;
	op = read_word(cells[trace->column[OP]], words);
	if (op < 0)
		return refuse(trace, OP, "is one of enq, deq, obs", error);
	row->op = (enum trace_op)op;
	if (row->op == TRACE_ENQUEUE)
		code = read_packet(trace, cells, row, error);
	return code ? code : 1;
}

void trace_file_close(struct trace_file *trace)
{
	if (trace->stream && trace->stream != stdin)
		fclose(trace->stream);
	free(trace->text);
	memset(trace, 0, sizeof(*trace));
}
