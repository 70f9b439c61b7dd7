/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States that students visited, with what they should have said there: the
 * aggregate of DAgger (Ross, Gordon and Bagnell 2011).
 *
 * A step is what a student saw and its target.  Steps are kept in segments of
 * VISITS_SEGMENT consecutive ones of one router, the grain of sampling, so that
 * a recurrent student can be unrolled; what a run has left beyond whole segments
 * goes.  Whole runs are either trained on or held out.
 *
 * Room is limited.  When a run does not fit any more, segments drawn evenly from
 * all rounds make room, held-out ones for held-out ones: old states stay, in
 * proportion.
 */
#ifndef LEARN_VISITS_H
#define LEARN_VISITS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"

#define VISITS_SEGMENT 32

/* The first target of a step that the teacher was not asked about. */
#define VISITS_UNASKED NAN

static inline bool visits_asked(const float *target)
{
	return !isnan(target[0]);
}

/* `array` has room for `count` of this size; false when out of memory, and what is there stays. */
bool visits_grow(void **array, int64_t count, size_t size);

/* Steps of one router, in order. */
struct visits_run {
	const int16_t *seen; /* (steps, features) */
	const float *target; /* (steps, outputs) */
	const float *law;    /* (steps): the law's probability of a signal; of settings p' */
	int64_t steps;
};

/* One of the two parts, train or held out. */
struct visits_part {
	int64_t segments, room, most; /* held; allocated; allowed */
	int16_t *seen;		      /* (segments x VISITS_SEGMENT, features) */
	float *target;		      /* (segments x VISITS_SEGMENT, outputs) */
	float *law;		      /* (segments x VISITS_SEGMENT) */
	int32_t *round;		      /* (segments): from 1 */
};

struct visits {
	int features, outputs;
	struct visits_part train, held_out;
};

/* Empty, with room for `most_steps` to train on and a quarter of that held out. */
void visits_init(struct visits *visits, int features, int outputs, int64_t most_steps);
void visits_free(struct visits *visits);

/* Adds the whole segments of a run; `rng` chooses what has to go.  ERR_NO_MEMORY. */
int visits_add(struct visits *visits, struct visits_part *part, const struct visits_run *run,
	       int32_t round, struct rng *rng, struct error *error);

/* Writes all of it atomically; `fingerprint` says which computation it belongs to. */
int visits_save(const struct visits *visits, const char *path, const char *fingerprint,
		struct error *error);

/*
 * Back into visits that were initialised alike.  ERR_NOT_FOUND; ERR_INVALID where the file is of
 * another computation or damaged.
 */
int visits_load(struct visits *visits, const char *path, const char *fingerprint,
		struct error *error);

#endif
