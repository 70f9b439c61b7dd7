/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ioctls of netdevice(7).
 */
#include "os/linux/interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 2000000
#define LOOKS_MAX 1000

/* As the kernel has it (linux/ipv6.h, which does not go with the C library's headers). */
struct address6_request {
	struct in6_addr address;
	uint32_t prefix_bits;
	int interface;
};

static struct ifreq named(const char *name)
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return request;
}

/* One ioctl on a socket made for it. */
static int ask(int family, unsigned long what, void *request, const char *name, const char *doing,
	       struct error *error)
{
	const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int code = 0;

	if (fd < 0)
		return error_errno(error, name, "cannot make a socket");
	if (ioctl(fd, what, request))
		code = error_errno(error, name, doing);
	close(fd);
	return code;
}

int interface_up(const char *name, struct error *error)
{
	struct ifreq request = named(name);
	int code =
		ask(AF_INET, SIOCGIFFLAGS, &request, name, "cannot look at the interface", error);

	if (code)
		return code;
	request.ifr_flags |= IFF_UP;
	return ask(AF_INET, SIOCSIFFLAGS, &request, name, "cannot set the interface up", error);
}

int interface_set_mtu(const char *name, uint32_t bytes, struct error *error)
{
	struct ifreq request = named(name);

	request.ifr_mtu = (int)bytes;
	return ask(AF_INET, SIOCSIFMTU, &request, name, "cannot set the MTU", error);
}

int interface_mtu(const char *name, uint32_t *bytes, struct error *error)
{
	struct ifreq request = named(name);
	const int code =
		ask(AF_INET, SIOCGIFMTU, &request, name, "cannot look at the interface", error);

	*bytes = code ? 0 : (uint32_t)request.ifr_mtu;
	return code;
}

int interface_set_queue(const char *name, uint32_t packets, struct error *error)
{
	struct ifreq request = named(name);

	request.ifr_qlen = (int)packets;
	return ask(AF_INET, SIOCSIFTXQLEN, &request, name, "cannot set the queue's length", error);
}

int interface_index(const char *name, int *index, struct error *error)
{
	*index = (int)if_nametoindex(name);
	if (*index == 0)
		return error_at(error, ERR_NOT_FOUND, NULL, 0, name,
				"is no interface here; ip link lists them");
	return 0;
}

/* "address/bits" into its parts; `most` is the longest prefix. */
static int split(const char *text, char address[64], uint32_t most, uint32_t *bits)
{
	const char *slash = strchr(text, '/');
	char *end = NULL;
	const long value = slash ? strtol(slash + 1, &end, 10) : -1;

	if (slash == NULL || end == slash + 1 || *end || value < 1 || value > (long)most ||
	    (size_t)(slash - text) >= 64)
		return ERR_INVALID;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	*bits = (uint32_t)value;
	return 0;
}

static int add4(const char *name, struct in_addr address, uint32_t bits, struct error *error)
{
	struct ifreq request = named(name);
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&request.ifr_addr;
	int code;

	in->sin_family = AF_INET;
	in->sin_addr = address;
	code = ask(AF_INET, SIOCSIFADDR, &request, name, "cannot set the address", error);
	in->sin_addr.s_addr = htonl(UINT32_MAX << (32 - bits));
	return code ? code
		    : ask(AF_INET, SIOCSIFNETMASK, &request, name, "cannot set the netmask", error);
}

/* The kernel takes its time to find that nobody else has the address; nothing uses it before. */
static bool is_usable(struct in6_addr address)
{
	const struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = address};
	const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const bool usable = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;

	if (fd >= 0)
		close(fd);
	return usable;
}

static void await_usable(struct in6_addr address)
{
	for (int looks = 0; looks < LOOKS_MAX && !is_usable(address); looks++)
		nanosleep(&(struct timespec){0, LOOK_NS}, NULL);
}

static int add6(const char *name, struct in6_addr address, uint32_t bits, struct error *error)
{
	struct address6_request request = {.address = address, .prefix_bits = bits};
	int code = interface_index(name, &request.interface, error);

	if (code)
		return code;
	code = ask(AF_INET6, SIOCSIFADDR, &request, name, "cannot set the IPv6 address", error);
	if (code == 0)
		await_usable(address);
	return code;
}

int interface_add_address(const char *name, const char *text, struct error *error)
{
	char address[64];
	struct in_addr four;
	struct in6_addr six;
	uint32_t bits;

	if (split(text, address, 32, &bits) == 0 && inet_pton(AF_INET, address, &four) == 1)
		return add4(name, four, bits, error);
	if (split(text, address, 128, &bits) == 0 && inet_pton(AF_INET6, address, &six) == 1)
		return add6(name, six, bits, error);
	return error_at(error, ERR_INVALID, NULL, 0, text,
			"is no address with a prefix, such as 10.99.0.1/24 or fd99::1/64");
}
