/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCP flow without end: zeros.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "os/linux/traffic_end.h"

#define BLOCK_BYTES 65536

/* Returns the length, 0 when `address` is none. */
static socklen_t address_of(const char *address, unsigned port, struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, address, &six->sin6_addr) != 1)
		return 0;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)port);
	return sizeof(*six);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* A connection; tries again while nobody listens.  -1: it cannot be. */
static int connect_to(const char *address, unsigned port, const char *control)
{
	struct sockaddr_storage to;
	const socklen_t length = address_of(address, port, &to);

	while (length) {
		const int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return -1;
		if (control && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control,
					  (socklen_t)strlen(control))) {
			close(fd);
			return -1;
		}
		if (connect(fd, (struct sockaddr *)&to, length) == 0)
			return fd;
		close(fd);
		pause_ms(20);
	}
	return -1;
}

void traffic_tcp_send(const char *address, unsigned port, const char *control)
{
	static const char zeros[BLOCK_BYTES];
	const int fd = connect_to(address, port, control);

	while (fd >= 0 && write(fd, zeros, sizeof(zeros)) > 0)
		continue;
}

void traffic_tcp_receive(const char *address, unsigned port)
{
	static char block[BLOCK_BYTES];
	const int again = 1;
	struct sockaddr_storage at;
	const socklen_t length = address_of(address, port, &at);
	const int listener = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd;

	if (length == 0 || listener < 0)
		return;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &again, sizeof(again));
	/* The address may still be on its way into the interface. */
	while (bind(listener, (struct sockaddr *)&at, length))
		pause_ms(20);
	if (listen(listener, 1))
		return;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		while (read(fd, block, sizeof(block)) > 0)
			continue;
		close(fd);
	}
}
