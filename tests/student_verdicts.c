/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints one digest of all verdicts, settings and outputs of students of every kind over random
 * packets: whatever built this, it must be the same (student_verdicts.sh).
 */
#include <inttypes.h>
#include <stdio.h>

#include "aqm/student.h"
#include "base/rng.h"
#include "policy/student_model.h"

#define PACKETS 10000

static uint64_t digest = UINT64_C(14695981039346656037);

static void mix(uint64_t value)
{
	digest = (digest ^ value) * UINT64_C(1099511628211);
}

static void fill(struct aqm_student_model *net, struct rng *rng)
{
	for (int layer = 0; layer < net->layers; layer++) {
		for (int row = 0; row < net->layer[layer].outputs; row++) {
			const int32_t bias = (int32_t)rng_below(rng, 1 << 22) - (1 << 21);
			const uint8_t shift = (uint8_t)(8 + rng_below(rng, 3));
			int8_t weights[AQM_STUDENT_INPUTS];

			for (int i = 0; i < net->layer[layer].inputs; i++)
				weights[i] = (int8_t)((int)rng_below(rng, 255) - 127);
			student_model_set_row(net, layer, row, weights, bias, shift);
		}
	}
}

static struct aqm_facts draw(struct rng *rng, uint64_t now_ns)
{
	struct aqm_facts facts = {.now_ns = now_ns};

	facts.random = rng_u64(rng);
	facts.len_bytes = 40 + (uint32_t)rng_below(rng, 1461);
	facts.ecn = (uint8_t)rng_below(rng, 4);
	facts.queue = (uint8_t)aqm_dual_classify(facts.ecn);
	for (int q = 0; q < AQM_QUEUES; q++) {
		facts.backlog_pkts[q] = (uint32_t)rng_below(rng, 60);
		facts.backlog_bytes[q] = facts.backlog_pkts[q] * UINT64_C(1200);
		facts.head_sojourn_ns[q] = facts.backlog_pkts[q] * rng_below(rng, 1000000);
		facts.total_drops[q] = now_ns / 100000000;
	}
	if (facts.backlog_pkts[0] + facts.backlog_pkts[1] == 0)
		facts.idle_ns = rng_below(rng, 5000000);
	return facts;
}

static void run(const struct aqm_student_model *model, bool guarded, struct rng *rng)
{
	const struct aqm_student_params params = {
		.base = {.target_ns = 15000000,
			 .tupdate_ns = 16000000,
			 .alpha_q16 = 10490,
			 .beta_q16 = 209570,
			 .k_q16 = 2 << 16,
			 .mtu_bytes = 1500,
			 .step = {1000000, 1},
			 .drop_overload = true},
		.scheduler.wrr.c_percent = 10,
		.guarded = guarded,
	};
	static struct aqm_student_vars vars;
	struct aqm_student_stats stats;
	uint64_t now_ns = 1000000;

	aqm_student_init(&params, model, &vars, &stats);
	for (int i = 0; i < PACKETS; i++) {
		struct aqm_facts facts = draw(rng, now_ns += rng_below(rng, 2000000));
		enum aqm_verdict verdict;
		bool decided;

		if (i % 16 == 0)
			aqm_student_tick(&params, &vars, &stats, &facts);
		verdict = aqm_student_on_enqueue(&params, &vars, &stats, &facts, &decided);
		facts.sojourn_ns = facts.head_sojourn_ns[facts.queue];
		mix(verdict);
		if (verdict != AQM_DROP)
			mix(aqm_student_on_dequeue(&params, &vars, &stats, &facts, i % 3, decided,
						   verdict));
		for (int j = 0; j < model->outputs; j++)
			mix((uint64_t)vars.output[j]);
		mix(vars.now.target_ns ^ vars.now.beta_q16 ^ vars.now.k_q16);
	}
}

int main(void)
{
	static const char *const layers[] = {"32,32", "tanh16", "gru12,16", "transformer12:6"};
	static struct aqm_student_model model;
	struct rng rng;

	rng_seed(&rng, 1);
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
		for (int mode = 0; mode < AQM_STUDENT_MODE_COUNT; mode++) {
			if (student_model_shape(&model, (enum aqm_student_mode)mode, layers[i],
						NULL, 0, NULL))
				return 1;
			fill(&model, &rng);
			run(&model, i % 2 == 0, &rng);
		}
	}
	printf("%016" PRIx64 "\n", digest);
	return 0;
}
