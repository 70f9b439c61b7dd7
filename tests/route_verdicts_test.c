/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router decides as the simulator does: the same arrivals through a bottleneck of sim/ and a
 * path of router/ give the same log, record by record, the same fates and the same times, for every
 * law, although the path is driven late and irregularly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "net/headers.h"
#include "router/path.h"
#include "sim/node.h"

#define PACKETS 20000
#define BUFFER_BYTES 2048
#define SEED 9
#define RATE_MBPS 20
#define DELAY_MS 5

struct arrival {
	uint64_t at_ns;
	uint32_t len_bytes, flow;
	uint8_t ecn;
};

struct record {
	uint64_t at_ns;
	struct aqm_record record;
};

/* A fate: what became of which packet, when. */
struct fate {
	uint64_t at_ns, sojourn_ns;
	uint32_t len_bytes;
	uint8_t queue, verdict, ecn;
};

struct witness {
	struct record records[PACKETS];
	struct fate fates[PACKETS];
	uint64_t out_ns[PACKETS];
	size_t record_count, fate_count, out_count;
};

static struct arrival arrivals[PACKETS];

/* Bursts and pauses around the link's rate, of all sizes and kinds. */
static void make_arrivals(void)
{
	struct rng random;
	uint64_t at_ns = 0;

	rng_seed(&random, 3);
	for (size_t i = 0; i < PACKETS; i++) {
		const uint64_t phase = i / 1000 % 4;

		at_ns += 1 + rng_below(&random, phase == 0   ? 200000
						 : phase == 1 ? 700000
						 : phase == 2 ? 20000
							      : 1500000);
		if (rng_below(&random, 500) == 0)
			at_ns += 100 * NS_PER_MS;
		arrivals[i] = (struct arrival){at_ns, 60 + (uint32_t)rng_below(&random, 1440),
					       (uint32_t)rng_below(&random, 6),
					       (uint8_t)rng_below(&random, 4)};
	}
}

static void witness_record(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	struct witness *witness = context;

	assert_true(witness->record_count < PACKETS);
	witness->records[witness->record_count++] = (struct record){now_ns, *record};
}

static void witness_leave(void *context, uint64_t now_ns, const struct packet *packet,
			  enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct witness *witness = context;

	assert_true(witness->fate_count < PACKETS);
	witness->fates[witness->fate_count++] =
		(struct fate){now_ns, sojourn_ns, packet->len_bytes, (uint8_t)queue,
			      (uint8_t)verdict, packet->ecn};
}

static void *default_params(const struct aqm_ops *law)
{
	void *params = calloc(1, law->params_size + 1);

	assert_int_equal(aqm_params_default(law, params, NULL), 0);
	return params;
}

/* As path_open() seeds its queue. */
static struct rng queue_numbers(void)
{
	struct rng root;

	rng_seed(&root, SEED);
	rng_u64(&root);
	return rng_split(&root, 1);
}

struct bin {
	struct sim_node node; /* first */
	struct witness *witness;
	struct packet_pool *pool;
};

static void take(struct sim_node *node, struct packet *packet)
{
	struct bin *bin = (struct bin *)node;

	bin->witness->out_ns[bin->witness->out_count++] = node->clock->now_ns;
	packet_free(bin->pool, packet);
}

static void sent(void *context, uint64_t now_ns, const struct packet *packet)
{
	(void)context;
	(void)now_ns;
	(void)packet;
}

static const struct sim_node_ops bin_ops = {.forward = take};

static void simulate(const struct aqm_ops *law, const struct ip_summary *summaries,
		     const uint64_t *hashes, struct witness *witness)
{
	struct clock clock = {0};
	struct packet_pool pool;
	struct bottleneck link;
	struct delay_line delay;
	struct bin bin = {.witness = witness, .pool = &pool};
	void *params = default_params(law);
	struct queue *queue;

	heap_init(&clock.heap);
	packet_pool_init(&pool);
	queue = queue_new(&(struct queue_config){.law = law,
						 .params = params,
						 .pool = &pool,
						 .random = queue_numbers(),
						 .sink = {witness, witness_record, witness_leave}},
			  NULL);
	assert_non_null(queue);
	node_init(&bin.node, &bin_ops, &clock, NULL);
	delay_line_init(&delay, &clock, &bin.node, DELAY_MS * NS_PER_MS);
	bottleneck_init(&link, &clock, &delay.node, queue,
			&(struct rate_plan){.rate_mbps = RATE_MBPS},
			(struct link_sink){NULL, sent});
	for (size_t i = 0; i < PACKETS; i++) {
		struct packet *packet = packet_new(&pool);

		while (clock_run_next(&clock, arrivals[i].at_ns + 1))
			continue;
		clock.now_ns = arrivals[i].at_ns;
		packet->len_bytes = arrivals[i].len_bytes;
		packet->ecn = arrivals[i].ecn;
		packet->protocol = NET_TCP;
		packet->to_server = true;
		packet->flow = (uint32_t)(hashes[i] >> 32);
		packet->source_host = ip_host(&summaries[i], &summaries[i].source);
		packet->destination_host = ip_host(&summaries[i], &summaries[i].destination);
		node_forward(&link.node, packet);
	}
	while (clock_run_next(&clock, arrivals[PACKETS - 1].at_ns + 20 * NS_PER_S))
		continue;
	queue_destroy(queue);
	heap_free(&clock.heap);
	packet_pool_free(&pool);
	free(params);
}

static void drain(struct path *path, struct witness *witness, uint64_t now_ns)
{
	struct packet *packet;

	path_run(path, now_ns);
	while ((packet = path_take(path, now_ns))) {
		witness->out_ns[witness->out_count++] = packet->enqueued_ns;
		path_drop(path, packet);
	}
}

static void route(const struct aqm_ops *law, struct ip_summary *summaries, uint64_t *hashes,
		  struct witness *witness)
{
	struct packet_pool pool;
	struct frames frames;
	struct path path;
	struct rng random;
	void *params = default_params(law);

	rng_seed(&random, 5);
	packet_pool_init(&pool);
	frames_init(&frames, BUFFER_BYTES, PACKETS);
	assert_int_equal(path_open(&path,
				   &(struct path_config){
					   .law = law,
					   .params = params,
					   .rate = {.rate_mbps = RATE_MBPS},
					   .delay_ns = DELAY_MS * NS_PER_MS,
					   .seed = SEED,
					   .pool = &pool,
					   .frames = &frames,
					   .sink = {witness, witness_record, witness_leave},
				   },
				   NULL),
			 0);
	for (size_t i = 0; i < PACKETS; i++) {
		const struct packet packet = {.flow = arrivals[i].flow,
					      .protocol = NET_TCP,
					      .len_bytes = arrivals[i].len_bytes,
					      .ecn = arrivals[i].ecn,
					      .to_server = true,
					      .tcp = {.flags = TCP_ACK}};
		uint8_t *bytes = frames_take(&frames);

		memset(bytes, 0, BUFFER_BYTES);
		net_headers_write(&packet, bytes);
		assert_int_equal(ip_parse(bytes, packet.len_bytes, &summaries[i]), 0);
		hashes[i] = ip_flow_hash(path.perturbation, &summaries[i]);
		assert_true(path_arrive(&path, bytes, packet.len_bytes, 0, &summaries[i],
					arrivals[i].at_ns));
		if (rng_below(&random, 20) == 0)
			drain(&path, witness, arrivals[i].at_ns);
	}
	drain(&path, witness, arrivals[PACKETS - 1].at_ns + 20 * NS_PER_S);
	path_close(&path);
	packet_pool_free(&pool);
	frames_free(&frames);
	free(params);
}

static void same_verdicts(void **state)
{
	struct ip_summary *summaries = calloc(PACKETS, sizeof(*summaries));
	uint64_t *hashes = calloc(PACKETS, sizeof(*hashes));
	struct witness *routed = malloc(sizeof(*routed)), *simulated = malloc(sizeof(*simulated));

	(void)state;
	make_arrivals();
	for (const struct aqm_ops *const *law = aqm_all; *law; law++) {
		uint64_t drops = 0, marks = 0;

		memset(routed, 0, sizeof(*routed));
		memset(simulated, 0, sizeof(*simulated));
		route(*law, summaries, hashes, routed);
		simulate(*law, summaries, hashes, simulated);
		assert_int_equal(routed->out_count, simulated->out_count);
		assert_int_equal(routed->record_count, simulated->record_count);
		assert_int_equal(routed->fate_count, simulated->fate_count);
		assert_memory_equal(routed->fates, simulated->fates, sizeof(routed->fates));
		assert_memory_equal(routed->records, simulated->records, sizeof(routed->records));
		assert_memory_equal(routed->out_ns, simulated->out_ns, sizeof(routed->out_ns));
		for (size_t i = 0; i < routed->fate_count; i++) {
			drops += routed->fates[i].verdict == AQM_DROP;
			marks += routed->fates[i].ecn == AQM_CE;
		}
		printf("%-12s %zu packets, %llu dropped, %llu leave with CE\n", (*law)->name,
		       routed->fate_count, (unsigned long long)drops, (unsigned long long)marks);
	}
	free(summaries);
	free(hashes);
	free(routed);
	free(simulated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(same_verdicts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
