/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Prometheus scrapes.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/route_report.h"

static const char *const queue_names[AQM_QUEUES] = {[AQM_QUEUE_C] = "C", [AQM_QUEUE_L] = "L"};

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP aqmllm_%s %s\n# TYPE aqmllm_%s %s\n", name, help, name, type);
}

/* A figure of each queue of each way. */
static void put_counts(FILE *out, const struct monitor *monitor, const char *name,
		       const char *type, const char *help, size_t offset)
{
	head(out, name, type, help);
	for (int w = 0; w < ROUTER_WAYS; w++) {
		for (int q = 0; q < AQM_QUEUES; q++) {
			uint64_t value;

			memcpy(&value, (const char *)&monitor->ways[w].queues[q] + offset,
			       sizeof(value));
			fprintf(out, "aqmllm_%s{way=\"%d\",queue=\"%s\"} %" PRIu64 "\n", name,
				w + 1, queue_names[q], value);
		}
	}
}

static void put_delays(FILE *out, const struct monitor *monitor)
{
	static const double quantiles[] = {0.5, 0.9, 0.99};

	head(out, "queue_delay_seconds", "summary", "Sojourn of packets that left the queue.");
	for (int w = 0; w < ROUTER_WAYS; w++) {
		for (int q = 0; q < AQM_QUEUES; q++) {
			const struct histogram *sojourn = &monitor->ways[w].queues[q].sojourn_ns;
			const char *name = queue_names[q];

			for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
				fprintf(out,
					"aqmllm_queue_delay_seconds{way=\"%d\",queue=\"%s\","
					"quantile=\"%g\"} %.9f\n",
					w + 1, name, quantiles[i],
					histogram_quantile(sojourn, quantiles[i]) / 1e9);
			fprintf(out,
				"aqmllm_queue_delay_seconds_sum{way=\"%d\",queue=\"%s\"} %.9f\n"
				"aqmllm_queue_delay_seconds_count{way=\"%d\",queue=\"%s\"} %" PRIu64
				"\n",
				w + 1, name, sojourn->sum / 1e9, w + 1, name, sojourn->count);
		}
	}
}

static void put_ports(FILE *out, const struct monitor *monitor)
{
	head(out, "packets_received_total", "counter", "Packets that came.");
	for (int w = 0; w < ROUTER_WAYS; w++)
		fprintf(out, "aqmllm_packets_received_total{way=\"%d\"} %" PRIu64 "\n", w + 1,
			monitor->ways[w].counts.received);
	head(out, "packets_lost_total", "counter", "Packets lost although no law dropped them.");
	for (int w = 0; w < ROUTER_WAYS; w++) {
		const struct router_counts *counts = &monitor->ways[w].counts;

		fprintf(out,
			"aqmllm_packets_lost_total{way=\"%d\",reason=\"malformed\"} %" PRIu64 "\n"
			"aqmllm_packets_lost_total{way=\"%d\",reason=\"no_room\"} %" PRIu64 "\n"
			"aqmllm_packets_lost_total{way=\"%d\",reason=\"not_sent\"} %" PRIu64 "\n",
			w + 1, counts->malformed, w + 1, counts->no_room, w + 1, counts->not_sent);
	}
}

static void put_law(FILE *out, const struct monitor *monitor)
{
	const struct monitor_bin *bin = monitor_bin_ago(monitor, 0);

	head(out, "policy_decisions_total", "counter", "Packets put to the policy.");
	fprintf(out, "aqmllm_policy_decisions_total %" PRIu64 "\n", monitor->verdicts.decisions);
	head(out, "policy_late_total", "counter",
	     "Decisions still being made when the next was due.");
	fprintf(out, "aqmllm_policy_late_total %" PRIu64 "\n", monitor->verdicts.late);
	head(out, "policy_overridden_total", "counter", "Verdicts replaced by the law's.");
	fprintf(out, "aqmllm_policy_overridden_total %" PRIu64 "\n", monitor->verdicts.overridden);
	head(out, "policy_reloads_total", "counter", "Policies swapped while running.");
	fprintf(out, "aqmllm_policy_reloads_total %" PRIu64 "\n", monitor->reloads);
	if (bin == NULL)
		return;
	head(out, "probability", "gauge", "Probabilities of the law of way 1.");
	fprintf(out,
		"aqmllm_probability{of=\"base\"} %.9f\naqmllm_probability{of=\"C\"} %.9f\n"
		"aqmllm_probability{of=\"L\"} %.9f\n",
		bin->p_base, bin->p_c, bin->p_l);
	head(out, "carried_bits_per_second", "gauge", "IP bits that way 1 carried lately.");
	fprintf(out, "aqmllm_carried_bits_per_second %.0f\n", bin->rate_mbps * 1e6);
	if (isfinite(bin->utilisation)) {
		head(out, "utilisation", "gauge",
		     "Share of the emulated link that was used lately.");
		fprintf(out, "aqmllm_utilisation %.6f\n", bin->utilisation);
	}
}

void route_metrics(FILE *out, const struct monitor *monitor)
{
#define COUNT(name, type, help, member)                                                            \
	put_counts(out, monitor, name, type, help, offsetof(struct monitor_queue, member))
	COUNT("queue_packets_total", "counter", "Packets that left the queue.", packets);
	COUNT("queue_bytes_total", "counter", "IP bytes that left the queue.", bytes);
	COUNT("queue_marks_total", "counter", "Packets marked CE.", marks);
	COUNT("queue_drops_total", "counter", "Packets dropped.", drops);
	COUNT("queue_ect_drops_total", "counter",
	      "Packets dropped that could have carried a mark.", ect_drops);
	COUNT("queue_backlog_packets", "gauge", "Packets in the queue.", backlog_pkts);
	COUNT("queue_backlog_bytes", "gauge", "IP bytes in the queue.", backlog_bytes);
#undef COUNT
	put_delays(out, monitor);
	put_ports(out, monitor);
	put_law(out, monitor);
}
