/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors: filling the message, and turning it into one printable line.
 *
 * The line may quote hostile input (a key of a scenario, a name in a
 * checkpoint), so formatting lets through printable ASCII and well-formed
 * UTF-8 only: no control character, C1 included, ever reaches a terminal.
 */
#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int code, status;
	const char *text;
} error_rows[] = {
#define ERROR_ROW(name, number, words, exit) {.code = (number), .status = (exit), .text = (words)},
	ERROR_TABLE(ERROR_ROW)
#undef ERROR_ROW
};

#define ERROR_ROWS (sizeof(error_rows) / sizeof(error_rows[0]))

const char *error_text(int code)
{
	for (size_t i = 0; i < ERROR_ROWS; i++)
		if (error_rows[i].code == code)
			return error_rows[i].text;
	return "unknown error";
}

int error_exit_status(int code)
{
	for (size_t i = 0; i < ERROR_ROWS; i++)
		if (error_rows[i].code == code)
			return error_rows[i].status;
	return code >= 0 ? 0 : 1;
}

void error_clear(struct error *error)
{
	if (error)
		memset(error, 0, sizeof(*error));
}

/* Copies what fits; `from` may be NULL. */
static void text_copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static int error_fill(struct error *error, int code, const char *file, long line,
		      const char *field, const char *format, va_list arguments)
{
	struct error filled;

	if (!error)
		return code;
	/* Built aside: the arguments may point into the error that is being replaced. */
	memset(&filled, 0, sizeof(filled));
	filled.code = code;
	filled.line = line;
	text_copy(filled.file, sizeof(filled.file), file);
	text_copy(filled.field, sizeof(filled.field), field);
	vsnprintf(filled.text, sizeof(filled.text), format, arguments);
	*error = filled;
	return code;
}

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	error_fill(error, code, NULL, 0, NULL, format, arguments);
	va_end(arguments);
	return code;
}

int error_at(struct error *error, int code, const char *file, long line, const char *field,
	     const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	error_fill(error, code, file, line, field, format, arguments);
	va_end(arguments);
	return code;
}

/* What the user named wrongly is bad input; what the machine refused is a failure. */
static int code_from_errno(int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EISDIR:
	case ENAMETOOLONG:
	case ELOOP:
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_INVALID;
	case ENOMEM:
		return ERR_NO_MEMORY;
	case EINTR:
		return ERR_INTERRUPTED;
	default:
		return ERR_IO;
	}
}

int error_errno(struct error *error, const char *file, const char *doing)
{
	const int number = errno;
	char reason[128];

	return error_at(error, code_from_errno(number), file, 0, NULL, "%s: %s", doing,
			strerror_r(number, reason, sizeof(reason)));
}

/* Bytes of the well-formed, printable UTF-8 sequence at `text`, or 0 (RFC 3629 section 4). */
static size_t utf8_length(const unsigned char *text)
{
	const unsigned char lead = text[0];
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (lead >= 0xc2 && lead <= 0xdf)
		length = 2;
	else if (lead >= 0xe0 && lead <= 0xef)
		length = 3;
	else if (lead >= 0xf0 && lead <= 0xf4)
		length = 4;
	else
		return 0;
	if (lead == 0xc2 || lead == 0xe0)
		low = 0xa0; /* C2 80..9F are control characters, E0 80..9F overlong */
	else if (lead == 0xed)
		high = 0x9f; /* surrogates */
	else if (lead == 0xf0)
		low = 0x90; /* overlong */
	else if (lead == 0xf4)
		high = 0x8f; /* above U+10FFFF */
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return length;
}

/* Appends `from` to text[used..size), made printable.  Returns the new length. */
static size_t append_printable(char *text, size_t size, size_t used, const char *from)
{
	const unsigned char *at = (const unsigned char *)from;

	while (*at) {
		const size_t length = *at >= 0x20 && *at < 0x7f ? 1 : utf8_length(at);
		const size_t take = length ? length : 1;

		if (used + take >= size)
			break;
		if (length)
			memcpy(text + used, at, length);
		else
			text[used] = '?';
		used += take;
		at += take;
	}
	return used;
}

char *error_format(const struct error *error, char *text, size_t size)
{
	char line[32];
	size_t used = 0;

	if (size == 0)
		return text;
	snprintf(line, sizeof(line), "%ld", error->line);
	if (error->file[0]) {
		used = append_printable(text, size, used, error->file);
		used = append_printable(text, size, used, ":");
		if (error->line > 0) {
			used = append_printable(text, size, used, line);
			used = append_printable(text, size, used, ":");
		}
		used = append_printable(text, size, used, " ");
	} else if (error->line > 0) {
		used = append_printable(text, size, used, "line ");
		used = append_printable(text, size, used, line);
		used = append_printable(text, size, used, ": ");
	}
	if (error->field[0]) {
		used = append_printable(text, size, used, error->field);
		used = append_printable(text, size, used, ": ");
	}
	used = append_printable(text, size, used,
				error->text[0] ? error->text : error_text(error->code));
	text[used] = '\0';
	return text;
}
