/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integer students beside their float originals on states of closed loops: probabilities of
 * verdicts where the law's is above 0, and what the loops are like when either decides.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "learn/student_float.h"
#include "sim/run.h"

static const char *const networks[] = {
	"name: steady\nduration_s: 10\nwarmup_s: 2\nbottleneck:\n  delay_ms: 10\n  rate_mbps: 12\n"
	"  aqm: dualpi2\nflows:\n  - {cc: cubic}\n  - {cc: newreno, ecn: none}\n"
	"  - {cc: prague}\n",
	"name: steps\nduration_s: 10\nwarmup_s: 2\nbottleneck:\n  delay_ms: 20\n"
	"  rate_steps: [{at_s: 0, rate_mbps: 40}, {at_s: 5, rate_mbps: 10}]\n  aqm: dualpi2\n"
	"flows:\n  - {cc: cubic, count: 3, rtt_ms: 60}\n  - {cc: dctcp, rtt_ms: 50}\n",
};

static const char *const layers[] = {"32,32", "tanh24", "gru16,16", "transformer16:8"};

#define NETWORKS (sizeof(networks) / sizeof(networks[0]))
#define LAYERS (sizeof(layers) / sizeof(layers[0]))
#define MOST 40000

/* The original listens to what the integers decide, or decides in their place. */
struct original {
	const struct aqm_student_model *model;
	const float *theta;
	struct student_float_state state;
	bool decides, guarded;
	uint64_t seed;
	double off[MOST]; /* largest difference of a probability, a decision */
	int count;
};

static void listen(void *context, const struct aqm_facts *facts, const int16_t *features,
		   int16_t *outputs)
{
	struct original *original = context;
	float in[AQM_STUDENT_INPUTS], out[AQM_STUDENT_OUTPUTS];
	double p[3], q[3];

	(void)facts;
	student_float_inputs(original->model, features, in);
	student_float_forward(original->model, original->theta, &original->state, in, out, NULL);
	if (original->decides)
		for (int i = 0; i < original->model->outputs; i++)
			outputs[i] = (int16_t)fmin(fmax(rint(out[i] * 4096.0), -32768), 32767);
	if (original->model->mode != AQM_STUDENT_verdict ||
	    features[AQM_STUDENT_FEATURE_p_own] == 0 || original->count == MOST)
		return;
	student_float_probabilities(out, p);
	student_probabilities(outputs, q);
	original->off[original->count++] =
		fmax(fabs(p[0] - q[0]), fmax(fabs(p[1] - q[1]), fabs(p[2] - q[2])));
}

static void run(const char *network, struct original *original, struct sim_result *result)
{
	const struct aqm_student_tap tap = {.context = original, .decided = listen};
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct sim_options options = {.seed = original->seed};
	struct error error = {0};
	struct aqm_student_params *own;
	void *params;

	if (scenario_parse(scenario, network, strlen(network), "test", &error) ||
	    sim_law_named(scenario, "student", &options.law, &params, &error))
		fail_msg("%s", error.text);
	own = params;
	own->model = original->model;
	own->tap = &tap;
	own->guarded = original->guarded;
	options.params = params;
	memset(result, 0, sizeof(*result));
	memset(&original->state, 0, sizeof(original->state));
	original->count = 0;
	if (sim_run(scenario, &options, result, &error))
		fail_msg("%s", error.text);
	free(params);
	scenario_free(scenario);
	free(scenario);
}

/* A net that says something: its last layer is drawn too, `size` large. */
static void make(struct aqm_student_model *model, enum aqm_student_mode mode, const char *text,
		 float *theta, double size, struct rng *rng)
{
	int last;

	assert_int_equal(student_model_shape(model, mode, text, NULL, 0, NULL), 0);
	student_float_init(model, theta, rng);
	last = model->layers - 1;
	for (size_t i = student_float_weights_at(model, last);
	     i < student_float_biases_at(model, last); i++)
		theta[i] = (float)(size * rng_normal(rng) / sqrt(model->layer[last].inputs));
	if (mode == AQM_STUDENT_verdict)
		theta[student_float_biases_at(model, last)] = 5; /* mostly pass */
	assert_int_equal(student_float_quantise(model, theta, model, NULL), 0);
}

static int by_size(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void probabilities_are_those_of_the_original(void **state)
{
	static struct original original;
	static float theta[16384];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 11);
	for (size_t i = 0; i < NETWORKS * LAYERS; i++) {
		struct aqm_student_model model;
		struct sim_result result;
		double mean = 0, p99;

		make(&model, AQM_STUDENT_verdict, layers[i % LAYERS], theta, 1, &rng);
		original = (struct original){.model = &model, .theta = theta, .guarded = true};
		run(networks[i / LAYERS], &original, &result);
		sim_result_free(&result);
		assert_true(original.count > 1000);
		for (int j = 0; j < original.count; j++)
			mean += original.off[j] / original.count;
		qsort(original.off, (size_t)original.count, sizeof(original.off[0]), by_size);
		p99 = original.off[original.count * 99 / 100];
		print_message("%-15s %-7d states: mean %.5f, p99 %.5f\n", layers[i % LAYERS],
			      original.count, mean, p99);
		assert_true(mean <= 0.005 && p99 <= 0.02);
	}
}

#define SEEDS 40

/* A mean over seeds, and how far it may be off: its standard error. */
struct figure {
	double sum, squares;
};

static double mean_of(const struct figure *figure)
{
	return figure->sum / SEEDS;
}

static double error_of(const struct figure *figure)
{
	const double mean = mean_of(figure);

	return sqrt((figure->squares / SEEDS - mean * mean) / (SEEDS - 1));
}

static void add(struct figure *figure, double value)
{
	figure->sum += value;
	figure->squares += value * value;
}

/* Queue delay in ms and utilisation. */
static void loop(const char *network, struct original *original, struct figure figures[2])
{
	memset(figures, 0, 2 * sizeof(*figures));
	for (original->seed = 1; original->seed <= SEEDS; original->seed++) {
		struct sim_result result;

		run(network, original, &result);
		add(&figures[0], histogram_mean(&result.queues[SIM_ALL].qdelay_ns) / 1e6);
		add(&figures[1], result.utilisation);
		sim_result_free(&result);
	}
}

/* Loops are chaotic, so means over seeds are compared: within 2 %, beside what chance makes of it.
 */
static void loops_are_those_of_the_original(void **state)
{
	static struct original original;
	static float theta[16384];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 12);
	for (size_t i = 0; i < NETWORKS * LAYERS; i++) {
		struct aqm_student_model model;
		struct figure integers[2], floats[2];

		make(&model, AQM_STUDENT_supervise, layers[i % LAYERS], theta, 0.25, &rng);
		original = (struct original){.model = &model, .theta = theta};
		loop(networks[i / LAYERS], &original, integers);
		original.decides = true;
		loop(networks[i / LAYERS], &original, floats);
		for (int j = 0; j < 2; j++) {
			const double chance = hypot(error_of(&integers[j]), error_of(&floats[j]));
			const double off = mean_of(&integers[j]) - mean_of(&floats[j]);

			print_message("%-15s %s %.4f and %.4f, error %.4f\n", layers[i % LAYERS],
				      j ? "utilisation" : "delay, ms  ", mean_of(&integers[j]),
				      mean_of(&floats[j]), chance);
			assert_true(fabs(off) <= 0.02 * mean_of(&floats[j]) + 3 * chance);
			/* Or chance hides everything. */
			assert_true(chance < 0.06 * mean_of(&floats[j]));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probabilities_are_those_of_the_original),
		cmocka_unit_test(loops_are_those_of_the_original),
	};

	return cmocka_run_group_tests_name("student states", tests, NULL, NULL);
}
