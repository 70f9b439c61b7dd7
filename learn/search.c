/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define TRIES 50 /* to find a child that was not measured yet */

/* One of the population: which design, and how it stands among the others. */
struct member {
	size_t design;
	int rank;	  /* of its front, from 0 */
	double crowding;  /* distance to its neighbours; at the ends infinite */
};

struct search {
	const struct search_space *space;
	const struct search_options *options;
	search_measure *measure;
	void *context;
	struct search_result *result;
	size_t room;
	struct member *members; /* (2 x population) */
	size_t count;
	struct rng rng;
};

bool search_same(const struct search_space *space, const struct search_design *a,
		 const struct search_design *b)
{
	return memcmp(a->gene, b->gene, (size_t)space->count * sizeof(a->gene[0])) == 0;
}

static bool is_known(const struct search *search, const struct search_design *design)
{
	for (size_t i = 0; i < search->result->count; i++)
		if (search_same(search->space, &search->result->designs[i], design))
			return true;
	return false;
}

/* Measures a new design and takes it into the population. */
static int admit(struct search *search, const struct search_design *design, struct error *error)
{
	struct search_result *result = search->result;
	struct search_design *to = &result->designs[result->count];
	int status;

	if (result->count == search->room)
		return error_set(error, ERR_RANGE, "more designs than there is room for");
	*to = *design;
	status = search->measure(search->context, to, error);
	if (status)
		return status;
	search->members[search->count++].design = result->count++;
	return 0;
}

static void settle(const struct search *search, struct search_design *design)
{
	if (search->space->settle)
		search->space->settle(design);
}

static struct search_design design_random(struct search *search)
{
	struct search_design design = {0};

	for (int g = 0; g < search->space->count; g++)
		design.gene[g] =
			(int)rng_below(&search->rng, (uint64_t)search->space->genes[g].choices);
	settle(search, &design);
	return design;
}

static const struct search_design *design_of(const struct search *search, size_t member)
{
	return &search->result->designs[search->members[member].design];
}

static bool is_useful(const struct search_design *design)
{
	return isfinite(design->loss) && isfinite(design->cost);
}

static bool dominates(const struct search_design *a, const struct search_design *b)
{
	if (!is_useful(b))
		return is_useful(a);
	return is_useful(a) && a->loss <= b->loss && a->cost <= b->cost &&
	       (a->loss < b->loss || a->cost < b->cost);
}

/* Ranks: front 0 is dominated by nobody, front 1 by front 0 alone, and so on. */
static void rank_members(struct search *search)
{
	size_t left = search->count;

	for (size_t i = 0; i < search->count; i++)
		search->members[i].rank = -1;
	for (int rank = 0; left > 0; rank++)
		for (size_t i = 0; i < search->count; i++) {
			bool beaten = search->members[i].rank >= 0;

			for (size_t j = 0; j < search->count && !beaten; j++)
				beaten = (search->members[j].rank < 0 ||
					  search->members[j].rank == rank) &&
					 dominates(design_of(search, j), design_of(search, i));
			if (search->members[i].rank < 0 && !beaten) {
				search->members[i].rank = rank;
				left--;
			}
		}
}

static double aim(const struct search_design *design, int which)
{
	return which ? log(design->cost) : design->loss;
}

/* Gap that a member's neighbours leave along one aim, over the front's extent; INFINITY at ends. */
static double gap(const struct search *search, size_t member, int which)
{
	const double own = aim(design_of(search, member), which);
	double below = -INFINITY, above = INFINITY, low = own, high = own;

	for (size_t i = 0; i < search->count; i++) {
		const double other = aim(design_of(search, i), which);

		if (i == member || search->members[i].rank != search->members[member].rank)
			continue;
		low = fmin(low, other);
		high = fmax(high, other);
		if (other < own || (other == own && i < member))
			below = fmax(below, other);
		else
			above = fmin(above, other);
	}
	return high > low ? (above - below) / (high - low) : 0;
}

static void crowd_members(struct search *search)
{
	for (size_t i = 0; i < search->count; i++)
		search->members[i].crowding = is_useful(design_of(search, i))
						      ? gap(search, i, 0) + gap(search, i, 1)
						      : 0;
}

static bool is_better(const struct member *a, const struct member *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;
	if (a->crowding != b->crowding)
		return a->crowding > b->crowding;
	return a->design < b->design;
}

/* The population that goes on: the best, in order. */
static void survive(struct search *search)
{
	rank_members(search);
	crowd_members(search);
	for (size_t i = 1; i < search->count; i++)
		for (size_t j = i; j > 0 && is_better(&search->members[j], &search->members[j - 1]);
		     j--) {
			const struct member keep = search->members[j];

			search->members[j] = search->members[j - 1];
			search->members[j - 1] = keep;
		}
	if (search->count > search->options->population)
		search->count = search->options->population;
}

static const struct search_design *parent(struct search *search)
{
	const size_t a = rng_below(&search->rng, search->count);
	const size_t b = rng_below(&search->rng, search->count);

	return design_of(search, is_better(&search->members[a], &search->members[b]) ? a : b);
}

static struct search_design child(struct search *search)
{
	const struct search_design *mother = parent(search), *father = parent(search);
	const int count = search->space->count;
	const int forced = (int)rng_below(&search->rng, (uint64_t)count);
	struct search_design design = {0};

	for (int g = 0; g < count; g++) {
		const uint64_t choices = (uint64_t)search->space->genes[g].choices;
		const bool first = rng_uniform(&search->rng) < 0.5;
		const bool mutates = rng_uniform(&search->rng) < search->options->mutation;

		design.gene[g] = first ? mother->gene[g] : father->gene[g];
		if ((mutates || g == forced) && choices > 1)
			design.gene[g] = (int)(((uint64_t)design.gene[g] + 1 +
						rng_below(&search->rng, choices - 1)) % choices);
	}
	settle(search, &design);
	return design;
}

/* New children up to twice the population; fewer where the space is exhausted. */
static int breed(struct search *search, struct error *error)
{
	const size_t parents = search->count;
	int status = 0;

	for (size_t n = 0; n < search->options->population && !status; n++) {
		struct search_design design;
		int tries = 0;

		do {
			const size_t all = search->count;

			search->count = parents; /* children are no parents yet */
			design = child(search);
			search->count = all;
		} while (is_known(search, &design) && ++tries < TRIES);
		if (tries < TRIES)
			status = admit(search, &design, error);
	}
	return status;
}

static int begin(struct search *search, struct error *error)
{
	const struct search_space *space = search->space;
	int status = 0;

	for (size_t i = 0; i < space->first_count && i < search->options->population && !status;
	     i++)
		status = admit(search, &space->first[i], error);
	for (int tries = 0; search->count < search->options->population && !status &&
			    tries < TRIES * (int)search->options->population;
	     tries++) {
		const struct search_design design = design_random(search);

		if (!is_known(search, &design))
			status = admit(search, &design, error);
	}
	return status;
}

static void mark_front(struct search_result *result)
{
	for (size_t i = 0; i < result->count; i++) {
		result->front[i] = is_useful(&result->designs[i]);
		for (size_t j = 0; j < result->count && result->front[i]; j++)
			if (dominates(&result->designs[j], &result->designs[i]))
				result->front[i] = false;
	}
}

static int check(const struct search_space *space, const struct search_options *options,
		 struct error *error)
{
	if (space->count < 1 || space->count > SEARCH_GENES_MAX)
		return error_set(error, ERR_RANGE, "%d genes; 1 to %d are searched", space->count,
				 SEARCH_GENES_MAX);
	if (options->population < 2 || options->generations < 1)
		return error_set(error, ERR_RANGE, "a search needs a population of 2 and 1 "
				 "generation");
	return 0;
}

int search_run(const struct search_space *space, const struct search_options *options,
	       search_measure *measure, void *context, struct search_result *result,
	       struct error *error)
{
	struct search search = {.space = space, .options = options, .measure = measure,
				.context = context, .result = result,
				.room = options->population * (options->generations + 1)};
	int status = check(space, options, error);

	*result = (struct search_result){0};
	if (status)
		return status;
	result->designs = calloc(search.room, sizeof(*result->designs));
	result->front = calloc(search.room, sizeof(*result->front));
	search.members = calloc(2 * options->population, sizeof(*search.members));
	if (!result->designs || !result->front || !search.members)
		status = error_set(error, ERR_NO_MEMORY, "a population of %zu",
				   options->population);
	rng_seed(&search.rng, options->seed);
	if (!status)
		status = begin(&search, error);
	for (size_t g = 0; g < options->generations && !status; g++) {
		survive(&search);
		status = breed(&search, error);
	}
	if (!status)
		mark_front(result);
	free(search.members);
	if (status)
		search_result_free(result);
	return status;
}

void search_result_free(struct search_result *result)
{
	free(result->designs);
	free(result->front);
	*result = (struct search_result){0};
}
