/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three formats of a pool, behind pool_read() and pool_write().
 *
 * Readers fill an initialised pool and check everything: shapes, actions 0 to
 * 2, done 0 or 1, finite numbers.  `path` is for messages.
 */
#ifndef EXPERIENCE_POOL_FORMATS_H
#define EXPERIENCE_POOL_FORMATS_H

#include <stdio.h>

#include "experience/pool.h"

int pool_read_csv(struct pool *pool, const char *path, struct error *error);
int pool_read_jsonl(struct pool *pool, const char *path, struct error *error);
int pool_read_safetensors(struct pool *pool, const char *path, struct error *error);

int pool_write_csv(const struct pool *pool, FILE *out);
/* What CSV has no place for, beside it. */
int pool_write_csv_meta(const struct pool *pool, const char *path, struct error *error);
int pool_write_jsonl(const struct pool *pool, FILE *out, struct error *error);
int pool_write_safetensors(const struct pool *pool, const char *path, struct error *error);

/* Parsers of text in memory, `size` bytes with a NUL behind them; used by tests and fuzzing. */
int pool_parse_csv(struct pool *pool, char *text, size_t size, const char *path,
		   struct error *error);
int pool_parse_jsonl(struct pool *pool, char *text, size_t size, const char *path,
		     struct error *error);

/* The meta object of JSON Lines as compact text (malloc'd), and back. */
char *pool_meta_to_json(const struct pool *pool);
int pool_meta_from_json(struct pool *pool, const char *text, const char *path, long line,
			struct error *error);

/* A new column; ERR_INVALID when the name is reserved, empty, too long, taken, or one too many. */
int pool_add_column(struct pool *pool, const char *name, const char *path, long line,
		    struct error *error);

/* What is wrong with `value` in the column, or NULL. */
const char *pool_value_problem(const struct pool_column *column, double value);

/* Marks columns that hold whole numbers only. */
void pool_find_integers(struct pool *pool);

/* Shortest decimal that reads back as `value`; `text` has room for 32 bytes. */
void pool_number(char *text, double value);

#endif
