/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vectors [PACKETS [SEED]]: the cases of tests/vectors/ through the scheduler modules, and the same
 * packets through every law of dn_aqm_laws.c and through queue/ with that law's table.
 *
 * Prints what tests/vectors/vectors.c prints; vectors.sh compares the schedulers' sums with its,
 * the laws of one queue are compared here.  Exit status 1 where they differ.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/freebsd/test/bench.h"
#include "queue/queue.h"

#define DEFAULT_PACKETS 1000000
#define DEFAULT_SEED 1
#define SLOTS 1000

static const char *const cases[] = {
#define CASE_NAME(name, law, settings) #name,
	VECTORS_CASES(CASE_NAME)
#undef CASE_NAME
};

/* `values` as dnaqm sends them, -1 for the default, ended by -2. */
static const struct {
	const char *name, *module, *law, *settings;
	int64_t values[11];
} laws[] = {
	{"pi2", "pi2", "pi2", "max_burst_ms=10", {-1, -1, -1, -1, -1, 10000, -2}},
	{"pie", "pie_rfc", "pie", "ecn_max_p=0.5", {-1, -1, -1, -1, -1, 500000, -2}},
	{"codel", "codel_rfc", "codel", "", {-2}},
	{"codel-drops", "codel_rfc", "codel", "ecn=0:target_ms=2", {2000, -1, 0, -2}},
	{"red", "red_floyd", "red", "", {-2}},
	{"red-adaptive", "red_floyd", "red", "adaptive=1:max_p=0.01", {-1, -1, 10000, -1, 1, -2}},
};

static void print(uint64_t sum, const char *name, uint64_t packets, const struct vectors *vectors)
{
	printf("%016" PRIx64 " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", sum, name,
	       packets, vectors->verdicts[AQM_PASS], vectors->verdicts[AQM_MARK],
	       vectors->verdicts[AQM_DROP]);
}

static void told(void *context, uint64_t now_ns, const struct packet *packet, enum aqm_queue queue,
		 enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	(void)now_ns;
	(void)queue;
	(void)sojourn_ns;
	vectors_told(context, packet->random, (unsigned)packet->tcp.seq, verdict);
}

static void put(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		const struct vectors_op *op)
{
	struct packet *packet = packet_new(pool);
	const uint64_t marks = queue->counts[AQM_QUEUE_C].marks;
	const enum aqm_queue source = aqm_dual_classify(op->ecn);

	packet->len_bytes = op->len_bytes;
	packet->ecn = op->ecn;
	packet->tcp.seq = source;
	if (queue_enqueue(queue, packet, op->at_ns))
		vectors_told(vectors, op->random, source,
			     queue->counts[AQM_QUEUE_C].marks != marks ? AQM_MARK : AQM_PASS);
}

static void take(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		 uint64_t at_ns)
{
	struct packet *packet = queue_dequeue(queue, at_ns);

	if (packet)
		packet_free(pool, packet);
	else
		vectors_told_empty(vectors);
}

/* The sum of queue/; 0: it could not be set up. */
static uint64_t run_user(const char *law, const char *settings, uint64_t packets, uint64_t seed)
{
	struct vectors vectors;
	struct queue_config config = {.law = aqm_find(law),
				      .sink = {.context = &vectors, .leave = told}};
	void *params = calloc(1, config.law->params_size);
	struct packet_pool pool;
	struct queue *queue;

	if (aqm_params_default(config.law, params, NULL) ||
	    aqm_params_set(config.law, params, "limit_packets=1000", NULL) ||
	    aqm_params_set_all(config.law, params, settings, NULL))
		return 0;
	packet_pool_init(&pool);
	config.pool = &pool;
	config.params = params;
	vectors_packet_state(config.random.state, seed);
	queue = queue_new(&config, NULL);
	vectors_init(&vectors, seed);
	while (queue && vectors.arrivals < packets) {
		struct vectors_op op;

		vectors_next(&vectors, &op);
		if (op.kind == VECTORS_ARRIVAL)
			put(queue, &pool, &vectors, &op);
		else
			take(queue, &pool, &vectors, op.at_ns);
	}
	queue_destroy(queue);
	packet_pool_free(&pool);
	free(params);
	return queue ? vectors_close(&vectors, 0) : 0;
}

/* Packets that pass and signals: else the law shows little. */
static int run_law(size_t which, uint64_t packets, uint64_t seed)
{
	const char *name = laws[which].name;
	struct vectors vectors;
	const uint64_t sum = bench_run_queue(laws[which].module, laws[which].values, SLOTS, packets,
					     seed, &vectors);
	const uint64_t expected =
		run_user(laws[which].law, laws[which].settings, packets, seed);
	const uint64_t *verdicts = vectors.verdicts;

	print(sum, name, packets, &vectors);
	if (sum != expected || sum == 0)
		printf("FAILED: %s: queue/ comes to %016" PRIx64 "\n", name, expected);
	else if (!verdicts[AQM_PASS] || !(verdicts[AQM_MARK] || laws[which].values[2] == 0) ||
		 !verdicts[AQM_DROP])
		printf("FAILED: %s: too little happens\n", name);
	else
		return 0;
	return 1;
}

int main(int argc, char **argv)
{
	const uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_PACKETS;
	const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : DEFAULT_SEED;
	int failed = bench_load(NULL) != 0;

	for (uint32_t which = 0; which < VECTORS_CASE_COUNT; which++) {
		struct vectors vectors;
		const uint64_t sum = bench_run_case(which, packets, seed, &vectors);

		print(sum, cases[which], packets, &vectors);
	}
	for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++)
		failed |= run_law(i, packets, seed);
	failed |= world_unload() != 0 || world_blocks() != 0 || world_packets() != 0;
	return failed;
}
