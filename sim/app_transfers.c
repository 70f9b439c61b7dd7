/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transfers that come and go: each is a connection of its own, with slow start
 * and all, from its arrival to its last byte.
 *
 * They arrive whether or not earlier ones are done (an open system), up to as
 * many at a time as a host can hold.  A transfer's time includes its handshake.
 */
#include <math.h>

#include "base/units.h"
#include "sim/app.h"

enum param {
	PER_S,
	ARRIVALS,
	SIZE_KB,
	SIZES,
	SIZE_CV,
	PARETO_SHAPE,
	MOST_KB,
	HANDSHAKE_RTTS,
	OPEN_MOST
};

enum sizes { SIZES_FIXED, SIZES_LOGNORMAL, SIZES_PARETO };

static const struct app_param params[] = {
	{"per_s", .initial = 1, .min = 1e-6, .max = 1e6, .doc = "transfers a second"},
	{"arrivals", .words = "poisson fixed", .doc = "how they arrive"},
	{"size_kb", .initial = 100, .min = 0.001, .max = 1e9, .doc = "mean size, 1000 bytes"},
	{"sizes", .words = "fixed lognormal pareto", .doc = "how sizes are distributed"},
	{"size_cv", .initial = 1, .min = 0.001, .max = 100,
	 .doc = "coefficient of variation of log-normal sizes"},
	{"pareto_shape", .initial = 1.5, .min = 1.01, .max = 100, .doc = "of Pareto sizes"},
	{"most_kb", .initial = 1e6, .min = 0.001, .max = 1e9,
	 .doc = "larger draws are cut to this"},
	{"handshake_rtts", .initial = 1, .min = 0, .max = 5, .whole = true,
	 .doc = "base round trips before the first byte leaves"},
	{"open_most", .initial = 100, .min = 1, .max = 10000, .whole = true,
	 .doc = "open at a time; what arrives beyond is refused"},
	{0},
};

struct transfers {
	struct app app; /* first */
	uint64_t open;
	uint64_t next_ns; /* arrival */
};

static uint64_t draw_bytes(struct app *app)
{
	const double *values = app->choice->values;
	double kb = values[SIZE_KB];

	if (values[SIZES] == SIZES_LOGNORMAL)
		kb = app_draw_lognormal(&app->random, kb, values[SIZE_CV]);
	else if (values[SIZES] == SIZES_PARETO)
		kb = app_draw_pareto(&app->random, kb, values[PARETO_SHAPE]);
	return (uint64_t)ceil(fmin(kb, values[MOST_KB]) * 1000);
}

static uint64_t draw_gap_ns(struct app *app)
{
	const double *values = app->choice->values;

	return values[ARRIVALS] == 0 ? app_draw_exponential_ns(&app->random, 1 / values[PER_S])
				     : ns_from_seconds(1 / values[PER_S]);
}

static void begin_transfer(struct transfers *transfers, uint64_t now_ns)
{
	struct app *app = &transfers->app;
	const double *values = app->choice->values;
	const uint64_t bytes = draw_bytes(app);
	struct connection *connection;

	if (transfers->open >= values[OPEN_MOST]) {
		app_task_refused(app, now_ns);
		return;
	}
	connection = host_connect(app->host);
	if (connection == NULL)
		return;
	transfers->open++;
	connection->begun_ns = now_ns;
	app_task_begun(app, now_ns);
	connection_write_at(connection, bytes,
			    now_ns + (uint64_t)values[HANDSHAKE_RTTS] * app->host->rtt_ns);
}

static void run(struct app *app, uint64_t now_ns)
{
	struct transfers *transfers = (struct transfers *)app;

	if (now_ns >= app->stop_ns)
		return;
	if (transfers->next_ns == 0)
		transfers->next_ns = app->start_ns + draw_gap_ns(app);
	while (transfers->next_ns <= now_ns) {
		begin_transfer(transfers, now_ns);
		transfers->next_ns += draw_gap_ns(app);
	}
	app_wake(app, transfers->next_ns);
}

static void on_delivered(struct app *app, struct connection *connection, uint64_t now_ns,
			 uint64_t delivered_bytes)
{
	if (delivered_bytes < connection->asked_bytes || connection->closing)
		return;
	app_task_done(app, connection->begun_ns, now_ns, delivered_bytes);
	((struct transfers *)app)->open--;
	connection_close(connection);
}

const struct app_ops app_transfers = {
	.name = "transfers",
	.summary = "transfers that come and go, each a connection of its own",
	.params = params,
	.report = SIM_REPORT_TRANSFERS,
	.size = sizeof(struct transfers),
	.run = run,
	.on_delivered = on_delivered,
};
