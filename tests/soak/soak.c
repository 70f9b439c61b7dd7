/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Soak: hours of simulated traffic of every kind through one router at about
 * 10 Mbit/s, with flows that come and go and a link whose rate changes.
 *
 * usage: soak HOURS [LAW...]
 *
 * Holds a run to:
 * - packets add up: sent = delivered + dropped + in flight (sim_run() checks);
 * - no flow is stuck: whoever has something under way gets some of it within
 *   WAIT_S, bulk flows included, for as long as they are active;
 * - everybody got something, and what was begun was done, but for what was under
 *   way at the end; connections that are done are gone.
 * Leaks are the address sanitizer's to find: `make soak` builds with it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "sim/run.h"
#include "tcp/cc.h"

/* The longest backed-off timeout is shorter. */
#define WAIT_S 120
/* Bulk flows take turns: so many over the run. */
#define TURNS 20
/* Changes of the link's rate over the run. */
#define STEPS 40
/* Time-series bins over the run. */
#define BINS 1440

static uint64_t controls(void)
{
	uint64_t count = 0;

	while (tcp_cc_all[count])
		count++;
	return count;
}

/* The link's rate changes now and then: 10 Mbit/s on average. */
static void write_link(FILE *out, double duration_s, const char *law)
{
	static const double rates[] = {10, 6, 14, 10};

	fprintf(out,
		"name: soak\nduration_s: %.17g\nwarmup_s: %.17g\nbottleneck:\n  rate_mbps: 10\n"
		"  delay_ms: 10\n  aqm: %s\n  limit_packets: 1000\n  rate_steps:\n",
		duration_s, duration_s / 100, law);
	for (int i = 1; i < STEPS; i++)
		fprintf(out, "    - {at_s: %.17g, rate_mbps: %g}\n", duration_s * i / STEPS,
			rates[i % 4]);
}

/* Every application over every congestion control, near and far. */
static void write_streams(FILE *out)
{
	static const int rtts_ms[] = {20, 40, 80, 150, 30, 60};

	for (uint64_t i = 0; i < controls(); i++) {
		const char *cc = tcp_cc_all[i]->name;
		const int rtt_ms = rtts_ms[i % 6];

		fprintf(out,
			"  - {cc: %s, rtt_ms: %d, app: {name: transfers, per_s: 0.2, sizes: "
			"pareto}}\n"
			"  - {cc: %s, rtt_ms: %d, app: {name: web, think_s: 5, http: %s}}\n"
			"  - {cc: %s, rtt_ms: %d, app: {name: video, ladder_mbps: [0.2, 0.4, "
			"0.8]}}\n",
			cc, rtt_ms, cc, rtt_ms, i % 2 ? "2" : "1.1", cc, rtt_ms);
	}
}

static void write_datagrams(FILE *out)
{
	fputs("  - {cc: udp, count: 2, app: voice}\n"
	      "  - {cc: udp, ecn: ect1, app: gaming}\n"
	      "  - {cc: udp, app: {name: onoff, rate_mbps: 2, on_s: 1, off_s: 10}}\n"
	      "  - {cc: udp, rate_mbps: 0.1}\n",
	      out);
}

/* Bulk flows, one after another, each with a congestion control of its own. */
static void write_turns(FILE *out, double duration_s)
{
	const uint64_t kinds = controls() + 1;
	const double turn_s = duration_s / TURNS;

	for (uint64_t i = 0; i < TURNS; i++) {
		const char *cc = i % kinds < controls() ? tcp_cc_all[i % kinds]->name
							: "udp_prague";

		fprintf(out, "  - {cc: %s, rtt_ms: 30, start_s: %.17g, stop_s: %.17g}\n", cc,
			turn_s * (double)i, turn_s * ((double)i + 1.2));
	}
}

static struct scenario *make_scenario(double duration_s, const char *law)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (scenario == NULL || out == NULL)
		abort();
	write_link(out, duration_s, law);
	fputs("flows:\n", out);
	write_streams(out);
	write_datagrams(out);
	write_turns(out, duration_s);
	fclose(out);
	if (scenario_parse(scenario, text, size, "soak", &error)) {
		printf("soak: the scenario: %s\n", error.text);
		exit(1);
	}
	free(text);
	return scenario;
}

static const char *name_of(const struct sim_flow_result *flow)
{
	return flow->app_name[0] ? flow->app_name : "bulk";
}

static unsigned complain(const struct sim_flow_result *flow, const char *what, double value)
{
	printf("soak: flow %" PRIu64 ", %s over %s: %s %g\n", flow->id, name_of(flow), flow->cc,
	       what, value);
	return 1;
}

/* Longest time without a byte in bins that lie wholly in [start, stop). */
static double longest_silence_s(const struct sim_result *result, uint64_t flow, double start_s,
				double stop_s)
{
	double silence_s = 0, longest_s = 0;

	for (uint64_t b = 0; b < result->bin_count; b++) {
		const double bin_s = (double)b * result->bin_s;

		if (bin_s < start_s + 1 || bin_s + result->bin_s > stop_s)
			continue;
		silence_s = result->flow_goodput_mbps[b * result->flow_count + flow] > 0
				    ? 0
				    : silence_s + result->bin_s;
		if (silence_s > longest_s)
			longest_s = silence_s;
	}
	return longest_s;
}

static unsigned check_app(const struct sim_flow_result *flow)
{
	const struct sim_app_result *app = flow->app;
	const double wait_s = (double)app->connections.longest_wait_ns / 1e9;
	const uint64_t under_way = app->tasks.begun - app->tasks.done;
	unsigned bad = 0;

	if (wait_s > WAIT_S)
		bad += complain(flow, "seconds without progress:", wait_s);
	if (app->report == SIM_REPORT_TRANSFERS && under_way > app->connections.open)
		bad += complain(flow, "transfers begun and neither done nor open:",
				(double)under_way);
	if (app->report == SIM_REPORT_PAGES && under_way > 1)
		bad += complain(flow, "pages begun and not done:", (double)under_way);
	/* What is open is under way, or waits for its last acknowledgements. */
	if (app->connections.open > 12 + under_way)
		bad += complain(flow, "connections left open:", (double)app->connections.open);
	return bad;
}

static unsigned check_flow(const struct scenario_group *group, const struct sim_result *result,
			   const struct sim_flow_result *flow)
{
	const double stop_s = group->stop_s > 0 ? group->stop_s : result->duration_s;
	double silence_s;
	unsigned bad = 0;

	if (flow->goodput_mbps <= 0 && stop_s > result->warmup_s)
		bad += complain(flow, "goodput", flow->goodput_mbps);
	if (flow->app && flow->app->report != SIM_REPORT_DATAGRAMS)
		bad += check_app(flow);
	if (flow->app_name[0] == '\0') {
		silence_s = longest_silence_s(result, flow->id, group->start_s, stop_s);
		if (silence_s > WAIT_S)
			bad += complain(flow, "seconds of silence:", silence_s);
	}
	return bad;
}

static unsigned check_flows(const struct scenario *scenario, const struct sim_result *result)
{
	uint64_t flow = 0;
	unsigned bad = 0;

	for (uint64_t g = 0; g < scenario->group_count; g++)
		for (uint64_t i = 0; i < scenario->groups[g].count; i++)
			bad += check_flow(&scenario->groups[g], result, &result->flows[flow++]);
	return bad;
}

struct totals {
	uint64_t connections, transfers, pages, segments, datagrams, lost;
	double longest_wait_s;
	const struct sim_flow_result *longest; /* who waited so long */
};

static struct totals add_up(const struct sim_result *result)
{
	struct totals totals = {0};

	for (uint64_t i = 0; i < result->flow_count; i++) {
		const struct sim_app_result *app = result->flows[i].app;
		const double wait_s = app ? (double)app->connections.longest_wait_ns / 1e9 : 0;

		totals.connections += app ? app->connections.opened : 1;
		if (wait_s >= totals.longest_wait_s) {
			totals.longest_wait_s = wait_s;
			totals.longest = &result->flows[i];
		}
		if (app == NULL)
			continue;
		if (app->report == SIM_REPORT_TRANSFERS)
			totals.transfers += app->tasks.done;
		else if (app->report == SIM_REPORT_PAGES)
			totals.pages += app->tasks.done;
		totals.segments += app->video.segments;
		totals.datagrams += app->datagrams.received;
		totals.lost += app->datagrams.lost;
	}
	return totals;
}

static void tell(const char *law, const struct sim_result *result, double cpu_s)
{
	const struct totals totals = add_up(result);
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("%-12s %.6g h, %" PRIu64 " packets, utilisation %.4f, mean queue delay %.2f ms; "
	       "%" PRIu64 " connections: %" PRIu64 " transfers, %" PRIu64 " pages, %" PRIu64
	       " video segments; %" PRIu64 " datagrams, %" PRIu64 " lost; longest wait %.3g s "
	       "(%s over %s); %.1f s of processor time, at most %ld MB\n",
	       law, result->duration_s / 3600, result->queues[SIM_ALL].packets,
	       result->utilisation, histogram_mean(&result->queues[SIM_ALL].qdelay_ns) / 1e6,
	       totals.connections, totals.transfers, totals.pages, totals.segments,
	       totals.datagrams, totals.lost, totals.longest_wait_s, name_of(totals.longest),
	       totals.longest->cc, cpu_s,
	       usage.ru_maxrss / 1024);
	fflush(stdout);
}

static unsigned soak(double duration_s, const char *law)
{
	struct scenario *scenario = make_scenario(duration_s, law);
	struct sim_result *result = calloc(1, sizeof(*result));
	const struct sim_options options = {.seed = 1, .bin_s = duration_s / BINS};
	const clock_t start = clock();
	struct error error = {0};
	unsigned bad = 0;

	if (result == NULL)
		abort();
	if (sim_run(scenario, &options, result, &error)) {
		printf("soak: %s: %s\n", law, error.text);
		bad = 1;
	} else {
		tell(law, result, (double)(clock() - start) / CLOCKS_PER_SEC);
		bad = check_flows(scenario, result);
	}
	sim_result_free(result);
	free(result);
	scenario_free(scenario);
	free(scenario);
	return bad;
}

int main(int argc, char **argv)
{
	const double hours = argc > 1 ? atof(argv[1]) : 0;
	unsigned bad = 0;

	if (hours <= 0) {
		fputs("usage: soak HOURS [LAW...]\n", stderr);
		return 2;
	}
	if (argc == 2)
		bad = soak(hours * 3600, "dualpi2");
	for (int i = 2; i < argc; i++)
		bad += soak(hours * 3600, argv[i]);
	printf("soak: %s\n", bad ? "FAILED" : "good");
	return bad ? 1 : 0;
}
