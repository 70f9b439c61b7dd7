/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/policy_figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backbone/cost.h"
#include "base/file.h"
#include "cli/decision_probe.h"
#include "cli/loop_quality.h"
#include "learn/predictor.h"
#include "policy/store.h"

static const struct {
	const char *name, *heading;
	int digits;
} rows[POLICY_FIGURES] = {
#define POLICY_FIGURE_ROW(name, heading, digits, doc) {#name, heading, digits},
	POLICY_FIGURE_TABLE(POLICY_FIGURE_ROW)
#undef POLICY_FIGURE_ROW
};

const char *policy_figure_name(enum policy_figure figure)
{
	return rows[figure].name;
}

const char *policy_figure_heading(enum policy_figure figure)
{
	return rows[figure].heading;
}

int policy_figure_digits(enum policy_figure figure)
{
	return rows[figure].digits;
}

/* Of the encoder, the embeddings and the head, for one step. */
static double own_operations(const struct policy_net *net)
{
	double operations = (double)(2 * net->width + POOL_ACTIONS * net->width);

	for (int64_t i = 0; i < net->shape.features; i++) {
		for (int b = 0; b < policy_net_banks(net, i); b++)
			operations += (double)(policy_net_channels(net, i, b) *
					       policy_net_taps(net, i, b));
		operations += (double)(policy_net_units(net, i) * net->width);
	}
	return operations;
}

static void count_size(struct policy_figures *figures, const struct policy_net *net,
		       const struct policy_config *config)
{
	const int64_t slots = config->features + 2;
	const struct backbone_cost cost =
		backbone_cost(net->backbone, slots, slots * config->window);
	int64_t own = 0;

	for (size_t i = 0; i < net->own_count; i++)
		own += net->own[i].count;
	figures->value[FIGURE_parameters] = (double)(cost.parameters + own);
	figures->value[FIGURE_bytes] = (double)cost.bytes + (double)own * sizeof(float);
	figures->value[FIGURE_operations] = cost.operations + own_operations(net);
}

static double size_of(const char *folder, const char *name)
{
	char path[4096];
	struct stat status;

	if (file_join(path, sizeof(path), folder, name, NULL) || stat(path, &status))
		return 0;
	return (double)status.st_size;
}

static int score(struct policy_figures *figures, const struct policy_net *net,
		 const struct policy_config *config, const struct policy_measuring *how,
		 struct error *error)
{
	const struct predictor_options options = {.window = config->window,
						  .stride = 1 + config->window / 5,
						  .interval = 1,
						  .limit = how->rows};
	struct metrics metrics = {0};
	struct metrics_summary summary;
	struct dataset dataset;
	int status = dataset_new(&dataset, how->pool, 0, config, error);

	if (status)
		return status;
	status = predictor_run(net, &dataset, how->first, how->pool->rows, &options, &metrics, NULL,
			       NULL, error);
	summary = metrics_summarise(&metrics);
	figures->value[FIGURE_accuracy] = summary.accuracy;
	figures->value[FIGURE_balanced_accuracy] = summary.balanced_accuracy;
	figures->value[FIGURE_log_loss] = summary.log_loss;
	dataset_free(&dataset);
	return status;
}

/* Size and held-out figures, from the network itself. */
static int measure_network(struct policy_figures *figures, const char *directory,
			   const struct policy_measuring *how, struct error *error)
{
	struct policy_config config;
	struct policy_net net;
	int status = policy_store_open(&net, &config, directory, error);

	if (status)
		return status;
	count_size(figures, &net, &config);
	figures->value[FIGURE_file_bytes] =
		size_of(directory, POLICY_WEIGHTS_FILE) + size_of(directory, POLICY_ADAPTER_FILE) +
		size_of(directory, POLICY_BACKBONE_FOLDER "/model.safetensors");
	status = score(figures, &net, &config, how, error);
	policy_net_free(&net);
	return status;
}

static bool loop_progress(void *context, double done)
{
	const struct policy_measuring *how = context;

	return how->progress && how->progress(how->context, "closed loop", done);
}

static int loop_once(struct policy_figures *figures, struct policy *policy, uint64_t seed,
		     const struct policy_measuring *how, struct error *error)
{
	const struct scenario *scenario = how->scenario;
	struct policy_measuring asked = *how;
	struct closed_loop loop = {.scenario = scenario, .policy = policy,
				   .interval = how->interval, .unguarded = true, .seed = seed,
				   .context = &asked, .progress = loop_progress};
	struct sim_result *result = calloc(1, sizeof(*result));
	void *params = NULL;
	double quality;
	int status = result ? sim_law_named(scenario, how->law, &loop.law, &params, error)
			    : error_set(error, ERR_NO_MEMORY, "a run");

	loop.params = params;
	policy->ops->reset(policy);
	if (!status)
		status = loop_quality_run(&loop, result, &quality, error);
	if (!status) {
		const struct histogram *delay = &result->queues[SIM_ALL].qdelay_ns;
		const double share = 1 / (double)how->seeds;

		figures->value[FIGURE_utilisation] += share * result->utilisation;
		figures->value[FIGURE_qdelay_ms_mean] += share * histogram_mean(delay) / 1e6;
		figures->value[FIGURE_qdelay_ms_p99] +=
			share * histogram_quantile(delay, 0.99) / 1e6;
		figures->value[FIGURE_quality] += share * quality;
		sim_result_free(result);
	}
	free(params);
	free(result);
	return status;
}

/* No guard: it is the policy that is looked at. */
static int measure_loop(struct policy_figures *figures, const char *directory,
			const struct policy_measuring *how, struct error *error)
{
	struct policy *policy;
	int status = policy_open(&policy, directory, error);

	if (status)
		return status;
	for (int i = FIGURE_utilisation; i <= FIGURE_quality; i++)
		figures->value[i] = 0;
	for (uint64_t seed = 1; seed <= how->seeds && !status; seed++)
		status = loop_once(figures, policy, seed, how, error);
	policy_destroy(policy);
	return status;
}

int policy_figures_measure(struct policy_figures *figures, const char *directory,
			   const struct policy_measuring *how, struct error *error)
{
	struct decision_probe probe;
	int status;

	for (int i = 0; i < POLICY_FIGURES; i++)
		figures->value[i] = NAN;
	status = measure_network(figures, directory, how, error);
	if (!status)
		status = decision_probe_run(&probe, directory, how->pool, how->timed, error);
	if (status)
		return status;
	figures->value[FIGURE_decision_ns] = probe.median_ms * 1e6;
	figures->value[FIGURE_decision_ns_p99] = probe.p99_ms * 1e6;
	return how->scenario ? measure_loop(figures, directory, how, error) : 0;
}

json_t *policy_figures_json(const struct policy_figures *figures)
{
	json_t *object = json_object();

	for (int i = 0; i < POLICY_FIGURES; i++)
		json_object_set_new(object, rows[i].name,
				    isfinite(figures->value[i]) ? json_real(figures->value[i])
								: json_null());
	return object;
}

void policy_figures_from_json(struct policy_figures *figures, const json_t *object)
{
	for (int i = 0; i < POLICY_FIGURES; i++) {
		const json_t *value = json_object_get(object, rows[i].name);

		figures->value[i] = json_is_number(value) ? json_number_value(value) : NAN;
	}
}
