/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool of experience: one row per decision, in time order.
 *
 * In memory a pool is a table of doubles (every integer of a log fits: below
 * 2^53) with per-column knowledge of what is an integer, so that files in all
 * three formats carry the same values.  The suffix decides the format
 * (.jsonl, .safetensors, .csv).
 */
#ifndef EXPERIENCE_POOL_H
#define EXPERIENCE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define POOL_MAX_FEATURES 32
#define POOL_NAME_BYTES 48

/*
 * A column of this name is not a feature but what the law knew: its own probability of acting on
 * the packet.  Learning leaves it out; predict scores a policy against its entropy.
 */
#define POOL_LAW_COLUMN "law_probability"

enum pool_action { POOL_ENQUEUE = 0, POOL_DROP = 1, POOL_MARK = 2 };
#define POOL_ACTIONS 3

struct pool_column {
	char name[POOL_NAME_BYTES];
	char unit[16];   /* "us", "bytes", "2^-31", "" */
	bool is_integer; /* every value is a whole number */
	bool is_probability; /* no value is outside [0, 1]: POOL_LAW_COLUMN */
};

/* Provenance: where rows came from and what was done to them. */
struct pool_meta {
	char reward[24]; /* paper, released, qdelay, ... or "recorded" */
	double gamma;
	char state[16];  /* before, as-logged, or "recorded" when the file did not say */
	char *source;    /* JSON array text, malloc'd, never NULL after pool_init() */
};

struct pool {
	size_t rows, capacity;
	size_t features;
	struct pool_column columns[POOL_MAX_FEATURES];
	double *state;    /* (rows, features), row-major */
	int32_t *action;  /* (rows), enum pool_action */
	double *reward;   /* (rows) */
	uint8_t *done;    /* (rows), 1 on the last row of an episode */
	struct pool_meta meta;
};

void pool_init(struct pool *pool);
void pool_free(struct pool *pool);

/* Appends one row; `state` has pool->features values.  ERR_NO_MEMORY. */
int pool_append(struct pool *pool, const double *state, int32_t action, double reward, bool done);

/* Index of a feature by name, or -1. */
int pool_feature(const struct pool *pool, const char *name);

/*
 * Reads a whole pool into an initialised one, whose content goes; the format by suffix.  The error
 * names file, line and column, and the pool is empty then.
 */
int pool_read(struct pool *pool, const char *path, struct error *error);

/* Writes a pool atomically, the format by suffix. */
int pool_write(const struct pool *pool, const char *path, struct error *error);

/* Contiguous split: rows [0, cut) train, [cut, rows) held out; fraction in [0, 1). */
size_t pool_split_row(const struct pool *pool, double held_out_fraction);

#endif
