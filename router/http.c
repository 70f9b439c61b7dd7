/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.0 answers (RFC 9110 and 9112 as far as a browser and a scraper need).
 */
#include "router/http.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

#define USUAL_HOST "127.0.0.1"
#define REQUEST_BYTES 4096
#define PATIENCE_S 5 /* with a reader that is slow to take an answer */
#define SILENCE_S 10 /* of one that says nothing: browsers connect before they ask */
#define READERS 16   /* at a time; more wait */
#define READS 64     /* of what a reader says behind its request */
#define LOOK_MS 100  /* at whether to end */

struct reader {
	int fd; /* -1: none */
	double since_s;
	size_t used;
	char head[REQUEST_BYTES];
};

struct http {
	int listener;
	http_answer *answer;
	void *context;
	pthread_t thread;
	_Atomic bool closing;
	struct reader readers[READERS];
};

/* "host:port" into its parts; a port alone is one of USUAL_HOST. */
static int split(const char *address, char host[256], char port[16])
{
	const char *colon = strrchr(address, ':');
	const char *begin = address;
	size_t length = colon ? (size_t)(colon - address) : 0;

	if (length >= 2 && begin[0] == '[' && begin[length - 1] == ']') {
		begin++;
		length -= 2;
	}
	if (length >= 256 || strlen(colon ? colon + 1 : address) >= 16)
		return ERR_INVALID;
	snprintf(host, 256, "%.*s", (int)length, begin);
	if (length == 0)
		snprintf(host, 256, "%s", USUAL_HOST);
	snprintf(port, 16, "%s", colon ? colon + 1 : address);
	return port[0] && port[strspn(port, "0123456789")] == '\0' ? 0 : ERR_INVALID;
}

static int listen_at(const struct addrinfo *at)
{
	const int again = 1;
	const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &again, sizeof(again));
	if (bind(fd, at->ai_addr, at->ai_addrlen) || listen(fd, READERS)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_listener(const char *address, struct error *error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char host[256], port[16];
	int fd = -1;

	if (split(address, host, port) || getaddrinfo(host, port, &hints, &found))
		return error_at(error, ERR_INVALID, NULL, 0, address,
				"is no address to listen at, such as 9100, 127.0.0.1:9100 or "
				"[::]:9100");
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
		fd = listen_at(at);
	if (fd < 0)
		fd = error_errno(error, address, "cannot listen");
	freeaddrinfo(found);
	return fd;
}

/* A call sends everything, unless patience is over: then the rest is not sent, whoever waits. */
static bool send_all(int fd, const char *data, size_t size)
{
	return send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static void reply_with(int fd, const char *status, const char *type, const char *body, size_t size,
		       bool head)
{
	char text[256];
	const int length = snprintf(text, sizeof(text),
				    "HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
				    "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
				    status, type, size);

	if (send_all(fd, text, (size_t)length) && !head)
		send_all(fd, body, size);
}

static void refuse(int fd, const char *status)
{
	reply_with(fd, status, "text/plain", status, strlen(status), false);
}

/* Answers the request whose head is there. */
static void serve(const struct http *http, int fd, char *head)
{
	const bool is_head = strncmp(head, "HEAD ", 5) == 0;
	struct http_reply reply = {0};
	char *path, *query;

	if (!is_head && strncmp(head, "GET ", 4) != 0) {
		refuse(fd, "405 Method Not Allowed");
		return;
	}
	path = head + (is_head ? 5 : 4);
	path[strcspn(path, " \r\n")] = '\0';
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	if (path[0] == '/')
		http->answer(http->context, path, query ? query : "", &reply);
	if (reply.type == NULL || reply.body == NULL)
		refuse(fd, "404 Not Found");
	else
		reply_with(fd, "200 OK", reply.type, reply.body, reply.size, is_head);
	free(reply.body);
}

/*
 * What was not read would make the close a reset, which takes the answer away.  One that writes as
 * fast as it is read does not hold the others.
 */
static void dismiss(struct reader *reader)
{
	char rest[REQUEST_BYTES];
	int most = READS;

	shutdown(reader->fd, SHUT_WR);
	while (most-- > 0 && recv(reader->fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		continue;
	close(reader->fd);
	reader->fd = -1;
}

/* Reads what a reader says; answers and ends when that is all, or cannot become anything. */
static void listen_to(const struct http *http, struct reader *reader)
{
	const ssize_t got = recv(reader->fd, reader->head + reader->used,
				 REQUEST_BYTES - 1 - reader->used, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	reader->used += got > 0 ? (size_t)got : 0;
	reader->head[reader->used] = '\0';
	if (strstr(reader->head, "\r\n\r\n") || strstr(reader->head, "\n\n"))
		serve(http, reader->fd, reader->head);
	else if (got > 0 && reader->used < REQUEST_BYTES - 1)
		return;
	else if (reader->used)
		refuse(reader->fd, "400 Bad Request");
	dismiss(reader);
}

static void welcome(struct http *http)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct reader *place = NULL;
	int fd;

	for (int i = 0; i < READERS; i++)
		if (http->readers[i].fd < 0)
			place = &http->readers[i];
	if (place == NULL || (fd = accept(http->listener, NULL, NULL)) < 0)
		return;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	*place = (struct reader){.fd = fd, .since_s = clock_s()};
}

static bool is_full(const struct http *http)
{
	for (int i = 0; i < READERS; i++)
		if (http->readers[i].fd < 0)
			return false;
	return true;
}

/* The listener, unless there is no place, and all readers; those without a file are not looked at.
 */
static void look(struct http *http)
{
	struct pollfd ready[1 + READERS];

	ready[0] = (struct pollfd){.fd = is_full(http) ? -1 : http->listener, .events = POLLIN};
	for (int i = 0; i < READERS; i++)
		ready[1 + i] = (struct pollfd){.fd = http->readers[i].fd, .events = POLLIN};
	poll(ready, 1 + READERS, LOOK_MS);
	for (int i = 0; i < READERS; i++) {
		struct reader *reader = &http->readers[i];

		if (reader->fd >= 0 && ready[1 + i].revents)
			listen_to(http, reader);
		if (reader->fd >= 0 && clock_s() - reader->since_s > SILENCE_S)
			dismiss(reader);
	}
	if (ready[0].revents)
		welcome(http);
}

static void *run(void *context)
{
	struct http *http = context;

	while (!http->closing)
		look(http);
	for (int i = 0; i < READERS; i++)
		if (http->readers[i].fd >= 0)
			dismiss(&http->readers[i]);
	return NULL;
}

int http_open(struct http **http, const char *address, http_answer *answer, void *context,
	      struct error *error)
{
	struct http *self = calloc(1, sizeof(*self));
	sigset_t before;
	int failed;

	if (self == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	for (int i = 0; i < READERS; i++)
		self->readers[i].fd = -1;
	self->answer = answer;
	self->context = context;
	self->listener = open_listener(address, error);
	if (self->listener < 0) {
		failed = self->listener;
		free(self);
		return failed;
	}
	interrupt_block(&before);
	failed = pthread_create(&self->thread, NULL, run, self);
	interrupt_unblock(&before);
	if (failed) {
		close(self->listener);
		free(self);
		return error_set(error, ERR_FAILED, "cannot start a thread for the web server");
	}
	*http = self;
	return 0;
}

unsigned http_port(const struct http *http)
{
	struct sockaddr_storage at;
	socklen_t length = sizeof(at);

	if (getsockname(http->listener, (struct sockaddr *)&at, &length))
		return 0;
	return ntohs(at.ss_family == AF_INET6
			     ? ((struct sockaddr_in6 *)(void *)&at)->sin6_port
			     : ((struct sockaddr_in *)(void *)&at)->sin_port);
}

void http_close(struct http *http)
{
	if (http == NULL)
		return;
	http->closing = true;
	pthread_join(http->thread, NULL);
	close(http->listener);
	free(http);
}
