/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decision network without golden files: every gradient against
 * differences of the loss, causality, and streams against whole windows.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "policy/net.h"
#include "policy/stream.h"

#define FEATURES 3
#define STEPS 5
#define BATCH 2
#define ROWS (BATCH * STEPS)

struct fixture {
	struct policy_net net;
	struct arena arena;
	struct rng rng;
	float states[ROWS * FEATURES], returns[ROWS], actions[ROWS], logits[ROWS * POOL_ACTIONS];
	int32_t timesteps[ROWS];
	struct policy_batch batch;
};

/* What the network may look like. */
enum variant { PLAIN, SHARED, MULTISCALE, RESIDUAL, BOTH, VARIANTS };

static void net_make(struct fixture *f, const char *config, enum variant variant)
{
	const bool multiscale = variant == MULTISCALE || variant == BOTH;
	const struct policy_net_shape shape = {.features = FEATURES,
					       .feature_dim = 7,
					       .timesteps = 4,
					       .shared_last = variant == SHARED,
					       .encoder = multiscale ? POLICY_ENCODER_multiscale
								     : POLICY_ENCODER_linear,
					       .series = 1U << 1 | 1U << 2,
					       .residual = variant == RESIDUAL || variant == BOTH};
	const struct lora_options lora = {.rank = 3, .alpha = 6};
	struct backbone *backbone = test_model(config, NULL, 5);
	struct error error = {0};

	rng_seed(&f->rng, 11);
	arena_init(&f->arena);
	assert_int_equal(policy_net_new(&f->net, &shape, backbone, &error), 0);
	policy_net_init(&f->net, &f->rng);
	for (int64_t i = 0; i < f->net.timestep->count; i++)
		f->net.timestep->value[i] *= 20;
	assert_int_equal(backbone_lora_new(backbone, &lora, &f->rng, &error), 0);
	test_adapter_stir(backbone, &f->rng);
	assert_int_equal(policy_net_collect(&f->net, &error), 0);
}

static void set_up(struct fixture *f, const char *config, enum variant variant)
{
	net_make(f, config, variant);
	for (int i = 0; i < ROWS * FEATURES; i++)
		f->states[i] = (float)rng_normal(&f->rng);
	for (int i = 0; i < ROWS; i++) {
		f->returns[i] = (float)rng_normal(&f->rng);
		f->actions[i] = policy_action_input((int)rng_below(&f->rng, POOL_ACTIONS));
		f->timesteps[i] = i % 4;
	}
	f->batch = (struct policy_batch){BATCH,	     STEPS,	   f->states, f->returns,
					 f->actions, f->timesteps, NULL};
}

static void tear_down(struct fixture *f)
{
	policy_net_free(&f->net);
	arena_free(&f->arena);
}

/* A loss with a gradient of its own at every logit: sum of sin(i) logit_i. */
static double loss_of(struct fixture *f)
{
	struct error error = {0};
	double loss = 0;

	assert_int_equal(
		policy_net_forward(&f->net, &f->arena, &f->batch, f->logits, NULL, NULL, &error),
		0);
	arena_reset(&f->arena);
	for (int i = 0; i < ROWS * POOL_ACTIONS; i++)
		loss += sin(i) * (double)f->logits[i];
	return loss;
}

static double slope(struct fixture *f, float *value)
{
	const float keep = *value, h = 1e-3f;
	double up, down;

	*value = keep + h;
	up = loss_of(f);
	*value = keep - h;
	down = loss_of(f);
	*value = keep;
	return (up - down) / (2 * (double)h);
}

static void check_param(struct fixture *f, const struct backbone_param *param)
{
	double largest = 0, worst = 0;

	for (int64_t i = 0; i < param->count; i++)
		largest = fmax(largest, fabs((double)param->gradient[i]));
	for (int i = 0; i < 5; i++) {
		const int64_t at = (int64_t)rng_below(&f->rng, (uint64_t)param->count);
		const double difference = slope(f, param->value + at) - (double)param->gradient[at];

		worst = fmax(worst, fabs(difference));
	}
	if (worst > 0.02 * largest + 2e-3)
		fail_msg("%s: off by %g of %g", param->name, worst, largest);
}

static void check_gradients(struct fixture *f)
{
	float d_logits[ROWS * POOL_ACTIONS];
	struct policy_tape *tape;
	struct error error = {0};

	for (int i = 0; i < ROWS * POOL_ACTIONS; i++)
		d_logits[i] = (float)sin(i);
	assert_int_equal(
		policy_net_forward(&f->net, &f->arena, &f->batch, f->logits, &tape, NULL, &error),
		0);
	assert_int_equal(policy_net_backward(&f->net, &f->arena, tape, d_logits, &error), 0);
	arena_reset(&f->arena);
	for (size_t i = 0; i < f->net.count; i++)
		if (f->net.params[i].gradient)
			check_param(f, &f->net.params[i]);
}

static void gradients_match_slopes(void **state)
{
	struct fixture f;

	(void)state;
	for (int variant = 0; variant < VARIANTS; variant++) {
		set_up(&f, variant == SHARED ? TINY_LLAMA : TINY_GPT2, (enum variant)variant);
		assert_true((policy_net_param(&f.net, "embed_state3.weight")->gradient == NULL) ==
			    (variant == SHARED));
		assert_true((policy_net_param(&f.net, "state_encoder.conv3.kernel5.weight") !=
			     NULL) == (variant == MULTISCALE || variant == BOTH));
		check_gradients(&f);
		tear_down(&f);
	}
}

/* Logits of a step do not change with its own action, nor with anything later. */
static void the_future_is_not_seen(void **state)
{
	float before[ROWS * POOL_ACTIONS];
	struct fixture f;

	(void)state;
	for (int variant = 0; variant < VARIANTS; variant++) {
		set_up(&f, variant == SHARED ? TINY_T5 : TINY_GPT2, (enum variant)variant);
		loss_of(&f);
		memcpy(before, f.logits, sizeof(before));
		f.actions[2] += 1;
		for (int i = 0; i < FEATURES; i++)
			f.states[3 * FEATURES + i] += 1;
		loss_of(&f);
		for (int i = 0; i < 3 * POOL_ACTIONS; i++)
			assert_true(f.logits[i] == before[i]);
		assert_true(f.logits[3 * POOL_ACTIONS] != before[3 * POOL_ACTIONS]);
		/* nor does a window see the one before it in the batch */
		for (int i = STEPS * POOL_ACTIONS; i < ROWS * POOL_ACTIONS; i++)
			assert_true(f.logits[i] == before[i]);
		tear_down(&f);
	}
}

/* y_t = sum of w_j x_{t-k+1+j} + b by hand, for every kernel. */
static void convolutions_by_hand(void **state)
{
	const float states[4] = {1, 10, 100, 1000};
	const float past[6] = {0, 0, 0, 0, 3, 2};
	const float weight[7] = {1, 2, 3, 4, 5, 6, 7}, bias = 0.5f;
	float lagged[4 * POLICY_ENCODER_TAPS], act[4 * POLICY_ENCODER_BANKS];
	struct encoder_pass pass = {.rows = 4, .units = 3, .banks = 3, .lagged = lagged};

	(void)state;
	for (int b = 0; b < 3; b++)
		pass.bank[b] = (struct encoder_bank){
			.channels = 1,
			.taps = policy_encoder_taps(3, b), .weight = weight, .bias = &bias};
	encoder_gather(lagged, states, NULL, 1, 4, 1, 0);
	encoder_forward(&pass, act);
	assert_true(act[0] == 3.5f && act[1] == 5.5f && act[2] == 7.5f);
	assert_true(act[9] == 3210.5f && act[10] == 5432.5f && act[11] == 7654.5f);
	encoder_gather(lagged, states, past, 1, 4, 1, 0);
	encoder_forward(&pass, act);
	assert_true(act[0] == 3 * 1 + 2 * 2 + 1 * 3 + 0.5f);
	assert_true(act[5] == 7 * 10 + 6 * 1 + 5 * 2 + 4 * 3 + 0.5f);
	encoder_gather(lagged, states, NULL, 2, 2, 1, 0);
	encoder_forward(&pass, act);
	assert_true(act[6] == 300.5f);
}

static void decide(struct fixture *f, struct policy_stream *stream, int step, float *logits)
{
	struct error error = {0};

	if (policy_stream_decide(stream, f->states + step * FEATURES, f->returns[step],
				 f->timesteps[step], logits, &error))
		fail_msg("%s", error.text);
}

static int action_of(const struct fixture *f, int step)
{
	return (int)lrintf(f->actions[step] * POOL_ACTIONS) - 1;
}

/* While the window fills a stream equals a whole pass, whatever it will keep. */
static void check_filling(struct fixture *f)
{
	struct policy_stream stream;
	struct error error = {0};

	loss_of(f);
	assert_int_equal(policy_stream_new(&stream, &f->net, STEPS, 2, &error), 0);
	for (int step = 0; step < STEPS; step++) {
		float logits[POOL_ACTIONS], unsure[POOL_ACTIONS];

		decide(f, &stream, (step + 1) % STEPS, unsure); /* never acted on: replaced */
		decide(f, &stream, step, logits);
		policy_stream_acted(&stream, action_of(f, step));
		policy_stream_acted(&stream, POOL_DROP); /* nothing is pending: no effect */
		for (int c = 0; c < POOL_ACTIONS; c++)
			assert_true(fabsf(logits[c] - f->logits[step * POOL_ACTIONS + c]) < 1e-4f);
	}
	policy_stream_free(&stream);
}

static void a_filling_stream_is_exact(void **state)
{
	struct fixture f;

	(void)state;
	for (int variant = 0; variant < VARIANTS; variant++) {
		set_up(&f, TINY_LLAMA, (enum variant)variant);
		check_filling(&f);
		tear_down(&f);
	}
}

/* Logits of the last of `steps` steps up to `last` (rows of the first batch, wrapped), in one pass.
 */
static void whole_pass(struct fixture *f, int last, int steps, float *logits)
{
	struct policy_batch batch = {.batch = 1, .steps = steps};
	const int first = last - steps + 1;
	float all[ROWS * POOL_ACTIONS];
	struct error error = {0};

	batch.states = f->states + first * FEATURES;
	batch.returns = f->returns + first;
	batch.actions = f->actions + first;
	batch.timesteps = f->timesteps + first;
	assert_int_equal(policy_net_forward(&f->net, &f->arena, &batch, all, NULL, NULL, &error),
			 0);
	memcpy(logits, all + (steps - 1) * POOL_ACTIONS, POOL_ACTIONS * sizeof(float));
	arena_reset(&f->arena);
}

/* After sliding, a stream equals a pass over exactly the steps that it kept. */
static void check_sliding(struct fixture *f, int window, int keep)
{
	struct policy_stream stream;
	struct error error = {0};
	int held = 0;

	assert_int_equal(policy_stream_new(&stream, &f->net, window, keep, &error), 0);
	for (int step = 0; step < ROWS; step++) {
		float logits[POOL_ACTIONS], expected[POOL_ACTIONS];

		held = held == window ? keep + 1 : held + 1;
		decide(f, &stream, step, logits);
		policy_stream_acted(&stream, action_of(f, step));
		whole_pass(f, step, held, expected);
		for (int c = 0; c < POOL_ACTIONS; c++)
			assert_true(fabsf(logits[c] - expected[c]) < 1e-4f);
	}
	policy_stream_reset(&stream);
	assert_int_equal(stream.history, 0);
	policy_stream_free(&stream);
}

static void a_sliding_stream_keeps_what_it_says(void **state)
{
	static const int window = 4;
	struct fixture f;

	(void)state;
	for (int variant = 0; variant < VARIANTS; variant++) {
		set_up(&f, TINY_GPT2, (enum variant)variant);
		for (int keep = 0; keep < window; keep++)
			check_sliding(&f, window, keep);
		check_sliding(&f, 9, 8);
		tear_down(&f);
	}
}

static void bad_shapes_are_refused(void **state)
{
	struct policy_stream stream;
	struct error error = {0};
	struct fixture f;

	(void)state;
	set_up(&f, TINY_GPT2, PLAIN);
	f.timesteps[3] = 4;
	assert_int_equal(
		policy_net_forward(&f.net, &f.arena, &f.batch, f.logits, NULL, NULL, &error),
		ERR_RANGE);
	assert_int_equal(policy_stream_new(&stream, &f.net, 3, 3, &error), ERR_RANGE);
	assert_int_not_equal(policy_stream_new(&stream, &f.net, 100, 3, &error), 0);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gradients_match_slopes),
		cmocka_unit_test(the_future_is_not_seen),
		cmocka_unit_test(convolutions_by_hand),
		cmocka_unit_test(a_filling_stream_is_exact),
		cmocka_unit_test(a_sliding_stream_keeps_what_it_says),
		cmocka_unit_test(bad_shapes_are_refused),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
