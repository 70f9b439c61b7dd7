/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Summaries of runs: JSON, tables, CSV.
 *
 * Names and units are fixed: consumers read summary.json, queue.csv and
 * flows.csv by them.  packets_per_wall_s is the only figure that is measured
 * with a real clock; all others repeat bit for bit.
 */
#include "cli/summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/summary_app.h"
#include "cli/summary_network.h"

const struct summary_queue summary_queues[SIM_QUEUES] = {
	{"L", AQM_QUEUE_L},
	{"C", AQM_QUEUE_C},
	{"all", SIM_ALL},
};

static const char *ecn_name(enum endpoint_ecn ecn)
{
	static const char *const names[] = {
		[ENDPOINT_ECN_NONE] = "none",
		[ENDPOINT_ECN_CLASSIC] = "classic",
		[ENDPOINT_ECN_ECT1] = "ect1",
		[ENDPOINT_ECN_ACCECN] = "accecn",
	};

	return names[ecn];
}

static double packets_per_wall_s(const struct sim_result *result)
{
	return result->wall_s > 0 ? (double)result->data_packets / result->wall_s : 0;
}

/* Nanoseconds in, milliseconds out. */
static json_t *histogram_json(const struct histogram *histogram)
{
	json_t *object = json_object();

	json_object_set_new(object, "mean", json_real(histogram_mean(histogram) / 1e6));
	for (size_t i = 0; i < SUMMARY_QUANTILES; i++) {
		const struct summary_quantile *told = &summary_quantiles[i];

		json_object_set_new(object, told->name,
				    json_real(histogram_quantile(histogram, told->q) / 1e6));
	}
	json_object_set_new(object, "max", json_real((double)histogram->max / 1e6));
	return object;
}

json_t *summary_queue_json(const struct sim_queue_result *queue)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "packets", (json_int_t)queue->packets,
			 "marks", (json_int_t)queue->marks, "drops", (json_int_t)queue->drops,
			 "ect_drops", (json_int_t)queue->ect_drops, "qdelay_ms",
			 histogram_json(&queue->qdelay_ns));
}

static json_t *flow_json(const struct sim_flow_result *flow)
{
	json_t *object = json_pack(
		"{s:I, s:s, s:s, s:f, s:I, s:I, s:o}", "id", (json_int_t)flow->id, "cc", flow->cc,
		"ecn", ecn_name(flow->ecn), "goodput_mbps", flow->goodput_mbps, "retransmits",
		(json_int_t)flow->retransmits, "marks", (json_int_t)flow->marks, "rtt_ms",
		summary_sketch_json(&flow->rtt_ns));

	if (flow->app_name[0])
		json_object_set_new(object, "app", json_string(flow->app_name));
	if (flow->app)
		summary_app_json(object, flow->app);
	return object;
}

json_t *summary_policy_json(const struct aqm_policy_counts *policy)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "arrivals",
			 (json_int_t)policy->arrivals, "decisions", (json_int_t)policy->decisions,
			 "applied", (json_int_t)policy->applied, "late", (json_int_t)policy->late,
			 "overridden", (json_int_t)policy->overridden, "differed",
			 policy->uncompared ? json_null()
					    : json_integer((json_int_t)policy->differed));
}

json_t *summary_json(const struct sim_result *result, const struct aqm_policy_counts *policy)
{
	json_t *queues = json_object(), *flows = json_array(), *object;

	for (int i = 0; i < SIM_QUEUES; i++)
		json_object_set_new(queues, summary_queues[i].name,
				    summary_queue_json(&result->queues[summary_queues[i].index]));
	for (uint64_t i = 0; i < result->flow_count; i++)
		json_array_append_new(flows, flow_json(&result->flows[i]));
	object = json_pack("{s:s, s:s, s:I, s:f, s:f, s:f, s:f, s:o, s:o, s:o}", "scenario",
			 result->scenario, "aqm", result->aqm, "seed", (json_int_t)result->seed,
			 "duration_s", result->duration_s, "warmup_s", result->warmup_s,
			 "utilisation", result->utilisation,
			 "packets_per_wall_s", packets_per_wall_s(result), "queues", queues,
			 "flows", flows, "policy", summary_policy_json(policy));
	summary_network_json(object, result);
	return object;
}

void summary_print_queue(FILE *out, const char *name, const struct sim_queue_result *queue)
{
	const struct histogram *delay = &queue->qdelay_ns;

	fprintf(out, "%-5s %11" PRIu64 " %9" PRIu64 " %9" PRIu64 " %23.2f", name, queue->packets,
		queue->marks, queue->drops, histogram_mean(delay) / 1e6);
	for (size_t q = 0; q < SUMMARY_QUANTILES; q++)
		fprintf(out, " %8.2f", histogram_quantile(delay, summary_quantiles[q].q) / 1e6);
	fprintf(out, " %8.2f\n", (double)delay->max / 1e6);
}

void summary_print_ect_drops(FILE *out, const struct sim_queue_result *all)
{
	if (all->ect_drops)
		fprintf(out,
			"%" PRIu64 " of the %" PRIu64
			" packets dropped could have carried a mark\n",
			all->ect_drops, all->drops);
}

static void print_queues(FILE *out, const struct sim_result *result)
{
	fprintf(out, "\nqueue     packets     marks     drops   queue delay, ms: mean");
	for (size_t i = 0; i < SUMMARY_QUANTILES; i++)
		fprintf(out, " %8s", summary_quantiles[i].name);
	fprintf(out, " %8s\n", "max");
	for (int i = 0; i < SIM_QUEUES; i++)
		summary_print_queue(out, summary_queues[i].name,
				    &result->queues[summary_queues[i].index]);
	summary_print_ect_drops(out, &result->queues[SIM_ALL]);
}

static void print_flows(FILE *out, const struct sim_result *result)
{
	fputs("\nflow  cc          ecn      goodput Mbit/s  retransmits     marks   RTT, ms: mean"
	      "      p50      p99\n",
	      out);
	for (uint64_t i = 0; i < result->flow_count; i++) {
		const struct sim_flow_result *flow = &result->flows[i];

		fprintf(out,
			"%-5" PRIu64 " %-11s %-8s %14.3f %12" PRIu64 " %9" PRIu64
			" %15.1f %8.1f %8.1f\n",
			flow->id, flow->cc, ecn_name(flow->ecn), flow->goodput_mbps,
			flow->retransmits, flow->marks, sketch_mean(&flow->rtt_ns) / 1e6,
			sketch_quantile(&flow->rtt_ns, 0.5) / 1e6,
			sketch_quantile(&flow->rtt_ns, 0.99) / 1e6);
	}
}

void summary_print_policy(FILE *out, const struct aqm_policy_counts *policy)
{
	if (policy->cut) {
		fprintf(out,
			"student: %" PRIu64 " decisions in the time of %" PRIu64
			" packets; %" PRIu64 " left under settings that the guard had cut\n",
			policy->decisions, policy->arrivals, policy->overridden);
		return;
	}
	fprintf(out,
		"policy: asked about %" PRIu64 " of %" PRIu64 " packets, %" PRIu64
		" late; %" PRIu64 " overridden by the guard",
		policy->decisions, policy->arrivals, policy->late, policy->overridden);
	if (!policy->uncompared)
		fprintf(out, ", %" PRIu64 " fared otherwise than under the law", policy->differed);
	fputc('\n', out);
}

void summary_print(FILE *out, const struct sim_result *result,
		   const struct aqm_policy_counts *policy)
{
	fprintf(out,
		"%s: %g s through %s, seed %" PRIu64 "; the first %g s are left out below\n"
		"utilisation %.4f; %.0f data packets forwarded per second of wall time\n",
		result->scenario, result->duration_s, result->aqm, result->seed, result->warmup_s,
		result->utilisation, packets_per_wall_s(result));
	if (policy->decisions)
		summary_print_policy(out, policy);
	print_queues(out, result);
	print_flows(out, result);
	summary_network_print(out, result);
	summary_app_print(out, result);
}

int summary_write(const char *folder, const struct sim_result *result,
		  const struct aqm_policy_counts *policy, struct error *error)
{
	json_t *object = summary_json(result, policy);
	char *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	char path[4096];
	int code = text ? file_join(path, sizeof(path), folder, "summary.json", error)
			: error_set(error, ERR_NO_MEMORY, "out of memory for the summary");

	if (code == 0)
		code = file_write_all(path, text, strlen(text), error);
	free(text);
	json_decref(object);
	return code;
}
