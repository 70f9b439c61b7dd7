/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard's theorem over any number of packets: `theorem PACKETS [SEED]`.
 *
 * A link is busy, idle, Classic, L4S, fast, slow, late or prompt by turns of
 * random length, and policies of several kinds get at it: greedy ones, which
 * take whatever the guard gives, in bursts and always; ones that omit what they
 * can; ones that do both at random.  The checker counts what breaks the theorem.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "tests/guard/checker.h"

enum manner { GREEDY, OMITTING, RANDOM, OPPOSITE, QUIET, MANNERS };

struct world {
	struct rng rng;
	struct aqm_guard_params params;
	struct aqm_guard_vars guard;
	struct checker checker;
	uint64_t now_ns, waits_ns; /* about how long packets wait */
	uint64_t gap_ns;	   /* about how long a packet takes */
	unsigned classic_of_256, idle_of_256, overload_of_256;
	enum manner manner;
	uint64_t extra, omitted, overridden, judged;
};

/* Another link, and another policy. */
static void turn(struct world *world)
{
	struct rng *rng = &world->rng;

	world->gap_ns = UINT64_C(1000) << rng_below(rng, 14);
	world->waits_ns = UINT64_C(20000) << rng_below(rng, 12);
	world->classic_of_256 = rng_below(rng, 3) ? (unsigned)rng_below(rng, 257)
						  : (unsigned)rng_below(rng, 2) * 256;
	world->idle_of_256 = rng_below(rng, 4) ? 0 : (unsigned)rng_below(rng, 40);
	world->overload_of_256 = rng_below(rng, 8) ? 0 : (unsigned)rng_below(rng, 257);
	world->manner = (enum manner)rng_below(rng, MANNERS);
}

static enum aqm_verdict wish(const struct world *world, enum aqm_verdict law, uint64_t bits)
{
	switch (world->manner) {
	case GREEDY:
		return AQM_DROP;
	case OMITTING:
		return AQM_PASS;
	case OPPOSITE:
		return law == AQM_PASS ? AQM_DROP : AQM_PASS;
	case RANDOM:
		return (enum aqm_verdict)(bits % 3);
	default:
		return law;
	}
}

static void judge(struct world *world, const struct aqm_facts *facts, uint64_t bits)
{
	const enum aqm_verdict law = bits % 11 ? AQM_PASS : bits % 2 ? AQM_MARK : AQM_DROP;
	const enum aqm_verdict wanted = wish(world, law, bits >> 8);
	const bool overload = (bits >> 16 & 255) < world->overload_of_256;
	const struct aqm_guard_vars before = world->guard;
	const enum aqm_verdict verdict =
		aqm_guard_judges(&world->params, &world->guard, facts, law, wanted, overload);

	checker_judged(&world->checker, &world->params, &before, facts, law, wanted, overload,
		       verdict);
	world->judged++;
	world->extra += verdict > law;
	world->omitted += verdict < law;
	world->overridden += verdict != wanted;
	if (verdict > law && (bits >> 24 & 31) == 0) {
		aqm_guard_repays(&world->guard, facts->queue);
		checker_repaid(&world->checker, facts->queue);
	}
}

static void arrive(struct world *world, struct aqm_facts *facts, uint64_t bits)
{
	checker_time(&world->checker, &world->guard, facts->now_ns);
	aqm_guard_arrived(&world->guard, facts);
	checker_arrived(&world->checker, &world->guard, facts->queue);
	if (bits & 1)
		judge(world, facts, bits >> 1);
}

static void depart(struct world *world, struct aqm_facts *facts, uint64_t bits)
{
	checker_time(&world->checker, &world->guard, facts->now_ns);
	aqm_guard_departs(&world->params, &world->guard, facts);
	checker_departed(&world->checker, &world->params, &world->guard, facts);
	if ((bits & 1) == 0)
		judge(world, facts, bits >> 1);
}

static void run_dry(struct world *world, uint64_t bits)
{
	checker_time(&world->checker, &world->guard, world->now_ns);
	aqm_guard_found_empty(&world->guard, world->now_ns);
	checker_found_empty(&world->checker, &world->guard);
	world->now_ns += world->gap_ns << (bits % 9);
}

static void one_packet(struct world *world)
{
	const uint64_t bits = rng_u64(&world->rng), more = rng_u64(&world->rng);
	struct aqm_facts facts = {.now_ns = world->now_ns};
	const uint64_t waited_ns = world->waits_ns * (more & 255) >> 7;

	facts.queue = (bits & 255) < world->classic_of_256 ? AQM_QUEUE_C : AQM_QUEUE_L;
	facts.head_sojourn_ns[facts.queue] = waited_ns;
	facts.head_sojourn_ns[!facts.queue] = world->waits_ns * (more >> 8 & 255) >> 7;
	arrive(world, &facts, bits >> 8);
	world->now_ns += world->gap_ns * (more >> 16 & 255) >> 7;
	facts.now_ns = world->now_ns;
	facts.sojourn_ns = waited_ns;
	depart(world, &facts, more >> 24);
	if ((bits >> 56) < world->idle_of_256)
		run_dry(world, more >> 56);
}

static int tell(const struct world *world, uint64_t packets)
{
	const uint64_t violations = checker_total(&world->checker);

	printf("%" PRIu64 " packets, %.0f s: %" PRIu64 " judged, %" PRIu64 " extra signals, "
	       "%" PRIu64 " omitted, %" PRIu64 " overridden; opened %" PRIu64 " times, closed "
	       "%" PRIu64 "\n",
	       packets, (double)world->now_ns / 1e9, world->judged, world->extra, world->omitted,
	       world->overridden, world->checker.openings, world->checker.closings);
	for (int i = 0; i < CHECKER_CLAIM_COUNT; i++)
		printf("%12" PRIu64 "  %s\n", world->checker.violations[i],
		       checker_claim_text((enum checker_claim)i));
	printf("%" PRIu64 " violations of the theorem\n", violations);
	if (violations)
		return 1;
	if (world->extra && world->omitted && world->checker.openings && world->checker.closings)
		return 0;
	printf("which shows nothing, as too little happened: take a million packets or more\n");
	return 1;
}

int main(int argc, char **argv)
{
	const uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	struct world world = {.now_ns = 1};
	uint64_t left = 0;

	rng_seed(&world.rng, argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
	aqm_guard_set(&world.params, 15000000, 1000000);
	aqm_guard_init(&world.guard);
	for (uint64_t i = 0; i < packets; i++) {
		if (left-- == 0) {
			turn(&world);
			left = UINT64_C(1) << rng_below(&world.rng, 18);
		}
		one_packet(&world);
	}
	return tell(&world, packets);
}
