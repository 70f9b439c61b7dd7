/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the window of Linux's CUBIC (net/ipv4/tcp_cubic.c, its module's defaults) grows, where that
 * is not as RFC 9438 says (option `linux_cubic`):
 *
 * - Reductions leave 717/1024 of the window, C is 410/1024.
 * - Growth is in whole segments, one for each `count` segments acknowledged, and `count` is
 *   whole: window / (target - window), rounded down, 2 at least.  The curve is looked at anew
 *   when the window has changed or after 1/32 s.
 * - The Reno-friendly window grows by one for each 15/8 of a window acknowledged (0.533 segments a
 *   round trip), at all times.
 * - The target lies the least round trip ahead, not the smoothed one.
 * - Where no window is known (at the beginning, after a timeout) it grows by 5 % a round trip or
 *   faster.
 * - Slow start ends by HyStart: for good, with no conservative phase.  From 16 segments on, either
 *   of two things ends it: acknowledgements no more than 2 ms apart go on for half of the
 *   least round trip; or the least of eight round trips of a round is more than an eighth (4 to
 *   16 ms) above the least ever.
 *
 * Not modelled: the kernel's clock ticks, and its smooth reduction at an ECN echo.
 */
#ifndef TCP_CC_CUBIC_LINUX_H
#define TCP_CC_CUBIC_LINUX_H

#include <stdbool.h>

#include "tcp/cc.h"

#define CUBIC_LINUX_BETA (717.0 / 1024)
#define CUBIC_LINUX_C (410.0 / 1024)

struct cubic_linux {
	double k_s;            /* seconds from epoch to origin */
	double origin, w_reno; /* segments */
	double acked;          /* segments, not yet in w_reno */
	double credit;         /* segments acknowledged, not yet growth */
	double count;          /* of them, for one segment of growth */
	double looked_window;  /* the window at the last look at the curve, segments */
	uint64_t looked_ns;    /* when that was */
	uint64_t epoch_ns;     /* 0: none running */
	uint64_t min_rtt_ns;   /* 0: not known */
	/* HyStart */
	uint64_t round_end;    /* byte */
	uint64_t round_ns;     /* when this round began */
	uint64_t train_ns;     /* last acknowledgement that came close on another */
	uint64_t round_min_ns; /* least sample of this round; 0: none yet */
	unsigned samples;
	bool found;
};

/* Every acknowledgement with a round-trip sample, before cubic_linux_grow(). */
void cubic_linux_sample(struct tcp_cc_state *state, struct cubic_linux *own,
			const struct tcp_cc_sample *sample);

/* Growth by an acknowledgement; `w_max`: segments at the last reduction, 0: none known. */
void cubic_linux_grow(struct tcp_cc_state *state, struct cubic_linux *own,
		      const struct tcp_cc_sample *sample, double w_max);

/* After a timeout nothing is known. */
void cubic_linux_forget(struct cubic_linux *own, const struct tcp_cc_sample *sample);

#endif
