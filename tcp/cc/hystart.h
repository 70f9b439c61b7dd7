/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HyStart++ (RFC 9406): leave slow start when round trips grow, by way of a
 * conservative slow start that can be taken back.  For the first slow start only
 * (section 4.3): a later one knows where to stop.
 */
#ifndef TCP_CC_HYSTART_H
#define TCP_CC_HYSTART_H

#include "base/units.h"
#include "tcp/cc.h"

/* Constants of RFC 9406 section 4.3. */
#define HYSTART_MIN_THRESH_NS (4 * NS_PER_MS)
#define HYSTART_MAX_THRESH_NS (16 * NS_PER_MS)
#define HYSTART_SAMPLES 8
#define HYSTART_CSS_DIVISOR 4
#define HYSTART_CSS_ROUNDS 5
#define HYSTART_GROWTH 8 /* segments an acknowledgement, of a flow that is not paced */

struct hystart {
	uint64_t round_end;    /* byte */
	uint64_t round_min_ns; /* least sample of this round; 0: none yet */
	uint64_t last_min_ns;  /* of the round before */
	uint64_t baseline_ns;  /* round_min when the conservative phase began */
	unsigned samples;
	unsigned css_rounds;   /* 0: not in the conservative phase */
};

static inline uint64_t hystart_threshold_ns(const struct hystart *own)
{
	const uint64_t eighth_ns = own->last_min_ns / 8;

	if (eighth_ns < HYSTART_MIN_THRESH_NS)
		return HYSTART_MIN_THRESH_NS;
	return eighth_ns > HYSTART_MAX_THRESH_NS ? HYSTART_MAX_THRESH_NS : eighth_ns;
}

/* Bytes by which slow start may grow the window for this acknowledgement; *leave: end slow start.
 */
static inline uint64_t hystart_growth(struct hystart *own, const struct tcp_cc_sample *sample,
				      bool *leave)
{
	*leave = false;
	if (sample->acked_end >= own->round_end) {
		own->last_min_ns = own->round_min_ns;
		own->round_min_ns = 0;
		own->samples = 0;
		own->round_end = sample->sent_end;
		if (own->css_rounds && ++own->css_rounds > HYSTART_CSS_ROUNDS)
			*leave = true;
	}
	if (sample->rtt_ns && (own->round_min_ns == 0 || sample->rtt_ns < own->round_min_ns))
		own->round_min_ns = sample->rtt_ns;
	own->samples++;
	if (own->css_rounds) {
		/* Not congestion after all: back to plain slow start. */
		if (own->samples >= HYSTART_SAMPLES && own->round_min_ns < own->baseline_ns)
			own->css_rounds = 0;
		return sample->acked_bytes / HYSTART_CSS_DIVISOR;
	}
	if (own->samples >= HYSTART_SAMPLES && own->last_min_ns &&
	    own->round_min_ns >= own->last_min_ns + hystart_threshold_ns(own)) {
		own->css_rounds = 1;
		own->baseline_ns = own->round_min_ns;
	}
	return sample->acked_bytes;
}

#endif
