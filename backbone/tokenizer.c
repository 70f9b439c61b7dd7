/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encoding and decoding; reading the files is tokenizer_read.c's.
 *
 * A word (BPE) or a line (pieces) becomes symbols, single characters at first;
 * the neighbouring pair that merges first is joined until none is left.
 */
#include "backbone/tokenizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/tokenizer_internal.h"

#define SPACE_PIECE "\xe2\x96\x81" /* U+2581 */
#define SYMBOL_BYTES 512

/* Where encoding puts tokens. */
struct sink {
	const struct tokenizer *tokenizer;
	int32_t *tokens;
	int64_t room, count;
	int code;
};

static void sink_add(struct sink *sink, int32_t token)
{
	if (sink->count < sink->room)
		sink->tokens[sink->count] = token;
	sink->count++;
}

int tokenizer_alphabet(unsigned char byte)
{
	int others = 0;

	if ((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174)
		return byte;
	for (int b = 0; b < byte; b++)
		others += !((b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174);
	return 256 + others;
}

/* A code point below 0x800 as UTF-8; returns its bytes. */
static size_t utf8_put(char *out, int point)
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	out[0] = (char)(0xc0 | point >> 6);
	out[1] = (char)(0x80 | (point & 0x3f));
	return 2;
}

static size_t utf8_length(unsigned char first)
{
	if (first < 0xc0)
		return 1;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* A symbol is a stretch of the buffer. */
struct symbol {
	size_t begin, length;
};

/* Id of the token spelled by `length` bytes, or -1. */
static int32_t token_find(const struct tokenizer *tokenizer, const char *text, size_t length)
{
	const json_t *id = json_object_getn(tokenizer->ids, text, length);

	return id ? (int32_t)json_integer_value(id) : -1;
}

/* When two neighbours merge: lower is sooner, infinity never. */
static double pair_rank(const struct tokenizer *tokenizer, const char *text, struct symbol left,
			struct symbol right)
{
	char key[SYMBOL_BYTES];
	const size_t length = left.length + 1 + right.length;
	const json_t *rank;
	int32_t id;

	if (!tokenizer->merges) {
		id = token_find(tokenizer, text + left.begin, left.length + right.length);
		return id < 0 ? INFINITY : -tokenizer->scores[id];
	}
	if (length > sizeof(key))
		return INFINITY;
	memcpy(key, text + left.begin, left.length);
	key[left.length] = ' ';
	memcpy(key + left.length + 1, text + right.begin, right.length);
	rank = json_object_getn(tokenizer->merges, key, length);
	return rank ? (double)json_integer_value(rank) : INFINITY;
}

static size_t symbols_merge(const struct tokenizer *tokenizer, const char *text,
			    struct symbol *symbols, size_t count)
{
	for (;;) {
		double best = INFINITY;
		size_t at = 0;

		for (size_t i = 0; i + 1 < count; i++) {
			const double rank =
				pair_rank(tokenizer, text, symbols[i], symbols[i + 1]);

			if (rank < best) {
				best = rank;
				at = i;
			}
		}
		if (isinf(best))
			return count;
		symbols[at].length += symbols[at + 1].length;
		memmove(&symbols[at + 1], &symbols[at + 2], (count - at - 2) * sizeof(*symbols));
		count--;
	}
}

/* A symbol that is no token: its bytes one by one, as <0xNN>. */
static void bytes_add(struct sink *sink, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char name[8];
		int32_t id;

		snprintf(name, sizeof(name), "<0x%02X>", (unsigned char)text[i]);
		id = token_find(sink->tokenizer, name, strlen(name));
		if (id < 0)
			sink->code = ERR_INVALID;
		else
			sink_add(sink, id);
	}
}

/* Splits `length` bytes of UTF-8 into characters, merges them, adds the tokens. */
static void stretch_add(struct sink *sink, const char *text, size_t length)
{
	struct symbol *symbols = malloc((length + 1) * sizeof(*symbols));
	size_t count = 0;

	if (!symbols) {
		sink->code = ERR_NO_MEMORY;
		return;
	}
	for (size_t i = 0; i < length; i += symbols[count++].length) {
		const size_t wanted = utf8_length((unsigned char)text[i]);

		symbols[count].begin = i;
		symbols[count].length = wanted > length - i ? length - i : wanted;
	}
	count = symbols_merge(sink->tokenizer, text, symbols, count);
	for (size_t i = 0; i < count; i++) {
		const char *symbol = text + symbols[i].begin;
		const int32_t id = token_find(sink->tokenizer, symbol, symbols[i].length);

		if (id >= 0)
			sink_add(sink, id);
		else
			bytes_add(sink, symbol, symbols[i].length);
	}
	free(symbols);
}

static bool is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static bool is_other(unsigned char c)
{
	return c && !is_space(c) && !is_digit(c) && !is_letter(c);
}

/* Length of an English contraction ('s, 're, ...) at `text`, or 0. */
static size_t contraction(const char *text)
{
	static const char *const all[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strncmp(text, all[i], strlen(all[i])) == 0)
			return strlen(all[i]);
	return 0;
}

size_t tokenizer_word(const char *text)
{
	static bool (*const kinds[])(unsigned char c) = {is_letter, is_digit, is_other};
	const size_t lead = text[0] == ' ';
	size_t length = contraction(text);

	for (size_t k = 0; k < 3 && !length; k++)
		if (kinds[k]((unsigned char)text[lead]))
			for (length = lead; kinds[k]((unsigned char)text[length]); length++)
				;
	if (length)
		return length;
	while (is_space((unsigned char)text[length]))
		length++;
	/* The last space before a word belongs to the word. */
	return text[length] && length > 1 ? length - 1 : length;
}

static void bpe_encode(struct sink *sink, const char *text)
{
	while (*text && !sink->code) {
		const size_t length = tokenizer_word(text);
		char *spelled = malloc(2 * length + 1);
		size_t used = 0;

		for (size_t i = 0; i < length && spelled; i++)
			used += utf8_put(spelled + used,
					 tokenizer_alphabet((unsigned char)text[i]));
		if (spelled)
			stretch_add(sink, spelled, used);
		else
			sink->code = ERR_NO_MEMORY;
		free(spelled);
		text += length;
	}
}

/* A line at a time: a newline merges with nothing. */
static void pieces_encode(struct sink *sink, const char *text, bool first)
{
	char *spelled = malloc(3 * (strlen(text) + 1) + 1);
	size_t used = 0;

	if (!spelled) {
		sink->code = ERR_NO_MEMORY;
		return;
	}
	if (first) {
		memcpy(spelled, SPACE_PIECE, 3);
		used = 3;
	}
	for (;; text++) {
		if (*text == '\n' || !*text) {
			stretch_add(sink, spelled, used);
			used = 0;
		}
		if (!*text)
			break;
		if (*text == '\n') {
			stretch_add(sink, "\n", 1);
		} else if (*text == ' ') {
			memcpy(spelled + used, SPACE_PIECE, 3);
			used += 3;
		} else {
			spelled[used++] = *text;
		}
	}
	free(spelled);
}

int64_t tokenizer_encode(const struct tokenizer *tokenizer, const char *text, bool first,
			 int32_t *tokens, int64_t room)
{
	struct sink sink = {.tokenizer = tokenizer, .tokens = tokens, .room = room};

	if (first && tokenizer->start >= 0)
		sink_add(&sink, tokenizer->start);
	if (tokenizer->kind == TOKENIZER_BPE)
		bpe_encode(&sink, text);
	else if (tokenizer->kind == TOKENIZER_PIECES)
		pieces_encode(&sink, text, first);
	else
		for (; *text; text++)
			sink_add(&sink, tokenizer->first_byte + (unsigned char)*text);
	return sink.code ? sink.code : sink.count;
}

/* The byte that a character of GPT-2's alphabet stands for, or -1. */
static int alphabet_byte(int point)
{
	for (int b = 0; b < 256; b++)
		if (tokenizer_alphabet((unsigned char)b) == point)
			return b;
	return -1;
}

static void append(char *text, size_t size, char c)
{
	const size_t used = strlen(text);

	if (used + 1 < size && c) {
		text[used] = c;
		text[used + 1] = '\0';
	}
}

static void bpe_decode(const char *token, char *text, size_t size)
{
	for (size_t i = 0; token[i];) {
		const unsigned char first = (unsigned char)token[i];
		const bool two = first >= 0xc0 && first < 0xe0 && token[i + 1];
		const int point = two ? (first & 0x1f) << 6 | (token[i + 1] & 0x3f) : first;
		const int byte = alphabet_byte(point);

		append(text, size, byte >= 0 ? (char)byte : '?');
		i += two ? 2 : 1;
	}
}

static void piece_decode(const char *token, char *text, size_t size)
{
	unsigned int byte;
	char end;

	if (sscanf(token, "<0x%2x%c", &byte, &end) == 2 && end == '>' && strlen(token) == 6) {
		append(text, size, (char)byte);
		return;
	}
	while (*token) {
		const bool space = strncmp(token, SPACE_PIECE, 3) == 0;

		append(text, size, space ? ' ' : *token);
		token += space ? 3 : 1;
	}
}

void tokenizer_decode(const struct tokenizer *tokenizer, int32_t token, char *text, size_t size)
{
	const char *spelled;

	if (token < 0 || token >= tokenizer->vocabulary)
		return;
	if (tokenizer->kind == TOKENIZER_BYTES) {
		if (token >= tokenizer->first_byte && token < tokenizer->first_byte + 256)
			append(text, size, (char)(token - tokenizer->first_byte));
		return;
	}
	spelled = tokenizer->texts[token];
	if (!spelled || token == tokenizer->end || token == tokenizer->start)
		return;
	if (tokenizer->kind == TOKENIZER_BPE)
		bpe_decode(spelled, text, size);
	else
		piece_decode(spelled, text, size);
}
