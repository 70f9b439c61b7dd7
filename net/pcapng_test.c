/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture file read back block by block. */
#include "net/pcapng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t get32(const char *at)
{
	const unsigned char *byte = (const unsigned char *)at;

	return byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 |
	       (uint32_t)byte[3] << 24;
}

/* The block at *at, whose two lengths must agree; moves on. */
static const char *take(const char **at, uint32_t type, uint32_t *size)
{
	const char *block = *at;

	assert_int_equal(get32(block), type);
	*size = get32(block + 4);
	assert_int_equal(*size % 4, 0);
	assert_int_equal(get32(block + *size - 4), *size);
	*at += *size;
	return block;
}

static void blocks(void **state)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5};
	struct pcapng_packet packet = {
		.interface = 1,
		.time_ns = UINT64_C(0x0123456789abcdef),
		.data = data,
		.captured_bytes = sizeof(data),
		.original_bytes = 1500,
	};
	char *file = NULL;
	const char *at, *block;
	size_t total = 0;
	uint32_t size;
	FILE *stream = open_memstream(&file, &total);

	(void)state;
	pcapng_begin(stream, "test", "a comment");
	pcapng_interface(stream, "L", "described", UINT64_C(5000000000));
	pcapng_packet(stream, &packet);
	packet.comment = "four";
	pcapng_packet(stream, &packet);
	fclose(stream);
	at = file;
	block = take(&at, 0x0a0d0d0a, &size);
	assert_int_equal(get32(block + 8), 0x1a2b3c4d);
	assert_int_equal(get32(block + 12), 1);
	assert_memory_equal(block + 24, "\1\0\11\0a comment\0\0\0\4\0\4\0test\0\0\0\0", 28);
	block = take(&at, 1, &size);
	assert_int_equal(get32(block + 8), 101);
	assert_memory_equal(block + size - 28,
			    "\10\0\10\0\0\362\5\52\1\0\0\0\11\0\1\0\11\0\0\0", 20);
	block = take(&at, 6, &size);
	assert_int_equal(size, 32 + 8);
	assert_int_equal(get32(block + 8), 1);
	assert_int_equal(get32(block + 12), 0x01234567);
	assert_int_equal(get32(block + 16), 0x89abcdef);
	assert_int_equal(get32(block + 20), 5);
	assert_int_equal(get32(block + 24), 1500);
	assert_memory_equal(block + 28, "\1\2\3\4\5\0\0\0", 8);
	block = take(&at, 6, &size);
	assert_int_equal(size, 32 + 8 + 12);
	assert_memory_equal(block + 36, "\1\0\4\0four\0\0\0\0", 12);
	assert_ptr_equal(at, file + total);
	free(file);
}

/* A text that is too long ends before the character that would not fit. */
static void long_texts_are_cut(void **state)
{
	char text[2 * PCAPNG_TEXT_MAX];
	char *file = NULL;
	size_t total = 0;
	FILE *stream = open_memstream(&file, &total);

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memcpy(text + PCAPNG_TEXT_MAX - 1, "\303\251", 2);
	pcapng_begin(stream, text, text);
	pcapng_interface(stream, text, text, 1);
	fclose(stream);
	assert_memory_equal(file + 24, "\1\0\377\1", 4);
	assert_int_equal(total, (24 + 2 * (4 + 512) + 4 + 4) +
					(16 + 2 * (4 + 512) + 12 + 8 + 4 + 4));
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks),
		cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
