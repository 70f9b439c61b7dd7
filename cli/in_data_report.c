/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For each interval one walk that always says enqueue, and one per policy; a
 * policy made with --compat is asked without a past, as the released code does.
 */
#include "cli/in_data_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cli/policy_label.h"
#include "learn/in_data.h"
#include "policy/config.h"
#include "policy/policy.h"
#include "report/figure.h"
#include "report/html.h"

#define WALKS_MAX FIGURE_MAX_SERIES
#define CELL 48

struct walks {
	struct in_data_walk walk[WALKS_MAX];
	char name[WALKS_MAX][64];
	size_t plain[WALKS_MAX]; /* the walk of always-enqueue at the same interval */
	size_t count;
};

static int add_walk(struct walks *walks, const struct in_data_report *report,
		    const struct pool *pool, const char *label, const char *folder,
		    uint64_t interval, struct error *error)
{
	struct policy *policy = NULL;
	struct policy_config config;
	struct error none = {0};
	bool forget = false;
	int code = 0;

	if (walks->count == WALKS_MAX)
		return error_set(error, ERR_RANGE, "more than %d walks; name fewer policies",
				 WALKS_MAX);
	snprintf(walks->name[walks->count], sizeof(walks->name[0]), "%.40s/%" PRIu64,
		 label, interval);
	if (folder)
		code = policy_open_as(&policy, folder, &report->manner, error);
	if (folder && code == 0)
		forget = policy_config_read(&config, folder, &none) == 0 && config.compat;
	if (code == 0)
		code = in_data_walk(&walks->walk[walks->count], pool, policy, forget, interval,
				    report->steps, error);
	policy_destroy(policy);
	if (code == 0)
		walks->count++;
	return code;
}

static int walk_all(const struct in_data_report *report, const struct pool *pool,
		    struct walks *walks, struct error *error)
{
	int code = 0;

	for (size_t i = 0; i < report->interval_count; i++) {
		const uint64_t interval = (uint64_t)report->intervals[i];
		const size_t plain = walks->count;

		for (size_t p = 0; code == 0 && p <= report->policy_count; p++) {
			walks->plain[plain + p < WALKS_MAX ? plain + p : 0] = plain;
			code = add_walk(walks, report, pool,
					p ? policy_label(report->policies, report->policy_count,
							 p - 1)
					  : "always enqueue",
					p ? report->policies[p - 1] : NULL, interval, error);
		}
	}
	return code;
}

static int write_csv(const struct walks *walks, const char *folder, struct error *error)
{
	struct file_replace file;
	char path[4096];
	int code = file_join(path, sizeof(path), folder, "walks.csv", error);

	if (code == 0)
		code = file_replace_open(&file, path, error);
	if (code)
		return code;
	fputs("walk,step,row,qdelay_ms,throughput\n", file.stream);
	for (size_t w = 0; w < walks->count; w++)
		for (size_t i = 0; i < walks->walk[w].steps; i++)
			fprintf(file.stream, "%s,%zu,%" PRIu32 ",%.9g,%.9g\n", walks->name[w], i,
				walks->walk[w].row[i], walks->walk[w].qdelay_ms[i],
				walks->walk[w].throughput[i]);
	return file_replace_commit(&file, error);
}

static void put_table(struct html *html, const struct walks *walks)
{
	static const char *const columns[] = {
		"walk",	 "mean delay, ms", "\"throughput\"",	     "enqueues",
		"drops", "marks",	   "steps as always-enqueue"};

	html_table_begin(
		html,
		"Means over the rows visited. \"Throughput\" is the released code's: packet "
		"length over (delay in ms + 1); no packet is sent. The last column: steps "
		"at which the walk stood on the same row as one that always says enqueue.",
		columns, 7);
	for (size_t w = 0; w < walks->count; w++) {
		const struct in_data_walk *walk = &walks->walk[w];
		const struct in_data_walk *plain = &walks->walk[walks->plain[w]];
		char text[6][CELL];
		const char *cells[] = {walks->name[w], text[0], text[1], text[2],
				       text[3],	       text[4], text[5]};

		snprintf(text[0], CELL, "%.3f", statistics_mean(walk->qdelay_ms, walk->steps));
		snprintf(text[1], CELL, "%.3f", statistics_mean(walk->throughput, walk->steps));
		for (int a = 0; a < POOL_ACTIONS; a++)
			snprintf(text[2 + a], CELL, "%" PRIu64, walk->asked[a]);
		snprintf(text[5], CELL, "%zu of %zu", in_data_same(walk, plain), walk->steps);
		html_table_row(html, cells, 7);
	}
	html_table_end(html);
}

static int put_figure(struct html *html, const struct walks *walks, const char *folder,
		      struct error *error)
{
	struct figure figure = {.title = "recorded queue delay of the rows visited",
				.x_label = "step",
				.y_label = "queue delay, ms"};
	const size_t steps = walks->count ? walks->walk[0].steps : 0;
	double *x = calloc(steps + 1, sizeof(*x));
	char figures[4096], svg[4200];
	int code = x ? file_join(figures, sizeof(figures), folder, "figures", error)
		     : error_set(error, ERR_NO_MEMORY, "out of memory for a figure");

	for (size_t i = 0; x && i < steps; i++)
		x[i] = (double)i;
	for (size_t w = 0; w < walks->count; w++)
		figure.series[figure.series_count++] =
			(struct figure_series){.name = walks->name[w],
					       .x = x,
					       .y = walks->walk[w].qdelay_ms,
					       .count = walks->walk[w].steps};
	if (code == 0)
		code = file_make_folders(figures, error);
	if (code == 0)
		code = figure_write(&figure, figures, "walks-qdelay", error);
	if (code == ERR_UNSUPPORTED) {
		error_clear(error);
		code = 0;
	}
	snprintf(svg, sizeof(svg), "%s/walks-qdelay.svg", figures);
	if (code == 0)
		html_figure(html, svg, "figures/walks-qdelay.csv",
			    "Not a queue's behaviour over time: rows of one recording in the order "
			    "in which the walk visits them.");
	free(x);
	return code;
}

static int write_page(const struct in_data_report *report, const struct walks *walks,
		      struct error *error)
{
	struct html *html = html_open("Walks through recorded rows",
				      "The released code's evaluation, repeated and labelled");
	char path[4096];
	int code = file_join(path, sizeof(path), report->folder, "report.html", error);

	if (html == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the report");
	html_note(html,
		  "This is not a closed loop. The walk goes through a recording; now and then "
		  "it jumps to the recorded row that has the policy's action and the nearest "
		  "packet length. No answer changes any queue, so nothing here says how a "
		  "policy would manage one: run aqmllm evaluate on a scenario for that.");
	html_paragraph(html, "Recording: %s.", report->pool);
	put_table(html, walks);
	if (code == 0)
		code = put_figure(html, walks, report->folder, error);
	if (code) {
		html_close(html, NULL, NULL);
		return code;
	}
	return html_close(html, path, error);
}

int in_data_report_write(const struct in_data_report *report, struct error *error)
{
	struct walks *walks = calloc(1, sizeof(*walks));
	struct pool pool;
	int code;

	if (walks == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	pool_init(&pool);
	code = pool_read(&pool, report->pool, error);
	if (code == 0)
		code = walk_all(report, &pool, walks, error);
	if (code == 0)
		code = file_make_folders(report->folder, error);
	if (code == 0)
		code = write_csv(walks, report->folder, error);
	if (code == 0)
		code = write_page(report, walks, error);
	for (size_t w = 0; w < walks->count; w++)
		in_data_walk_free(&walks->walk[w]);
	pool_free(&pool);
	free(walks);
	return code;
}
