/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adaptive video: segments of a fixed duration in one of several bit rates,
 * fetched one after another over one connection, played from a buffer.
 *
 * The bit rate of the next segment follows from what is in the buffer, by the
 * algorithm BBA-0 of Huang, Johari, McKeown, Trunnell and Watson, "A
 * buffer-based approach to rate adaptation" (SIGCOMM 2014): the lowest up to
 * the reservoir, the highest from reservoir + cushion on, linear in between,
 * and a change only when the line reaches the next rate up or down.  Times are
 * an eighth of theirs, which filled a buffer of 240 s.  The ladder is the one
 * that Netflix told of for all titles alike ("Per-title encode optimization",
 * 2015).
 *
 * Playing starts with `startup_s` in the buffer, stops when it is empty (a
 * stall), and goes on with the next segment.
 */
#include <math.h>

#include "base/units.h"
#include "sim/app.h"
#include "sim/world.h"

enum param {
	LADDER_MBPS,
	SEGMENT_S,
	SIZE_CV,
	BUFFER_S,
	STARTUP_S,
	RESERVOIR_S,
	CUSHION_S,
	HANDSHAKE_RTTS
};

static const double ladder_mbps[] = {0.235, 0.375, 0.56, 0.75, 1.05, 1.75,
				     2.35,  3,     4.3,  5.8,  0};

static const struct app_param params[] = {
	{"ladder_mbps", .ladder = ladder_mbps, .min = 0.001, .max = 1e5,
	 .doc = "bit rates to choose from, rising"},
	{"segment_s", .initial = 4, .min = 0.1, .max = 60, .doc = "of playing in a segment"},
	{"size_cv", .initial = 0.2, .min = 0, .max = 5,
	 .doc = "coefficient of variation of segments' sizes (log-normal)"},
	{"buffer_s", .initial = 30, .min = 0.1, .max = 3600, .doc = "of playing that fits"},
	{"startup_s", .initial = 4, .min = 0.1, .max = 3600,
	 .doc = "in the buffer when playing starts"},
	{"reservoir_s", .initial = 11, .min = 0, .max = 3600,
	 .doc = "up to here the lowest bit rate"},
	{"cushion_s", .initial = 15, .min = 0.1, .max = 3600,
	 .doc = "from reservoir + cushion on the highest"},
	{"handshake_rtts", .initial = 1, .min = 0, .max = 5, .whole = true,
	 .doc = "base round trips before the first request"},
	{0},
};

struct video {
	struct app app; /* first */
	struct connection *connection;
	double buffer_s;          /* at seen_ns */
	uint64_t seen_ns;
	uint64_t stalled_ns;      /* since when; while it is stalled */
	unsigned rung;            /* of the ladder: of the segment asked for last */
	unsigned last_rung;       /* of the segment that arrived last */
	uint64_t segments;        /* that arrived */
	bool playing, started, ended;
	double played_s, stall_s, rate_mbps;  /* after warm-up; the sum of all segments' rates */
};

static double seconds_after_warmup(const struct video *video, uint64_t from_ns, uint64_t to_ns)
{
	const uint64_t warmup_ns = video->app.host->world->warmup_ns;

	if (from_ns < warmup_ns)
		from_ns = warmup_ns;
	return to_ns > from_ns ? seconds_from_ns(to_ns - from_ns) : 0;
}

static bool counts(const struct video *video, uint64_t now_ns)
{
	return now_ns >= video->app.host->world->warmup_ns;
}

/* Plays up to now; the buffer may have run empty on the way. */
static void play(struct video *video, uint64_t now_ns)
{
	const double elapsed_s = seconds_from_ns(now_ns - video->seen_ns);
	uint64_t end_ns = now_ns;

	if (video->playing && elapsed_s > video->buffer_s)
		end_ns = video->seen_ns + ns_from_seconds(video->buffer_s);
	if (video->playing) {
		video->played_s += seconds_after_warmup(video, video->seen_ns, end_ns);
		video->buffer_s -= seconds_from_ns(end_ns - video->seen_ns);
	}
	if (end_ns < now_ns) {
		video->buffer_s = 0;
		video->playing = false;
		video->stalled_ns = end_ns;
		if (counts(video, end_ns) && !video->ended)
			video->app.host->result->app->video.stalls++;
	}
	video->seen_ns = now_ns;
}

/* Starts, or goes on after a stall, when there is enough. */
static void resume(struct video *video, uint64_t now_ns)
{
	struct sim_video *result = &video->app.host->result->app->video;

	if (video->playing ||
	    (!video->started && video->buffer_s < video->app.choice->values[STARTUP_S]))
		return;
	if (video->started)
		video->stall_s += seconds_after_warmup(video, video->stalled_ns, now_ns);
	else
		result->startup_s = seconds_from_ns(now_ns - video->app.start_ns);
	video->started = video->playing = true;
}

/* BBA-0's next rung, by what is in the buffer. */
static unsigned choose_rung(const struct video *video)
{
	const struct app_choice *choice = video->app.choice;
	const double *ladder = choice->ladder;
	const double above_s = video->buffer_s - choice->values[RESERVOIR_S];
	const unsigned top = app_ladder_steps(choice) - 1;
	const double line =
		ladder[0] + (ladder[top] - ladder[0]) * above_s / choice->values[CUSHION_S];
	unsigned rung = video->rung;

	if (above_s <= 0)
		return 0;
	if (above_s >= choice->values[CUSHION_S])
		return top;
	if (rung < top && line >= ladder[rung + 1]) {
		while (rung < top && ladder[rung + 1] < line)
			rung++;
	} else if (rung > 0 && line <= ladder[rung - 1]) {
		while (rung > 0 && ladder[rung - 1] > line)
			rung--;
	}
	return rung;
}

static void ask(struct video *video, uint64_t now_ns)
{
	const struct app_choice *choice = video->app.choice;
	const struct host *host = video->app.host;
	double bytes;
	uint64_t wait_ns = host->back->delay_ns;

	if (now_ns >= video->app.stop_ns) {
		video->ended = true;
		return;
	}
	if (video->connection == NULL) {
		video->connection = host_connect(video->app.host);
		wait_ns += (uint64_t)choice->values[HANDSHAKE_RTTS] * host->rtt_ns;
	}
	if (video->connection == NULL)
		return;
	video->rung = choose_rung(video);
	bytes = app_draw_lognormal(
		&video->app.random,
		choice->ladder[video->rung] * 1e6 / 8 * choice->values[SEGMENT_S],
		choice->values[SIZE_CV]);
	connection_write_at(video->connection, (uint64_t)ceil(bytes), now_ns + wait_ns);
}

static void run(struct app *app, uint64_t now_ns)
{
	struct video *video = (struct video *)app;

	play(video, now_ns);
	ask(video, now_ns);
}

static void count_segment(struct video *video)
{
	struct sim_video *result = &video->app.host->result->app->video;

	result->segments++;
	video->rate_mbps += video->app.choice->ladder[video->rung];
	if (video->segments > 0 && video->rung != video->last_rung)
		result->switches++;
}

static void on_delivered(struct app *app, struct connection *connection, uint64_t now_ns,
			 uint64_t delivered_bytes)
{
	struct video *video = (struct video *)app;
	const double *values = app->choice->values;
	double room_s;

	if (delivered_bytes < connection->asked_bytes)
		return;
	play(video, now_ns);
	video->buffer_s += values[SEGMENT_S];
	if (counts(video, now_ns))
		count_segment(video);
	video->last_rung = video->rung;
	video->segments++;
	resume(video, now_ns);
	room_s = values[BUFFER_S] - video->buffer_s - values[SEGMENT_S];
	if (room_s >= 0)
		ask(video, now_ns);
	else
		app_wake(app, now_ns + ns_from_seconds(-room_s));
}

static void finish(struct app *app, uint64_t now_ns)
{
	struct video *video = (struct video *)app;
	struct sim_video *result = &app->host->result->app->video;

	play(video, now_ns);
	if (video->started && !video->playing && !video->ended)
		video->stall_s += seconds_after_warmup(video, video->stalled_ns, now_ns);
	result->played_s = video->played_s;
	result->stall_s = video->stall_s;
	if (result->segments)
		result->bitrate_mbps = video->rate_mbps / (double)result->segments;
}

static const char *fault(const struct app_choice *choice)
{
	const double *values = choice->values;

	if (values[SEGMENT_S] > values[BUFFER_S])
		return "needs a buffer_s that holds a segment";
	if (values[STARTUP_S] > values[BUFFER_S])
		return "never starts: startup_s is more than buffer_s";
	if (values[RESERVOIR_S] + values[CUSHION_S] > values[BUFFER_S])
		return "needs reservoir_s + cushion_s within buffer_s";
	return NULL;
}

const struct app_ops app_video = {
	.name = "video",
	.summary = "adaptive video from a buffer, its bit rate by what is in it (BBA-0)",
	.params = params,
	.report = SIM_REPORT_VIDEO,
	.size = sizeof(struct video),
	.fault = fault,
	.run = run,
	.on_delivered = on_delivered,
	.finish = finish,
};
