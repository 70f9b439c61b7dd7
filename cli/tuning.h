/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A law tuned in hindsight, for each network: the best of many settings on some
 * seeds, compared with the law as it is on other seeds.
 *
 * What this gains is the room there is: no rule that has to guess the network
 * can be asked for more than a law that was told which settings suit it.
 * Rewards are those of learn/objective.h beside the reference's run of the same
 * network and seed, so the reference itself has 0.
 */
#ifndef CLI_TUNING_H
#define CLI_TUNING_H

#include "cli/options.h"
#include "cli/trial.h"
#include "learn/design.h"

#define TUNING_MAX_SETTINGS 400

struct tuning {
	struct trial trial; /* arms: the reference, the law, laws beside it, settings */
	struct objective objective;
	struct design design;
	size_t settings;		   /* tried, besides the law as it is */
	size_t tuning_seeds, other_seeds;  /* the first ones; those after them */
	size_t law, beside, first_setting; /* arms; the reference is arm 0 */
	size_t beside_count;
	char (*points)[2 * DESIGN_SETTINGS_BYTES]; /* (settings): with the law's own; owned */
	bool *wanted;				   /* of the trial; owned */
	size_t *best;				   /* (scenarios): arm; owned */
	size_t one; /* the arm that is best for all networks together */
};

/*
 * Prepares the trial's arms and seeds, when the suite is read: `reference`,
 * then `law` unless it is the same text, `beside`, and the law at points of the
 * design.
 */
struct tuning_laws {
	const char *reference, *law;
	const char *beside; /* separated by commas; NULL: none */
	const struct option_list *students; /* files beside them; may be NULL */
	const char *vary;		    /* NULL: design_usual() */
};
int tuning_prepare(struct tuning *tuning, const struct tuning_laws *laws, struct error *error);

/* Wants what the choice needs; then, when that has run and tuning_choose(), the comparison too. */
void tuning_want_settings(struct tuning *tuning);
void tuning_choose(struct tuning *tuning);
void tuning_want_chosen(struct tuning *tuning);

/* A run's reward; the run and the reference's have been run. */
double tuning_reward(const struct tuning *tuning, size_t scenario, size_t arm, size_t seed);

/* Mean reward over the seeds for tuning, or over the others. */
double tuning_reward_tuned(const struct tuning *tuning, size_t scenario, size_t arm);
double tuning_reward_compared(const struct tuning *tuning, size_t scenario, size_t arm);

/* Mean of a figure over the other seeds; NaN where one has none. */
double tuning_figure(const struct tuning *tuning, size_t scenario, size_t arm,
		     enum objective_figure figure);

/* An arm's settings, "" for those of the law as it is. */
const char *tuning_settings_of(const struct tuning *tuning, size_t arm);

void tuning_free(struct tuning *tuning);

#endif
