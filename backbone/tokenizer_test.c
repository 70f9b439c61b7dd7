/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokenisers made here: texts become the tokens that the merges say, and come
 * back as they were; files that are wrong are refused with their key.
 */
#include "backbone/test_models.h"

#include <jansson.h>

#include "backbone/export.h"
#include "backbone/tokenizer.h"
#include "backbone/tokenizer_internal.h"

#define VOCABULARY 300
#define MODEL                                                                                      \
	"{\"model_type\": \"%s\", \"n_layer\": 1, \"n_embd\": 8, \"n_head\": 2, "                  \
	"\"vocab_size\": 300, \"n_positions\": 8, \"num_hidden_layers\": 1, \"hidden_size\": 8, "  \
	"\"num_attention_heads\": 2, \"intermediate_size\": 8, "                                   \
	"\"max_position_embeddings\": 8, \"eos_token_id\": 256, \"bos_token_id\": 1}"

static void config_write(const char *type)
{
	char text[600];

	snprintf(text, sizeof(text), MODEL, type);
	test_file_write("config.json", text);
}

static void files_forget(void)
{
	static const char *const names[] = {"vocab.json", "merges.txt", "tokenizer.json"};

	for (size_t i = 0; i < 3; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", test_folder, names[i]);
		unlink(path);
	}
}

/* The 256 bytes of GPT-2's alphabet at their own values, then `more` from 256 on. */
static json_t *byte_vocabulary(const char *const *more)
{
	json_t *ids = json_object();

	for (int byte = 0; byte < 256; byte++) {
		const int point = tokenizer_alphabet((unsigned char)byte);
		char text[3] = {(char)point};

		if (point >= 0x80) {
			text[0] = (char)(0xc0 | point >> 6);
			text[1] = (char)(0x80 | (point & 0x3f));
		}
		json_object_set_new(ids, text, json_integer(byte));
	}
	for (int id = 256; *more; more++, id++)
		json_object_set_new(ids, *more, json_integer(id));
	assert_true(json_object_size(ids) > 256);
	return ids;
}

static void json_write(const char *name, json_t *root)
{
	char *text = json_dumps(root, 0);

	assert_non_null(text);
	test_file_write(name, text);
	free(text);
	json_decref(root);
}

/* dr, dro, drop, and " d" (the alphabet's letter for a space first). */
static void bpe_write(void)
{
	static const char *const more[] = {"<end>", "ro", "op", "dr", "drop", "\xc4\xa0" "d",
					   "\xc4\xa0" "drop", NULL};

	files_forget();
	config_write("gpt2");
	json_write("vocab.json", byte_vocabulary(more));
	test_file_write("merges.txt", "#version: 0.2\n\xc4\xa0 d\no p\nd r\ndr op\n"
				      "\xc4\xa0 drop\n");
}

static void encodes(const struct tokenizer *tokenizer, const char *text, const int32_t *want,
		    int64_t count)
{
	int32_t got[64];

	assert_int_equal(tokenizer_encode(tokenizer, text, false, got, 64), count);
	assert_memory_equal(got, want, (size_t)count * sizeof(*want));
}

static void returns(const struct tokenizer *tokenizer, const char *text)
{
	int32_t tokens[256];
	const int64_t count = tokenizer_encode(tokenizer, text, false, tokens, 256);
	char back[512] = "";

	assert_in_range(count, 1, 256);
	for (int64_t i = 0; i < count; i++)
		tokenizer_decode(tokenizer, tokens[i], back, sizeof(back));
	assert_string_equal(back, text);
}

static const char *const texts[] = {
	"drop", " drop it.\n", "  two  spaces ", "na\xc3\xafve 12.5e-3!\t\n\n", "it's we'll"};

static void byte_pairs(void **state)
{
	/* "dr op" merges; in " drop" the space takes the d first, so only "op" is left. */
	static const int32_t drop[] = {260}, lead[] = {261, 'r', 258}, digits[] = {'1', '2'};
	struct tokenizer tokenizer;

	(void)state;
	bpe_write();
	assert_int_equal(tokenizer_open(&tokenizer, test_folder, VOCABULARY, NULL), 0);
	assert_int_equal(tokenizer.kind, TOKENIZER_BPE);
	assert_int_equal(tokenizer.end, 256);
	encodes(&tokenizer, "drop", drop, 1);
	encodes(&tokenizer, " drop", lead, 3);
	encodes(&tokenizer, "12", digits, 2);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		returns(&tokenizer, texts[i]);
	assert_int_equal(tokenizer_encode(&tokenizer, "1234", false, NULL, 0), 4);
	tokenizer_close(&tokenizer);
}

static void words(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
		{"drop it", 4}, {" drop it", 5}, {"  drop", 1}, {"it's", 2},  {"'s all", 2},
		{"12.5", 2},    {".=;x", 3},     {"\n\nx", 1},  {"  ", 2},    {" 12", 3},
		{"\tx", 1},     {" ", 1},        {"=1", 1},     {"a_b", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (tokenizer_word(rows[i].text) != rows[i].length)
			fail_msg("\"%s\": %zu", rows[i].text, tokenizer_word(rows[i].text));
}

/* tokenizer.json in SentencePiece's manner: <unk>, <s>, </s>, the bytes, then pieces. */
static void pieces_write(const char *merges)
{
	static const char *const pieces[] = {"\xe2\x96\x81", "d", "r", "o", "p", "op", "dr", "drop",
					     "\xe2\x96\x81" "d", "=", NULL};
	json_t *ids = json_pack("{s:i, s:i, s:i}", "<unk>", 0, "<s>", 1, "</s>", 2), *root;

	for (int byte = 0; byte < 256; byte++) {
		char text[8];

		snprintf(text, sizeof(text), "<0x%02X>", byte);
		json_object_set_new(ids, text, json_integer(3 + byte));
	}
	for (int i = 0; pieces[i]; i++)
		json_object_set_new(ids, pieces[i], json_integer(259 + i));
	root = json_pack("{s:{s:s, s:b, s:o, s:o}}", "model", "type", "BPE", "byte_fallback", 1,
			 "vocab", ids, "merges", json_loads(merges, 0, NULL));
	assert_non_null(root);
	files_forget();
	config_write("llama");
	json_write("tokenizer.json", root);
}

static void pieces(void **state)
{
	static const char *const merges[] = {
		"[\"\xe2\x96\x81 d\", \"o p\", \"d r\", \"dr op\"]",
		"[[\"\xe2\x96\x81\", \"d\"], [\"o\", \"p\"], [\"d\", \"r\"], [\"dr\", \"op\"]]"};
	static const int32_t drop[] = {266}, spaced[] = {267, 261, 264}, other[] = {3 + 'x', 268};
	struct tokenizer tokenizer;

	(void)state;
	for (size_t m = 0; m < 2; m++) {
		int32_t got[8];

		pieces_write(merges[m]);
		assert_int_equal(tokenizer_open(&tokenizer, test_folder, VOCABULARY, NULL), 0);
		assert_int_equal(tokenizer.kind, TOKENIZER_PIECES);
		encodes(&tokenizer, "drop", drop, 1);
		encodes(&tokenizer, " drop", spaced, 3);
		encodes(&tokenizer, "x=", other, 2);
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			returns(&tokenizer, texts[i]);
		/* A beginning: <s>, and a space before the first word. */
		assert_int_equal(tokenizer_encode(&tokenizer, "drop", true, got, 8), 4);
		assert_int_equal(got[0], 1);
		assert_int_equal(got[1], 267);
		tokenizer_close(&tokenizer);
	}
}

/* Written into a GGUF file and read from there: the same tokens. */
static void through_gguf(void **state)
{
	struct tokenizer folder, file;
	char path[256];

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct backbone *model;
		struct error error = {0};
		struct rng rng;

		if (kind == 0)
			bpe_write();
		else
			pieces_write("[\"\xe2\x96\x81 d\", \"o p\", \"d r\", \"dr op\"]");
		rng_seed(&rng, 1);
		assert_int_equal(backbone_random(&model, test_folder, NULL, &rng, NULL), 0);
		assert_int_equal(backbone_save(model, test_folder, NULL), 0);
		backbone_close(model);
		snprintf(path, sizeof(path), "%s/model.gguf", test_folder);
		assert_int_equal(backbone_export(test_folder, path, BLOCK_F16, NULL), 0);
		assert_int_equal(tokenizer_open(&folder, test_folder, VOCABULARY, NULL), 0);
		if (tokenizer_open(&file, path, VOCABULARY, &error))
			fail_msg("%s: %s", error.field, error.text);
		assert_int_equal(file.kind, folder.kind);
		assert_int_equal(file.end, folder.end);
		assert_int_equal(file.start, folder.start);
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			int32_t a[256], b[256];
			const int64_t count = tokenizer_encode(&folder, texts[i], true, a, 256);

			assert_int_equal(tokenizer_encode(&file, texts[i], true, b, 256), count);
			assert_memory_equal(a, b, (size_t)count * sizeof(*a));
		}
		tokenizer_close(&folder);
		tokenizer_close(&file);
	}
}

static void bytes_without_a_tokeniser(void **state)
{
	static const int32_t gpt2[] = {'h', 'i', '\n'}, llama[] = {3 + 'h', 3 + 'i', 3 + '\n'};
	struct tokenizer tokenizer;
	struct error error = {0};

	(void)state;
	files_forget();
	config_write("gpt2");
	assert_int_equal(tokenizer_open(&tokenizer, test_folder, VOCABULARY, NULL), 0);
	encodes(&tokenizer, "hi\n", gpt2, 3);
	returns(&tokenizer, texts[3]);
	tokenizer_close(&tokenizer);
	config_write("llama");
	assert_int_equal(tokenizer_open(&tokenizer, test_folder, VOCABULARY, NULL), 0);
	encodes(&tokenizer, "hi\n", llama, 3);
	tokenizer_close(&tokenizer);
	assert_int_equal(tokenizer_open(&tokenizer, test_folder, 200, &error), ERR_UNSUPPORTED);
	assert_non_null(strstr(error.text, "no tokeniser"));
}

static void refuse(const char *word)
{
	struct tokenizer tokenizer;
	struct error error = {0};
	char line[2048];
	const int code = tokenizer_open(&tokenizer, test_folder, VOCABULARY, &error);

	error_format(&error, line, sizeof(line));
	if (!code || error_exit_status(code) != 2 || !strstr(line, word) ||
	    !strstr(line, test_folder))
		fail_msg("message \"%s\" lacks \"%s\" or the folder", line, word);
}

static void files_that_are_wrong(void **state)
{
	(void)state;
	bpe_write();
	test_file_write("vocab.json", "[]");
	refuse("vocab.json");
	test_file_write("vocab.json", "{}");
	refuse("not an object of tokens");
	test_file_write("vocab.json", "{\"a\": 300}");
	refuse("a: its id is not");
	test_file_write("vocab.json", "{\"a\": -1}");
	refuse("a: its id is not");
	test_file_write("vocab.json", "{\"a\": \"b\"}");
	refuse("a: its id is not");
	files_forget();
	test_file_write("tokenizer.json", "{");
	refuse("tokenizer.json");
	test_file_write("tokenizer.json", "{\"model\": {\"type\": \"Unigram\"}}");
	refuse("model.type: Unigram is not supported");
	test_file_write("tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 1}, \"merges\": [1]}}");
	refuse("model.merges: entry 0");
	test_file_write("tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 1}}, "
					  "\"added_tokens\": [{\"id\": 999}]}");
	refuse("its id is not");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(byte_pairs),
		cmocka_unit_test(words),
		cmocka_unit_test(pieces),
		cmocka_unit_test(through_gguf),
		cmocka_unit_test(bytes_without_a_tokeniser),
		cmocka_unit_test(files_that_are_wrong),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
