/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a router shows on the web: a live page at /, its data at /series.json, the summary so far at
 * /summary.json, and what Prometheus scrapes at /metrics.
 */
#ifndef CLI_ROUTE_WEB_H
#define CLI_ROUTE_WEB_H

#include "cli/route.h"
#include "router/http.h"

struct route_web {
	struct http *http; /* NULL: not open */
	struct board *board;
	const struct route_options *options;
	struct monitor *monitor; /* owned; the server's thread uses it alone */
};

/* Listens at options->metrics. */
int route_web_open(struct route_web *web, struct board *board, const struct route_options *options,
		   struct error *error);
void route_web_close(struct route_web *web);

#endif
