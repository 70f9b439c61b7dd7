/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Somebody reads web pages: a page's main object, then the objects in it, then
 * time to read; page load time is from the click to the last byte.
 *
 * Sizes, numbers and times are those of the HTTP model in 3GPP2 C.R1002-0 (and
 * 3GPP TR 25.892), which ns-3's ThreeGppHttp applications use too: log-normal
 * objects (10710 +- 25032 bytes the main one, 7758 +- 126168 the others, drawn
 * again outside 100 bytes, 50 bytes and 2 MB), a truncated Pareto number of
 * them (shape 1.1, from 2 to 55, less 2), exponential parsing (0.13 s) and
 * reading (30 s).  Pages have grown since: the keys are there to follow them.
 *
 * Every page opens connections of its own.  HTTP/2 carries all of a page over
 * one and asks for its objects at once; HTTP/1.1 opens several and asks for
 * one object a time on each.
 */
#include <math.h>

#include "base/units.h"
#include "sim/app.h"

#define MAX_CONNECTIONS 16
#define LEAST_MAIN_BYTES 100
#define LEAST_OBJECT_BYTES 50
#define MOST_BYTES 2e6
#define COUNT_SHAPE 1.1
#define COUNT_LEAST 2
#define COUNT_MOST 55

enum param {
	MAIN_KB,
	MAIN_CV,
	OBJECTS,
	OBJECT_KB,
	OBJECT_CV,
	THINK_S,
	PARSE_S,
	HTTP,
	CONNECTIONS,
	HANDSHAKE_RTTS
};

enum http { HTTP_2, HTTP_1_1 };

static const struct app_param params[] = {
	{"main_kb", .initial = 10.71, .min = 0.1, .max = 2000, .doc = "mean of the main object"},
	{"main_cv", .initial = 2.337, .min = 0, .max = 100, .doc = "its coefficient of variation"},
	{"objects", .initial = 0, .min = 0, .max = 10000, .whole = true,
	 .doc = "further objects in a page; 0: drawn, 5.6 on average"},
	{"object_kb", .initial = 7.758, .min = 0.05, .max = 2000, .doc = "mean of these"},
	{"object_cv", .initial = 16.26, .min = 0, .max = 100,
	 .doc = "their coefficient of variation"},
	{"think_s", .initial = 30, .min = 0, .max = 1e6, .doc = "mean time between pages"},
	{"parse_s", .initial = 0.13, .min = 0, .max = 1e6,
	 .doc = "mean time from the main object to asking for the others"},
	{"http", .words = "2 1.1", .doc = "one connection for all, or several with one at a time"},
	{"connections", .initial = 6, .min = 1, .max = MAX_CONNECTIONS, .whole = true,
	 .doc = "of HTTP/1.1, at a time"},
	{"handshake_rtts", .initial = 1, .min = 0, .max = 5, .whole = true,
	 .doc = "base round trips before a new connection takes a request"},
	{0},
};

/* What the next waking is for. */
enum wait { WAIT_CLICK, WAIT_PARSED };

struct web {
	struct app app; /* first */
	enum wait wait;
	struct connection *connections[MAX_CONNECTIONS];
	unsigned connected;
	uint64_t begun_ns;     /* of the page */
	uint64_t bytes;        /* of the page, so far asked for */
	uint64_t unasked;      /* objects */
	uint64_t open;         /* requests under way */
	bool main_under_way;
};

/* Log-normal between bounds: what falls outside is drawn again. */
static uint64_t draw_bytes(struct web *web, enum param mean_kb, double least_bytes)
{
	const double *values = web->app.choice->values;
	double bytes = 0;

	for (int tries = 0; tries < 100; tries++) {
		bytes = app_draw_lognormal(&web->app.random, values[mean_kb] * 1000,
					   values[mean_kb + 1]);
		if (bytes >= least_bytes && bytes <= MOST_BYTES)
			break;
	}
	return (uint64_t)fmin(fmax(bytes, least_bytes), MOST_BYTES);
}

static uint64_t draw_objects(struct web *web)
{
	const double *values = web->app.choice->values;
	double count;

	if (values[OBJECTS] > 0)
		return (uint64_t)values[OBJECTS];
	count = COUNT_LEAST / pow(1 - rng_uniform(&web->app.random), 1 / COUNT_SHAPE);
	return (uint64_t)fmin(count, COUNT_MOST) - COUNT_LEAST;
}

/* Asks for `bytes` on a connection: the request takes the way back first. */
static void request(struct web *web, struct connection *connection, uint64_t bytes,
		    uint64_t handshakes_ns, uint64_t now_ns)
{
	web->bytes += bytes;
	web->open++;
	connection_write_at(connection, bytes,
			    now_ns + handshakes_ns + web->app.host->back->delay_ns);
}

/* The same on a new connection; NULL: out of memory. */
static struct connection *request_anew(struct web *web, uint64_t bytes, uint64_t now_ns)
{
	struct host *host = web->app.host;
	struct connection *connection = host_connect(host);
	const uint64_t handshakes = (uint64_t)web->app.choice->values[HANDSHAKE_RTTS];

	if (connection == NULL)
		return NULL;
	web->connections[web->connected++] = connection;
	request(web, connection, bytes, handshakes * host->rtt_ns, now_ns);
	return connection;
}

static void click(struct web *web, uint64_t now_ns)
{
	if (now_ns >= web->app.stop_ns)
		return;
	web->begun_ns = now_ns;
	web->bytes = 0;
	web->open = 0;
	web->connected = 0;
	web->unasked = draw_objects(web);
	web->main_under_way = true;
	app_task_begun(&web->app, now_ns);
	request_anew(web, draw_bytes(web, MAIN_KB, LEAST_MAIN_BYTES), now_ns);
}

static uint64_t draw_object(struct web *web)
{
	web->unasked--;
	return draw_bytes(web, OBJECT_KB, LEAST_OBJECT_BYTES);
}

/* The main object is understood: asks for what is in it. */
static void ask_for_objects(struct web *web, uint64_t now_ns)
{
	const double *values = web->app.choice->values;
	uint64_t bytes = draw_object(web);

	if (values[HTTP] == HTTP_2) {
		while (web->unasked)
			bytes += draw_object(web);
		request(web, web->connections[0], bytes, 0, now_ns);
		return;
	}
	request(web, web->connections[0], bytes, 0, now_ns);
	while (web->unasked && web->connected < values[CONNECTIONS])
		if (request_anew(web, draw_object(web), now_ns) == NULL)
			return;
}

static void end_page(struct web *web, uint64_t now_ns)
{
	app_task_done(&web->app, web->begun_ns, now_ns, web->bytes);
	for (unsigned i = 0; i < web->connected; i++)
		connection_close(web->connections[i]);
	web->wait = WAIT_CLICK;
	app_wake(&web->app, now_ns + app_draw_exponential_ns(&web->app.random,
							     web->app.choice->values[THINK_S]));
}

static void run(struct app *app, uint64_t now_ns)
{
	struct web *web = (struct web *)app;

	if (web->wait == WAIT_CLICK)
		click(web, now_ns);
	else
		ask_for_objects(web, now_ns);
}

static void on_delivered(struct app *app, struct connection *connection, uint64_t now_ns,
			 uint64_t delivered_bytes)
{
	struct web *web = (struct web *)app;

	if (delivered_bytes < connection->asked_bytes || connection->closing)
		return;
	web->open--;
	if (web->main_under_way && web->unasked) {
		web->wait = WAIT_PARSED;
		app_wake(app, now_ns + app_draw_exponential_ns(&app->random,
							       app->choice->values[PARSE_S]));
	} else if (web->unasked) {
		request(web, connection, draw_object(web), 0, now_ns);
	} else if (web->open == 0) {
		end_page(web, now_ns);
	}
	web->main_under_way = false;
}

const struct app_ops app_web = {
	.name = "web",
	.summary = "somebody reads pages: a main object, the objects in it, time to think",
	.params = params,
	.report = SIM_REPORT_PAGES,
	.size = sizeof(struct web),
	.run = run,
	.on_delivered = on_delivered,
};
