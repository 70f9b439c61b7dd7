/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router's log: one line per enqueue attempt, as the kernel prints it.
 *
 *     Mon DD HH:MM:SS host kernel: l4s_ecn_marking-start,<24 integers>,end
 *
 * with a space before the newline.  Real files hold cut, merged and repeated
 * lines, 23-field lines of an older kernel, and rotated, compressed pieces.  A
 * record is intact when the marker, its integers and `,end` stand together
 * anywhere in a line; whatever else carries a marker is counted as damage.
 */
#ifndef EXPERIENCE_KERNEL_LOG_H
#define EXPERIENCE_KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aqm/record.h"
#include "base/error.h"

/* X(name, what it means) */
#define KERNEL_LOG_DAMAGE_TABLE(X)                                                                 \
	X(cut, "the line ends inside a record")                                                    \
	X(merged, "another record begins inside this one")                                         \
	X(fields, "not 24 (or 23) integers")                                                       \
	X(range, "a value no router can log")                                                      \
	X(repeated, "'last message repeated': records that were not written")

enum kernel_log_damage {
#define KERNEL_LOG_ENUM(name, text) KERNEL_LOG_##name,
	KERNEL_LOG_DAMAGE_TABLE(KERNEL_LOG_ENUM)
#undef KERNEL_LOG_ENUM
	KERNEL_LOG_DAMAGES
};

const char *kernel_log_damage_name(enum kernel_log_damage damage);

struct kernel_log_counts {
	uint64_t lines;
	uint64_t records;                     /* intact */
	uint64_t short_records;               /* of these with 23 fields: packet_length is 0 */
	uint64_t damaged[KERNEL_LOG_DAMAGES];
	uint64_t first_damaged_line;          /* 1-based over all input; 0: none */
};

/* What a reader is told; a negative return stops it with that code. */
struct kernel_log_sink {
	void *context;
	/*
	 * An intact record.  `syslog_s` is seconds since the first day of the log's first year by
	 * its syslog time (a step back of half a year counts as a new year), -1 when the line has
	 * none.
	 */
	int (*record)(void *context, const struct aqm_record *record, int64_t syslog_s);
	/* Bytes read so far, for progress; may be NULL. */
	int (*progress)(void *context, uint64_t bytes);
};

/*
 * A parser over pieces of input: feed it blocks, then finish.  Lines may be
 * split anywhere between blocks.
 */
struct kernel_log_parser {
	struct kernel_log_sink sink;
	struct kernel_log_counts counts;
	char *carry;              /* the unfinished line */
	size_t carried, capacity;
	int64_t year_s, last_s;   /* start of the log's current year; last time seen */
	char stamp[16];           /* syslog text of the last line and its time: lines repeat it */
	int64_t stamp_s;
};

void kernel_log_parser_init(struct kernel_log_parser *parser, const struct kernel_log_sink *sink);
int kernel_log_feed(struct kernel_log_parser *parser, const char *data, size_t size,
		    struct error *error);
int kernel_log_finish(struct kernel_log_parser *parser, struct error *error);
void kernel_log_parser_free(struct kernel_log_parser *parser);

/*
 * Reads a whole log into the parser: plain, .gz or .zst (recognised by content),
 * or "-" for standard input.  Call it once per piece, oldest first, then
 * kernel_log_finish().
 */
int kernel_log_read(struct kernel_log_parser *parser, const char *path, struct error *error);

/* Longest line that kernel_log_format() makes, the newline and NUL included. */
#define KERNEL_LOG_LINE_BYTES 640

/*
 * One line, byte for byte as the kernel and syslogd write it; `second` counts
 * from 1 January 00:00:00.  Returns its length.
 */
size_t kernel_log_format(char *line, const struct aqm_record *record, uint64_t second);

/* A log being written: plain, .gz or .zst by suffix; replaced atomically at the end. */
struct kernel_log_writer;

int kernel_log_create(struct kernel_log_writer **writer, const char *path, struct error *error);
int kernel_log_write(struct kernel_log_writer *writer, uint64_t now_ns,
		     const struct aqm_record *record);

/* Commits the file (or gives it up when `keep` is false) and frees the writer. */
int kernel_log_close(struct kernel_log_writer *writer, bool keep, struct error *error);

#endif
