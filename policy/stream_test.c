/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams that keep what they computed, against streams that compute it anew:
 * the same where nothing can differ (one layer, rotary positions; whenever
 * positions end), another function elsewhere.  And many streams at once,
 * against each alone.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "policy/net.h"
#include "policy/stream.h"

#define FEATURES 3
#define SLOTS (FEATURES + 2)
#define WINDOW 4
#define STEPS 60 /* more than the 90 positions of the models hold */
#define MANY 5

struct fixture {
	struct policy_net net;
	float states[STEPS * FEATURES], returns[STEPS];
	int32_t timesteps[STEPS];
	int actions[STEPS];
};

static void set_up(struct fixture *f, const char *config, int64_t layers,
		   enum policy_encoder encoder)
{
	const struct policy_net_shape shape = {.features = FEATURES, .feature_dim = 7,
					       .timesteps = 4, .encoder = encoder,
					       .series = 1U << 1};
	const struct backbone_options options = {.stop_layer = layers};
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 11);
	assert_int_equal(policy_net_new(&f->net, &shape, test_model(config, &options, 5), &error),
			 0);
	policy_net_init(&f->net, &rng);
	for (int i = 0; i < STEPS; i++) {
		for (int j = 0; j < FEATURES; j++)
			f->states[i * FEATURES + j] = (float)rng_normal(&rng);
		f->returns[i] = (float)rng_normal(&rng);
		f->timesteps[i] = i % 4;
		f->actions[i] = (int)rng_below(&rng, POOL_ACTIONS);
	}
}

static void stream_make(struct policy_stream *stream, const struct fixture *f, int64_t keep)
{
	struct error error = {0};

	if (policy_stream_new(stream, &f->net, WINDOW, keep, &error))
		fail_msg("%s", error.text);
}

static void decide(const struct fixture *f, struct policy_stream *stream, int step, float *logits)
{
	struct error error = {0};

	if (policy_stream_decide(stream, f->states + step * FEATURES, f->returns[step],
				 f->timesteps[step], logits, &error))
		fail_msg("%s", error.text);
}

static double distance(const float *a, const float *b)
{
	double largest = 0;

	for (int i = 0; i < POOL_ACTIONS; i++)
		largest = fmax(largest, fabs((double)a[i] - b[i]));
	return largest;
}

/*
 * Largest difference of a cached stream from an exact one; *anew counts the
 * decisions past the first window that were computed anew, and must be exact.
 */
static double cached_difference(const struct fixture *f, int *anew)
{
	struct policy_stream exact, cached;
	double largest = 0;

	stream_make(&exact, f, WINDOW - 1);
	stream_make(&cached, f, POLICY_STREAM_CACHED);
	*anew = 0;
	for (int step = 0; step < STEPS; step++) {
		float wanted[POOL_ACTIONS], logits[POOL_ACTIONS];
		int64_t position;

		decide(f, &exact, step, wanted);
		decide(f, &cached, step, logits);
		largest = fmax(largest, distance(logits, wanted));
		position = 90 - backbone_cache_positions_left(f->net.backbone, cached.cache);
		if (step >= WINDOW && position == backbone_cache_tokens(cached.cache)) {
			assert_true(distance(logits, wanted) < 1e-4);
			++*anew;
		}
		policy_stream_acted(&exact, f->actions[step]);
		policy_stream_acted(&cached, f->actions[step]);
	}
	policy_stream_free(&exact);
	policy_stream_free(&cached);
	return largest;
}

static void a_cached_stream_is_exact_where_it_can_be(void **state)
{
	struct fixture f;
	int anew;

	(void)state;
	set_up(&f, TINY_LLAMA, 1, POLICY_ENCODER_linear);
	assert_true(cached_difference(&f, &anew) < 1e-4);
	assert_int_equal(anew, 4);
	policy_net_free(&f.net);
}

/*
 * How far traces carry is a property of the model: measured with these seeds,
 * and held to a tenth of it.  Positions end every (90 - 20) / 5 steps.
 */
static void a_cached_stream_carries_traces_elsewhere(void **state)
{
	static const struct {
		const char *config;
		enum policy_encoder encoder;
		double measured;
	} rows[] = {
		{TINY_GPT2, POLICY_ENCODER_linear, 1.0362},
		{TINY_LLAMA, POLICY_ENCODER_linear, 0.5870},
		{TINY_GPT2, POLICY_ENCODER_multiscale, 1.2263},
		{TINY_LLAMA, POLICY_ENCODER_multiscale, 0.4074},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		double difference;
		int anew;

		set_up(&f, rows[i].config, 0, rows[i].encoder);
		difference = cached_difference(&f, &anew);
		print_message("%zu: %.4f, %d anew\n", i, difference, anew);
		assert_true(fabs(difference - rows[i].measured) < 0.1 * rows[i].measured);
		assert_int_equal(anew, 4);
		policy_net_free(&f.net);
	}
}

/* Streams that began at different times and slide differently, so that some build anew. */
static void many_check(const struct fixture *f)
{
	static const int64_t keep[MANY] = {0, 2, 3, POLICY_STREAM_CACHED, 1};
	struct policy_stream alone[MANY], together[MANY], *pointers[MANY];
	float logits[MANY * POOL_ACTIONS], wanted[POOL_ACTIONS];
	struct error error = {0};

	for (int i = 0; i < MANY; i++) {
		stream_make(&alone[i], f, keep[i]);
		stream_make(&together[i], f, keep[i]);
		pointers[i] = &together[i];
	}
	for (int step = 0; step + MANY <= STEPS; step++) {
		if (step == 7)
			policy_stream_reset(&alone[1]);
		if (step == 7)
			policy_stream_reset(&together[1]);
		if (policy_stream_decide_many(pointers, MANY, f->states + step * FEATURES,
					      f->returns + step, f->timesteps + step, logits,
					      &error))
			fail_msg("%s", error.text);
		for (int i = 0; i < MANY; i++) {
			decide(f, &alone[i], step + i, wanted);
			assert_true(distance(logits + i * POOL_ACTIONS, wanted) < 1e-4);
			policy_stream_acted(&alone[i], f->actions[step + i]);
			policy_stream_acted(&together[i], f->actions[step + i]);
		}
	}
	for (int i = 0; i < MANY; i++) {
		policy_stream_free(&alone[i]);
		policy_stream_free(&together[i]);
	}
}

static void many_streams_equal_each_alone(void **state)
{
	static const char *const configs[] = {TINY_GPT2, TINY_LLAMA};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fixture f;

		set_up(&f, configs[i], 0, POLICY_ENCODER_linear);
		many_check(&f);
		assert_int_equal(policy_stream_decide_many(NULL, 0, NULL, NULL, NULL, NULL, NULL),
				 0);
		policy_net_free(&f.net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cached_stream_is_exact_where_it_can_be),
		cmocka_unit_test(a_cached_stream_carries_traces_elsewhere),
		cmocka_unit_test(many_streams_equal_each_alone),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
