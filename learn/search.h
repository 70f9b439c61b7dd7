/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evolutionary search over designs for two aims at once, both to be small.
 *
 * A design is a row of genes, each a choice out of a few.  Selection is that of
 * NSGA-II (Deb et al. 2002): fronts of non-domination, then crowding distance;
 * parents by binary tournament, uniform crossover, one gene or more mutated.
 *
 * The course depends on the seed and on the values of the aims alone.  Nothing
 * is saved between generations: a search that is run again asks for the same
 * designs in the same order, and whoever answers may remember the answers.
 */
#ifndef LEARN_SEARCH_H
#define LEARN_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SEARCH_GENES_MAX 80

struct search_gene {
	const char *name;
	int choices; /* a gene is 0 to choices - 1 */
};

struct search_design {
	int gene[SEARCH_GENES_MAX];
	double loss, cost; /* the aims: less is better; not finite: of no use */
};

struct search_space {
	const struct search_gene *genes; /* (count) */
	int count;
	const struct search_design *first; /* (first_count): designs that begin */
	size_t first_count;
	/* Sets genes that say nothing in this design to 0, so that equals look alike; or NULL. */
	void (*settle)(struct search_design *design);
};

struct search_options {
	size_t population, generations; /* at least 2 and 1 */
	double mutation; /* chance of each gene to change; one changes at least */
	uint64_t seed;
};

/* Fills loss and cost of a design.  A failure ends the search. */
typedef int search_measure(void *context, struct search_design *design, struct error *error);

struct search_result {
	struct search_design *designs; /* all that were measured, each once, in order; owned */
	size_t count;
	bool *front; /* (count): no other is as good in both aims and better in one; owned */
};

/* Runs the search.  ERR_RANGE, ERR_NO_MEMORY, or what `measure` returned. */
int search_run(const struct search_space *space, const struct search_options *options,
	       search_measure *measure, void *context, struct search_result *result,
	       struct error *error);
void search_result_free(struct search_result *result);

/* True when the genes are the same. */
bool search_same(const struct search_space *space, const struct search_design *a,
		 const struct search_design *b);

#endif
