/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A teacher's labels are what the policy says at the router that visited the
 * states: same probabilities, whichever way its window moves.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "learn/teacher.h"
#include "policy/llm_policy.h"
#include "policy/store.h"

#define STEPS 40
#define WINDOW 6
#define EPISODE 23 /* steps of the first router */

static struct policy_config config_make(int64_t keep)
{
	static const double values[] = {0, 0, 1, 5, 700, 1500, 9000};
	struct policy_config c = {.features = 3, .feature_dim = 5, .timesteps = 6, .window = WINDOW,
				  .keep = keep, .reward = "paper",
				  .state = "before", .gamma = 0.95, .reward_factor = 1,
				  .target_return = 2.5,
				  .encoder = POLICY_ENCODER_multiscale};
	static const char *const names[] = {"queue_type", "current_queue_delay", "packet_length"};

	for (int i = 0; i < 3; i++) {
		strcpy(c.feature[i].name, names[i]);
		scaling_fit(&c.feature[i].scaling, SCALING_quantile, values, 7, 1, NULL);
	}
	scaling_fit(&c.returns, SCALING_linear, values, 7, 1, NULL);
	strcpy(c.backbone.reference, test_folder);
	c.backbone.random = true;
	c.backbone.random_seed = 9;
	return c;
}

static void policy_folder(char *path, size_t size)
{
	snprintf(path, size, "%s/policy", test_folder);
}

static void save_policy(int64_t keep)
{
	struct policy_config config = config_make(keep);
	struct error error = {0};
	struct policy_net net;
	struct rng rng;
	char path[256];

	rng_seed(&rng, 3);
	policy_folder(path, sizeof(path));
	test_file_write("config.json", TINY_GPT2);
	assert_int_equal(policy_store_new(&net, &config, NULL, &error), 0);
	policy_net_init(&net, &rng);
	assert_int_equal(policy_store_save(&net, &config, path, &error), 0);
	policy_net_free(&net);
}

static struct aqm_record record_of(int step)
{
	return (struct aqm_record){.queue_type = step % 3 == 0,
				   .current_queue_delay = step * 371 % 9000,
				   .packet_length = step % 5 ? 1500 : 52};
}

static enum aqm_verdict verdict_of(int step)
{
	return (enum aqm_verdict)(step * step % 3);
}

static const enum pool_action action_of[] = {
	[AQM_PASS] = POOL_ENQUEUE, [AQM_MARK] = POOL_MARK, [AQM_DROP] = POOL_DROP};

/* At the router: probabilities in the order of a pool. */
static void act(const char *path, double out[STEPS][POOL_ACTIONS])
{
	struct error error = {0};
	struct policy *policy;

	if (policy_open(&policy, path, &error))
		fail_msg("%s", error.text);
	for (int step = 0; step < STEPS; step++) {
		const struct aqm_record record = record_of(step);
		double p[3];

		if (step == 0 || step == EPISODE)
			policy->ops->reset(policy);
		assert_int_equal(policy->ops->observe(policy, &record, &error), 0);
		assert_int_equal(policy->ops->decide(policy, 0, p, &error), 0);
		policy->ops->acted(policy, verdict_of(step));
		for (int v = 0; v < 3; v++)
			out[step][action_of[v]] = p[v];
	}
	policy_destroy(policy);
}

static void compare(int64_t keep)
{
	double wanted[STEPS][POOL_ACTIONS], spread = 0;
	float labels[STEPS * POOL_ACTIONS];
	struct error error = {0};
	struct teacher teacher;
	struct pool pool;
	char path[256];

	save_policy(keep);
	policy_folder(path, sizeof(path));
	act(path, wanted);
	if (teacher_open(&teacher, path, &error))
		fail_msg("%s", error.text);
	teacher_pool(&teacher, &pool);
	for (int step = 0; step < STEPS; step++) {
		const struct aqm_record record = record_of(step);

		assert_int_equal(teacher_saw(&teacher, &pool, &record, action_of[verdict_of(step)]),
				 0);
		pool.done[step] = step == EPISODE - 1;
	}
	if (teacher_label(&teacher, &pool, labels, &error))
		fail_msg("%s", error.text);
	for (int i = 0; i < STEPS * POOL_ACTIONS; i++) {
		const double w = wanted[i / POOL_ACTIONS][i % POOL_ACTIONS];

		assert_true(fabs((double)labels[i] - w) < 1e-5);
		spread = fmax(spread, fabs(w - wanted[0][i % POOL_ACTIONS]));
	}
	assert_true(spread > 1e-3); /* it does not say the same of all states */
	pool_free(&pool);
	teacher_free(&teacher);
}

static void labels_are_what_the_router_would_hear(void **state)
{
	(void)state;
	for (int64_t keep = 0; keep < WINDOW; keep++)
		compare(keep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_what_the_router_would_hear),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
