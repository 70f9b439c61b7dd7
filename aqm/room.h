/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Room: how far the settings that a policy gives a law may go beyond the law's
 * own towards more signals.  docs/guard.md states what it guarantees.
 *
 * Signals that come too early let the link idle.  So a link that is kept busy
 * grows room, as much as time passes, up to two octaves, and idle time takes ten
 * times as much away: settings may be 2^octaves as bold as the law's own.  There
 * are no phases, and nothing is closed for good or opened at a stroke: what a
 * network cannot bear it takes back by itself.  Whether a signal or the traffic
 * left the link idle is not asked: where it idles for other reasons, boldness has
 * little to win and flows that recover for long would be mistaken for such.
 *
 * Who uses it tells it every few milliseconds of the time that passed and of how
 * much of it there was nothing to send.  Integers only, no division, nothing to do
 * for a packet.
 */
#ifndef AQM_ROOM_H
#define AQM_ROOM_H

#include "aqm/platform.h"

#define AQM_ROOM_LONGEST_NS (INT64_C(1) << 32) /* of one tick; more counts as this */
#define AQM_ROOM_FULL_NS (INT64_C(1) << 33)    /* 8.6 s */
#define AQM_ROOM_OCTAVE_BITS 32		       /* an octave for each 4.3 s */
#define AQM_ROOM_COST 10		       /* room that a time takes in which the link idled */

/* Octaves that gains may rise for each octave of room, and at most. */
#define AQM_ROOM_GAIN_SLOPE 5
#define AQM_ROOM_GAIN_OCTAVES 3
#define AQM_ROOM_DECAY_SHIFT 5 /* of p', 2^-5 may be given up for each octave */
#define AQM_ROOM_STEEPNESS 2   /* of signals above the target, for each octave */

/* A coupling may give fewer signals by 2^-shift of the law's own, as L has its step. */
#define AQM_ROOM_FEWER_K_SHIFT 2

struct aqm_room {
	int64_t left_ns; /* 0..AQM_ROOM_FULL_NS */
};

AQM_INLINE void aqm_room_init(struct aqm_room *room)
{
	*room = (struct aqm_room){0};
}

/* Room after `ns` more, in `idle_ns` of which the link idled. */
AQM_INLINE int64_t aqm_room_after(int64_t left_ns, int64_t ns, int64_t idle_ns)
{
	left_ns += ns - AQM_ROOM_COST * idle_ns;
	return left_ns < 0 ? 0 : left_ns > AQM_ROOM_FULL_NS ? AQM_ROOM_FULL_NS : left_ns;
}

/* `ns` passed, in `idle_ns` of which, at most all, there was nothing to send. */
AQM_INLINE void aqm_room_tick(struct aqm_room *room, uint64_t ns, uint64_t idle_ns)
{
	const int64_t most_ns = AQM_ROOM_LONGEST_NS;
	const int64_t passed_ns = ns > (uint64_t)most_ns ? most_ns : (int64_t)ns;
	const int64_t idled_ns =
		idle_ns > (uint64_t)passed_ns ? passed_ns : (int64_t)idle_ns;

	room->left_ns = aqm_room_after(room->left_ns, passed_ns, idled_ns);
}

/* Octaves, with `bits` fraction bits; 0..2. */
AQM_INLINE int32_t aqm_room_octaves(const struct aqm_room *room, unsigned bits)
{
	return (int32_t)(room->left_ns >> (AQM_ROOM_OCTAVE_BITS - bits));
}

#endif
