/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/route_web.h"

#include <stdlib.h>
#include <string.h>

#include "cli/route_report.h"
#include "route_page.h" /* route_page: cli/route_page.html as a text */

static void reply_json(struct http_reply *reply, json_t *object)
{
	reply->body = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
	reply->size = reply->body ? strlen(reply->body) : 0;
	reply->type = "application/json";
	json_decref(object);
}

static void reply_metrics(struct http_reply *reply, const struct monitor *monitor)
{
	FILE *out = open_memstream(&reply->body, &reply->size);

	if (out == NULL)
		return;
	route_metrics(out, monitor);
	fclose(out);
	reply->type = "text/plain; version=0.0.4; charset=utf-8";
}

static void answer(void *context, const char *path, const char *query, struct http_reply *reply)
{
	struct route_web *web = context;

	board_get(web->board, web->monitor);
	if (strcmp(path, "/") == 0) {
		reply->body = strdup(route_page);
		reply->size = sizeof(route_page) - 1;
		reply->type = "text/html; charset=utf-8";
	} else if (strcmp(path, "/metrics") == 0) {
		reply_metrics(reply, web->monitor);
	} else if (strcmp(path, "/summary.json") == 0) {
		reply_json(reply, route_json(web->options, web->monitor));
	} else if (strcmp(path, "/series.json") == 0) {
		const char *after = strstr(query, "after=");

		reply_json(reply, route_series_json(web->monitor,
						    after ? strtoull(after + 6, NULL, 10) : 0));
	}
}

int route_web_open(struct route_web *web, struct board *board, const struct route_options *options,
		   struct error *error)
{
	int code;

	web->board = board;
	web->options = options;
	web->monitor = calloc(1, sizeof(*web->monitor));
	if (web->monitor == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = http_open(&web->http, options->metrics, answer, web, error);
	if (code)
		route_web_close(web);
	return code;
}

void route_web_close(struct route_web *web)
{
	http_close(web->http);
	free(web->monitor);
	web->http = NULL;
	web->monitor = NULL;
}
