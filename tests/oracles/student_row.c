/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A student of one dense layer, one cell and one dense layer, with random weights, and the law
 * that it sets.
 */
#include <math.h>

#include "aqm/ref/pi2.h"
#include "aqm/ref/student.h"
#include "aqm/student.h"
#include "tests/oracles/rows.h"

#define INPUTS 9
#define FIRST 7
#define CELL 6
#define OUTPUTS AQM_STUDENT_SETTING_COUNT
#define UNIT 4096.0

/* Weights of the four layers as the oracle has them. */
struct numbers {
	double w[4][512], b[4][32];
};

struct student_state {
	struct world world;
	struct aqm_student_model model;
	struct aqm_student_params params;
	struct aqm_student_vars vars;
	struct aqm_student_stats stats;
	struct numbers numbers;
};

static const struct aqm_student_layer shape[4] = {
	{AQM_STUDENT_dense, AQM_STUDENT_relu, INPUTS, FIRST, 0, 0},
	{AQM_STUDENT_gates, AQM_STUDENT_sigmoid, FIRST + CELL, 2 * CELL, 80, 16},
	{AQM_STUDENT_candidate, AQM_STUDENT_tanh, FIRST + CELL, CELL, 192, 32},
	{AQM_STUDENT_dense, AQM_STUDENT_linear, CELL, OUTPUTS, 304, 48},
};

static void draw_row(struct student_state *student, struct rng *rng, int l, int row)
{
	const struct aqm_student_layer *layer = &student->model.layer[l];
	struct aqm_student_weights *net = &student->model.net;
	/* Sums of about 1: beyond, errors grow from layer to layer as they would in any net. */
	const unsigned shift = (unsigned)draw_between(rng, 8, 10);
	const int32_t bias = (int32_t)draw_between(rng, 0, 2 << (12 + shift)) - (1 << (12 + shift));

	net->shift[layer->first_row + row] = (uint8_t)shift;
	net->bias[layer->first_row + row] = bias;
	student->numbers.b[l][row] = ldexp(bias, -12 - (int)shift);
	for (int i = 0; i < layer->inputs; i++) {
		const int weight = (int)draw_between(rng, 0, 254) - 127;
		int16_t *pair = &net->pair[layer->first_pair + i / 2 * 16 + row];

		*pair = (int16_t)(i % 2 ? (*pair & 255) | (uint16_t)((uint8_t)weight << 8)
					: (uint8_t)weight);
		student->numbers.w[l][row * layer->inputs + i] = ldexp(weight, -(int)shift);
	}
}

static void student_open(void *state, struct rng *rng)
{
	struct student_state *student = state;

	*student = (struct student_state){0};
	world_open(&student->world, rng);
	student->params.base = (struct aqm_dualpi2_params){
		.target_ns = draw_between(rng, 1000000, 60000000),
		.tupdate_ns = 16000000,
		.alpha_q16 = (uint32_t)draw_between(rng, 8, 8 << 16),
		.beta_q16 = (uint32_t)draw_between(rng, 8, 8 << 16),
		.k_q16 = (uint32_t)draw_between(rng, 1 << 14, 8 << 16),
		.mtu_bytes = 1500,
		.step = {draw_between(rng, 250000, 4000000), 1},
		.drop_overload = rng_below(rng, 2),
	};
	student->model.inputs = INPUTS;
	student->model.outputs = OUTPUTS;
	student->model.layers = 4;
	for (int l = 0; l < 4; l++) {
		student->model.layer[l] = shape[l];
		for (int row = 0; row < shape[l].outputs; row++)
			draw_row(student, rng, l, row);
	}
	aqm_student_init(&student->params, &student->model, &student->vars, &student->stats);
}

/* The net's outputs on both sides from the core's state. */
static void think(struct student_state *student, struct rng *rng, struct oracle_score *score)
{
	const struct numbers *n = &student->numbers;
	double x[INPUTS], first[FIRST], h[CELL], out[OUTPUTS];

	for (int i = 0; i < INPUTS; i++) {
		student->vars.input[i] = (int16_t)((int)draw_between(rng, 0, 16384) - 8192);
		x[i] = student->vars.input[i] / UNIT;
	}
	for (int i = 0; i < CELL; i++)
		h[i] = student->vars.state.hidden[i] / 65536.0;
	aqm_student_net_plain(&student->model, &student->vars.state, student->vars.input,
			      student->vars.output);
	oracle_student_dense(FIRST, INPUTS, n->w[0], n->b[0], 1, x, first);
	oracle_student_cell(CELL, FIRST, n->w[1], n->b[1], n->w[2], n->b[2], first, h);
	oracle_student_dense(OUTPUTS, CELL, n->w[3], n->b[3], 0, h, out);
	for (int i = 0; i < OUTPUTS; i++)
		oracle_compare(score, student->vars.output[i], out[i] * UNIT);
}

/* A setting's error as one of the output that made it. */
static void compare_setting(struct oracle_score *score, double core, double oracle)
{
	oracle_compare(score, log2(core) * UNIT, log2(oracle) * UNIT);
}

static void apply(struct student_state *student, struct oracle_score *score)
{
	const struct aqm_dualpi2_params *base = &student->params.base, *now = &student->vars.now;
	double steepness, out[OUTPUTS];

	for (int i = 0; i < OUTPUTS; i++)
		out[i] = student->vars.output[i] / UNIT;
	steepness = fmin(fmax(out[7], 0), 4);
	aqm_student_settings_apply(base, student->vars.output, &student->vars);
	compare_setting(score, (double)now->target_ns,
			oracle_student_setting((double)base->target_ns, out[0], 1e6, 60e6));
	compare_setting(score, (double)now->step.threshold_ns,
			oracle_student_setting((double)base->step.threshold_ns, out[1], 250e3,
					       4e6));
	compare_setting(score, now->k_q16,
			oracle_student_setting(base->k_q16, out[2], 16384, 524288));
	/* Whole units of small gains are coarse. */
	if (base->beta_q16 > 8192)
		compare_setting(score, now->beta_q16,
				oracle_student_setting(base->beta_q16, out[3],
						       base->beta_q16 / 8.0,
						       base->beta_q16 * 8.0));
	oracle_compare(score, student->vars.regularity_q16 / 16.0,
		       fmin(fmax(out[4], 0), 1) * UNIT);
	oracle_compare(score, student->vars.decay_q16 / 16.0, fmin(fmax(out[5], 0), 1) * UNIT);
	oracle_compare(score, student->vars.steep_below_q16 / 16.0, steepness * UNIT);
	/* An octave of room. */
	student->vars.steep_above_q16 =
		aqm_student_steep_above_q16(student->vars.steep_below_q16, 4096);
	oracle_compare(score, student->vars.steep_above_q16 / 16.0, fmin(steepness, 2) * UNIT);
	student->vars.per_target_q48 = (UINT64_C(1) << 48) / now->target_ns;
}

static struct oracle_dualpi2 law_of(const struct aqm_student_vars *vars)
{
	return (struct oracle_dualpi2){
		.p = (double)vars->law.p_q32 / ORACLE_Q32,
		.k = vars->now.k_q16 / 65536.0,
		.mtu_bytes = vars->now.mtu_bytes,
		.drop_overload = vars->now.drop_overload,
		.min_th = (double)vars->now.step.threshold_ns,
		.max_th = (double)vars->now.step.threshold_ns,
		.th_pkts = vars->now.step.min_qlen_pkts,
	};
}

/* A packet departs.  Too near to the threshold for rounding to tell, verdicts are not compared. */
static void depart(struct student_state *student, struct aqm_facts *facts, uint32_t found_pkts,
		   struct oracle_score *score)
{
	struct aqm_student_vars *vars = &student->vars;
	const struct oracle_dualpi2 law = law_of(vars);
	const double regularity = vars->regularity_q16 / 65536.0;
	const double p = oracle_student_steep(
		law.p, vars->steep_below_q16 / 65536.0, vars->steep_above_q16 / 65536.0,
		(double)facts->sojourn_ns, (double)vars->now.target_ns);
	const double distance = oracle_student_distance(
		(double)vars->added_q32 / ORACLE_Q32, p * p, regularity,
		(double)vars->exponential_q32 / ORACLE_Q32);
	const bool classic = facts->queue == AQM_QUEUE_C;
	const bool regular = regularity > 0 && classic;
	const bool own = regular || (vars->steep_below_q16 > 0 && classic);
	const bool any = floor(p * p * ORACLE_Q32) > 0;
	/* Above 0 where it is signalled. */
	const double margin = regular ? (any ? distance : -1)
				      : p * p - (double)(uint32_t)facts->random / ORACLE_Q32;
	const double draw = margin >= 0 ? 0 : 1;
	const struct oracle_arrival packet = {
		.ecn = facts->ecn,
		.queue = facts->queue,
		.queued_bytes = (double)facts->backlog_bytes[0] + (double)facts->backlog_bytes[1],
		.sojourn = (double)facts->sojourn_ns,
		.found_pkts = found_pkts,
		.u1 = own ? draw : (double)(uint32_t)facts->random / ORACLE_Q32,
		.u2 = own ? draw : (double)(uint32_t)(facts->random >> 32) / ORACLE_Q32,
	};
	const int core = (int)aqm_student_law(vars, &student->stats, facts, found_pkts);

	/* The law's p' of 1 signals whatever is drawn; here it does not. */
	if (!own || (fabs(margin) > 1e-4 && law.p < 1))
		oracle_verdict(score, core, oracle_dualpi2_dequeue(&law, &packet));
}

static void student_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct student_state *student = state;
	struct aqm_facts facts;

	world_next(&student->world, rng, &facts);
	if (rng_below(rng, 8) == 0) {
		think(student, rng, score);
		apply(student, score);
		student->vars.law.p_q32 = draw_p_q32(rng);
		return;
	}
	draw_near(rng, &facts, student->vars.law.p_q32, student->vars.now.k_q16);
	facts.sojourn_ns = facts.queue == AQM_QUEUE_C
				   ? student->vars.now.target_ns * draw_between(rng, 0, 400) / 100
				   : student->vars.now.step.threshold_ns *
					     draw_between(rng, 70, 130) / 100;
	depart(student, &facts, (uint32_t)rng_below(rng, 5), score);
}

const struct oracle_row oracle_student = {
	.name = "student",
	.compared = "outputs, log2 of settings, the other settings (2^-12); verdicts exactly",
	.allowed = 24,
	.size = sizeof(struct student_state),
	.open = student_open,
	.step = student_step,
};
