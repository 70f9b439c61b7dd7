/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP Prague over sockets: the endpoints of tcp/udp_prague.c with datagrams, a clock and the ECN
 * bits of the kernel.
 *
 * A datagram begins with the message: seq, received, ce, lost and timestamp in 8 bytes each, most
 * significant first, and one byte that says that the path breaks ECN.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "os/linux/traffic_end.h"
#include "tcp/endpoint.h"

#define MESSAGE_BYTES 41
#define DATAGRAM_MAX 2048
#define MTU_BYTES 1500

static uint8_t *put64(uint8_t *at, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> (56 - 8 * i));
	return at + 8;
}

static uint64_t get64(const uint8_t **at)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | *(*at)++;
	return value;
}

/* Sends what the endpoint has to say now. */
static void send_all(struct endpoint *endpoint, int fd)
{
	static uint8_t datagram[DATAGRAM_MAX];
	const uint64_t now = clock_ns();

	for (;;) {
		struct packet packet = {0};
		const struct prague_header *header = &packet.prague;
		size_t size;
		uint8_t *at = datagram;
		int tos;

		if (!endpoint->ops->emit(endpoint, &packet, now))
			return;
		at = put64(at, header->seq);
		at = put64(at, header->received);
		at = put64(at, header->ce);
		at = put64(at, header->lost);
		at = put64(at, header->timestamp_ns);
		*at = header->ecn_broken;
		size = packet.len_bytes - UDP_HEADER_BYTES;
		tos = packet.ecn;
		setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
		/* What the kernel does not take is lost, as on the way. */
		(void)!send(fd, datagram, size > MESSAGE_BYTES ? size : MESSAGE_BYTES, 0);
	}
}

static uint8_t ecn_of(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			return CMSG_DATA(c)[0] & 3;
	return 0;
}

/* Takes one datagram; false: none waits.  The first one's sender is who is answered. */
static bool receive_one(struct endpoint *endpoint, int fd, bool *connected)
{
	uint8_t datagram[DATAGRAM_MAX], control[CMSG_SPACE(sizeof(int))];
	struct sockaddr_in from;
	struct iovec data = {datagram, sizeof(datagram)};
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	const ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);
	const uint8_t *at = datagram;
	struct packet packet = {0};

	if (size < 0)
		return false;
	if (size < MESSAGE_BYTES)
		return true;
	if (!*connected)
		*connected = connect(fd, (struct sockaddr *)&from, sizeof(from)) == 0;
	packet.len_bytes = (uint32_t)size + UDP_HEADER_BYTES;
	packet.protocol = NET_UDP;
	packet.ecn = ecn_of(&message);
	packet.prague.seq = get64(&at);
	packet.prague.received = get64(&at);
	packet.prague.ce = get64(&at);
	packet.prague.lost = get64(&at);
	packet.prague.timestamp_ns = get64(&at);
	packet.prague.ecn_broken = *at;
	endpoint->ops->receive(endpoint, &packet, clock_ns());
	return true;
}

static void drive(struct endpoint *endpoint, int fd, bool connected)
{
	const int yes = 1;

	setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &yes, sizeof(yes));
	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		uint64_t now = clock_ns(), due, left;

		if (endpoint->ops->next_ns(endpoint) <= now)
			endpoint->ops->run(endpoint, now);
		send_all(endpoint, fd);
		due = endpoint->ops->next_ns(endpoint);
		now = clock_ns();
		left = due > now ? due - now : 0;
		if (left > NS_PER_S)
			left = NS_PER_S;
		ppoll(&ready, 1,
		      &(struct timespec){(time_t)(left / NS_PER_S), (long)(left % NS_PER_S)},
		      NULL);
		/* Each is answered: what it says of ECN is of that datagram. */
		while (receive_one(endpoint, fd, &connected))
			send_all(endpoint, fd);
	}
}

static struct endpoint_config config(void)
{
	return (struct endpoint_config){
		.mtu_bytes = MTU_BYTES,
		.ecn = ENDPOINT_ECN_ECT1,
		.start_ns = clock_ns(),
		.stop_ns = TIME_NEVER_NS,
	};
}

static int socket_of(const char *address, unsigned port, struct sockaddr_in *out)
{
	*out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, address, &out->sin_addr) != 1)
		return -1;
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

void traffic_prague_send(const char *address, unsigned port)
{
	const struct endpoint_config own = config();
	struct endpoint *endpoint = udp_prague_sender_new(&own);
	struct sockaddr_in to;
	const int fd = socket_of(address, port, &to);

	if (endpoint && fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		drive(endpoint, fd, true);
}

void traffic_prague_receive(const char *address, unsigned port)
{
	const struct endpoint_config own = config();
	struct endpoint *endpoint = udp_prague_receiver_new(&own);
	struct sockaddr_in at;
	const int fd = socket_of(address, port, &at);

	if (endpoint && fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		drive(endpoint, fd, false);
}
