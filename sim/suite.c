/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling by rejection: a network whose cells lie on the other side, or
 * astride, is drawn again.  What a network is made of stands in
 * suite_network.c and suite_traffic.c.
 *
 * A cell is half an octave of rate by half an octave of one-way delay; a hash
 * of its two numbers gives one in five to `heldout`.  The cells of published
 * networks are held out by name, so that policies trained on `train` have not
 * seen their like either.
 */
#include "sim/suite.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "sim/suite_parts.h"

#define HELD_OUT_ONE_IN 5

/* Runs long enough to converge, over links of any rate. */
#define WHOLE_RUNS .networks = 20, .duration_s = 40, .warmup_s = 10, .most_mbps = SUITE_RATE_MOST

const struct suite suites[] = {
	{
		.name = "train",
		.stream = 0,
		.summary = "networks to learn from",
		.side = SUITE_TRAIN,
		WHOLE_RUNS,
	},
	{
		.name = "heldout",
		.stream = 1,
		.summary = "networks of the same kind that `train` never has",
		.side = SUITE_HELDOUT,
		WHOLE_RUNS,
	},
	{
		.name = "small",
		.stream = 2,
		.summary = "a short look at held-out networks: every kind of link in turn",
		.side = SUITE_HELDOUT,
		.networks = 24,
		.duration_s = 20,
		.warmup_s = 5,
		.most_mbps = 100,
		.in_turn = true,
	},
	{0},
};

/* Networks whose figures are published: rate and one-way delay. */
static const struct {
	double rate_mbps, delay_ms;
	const char *where;
} published[] = {
	{8, 10, "the paper's testbed"},
	{40, 10, "room"},
	{40, 50, "room"},
	{12, 10, "room"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct suite *suite_find(const char *name)
{
	for (const struct suite *suite = suites; suite->name; suite++)
		if (strcmp(suite->name, name) == 0)
			return suite;
	return NULL;
}

struct cell {
	int64_t rate, delay;
};

static struct cell cell_of(double rate_mbps, double delay_ms)
{
	return (struct cell){
		.rate = (int64_t)floor(2 * log2(rate_mbps)),
		.delay = (int64_t)floor(2 * log2(fmax(delay_ms, 1e-3))),
	};
}

static enum suite_side side_of_cell(struct cell cell)
{
	struct rng hash, root;

	for (size_t i = 0; i < COUNT(published); i++) {
		const struct cell other = cell_of(published[i].rate_mbps, published[i].delay_ms);

		if (other.rate == cell.rate && other.delay == cell.delay)
			return SUITE_HELDOUT;
	}
	rng_seed(&root, (uint64_t)cell.rate);
	hash = rng_split(&root, (uint64_t)cell.delay);
	return rng_below(&hash, HELD_OUT_ONE_IN) == 0 ? SUITE_HELDOUT : SUITE_TRAIN;
}

enum suite_side suite_side_of(const struct scenario *scenario)
{
	enum suite_side side = side_of_cell(cell_of(scenario->rate_mbps, scenario->delay_ms));

	for (uint64_t i = 0; i < scenario->step_count; i++)
		if (side_of_cell(cell_of(scenario->steps[i].rate_mbps, scenario->delay_ms)) != side)
			return SUITE_BOTH;
	return side;
}

/* The highest rate that the link is said to have. */
static double most_rate(const struct scenario *scenario)
{
	double most = scenario->rate_mbps;

	for (uint64_t i = 0; i < scenario->step_count; i++)
		most = fmax(most, scenario->steps[i].rate_mbps);
	return most;
}

void suite_sample(const struct suite *suite, uint64_t seed, uint64_t index,
		  struct scenario *scenario)
{
	struct digest digest;
	struct rng root, rng;
	unsigned kind;

	rng_seed(&root, seed);
	root = rng_split(&root, suite->stream);
	rng = rng_split(&root, index);
	kind = suite->in_turn ? (unsigned)(index % suite_link_kinds()) : suite_choose_link(&rng);
	do {
		scenario_init(scenario);
		scenario->duration_s = suite->duration_s;
		scenario->warmup_s = suite->warmup_s;
		suite_sample_link(scenario, kind, &rng);
	} while (suite_side_of(scenario) != suite->side ||
		 most_rate(scenario) > suite->most_mbps);
	suite_sample_impairments(scenario, &rng);
	suite_sample_law(scenario, &rng);
	suite_sample_traffic(scenario, &rng);
	snprintf(scenario->name, sizeof(scenario->name), "%s-%" PRIu64 "-%06" PRIu64, suite->name,
		 seed, index);
	digest_init(&digest);
	digest_add(&digest, scenario->name, strlen(scenario->name));
	digest_add(&digest, &suite->duration_s, sizeof(suite->duration_s));
	digest_add(&digest, &suite->warmup_s, sizeof(suite->warmup_s));
	digest_add(&digest, &suite->most_mbps, sizeof(suite->most_mbps));
	digest_end(&digest, scenario->content);
}

char *suite_describe(const struct suite *suite)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fprintf(out, "%s: %s\n%g s each, the first %g s left out of statistics", suite->name,
		suite->summary, suite->duration_s, suite->warmup_s);
	if (suite->most_mbps < SUITE_RATE_MOST)
		fprintf(out, "; no rate above %g Mbit/s", suite->most_mbps);
	fputs("\n\n", out);
	suite_describe_network(out);
	suite_describe_traffic(out);
	fprintf(out,
		"\nCells of half an octave of rate by half an octave of delay belong to one side: "
		"a hash of\nthe cell holds one in %d out, and the cells of published networks are "
		"held out too:\n",
		HELD_OUT_ONE_IN);
	for (size_t i = 0; i < COUNT(published); i++)
		fprintf(out, "  %g Mbit/s, %g ms (%s)\n", published[i].rate_mbps,
			published[i].delay_ms, published[i].where);
	fprintf(out, "A link all of whose rates (the mean of a generated one, every step) lie in "
		     "cells of this\nside is kept, any other drawn again.\n");
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
