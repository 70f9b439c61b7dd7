/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A game's traffic towards a player: a small packet every tick, and larger
 * updates of the world at a rate of their own.
 *
 * Fast games send small packets of nearly constant size at a constant rate
 * (Faerber, "Network game traffic modelling", NetGames 2002); 60 a second is
 * what today's shooters do.  Updates vary as a log-normal.
 */
#include <math.h>

#include "base/units.h"
#include "sim/app.h"

/* IP length that holds any payload at all. */
#define LEAST_BYTES 32

enum param { TICK_HZ, TICK_BYTES, UPDATE_HZ, UPDATE_BYTES, UPDATE_CV };

static const struct app_param params[] = {
	{"tick_hz", .initial = 60, .min = 1, .max = 1000, .doc = "small packets a second"},
	{"tick_bytes", .initial = 120, .min = LEAST_BYTES, .max = NET_MTU_BYTES, .whole = true,
	 .doc = "IP length of a small packet"},
	{"update_hz", .initial = 10, .min = 0, .max = 1000,
	 .doc = "updates a second; 0: none"},
	{"update_bytes", .initial = 600, .min = LEAST_BYTES, .max = NET_MTU_BYTES, .whole = true,
	 .doc = "mean IP length of an update"},
	{"update_cv", .initial = 0.3, .min = 0, .max = 5,
	 .doc = "coefficient of variation of an update's length"},
	{0},
};

struct gaming {
	struct app app; /* first */
	struct connection *connection;
	uint64_t tick_ns, update_ns; /* next ones */
};

/* Ticks and updates of different games are not in step. */
static void begin(struct gaming *gaming, uint64_t now_ns)
{
	const double *values = gaming->app.choice->values;
	struct rng *random = &gaming->app.random;

	gaming->connection = host_connect(gaming->app.host);
	gaming->tick_ns = now_ns + ns_from_seconds(rng_uniform(random) / values[TICK_HZ]);
	gaming->update_ns = TIME_NEVER_NS;
	if (values[UPDATE_HZ] > 0)
		gaming->update_ns =
			now_ns + ns_from_seconds(rng_uniform(random) / values[UPDATE_HZ]);
}

static void send_update(struct gaming *gaming)
{
	const double *values = gaming->app.choice->values;
	double bytes = app_draw_lognormal(&gaming->app.random, values[UPDATE_BYTES],
					  values[UPDATE_CV]);

	bytes = fmin(fmax(bytes, LEAST_BYTES), NET_MTU_BYTES);
	connection_write(gaming->connection, (uint64_t)bytes - UDP_HEADER_BYTES);
}

static void run(struct app *app, uint64_t now_ns)
{
	struct gaming *gaming = (struct gaming *)app;
	const double *values = app->choice->values;

	if (gaming->connection == NULL)
		begin(gaming, now_ns);
	if (gaming->connection == NULL || now_ns >= app->stop_ns)
		return;
	if (now_ns >= gaming->tick_ns) {
		connection_write(gaming->connection,
				 (uint64_t)values[TICK_BYTES] - UDP_HEADER_BYTES);
		gaming->tick_ns += ns_from_seconds(1 / values[TICK_HZ]);
	}
	if (now_ns >= gaming->update_ns) {
		send_update(gaming);
		gaming->update_ns += ns_from_seconds(1 / values[UPDATE_HZ]);
	}
	app_wake(app, gaming->tick_ns < gaming->update_ns ? gaming->tick_ns : gaming->update_ns);
}

const struct app_ops app_gaming = {
	.name = "gaming",
	.summary = "a game's small packets at a constant rate, and updates of the world",
	.params = params,
	.report = SIM_REPORT_DATAGRAMS,
	.size = sizeof(struct gaming),
	.run = run,
};
