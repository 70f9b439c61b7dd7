/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing the log as the kernel does.
 *
 * Lines are made by hand rather than by printf: a run logs hundreds of
 * thousands of them.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "aqm/record_line.h"
#include "base/file.h"
#include "base/units.h"
#include "experience/kernel_log.h"

#define BUFFER_BYTES (1 << 18)

static char *put_two(char *at, unsigned value, char pad)
{
	*at++ = value < 10 ? pad : (char)('0' + value / 10 % 10);
	*at++ = (char)('0' + value % 10);
	return at;
}

/* "Jan  1 00:00:00": syslog pads the day with a space. */
static char *put_stamp(char *at, uint64_t second)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint64_t day = second / 86400 % 365;
	unsigned month = 0;

	while (day >= days[month])
		day -= days[month++];
	memcpy(at, months + 3 * (size_t)month, 3);
	at[3] = ' ';
	at = put_two(at + 4, (unsigned)day + 1, ' ');
	*at++ = ' ';
	at = put_two(at, (unsigned)(second / 3600 % 24), '0');
	*at++ = ':';
	at = put_two(at, (unsigned)(second / 60 % 60), '0');
	*at++ = ':';
	return put_two(at, (unsigned)(second % 60), '0');
}

size_t kernel_log_format(char *line, const struct aqm_record *record, uint64_t second)
{
	char *at = put_stamp(line, second);

	at = aqm_record_put_text(at, " router kernel: ");
	at = aqm_record_put_line(at, record);
	*at++ = '\n';
	*at = '\0';
	return (size_t)(at - line);
}

struct kernel_log_writer {
	struct file_replace file;
	char *buffer;
	size_t used;
	z_stream deflate;
	ZSTD_CStream *zstd;
	enum { PLAIN, GZIP, ZSTD } kind;
	int failed; /* code of the first failure */
};

static void emit(struct kernel_log_writer *writer, const void *data, size_t size)
{
	if (fwrite(data, 1, size, writer->file.stream) != size)
		writer->failed = ERR_IO;
}

static void deflate_buffer(struct kernel_log_writer *writer, int flush)
{
	unsigned char out[1 << 16];

	writer->deflate.next_in = (unsigned char *)writer->buffer;
	writer->deflate.avail_in = (unsigned)writer->used;
	do {
		writer->deflate.next_out = out;
		writer->deflate.avail_out = sizeof(out);
		deflate(&writer->deflate, flush);
		emit(writer, out, sizeof(out) - writer->deflate.avail_out);
	} while (writer->deflate.avail_out == 0);
}

static void zstd_buffer(struct kernel_log_writer *writer, ZSTD_EndDirective end)
{
	unsigned char out[1 << 16];
	ZSTD_inBuffer in = {writer->buffer, writer->used, 0};
	size_t left;

	do {
		ZSTD_outBuffer to = {out, sizeof(out), 0};

		left = ZSTD_compressStream2(writer->zstd, &to, &in, end);
		if (ZSTD_isError(left)) {
			writer->failed = ERR_IO;
			return;
		}
		emit(writer, out, to.pos);
	} while (end == ZSTD_e_end ? left != 0 : in.pos < in.size);
}

static void flush_buffer(struct kernel_log_writer *writer, bool last)
{
	if (writer->kind == GZIP)
		deflate_buffer(writer, last ? Z_FINISH : Z_NO_FLUSH);
	else if (writer->kind == ZSTD)
		zstd_buffer(writer, last ? ZSTD_e_end : ZSTD_e_continue);
	else
		emit(writer, writer->buffer, writer->used);
	writer->used = 0;
}

static void free_writer(struct kernel_log_writer *writer)
{
	if (writer->kind == GZIP)
		deflateEnd(&writer->deflate);
	ZSTD_freeCStream(writer->zstd);
	free(writer->buffer);
	free(writer);
}

int kernel_log_create(struct kernel_log_writer **out, const char *path, struct error *error)
{
	struct kernel_log_writer *writer = calloc(1, sizeof(*writer));
	bool ready;
	int code;

	if (writer == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	writer->buffer = malloc(BUFFER_BYTES + KERNEL_LOG_LINE_BYTES);
	ready = writer->buffer != NULL;
	if (file_has_suffix(path, ".gz")) {
		/* 15 + 16: a gzip header, whose time stays 0, so that equal runs give equal bytes.
		 */
		ready = ready && deflateInit2(&writer->deflate, 6, Z_DEFLATED, 15 + 16, 8,
					      Z_DEFAULT_STRATEGY) == Z_OK;
		writer->kind = ready ? GZIP : PLAIN;
	} else if (file_has_suffix(path, ".zst")) {
		writer->zstd = ZSTD_createCStream();
		ready = ready && writer->zstd != NULL;
		writer->kind = ZSTD;
	}
	code = ready ? file_replace_open(&writer->file, path, error)
		     : error_set(error, ERR_NO_MEMORY, "out of memory");
	if (code) {
		free_writer(writer);
		return code;
	}
	*out = writer;
	return 0;
}

int kernel_log_write(struct kernel_log_writer *writer, uint64_t now_ns,
		     const struct aqm_record *record)
{
	writer->used += kernel_log_format(writer->buffer + writer->used, record, now_ns / NS_PER_S);
	if (writer->used >= BUFFER_BYTES)
		flush_buffer(writer, false);
	return writer->failed;
}

int kernel_log_close(struct kernel_log_writer *writer, bool keep, struct error *error)
{
	int code = 0;

	if (keep)
		flush_buffer(writer, true);
	if (keep && writer->failed)
		code = error_at(error, ERR_IO, writer->file.path, 0, NULL, "cannot write the log");
	if (keep && code == 0)
		code = file_replace_commit(&writer->file, error);
	else
		file_replace_abort(&writer->file);
	free_writer(writer);
	return code;
}
