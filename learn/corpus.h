/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A corpus of telemetry from sampled networks.
 *
 * Network i of a corpus is a function of (seed, i) alone: its rate, round-trip
 * times, traffic mix, queue law and parameters, and its run.  A corpus that
 * starts at another `first` therefore never shares a network with this one.
 */
#ifndef LEARN_CORPUS_H
#define LEARN_CORPUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "experience/pool.h"
#include "learn/telemetry.h"

struct corpus_options {
	uint64_t seed;
	int64_t first, networks;  /* indices [first, first + networks) */
	double seconds;           /* simulated per network, warm-up left out */
	int64_t max_rows;         /* kept per network, from the end of its warm-up on */
	double gamma;             /* of the returns-to-go */
};

struct corpus {
	int64_t networks;
	struct telemetry *telemetry;  /* (networks); 7 and 8 features alternate */
	int64_t rows, events;         /* over all networks */
};

/* Samples, simulates (on all cores) and spells.  `done` may be NULL; it is told finished networks.
 */
int corpus_build(struct corpus *corpus, const struct corpus_options *options,
		 const struct vocabulary *vocabulary,
		 void (*done)(void *context, int64_t networks), void *context,
		 struct error *error);
void corpus_free(struct corpus *corpus);

/* The experience of one sampled network as a pool, states before the decision. */
int corpus_network_pool(struct pool *pool, const struct corpus_options *options, int64_t index,
			struct error *error);

/* One line that says what network `index` is, for model cards and reports. */
void corpus_describe(const struct corpus_options *options, int64_t index, char *text, size_t size);

#endif
