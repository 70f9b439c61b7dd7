/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evolutionary search: on a problem whose front is known it comes close, better
 * than the same number of random designs; the seed alone decides its course;
 * no design is measured twice; a design of no use is never on the front.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/search.h"

#define GENES 12

static struct search_gene genes[GENES];

static const struct search_space space = {.genes = genes, .count = GENES};

struct counter {
	size_t asked;
	bool fails_at_7;
};

static void genes_set(void)
{
	for (int g = 0; g < GENES; g++)
		genes[g] = (struct search_gene){"gene", 6};
}

/*
 * The first gene trades loss against cost; every other one should be 3, and costs loss
 * where it is not.  The front: all others 3.
 */
static int measure(void *context, struct search_design *design, struct error *error)
{
	struct counter *counter = context;

	if (counter->fails_at_7 && counter->asked == 7)
		return error_set(error, ERR_FAILED, "the seventh");
	counter->asked++;
	design->cost = 1 + design->gene[0];
	design->loss = 1.0 / (1 + design->gene[0]);
	for (int g = 1; g < GENES; g++)
		design->loss += 0.1 * abs(design->gene[g] - 3);
	if (design->gene[1] == 5)
		design->loss = NAN;
	return 0;
}

/* Sum over the costs 1 to 6 of how far the best loss at no more cost lies above the front. */
static double shortfall(const struct search_result *result)
{
	double sum = 0;

	for (int cost = 1; cost <= 6; cost++) {
		double best = 10;

		for (size_t i = 0; i < result->count; i++)
			if (isfinite(result->designs[i].loss) && result->designs[i].cost <= cost)
				best = fmin(best, result->designs[i].loss);
		sum += best - 1.0 / cost;
	}
	return sum;
}

static void run(const struct search_options *options, struct search_result *result)
{
	struct counter counter = {0};
	struct error error = {0};

	if (search_run(&space, options, measure, &counter, result, &error))
		fail_msg("%s", error.text);
	assert_int_equal(counter.asked, result->count);
}

static void it_comes_close_to_the_front(void **state)
{
	const struct search_options evolved = {.population = 20, .generations = 29,
					       .mutation = 0.1, .seed = 1};
	const struct search_options random = {.population = 600, .generations = 1,
					      .mutation = 0.1, .seed = 1};
	struct search_result a, b;

	(void)state;
	genes_set();
	run(&evolved, &a);
	run(&random, &b);
	b.count = b.count < 600 ? b.count : 600; /* the first generation is random */
	assert_int_equal(a.count, 600);
	assert_true(shortfall(&a) < 0.7);
	assert_true(shortfall(&a) < 0.5 * shortfall(&b));
	for (size_t i = 0; i < a.count; i++)
		assert_false(a.front[i] && !isfinite(a.designs[i].loss));
	for (size_t i = 0; i < a.count; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(search_same(&space, &a.designs[i], &a.designs[j]));
	search_result_free(&a);
	search_result_free(&b);
}

static void the_seed_decides(void **state)
{
	struct search_options options = {.population = 8, .generations = 5, .mutation = 0.1,
					 .seed = 3};
	struct search_result a, b, c;
	bool differs = false;

	(void)state;
	genes_set();
	run(&options, &a);
	run(&options, &b);
	options.seed = 4;
	run(&options, &c);
	assert_int_equal(a.count, b.count);
	for (size_t i = 0; i < a.count; i++) {
		assert_true(search_same(&space, &a.designs[i], &b.designs[i]));
		differs |= !search_same(&space, &a.designs[i], &c.designs[i]);
	}
	assert_true(differs);
	search_result_free(&a);
	search_result_free(&b);
	search_result_free(&c);
}

/* The last gene says nothing where the first is 0. */
static void settle(struct search_design *design)
{
	if (design->gene[0] == 0)
		design->gene[GENES - 1] = 0;
}

static void designs_that_are_one_are_measured_once(void **state)
{
	const struct search_options options = {.population = 20, .generations = 5,
					       .mutation = 0.1, .seed = 1};
	struct search_space settled = space;
	struct counter counter = {0};
	struct search_result result;
	size_t silent = 0;

	(void)state;
	genes_set();
	settled.settle = settle;
	assert_int_equal(search_run(&settled, &options, measure, &counter, &result, NULL), 0);
	for (size_t i = 0; i < result.count; i++) {
		const int *gene = result.designs[i].gene;

		silent += gene[0] == 0;
		assert_true(gene[0] != 0 || gene[GENES - 1] == 0);
	}
	assert_true(silent > 0);
	search_result_free(&result);
}

static void small_spaces_and_failures_end_it(void **state)
{
	struct search_options options = {.population = 10, .generations = 3, .mutation = 0.1};
	struct search_space small = {.genes = genes, .count = 1};
	struct search_result result;
	struct counter counter = {.fails_at_7 = true};
	struct error error = {0};

	(void)state;
	genes_set();
	assert_int_equal(search_run(&space, &options, measure, &counter, &result, &error),
			 ERR_FAILED);
	assert_null(result.designs);
	counter = (struct counter){0};
	small.genes = (const struct search_gene[]){{"one", 4}};
	assert_int_equal(search_run(&small, &options, measure, &counter, &result, &error), 0);
	assert_int_equal(result.count, 4);
	search_result_free(&result);
	options.population = 1;
	assert_int_equal(search_run(&space, &options, measure, &counter, &result, &error),
			 ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_close_to_the_front),
		cmocka_unit_test(the_seed_decides),
		cmocka_unit_test(designs_that_are_one_are_measured_once),
		cmocka_unit_test(small_spaces_and_failures_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
