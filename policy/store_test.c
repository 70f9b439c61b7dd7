/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policy directories: what is saved is what acts; damage, mix-ups and
 * half-done saves are named, not run.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "policy/llm_policy.h"
#include "policy/store.h"

static struct policy_config config_make(void)
{
	static const double values[] = {0, 0, 1, 5, 5, 7, 1500};
	struct policy_config c = {.features = 2,
				  .feature_dim = 5,
				  .timesteps = 6,
				  .window = 4,
				  .keep = 2,
				  .reward = "paper",
				  .state = "before",
				  .gamma = 0.95,
				  .reward_factor = 1,
				  .target_return = 2.5};

	strcpy(c.feature[0].name, "queue_type");
	strcpy(c.feature[1].name, "packet_length");
	strcpy(c.backbone.reference, test_folder);
	c.backbone.random = true;
	c.backbone.random_seed = UINT64_C(0xfedcba9876543210);
	assert_int_equal(scaling_fit(&c.feature[0].scaling, SCALING_linear, values, 7, 1, NULL), 0);
	assert_int_equal(scaling_fit(&c.feature[1].scaling, SCALING_quantile, values, 7, 1, NULL),
			 0);
	assert_int_equal(scaling_fit(&c.returns, SCALING_log, values, 7, 1, NULL), 0);
	return c;
}

static void policy_folder(char *path, size_t size)
{
	snprintf(path, size, "%s/policy", test_folder);
}

static void save_policy(struct policy_config *config)
{
	const struct lora_options lora = {.rank = 2, .alpha = 4};
	char path[256];
	struct error error = {0};
	struct policy_net net;
	struct rng rng;

	rng_seed(&rng, 3);
	policy_folder(path, sizeof(path));
	test_file_write("config.json", TINY_GPT2);
	assert_int_equal(policy_store_new(&net, config, NULL, &error), 0);
	policy_net_init(&net, &rng);
	assert_int_equal(backbone_lora_new(net.backbone, &lora, &rng, &error), 0);
	test_adapter_stir(net.backbone, &rng);
	assert_int_equal(policy_net_collect(&net, &error), 0);
	assert_int_equal(policy_store_save(&net, config, path, &error), 0);
	policy_net_free(&net);
}

static void configuration_round_trip(void **state)
{
	struct policy_config config = config_make(), back;
	struct error error = {0};

	(void)state;
	config.timestep_rule = POLICY_TIMESTEP_CLAMP;
	config.backbone.checksum = 77;
	assert_int_equal(policy_config_write(&config, test_folder, &error), 0);
	assert_int_equal(policy_config_read(&back, test_folder, &error), 0);
	assert_memory_equal(&config.feature[1].scaling, &back.feature[1].scaling,
			    offsetof(struct scaling, offset));
	for (double x = -3; x < 3000; x += 1.37) {
		for (int i = 0; i < 2; i++)
			assert_true(scaling_apply(&config.feature[i].scaling, x) ==
				    scaling_apply(&back.feature[i].scaling, x));
		assert_true(scaling_apply(&config.returns, x) == scaling_apply(&back.returns, x));
	}
	assert_true(back.backbone.random &&
		    back.backbone.random_seed == config.backbone.random_seed);
	assert_int_equal(back.backbone.checksum, 77);
	assert_int_equal(policy_config_timestep(&back, 5), 5);
	assert_int_equal(policy_config_timestep(&back, 1000), 5);
	back.timestep_rule = POLICY_TIMESTEP_MODULO;
	assert_int_equal(policy_config_timestep(&back, 1000), 1000 % 6);
}

static void open_and_act(struct policy **policy)
{
	struct error error = {0};
	char path[256];

	policy_folder(path, sizeof(path));
	if (policy_open(policy, path, &error))
		fail_msg("%s: %s", error.field, error.text);
}

/* Ten decisions; returns the sum of -ln of what was done, as a finger print. */
static double act(struct policy *policy)
{
	struct aqm_record record = {.queue_type = 1};
	struct error error = {0};
	double sum = 0;

	policy->ops->reset(policy);
	for (int i = 0; i < 10; i++) {
		double p[3];

		record.packet_length = 40 + 170 * i;
		assert_int_equal(policy->ops->observe(policy, &record, &error), 0);
		assert_int_equal(policy->ops->decide(policy, 0, p, &error), 0);
		assert_true(fabs(p[0] + p[1] + p[2] - 1) < 1e-9);
		policy->ops->acted(policy, (enum aqm_verdict)(i % 3));
		sum -= log(p[i % 3]);
	}
	return sum;
}

static void check_saved(struct policy_config *config)
{
	struct policy *first, *second;
	struct policy_cost cost;
	double print;

	save_policy(config);
	open_and_act(&first);
	open_and_act(&second);
	print = act(first);
	assert_true(isfinite(print) && print == act(second) && print == act(first));
	first->ops->cost(first, &cost);
	assert_int_equal(cost.decisions, 20);
	assert_true(cost.wall_ns > 0 && cost.trainable > 0 && cost.parameters > cost.trainable);
	assert_true(cost.memory_bytes > 4 * cost.parameters / 2);
	policy_destroy(first);
	policy_destroy(second);
}

static void saved_policy_acts(void **state)
{
	struct policy_config config = config_make();
	struct policy_config back;
	char path[256];

	(void)state;
	check_saved(&config);
	config.encoder = POLICY_ENCODER_multiscale;
	config.residual = true;
	check_saved(&config);
	policy_folder(path, sizeof(path));
	assert_int_equal(policy_config_read(&back, path, NULL), 0);
	assert_true(back.encoder == POLICY_ENCODER_multiscale && back.residual);
	assert_int_equal(policy_config_shape(&back).series, 2); /* packet_length */
}

static int open_status(struct error *error)
{
	struct policy *policy = NULL;
	char path[256];
	int status;

	policy_folder(path, sizeof(path));
	memset(error, 0, sizeof(*error));
	status = policy_open(&policy, path, error);
	policy_destroy(policy);
	return status;
}

static void replace_text(const char *name, const char *from, const char *to)
{
	char path[256], *text, *at;
	size_t size;

	snprintf(path, sizeof(path), "%s/policy/%s", test_folder, name);
	assert_int_equal(file_read_all(path, &text, &size, NULL), 0);
	at = memmem(text, size, from, strlen(from));
	assert_non_null(at);
	assert_int_equal(strlen(from), strlen(to));
	memcpy(at, to, strlen(to));
	assert_int_equal(file_write_all(path, text, size, NULL), 0);
	free(text);
}

/* Its own weights are moved from where they started: what is opened must be these. */
static void save_full(struct policy_config *config)
{
	char path[256];
	struct error error = {0};
	struct policy_net net;
	struct rng rng;

	rng_seed(&rng, 3);
	policy_folder(path, sizeof(path));
	config->backbone.full = true;
	test_file_write("config.json", TINY_GPT2);
	assert_int_equal(policy_store_new(&net, config, NULL, &error), 0);
	policy_net_init(&net, &rng);
	assert_true(net.count > net.own_count + 10);
	for (size_t i = 0; i < net.count - net.own_count; i++)
		for (int64_t j = 0; j < net.params[i].count; j++)
			net.params[i].value[j] += (float)(0.1 * rng_normal(&rng));
	assert_int_equal(policy_store_save(&net, config, path, &error), 0);
	policy_net_free(&net);
}

static void whole_backbones_are_kept(void **state)
{
	struct policy_config config = config_make();
	struct policy *policy;
	struct policy_cost cost;
	struct error error;
	double print;

	(void)state;
	save_policy(&config);
	open_and_act(&policy);
	print = act(policy);
	policy_destroy(policy);
	save_full(&config);
	test_file_write("config.json", TINY_LLAMA); /* no longer what it was trained from */
	open_and_act(&policy);
	assert_true(fabs(act(policy) - print) > 1e-3);
	print = act(policy);
	policy->ops->cost(policy, &cost);
	assert_int_equal(cost.trainable, cost.parameters);
	policy_destroy(policy);
	open_and_act(&policy);
	assert_true(act(policy) == print);
	policy_destroy(policy);
	replace_text("backbone/config.json", "gpt2", "gpt3");
	assert_int_equal(error_exit_status(open_status(&error)), 2);
	assert_string_equal(error.field, "checksum");
}

/* Rows: in which file what becomes what, and the field that the error must name. */
static void damage_is_named(void **state)
{
	static const struct {
		const char *file, *from, *to, *field;
	} rows[] = {
		{"policy.json", "\"version\": 1", "\"version\": 9", "version"},
		{"policy.json", "\"llm\"", "\"xyz\"", "kind"},
		{"policy.json", "packet_length", "packet_weight", "packet_weight"},
		{"policy.json", "\"window\": 4", "\"window\": 0", "window"},
		{"policy.json", "\"keep\": 2", "\"keep\": 4", "keep"},
		{"policy.json", "\"gamma\"", "\"gamna\"", "gamma"},
		{"policy.json", "quantile", "quantjle", "kind"},
		{"policy.json", "\"modulo\"", "\"module\"", "rule"},
		{"policy.json", "\"feature_dim\": 5", "\"feature_dim\": 6",
		 "state_encoder.fc1.0.weight"},
		{"policy.json", "\"residual\": false", "\"residual\": \"no!\"", "residual"},
		{"policy.json", "\"linear\",\n  \"feature", "\"linair\",\n  \"feature", "kind"},
		{"policy.safetensors", "embed_ln.bias", "embed_ln.bios", "checksum"},
	};
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_config config = config_make();

		save_policy(&config);
		assert_int_equal(open_status(&error), 0);
		replace_text(rows[i].file, rows[i].from, rows[i].to);
		assert_int_equal(error_exit_status(open_status(&error)), 2);
		if (strcmp(error.field, rows[i].field) != 0)
			fail_msg("row %zu: field '%s', text '%s'", i, error.field, error.text);
	}
}

static void other_backbone_is_refused(void **state)
{
	struct policy_config config = config_make();
	struct error error;

	(void)state;
	save_policy(&config);
	test_file_write("config.json", TINY_LLAMA);
	assert_int_equal(error_exit_status(open_status(&error)), 2);
	assert_string_equal(error.field, "checksum");
}

/* Encoder of one save with the adapter and configuration of another. */
static void half_a_save_is_refused(void **state)
{
	struct policy_config config = config_make();
	char path[256], *text;
	struct error error;
	size_t size;

	(void)state;
	save_policy(&config);
	snprintf(path, sizeof(path), "%s/policy/adapter_model.safetensors", test_folder);
	assert_int_equal(file_read_all(path, &text, &size, NULL), 0);
	text[size - 1] ^= 1;
	assert_int_equal(file_write_all(path, text, size, NULL), 0);
	free(text);
	assert_int_equal(error_exit_status(open_status(&error)), 2);
	assert_non_null(strstr(error.text, "--resume"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configuration_round_trip),
		cmocka_unit_test(saved_policy_acts),
		cmocka_unit_test(whole_backbones_are_kept),
		cmocka_unit_test(damage_is_named),
		cmocka_unit_test(other_backbone_is_refused),
		cmocka_unit_test(half_a_save_is_refused),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
