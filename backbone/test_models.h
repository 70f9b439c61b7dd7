/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of backbone/: folders with the configuration of a tiny model.
 * Widths are odd enough to reach the tails of vector loops, and one attention
 * block (64 queries) is smaller than the sequences used.
 */
#ifndef BACKBONE_TEST_MODELS_H
#define BACKBONE_TEST_MODELS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/backbone.h"
#include "base/file.h"
#include "base/test_folder.h"

#define TINY_GPT2                                                                                  \
	"{\"model_type\": \"gpt2\", \"n_layer\": 2, \"n_embd\": 20, \"n_head\": 4, "               \
	"\"vocab_size\": 11, \"n_positions\": 90, \"n_inner\": 36, \"initializer_range\": 0.3}"
#define TINY_LLAMA                                                                                 \
	"{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 24, "              \
	"\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"intermediate_size\": 28, "      \
	"\"vocab_size\": 11, \"max_position_embeddings\": 90, \"initializer_range\": 0.3, "        \
	"\"attention_bias\": true}"
#define TINY_OPT_SIZES                                                                             \
	"\"model_type\": \"opt\", \"num_hidden_layers\": 2, \"hidden_size\": 24, "                 \
	"\"num_attention_heads\": 4, \"ffn_dim\": 28, \"vocab_size\": 11, "                        \
	"\"max_position_embeddings\": 90, \"init_std\": 0.3"
#define TINY_OPT "{" TINY_OPT_SIZES "}"
#define TINY_OPT350 /* norms behind the sums, words in a narrower space */                         \
	"{" TINY_OPT_SIZES ", \"do_layer_norm_before\": false, \"word_embed_proj_dim\": 10}"
#define TINY_OPT_WIDE /* words in a wider space, and norms before */                               \
	"{" TINY_OPT_SIZES ", \"word_embed_proj_dim\": 30}"
#define TINY_OPT_BARE /* nothing that a flag can leave out */                                      \
	"{" TINY_OPT_SIZES ", \"enable_bias\": false, \"_remove_final_layer_norm\": true}"

#define TINY_T5_SIZES                                                                              \
	"\"model_type\": \"t5\", \"num_layers\": 1, \"num_decoder_layers\": 2, "                   \
	"\"d_model\": 20, \"d_kv\": 6, \"num_heads\": 4, \"d_ff\": 14, \"vocab_size\": 11, "       \
	"\"relative_attention_num_buckets\": 12, "                                                 \
	"\"relative_attention_max_distance\": 40"
#define TINY_T5 "{" TINY_T5_SIZES "}"
#define TINY_T5_V11                                                                                \
	"{" TINY_T5_SIZES ", \"feed_forward_proj\": \"gated-gelu\", \"tie_word_embeddings\": false}"

/* Writes folder/name. */
static inline void test_file_write(const char *name, const char *text)
{
	char path[TEST_PATH_BYTES];

	test_path(path, name);
	assert_int_equal(file_write_all(path, text, strlen(text), NULL), 0);
}

/* A model with random weights from `config`. */
static inline struct backbone *test_model(const char *config,
					  const struct backbone_options *options, uint64_t seed)
{
	struct backbone *backbone = NULL;
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, seed);
	test_file_write("config.json", config);
	if (backbone_random(&backbone, test_folder, options, &rng, &error))
		fail_msg("%s", error.text);
	return backbone;
}

static inline float *test_normal(int64_t count, double deviation, struct rng *rng)
{
	float *values = malloc((size_t)count * sizeof(*values));

	assert_non_null(values);
	for (int64_t i = 0; i < count; i++)
		values[i] = (float)(deviation * rng_normal(rng));
	return values;
}

/* Gives B of a fresh adapter something other than zero, so that A has a gradient. */
static inline void test_adapter_stir(struct backbone *backbone, struct rng *rng)
{
	const struct backbone_param *params;
	const size_t count = backbone_params(backbone, &params);

	for (size_t i = 0; i < count; i++)
		for (int64_t j = 0; params[i].is_adapter && j < params[i].count; j++)
			params[i].value[j] += (float)(0.2 * rng_normal(rng));
}

#endif
