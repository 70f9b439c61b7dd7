/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Suites: networks sampled from a described distribution.
 *
 * Network i of a suite is a function of (suite, seed, i) alone.  `train` and
 * `heldout` draw from one distribution and never share a network, whatever the
 * seeds: the plane of bottleneck rate and delay is cut into cells, and a cell
 * belongs to one side or to the other.  What a policy learned on `train` says
 * nothing of the cells of `heldout` unless it generalises.  `small` is of the
 * side of `heldout`.
 */
#ifndef SIM_SUITE_H
#define SIM_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/scenario.h"

enum suite_side {
	SUITE_TRAIN,
	SUITE_HELDOUT,
	SUITE_BOTH, /* astride: its rates lie in cells of both */
};

struct suite {
	const char *name, *summary;
	uint64_t stream;   /* label of its generator: another gives other networks */
	enum suite_side side;
	uint64_t networks; /* where nobody says how many */
	double duration_s, warmup_s;
	double most_mbps;  /* no link has a higher rate */
	bool in_turn;      /* network i has the kind of link i, not a drawn one */
};

/* Ends with a NULL name. */
extern const struct suite suites[];

/* NULL: no such suite. */
const struct suite *suite_find(const char *name);

/*
 * The distribution as text, from the tables that sampling reads; malloc'd, the
 * caller frees.  NULL when out of memory.
 */
char *suite_describe(const struct suite *suite);

/* How many of the first `networks` have what, as a table; as suite_describe(). */
char *suite_cover(const struct suite *suite, uint64_t seed, uint64_t networks);

/* Network `index`; scenario_free() it.  Its name is SUITE-SEED-INDEX. */
void suite_sample(const struct suite *suite, uint64_t seed, uint64_t index,
		  struct scenario *scenario);

/* To which suite the cells of any scenario belong: of all its rates with its delay. */
enum suite_side suite_side_of(const struct scenario *scenario);

#endif
