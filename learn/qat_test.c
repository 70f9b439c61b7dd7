/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quantisation-aware training: passes see rounded weights, learning moves the
 * ones behind them by the gradient of the rounded, what was there comes back
 * bit for bit, and bits go where the measured loss asks for them.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "learn/adamw.h"
#include "learn/qat.h"

#define STEPS 5
#define FEATURES 2

struct fixture {
	struct policy_net net;
	struct qat qat;
	struct policy_batch batch;
	float states[STEPS * FEATURES], returns[STEPS], actions[STEPS], logits[STEPS * 3];
	int32_t timesteps[STEPS], labels[STEPS];
};

static void set_up(struct fixture *f, enum matrix_type type)
{
	const struct backbone_options options = {.trainable = true};
	const struct policy_net_shape shape = {
		.features = FEATURES, .feature_dim = 4, .timesteps = 8};
	struct rng rng;

	memset(f, 0, sizeof(*f));
	rng_seed(&rng, 2);
	assert_int_equal(policy_net_new(&f->net, &shape, test_model(TINY_GPT2, &options, 3), NULL),
			 0);
	policy_net_init(&f->net, &rng);
	assert_int_equal(qat_new(&f->qat, &f->net, type, NULL), 0);
	for (int s = 0; s < STEPS; s++) {
		f->returns[s] = (float)s / STEPS;
		f->actions[s] = policy_action_input(s % 3);
		f->labels[s] = s % 3;
		f->timesteps[s] = s;
		for (int i = 0; i < FEATURES; i++)
			f->states[s * FEATURES + i] = (float)rng_normal(&rng);
	}
	f->batch = (struct policy_batch){.batch = 1, .steps = STEPS, .states = f->states,
					 .returns = f->returns, .actions = f->actions,
					 .timesteps = f->timesteps};
}

static void tear_down(struct fixture *f)
{
	qat_free(&f->qat);
	policy_net_free(&f->net);
}

static double digest(const struct fixture *f)
{
	double sum = 0;

	for (size_t i = 0; i < f->qat.count; i++)
		for (int64_t j = 0; j < f->qat.matrix[i].in * f->qat.matrix[i].out; j++)
			sum += (double)f->qat.matrix[i].value[j] * (double)(1 + j % 7);
	return sum;
}

static void rounding_comes_and_goes(void **state)
{
	static const enum matrix_type types[] = {MATRIX_BF16, MATRIX_INT8, MATRIX_INT4};
	struct fixture f;

	(void)state;
	for (size_t t = 0; t < 3; t++) {
		double exact, rounded, twice;

		set_up(&f, types[t]);
		exact = digest(&f);
		qat_apply(&f.qat);
		rounded = digest(&f);
		qat_undo(&f.qat);
		assert_true(digest(&f) == exact && rounded != exact);
		qat_apply(&f.qat); /* what lies on the grid stays there */
		qat_apply(&f.qat);
		twice = digest(&f);
		assert_true(fabs(twice - rounded) < 1e-4 * fabs(rounded));
		tear_down(&f);
	}
}

/* Gradients of a disguised learner are those of a network whose weights are the rounded ones. */
static void gradients_are_those_of_the_rounded_weights(void **state)
{
	const struct learner_options plain = {.adamw = adamw_defaults, .accumulate = 1};
	struct learner_options disguised = plain;
	struct learner learner;
	struct fixture a, b;
	double loss_a, loss_b, exact;

	(void)state;
	set_up(&a, MATRIX_INT4);
	set_up(&b, MATRIX_INT4);
	exact = digest(&a);
	disguised.disguise = &a.qat.disguise;
	assert_int_equal(learner_init(&learner, &disguised, &a.net, NULL), 0);
	assert_int_equal(learner_accumulate(&learner, &a.batch, a.labels, NULL, NULL, a.logits,
					    &loss_a, NULL), 0);
	learner_free(&learner);
	assert_true(digest(&a) == exact);
	qat_apply(&b.qat);
	assert_int_equal(learner_init(&learner, &plain, &b.net, NULL), 0);
	assert_int_equal(learner_accumulate(&learner, &b.batch, b.labels, NULL, NULL, b.logits,
					    &loss_b, NULL), 0);
	learner_free(&learner);
	assert_true(loss_a == loss_b);
	for (size_t i = 0; i < a.net.count; i++)
		assert_memory_equal(a.net.params[i].gradient, b.net.params[i].gradient,
				    (size_t)a.net.params[i].count * sizeof(float));
	tear_down(&a);
	tear_down(&b);
}

static void bits_go_where_they_are_needed(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, MATRIX_INT4);
	assert_int_equal(f.qat.count, 8); /* two layers of four */
	for (size_t i = 0; i < f.qat.count; i++)
		f.qat.matrix[i].rise[MATRIX_INT4] = 0.001;
	f.qat.matrix[3].rise[MATRIX_INT4] = 1;
	f.qat.matrix[3].rise[MATRIX_INT8] = 0.5;
	f.qat.matrix[5].rise[MATRIX_INT4] = 0.3;
	qat_choose(&f.qat, MATRIX_INT4, 0.01);
	for (size_t i = 0; i < f.qat.count; i++)
		assert_int_equal(f.qat.matrix[i].type, i == 3   ? MATRIX_BF16
						       : i == 5 ? MATRIX_INT8
								: MATRIX_INT4);
	qat_choose(&f.qat, MATRIX_INT4, 2);
	assert_int_equal(f.qat.matrix[3].type, MATRIX_INT4);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounding_comes_and_goes),
		cmocka_unit_test(gradients_are_those_of_the_rounded_weights),
		cmocka_unit_test(bits_go_where_they_are_needed),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
