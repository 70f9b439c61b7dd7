/* SPDX-License-Identifier: BSD-2-Clause */
/* What each measure changes, what it leaves, and that no held-out row is read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "learn/augment.h"

#define ROWS 60
#define CUT 40
#define EPISODE 25 /* rows of the first episode */
#define STEPS 6
#define FEATURES 4

struct fixture {
	struct pool pool;
	struct policy_config config;
	struct dataset dataset;
	struct rng rng;
	float states[STEPS * FEATURES], weights[STEPS];
};

/* Queue type (a scalar), delay and length (series of a queue), packet length (a series). */
static void set_up(struct fixture *f)
{
	static const char *const names[FEATURES] = {"queue_type", "current_queue_delay",
						    "length_in_bytes", "packet_length"};
	const struct dataset_fit fit = {.scaling = SCALING_linear, .gamma = -1};

	memset(f, 0, sizeof(*f));
	rng_seed(&f->rng, 5);
	pool_init(&f->pool);
	f->pool.features = FEATURES;
	for (int i = 0; i < FEATURES; i++)
		strcpy(f->pool.columns[i].name, names[i]);
	for (int row = 0; row < ROWS; row++) {
		const double state[FEATURES] = {row % 2, 10 * row + 5, 70 * row + 40, 52 + row};

		assert_int_equal(pool_append(&f->pool, state, POOL_ENQUEUE, 1, row == EPISODE - 1),
				 0);
	}
	assert_int_equal(dataset_fit_config(&f->config, &f->pool, CUT, &fit, NULL), 0);
	assert_int_equal(dataset_new(&f->dataset, &f->pool, CUT, &f->config, NULL), 0);
}

static void tear_down(struct fixture *f)
{
	dataset_free(&f->dataset);
	pool_free(&f->pool);
}

/* As a trainer fills and augments it; the window that was used. */
static struct dataset_window take(struct fixture *f, const struct augment_options *options,
				  struct dataset_window window, bool cross)
{
	window.first = augment_first(options, &f->dataset, &window, STEPS, cross, CUT, &f->rng);
	for (int s = 0; s < STEPS; s++) {
		memcpy(f->states + s * FEATURES,
		       f->dataset.states + (window.first + (size_t)s * window.interval) * FEATURES,
		       FEATURES * sizeof(float));
		f->weights[s] = 1;
	}
	augment_window(options, &f->dataset, &window, STEPS, &f->rng, f->states, f->weights);
	return window;
}

static float original(const struct fixture *f, const struct dataset_window *window, int step,
		      int feature)
{
	return f->dataset.states[(window->first + (size_t)step * window->interval) * FEATURES +
				 (size_t)feature];
}

static void off_is_off(void **state)
{
	const struct augment_options none = {0};
	const struct dataset_window window = {3, 2, 1};
	struct fixture f;
	struct rng before;

	(void)state;
	set_up(&f);
	before = f.rng;
	assert_int_equal(take(&f, &none, window, false).first, 3);
	assert_memory_equal(&before, &f.rng, sizeof(before));
	for (int s = 0; s < STEPS; s++)
		for (int i = 0; i < FEATURES; i++)
			assert_true(f.states[s * FEATURES + i] == original(&f, &window, s, i));
	tear_down(&f);
}

/* Offsets are one number a window and series, noise one a step; scalars are left. */
static void series_are_disturbed(void **state)
{
	const struct augment_options offset = {.offset = 0.5}, noise = {.noise = 0.5};
	const struct dataset_window window = {0, 1, 1};
	double squares = 0;
	struct fixture f;

	(void)state;
	set_up(&f);
	for (int round = 0; round < 400; round++) {
		float shift[FEATURES];

		take(&f, &offset, window, false);
		for (int i = 0; i < FEATURES; i++)
			shift[i] = f.states[i] - original(&f, &window, 0, i);
		assert_true(shift[0] == 0 && shift[1] != shift[2] && shift[2] != shift[3]);
		for (int s = 0; s < STEPS; s++)
			for (int i = 0; i < FEATURES; i++)
				assert_true(fabsf(f.states[s * FEATURES + i] - shift[i] -
						  original(&f, &window, s, i)) < 1e-5f);
		squares += (double)shift[1] * (double)shift[1];
		take(&f, &noise, window, false);
		assert_true(f.states[0] == original(&f, &window, 0, 0));
		assert_true(f.states[1] - original(&f, &window, 0, 1) !=
			    f.states[FEATURES + 1] - original(&f, &window, 1, 1));
	}
	assert_true(fabs(sqrt(squares / 400) - 0.5) < 0.06);
	tear_down(&f);
}

/* One factor for delay and length, in the router's units. */
static void a_queue_is_longer_as_a_whole(void **state)
{
	const struct augment_options options = {.queue = 0.3};
	const struct dataset_window window = {2, 1, 1};
	struct fixture f;

	(void)state;
	set_up(&f);
	take(&f, &options, window, false);
	for (int s = 0; s < STEPS; s++) {
		const struct scaling *delay = &f.config.feature[1].scaling;
		const struct scaling *length = &f.config.feature[2].scaling;
		const double d = (double)f.states[s * FEATURES + 1] / delay->factor + delay->offset;
		const double l =
			(double)f.states[s * FEATURES + 2] / length->factor + length->offset;
		const double factor = d / (10 * (2 + s) + 5);

		assert_true(fabs(factor - 1) > 1e-3);
		assert_true(fabs(l / (70 * (2 + s) + 40) - factor) < 1e-4);
		assert_true(f.states[s * FEATURES + 3] == original(&f, &window, s, 3));
	}
	tear_down(&f);
}

static void hidden_steps_have_no_loss(void **state)
{
	const struct augment_options options = {.mask = 0.25};
	const struct dataset_window window = {2, 1, 1};
	struct fixture f;
	int hidden = 0;
	double weight = 0;

	(void)state;
	set_up(&f);
	for (int round = 0; round < 500; round++) {
		take(&f, &options, window, false);
		for (int s = 0; s < STEPS; s++) {
			const bool is_hidden = f.weights[s] == 0;

			hidden += is_hidden;
			weight += (double)f.weights[s];
			for (int i = 0; i < FEATURES; i++)
				assert_true(f.states[s * FEATURES + i] ==
					    (is_hidden ? 0 : original(&f, &window, s, i)));
		}
	}
	assert_true(abs(hidden - 500 * STEPS / 4) < 120);
	assert_true(fabs(weight / (500 * STEPS) - 1) < 0.06);
	tear_down(&f);
}

/* Shifted windows reach every place there is, and no other. */
static void shifts_stay_in_episode_and_training_rows(void **state)
{
	const struct augment_options options = {.shift = 50};
	bool seen[ROWS] = {false};
	struct fixture f;

	(void)state;
	set_up(&f);
	for (int round = 0; round < 2000; round++) {
		const struct dataset_window a =
			take(&f, &options, (struct dataset_window){10, 2, 1}, false);
		const struct dataset_window b =
			take(&f, &options, (struct dataset_window){30, 2, 1}, false);
		const struct dataset_window c =
			take(&f, &options, (struct dataset_window){30, 2, 1}, true);

		assert_true(a.first + 10 < EPISODE);
		assert_true(b.first >= EPISODE && b.first + 10 < CUT);
		assert_true(c.first + 10 < CUT);
		seen[a.first] = seen[b.first] = true;
	}
	assert_true(seen[0] && seen[EPISODE - 11] && seen[EPISODE] && seen[CUT - 11]);
	tear_down(&f);
}

/* Whatever is on, a held-out row that is not a number would show. */
static void held_out_rows_are_never_read(void **state)
{
	const struct augment_options all = {
		.offset = 0.1, .noise = 0.1, .mask = 0.1, .queue = 0.5, .shift = 100};
	struct fixture f;

	(void)state;
	set_up(&f);
	for (size_t at = CUT * FEATURES; at < ROWS * FEATURES; at++) {
		f.dataset.states[at] = NAN;
		f.pool.state[at] = NAN;
	}
	for (int round = 0; round < 3000; round++) {
		take(&f, &all, (struct dataset_window){(uint32_t)(round % 35), 1, 1}, round % 2);
		for (int i = 0; i < STEPS * FEATURES; i++)
			assert_true(isfinite(f.states[i]));
	}
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_is_off),
		cmocka_unit_test(series_are_disturbed),
		cmocka_unit_test(a_queue_is_longer_as_a_whole),
		cmocka_unit_test(hidden_steps_have_no_loss),
		cmocka_unit_test(shifts_stay_in_episode_and_training_rows),
		cmocka_unit_test(held_out_rows_are_never_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
