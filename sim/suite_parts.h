/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a sampled network: its link, its law and impairments
 * (suite_network.c), who sends through it (suite_traffic.c); and how a sample
 * covers them (suite_coverage.c).
 *
 * Inside sim/suite*.c only.
 */
#ifndef SIM_SUITE_PARTS_H
#define SIM_SUITE_PARTS_H

#include <stdio.h>

#include "base/rng.h"
#include "sim/scenario.h"

#define SUITE_FLOWS_MOST 100
#define SUITE_RATE_LEAST 4 /* Mbit/s, steps included */
#define SUITE_RATE_MOST 1000
#define SUITE_RTT_MOST_MS 200

/* What is drawn log-uniformly, and rounded to three digits. */
struct suite_range {
	const char *what;
	double low, high;
};

double suite_draw(struct rng *rng, const struct suite_range *range);
bool suite_chance(struct rng *rng, double share);
double suite_round(double value);

/* How many kinds of links there are, and the link of kind `kind`. */
unsigned suite_link_kinds(void);
void suite_sample_link(struct scenario *scenario, unsigned kind, struct rng *rng);

/* A kind as often as its share says. */
unsigned suite_choose_link(struct rng *rng);

/* What the path does to packets and acknowledgements; then the law, which may not bear it. */
void suite_sample_impairments(struct scenario *scenario, struct rng *rng);
void suite_sample_law(struct scenario *scenario, struct rng *rng);

/* Everybody who sends.  The duration must be known. */
void suite_sample_traffic(struct scenario *scenario, struct rng *rng);

void suite_describe_network(FILE *out);
void suite_describe_traffic(FILE *out);
void suite_describe_range(FILE *out, const struct suite_range *range);

/* Whether a group is a scalable control that may share an L queue. */
bool suite_is_l4s(const struct scenario_group *group);

/* A group of flows that always have data to send and respond to signals. */
bool suite_is_bulk(const struct scenario_group *group);

#endif
