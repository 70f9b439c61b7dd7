/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The container must return what was written, and refuse every lie with the
 * file's name.  Hostile files are a table: header text, bytes of data, and a
 * word that the message must hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/safetensors.h"
#include "base/test_folder.h"

static char path[TEST_PATH_BYTES];

static void raw_write(uint64_t claimed, const char *header, size_t header_bytes, size_t data_bytes)
{
	FILE *stream = fopen(path, "wb");

	assert_non_null(stream);
	for (int i = 0; i < 8; i++)
		fputc((int)(claimed >> 8 * i & 0xff), stream);
	fwrite(header, 1, header_bytes, stream);
	for (size_t i = 0; i < data_bytes; i++)
		fputc((int)i, stream);
	fclose(stream);
}

static void refuse(const char *word)
{
	struct safetensors file;
	struct error error = {0};
	char line[2048];

	assert_int_not_equal(safetensors_open(&file, path, &error), 0);
	assert_int_equal(error_exit_status(error.code), 2);
	error_format(&error, line, sizeof(line));
	if (!strstr(line, word) || !strstr(line, path))
		fail_msg("message \"%s\" lacks \"%s\" or the file", line, word);
}

static const struct hostile {
	const char *header;
	size_t data_bytes;
	const char *word;
} hostiles[] = {
	{"", 0, "JSON"},
	{"[1]", 0, "object"},
	{"{\"a\":", 0, "JSON"},
	{"{\"\xff\":1}", 0, "JSON"},
	{"{\"a\":{\"dtype\":[[[[1]]]]}}", 0, "deeper"},
	{"{\"a\":1}", 0, "exactly"},
	{"{\"__metadata__\":[]}", 0, "metadata"},
	{"{\"__metadata__\":{\"k\":1}}", 0, "not text"},
	{"{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "name"},
	{"{\"a\":{\"dtype\":\"F8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "dtype F8"},
	{"{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "dtype"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, "shape"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]}}", 1, "whole numbers"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "whole numbers"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1,
	 "at most"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
	 "counted"},
	{"{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0,
	 "data_offsets span"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}", 0,
	 "JSON"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "span 4 bytes"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 3, "outside"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}", 4, "outside"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[-4,0]}}", 4, "outside"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4]}}", 4, "pair"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 5, "belong to no"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[1,5]}}", 5, "hole"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
	 "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6, "overlap"},
	{"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
	 "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "JSON"},
	{"{} trailing", 0, "JSON"},
};

static void hostile_headers_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostiles) / sizeof(hostiles[0]); i++) {
		const size_t length = strlen(hostiles[i].header);

		raw_write(length, hostiles[i].header, length, hostiles[i].data_bytes);
		refuse(hostiles[i].word);
	}
}

static void lying_lengths_are_refused(void **state)
{
	(void)state;
	raw_write(3, "{}", 2, 0);
	refuse("claims 3 bytes");
	raw_write(UINT64_MAX, "{}", 2, 0);
	refuse("claims");
	raw_write(UINT64_C(1) << 63, "{}", 2, 0);
	refuse("claims");
	assert_int_equal(truncate(path, 7), 0);
	refuse("only 7 bytes");
	assert_int_equal(truncate(path, 0), 0);
	refuse("only 0 bytes");
}

static void endless_header_is_refused(void **state)
{
	const size_t length = (size_t)17 << 20;
	char *spaces = malloc(length);

	(void)state;
	assert_non_null(spaces);
	memset(spaces, ' ', length);
	raw_write(length, spaces, length, 0);
	free(spaces);
	refuse("larger than");
}

static void round_trip_returns_every_dtype(void **state)
{
	const float singles[] = {1.5f, -2.0f, 3.25f, 0.0f, -0.5f, 6.0f};
	const int64_t longs[] = {INT64_MIN, INT64_MAX};
	const uint8_t flags[] = {1, 0, 1};
	const struct safetensors_item items[] = {
		{"zeta", SAFETENSORS_F32, 2, {2, 3}, singles},
		{"flags", SAFETENSORS_BOOL, 1, {3}, flags},
		{"empty", SAFETENSORS_F64, 2, {0, 7}, NULL},
		{"alpha \"q\" \xc3\xa9", SAFETENSORS_I64, 1, {2}, longs},
		{"scalar", SAFETENSORS_F32, 0, {0}, singles},
	};
	const char *const metadata[] = {"format", "pt", "note", "a \"b\"", NULL};
	struct safetensors file;
	struct error error = {0};
	const struct safetensors_entry *entry;

	(void)state;
	assert_int_equal(safetensors_write(path, items, 5, metadata, &error), 0);
	assert_int_equal(safetensors_open(&file, path, &error), 0);
	assert_int_equal(file.count, 5);
	for (size_t i = 0; i < 5; i++) {
		entry = safetensors_find(&file, items[i].name);
		assert_non_null(entry);
		assert_int_equal(entry->dtype, items[i].dtype);
		assert_int_equal(entry->dims, items[i].dims);
		for (int d = 0; d < entry->dims; d++)
			assert_int_equal(entry->shape[d], items[i].shape[d]);
		if (entry->size_bytes)
			assert_memory_equal(entry->data, items[i].data, entry->size_bytes);
	}
	assert_null(safetensors_find(&file, "absent"));
	assert_string_equal(safetensors_metadata(&file, "note"), "a \"b\"");
	assert_null(safetensors_metadata(&file, "absent"));
	safetensors_close(&file);
}

static void halves_convert_exactly(void **state)
{
	const uint16_t half[] = {0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400,
				 0x7c00, 0xfc00};
	const float want[] = {0.0f, -0.0f, 1.0f, -2.0f, 65504.0f, 0x1p-24f, 1023 * 0x1p-24f,
			      0x1p-14f, __builtin_inff(), -__builtin_inff()};
	const uint16_t brain[] = {0x3f80, 0xc049, 0x0001};
	const float brain_want[] = {1.0f, -3.140625f, 0x1p-133f};
	const double doubles[] = {1.0 / 3};
	const int32_t ints[] = {1};
	const struct safetensors_item items[] = {
		{"half", SAFETENSORS_F16, 1, {10}, half},
		{"brain", SAFETENSORS_BF16, 1, {3}, brain},
		{"nan", SAFETENSORS_F16, 1, {1}, (const uint16_t[]){0x7e01}},
		{"double", SAFETENSORS_F64, 1, {1}, doubles},
		{"int", SAFETENSORS_I32, 1, {1}, ints},
	};
	struct safetensors file;
	struct error error = {0};
	float out[10];

	(void)state;
	assert_int_equal(safetensors_write(path, items, 5, NULL, &error), 0);
	assert_int_equal(safetensors_open(&file, path, &error), 0);
	assert_int_equal(safetensors_to_f32(safetensors_find(&file, "half"), out, &error), 0);
	assert_memory_equal(out, want, sizeof(want));
	assert_int_equal(safetensors_to_f32(safetensors_find(&file, "brain"), out, &error), 0);
	assert_memory_equal(out, brain_want, sizeof(brain_want));
	assert_int_equal(safetensors_to_f32(safetensors_find(&file, "nan"), out, &error), 0);
	assert_true(out[0] != out[0]);
	assert_int_equal(safetensors_to_f32(safetensors_find(&file, "double"), out, &error), 0);
	assert_true(out[0] == (float)(1.0 / 3));
	assert_int_equal(safetensors_to_f32(safetensors_find(&file, "int"), out, &error),
			 ERR_UNSUPPORTED);
	safetensors_close(&file);
}

static void bad_items_leave_the_old_file(void **state)
{
	const float value[] = {1.0f};
	const struct safetensors_item good = {"a", SAFETENSORS_F32, 1, {1}, value};
	const struct safetensors_item twice[] = {good, good};
	const struct safetensors_item foul = {"\xff", SAFETENSORS_F32, 1, {1}, value};
	const struct safetensors_item huge = {"h", SAFETENSORS_F32, 2, {INT64_MAX, 2}, value};
	const char *const foul_metadata[] = {"k", "\xff", NULL};
	struct safetensors file;
	struct error error = {0};

	(void)state;
	assert_int_equal(safetensors_write(path, &good, 1, NULL, &error), 0);
	assert_int_equal(safetensors_write(path, twice, 2, NULL, &error), ERR_INVALID);
	assert_int_equal(safetensors_write(path, &foul, 1, NULL, &error), ERR_INVALID);
	assert_int_equal(safetensors_write(path, &huge, 1, NULL, &error), ERR_RANGE);
	assert_int_equal(safetensors_write(path, &good, 1, foul_metadata, &error), ERR_INVALID);
	assert_int_equal(safetensors_open(&file, path, &error), 0);
	assert_non_null(safetensors_find(&file, "a"));
	safetensors_close(&file);
}

static void missing_file_is_named(void **state)
{
	struct safetensors file;
	struct error error = {0};

	(void)state;
	assert_int_equal(safetensors_open(&file, "/nowhere/x.safetensors", &error), ERR_NOT_FOUND);
	assert_string_equal(error.file, "/nowhere/x.safetensors");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_headers_are_refused),
		cmocka_unit_test(lying_lengths_are_refused),
		cmocka_unit_test(endless_header_is_refused),
		cmocka_unit_test(round_trip_returns_every_dtype),
		cmocka_unit_test(halves_convert_exactly),
		cmocka_unit_test(bad_items_leave_the_old_file),
		cmocka_unit_test(missing_file_is_named),
	};
	int failed;

	if (test_folder_make())
		return 1;
	test_path(path, "test.safetensors");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return test_folder_remove() || failed;
}
