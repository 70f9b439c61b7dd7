/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a student costs: ns a packet at arrival (features, network, draw and guard: the decision),
 * ns a packet in all (arrival and departure), ns an update, for every way to compute that this
 * machine has.
 *
 * A time is the median over many blocks of 64 packets (of 64 updates), a block's time divided by
 * 64: a clock read costs about as much as a packet.  The facts are a walk of 4096 states, so
 * that no branch is learned by heart.  Peers, on another machine, with AVX-512: MLP 8-32-32-3
 * with 8 inputs as they are 98-105 ns in f32 and 112 ns in int8, GRU 16-32-3 131 and 115 ns,
 * scalar code 380-2150 ns.  Limits: 100 ns a decision with AVX-512, 400 ns in portable C.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/ops.h"
#include "aqm/student_shipped.h"
#include "aqm/student_vector.h"
#include "base/clock.h"
#include "base/rng.h"
#include "policy/student_model.h"

#define STATES 4096
#define BLOCK 64
#define BLOCKS 4000

static struct aqm_facts states[STATES];

static void walk(struct rng *rng)
{
	double backlog = 20, rate = 1250; /* packets, bytes a ms */

	for (int i = 0; i < STATES; i++) {
		const unsigned queue = rng_below(rng, 3) == 0;
		struct aqm_facts *facts = &states[i];

		backlog = 1 + 0.98 * backlog + 2 * rng_uniform(rng) - 0.7;
		facts->now_ns = 1000000000 + (uint64_t)i * 1000000;
		facts->random = rng_u64(rng);
		facts->len_bytes = rng_below(rng, 3) ? 1500 : 52;
		facts->ecn = queue ? AQM_ECT1 : rng_below(rng, 2) ? AQM_ECT0 : AQM_NOT_ECT;
		facts->queue = (uint8_t)queue;
		for (unsigned q = 0; q < AQM_QUEUES; q++) {
			const double held = backlog * (q ? 0.1 : 1) * rng_uniform(rng);

			facts->backlog_pkts[q] = (uint32_t)held;
			facts->backlog_bytes[q] = (uint64_t)(1200 * held);
			facts->head_sojourn_ns[q] = (uint64_t)(1200 * held / rate * 1e6);
			facts->total_drops[q] = (uint64_t)i / 100;
		}
		facts->sojourn_ns = facts->head_sojourn_ns[queue];
	}
}

struct law {
	const struct aqm_ops *ops;
	void *params, *vars, *stats;
};

static bool law_open(struct law *law, const char *name, const struct aqm_student_model *model)
{
	law->ops = aqm_find(name);
	law->params = malloc(law->ops->params_size);
	law->vars = malloc(law->ops->vars_size);
	law->stats = malloc(law->ops->stats_size);
	if (!law->params || !law->vars || !law->stats ||
	    aqm_params_default(law->ops, law->params, NULL))
		return false;
	if (model)
		((struct aqm_student_params *)law->params)->model = model;
	law->ops->init(law->params, law->vars, law->stats);
	return true;
}

static void law_close(struct law *law)
{
	free(law->params);
	free(law->vars);
	free(law->stats);
}

static unsigned kept; /* so that nothing is computed in vain */

static void arrivals(struct law *law, int from)
{
	for (int i = 0; i < BLOCK; i++) {
		struct aqm_facts *facts = &states[(from + i) % STATES];

		kept += law->ops->on_enqueue(law->params, law->vars, law->stats, facts,
					     &facts->cookie);
	}
}

static void packets(struct law *law, int from)
{
	for (int i = 0; i < BLOCK; i++) {
		struct aqm_facts *facts = &states[(from + i) % STATES];

		kept += law->ops->on_enqueue(law->params, law->vars, law->stats, facts,
					     &facts->cookie);
		kept += law->ops->on_dequeue(law->params, law->vars, law->stats, facts);
	}
}

static void updates(struct law *law, int from)
{
	for (int i = 0; i < BLOCK; i++)
		law->ops->tick(law->params, law->vars, law->stats, &states[(from + i) % STATES]);
}

static int by_size(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median_ns(struct law *law, void (*run)(struct law *law, int from))
{
	static double times[BLOCKS];

	for (int block = 0; block < BLOCKS; block++) {
		const double start = clock_s();

		run(law, block * BLOCK);
		times[block] = (clock_s() - start) * 1e9 / BLOCK;
	}
	qsort(times, BLOCKS, sizeof(times[0]), by_size);
	return times[BLOCKS / 2];
}

static void print_times(const char *name, const char *way, struct law *law, size_t bytes)
{
	updates(law, 0); /* features to start from */
	packets(law, 0);
	printf("%-58s %-7s %6zu %8.1f %8.1f %8.1f\n", name, way, bytes, median_ns(law, arrivals),
	       median_ns(law, packets), median_ns(law, updates));
}

static void fill(struct aqm_student_model *model, struct rng *rng)
{
	for (int layer = 0; layer < model->layers; layer++) {
		for (int row = 0; row < model->layer[layer].outputs; row++) {
			int8_t weights[AQM_STUDENT_INPUTS];

			for (int i = 0; i < model->layer[layer].inputs; i++)
				weights[i] = (int8_t)((int)rng_below(rng, 255) - 127);
			student_model_set_row(model, layer, row, weights, 0, 9);
		}
	}
	/* Verdicts that mostly pass, as good ones do. */
	if (model->mode == AQM_STUDENT_verdict)
		model->net.bias[model->layer[model->layers - 1].first_row] = 6 << 21;
}

static const char *const ways[] = {
#define WAY_NAME(name) #name,
	AQM_STUDENT_VECTORS(WAY_NAME)
#undef WAY_NAME
};

static void print_student(const struct aqm_student_model *model)
{
	char shape[64], name[96];

	snprintf(name, sizeof(name), "%s %s", student_mode_name(model->mode),
		 student_model_describe(model, shape, sizeof(shape)));
	for (int way = 0; way < AQM_STUDENT_VECTOR_COUNT; way++) {
		struct law law;

		if (!aqm_student_vector_use((enum aqm_student_vector)way) ||
		    (model->kind == AQM_STUDENT_tree && way > 0))
			continue;
		if (law_open(&law, "student", model))
			print_times(name, ways[way], &law, student_model_weights(model));
		law_close(&law);
	}
}

/* A full tree of 63 nodes over the features of packets. */
static void make_tree(struct aqm_student_model *tree, struct rng *rng)
{
	tree->kind = AQM_STUDENT_tree;
	tree->layers = 0;
	tree->nodes = 63;
	tree->leaves = 64;
	memset(&tree->tree, 0, sizeof(tree->tree));
	for (int i = 0; i < 63; i++)
		tree->tree.nodes[i] = (struct aqm_student_node){
			.input = (uint8_t)rng_below(rng, tree->inputs),
			.below = (uint8_t)(i < 31 ? 2 * i + 1 : 2 * i + 1 - 63),
			.above = (uint8_t)(i < 31 ? 2 * i + 2 : 2 * i + 2 - 63),
			.leaves = i < 31 ? 0 : 3,
			.threshold = (int16_t)rng_below(rng, 4000)};
	for (int i = 0; i < 64; i++)
		tree->tree.leaves[i][AQM_PASS] = (int16_t)(4096 * rng_below(rng, 8));
}

int main(void)
{
	static const uint8_t eight[] = {
		AQM_STUDENT_FEATURE_is_l,	 AQM_STUDENT_FEATURE_packet_length,
		AQM_STUDENT_FEATURE_qdelay_own,	 AQM_STUDENT_FEATURE_backlog_own,
		AQM_STUDENT_FEATURE_p_own,	 AQM_STUDENT_FEATURE_drops_own,
		AQM_STUDENT_FEATURE_qdelay_c,	 AQM_STUDENT_FEATURE_qdelay_l,
	};
	static const struct {
		const char *layers;
		enum aqm_student_mode mode;
		int count; /* of features; 0: all */
	} rows[] = {
		{"32,32", AQM_STUDENT_supervise, 0},  {"gru16,32", AQM_STUDENT_supervise, 0},
		{"32,32", AQM_STUDENT_verdict, 8},    {"32,32", AQM_STUDENT_verdict, 0},
		{"gru16,32", AQM_STUDENT_verdict, 8}, {"16", AQM_STUDENT_verdict, 0},
		{"transformer6:4", AQM_STUDENT_verdict, 8},
		{"transformer8:4", AQM_STUDENT_verdict, 8},
		{"transformer16:8", AQM_STUDENT_verdict, 8},
		{"transformer16:8", AQM_STUDENT_verdict, 0},
		{"transformer16:8", AQM_STUDENT_supervise, 0},
	};
	static struct aqm_student_model model;
	struct law law;
	struct rng rng;

	rng_seed(&rng, 1);
	walk(&rng);
	printf("%-58s %-7s %6s %8s %8s %8s\n", "ns, median", "way", "bytes", "decision", "packet",
	       "update");
	if (law_open(&law, "dualpi2", NULL))
		print_times("dualpi2", "", &law, 0);
	law_close(&law);
	print_student(aqm_student_shipped());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (student_model_shape(&model, rows[i].mode, rows[i].layers, eight, rows[i].count,
					NULL))
			return 1;
		fill(&model, &rng);
		print_student(&model);
	}
	if (student_model_shape(&model, AQM_STUDENT_verdict, "", NULL, 0, NULL))
		return 1;
	make_tree(&model, &rng);
	print_student(&model);
	return kept == 1; /* never, in practice */
}
