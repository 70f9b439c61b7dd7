/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet costs in flow queues: one enqueue and one dequeue, with ten flows
 * and with ten thousand, all backlogged.
 *
 * steady: every flow holds two packets, and who sends gets another one.
 * crowded: two packets of random flows come for each that goes, so that room is
 * short all the time and the fattest queue loses packets.
 * The limit is that the cost grows no more than twofold from 10 flows to 10,000.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "queue/queue.h"

#define PACKETS 1000000
#define RUNS 5

struct trial {
	struct packet_pool pool;
	struct queue *queue;
	struct rng rng;
	uint32_t flows;
	bool crowded, two_hosts;
	uint64_t now_ns;
};

static void put(struct trial *trial, uint32_t flow)
{
	struct packet *packet = packet_new(&trial->pool);

	packet->flow = flow;
	packet->source_host = trial->two_hosts && flow > 0;
	packet->len_bytes = 1500;
	packet->protocol = NET_TCP;
	packet->ecn = AQM_ECT0;
	queue_enqueue(trial->queue, packet, trial->now_ns);
}

static void exchange(struct trial *trial)
{
	struct packet *packet = queue_dequeue(trial->queue, trial->now_ns);
	const uint32_t flow = packet->flow;

	packet_free(&trial->pool, packet);
	trial->now_ns += 1000;
	if (trial->crowded) {
		put(trial, (uint32_t)rng_below(&trial->rng, trial->flows));
		put(trial, (uint32_t)rng_below(&trial->rng, trial->flows));
	} else {
		put(trial, flow);
	}
}

static int compare(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Median of the runs, ns a packet; 0 when it cannot be set up. */
static double measure(const char *law_name, const char *setting, struct trial shape)
{
	const struct aqm_ops *law = aqm_find(law_name);
	struct queue_config config = {.law = law, .pool = &shape.pool};
	void *params = malloc(law->params_size + 1);
	double ns[RUNS];

	packet_pool_init(&shape.pool);
	rng_seed(&shape.rng, 1);
	rng_seed(&config.random, 1);
	config.params = params;
	if (aqm_params_default(law, params, NULL) ||
	    aqm_params_set(law, params, shape.crowded ? "limit_packets=20000" : "limit_packets=1e6",
			   NULL) ||
	    (law->flow_shape && aqm_params_set(law, params, "flows=65536", NULL)) ||
	    (setting && aqm_params_set(law, params, setting, NULL)))
		return 0;
	shape.queue = queue_new(&config, NULL);
	free(params);
	for (uint32_t i = 0; i < 2 * shape.flows; i++)
		put(&shape, i % shape.flows);
	for (int run = 0; run < RUNS; run++) {
		const clock_t start = clock();

		for (int i = 0; i < PACKETS; i++)
			exchange(&shape);
		ns[run] = (double)(clock() - start) / CLOCKS_PER_SEC * 1e9 / PACKETS;
	}
	queue_destroy(shape.queue);
	packet_pool_free(&shape.pool);
	qsort(ns, RUNS, sizeof(ns[0]), compare);
	return ns[RUNS / 2];
}

static void print_case(const char *law, const char *setting, bool crowded, bool two_hosts)
{
	const double few = measure(law, setting, (struct trial){.flows = 10,
								.crowded = crowded,
								.two_hosts = two_hosts});
	const double many = measure(law, setting, (struct trial){.flows = 10000,
								 .crowded = crowded,
								 .two_hosts = two_hosts});

	printf("%-9s %-24s %-8s %8.0f %8.0f %6.2f\n", law, setting ? setting : "",
	       crowded ? "crowded" : "steady", few, many, many / few);
}

int main(void)
{
	printf("ns a packet, enqueue and dequeue (%d packets, median of %d)\n", PACKETS, RUNS);
	printf("%-9s %-24s %-8s %8s %8s %6s\n", "law", "", "", "10", "10,000", "ratio");
	print_case("codel", NULL, false, false);
	print_case("fq_codel", NULL, false, false);
	print_case("fq_codel", NULL, true, false);
	print_case("fq_pie", NULL, false, false);
	print_case("fq_pie", NULL, true, false);
	print_case("cake", NULL, false, false);
	print_case("cake", NULL, true, false);
	print_case("cake", "isolation=flows", false, false);
	print_case("cake", "isolation=dual-srchost", false, true);
	return 0;
}
