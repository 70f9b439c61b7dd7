/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Room tick by tick, and its theorem (docs/guard.md) on random ones.
 */
#include "aqm/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"

#define MS UINT64_C(1000000)

static void pass(struct aqm_room *room, uint64_t ms, uint64_t idle_percent)
{
	for (uint64_t i = 0; i < ms; i += 10)
		aqm_room_tick(room, 10 * MS, 10 * MS * idle_percent / 100);
}

static void a_busy_link_grows_it_to_two_octaves(void **state)
{
	struct aqm_room room;

	(void)state;
	aqm_room_init(&room);
	assert_int_equal(aqm_room_octaves(&room, 8), 0);
	pass(&room, 4295, 0);
	assert_in_range(aqm_room_octaves(&room, 8), 255, 257);
	pass(&room, 60000, 0);
	assert_int_equal(aqm_room_octaves(&room, 12), 2 << 12);
}

static void idle_time_takes_it_away(void **state)
{
	struct aqm_room room;

	(void)state;
	aqm_room_init(&room);
	pass(&room, 10000, 0);
	assert_int_equal(room.left_ns, AQM_ROOM_FULL_NS);
	pass(&room, 270, 100);
	assert_in_range(aqm_room_octaves(&room, 8), 360, 372);
	pass(&room, 1000, 100);
	assert_int_equal(room.left_ns, 0);
	/* A tenth is what it bears. */
	pass(&room, 4000, 11);
	assert_int_equal(room.left_ns, 0);
	pass(&room, 40000, 5);
	assert_in_range(aqm_room_octaves(&room, 8), 450, 512);
}

/* Over every stretch of ticks that leave room: idle time <= time / 10 + 2^33 ns / 10. */
static void idle_time_is_bounded_while_there_is_room(void **state)
{
	struct aqm_room room;
	struct rng rng;
	int64_t worst_ns = 0; /* 10 x idle - time, over the worst stretch that ends now */
	unsigned stretches = 0;

	(void)state;
	rng_seed(&rng, 9332);
	aqm_room_init(&room);
	for (long i = 0; i < 2000000; i++) {
		const uint64_t ns = rng_below(&rng, 1000) ? rng_below(&rng, 40 * MS)
							  : rng_u64(&rng) >> rng_below(&rng, 40);
		const uint64_t idle_ns = rng_below(&rng, 2) ? 0 : rng_below(&rng, ns * 2 / 5 + 1);
		const uint64_t counted_ns = ns >> 32 ? UINT64_C(1) << 32 : ns;

		aqm_room_tick(&room, ns, idle_ns);
		assert_in_range(room.left_ns, 0, AQM_ROOM_FULL_NS);
		worst_ns += 10 * (int64_t)(idle_ns > counted_ns ? counted_ns : idle_ns);
		worst_ns -= (int64_t)counted_ns;
		if (worst_ns < 0)
			worst_ns = 0;
		if (room.left_ns == 0) {
			worst_ns = 0;
			stretches++;
		}
		assert_true(worst_ns <= INT64_C(1) << 33);
	}
	assert_true(stretches > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_busy_link_grows_it_to_two_octaves),
		cmocka_unit_test(idle_time_takes_it_away),
		cmocka_unit_test(idle_time_is_bounded_while_there_is_room),
	};

	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
