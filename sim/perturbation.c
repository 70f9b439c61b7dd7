/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The law's own functions serve as they are: its parameters stand first, where
 * they look for them, and far behind them stands the pointer that the two
 * functions of this file need.
 */
#include "sim/perturbation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define ROOM 8192	/* bytes for the law's parameters */
#define CREST_STEPS 64	/* of the fastest tone's period, looking for the highest |d| */

struct params {
	_Alignas(16) unsigned char law[ROOM];
	struct perturbation *self;
};

struct perturbation {
	const struct aqm_ops *law;
	struct aqm_ops ops;
	struct params params;
	struct perturbation_state state;
};

double perturbation_at(const struct perturbation_plan *plan, double t_s)
{
	double sum = 0;

	for (size_t i = 0; i < plan->count; i++)
		sum += plan->tones[i].amplitude *
		       sin(2 * acos(-1) * plan->tones[i].hz * (t_s - plan->begin_s) +
			   plan->tones[i].phase);
	return sum;
}

static void scale(struct perturbation_plan *plan, double depth)
{
	const double step = 1 / (plan->tones[plan->count - 1].hz * CREST_STEPS);
	double highest = 0;

	for (double t = plan->begin_s; t < plan->end_s; t += step)
		highest = fmax(highest, fabs(perturbation_at(plan, t)));
	for (size_t i = 0; i < plan->count; i++)
		plan->tones[i].amplitude *= depth / highest;
}

void perturbation_plan_make(struct perturbation_plan *plan, double low_hz, double high_hz,
			    size_t count, double depth)
{
	const double span = plan->end_s - plan->begin_s;
	uint64_t before = 0;
	struct rng rng;

	rng_seed(&rng, plan->seed);
	plan->count = 0;
	for (size_t i = 0; i < count && i < PERTURBATION_MAX_TONES; i++) {
		const double share = count > 1 ? (double)i / (double)(count - 1) : 0;
		const double hz = low_hz * pow(high_hz / low_hz, share);
		/* Odd numbers of periods: what a square bends falls between them. */
		const uint64_t periods = 2 * (uint64_t)(hz * span / 2) + 1;

		if (periods <= before)
			continue;
		before = periods;
		plan->tones[plan->count++] = (struct perturbation_tone){
			(double)periods / span, 1, 2 * acos(-1) * rng_uniform(&rng)};
	}
	if (plan->count)
		scale(plan, depth);
}

void perturbation_begin(struct perturbation_state *state, const struct perturbation_plan *plan)
{
	struct rng root;

	*state = (struct perturbation_state){.plan = *plan};
	rng_seed(&root, plan->seed);
	state->rng = rng_split(&root, 1);
}

static void count(const struct perturbation_plan *plan, double t_s, double complex *sums,
		  double *signals)
{
	if (t_s < plan->begin_s || t_s >= plan->end_s)
		return;
	*signals += 1;
	for (size_t i = 0; i < plan->count; i++) {
		const double angle = 2 * acos(-1) * plan->tones[i].hz * (t_s - plan->begin_s) +
				     plan->tones[i].phase;

		/* sin is the imaginary part of e^(j angle): turned by j. */
		sums[i] += I * (cos(angle) - I * sin(angle));
	}
}

enum aqm_verdict perturbation_pass(struct perturbation_state *state, uint64_t now_ns, unsigned ecn,
				   enum aqm_verdict verdict)
{
	struct perturbation_sums *sums = &state->sums;
	const double t_s = seconds_from_ns(now_ns);
	double d;
	bool drawn;

	if (verdict == AQM_PASS) {
		if (state->owed == 0 || ecn == AQM_CE)
			return AQM_PASS;
		state->owed--;
		count(&state->plan, t_s, sums->met, &sums->met_signals);
		return ecn == AQM_NOT_ECT ? AQM_DROP : AQM_MARK;
	}
	count(&state->plan, t_s, sums->law, &sums->law_signals);
	d = perturbation_at(&state->plan, t_s);
	drawn = rng_uniform(&state->rng) < fabs(d);
	if (drawn && d < 0)
		return AQM_PASS;
	state->owed += drawn;
	count(&state->plan, t_s, sums->met, &sums->met_signals);
	return verdict;
}

static struct perturbation *self_of(const void *params)
{
	return ((const struct params *)params)->self;
}

static bool is_meant(const struct perturbation *self, const struct aqm_facts *facts)
{
	return self->state.plan.queue == PERTURBATION_ANY_QUEUE ||
	       self->state.plan.queue == facts->queue;
}

/* Where a packet's fate is settled on arrival, here; else when it leaves. */
static enum aqm_verdict on_enqueue(const void *params, void *vars, void *stats,
				   const struct aqm_facts *facts, uint32_t *cookie)
{
	struct perturbation *self = self_of(params);
	const enum aqm_verdict verdict =
		self->law->on_enqueue(params, vars, stats, facts, cookie);
	const bool settled =
		!self->law->late || verdict != AQM_PASS || (*cookie & AQM_COOKIE_DECIDED);

	if (!settled || !is_meant(self, facts))
		return verdict;
	return perturbation_pass(&self->state, facts->now_ns, facts->ecn, verdict);
}

static enum aqm_verdict on_dequeue(const void *params, void *vars, void *stats,
				   const struct aqm_facts *facts)
{
	struct perturbation *self = self_of(params);
	const enum aqm_verdict verdict = self->law->on_dequeue(params, vars, stats, facts);

	if (!self->law->late || (facts->cookie & AQM_COOKIE_DECIDED) || !is_meant(self, facts))
		return verdict;
	return perturbation_pass(&self->state, facts->now_ns, facts->ecn, verdict);
}

int perturbation_new(struct perturbation **out, const struct perturbation_plan *plan,
		     const struct aqm_ops *law, const void *params, struct error *error)
{
	struct perturbation *self;

	*out = NULL;
	if (law->params_size > ROOM)
		return error_set(error, ERR_RANGE,
				 "the parameters of %s take %zu bytes, and a disturbed law has "
				 "room for %d",
				 law->name, law->params_size, ROOM);
	self = calloc(1, sizeof(*self));
	if (self == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a disturbance");
	self->law = law;
	self->ops = *law;
	self->ops.params_size = sizeof(self->params);
	self->ops.on_enqueue = on_enqueue;
	if (law->on_dequeue)
		self->ops.on_dequeue = on_dequeue;
	memcpy(self->params.law, params, law->params_size);
	self->params.self = self;
	perturbation_begin(&self->state, plan);
	*out = self;
	return 0;
}

void perturbation_free(struct perturbation *perturbation)
{
	free(perturbation);
}

const struct aqm_ops *perturbation_ops(const struct perturbation *perturbation)
{
	return &perturbation->ops;
}

const void *perturbation_params(const struct perturbation *perturbation)
{
	return &perturbation->params;
}

const struct perturbation_sums *perturbation_sums(const struct perturbation *perturbation)
{
	return &perturbation->state.sums;
}
