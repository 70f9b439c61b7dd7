/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tokeniser as the keys of a GGUF file.
 */
#ifndef BACKBONE_TOKENIZER_WRITE_H
#define BACKBONE_TOKENIZER_WRITE_H

#include "backbone/gguf_write.h"
#include "backbone/tokenizer.h"

/* Puts tokenizer.ggml.*: gpt2 or llama with the vocabulary; none for a model without a tokeniser.
 */
void tokenizer_put(const struct tokenizer *tokenizer, struct gguf_head *head);

#endif
