/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet pool: whoever asks gets a zeroed packet that nobody else holds,
 * and what is out is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/packet.h"

#define MOST 600

static bool is_blank(const struct packet *packet)
{
	static const struct packet blank;

	return memcmp(packet, &blank, sizeof(blank)) == 0;
}

static void packets_are_zeroed_and_handed_out_once(void **state)
{
	static struct packet *held[MOST];
	struct packet_pool pool;
	size_t count = 0;

	(void)state;
	packet_pool_init(&pool);
	srand(1);
	for (int i = 0; i < 20000; i++) {
		if (count == 0 || (count < MOST && rand() % 2)) {
			struct packet *packet = packet_new(&pool);

			assert_non_null(packet);
			assert_true(is_blank(packet));
			if (rand() % 3 == 0) {
				packet_free_unused(&pool, packet);
			} else {
				/* Its owner's mark: whoever else held it would write another. */
				memset(packet, 0xff, sizeof(*packet));
				packet->flow = (uint32_t)i;
				packet->random = (uint64_t)i;
				held[count++] = packet;
			}
		} else {
			const size_t at = (size_t)rand() % count;

			assert_int_equal(held[at]->flow, held[at]->random);
			packet_free(&pool, held[at]);
			held[at] = held[--count];
		}
		assert_int_equal(pool.allocated, count);
	}
	packet_pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_zeroed_and_handed_out_once),
	};

	return cmocka_run_group_tests_name("packets", tests, NULL, NULL);
}
