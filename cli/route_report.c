/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues are told as a simulated run tells them, so that both can be laid side by side.
 */
#include "cli/route_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/summary_app.h"

const char *route_ecn_name(unsigned ecn)
{
	static const char *const names[] = {"not-ect", "ect1", "ect0", "ce"};

	return names[ecn & 3];
}

const char *route_protocol_name(unsigned protocol, char room[8])
{
	if (protocol == NET_TCP || protocol == NET_UDP)
		return protocol == NET_TCP ? "tcp" : "udp";
	snprintf(room, 8, "%u", protocol & 255);
	return room;
}

void route_queue_result(const struct monitor *monitor, int index, struct sim_queue_result *out)
{
	memset(out, 0, sizeof(*out));
	for (int q = 0; q < AQM_QUEUES; q++) {
		const struct monitor_queue *queue = &monitor->ways[0].queues[q];

		if (index != SIM_ALL && index != q)
			continue;
		out->packets += queue->packets;
		out->marks += queue->marks;
		out->drops += queue->drops;
		out->ect_drops += queue->ect_drops;
		histogram_merge(&out->qdelay_ns, &queue->sojourn_ns);
	}
}

static json_t *real_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *queues_json(const struct monitor *monitor)
{
	struct sim_queue_result *queue = malloc(sizeof(*queue));
	json_t *object = json_object();

	for (int i = 0; queue && i < SIM_QUEUES; i++) {
		route_queue_result(monitor, summary_queues[i].index, queue);
		json_object_set_new(object, summary_queues[i].name, summary_queue_json(queue));
	}
	free(queue);
	return object;
}

static json_t *flow_json(const struct monitor_flow *flow)
{
	const struct flow_entry *entry = &flow->entry;
	char source[IP_ENDPOINT_TEXT], destination[IP_ENDPOINT_TEXT], room[8];

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:I, s:I, s:I}", "protocol",
		route_protocol_name(entry->protocol, room), "source",
		ip_endpoint_text(source, entry->version, &entry->source), "destination",
		ip_endpoint_text(destination, entry->version, &entry->destination), "ecn",
		route_ecn_name(entry->ecn), "queue", entry->queue == AQM_QUEUE_L ? "L" : "C",
		"goodput_mbps", flow->mean_mbps, "goodput_now_mbps", entry->goodput_mbps,
		"packets", (json_int_t)entry->left_pkts, "marks", (json_int_t)entry->marks,
		"drops", (json_int_t)entry->drops);
}

static json_t *flows_json(const struct monitor *monitor)
{
	json_t *flows = json_array();

	for (uint32_t i = 0; i < monitor->flow_count; i++)
		json_array_append_new(flows, flow_json(&monitor->flows[i]));
	return flows;
}

static json_t *way_json(const struct monitor_way *way)
{
	const uint64_t drops =
		way->queues[AQM_QUEUE_L].drops + way->queues[AQM_QUEUE_C].drops;

	return json_pack("{s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "carried_mbps",
			 way->rate_mbps, "received", (json_int_t)way->counts.received, "sent",
			 (json_int_t)way->counts.sent, "dropped", (json_int_t)drops, "inside",
			 (json_int_t)way->inside_pkts, "malformed",
			 (json_int_t)way->counts.malformed, "no_room",
			 (json_int_t)way->counts.no_room, "not_sent",
			 (json_int_t)way->counts.not_sent);
}

json_t *route_json(const struct route_options *options, const struct monitor *monitor)
{
	json_t *object = json_pack(
		"{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:o, s:I, s:o, s:o, s:o, s:I, s:[o,o]}", "aqm",
		monitor->law, "policy_file", monitor->policy, "duration_s",
		monitor->t_s - monitor->since_s, "warmup_s", monitor->since_s, "rate_mbps",
		options->rate_mbps, "delay_ms", options->delay_ms, "carried_mbps",
		monitor->ways[0].rate_mbps, "utilisation",
		real_or_null(monitor->ways[0].utilisation), "flows_seen",
		(json_int_t)monitor->flows_known, "queues", queues_json(monitor), "flows",
		flows_json(monitor), "policy", summary_policy_json(&monitor->verdicts), "reloads",
		(json_int_t)monitor->reloads, "ways", way_json(&monitor->ways[0]),
		way_json(&monitor->ways[1]));

	return object;
}

static json_t *bin_json(const struct monitor_bin *bin, uint32_t flow_count)
{
	json_t *goodput = json_array();

	for (uint32_t i = 0; i < flow_count; i++)
		json_array_append_new(goodput, json_real(bin->goodput_mbps[i]));
	return json_pack("{s:f, s:[o,o], s:[f,f], s:f, s:f, s:f, s:f, s:o, s:[I,I], s:[I,I], s:o}",
			 "t", bin->t_s, "delay_ms", real_or_null(bin->qdelay_ms[AQM_QUEUE_C]),
			 real_or_null(bin->qdelay_ms[AQM_QUEUE_L]), "backlog",
			 bin->backlog_bytes[AQM_QUEUE_C], bin->backlog_bytes[AQM_QUEUE_L],
			 "p_base", bin->p_base, "p_c", bin->p_c, "p_l", bin->p_l, "rate_mbps",
			 bin->rate_mbps, "utilisation", real_or_null(bin->utilisation), "marks",
			 (json_int_t)bin->marks[AQM_QUEUE_C], (json_int_t)bin->marks[AQM_QUEUE_L],
			 "drops", (json_int_t)bin->drops[AQM_QUEUE_C],
			 (json_int_t)bin->drops[AQM_QUEUE_L], "goodput", goodput);
}

json_t *route_series_json(const struct monitor *monitor, uint64_t after)
{
	json_t *bins = json_array();
	uint64_t ago = 0;

	while (monitor->bin_count - ago > after && monitor_bin_ago(monitor, ago))
		ago++;
	while (ago-- > 0)
		json_array_append_new(
			bins, bin_json(monitor_bin_ago(monitor, ago), monitor->flow_count));
	return json_pack("{s:s, s:s, s:f, s:I, s:o, s:o, s:o}", "aqm", monitor->law, "policy",
			 monitor->policy, "t", monitor->t_s, "count",
			 (json_int_t)monitor->bin_count, "verdicts",
			 summary_policy_json(&monitor->verdicts), "flows", flows_json(monitor),
			 "bins", bins);
}

static void print_head(FILE *out, const struct route_options *options,
		       const struct monitor *monitor)
{
	const struct monitor_way *way = &monitor->ways[0];

	fprintf(out, "%.1f s through %s%s%s", monitor->t_s - monitor->since_s, monitor->law,
		monitor->policy[0] ? " with " : "", monitor->policy);
	if (options->trace)
		fprintf(out, ", rate as in %s", options->trace);
	else if (options->rate_mbps > 0)
		fprintf(out, ", %g Mbit/s", options->rate_mbps);
	fprintf(out, ", %g ms each way", options->delay_ms);
	if (monitor->since_s > 0)
		fprintf(out, "; the %.1f s before are left out below", monitor->since_s);
	fprintf(out, "\ncarried %.4g Mbit/s", way->rate_mbps);
	if (isfinite(way->utilisation))
		fprintf(out, ", utilisation %.4f", way->utilisation);
	fputc('\n', out);
	if (monitor->verdicts.decisions)
		summary_print_policy(out, &monitor->verdicts);
}

static void print_queues(FILE *out, const struct monitor *monitor)
{
	struct sim_queue_result *queue = malloc(sizeof(*queue));

	fprintf(out, "\nqueue     packets     marks     drops   queue delay, ms: mean");
	for (size_t i = 0; i < SUMMARY_QUANTILES; i++)
		fprintf(out, " %8s", summary_quantiles[i].name);
	fprintf(out, " %8s\n", "max");
	for (int i = 0; queue && i < SIM_QUEUES; i++) {
		route_queue_result(monitor, summary_queues[i].index, queue);
		summary_print_queue(out, summary_queues[i].name, queue);
		if (summary_queues[i].index == SIM_ALL)
			summary_print_ect_drops(out, queue);
	}
	free(queue);
}

static void print_flows(FILE *out, const struct monitor *monitor)
{
	fputs("\nprotocol  from -> to                                            ecn      queue  "
	      "goodput Mbit/s     marks     drops\n",
	      out);
	for (uint32_t i = 0; i < monitor->flow_count; i++) {
		const struct monitor_flow *flow = &monitor->flows[i];
		const struct flow_entry *entry = &flow->entry;
		char source[IP_ENDPOINT_TEXT], destination[IP_ENDPOINT_TEXT], room[8], both[128];

		/* Connections that only steer others, neighbours that say hello. */
		if (entry->left_pkts + entry->drops < 10)
			continue;
		snprintf(both, sizeof(both), "%s -> %s",
			 ip_endpoint_text(source, entry->version, &entry->source),
			 ip_endpoint_text(destination, entry->version, &entry->destination));
		fprintf(out, "%-9s %-53s %-8s %-5s %15.3f %9" PRIu64 " %9" PRIu64 "\n",
			route_protocol_name(entry->protocol, room), both,
			route_ecn_name(entry->ecn), entry->queue == AQM_QUEUE_L ? "L" : "C",
			flow->mean_mbps, entry->marks, entry->drops);
	}
	if (monitor->flows_known > monitor->flow_count)
		fprintf(out, "and %" PRIu64 " more\n",
			monitor->flows_known - monitor->flow_count);
}

/* What never should happen, where it did. */
static void print_losses(FILE *out, const struct monitor *monitor)
{
	for (int w = 0; w < ROUTER_WAYS; w++) {
		const struct router_counts *counts = &monitor->ways[w].counts;

		if (counts->malformed + counts->no_room + counts->not_sent)
			fprintf(out,
				"\nway %d: %" PRIu64 " packets malformed, %" PRIu64
				" without a buffer, %" PRIu64 " not taken by the interface\n",
				w + 1, counts->malformed, counts->no_room, counts->not_sent);
	}
}

void route_print(FILE *out, const struct route_options *options, const struct monitor *monitor)
{
	print_head(out, options, monitor);
	print_queues(out, monitor);
	print_flows(out, monitor);
	print_losses(out, monitor);
}
