/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading logs: blocks into lines, lines into records, the rest into counts.
 *
 * The common line is found at the same offset as in the line before, so the
 * search for the marker is one comparison; integers are parsed by hand.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "experience/kernel_log.h"

#define MARKER "ecn_marking-start,"
#define MARKER_BYTES (sizeof(MARKER) - 1)
#define REPEATED "last message repeated "
#define END ",end"
/* No line of a kernel is longer; what is gets cut here and counted as damaged. */
#define MAX_LINE_BYTES (1 << 16)
#define BLOCK_BYTES (1 << 20)
#define STAMP_BYTES 15
#define YEAR_S (365 * INT64_C(86400))

const char *kernel_log_damage_name(enum kernel_log_damage damage)
{
	static const char *const names[] = {
#define NAME(name, text) #name,
		KERNEL_LOG_DAMAGE_TABLE(NAME)
#undef NAME
	};

	return names[damage];
}

void kernel_log_parser_init(struct kernel_log_parser *parser, const struct kernel_log_sink *sink)
{
	memset(parser, 0, sizeof(*parser));
	parser->sink = *sink;
	parser->last_s = -1;
}

void kernel_log_parser_free(struct kernel_log_parser *parser)
{
	free(parser->carry);
	parser->carry = NULL;
}

static void count_damage(struct kernel_log_parser *parser, enum kernel_log_damage damage)
{
	parser->counts.damaged[damage]++;
	if (parser->counts.first_damaged_line == 0)
		parser->counts.first_damaged_line = parser->counts.lines;
}

static int two_digits(const char *text)
{
	const int tens = text[0] == ' ' ? 0 : text[0] - '0', ones = text[1] - '0';

	return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : 10 * tens + ones;
}

/* Seconds into the year of "Mon DD HH:MM:SS", or -1. */
static int64_t parse_stamp(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const int first_day[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	const int day = two_digits(text + 4), hour = two_digits(text + 7);
	const int minute = two_digits(text + 10), second = two_digits(text + 13);

	if (text[3] != ' ' || text[6] != ' ' || text[9] != ':' || text[12] != ':' || day < 1 ||
	    day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
	    second > 60)
		return -1;
	for (int month = 0; month < 12; month++)
		if (memcmp(text, months + 3 * month, 3) == 0)
			return (((int64_t)first_day[month] + day - 1) * 24 + hour) * 3600 +
			       minute * 60 + second;
	return -1;
}

/* Time of a line; stamps repeat for a whole second, so the last one is remembered. */
static int64_t line_time(struct kernel_log_parser *parser, const char *line, size_t length)
{
	int64_t at_s;

	if (length < STAMP_BYTES)
		return -1;
	if (memcmp(line, parser->stamp, STAMP_BYTES) == 0)
		return parser->stamp_s;
	at_s = parse_stamp(line);
	if (at_s < 0)
		return -1;
	at_s += parser->year_s;
	if (parser->last_s >= 0 && at_s < parser->last_s - YEAR_S / 2) {
		parser->year_s += YEAR_S;
		at_s += YEAR_S;
	}
	parser->last_s = at_s;
	memcpy(parser->stamp, line, STAMP_BYTES);
	parser->stamp_s = at_s;
	return at_s;
}

/*
 * Integers separated by commas into fields; *at moves to what stopped it.
 * Returns how many; more than 24, or one that overflows, is -1.
 */
static int parse_integers(const char **at, const char *end, int64_t *fields)
{
	const char *c = *at;
	int count = 0;

	for (;;) {
		uint64_t value = 0;
		const char *digits = c;

		while (c < end && (unsigned char)(*c - '0') < 10)
			value = value * 10 + (unsigned)(*c++ - '0');
		*at = c;
		if (c == digits)
			return count;
		if (count == AQM_RECORD_FIELDS || c - digits > 18)
			return -1;
		fields[count++] = (int64_t)value;
		if (c == end || *c != ',')
			return count;
		c++;
	}
}

/* Ranges that every router's numbers lie in. */
static bool in_range(const struct aqm_record *record)
{
	return record->queue_type <= 1 && record->dequeue_action >= AQM_LOGGED_ENQUEUE &&
	       record->dequeue_action <= AQM_LOGGED_MARK && record->packet_length <= 65535 &&
	       record->drop_probability <= AQM_RECORD_PROBABILITY_ONE &&
	       record->accumulated_probability < INT64_C(1) << 53 &&
	       record->total_bytes < INT64_C(1) << 53;
}

/* 23 fields: an older kernel without packet_length, which stands before the action. */
static void fill_missing_length(int64_t *fields)
{
	fields[AQM_RECORD_FIELDS - 1] = fields[AQM_RECORD_FIELDS - 2];
	fields[AQM_RECORD_FIELDS - 2] = 0;
}

static int accept_record(struct kernel_log_parser *parser, struct aqm_record *record, int count,
			 int64_t at_s)
{
	if (count == AQM_RECORD_FIELDS - 1)
		fill_missing_length(&record->queue_type);
	if (!in_range(record)) {
		count_damage(parser, KERNEL_LOG_range);
		return 0;
	}
	parser->counts.records++;
	parser->counts.short_records += count == AQM_RECORD_FIELDS - 1;
	return parser->sink.record(parser->sink.context, record, at_s);
}

/* Why what begins with a marker is no record. */
static enum kernel_log_damage diagnose(const char *at, const char *end, int count)
{
	if (count >= 0 && memmem(at, (size_t)(end - at), MARKER, MARKER_BYTES) != NULL &&
	    memmem(at, (size_t)(end - at), MARKER, MARKER_BYTES) <
		    memmem(at, (size_t)(end - at), END, sizeof(END) - 1))
		return KERNEL_LOG_merged;
	if (memmem(at, (size_t)(end - at), END, sizeof(END) - 1) == NULL)
		return KERNEL_LOG_cut;
	return KERNEL_LOG_fields;
}

/* One candidate after a marker; *at moves beyond what was used. */
static int parse_candidate(struct kernel_log_parser *parser, const char **at, const char *end,
			   int64_t at_s)
{
	struct aqm_record record;
	const char *start = *at;
	const int count = parse_integers(at, end, &record.queue_type);

	/* The integers' last comma belongs to ",end". */
	if (count >= AQM_RECORD_FIELDS - 1 && (size_t)(end - *at) >= 3 && (*at)[-1] == ',' &&
	    memcmp(*at, "end", 3) == 0)
		return accept_record(parser, &record, count, at_s);
	count_damage(parser, diagnose(start, end, count));
	return 0;
}

static int parse_line(struct kernel_log_parser *parser, const char *line, size_t length)
{
	const char *end = line + length, *at = line;
	const char *marker = memmem(at, length, MARKER, MARKER_BYTES);
	int code = 0;

	parser->counts.lines++;
	if (marker == NULL) {
		/* The other half of a cut record, or a line that is no record at all. */
		if (memmem(line, length, REPEATED, sizeof(REPEATED) - 1))
			count_damage(parser, KERNEL_LOG_repeated);
		else if (memmem(line, length, END, sizeof(END) - 1))
			count_damage(parser, KERNEL_LOG_cut);
		return 0;
	}
	while (marker && code == 0) {
		at = marker + MARKER_BYTES;
		code = parse_candidate(parser, &at, end, line_time(parser, line, length));
		marker = memmem(at, (size_t)(end - at), MARKER, MARKER_BYTES);
	}
	return code;
}

/* Keeps the unfinished end of a block for the next one. */
static int keep(struct kernel_log_parser *parser, const char *data, size_t size,
		struct error *error)
{
	if (parser->carried + size > MAX_LINE_BYTES)
		size = MAX_LINE_BYTES - parser->carried;
	if (parser->carry == NULL) {
		parser->carry = malloc(MAX_LINE_BYTES);
		if (parser->carry == NULL)
			return error_set(error, ERR_NO_MEMORY, "out of memory");
	}
	memcpy(parser->carry + parser->carried, data, size);
	parser->carried += size;
	return 0;
}

int kernel_log_feed(struct kernel_log_parser *parser, const char *data, size_t size,
		    struct error *error)
{
	const char *end = data + size;

	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		const size_t length = (size_t)((newline ? newline : end) - data);
		int code;

		if (newline == NULL)
			return keep(parser, data, length, error);
		if (parser->carried) {
			code = keep(parser, data, length, error);
			if (code == 0)
				code = parse_line(parser, parser->carry, parser->carried);
			parser->carried = 0;
		} else {
			code = parse_line(parser, data, length);
		}
		if (code)
			return code;
		data = newline + 1;
	}
	return 0;
}

int kernel_log_finish(struct kernel_log_parser *parser, struct error *error)
{
	int code = 0;

	(void)error;
	if (parser->carried)
		code = parse_line(parser, parser->carry, parser->carried);
	parser->carried = 0;
	return code;
}

/* A log file being read: what it is compressed with is in its first bytes. */
struct source {
	FILE *file;
	const char *path;
	char *block, *plain;
	size_t filled;     /* bytes of the block */
	uint64_t read;     /* bytes of the file so far */
	z_stream inflate;
	ZSTD_DStream *zstd;
};

static int fill_block(struct source *source, struct error *error)
{
	source->filled = fread(source->block, 1, BLOCK_BYTES, source->file);
	source->read += source->filled;
	if (source->filled == 0 && ferror(source->file))
		return error_errno(error, source->path, "cannot read");
	return 0;
}

static int damaged_archive(const struct source *source, const char *kind, struct error *error)
{
	return error_at(
		error, ERR_INVALID, source->path, 0, NULL,
		"not a whole %s file: it is damaged or cut; what stands before that was read",
		kind);
}

/* Feeds one block of gzip; *ended tells whether a member just ended. */
static int feed_gzip(struct source *source, struct kernel_log_parser *parser, bool *ended,
		     struct error *error)
{
	z_stream *z = &source->inflate;

	z->next_in = (unsigned char *)source->block;
	z->avail_in = (unsigned)source->filled;
	while (z->avail_in > 0) {
		int status, code;

		if (*ended)
			inflateReset(z);
		z->next_out = (unsigned char *)source->plain;
		z->avail_out = BLOCK_BYTES;
		status = inflate(z, Z_NO_FLUSH);
		if (status != Z_OK && status != Z_STREAM_END)
			return damaged_archive(source, "gzip", error);
		*ended = status == Z_STREAM_END;
		code = kernel_log_feed(parser, source->plain, BLOCK_BYTES - z->avail_out, error);
		if (code)
			return code;
	}
	return 0;
}

static int feed_zstd(struct source *source, struct kernel_log_parser *parser, bool *ended,
		     struct error *error)
{
	ZSTD_inBuffer in = {source->block, source->filled, 0};

	while (in.pos < in.size) {
		ZSTD_outBuffer out = {source->plain, BLOCK_BYTES, 0};
		const size_t left = ZSTD_decompressStream(source->zstd, &out, &in);
		int code;

		if (ZSTD_isError(left))
			return damaged_archive(source, "zstd", error);
		*ended = left == 0;
		code = kernel_log_feed(parser, source->plain, out.pos, error);
		if (code)
			return code;
	}
	return 0;
}

typedef int (*feeder)(struct source *source, struct kernel_log_parser *parser, bool *ended,
		      struct error *error);

static int feed_plain(struct source *source, struct kernel_log_parser *parser, bool *ended,
		      struct error *error)
{
	*ended = true;
	return kernel_log_feed(parser, source->block, source->filled, error);
}

/* What the first bytes say; makes the decompressor. */
static feeder choose_feeder(struct source *source)
{
	const unsigned char *head = (const unsigned char *)source->block;

	if (source->filled >= 2 && head[0] == 0x1f && head[1] == 0x8b)
		return inflateInit2(&source->inflate, 15 + 16) == Z_OK ? feed_gzip : NULL;
	if (source->filled >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0) {
		source->zstd = ZSTD_createDStream();
		return source->zstd ? feed_zstd : NULL;
	}
	return feed_plain;
}

static int read_source(struct source *source, struct kernel_log_parser *parser,
		       struct error *error)
{
	bool ended = true;
	int code = fill_block(source, error);
	const feeder feed = code ? NULL : choose_feeder(source);

	if (code)
		return code;
	if (feed == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	while (code == 0 && source->filled > 0) {
		code = feed(source, parser, &ended, error);
		if (code == 0 && parser->sink.progress)
			code = parser->sink.progress(parser->sink.context, source->read);
		if (code == 0)
			code = fill_block(source, error);
	}
	if (code == 0 && !ended)
		code = damaged_archive(source, feed == feed_gzip ? "gzip" : "zstd", error);
	if (feed == feed_gzip)
		inflateEnd(&source->inflate);
	return code;
}

int kernel_log_read(struct kernel_log_parser *parser, const char *path, struct error *error)
{
	const bool standard = strcmp(path, "-") == 0;
	struct source source = {.path = standard ? "standard input" : path};
	int code = 0;

	if (!standard && file_is_folder(path))
		return error_at(error, ERR_INVALID, path, 0, NULL, "is a folder, not a log");
	source.file = standard ? stdin : fopen(path, "rbe");
	if (source.file == NULL)
		return error_errno(error, path, "cannot open");
	source.block = malloc(BLOCK_BYTES);
	source.plain = malloc(BLOCK_BYTES);
	if (source.block == NULL || source.plain == NULL)
		code = error_set(error, ERR_NO_MEMORY, "out of memory");
	if (code == 0)
		code = read_source(&source, parser, error);
	free(source.block);
	free(source.plain);
	ZSTD_freeDStream(source.zstd);
	if (!standard)
		fclose(source.file);
	return code;
}
