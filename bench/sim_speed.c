/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Speed and memory of the simulator on one core: data packets a second of processor time (of wall
 * time where nothing else runs), with 5 flows and with 10,000, full protocols, DualPI2.  What is
 * named a peer is csg-htsim's published figure: simple TCP without SACK, queues without AQM.
 *
 * Cost is told twice.  Per packet forwarded: what the link sent.  Per packet arrived: what came to
 * the bottleneck and was handled there; the ones that were dropped have been sent, queued
 * and missed too.  Memory is what becomes resident until half of the run.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/run.h"

#define REPEATS 3
#define WANTED_PER_S 1e6
#define HTSIM_PER_S 8e6
#define WANTED_GROWTH 2
#define WANTED_BYTES 4096

struct bench_case {
	const char *name;
	double rate_mbps, rtt_ms, duration_s;
	uint64_t tenths; /* flows: four Cubic, two NewReno and four Prague in ten */
};

static const struct bench_case cases[] = {
	{"5 flows, 1 Gbit/s, 20 ms", 1000, 20, 10, 0},
	{"10,000 flows, 1 Gbit/s, 20 ms", 1000, 20, 4, 1000},
	{"10,000 flows, 10 Gbit/s, 100 ms", 10000, 100, 4, 1000},
};

struct figures {
	clock_t begun, ended; /* processor time of the run's loop, from its first hundredth on */
	double packets_per_s; /* forwarded */
	double arrived_per_s; /* the same of those that came to the bottleneck */
	double bytes_before, bytes_per_flow; /* resident: before the run, and what it added */
};

/* Memory of this process that is resident; 0 where the system does not tell. */
static double resident_bytes(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	unsigned long size, pages = 0;

	if (statm == NULL)
		return 0;
	if (fscanf(statm, "%lu %lu", &size, &pages) != 2)
		pages = 0;
	fclose(statm);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static bool note_progress(void *context, double done)
{
	struct figures *figures = context;

	figures->ended = clock();
	if (figures->begun == 0)
		figures->begun = figures->ended;
	if (done < 0.6)
		figures->bytes_per_flow = resident_bytes() - figures->bytes_before;
	return false;
}

static void add_group(struct scenario *scenario, const char *cc, enum endpoint_ecn ecn,
		      uint64_t count)
{
	struct scenario_group *group = &scenario->groups[scenario->group_count++];

	snprintf(group->cc, sizeof(group->cc), "%s", cc);
	group->ecn = ecn;
	group->count = count;
}

static void fill_scenario(const struct bench_case *which, struct scenario *scenario)
{
	scenario_init(scenario);
	scenario->duration_s = which->duration_s;
	scenario->warmup_s = 1;
	scenario->rate_mbps = which->rate_mbps;
	scenario->delay_ms = which->rtt_ms / 2;
	snprintf(scenario->aqm, sizeof(scenario->aqm), "dualpi2");
	add_group(scenario, "cubic", ENDPOINT_ECN_CLASSIC, which->tenths ? 4 * which->tenths : 2);
	add_group(scenario, "newreno", ENDPOINT_ECN_CLASSIC, which->tenths ? 2 * which->tenths : 1);
	add_group(scenario, "prague", ENDPOINT_ECN_ACCECN, which->tenths ? 4 * which->tenths : 2);
}

/* One run; packets_per_s 0 when it fails. */
static struct figures measure_once(const struct scenario *scenario)
{
	struct figures now = {0};
	const struct sim_options options = {
		.seed = 1, .context = &now, .progress = note_progress};
	struct sim_result result;
	struct error error = {0};
	double seconds;

	malloc_trim(0);
	now.bytes_before = resident_bytes();
	if (sim_run(scenario, &options, &result, &error)) {
		fprintf(stderr, "bench_sim_speed: %s\n", error.text);
		return (struct figures){0};
	}
	seconds = (double)(now.ended - now.begun) / CLOCKS_PER_SEC;
	now.packets_per_s = (double)result.data_packets / seconds;
	now.arrived_per_s = (double)result.arrived_packets / seconds;
	now.bytes_per_flow /= (double)scenario_flows(scenario);
	sim_result_free(&result);
	return now;
}

/* The best of some runs; packets_per_s 0 when one fails. */
static struct figures measure(const struct bench_case *which)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct figures best = {0};

	if (scenario == NULL)
		return best;
	fill_scenario(which, scenario);
	for (int i = 0; i < REPEATS; i++) {
		const struct figures now = measure_once(scenario);

		if (now.packets_per_s <= 0) {
			best.packets_per_s = 0;
			break;
		}
		if (now.packets_per_s > best.packets_per_s)
			best = now;
	}
	scenario_free(scenario);
	free(scenario);
	return best;
}

int main(void)
{
	double few_ns = 0, few_arrived_ns = 0;

	printf("%-32s %10s %11s %7s %11s %7s %8s %8s\n", "", "forwarded", "ns per pkt", "",
	       "ns per pkt", "", "/ csg-", "");
	printf("%-32s %10s %11s %7s %11s %7s %8s %8s\n", "best of 3, one core", "packets/s",
	       "forwarded", "growth", "arrived", "growth", "htsim", "KB/flow");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct figures figures = measure(&cases[i]);
		const double ns = 1e9 / figures.packets_per_s;
		const double arrived_ns = 1e9 / figures.arrived_per_s;

		if (figures.packets_per_s <= 0)
			return 1;
		few_ns = i == 0 ? ns : few_ns;
		few_arrived_ns = i == 0 ? arrived_ns : few_arrived_ns;
		printf("%-32s %10.0f %11.0f %7.2f %11.0f %7.2f %8.2f ", cases[i].name,
		       figures.packets_per_s, ns, ns / few_ns, arrived_ns,
		       arrived_ns / few_arrived_ns, figures.packets_per_s / HTSIM_PER_S);
		if (cases[i].tenths)
			printf("%8.2f", figures.bytes_per_flow / 1024);
		printf("\n");
	}
	printf("wanted: %.0f packets/s with 5 flows, growth at most %d, at most %d KB a flow "
	       "beyond its window\n"
	       "(a packet arrives at the bottleneck and is forwarded or dropped; KB/flow is all\n"
	       "that became resident, packets in flight and scoreboards included)\n",
	       WANTED_PER_S, WANTED_GROWTH, WANTED_BYTES / 1024);
	return 0;
}
