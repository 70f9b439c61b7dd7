/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run's figures, as they stand in results.csv.
 */
#include "cli/trial_results.h"

#include <math.h>

static const struct {
	const char *name, *label;
} metrics[] = {
#define TRIAL_METRIC_ROW(name, label, doc) {#name, label},
	TRIAL_METRIC_TABLE(TRIAL_METRIC_ROW)
#undef TRIAL_METRIC_ROW
};

const char *trial_metric_name(enum trial_metric metric)
{
	return metrics[metric].name;
}

const char *trial_metric_label(enum trial_metric metric)
{
	return metrics[metric].label;
}

static double delay_ms(const struct sim_queue_result *queue, double q)
{
	return queue->qdelay_ns.count ? histogram_quantile(&queue->qdelay_ns, q) / 1e6 : NAN;
}

static double mean_ms(const struct sim_queue_result *queue)
{
	return queue->qdelay_ns.count ? histogram_mean(&queue->qdelay_ns) / 1e6 : NAN;
}

/* Goodput, fairness and round-trip times over all flows. */
static void flow_figures(const struct sim_result *result, double *values)
{
	double sum = 0, squares = 0, rtt_sum = 0, rtt_count = 0;

	for (uint64_t i = 0; i < result->flow_count; i++) {
		const struct sim_flow_result *flow = &result->flows[i];

		sum += flow->goodput_mbps;
		squares += flow->goodput_mbps * flow->goodput_mbps;
		rtt_sum += flow->rtt_ns.sum;
		rtt_count += (double)flow->rtt_ns.count;
	}
	values[TRIAL_goodput_mbps] = sum;
	values[TRIAL_jain] = squares > 0 ? sum * sum / ((double)result->flow_count * squares) : NAN;
	values[TRIAL_rtt_ms_mean] = rtt_count > 0 ? rtt_sum / rtt_count / 1e6 : NAN;
}

static void run_figures(const struct trial_run *run, double *values)
{
	const struct sim_queue_result *all = &run->result.queues[SIM_ALL];
	const struct sim_queue_result *l = &run->result.queues[AQM_QUEUE_L];
	const struct sim_queue_result *c = &run->result.queues[AQM_QUEUE_C];
	const double arrived = (double)(all->packets + all->drops);

	values[TRIAL_utilisation] = run->result.utilisation;
	values[TRIAL_qdelay_ms_mean] = mean_ms(all);
	values[TRIAL_qdelay_ms_p50] = delay_ms(all, 0.5);
	values[TRIAL_qdelay_ms_p99] = delay_ms(all, 0.99);
	values[TRIAL_l_qdelay_ms_mean] = mean_ms(l);
	values[TRIAL_l_qdelay_ms_p99] = delay_ms(l, 0.99);
	values[TRIAL_c_qdelay_ms_mean] = mean_ms(c);
	values[TRIAL_c_qdelay_ms_p99] = delay_ms(c, 0.99);
	values[TRIAL_drop_percent] = arrived > 0 ? 100 * (double)all->drops / arrived : NAN;
	values[TRIAL_mark_percent] = arrived > 0 ? 100 * (double)all->marks / arrived : NAN;
	values[TRIAL_decisions] = (double)run->counts.decisions;
	values[TRIAL_late] = (double)run->counts.late;
	values[TRIAL_overridden] = (double)run->counts.overridden;
	values[TRIAL_differed] = (double)run->counts.differed;
	flow_figures(&run->result, values);
}

static int add_run(struct results *results, const struct trial *trial, size_t scenario, size_t arm,
		   size_t seed)
{
	double values[TRIAL_METRICS];
	int code = 0;

	run_figures(trial_run_of(trial, scenario, arm, seed), values);
	for (int m = 0; code == 0 && m < TRIAL_METRICS; m++)
		code = results_add(results, trial->scenarios[scenario].name,
				   trial->first_seed + seed, trial->arms[arm].name, metrics[m].name,
				   values[m]);
	return code;
}

int trial_results(const struct trial *trial, struct results *results, struct error *error)
{
	int code = 0;

	for (size_t scenario = 0; scenario < trial->scenario_count; scenario++)
		for (size_t arm = 0; arm < trial->arm_count; arm++)
			for (size_t seed = 0; code == 0 && seed < trial->seeds; seed++)
				code = add_run(results, trial, scenario, arm, seed);
	return code ? error_set(error, code, "out of memory for results") : 0;
}
