/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GGUF files that are wrong or lie: each gives one line that names the file and
 * the key or tensor, with exit status 2, and leaves no backbone behind.
 *
 * The files are put together here byte by byte, on purpose without the
 * program's own writer.
 */
#include "backbone/test_models.h"

#include "backbone/export.h"
#include "backbone/gguf.h"

enum { U32 = 4, F32 = 6, BOOL = 7, TEXT = 8, ARRAY = 9, U64 = 10 };

struct bytes {
	unsigned char data[1 << 16];
	size_t size;
};

static struct bytes b;
static char path[256];

static void number(uint64_t value, int width)
{
	for (int i = 0; i < width; i++)
		b.data[b.size++] = (unsigned char)(value >> 8 * i);
}

static void text(const char *string)
{
	number(strlen(string), 8);
	memcpy(b.data + b.size, string, strlen(string));
	b.size += strlen(string);
}

static void head(uint64_t tensors, uint64_t keys)
{
	b.size = 0;
	memcpy(b.data, "GGUF", 4);
	b.size = 4;
	number(3, 4);
	number(tensors, 8);
	number(keys, 8);
}

static void key_text(const char *key, const char *value)
{
	text(key);
	number(TEXT, 4);
	text(value);
}

static void key_u32(const char *key, uint32_t value)
{
	text(key);
	number(U32, 4);
	number(value, 4);
}

static void key_f32(const char *key, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	text(key);
	number(F32, 4);
	number(bits, 4);
}

static void tensor(const char *name, uint64_t columns, uint64_t rows, uint32_t type,
		   uint64_t offset)
{
	text(name);
	number(rows ? 2 : 1, 4);
	number(columns, 8);
	if (rows)
		number(rows, 8);
	number(type, 4);
	number(offset, 8);
}

/* Padding and `size` bytes of data, each 0. */
static void data(size_t size)
{
	while (b.size % 32)
		number(0, 1);
	memset(b.data + b.size, 0, size);
	b.size += size;
}

/* Writes the file, and expects it to be refused with `word`. */
static void refuse_values(const char *word)
{
	struct backbone *backbone = (struct backbone *)(uintptr_t)1;
	struct error error = {0};
	char line[2048];

	assert_true(b.size <= sizeof(b.data));
	assert_int_equal(file_write_all(path, b.data, b.size, NULL), 0);
	if (!backbone_open(&backbone, path, NULL, &error))
		fail_msg("accepted what should show \"%s\"", word);
	assert_null(backbone);
	error_format(&error, line, sizeof(line));
	if (error_exit_status(error.code) != 2 || !strstr(line, word) || !strstr(line, path))
		fail_msg("message \"%s\" (status %d) lacks \"%s\" or the file", line,
			 error_exit_status(error.code), word);
}

/* Refused on a look at its head already. */
static void refuse(const char *word)
{
	struct backbone_shape shape;
	struct error error = {0};

	refuse_values(word);
	assert_int_not_equal(backbone_inspect(path, &shape, &error), 0);
}

/* Refused by the container alone, whatever the keys say. */
static void refuse_container(const char *word)
{
	struct gguf file;
	struct error error = {0};

	refuse(word);
	assert_int_not_equal(gguf_open(&file, path, &error), 0);
}

static void not_gguf(void **state)
{
	(void)state;
	b.size = 0;
	refuse_container("GGUF");
	memcpy(b.data, "GGU", 3);
	b.size = 3;
	refuse_container("GGUF");
	memcpy(b.data, "GGML\3\0\0\0", 8);
	b.size = 8;
	refuse_container("not a GGUF file");
	for (uint32_t version = 0; version < 6; version++) {
		head(0, 0);
		b.data[4] = (unsigned char)version;
		if (version != 2 && version != 3)
			refuse_container("version: ");
	}
	head(0, 0);
	memcpy(b.data + 4, "\0\0\0\3", 4);
	refuse_container("big-endian");
	for (size_t size = 4; size < 24; size++) {
		head(0, 0);
		b.size = size;
		refuse_container("bytes");
	}
}

static void counts_that_lie(void **state)
{
	static const uint64_t counts[] = {1, 1000000, UINT64_C(1) << 32, UINT64_C(1) << 60,
					  UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		head(0, counts[i]);
		refuse_container("metadata_kv_count");
		head(counts[i], 0);
		refuse_container("tensor_count");
		head(0, 1);
		text("a.list");
		number(ARRAY, 4);
		number(U64, 4);
		number(counts[i], 8);
		refuse_container("a.list");
		head(0, 1);
		text("a.list");
		number(ARRAY, 4);
		number(TEXT, 4);
		number(counts[i], 8);
		refuse_container("a.list");
		head(0, 1);
		number(counts[i] + 65536, 8);
		number(0, 8);
		refuse_container("metadata key");
		head(0, 1);
		text("a.text");
		number(TEXT, 4);
		number(counts[i], 8);
		refuse_container("a.text");
	}
}

static void values_that_are_wrong(void **state)
{
	(void)state;
	head(0, 1);
	text("a.value");
	number(13, 4);
	number(0, 8);
	refuse_container("a.value: has a value of type 13");
	head(0, 1);
	text("a.list");
	number(ARRAY, 4);
	number(ARRAY, 4);
	number(1, 8);
	number(U32, 4);
	refuse_container("array of arrays");
	head(0, 1);
	text("a.flag");
	number(BOOL, 4);
	number(2, 1);
	number(0, 1);
	refuse_container("a.flag: holds 2");
	head(0, 2);
	key_u32("same", 1);
	key_u32("same", 1);
	refuse_container("same: is given twice");
	head(0, 1);
	text("");
	number(U32, 4);
	number(0, 8);
	refuse_container("metadata key: a name of 0 bytes");
	head(0, 1);
	number(3, 8);
	memcpy(b.data + b.size, "a\0b", 3);
	b.size += 3;
	number(U32, 4);
	number(0, 4);
	refuse_container("zero byte");
	for (uint32_t alignment = 0; alignment < 8; alignment++) {
		head(0, 1);
		key_u32("general.alignment", alignment);
		refuse_container("general.alignment: ");
	}
	head(0, 1);
	key_u32("general.alignment", 12);
	refuse_container("general.alignment: 12");
	head(0, 1);
	key_u32("general.alignment", UINT32_MAX);
	refuse_container("general.alignment");
	head(0, 1);
	key_text("general.alignment", "32");
	refuse_container("general.alignment: is not a whole number");
}

static void tensors_that_lie(void **state)
{
	(void)state;
	head(1, 0);
	tensor("t", 8, 0, 99, 0);
	data(32);
	refuse_container("t: has the unknown type 99");
	head(1, 0);
	tensor("t", UINT64_C(1) << 60, UINT64_C(1) << 60, 0, 0);
	data(32);
	refuse_container("t: has an extent");
	head(1, 0);
	tensor("t", UINT64_C(1) << 62, 0, 0, 0);
	data(32);
	refuse_container("t: has more bytes");
	head(1, 0);
	tensor("t", 0, 4, 0, 0);
	data(32);
	refuse_container("t: has an extent of 0");
	head(1, 0);
	tensor("t", 33, 4, 8, 0);
	data(1000);
	refuse_container("t: has rows of 33 numbers, not whole Q8_0 blocks");
	head(1, 0);
	tensor("t", 8, 0, 0, 64);
	data(96);
	refuse_container("leaves a hole");
	head(1, 0);
	tensor("t", 8, 0, 0, 4);
	data(96);
	refuse_container("not aligned");
	head(1, 0);
	tensor("t", 9, 0, 0, 0);
	data(35);
	refuse_container("t: needs 36 bytes at offset 0");
	head(1, 0);
	tensor("t", 8, 0, 0, UINT64_MAX - 31);
	data(96);
	refuse_container("t: data at offset");
	head(2, 0);
	tensor("t", 8, 0, 0, 0);
	tensor("u", 8, 0, 0, 0);
	data(96);
	refuse_container("overlaps another tensor");
	head(2, 0);
	tensor("t", 8, 0, 0, 0);
	tensor("t", 8, 0, 0, 32);
	data(96);
	refuse_container("t: is given twice");
	for (uint32_t dims = 0; dims < 7; dims += 5) {
		head(1, 0);
		text("t");
		number(dims, 4);
		for (int i = 0; i < 8; i++)
			number(1, 8);
		refuse_container(dims ? "t: has 5 dimensions" : "t: has 0 dimensions");
	}
}

/* The head of a Llama of one layer, with one key left out or changed. */
static void llama_keys(const char *without, const char *change, uint32_t value)
{
	static const struct {
		const char *key;
		uint32_t value;
	} keys[] = {
		{"llama.block_count", 1},          {"llama.embedding_length", 8},
		{"llama.attention.head_count", 2}, {"llama.feed_forward_length", 8},
		{"llama.context_length", 4},       {"llama.vocab_size", 3},
		{"llama.rope.dimension_count", 4},
	};
	const size_t count = sizeof(keys) / sizeof(keys[0]);
	bool known = false;

	for (size_t i = 0; i < count; i++)
		known = known || (change && strcmp(keys[i].key, change) == 0);
	head(0, count + 2 - (without != NULL) + (change && !known));
	key_text("general.architecture", "llama");
	for (size_t i = 0; i < count; i++)
		if (!without || strcmp(keys[i].key, without) != 0)
			key_u32(keys[i].key, change && strcmp(keys[i].key, change) == 0
						     ? value : keys[i].value);
	if (!without || strcmp(without, "llama.attention.layer_norm_rms_epsilon") != 0)
		key_f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
	if (change && !known)
		key_u32(change, value);
}

static void models_that_are_wrong(void **state)
{
	static const struct {
		const char *key;
		uint32_t value;
		const char *word;
	} changes[] = {
		{"llama.expert_count", 8, "llama.expert_count: 8: mixtures of experts"},
		{"llama.rope.dimension_count", 2, "llama.rope.dimension_count: 2: only rotation"},
		{"llama.attention.value_length", 7, "llama.attention.value_length"},
		{"llama.attention.head_count", 3, "llama.rope.dimension_count: 4"},
		{"llama.attention.head_count_kv", 3, "llama.attention.head_count_kv: 3 does not"},
		{"llama.block_count", 4000000000u, "llama.block_count: 4000000000 is outside"},
		{"llama.block_count", 0, "llama.block_count: 0 is outside"},
		{"llama.feed_forward_length", 0, "llama.feed_forward_length: 0 is outside"},
	};
	static const char *const required[] = {
		"llama.block_count", "llama.embedding_length", "llama.attention.head_count",
		"llama.feed_forward_length", "llama.context_length",
		"llama.attention.layer_norm_rms_epsilon",
	};

	(void)state;
	head(0, 0);
	refuse("general.architecture: is missing");
	head(0, 1);
	key_text("general.architecture", "mamba");
	refuse("general.architecture: mamba is not supported in GGUF files; there are: gpt2");
	head(0, 1);
	key_u32("general.architecture", 4);
	refuse("general.architecture: is not text");
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		llama_keys(required[i], NULL, 0);
		refuse(required[i]);
	}
	llama_keys("llama.vocab_size", NULL, 0);
	refuse("token_embd.weight: is missing, and nothing else tells");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		llama_keys(NULL, changes[i].key, changes[i].value);
		refuse(changes[i].word);
	}
	llama_keys(NULL, NULL, 0);
	refuse("is missing, though the configuration asks for it");
}

/* A good file, cut anywhere or with any one byte changed: refused or opened, never worse. */
static void every_byte(void **state)
{
	struct error error = {0};
	struct backbone *backbone;
	size_t size, opened = 0;
	char *whole;

	(void)state;
	head(2, 2);
	key_text("general.architecture", "gpt2");
	text("tokenizer.ggml.tokens");
	number(ARRAY, 4);
	number(TEXT, 4);
	number(2, 8);
	text("a");
	text("b");
	tensor("token_embd.weight", 4, 2, 0, 0);
	tensor("output_norm.weight", 32, 0, 8, 32);
	data(66);
	size = b.size;
	whole = malloc(size);
	assert_non_null(whole);
	memcpy(whole, b.data, size);
	for (size_t i = 0; i < 2 * size; i++) {
		struct gguf file;

		memcpy(b.data, whole, size);
		if (i >= size)
			b.data[i - size] ^= 0x40;
		assert_int_equal(file_write_all(path, b.data, i < size ? i : size, NULL), 0);
		error_clear(&error);
		if (gguf_open(&file, path, &error) == 0) {
			opened++;
			gguf_close(&file);
		} else {
			assert_true(error.text[0]);
		}
		assert_int_not_equal(backbone_open(&backbone, path, NULL, &error), 0);
	}
	assert_true(opened > 0 && opened < size);
	free(whole);
}

/* Where the description of a tensor, after its name, or its data lie in the bytes. */
static size_t description_of(const char *name)
{
	for (size_t i = 8; i + strlen(name) < b.size; i++)
		if (b.data[i - 8] == strlen(name) && memcmp(b.data + i, name, strlen(name)) == 0)
			return i + strlen(name);
	fail_msg("no tensor %s", name);
	return 0;
}

static size_t data_of(const char *name)
{
	struct gguf file;
	size_t at;

	assert_int_equal(file_write_all(path, b.data, b.size, NULL), 0);
	assert_int_equal(gguf_open(&file, path, NULL), 0);
	assert_non_null(gguf_find(&file, name));
	at = (size_t)(gguf_find(&file, name)->data - file.map.data);
	gguf_close(&file);
	return at;
}

/* A tiny model as the bytes of a GGUF file. */
static void model_bytes(enum block_type type)
{
	struct backbone *model = test_model(TINY_LLAMA, NULL, 1);
	char *whole;

	assert_int_equal(backbone_save(model, test_folder, NULL), 0);
	backbone_close(model);
	assert_int_equal(backbone_export(test_folder, path, type, NULL), 0);
	assert_int_equal(file_read_all(path, &whole, &b.size, NULL), 0);
	assert_true(b.size < sizeof(b.data));
	memcpy(b.data, whole, b.size);
	free(whole);
}

/* A tensor that the model needs, but that holds what cannot be read, or no numbers. */
static void values_of_tensors(void **state)
{
	(void)state;
	model_bytes(BLOCK_F32);
	memcpy(b.data + description_of("blk.0.ffn_up.weight") + 20, "\32\0\0\0", 4);
	refuse_values("blk.0.ffn_up.weight: holds I32; convert it");
	model_bytes(BLOCK_F32);
	memcpy(b.data + data_of("blk.1.attn_k.weight") + 8, "\0\0\300\177", 4);
	refuse_values("blk.1.attn_k.weight: element 2 is not a finite");
	model_bytes(BLOCK_F16);
	memcpy(b.data + data_of("blk.1.ffn_down.weight"), "\0\174", 2);
	refuse_values("blk.1.ffn_down.weight: element 0 is not a finite");
	model_bytes(BLOCK_F32);
	memcpy(b.data + description_of("output_norm.weight") - 6, "wright", 6);
	refuse("output_norm.weight: is missing");
	model_bytes(BLOCK_F32);
	b.data[description_of("blk.0.attn_norm.weight") + 4] = 23;
	refuse("blk.0.attn_norm.weight: has shape (23) where the configuration needs (24)");
	model_bytes(BLOCK_F32);
	b.size -= 1;
	refuse("bytes of data; it is cut or lies");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_gguf),
		cmocka_unit_test(counts_that_lie),
		cmocka_unit_test(values_that_are_wrong),
		cmocka_unit_test(tensors_that_lie),
		cmocka_unit_test(models_that_are_wrong),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(values_of_tensors),
	};
	int failed;

	if (test_folder_make())
		return 1;
	snprintf(path, sizeof(path), "%s/hostile.gguf", test_folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
