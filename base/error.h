/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors: one table of negative codes, and a message that names where.
 *
 * Every function that can fail returns 0 (or a count >= 0) on success and a
 * negative code of the table below on failure.  At module edges the caller
 * passes a `struct error *` (may be NULL) that receives one readable line:
 * the file, line and field at fault, what is wrong and how to mend it.
 * Libraries never print and never exit; only `cli/` turns an error into text
 * and an exit status (error_exit_status()).
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

/* X(name, code, default text, exit status) */
#define ERROR_TABLE(X)                                                                             \
	X(ERR_OK, 0, "no error", 0)                                                                \
	X(ERR_NOT_FOUND, -2, "no such file or name", 2)                                            \
	X(ERR_INTERRUPTED, -4, "interrupted", 1)                                                   \
	X(ERR_IO, -5, "input or output failed", 1)                                                 \
	X(ERR_NO_MEMORY, -12, "out of memory", 1)                                                  \
	X(ERR_INVALID, -22, "invalid input", 2)                                                    \
	X(ERR_RANGE, -34, "value out of range", 2)                                                 \
	X(ERR_UNSUPPORTED, -95, "not supported", 2)                                                \
	X(ERR_FAILED, -125, "failed", 1)

enum error_code {
#define ERROR_ENUM(name, code, text, status) name = (code),
	ERROR_TABLE(ERROR_ENUM)
#undef ERROR_ENUM
};

struct error {
	int code;        /* one of enum error_code */
	char file[512];  /* file at fault, or empty */
	long line;       /* 1-based line in it, or 0 */
	char field[128]; /* field, key or option at fault, or empty */
	char text[512];  /* what is wrong and how to mend it */
};

/* Default text of a code; never NULL. */
const char *error_text(int code);

/* Exit status of the program for a code: 0 good, 1 failed, 2 bad input. */
int error_exit_status(int code);

/* Empties `error` (NULL is allowed). */
void error_clear(struct error *error);

/* Fills `error` (NULL is allowed) without a place.  Returns `code`, so `return error_set(...)`. */
int error_set(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set(), with the place: `file` and `field` may be NULL, `line` 0 when unknown. */
int error_at(struct error *error, int code, const char *file, long line, const char *field,
	     const char *format, ...) __attribute__((format(printf, 6, 7)));

/* As error_set() for a failed system call: maps errno, names `file` and adds strerror(). */
int error_errno(struct error *error, const char *file, const char *doing);

/*
 * Writes "file:line: field: text" (absent parts left out) into `text`, always
 * on one line: control characters become '?'.  Returns `text`.
 */
char *error_format(const struct error *error, char *text, size_t size);

#endif
