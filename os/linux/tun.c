/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One packet a system call, without waiting (tun(4), linux/if_tun.h).
 */
#include "os/linux/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "os/linux/interface.h"
#include "os/linux/namespace.h"

#define DEVICE "/dev/net/tun"

struct opening {
	const struct tun_config *config;
	int fd;
};

static int tun_receive(struct port *port, struct port_frame *frames, size_t count, size_t room)
{
	size_t came = 0;

	while (came < count) {
		const ssize_t got = read(port->fd, frames[came].bytes, room);

		if (got < 0)
			return came > 0 || errno == EAGAIN || errno == EINTR ? (int)came : -1;
		frames[came++].size = (uint32_t)got;
	}
	return (int)came;
}

/* A packet that the device refuses (it is down, or the packet is no IP) is lost alone. */
static size_t tun_send(struct port *port, const struct port_frame *frames, size_t count)
{
	size_t sent = 0;

	for (size_t i = 0; i < count; i++)
		sent += write(port->fd, frames[i].bytes, frames[i].size) ==
			(ssize_t)frames[i].size;
	return sent;
}

static void tun_close(struct port *port)
{
	close(port->fd);
	free(port);
}

static const struct port_ops tun_ops = {
	.name = "tun",
	.receive = tun_receive,
	.send = tun_send,
	.close = tun_close,
};

static int set_up(const struct tun_config *config, struct error *error)
{
	int code = interface_set_mtu(config->name, config->mtu_bytes, error);

	if (code == 0)
		code = interface_set_queue(config->name, config->queue_packets, error);
	/* IPv6 addresses want the device up. */
	if (code == 0)
		code = interface_up(config->name, error);
	for (int i = 0; code == 0 && i < TUN_ADDRESSES; i++)
		if (config->addresses[i])
			code = interface_add_address(config->name, config->addresses[i], error);
	return code;
}

/* The device is made in the namespace in which it is opened. */
static int open_inside(void *context, struct error *error)
{
	struct opening *opening = context;
	const struct tun_config *config = opening->config;
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL};
	int code = 0;

	if (strlen(config->name) >= IFNAMSIZ)
		return error_at(error, ERR_INVALID, NULL, 0, config->name,
				"is too long for a device; %d characters at most", IFNAMSIZ - 1);
	strcpy(request.ifr_name, config->name);
	opening->fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (opening->fd < 0)
		return error_errno(error, DEVICE, "cannot open the device");
	if (ioctl(opening->fd, TUNSETIFF, &request))
		code = errno == EBUSY
			       ? error_at(error, ERR_INVALID, NULL, 0, config->name,
					  "is a device already; name another by --tun")
			       : error_errno(error, config->name, "cannot make the device");
	if (code == 0)
		code = set_up(config, error);
	if (code)
		close(opening->fd);
	return code;
}

int tun_open(struct port **port, int namespace_fd, const struct tun_config *config,
	     struct error *error)
{
	struct opening opening = {.config = config};
	int code;

	*port = calloc(1, sizeof(**port));
	if (*port == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = namespace_within(namespace_fd, open_inside, &opening, error);
	if (code) {
		free(*port);
		*port = NULL;
		return code;
	}
	**port = (struct port){.ops = &tun_ops, .fd = opening.fd};
	return 0;
}
