/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 against the examples that go with FIPS 180-4. */
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect(struct digest *digest, const char *hexadecimal)
{
	unsigned char value[DIGEST_BYTES];
	char text[2 * DIGEST_BYTES + 1];

	digest_end(digest, value);
	for (int i = 0; i < DIGEST_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", value[i]);
	assert_string_equal(text, hexadecimal);
}

static void digests_are_those_of_the_standard(void **state)
{
	static const struct {
		const char *text, *digest;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	struct digest digest;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		digest_init(&digest);
		digest_add(&digest, rows[i].text, strlen(rows[i].text));
		expect(&digest, rows[i].digest);
	}
}

/* A million times "a", in pieces that fit no block. */
static void pieces_may_have_any_size(void **state)
{
	char piece[997];
	struct digest digest;

	(void)state;
	memset(piece, 'a', sizeof(piece));
	digest_init(&digest);
	for (size_t left = 1000000; left > 0;) {
		const size_t take = left < sizeof(piece) ? left : sizeof(piece);

		digest_add(&digest, piece, take);
		left -= take;
	}
	expect(&digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_standard),
		cmocka_unit_test(pieces_may_have_any_size),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
