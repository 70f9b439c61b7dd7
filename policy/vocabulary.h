/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vocabulary of telemetry: which token a value of a feature is.
 *
 * The built-in backbone is a language model of router telemetry.  Each step of
 * a log is spelled as the paper's token sequence (return-to-go, features,
 * action), every value as the token of the bin it falls in.  The vocabulary
 * lies beside the backbone as `vocabulary.json`, so a policy can start its
 * encoder at the embeddings that the backbone was pre-trained with
 * (policy/warm_start.h).
 *
 * A field with edges e_0 < e_1 < ... spells value v as first + #{i: e_i <= v}.
 */
#ifndef POLICY_VOCABULARY_H
#define POLICY_VOCABULARY_H

#include <stdint.h>

#include "base/error.h"

#define VOCABULARY_MAX_FIELDS 16
#define VOCABULARY_MAX_EDGES 95
#define VOCABULARY_FILE "vocabulary.json"

/* Names of the fields that are not features. */
#define VOCABULARY_RETURN "return_to_go"
#define VOCABULARY_ACTION "action"

struct vocabulary_field {
	char name[48];   /* a feature's name, or one of the two above */
	int32_t first;   /* its first token */
	int32_t edges;   /* it has edges + 1 tokens */
	double edge[VOCABULARY_MAX_EDGES];
};

struct vocabulary {
	int32_t fields;
	int32_t return_unknown; /* token of a return-to-go that is not told */
	int32_t tokens;         /* size of the embedding table, a multiple of 16 */
	struct vocabulary_field field[VOCABULARY_MAX_FIELDS];
};

/* The vocabulary that `pretrain` uses: the eight features of the paper, their return and action. */
void vocabulary_default(struct vocabulary *vocabulary);

/* Field by name, or NULL. */
const struct vocabulary_field *vocabulary_find(const struct vocabulary *vocabulary,
					       const char *name);

/* Token of a value; every double has one (NaN counts as the smallest). */
int32_t vocabulary_token(const struct vocabulary_field *field, double value);

/*
 * A value that stands for bin `index` in [0, edges]: the geometric middle of
 * its edges (arithmetic where an edge is not positive), just inside the first
 * and last bins.
 */
double vocabulary_representative(const struct vocabulary_field *field, int32_t index);

/* `directory`/vocabulary.json.  ERR_NOT_FOUND when absent; ERR_INVALID names the key. */
int vocabulary_read(struct vocabulary *vocabulary, const char *directory, struct error *error);
int vocabulary_write(const struct vocabulary *vocabulary, const char *directory,
		     struct error *error);

#endif
