/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every decision core beside its oracle of aqm/ref/, over millions of random
 * steps.  A law is one row of the table in rows.h.
 *
 * A row's state holds the core, its oracle and the little world they see.
 * open() draws new parameters anywhere in their declared ranges; step() goes
 * one random step on both sides and tells the score what it compared.  The
 * oracle is given the core's state before each step, so that every step stands
 * for itself and what the text rounds does not add up.
 */
#ifndef TESTS_ORACLES_ORACLES_H
#define TESTS_ORACLES_ORACLES_H

#include <stddef.h>
#include <stdint.h>

#include "aqm/facts.h"
#include "base/rng.h"

#define ORACLE_Q32 4294967296.0

struct oracle_score {
	double largest;      /* difference, in units of the core's fixed point */
	uint64_t mismatches; /* verdicts, or other things that must be equal */
	uint64_t signals;    /* marks and drops: proof that the walk went where they are */
};

struct oracle_row {
	const char *name;
	const char *compared; /* for the reader: quantities and their units */
	double allowed;       /* largest difference that passes; 0: exact */
	size_t size;
	void (*open)(void *state, struct rng *rng);
	void (*step)(void *state, struct rng *rng, struct oracle_score *score);
	void (*close)(void *state); /* optional */
};

/* Both in units of the core's fixed point. */
void oracle_compare(struct oracle_score *score, double core, double oracle);

/* Two verdicts (enum aqm_verdict), or two of anything that has no fraction. */
void oracle_verdict(struct oracle_score *score, int core, int oracle);
void oracle_equal(struct oracle_score *score, uint64_t core, uint64_t oracle);

/* Time, load and delays as a law may meet them; scales change now and then. */
struct world {
	uint64_t now_ns;
	unsigned gap_bits, sojourn_bits, load_bits;
};
void world_open(struct world *world, struct rng *rng);
void world_next(struct world *world, struct rng *rng, struct aqm_facts *facts);

/* Uniform in [low, high]; log_uniform favours small values. */
uint64_t draw_between(struct rng *rng, uint64_t low, uint64_t high);
uint64_t draw_log(struct rng *rng, uint64_t low, uint64_t high);

/* A probability of any size from 0 to 1, ends included. */
uint64_t draw_p_q32(struct rng *rng);

/* A delay: none, near the target, or anything up to beyond what a difference can hold. */
uint64_t draw_delay_ns(struct rng *rng, uint64_t target_ns);

/* At times moves the facts' draws to where p, or k p, decides. */
void draw_near(struct rng *rng, struct aqm_facts *facts, uint64_t p_q32, uint32_t k_q16);

#endif
