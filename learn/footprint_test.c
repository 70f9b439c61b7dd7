/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is predicted is what is needed: activations to the last array, and the
 * peak of the whole process within 10 %, for three shapes and two batches, one
 * of them with activation checkpoints.  Each case is a process of its own, because
 * a peak never falls; on one thread, because what malloc() keeps for others depends on
 * when they came.
 */
#include "backbone/test_models.h"

#include <malloc.h>
#include <math.h>
#include <sys/wait.h>

#include "learn/footprint.h"
#include "learn/usage.h"
#include "tensor/threads.h"

#define STEPS 20

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* red zones and quarantines are resident too */
#else
#define SANITIZED false
#endif

struct shape {
	const char *name, *config;
	int64_t rank; /* 0: every weight learns */
};

static const struct shape shapes[] = {
	{"gpt2",
	 "{\"model_type\": \"gpt2\", \"n_layer\": 6, \"n_embd\": 448, \"n_head\": 7, "
	 "\"vocab_size\": 1000, \"n_positions\": 256}",
	 64},
	{"llama",
	 "{\"model_type\": \"llama\", \"num_hidden_layers\": 3, \"hidden_size\": 576, "
	 "\"num_attention_heads\": 9, \"num_key_value_heads\": 3, \"intermediate_size\": 1536, "
	 "\"vocab_size\": 500, \"max_position_embeddings\": 512}",
	 64},
	{"gpt2 whole",
	 "{\"model_type\": \"gpt2\", \"n_layer\": 3, \"n_embd\": 448, \"n_head\": 7, "
	 "\"vocab_size\": 200, \"n_positions\": 200}",
	 0},
};

static void learner_make(struct learner *learner, struct policy_net *net, const struct shape *shape)
{
	const struct policy_net_shape own = {.features = 7, .feature_dim = 64, .timesteps = 100};
	const struct backbone_options options = {.trainable = shape->rank == 0};
	const struct lora_options lora = {.rank = shape->rank, .alpha = 8, .dropout = 0.1};
	const struct learner_options how = {.adamw = adamw_defaults,
					    .schedule = {.peak_rate = 1e-4},
					    .accumulate = 1,
					    .clip = 1};
	struct backbone *backbone = test_model(shape->config, &options, 5);
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 6);
	if (shape->rank)
		assert_int_equal(backbone_lora_new(backbone, &lora, &rng, &error), 0);
	assert_int_equal(policy_net_new(net, &own, backbone, &error), 0);
	policy_net_init(net, &rng);
	assert_int_equal(learner_init(learner, &how, net, &error), 0);
}

static void two_steps(struct learner *learner, int64_t batch)
{
	const size_t rows = (size_t)(batch * STEPS);
	float *numbers = calloc(rows * 12, sizeof(float));
	int32_t *whole = calloc(rows, sizeof(int32_t));
	const struct policy_batch windows = {.batch = batch,
					     .steps = STEPS,
					     .states = numbers,
					     .returns = numbers,
					     .actions = numbers,
					     .timesteps = whole};
	struct error error = {0};
	struct rng dropout;
	double loss;

	rng_seed(&dropout, 7);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(learner_accumulate(learner, &windows, whole, NULL, &dropout,
						    numbers + 9 * rows, &loss, &error),
				 0);
		learner_step(learner);
	}
	free(numbers);
	free(whole);
}

/* 0, or what was wrong. */
static int one_case(const struct shape *shape, int64_t batch, bool checkpoints)
{
	struct footprint footprint;
	struct error error = {0};
	struct learner learner;
	struct policy_net net;
	double counted, peak;

	tensor_threads_set(1);
	learner_make(&learner, &net, shape);
	backbone_checkpoint_activations(net.backbone, checkpoints);
	assert_int_equal(footprint_predict(&footprint, &learner, batch, STEPS, 0, &error), 0);
	assert_true(gradients_norm(net.params, net.count) == 0);
	two_steps(&learner, batch);
	counted = (double)learner.arena.peak_bytes;
	peak = (double)usage_now().peak_bytes;
	printf("%s, batch %lld%s: activations %.2f MB, predicted %.2f; peak %.1f MB, predicted "
	       "%.1f\n",
	       shape->name, (long long)batch, checkpoints ? ", checkpoints" : "", counted / 1e6,
	       (double)footprint.activations / 1e6, peak / 1e6, (double)footprint.peak / 1e6);
	if (!(fabs((double)footprint.activations / counted - 1) < 0.005))
		return 2;
	if (!SANITIZED && !(fabs((double)footprint.peak / peak - 1) < 0.1))
		return 3;
	learner_free(&learner);
	policy_net_free(&net);
	return 0;
}

static void predicted_is_needed(void **state)
{
	static const int64_t batches[] = {1, 3};

	(void)state;
	for (int i = 0; i < 3 * 2; i++) {
		const pid_t child = fork();
		int status = 1;

		if (child == 0) {
			status = one_case(&shapes[i / 2], batches[i % 2], i / 2 == 1);
			fflush(stdout);
			_exit(status);
		}
		waitpid(child, &status, 0);
		assert_int_equal(status, 0);
	}
}

/* Checkpoints keep one array of (rows, H) a layer where there were many. */
static void checkpoints_need_less(void **state)
{
	struct footprint footprint[2];
	struct error error = {0};
	struct learner learner;
	struct policy_net net;

	(void)state;
	learner_make(&learner, &net, &shapes[0]);
	for (int i = 0; i < 2; i++) {
		backbone_checkpoint_activations(net.backbone, i);
		assert_int_equal(footprint_predict(&footprint[i], &learner, 8, STEPS, 0, &error),
				 0);
	}
	assert_true(footprint[1].activations < footprint[0].activations / 2);
	learner_free(&learner);
	policy_net_free(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(predicted_is_needed),
		cmocka_unit_test(checkpoints_need_less),
	};
	int failed;

	mallopt(M_PERTURB, 0); /* test runners let malloc() touch all that it gives out */
	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
