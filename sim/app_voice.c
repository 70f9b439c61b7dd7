/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One direction of a telephone call: a packet every 20 ms while the speaker
 * talks.
 *
 * 160 bytes are 20 ms of G.711 (64 kbit/s); RTP adds 12.  Spurts and pauses
 * are exponential with the means of conversational speech, hangover included
 * (ITU-T P.59).
 */
#include "base/units.h"
#include "sim/app.h"

#define RTP_HEADER_BYTES 12

enum param { PACKET_MS, PAYLOAD_BYTES, TALK_S, PAUSE_S };

static const struct app_param params[] = {
	{"packet_ms", .initial = 20, .min = 1, .max = 1000, .doc = "between packets of a spurt"},
	{"payload_bytes", .initial = 160, .min = 1, .max = 1400, .whole = true,
	 .doc = "of speech in a packet"},
	{"talk_s", .initial = 1.004, .min = 0.001, .max = 1e6, .doc = "mean talk spurt"},
	{"pause_s", .initial = 1.587, .min = 0, .max = 1e6,
	 .doc = "mean pause; 0: speaks without a pause"},
	{0},
};

struct voice {
	struct app app; /* first */
	struct connection *connection;
	uint64_t until_ns; /* end of this spurt */
};

static void run(struct app *app, uint64_t now_ns)
{
	struct voice *voice = (struct voice *)app;
	const double *values = app->choice->values;
	uint64_t next_ns = now_ns + ns_from_ms(values[PACKET_MS]);

	if (voice->connection == NULL)
		voice->connection = host_connect(app->host);
	if (voice->connection == NULL || now_ns >= app->stop_ns)
		return;
	if (now_ns >= voice->until_ns)
		voice->until_ns = now_ns + app_draw_exponential_ns(&app->random, values[TALK_S]);
	connection_write(voice->connection, (uint64_t)values[PAYLOAD_BYTES] + RTP_HEADER_BYTES);
	if (next_ns >= voice->until_ns)
		next_ns += app_draw_exponential_ns(&app->random, values[PAUSE_S]);
	app_wake(app, next_ns);
}

const struct app_ops app_voice = {
	.name = "voice",
	.summary = "one direction of a telephone call, in talk spurts",
	.params = params,
	.report = SIM_REPORT_DATAGRAMS,
	.size = sizeof(struct voice),
	.run = run,
};
