/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the tokeniser share, and its tests.
 */
#ifndef BACKBONE_TOKENIZER_INTERNAL_H
#define BACKBONE_TOKENIZER_INTERNAL_H

#include <stddef.h>

/* GPT-2's printable code point of a byte: itself, or one from 256 on. */
int tokenizer_alphabet(unsigned char byte);

/* Length of the first word of a text that is not empty, as GPT-2 splits it. */
size_t tokenizer_word(const char *text);

#endif
