/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks whose behaviour others have published, and the figures held to it.
 *
 * A case is one network; each of its rows is one figure with its bound (or
 * none: reported only) and what was published: by the L4S team's testbed
 * (dualpi2eval), by independent tests, or by ns-3.
 */
#ifndef ENVELOPES_CASES_H
#define ENVELOPES_CASES_H

#include <stdbool.h>

#include "sim/run.h"

#define ENVELOPE_ROWS 8
#define ENVELOPE_FLOWS 4

enum envelope_figure {
	L_MEAN, /* queue delay, ms */
	L_P99,
	C_MEAN,
	C_P99,
	UTILISATION, /* 0..1 */
	RATIO,       /* goodput of a flow of the first group over one of the second */
	TCP_SHARE,   /* of all groups but the last, in % of the rate */
	UDP_SHARE,   /* of the last group */
	ENVELOPE_FIGURES
};

struct envelope_row {
	enum envelope_figure figure;
	double lower, upper; /* inclusive; NaN: no such bound */
	double published;    /* NaN: none */
};

struct envelope_flows {
	const char *cc;
	enum endpoint_ecn ecn;
	unsigned count;
	double rtt_ms;
	double rate_mbps; /* udp only */
};

struct envelope_case {
	char name[64];
	double rate_mbps;
	double duration_s; /* the first third is warm-up */
	const char *aqm;
	const char *params[3];
	struct envelope_flows flows[ENVELOPE_FLOWS]; /* ends with a NULL cc */
	struct envelope_row rows[ENVELOPE_ROWS];
	unsigned row_count;
	bool quick; /* part of the short run */
};

extern const char *const envelope_figure_names[ENVELOPE_FIGURES];

/* All cases; the caller frees the array.  NULL when out of memory. */
struct envelope_case *envelope_cases(size_t *count);

/* The network of a case. */
void envelope_scenario(const struct envelope_case *which, struct scenario *scenario);

/* One figure of a run of it. */
double envelope_measure(const struct envelope_case *which, enum envelope_figure figure,
			const struct sim_result *result);

#endif
