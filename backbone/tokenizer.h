/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text to tokens and back, by the tokeniser that comes with a checkpoint.
 *
 * Byte-level BPE (Sennrich et al. 2016; GPT-2's alphabet of bytes and its way
 * of splitting words) from vocab.json and merges.txt, from tokenizer.json, or
 * from a GGUF file; pieces of SentencePiece's kind (spaces as U+2581, bytes
 * as <0xNN>) from tokenizer.json or a GGUF file.  A model without a tokeniser
 * is fed bytes.
 *
 * Left out: normalisation beyond spaces, and splits other than GPT-2's (a
 * tokeniser that asks for one gets valid tokens, perhaps not the very ones);
 * bytes beyond ASCII count as letters.
 */
#ifndef BACKBONE_TOKENIZER_H
#define BACKBONE_TOKENIZER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum tokenizer_kind {
	TOKENIZER_BYTES,  /* byte b is token first_byte + b */
	TOKENIZER_BPE,
	TOKENIZER_PIECES,
};

struct tokenizer {
	enum tokenizer_kind kind;
	const char *source;   /* "vocab.json and merges.txt"; a constant */
	int64_t vocabulary;   /* tokens are below it */
	int32_t end;          /* ends a text; -1: unknown */
	int32_t start;        /* begins one; -1: none */
	int32_t first_byte;   /* TOKENIZER_BYTES */
	json_t *ids;          /* token text to id */
	json_t *merges;       /* "left right" to rank, lowest first; NULL: by score */
	double *scores;       /* (vocabulary): of pieces without merges, highest first */
	json_t *holder;       /* what the texts lie in, besides ids */
	const char **texts;   /* (vocabulary): id to token text; NULL: no such token */
};

/*
 * The tokeniser of a directory or GGUF file whose model has `vocabulary`
 * tokens.  ERR_INVALID names the file and key; ERR_UNSUPPORTED: a kind that is
 * not built, or no tokeniser and a vocabulary without room for 256 bytes.
 */
int tokenizer_open(struct tokenizer *tokenizer, const char *path, int64_t vocabulary,
		   struct error *error);
void tokenizer_close(struct tokenizer *tokenizer);

/*
 * Tokens of `text`, at most `room` of them into `tokens`; `first`: it begins
 * the sequence, so what a beginning gets comes before it.  Returns how many
 * there are, which may be more than `room`, or ERR_NO_MEMORY; text with a
 * character that the vocabulary cannot spell is ERR_INVALID.
 */
int64_t tokenizer_encode(const struct tokenizer *tokenizer, const char *text, bool first,
			 int32_t *tokens, int64_t room);

/* Appends what a token spells to `text`, a NUL-terminated string in `size` bytes. */
void tokenizer_decode(const struct tokenizer *tokenizer, int32_t token, char *text, size_t size);

#endif
