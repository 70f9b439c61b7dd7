/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On/off datagrams: bursts at a constant rate, silence in between.
 *
 * Each burst sends evenly spaced packets while it lasts, the first at its
 * beginning; burst and silence last exponential or fixed times.
 */
#include "base/units.h"
#include "sim/app.h"

enum param { RATE_MBPS, PACKET_BYTES, ON_S, OFF_S, TIMES };

static const struct app_param params[] = {
	{"rate_mbps", .initial = 1, .min = 0.001, .max = 1e6,
	 .doc = "while on, IP bytes counted"},
	{"packet_bytes", .initial = 1500, .min = 60, .max = NET_MTU_BYTES, .whole = true,
	 .doc = "IP length"},
	{"on_s", .initial = 1, .min = 0.001, .max = 1e6, .doc = "mean length of a burst"},
	{"off_s", .initial = 1, .min = 0, .max = 1e6, .doc = "mean silence between bursts"},
	{"times", .words = "exponential fixed", .doc = "how long bursts and silences last"},
	{0},
};

struct onoff {
	struct app app; /* first */
	struct connection *connection;
	uint64_t until_ns; /* end of this burst */
};

static uint64_t draw_ns(struct onoff *onoff, enum param which)
{
	const double *values = onoff->app.choice->values;

	return values[TIMES] == 0 ? app_draw_exponential_ns(&onoff->app.random, values[which])
				  : ns_from_seconds(values[which]);
}

static void run(struct app *app, uint64_t now_ns)
{
	struct onoff *onoff = (struct onoff *)app;
	const double *values = app->choice->values;
	const uint64_t packet_bytes = (uint64_t)values[PACKET_BYTES];
	const uint64_t gap_ns = transmission_ns(packet_bytes, (uint64_t)(values[RATE_MBPS] * 1e6));
	uint64_t next_ns = now_ns + gap_ns;

	if (onoff->connection == NULL)
		onoff->connection = host_connect(app->host);
	if (onoff->connection == NULL || now_ns >= app->stop_ns)
		return;
	if (now_ns >= onoff->until_ns)
		onoff->until_ns = now_ns + draw_ns(onoff, ON_S);
	connection_write(onoff->connection, packet_bytes - UDP_HEADER_BYTES);
	if (next_ns >= onoff->until_ns) {
		const uint64_t begin_ns = onoff->until_ns + draw_ns(onoff, OFF_S);

		onoff->until_ns = 0;
		if (begin_ns > next_ns)
			next_ns = begin_ns;
	}
	app_wake(app, next_ns);
}

const struct app_ops app_onoff = {
	.name = "onoff",
	.summary = "datagrams in bursts at a constant rate, with silence in between",
	.params = params,
	.report = SIM_REPORT_DATAGRAMS,
	.size = sizeof(struct onoff),
	.run = run,
};
