/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A backbone as the language model that it was: tokens in, the likeliest next
 * token out, over a key/value cache.
 */
#ifndef BACKBONE_GENERATE_H
#define BACKBONE_GENERATE_H

#include <stdint.h>

#include "backbone/backbone.h"

struct generator {
	const struct backbone *backbone; /* not owned */
	const struct backbone_param *embedding, *head;
	struct backbone_cache *cache;
	struct arena arena;
	float *embeds, *hidden; /* (max_tokens, width) */
	float *logits;          /* (vocabulary): of what follows the last token fed */
	int64_t max_tokens;
};

/*
 * Room for sequences of `max_tokens`.  The backbone, opened with
 * options.lm_head, outlives it.  ERR_UNSUPPORTED: no token embedding, no head,
 * or a model that cannot go on from a cache; ERR_RANGE, ERR_NO_MEMORY.
 */
int generator_new(struct generator *generator, const struct backbone *backbone,
		  int64_t max_tokens, struct error *error);
void generator_free(struct generator *generator);

/* Forgets the sequence. */
void generator_restart(struct generator *generator);

/* Appends tokens, each below the vocabulary's size, and works out the logits after the last. */
int generator_feed(struct generator *generator, const int32_t *tokens, int64_t count,
		   struct error *error);

/* The likeliest next token; the lowest of equals. */
int32_t generator_best(const struct generator *generator);

#endif
