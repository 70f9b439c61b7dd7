/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of a run's result, by part: queues, classes, flows, applications.
 */
#include "cli/trial_metrics.h"

#include <math.h>

#define LEAST_BITS (8.0 * 1500) /* that a flow is taken to have got */

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

static double quantile_ms(const struct histogram *delays, double q)
{
	return delays->count ? histogram_quantile(delays, q) / 1e6 : NAN;
}

static double mean_ms(const struct histogram *delays)
{
	return delays->count ? histogram_mean(delays) / 1e6 : NAN;
}

static void take_queues(double *values, const struct sim_result *result)
{
	const struct histogram *all = &result->queues[SIM_ALL].qdelay_ns;
	const struct histogram *l = &result->queues[AQM_QUEUE_L].qdelay_ns;
	const struct histogram *c = &result->queues[AQM_QUEUE_C].qdelay_ns;
	const struct sim_queue_result *both = &result->queues[SIM_ALL];
	const double arrived = (double)(both->packets + both->drops);

	values[TRIAL_utilisation] = result->utilisation;
	values[TRIAL_unused_percent] = 100 * (1 - result->utilisation);
	values[TRIAL_qdelay_ms_mean] = mean_ms(all);
	values[TRIAL_qdelay_ms_p50] = quantile_ms(all, 0.5);
	values[TRIAL_qdelay_ms_p99] = quantile_ms(all, 0.99);
	values[TRIAL_l_qdelay_ms_mean] = mean_ms(l);
	values[TRIAL_l_qdelay_ms_p99] = quantile_ms(l, 0.99);
	values[TRIAL_c_qdelay_ms_mean] = mean_ms(c);
	values[TRIAL_c_qdelay_ms_p99] = quantile_ms(c, 0.99);
	values[TRIAL_drop_percent] = arrived > 0 ? 100 * (double)both->drops / arrived : NAN;
	values[TRIAL_mark_percent] = arrived > 0 ? 100 * (double)both->marks / arrived : NAN;
}

static void take_classes(double *values, const struct sim_result *result)
{
	const struct histogram *l4s = &result->class_qdelay_ns[AQM_QUEUE_L];
	const struct histogram *classic = &result->class_qdelay_ns[AQM_QUEUE_C];

	values[TRIAL_l4s_delay_ms_mean] = mean_ms(l4s);
	values[TRIAL_l4s_delay_ms_p99] = quantile_ms(l4s, 0.99);
	values[TRIAL_l4s_delay_ms_p99_9] = quantile_ms(l4s, 0.999);
	values[TRIAL_l4s_delay_ms_variation] = quantile_ms(l4s, 0.99) - quantile_ms(l4s, 0.5);
	values[TRIAL_classic_delay_ms_mean] = mean_ms(classic);
	values[TRIAL_classic_delay_ms_p99] = quantile_ms(classic, 0.99);
	values[TRIAL_classic_delay_ms_p99_9] = quantile_ms(classic, 0.999);
	values[TRIAL_classic_delay_ms_variation] =
		quantile_ms(classic, 0.99) - quantile_ms(classic, 0.5);
}

/* Goodput of the flows of each class, all and long-lived, and how many there are of each. */
struct shares {
	double all[AQM_QUEUES], long_lived[AQM_QUEUES];
	uint64_t flows[AQM_QUEUES], long_lived_flows[AQM_QUEUES];
};

static struct shares shares_of(const struct sim_result *result)
{
	struct shares shares = {0};

	for (uint64_t i = 0; i < result->flow_count; i++) {
		const struct sim_flow_result *flow = &result->flows[i];
		const int class = flow->l4s ? AQM_QUEUE_L : AQM_QUEUE_C;

		shares.all[class] += flow->goodput_mbps;
		shares.flows[class]++;
		shares.long_lived[class] += flow->long_lived ? flow->goodput_mbps : 0;
		shares.long_lived_flows[class] += flow->long_lived;
	}
	return shares;
}

static double imbalance_of(const struct shares *shares, double measured_s)
{
	double flow_mbps[AQM_QUEUES];

	for (int class = 0; class < AQM_QUEUES; class ++) {
		if (shares->long_lived_flows[class] == 0)
			return NAN;
		flow_mbps[class] =
			fmax(shares->long_lived[class] / (double)shares->long_lived_flows[class],
			     LEAST_BITS / measured_s / 1e6);
	}
	return fabs(log(flow_mbps[AQM_QUEUE_L] / flow_mbps[AQM_QUEUE_C]));
}

static void take_flows(double *values, const struct sim_result *result)
{
	const struct shares shares = shares_of(result);
	double sum = 0, squares = 0, rtt_sum = 0, rtt_count = 0;

	for (uint64_t i = 0; i < result->flow_count; i++) {
		const struct sim_flow_result *flow = &result->flows[i];

		sum += flow->goodput_mbps;
		squares += flow->goodput_mbps * flow->goodput_mbps;
		rtt_sum += flow->rtt_ns.sum;
		rtt_count += (double)flow->rtt_ns.count;
	}
	values[TRIAL_goodput_mbps] = sum;
	values[TRIAL_l4s_goodput_mbps] = shares.flows[AQM_QUEUE_L] ? shares.all[AQM_QUEUE_L] : NAN;
	values[TRIAL_classic_goodput_mbps] =
		shares.flows[AQM_QUEUE_C] ? shares.all[AQM_QUEUE_C] : NAN;
	values[TRIAL_imbalance] = imbalance_of(&shares, result->duration_s - result->warmup_s);
	values[TRIAL_jain] = squares > 0 ? sum * sum / ((double)result->flow_count * squares) : NAN;
	values[TRIAL_rtt_ms_mean] = rtt_count > 0 ? rtt_sum / rtt_count / 1e6 : NAN;
}

/* Sums over the flows of one kind of application. */
struct users {
	double page_sum_ns, pages, page_p95_ns, readers;
	double video_mbps, viewers, stall_s, watched_s;
	double datagram_p99_ns, jitter_ns, datagram_flows;
};

static void add_user(struct users *users, const struct sim_app_result *app)
{
	if (app->report == SIM_REPORT_PAGES && app->tasks.time_ns.count) {
		users->page_sum_ns += app->tasks.time_ns.sum;
		users->pages += (double)app->tasks.time_ns.count;
		users->page_p95_ns += sketch_quantile(&app->tasks.time_ns, 0.95);
		users->readers++;
	} else if (app->report == SIM_REPORT_VIDEO && app->video.segments) {
		users->video_mbps += app->video.bitrate_mbps;
		users->stall_s += app->video.stall_s;
		users->watched_s += app->video.stall_s + app->video.played_s;
		users->viewers++;
	} else if (app->report == SIM_REPORT_DATAGRAMS && app->datagrams.received) {
		users->datagram_p99_ns += sketch_quantile(&app->datagrams.delay_ns, 0.99);
		users->jitter_ns += app->datagrams.jitter_ns;
		users->datagram_flows++;
	}
}

static double share(double sum, double count)
{
	return count > 0 ? sum / count : NAN;
}

static void take_applications(double *values, const struct sim_result *result)
{
	struct users users = {0};

	for (uint64_t i = 0; i < result->flow_count; i++)
		if (result->flows[i].app)
			add_user(&users, result->flows[i].app);
	values[TRIAL_page_ms_mean] = share(users.page_sum_ns, users.pages) / 1e6;
	values[TRIAL_page_ms_p95] = share(users.page_p95_ns, users.readers) / 1e6;
	values[TRIAL_video_mbps] = share(users.video_mbps, users.viewers);
	values[TRIAL_video_stall_percent] = 100 * share(users.stall_s, users.watched_s);
	values[TRIAL_datagram_ms_p99] = share(users.datagram_p99_ns, users.datagram_flows) / 1e6;
	values[TRIAL_datagram_jitter_ms] = share(users.jitter_ns, users.datagram_flows) / 1e6;
}

void trial_metrics_take(double *values, const struct sim_result *result,
			const struct aqm_policy_counts *counts)
{
	take_queues(values, result);
	take_classes(values, result);
	take_flows(values, result);
	take_applications(values, result);
	values[TRIAL_guarded_percent] =
		100 * share((double)counts->overridden, (double)counts->applied);
	values[TRIAL_decisions] = (double)counts->decisions;
	values[TRIAL_late] = (double)counts->late;
	values[TRIAL_overridden] = (double)counts->overridden;
	values[TRIAL_differed] = counts->uncompared ? NAN : (double)counts->differed;
}
