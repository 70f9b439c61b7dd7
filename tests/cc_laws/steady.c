/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The average window that a share p of losses or marks, evenly spread, leaves.
 *
 * - Reno: sqrt(3 / (2 p)) segments (RFC 9438 equation 3 with alpha 1, beta 1/2).
 * - CUBIC: RFC 9438 appendix B, the fourth root of C (3 + beta) / (4 (1 - beta))
 *   (RTT / p)^3; in its Reno-friendly region what Reno has.  It comes to this from
 *   below and slowly: the plateau around W_max is flat.
 * - DCTCP, Prague: one segment per round trip against a cut of alpha / 2 = p / 2
 *   once per round trip: 2 / p.  That is two marks a round trip, so a flow that comes
 *   from far above can also settle where three marks make one cut, at 2.4 / p: UDP
 *   Prague does at p = 0.005 and less than 40 ms.
 * - Prague under random marks for most packets: as only the others let it grow, 2 (1 -
 *   p) / p, less than a segment.
 *
 * Delayed acknowledgements and ABE are off, the window is what was delivered per
 * round trip.  Recovery of a loss takes a round trip that the laws do not count: they
 * hold for small p.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "tests/cc_laws/laws.h"
#include "tests/cc_laws/path.h"

#define CUBIC_C 0.4
#define CUBIC_BETA 0.7

struct point {
	const char *cc;
	double p;
	double rtt_ms;
	bool quick;
};

static double reno_window(double p)
{
	return sqrt(1.5 / p);
}

static double cubic_window(double p, double rtt_s)
{
	const double shape = CUBIC_C * (3 + CUBIC_BETA) / (4 * (1 - CUBIC_BETA));

	return fmax(pow(shape * pow(rtt_s / p, 3), 0.25), reno_window(p));
}

static void hold(const struct point *point, double expected, const struct path_config *config)
{
	char what[64];
	struct law_row row = {
		.control = point->cc,
		.what = what,
		.expected = expected,
		.low = 0.9 * expected,
		.high = 1.1 * expected,
	};
	struct path *path = path_new(config);

	if (path == NULL)
		return;
	path_run(path, strcmp(point->cc, "cubic") == 0 ? 1500 : 120);
	row.measured = path_mean_window(path, 300);
	snprintf(what, sizeof(what), "window, p = %g of %s, RTT %g ms", point->p,
		 config->lose > 0 ? "losses" : "marks", point->rtt_ms);
	law_report(&row);
	path_free(path);
}

static void losses(bool quick)
{
	static const struct point points[] = {
		{"newreno", 0.003, 50, true},   {"newreno", 0.001, 20, false},
		{"newreno", 0.001, 200, false}, {"newreno", 0.0001, 50, false},
		{"cubic", 0.003, 20, true},     {"cubic", 0.001, 50, false},
		{"cubic", 0.0003, 200, true},   {"cubic", 0.0001, 100, false},
		{"cubic", 0.00003, 50, false},
	};

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		const struct point *point = &points[i];
		const double expected = strcmp(point->cc, "cubic") == 0
						? cubic_window(point->p, point->rtt_ms / 1e3)
						: reno_window(point->p);

		if (point->quick || !quick)
			hold(point, expected,
			     &(struct path_config){
				     .cc = point->cc,
				     .options = {.ack_every = 1},
				     .rtt_ns = ns_from_ms(point->rtt_ms),
				     .lose = point->p,
			     });
	}
}

static void marks(bool quick)
{
	static const char *const controls[] = {"dctcp", "prague", "udp_prague"};
	static const struct point points[] = {
		{NULL, 0.1, 25, false},  {NULL, 0.05, 25, true},  {NULL, 0.02, 50, false},
		{NULL, 0.01, 100, true}, {NULL, 0.005, 40, false},
	};

	for (size_t c = 0; c < sizeof(controls) / sizeof(controls[0]); c++) {
		for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
			struct point point = points[i];

			point.cc = controls[c];
			if (point.quick || !quick)
				hold(&point, 2 / point.p,
				     &(struct path_config){
					     .cc = point.cc,
					     .options = {.ack_every = 1},
					     .ecn = ENDPOINT_ECN_ACCECN,
					     .rtt_ns = ns_from_ms(point.rtt_ms),
					     .mark = point.p,
				     });
		}
	}
}

/* Only what was not marked lets Prague's window grow: with many marks that tells. */
static void heavy_marks(void)
{
	static const struct point points[] = {
		{"prague", 0.75, 25, true},
		{"prague", 0.85, 25, true},
	};

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		hold(&points[i], 2 * (1 - points[i].p) / points[i].p,
		     &(struct path_config){
			     .cc = points[i].cc,
			     .options = {.ack_every = 1},
			     .ecn = ENDPOINT_ECN_ACCECN,
			     .rtt_ns = ns_from_ms(points[i].rtt_ms),
			     .mark = points[i].p,
			     .random = true,
			     .seed = 1,
		     });
}

void laws_steady(bool quick)
{
	losses(quick);
	marks(quick);
	heavy_marks();
}
