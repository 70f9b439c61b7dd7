/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A web server for a few readers, in a thread of its own: GET, each connection answered and
 * closed.  It serves what a callback makes and knows no files.
 */
#ifndef ROUTER_HTTP_H
#define ROUTER_HTTP_H

#include <stddef.h>

#include "base/error.h"

/* What a request is answered with. */
struct http_reply {
	const char *type; /* of the content; NULL: there is no such page */
	char *body;       /* malloc'd; the server frees it */
	size_t size;
};

/* Called in the server's thread; `path` begins with a slash, `query` is what follows a '?'. */
typedef void http_answer(void *context, const char *path, const char *query,
			 struct http_reply *reply);

struct http;

/*
 * Listens at "PORT" (of 127.0.0.1), "HOST:PORT" or "[V6]:PORT"; port 0 takes a free one.
 * ERR_INVALID: no such address; ERR_IO: somebody else has it.
 */
int http_open(struct http **http, const char *address, http_answer *answer, void *context,
	      struct error *error);

/* The port it listens at. */
unsigned http_port(const struct http *http);

/* Ends the thread; NULL is nothing. */
void http_close(struct http *http);

#endif
