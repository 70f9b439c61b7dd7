/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests whole, in pieces, wrong, too long, silent: each is answered, none holds the others. */
#include "router/http.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static void answer(void *context, const char *path, const char *query, struct http_reply *reply)
{
	char text[256];

	(void)context;
	if (strcmp(path, "/big") == 0 || strcmp(path, "/huge") == 0) {
		/* The kernel takes the one whether it is read or not. */
		reply->size = path[1] == 'b' ? 1 << 20 : 64 << 20;
		reply->body = malloc(reply->size);
		memset(reply->body, 'x', reply->size);
		reply->type = "text/plain";
		return;
	}
	if (strcmp(path, "/page") != 0)
		return;
	reply->size = (size_t)snprintf(text, sizeof(text), "asked with <%s>", query);
	reply->body = strdup(text);
	reply->type = "text/plain";
}

static struct http *http;

static int dial(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons((uint16_t)http_port(http))};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Everything up to the end of the connection; the caller frees. */
static char *hear(int fd)
{
	char *text = malloc(2 << 20);
	size_t used = 0;
	ssize_t got;

	while ((got = recv(fd, text + used, (2 << 20) - used - 1, 0)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	close(fd);
	return text;
}

static void expect(const char *request, const char *status, const char *end)
{
	const int fd = dial();
	char *text;

	say(fd, request);
	text = hear(fd);
	assert_non_null(strstr(text, status));
	assert_string_equal(text + strlen(text) - strlen(end), end);
	free(text);
}

static void requests_are_answered(void **state)
{
	(void)state;
	expect("GET /page?a=1 HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "\r\n\r\nasked with <a=1>");
	expect("GET /page HTTP/1.0\n\n", "200 OK", "asked with <>");
	expect("HEAD /page HTTP/1.1\r\n\r\n", "Content-Length: 13", "\r\n\r\n");
	expect("GET /else HTTP/1.1\r\n\r\n", "404", "404 Not Found");
	expect("POST /page HTTP/1.1\r\n\r\n", "405", "405 Method Not Allowed");
	expect("GET \r\n\r\n", "404", "404 Not Found");
}

static void a_request_in_pieces(void **state)
{
	const char *request = "GET /page?slow HTTP/1.1\r\n\r\n";
	const int fd = dial();
	char *text;

	(void)state;
	for (; *request; request++) {
		assert_int_equal(send(fd, request, 1, MSG_NOSIGNAL), 1);
		usleep(1000);
	}
	text = hear(fd);
	assert_non_null(strstr(text, "<slow>"));
	free(text);
}

static void silent_readers_hold_nobody(void **state)
{
	int silent[10];

	(void)state;
	for (int i = 0; i < 10; i++)
		silent[i] = dial();
	for (int i = 0; i < 20; i++)
		expect("GET /page HTTP/1.1\r\n\r\n", "200 OK", "asked with <>");
	for (int i = 0; i < 10; i++)
		close(silent[i]);
	expect("GET /page HTTP/1.1\r\n\r\n", "200 OK", "asked with <>");
}

/* Another process asks for much and takes little at a time. */
static pid_t start_slow_reader(void)
{
	const int room = 4096;
	const pid_t child = fork();
	char taken[4096];
	int fd;

	if (child != 0)
		return child;
	fd = dial();
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	say(fd, "GET /huge HTTP/1.1\r\n\r\n");
	while (recv(fd, taken, sizeof(taken), 0) > 0)
		usleep(200000);
	_exit(0);
}

static void slow_readers_hold_nobody_for_long(void **state)
{
	const double begun_s = clock_s();
	const pid_t slow = start_slow_reader();

	(void)state;
	usleep(300000);
	expect("GET /page HTTP/1.1\r\n\r\n", "200 OK", "asked with <>");
	assert_true(clock_s() - begun_s < 15); /* it would take an hour */
	kill(slow, SIGKILL);
	waitpid(slow, NULL, 0);
}

static void long_requests_and_answers(void **state)
{
	char request[8192];
	int fd = dial();
	char *text;

	(void)state;
	memset(request, 'a', sizeof(request));
	memcpy(request, "GET /", 5);
	request[sizeof(request) - 1] = '\0';
	say(fd, request);
	text = hear(fd);
	assert_non_null(strstr(text, "400"));
	free(text);
	fd = dial();
	say(fd, "GET /big HTTP/1.1\r\n\r\n");
	text = hear(fd);
	assert_true(strlen(text) > 1 << 20);
	free(text);
}

static void addresses(void **state)
{
	static const char *const wrong[] = {"", "http", "1:2:3:x", "127.0.0.1:",
					    "999999999999999999"};
	struct http *other;
	struct error error = {0};
	char taken[32];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(http_open(&other, wrong[i], answer, NULL, &error), -22);
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", http_port(http));
	assert_true(http_open(&other, taken, answer, NULL, &error) < 0);
	assert_int_equal(http_open(&other, "localhost:0", answer, NULL, &error), 0);
	http_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered),
		cmocka_unit_test(a_request_in_pieces),
		cmocka_unit_test(silent_readers_hold_nobody),
		cmocka_unit_test(slow_readers_hold_nobody_for_long),
		cmocka_unit_test(long_requests_and_answers),
		cmocka_unit_test(addresses),
	};
	int failed;

	if (http_open(&http, "0", answer, NULL, NULL))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_close(http);
	return failed;
}
