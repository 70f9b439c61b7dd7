/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors as values: codes from one table, messages with a place.
 */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int code;
	int exit_status;
	const char *text;
} table[] = {
#define ERROR_ROW(name, code, text, status) {(code), (status), (text)},
	ERROR_TABLE(ERROR_ROW)
#undef ERROR_ROW
};

const char *error_text(int code)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return table[i].text;
	return "unknown error";
}

int error_exit_status(int code)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return table[i].exit_status;
	return 1;
}

void error_clear(struct error *error)
{
	if (error)
		memset(error, 0, sizeof(*error));
}

/* Copies what fits; NULL gives an empty string. */
static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void fill(struct error *error, int code, const char *file, long line, const char *field)
{
	error->code = code;
	error->line = line;
	copy_text(error->file, sizeof(error->file), file);
	copy_text(error->field, sizeof(error->field), field);
}

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return code;
	fill(error, code, NULL, 0, NULL);
	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return code;
}

int error_at(struct error *error, int code, const char *file, long line, const char *field,
	     const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return code;
	fill(error, code, file, line, field);
	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return code;
}

static int code_of_errno(int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case ENOMEM:
		return ERR_NO_MEMORY;
	case EINTR:
		return ERR_INTERRUPTED;
	case EISDIR:
	case EINVAL:
	case EACCES:
	case EPERM:
	case ENAMETOOLONG:
		return ERR_INVALID;
	default:
		return ERR_IO;
	}
}

int error_errno(struct error *error, const char *file, const char *doing)
{
	const int number = errno;

	return error_at(error, code_of_errno(number), file, 0, NULL, "%s: %s", doing,
			strerror(number));
}

char *error_format(const struct error *error, char *text, size_t size)
{
	char line[32] = "";

	if (error->line > 0)
		snprintf(line, sizeof(line), "%s%ld", error->file[0] ? ":" : "line ", error->line);
	snprintf(text, size, "%s%s%s%s%s%s", error->file, line,
		 error->file[0] || line[0] ? ": " : "", error->field, error->field[0] ? ": " : "",
		 error->text[0] ? error->text : error_text(error->code));
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return text;
}
