/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One router's recent steps, fed to the network as they happen.
 *
 * A stream holds at most `window` steps, the newest included.  While it fills,
 * every decision runs only the new tokens over the key/value cache, which is
 * exact.  When it is full, all but the last `keep` steps are forgotten and the
 * cache is built again from those:
 *
 *   keep = window - 1   the last `window` steps at every decision, exactly;
 *                       every decision past the first `window` costs a whole
 *                       window;
 *   keep = window / 2   between window/2 and window steps of context; in the
 *                       mean twice the cost of one step, and one decision in
 *                       window/2 costs half a window.
 *
 * Either way the network only ever sees contexts that it was trained on: loss
 * is taken at every step of a window, so it knows all lengths up to `window`.
 *
 *   keep = POLICY_STREAM_CACHED
 *                       the oldest step is forgotten, what was computed of the
 *                       others stays: each decision costs one step.  They
 *                       carry traces of what they saw when it was there, and
 *                       positions run past those trained; where the model's
 *                       positions end, the cache is built again from the last
 *                       window - 1 steps.  docs/results.md has the difference.
 */
#ifndef POLICY_STREAM_H
#define POLICY_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/net.h"

#define POLICY_STREAM_CACHED (-1)

struct policy_stream {
	const struct policy_net *net; /* not owned */
	struct backbone_cache *cache;
	struct arena scratch;
	int64_t window, keep;
	int64_t history;  /* finished steps held */
	bool pending;	  /* step `history` was decided on and its action is not yet known */
	float *states;	  /* (6 + window, F): raw steps, the first 6 before the window are 0 */
	float *returns, *actions; /* (window) */
	int32_t *timesteps;	  /* (window) */
	float *embeds;	  /* (window, F + 2, H) */
	float *hidden;	  /* likewise: scratch */
};

/*
 * 1 <= window; 0 <= keep < window, or POLICY_STREAM_CACHED; ERR_RANGE too when
 * the backbone has fewer positions.
 */
int policy_stream_new(struct policy_stream *stream, const struct policy_net *net, int64_t window,
		      int64_t keep, struct error *error);
void policy_stream_free(struct policy_stream *stream);

/* Forgets all steps. */
void policy_stream_reset(struct policy_stream *stream);

/*
 * Logits (3) for a new step: scaled `state` (F), scaled return, row of the
 * timestep table.  A step that was decided on but whose action never came is
 * replaced.
 */
int policy_stream_decide(struct policy_stream *stream, const float *state, float returns,
			 int32_t timestep, float *logits, struct error *error);

/*
 * policy_stream_decide() for `count` streams over one network: those whose
 * caches grow by the same number of tokens, which is all that do not rebuild,
 * share one reading of the weights.  states (count, F), returns, timesteps
 * (count), logits (count, 3).
 */
int policy_stream_decide_many(struct policy_stream *const *streams, int64_t count,
			      const float *states, const float *returns, const int32_t *timesteps,
			      float *logits, struct error *error);

/* The action of the step decided on last (enum pool_action); nothing when there is none. */
void policy_stream_acted(struct policy_stream *stream, int action);

#endif
