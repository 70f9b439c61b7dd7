/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Attention in integers beside its text in real numbers, at its extremes too, and how long it
 * remembers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aqm/ref/student.h"
#include "aqm/student_net.h"
#include "base/rng.h"

#define STEPS 40
#define MOST 31 /* numbers of a token */

/* What was said, decision by decision, and what came of it. */
struct course {
	uint32_t width, window;
	int16_t said[STEPS][AQM_STUDENT_WIDTH];
	int16_t out[STEPS][AQM_STUDENT_TOKEN];
};

static void draw_shape(struct course *course, struct rng *rng)
{
	course->window = 1 + (uint32_t)rng_below(rng, AQM_STUDENT_WINDOW);
	do
		course->width = 1 + (uint32_t)rng_below(rng, MOST);
	while (course->window * aqm_student_token(course->width) > AQM_STUDENT_RING ||
	       3 * course->width + course->window > AQM_STUDENT_WIDTH);
}

/* Numbers within +-size; or the largest there are. */
static void draw_course(struct course *course, int32_t size, struct rng *rng)
{
	draw_shape(course, rng);
	for (int step = 0; step < STEPS; step++)
		for (uint32_t i = 0; i < 3 * course->width + course->window; i++)
			course->said[step][i] =
				(int16_t)(size ? (int32_t)rng_below(rng, 2 * (uint64_t)size) - size
					  : rng_below(rng, 2) ? INT16_MIN
							      : INT16_MAX);
}

static void run(struct course *course, struct aqm_student_ring *ring, int from)
{
	for (int step = from; step < STEPS; step++)
		aqm_student_attend(ring, course->width, course->window, course->said[step],
				   course->out[step]);
}

/* The largest difference from the text; numbers of the window that are from before are zeros. */
static double off(const struct course *course)
{
	const int width = (int)course->width, window = (int)course->window;
	double largest = 0;

	for (int step = 0; step < STEPS; step++) {
		double key[AQM_STUDENT_WINDOW * MOST] = {0}, value[AQM_STUDENT_WINDOW * MOST] = {0};
		double query[MOST], lag[AQM_STUDENT_WINDOW], heeded[MOST];

		for (int back = 0; back < window; back++)
			lag[back] = course->said[step][3 * width + back] / 4096.0;
		for (int i = 0; i < width; i++)
			query[i] = course->said[step][i] / 4096.0;
		for (int back = 0; back < window && back <= step; back++) {
			for (int i = 0; i < width; i++) {
				const int16_t *said = course->said[step - back] + width + i;

				key[back * width + i] = said[0] / 4096.0;
				value[back * width + i] = said[width] / 4096.0;
			}
		}
		oracle_student_heed(width, window, query, key, value, lag, heeded);
		for (int i = 0; i < width; i++)
			largest = fmax(largest, fabs(course->out[step][i] / 4096.0 - heeded[i]));
	}
	return largest;
}

/* Powers of two are 0.4 % off, queries 2^-9, and with values within +-size so much comes of it. */
static void integers_are_near_the_text(void **state)
{
	static const struct {
		int32_t size;
		double allowed;
	} rows[] = {{1024, 0.003}, {4096, 0.02}, {8192, 0.08}};
	static struct course course;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		double largest = 0;

		for (int round = 0; round < 300; round++) {
			struct aqm_student_ring ring = {0};

			draw_course(&course, rows[row].size, &rng);
			run(&course, &ring, 0);
			largest = fmax(largest, off(&course));
		}
		print_message("within %.2f: %.5f off at most\n", rows[row].size / 4096.0, largest);
		assert_true(largest < rows[row].allowed);
		assert_true(largest > 0);
	}
}

/* Whatever is said, nothing leaves its range (the sanitizers watch), and the text is near. */
static void extremes_stay_within_their_ranges(void **state)
{
	static struct course course;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	for (int round = 0; round < 500; round++) {
		struct aqm_student_ring ring = {0};

		draw_course(&course, 0, &rng);
		course.said[round % STEPS][0] = 0;
		run(&course, &ring, 0);
		assert_true(off(&course) < 0.15);
		for (uint32_t i = 0; i < course.window * aqm_student_token(course.width); i++)
			assert_in_range(ring.key[i] + 16384, 0, 32768);
	}
}

/* All keys alike and one lag that stands out by `octaves`: the share of its value. */
static double share_of_a_lag(uint32_t window, uint32_t lag, double octaves)
{
	struct aqm_student_ring ring = {0};
	int16_t said[AQM_STUDENT_WIDTH] = {0}, y[AQM_STUDENT_TOKEN] = {0};

	for (uint32_t step = 0; step < 3 * window; step++) {
		/* The value that is heeded was said `lag` decisions before the last one. */
		said[2] = step == 3 * window - 1 - lag ? 4096 : 0;
		said[3 + lag] = (int16_t)(octaves * 4096);
		aqm_student_attend(&ring, 1, window, said, y);
	}
	return y[0] / 4096.0;
}

static void lags_say_how_far_back(void **state)
{
	(void)state;
	for (uint32_t window = 1; window <= AQM_STUDENT_WINDOW; window++) {
		for (uint32_t lag = 0; lag < window; lag++) {
			const double others = window - 1.0;

			assert_true(fabs(share_of_a_lag(window, lag, 0) - 1.0 / window) < 0.001);
			assert_true(fabs(share_of_a_lag(window, lag, 2) - 4 / (4 + others)) <
				    0.001);
			/* No more than eight octaves count. */
			assert_true(fabs(share_of_a_lag(window, lag, -7.99) -
					 share_of_a_lag(window, lag, -7)) < 0.006);
		}
	}
}

static void what_is_older_than_the_window_is_forgotten(void **state)
{
	static struct course course, other;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	for (int round = 0; round < 100; round++) {
		struct aqm_student_ring ring = {0}, own = {0};

		draw_course(&course, 8192, &rng);
		other = course;
		for (uint32_t i = 0; i < 3 * course.width; i++)
			other.said[3][i] = (int16_t)rng_u64(&rng);
		run(&course, &ring, 0);
		run(&other, &own, 0);
		for (int step = 0; step < STEPS; step++) {
			const bool same = memcmp(course.out[step], other.out[step],
						 course.width * sizeof(int16_t)) == 0;

			if (step < 3 || step >= 3 + (int)course.window)
				assert_true(same);
			else if (step == 3 && course.width > 8)
				assert_false(same);
		}
	}
}

/* A ring that another window left behind has its places all the same. */
static void a_place_beyond_the_window_is_the_first(void **state)
{
	struct aqm_student_ring ring = {.next = UINT32_MAX};
	const int16_t said[] = {0, 0, 4096, 0, 0};
	int16_t y[AQM_STUDENT_TOKEN];

	(void)state;
	aqm_student_attend(&ring, 1, 2, said, y);
	assert_int_equal(ring.next, 1);
	assert_int_equal(ring.value[0], 4096);
	assert_int_equal(y[0], 2048);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_near_the_text),
		cmocka_unit_test(extremes_stay_within_their_ranges),
		cmocka_unit_test(lags_say_how_far_back),
		cmocka_unit_test(what_is_older_than_the_window_is_forgotten),
		cmocka_unit_test(a_place_beyond_the_window_is_the_first),
	};

	return cmocka_run_group_tests_name("student attention", tests, NULL, NULL);
}
