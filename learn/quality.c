/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/quality.h"

#include <math.h>
#include <stdlib.h>

#include "learn/objective.h"
#include "sim/run.h"

int quality_measure(const struct scenario *scenario, const struct aqm_ops *law, const void *params,
		    uint64_t seed, void *context, bool (*stop)(void *context, double done),
		    struct quality *quality, struct error *error)
{
	const struct sim_options options = {
		.seed = seed, .law = law, .params = params, .context = context, .progress = stop};
	struct sim_result *result = calloc(1, sizeof(*result));
	struct objective_figures figures;
	const struct histogram *all;
	int status;

	if (!result)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a run");
	status = sim_run(scenario, &options, result, error);
	if (!status) {
		all = &result->queues[SIM_ALL].qdelay_ns;
		objective_measure(result, &figures);
		*quality = (struct quality){
			.mean_ms = histogram_mean(all) / 1e6,
			.p99_ms = histogram_quantile(all, 0.99) / 1e6,
			.l_p99_ms = histogram_quantile(&result->queues[AQM_QUEUE_L].qdelay_ns,
						       0.99) / 1e6,
			.c_p99_ms = histogram_quantile(&result->queues[AQM_QUEUE_C].qdelay_ns,
						       0.99) / 1e6,
			.utilisation = result->utilisation,
			.goodput_mbps = figures.values[OBJECTIVE_goodput_mbps],
		};
		sim_result_free(result);
	}
	free(result);
	return status;
}

struct quality quality_mean(const struct quality *all, size_t count)
{
	struct quality sum = {0};

	for (size_t i = 0; i < count; i++) {
#define ADD(name) sum.name += log(fmax(all[i].name, 1e-3)) / (double)count;
		ADD(mean_ms)
		ADD(p99_ms)
		ADD(l_p99_ms)
		ADD(c_p99_ms)
		ADD(goodput_mbps)
#undef ADD
		sum.utilisation += all[i].utilisation / (double)count;
	}
	sum.mean_ms = exp(sum.mean_ms);
	sum.p99_ms = exp(sum.p99_ms);
	sum.l_p99_ms = exp(sum.l_p99_ms);
	sum.c_p99_ms = exp(sum.c_p99_ms);
	sum.goodput_mbps = exp(sum.goodput_mbps);
	return sum;
}

/* What the score reads; a queue that nobody used has nothing to measure. */
static struct objective_figures figures_of(const struct quality *quality)
{
	struct objective_figures figures;

	for (int i = 0; i < OBJECTIVE_FIGURES; i++)
		figures.values[i] = NAN;
	figures.values[OBJECTIVE_l_p99_ms] = quality->l_p99_ms > 0 ? quality->l_p99_ms : NAN;
	figures.values[OBJECTIVE_c_p99_ms] = quality->c_p99_ms > 0 ? quality->c_p99_ms : NAN;
	figures.values[OBJECTIVE_goodput_mbps] = quality->goodput_mbps;
	return figures;
}

double quality_score(const struct quality *all, const struct quality *reference, size_t count)
{
	struct objective objective;
	double sum = 0;

	if (objective_parse(&objective, "hindsight", NULL))
		return NAN;
	for (size_t i = 0; i < count; i++) {
		const struct objective_figures run = figures_of(&all[i]);
		const struct objective_figures other = figures_of(&reference[i]);

		sum -= objective_reward(&objective, &run, &other) / (double)count;
	}
	return sum;
}
