/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router live in the terminal.
 *
 * Drawing has a thread of its own: a terminal that does not take what is written must not hold a
 * packet.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "cli/route_report.h"
#include "cli/terminal.h"
#include "report/chart.h"

#define FRAME_MS 200
#define LABEL_COLUMNS 30
#define SCALE_COLUMNS 9

struct style {
	int columns;
	bool unicode;
};

static void put_colour(FILE *out, int colour)
{
	fprintf(out, "\x1b[%dm", colour);
}

/* 1, 2 or 5 times a power of ten: the least that is not below `value`. */
static double round_up(double value)
{
	const double power = value > 0 ? pow(10, floor(log10(value))) : 1;

	return value <= power	    ? power
	       : value <= 2 * power ? 2 * power
	       : value <= 5 * power ? 5 * power
				    : 10 * power;
}

/* The newest values of a bin's member, as many as there is room for, with their scale. */
static void put_history(FILE *out, const struct monitor *monitor, const struct style *style,
			size_t offset, double scale, int colour)
{
	double values[MONITOR_BINS], high = 0;
	const int room = style->columns - LABEL_COLUMNS - SCALE_COLUMNS;
	size_t count = 0;

	while (count < (size_t)(room > 0 ? room : 0) && monitor_bin_ago(monitor, count))
		count++;
	for (size_t i = 0; i < count; i++) {
		const struct monitor_bin *bin = monitor_bin_ago(monitor, count - 1 - i);

		memcpy(&values[i], (const char *)bin + offset, sizeof(values[i]));
		if (values[i] > high)
			high = values[i];
	}
	if (scale <= 0)
		scale = round_up(high);
	put_colour(out, colour);
	chart_put_spark(out, values, count, scale, style->unicode);
	put_colour(out, 0);
	fprintf(out, "%*s <%.4g\n", room - (int)count, "", scale);
}

static void put_line(FILE *out, const struct monitor *monitor, const struct style *style,
		     const char *label, const char *unit, size_t offset, double scale, int colour)
{
	const struct monitor_bin *bin = monitor_bin_ago(monitor, 0);
	double now = NAN;

	if (bin)
		memcpy(&now, (const char *)bin + offset, sizeof(now));
	if (isnan(now))
		fprintf(out, "%-14s%*s", label, LABEL_COLUMNS - 14, "");
	else
		fprintf(out, "%-14s%8.3f %-*s", label, now, LABEL_COLUMNS - 14 - 9, unit);
	put_history(out, monitor, style, offset, scale, colour);
}

static void put_queues(FILE *out, const struct monitor *monitor)
{
	fputs("\nqueue     packets     marks     drops   delay, ms: mean      p99   backlog kB\n",
	      out);
	for (int q = AQM_QUEUES - 1; q >= 0; q--) {
		const struct monitor_queue *queue = &monitor->ways[0].queues[q];

		fprintf(out, "%-5s %11" PRIu64 " %9" PRIu64 " %9" PRIu64 " %17.3f %8.3f %12.1f\n",
			q == AQM_QUEUE_L ? "L" : "C", queue->packets, queue->marks, queue->drops,
			histogram_mean(&queue->sojourn_ns) / 1e6,
			histogram_quantile(&queue->sojourn_ns, 0.99) / 1e6,
			(double)queue->backlog_bytes / 1e3);
	}
}

static void put_flows(FILE *out, const struct monitor *monitor, const struct style *style, int room)
{
	const int bar = style->columns - 62 > 30 ? 30 : style->columns - 62;
	double high = 0;

	for (uint32_t i = 0; i < monitor->flow_count; i++)
		high = fmax(high, monitor->flows[i].entry.goodput_mbps);
	fputs("\nflow to                         ecn      queue  goodput Mbit/s\n", out);
	for (uint32_t i = 0; i < monitor->flow_count && room > 0; i++) {
		const struct flow_entry *entry = &monitor->flows[i].entry;
		char to[IP_ENDPOINT_TEXT], protocol[8];

		if (entry->left_pkts + entry->drops < 10)
			continue;
		room--;
		fprintf(out, "%-4s %-26.26s %-8s %-5s %12.3f  ",
			route_protocol_name(entry->protocol, protocol),
			ip_endpoint_text(to, entry->version, &entry->destination),
			route_ecn_name(entry->ecn), entry->queue == AQM_QUEUE_L ? "L" : "C",
			entry->goodput_mbps);
		put_colour(out, 36);
		if (bar > 4)
			chart_put_bar(out, high > 0 ? entry->goodput_mbps / high : 0, bar,
				      style->unicode);
		put_colour(out, 0);
		fputc('\n', out);
	}
}

static void draw(const struct route_view *view, const struct monitor *monitor, FILE *out, int rows)
{
	const struct style style = {terminal_columns(), terminal_is_unicode()};
	const struct route_options *options = view->options;

#define BIN(member) offsetof(struct monitor_bin, member)
	put_colour(out, 1);
	fprintf(out, "aqmllm route through %s%s%s", monitor->law,
		monitor->policy[0] ? " with " : "", monitor->policy);
	put_colour(out, 0);
	if (options->rate_mbps > 0)
		fprintf(out, ", %g Mbit/s", options->rate_mbps);
	fprintf(out, ", %g ms each way, %.1f s\n\n", options->delay_ms, monitor->t_s);
	put_line(out, monitor, &style, "carried", "Mbit/s", BIN(rate_mbps), options->rate_mbps, 32);
	put_line(out, monitor, &style, "queue delay L", "ms", BIN(qdelay_ms[AQM_QUEUE_L]), 0, 34);
	put_line(out, monitor, &style, "            C", "ms", BIN(qdelay_ms[AQM_QUEUE_C]), 0, 31);
	put_line(out, monitor, &style, "probability", "", BIN(p_base), 0, 33);
	put_queues(out, monitor);
	put_flows(out, monitor, &style, rows - 14);
	fputs("\n\x1b[90mq quit\x1b[0m\n", out);
#undef BIN
}

static void show(struct route_view *view, struct monitor *monitor)
{
	const int rows = terminal_rows();
	char *text = NULL;
	size_t bytes;
	FILE *frame = open_memstream(&text, &bytes);

	if (frame == NULL)
		return;
	draw(view, monitor, frame, rows);
	fclose(frame);
	screen_show(text, rows);
	free(text);
}

static void *run(void *context)
{
	struct route_view *view = context;
	struct monitor *monitor = malloc(sizeof(*monitor));

	while (monitor && !view->closing) {
		const char key = screen_key(&view->screen, FRAME_MS);

		if (key == 'q' || key == 'Q')
			view->quit = true;
		if (board_get(view->board, monitor))
			show(view, monitor);
	}
	free(monitor);
	return NULL;
}

int route_view_open(struct route_view *view, struct board *board,
		    const struct route_options *options, struct error *error)
{
	sigset_t before;
	int failed;

	view->board = board;
	view->options = options;
	screen_open(&view->screen);
	interrupt_block(&before);
	failed = pthread_create(&view->thread, NULL, run, view);
	interrupt_unblock(&before);
	if (failed) {
		screen_close(&view->screen);
		return error_set(error, ERR_FAILED, "cannot start a thread for the view");
	}
	view->open = true;
	return 0;
}

void route_view_close(struct route_view *view)
{
	if (!view->open)
		return;
	view->closing = true;
	pthread_join(view->thread, NULL);
	screen_close(&view->screen);
	view->open = false;
}
