/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each frame comes with a struct virtio_net_hdr that says what the interface was to do with it, and
 * with the VLAN tag that was taken off.
 */
#include "os/linux/packet_socket.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/ethernet.h"
#include "net/segment.h"
#include "os/linux/interface.h"

#define SUPER_BYTES (65536 + ETHERNET_ROOM_BYTES)
#define TAG_AT 12 /* behind both addresses */
#define SOCKET_BUFFER_BYTES (8 << 20)

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

struct packet_port {
	struct port port; /* first */
	struct segmenter cutting;
	bool is_cutting;
	uint8_t super[SUPER_BYTES];
};

/* Puts a tag back; the frame moves by its length from there on. */
static uint32_t insert_tag(uint8_t *frame, uint32_t size, const struct tpacket_auxdata *aux)
{
	const uint32_t type = aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid
									   : ETH_P_8021Q;
	const uint8_t tag[ETHERNET_TAG_BYTES] = {(uint8_t)(type >> 8), (uint8_t)type,
						 (uint8_t)(aux->tp_vlan_tci >> 8),
						 (uint8_t)aux->tp_vlan_tci};

	if (size < TAG_AT)
		return size;
	memmove(frame + TAG_AT + sizeof(tag), frame + TAG_AT, size - TAG_AT);
	memcpy(frame + TAG_AT, tag, sizeof(tag));
	return size + (uint32_t)sizeof(tag);
}

/* Reads a frame into `super`; `moved` tells how far a tag moved it.  Negative: none waits. */
static ssize_t read_frame(struct packet_port *self, struct virtio_net_hdr *header,
			  uint32_t *moved)
{
	union {
		struct cmsghdr first;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec parts[] = {{header, sizeof(*header)},
				{self->super, SUPER_BYTES - ETHERNET_TAG_BYTES}};
	struct msghdr message = {.msg_iov = parts,
				 .msg_iovlen = 2,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const ssize_t got = recvmsg(self->port.fd, &message, MSG_DONTWAIT);
	uint32_t size;

	*moved = 0;
	if (got < (ssize_t)sizeof(*header))
		return got < 0 ? got : 0;
	size = (uint32_t)got - (uint32_t)sizeof(*header);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (aux.tp_status & TP_STATUS_VLAN_VALID) {
			*moved = insert_tag(self->super, size, &aux) - size;
			size += *moved;
		}
	}
	return (ssize_t)size;
}

/* A packet that cannot be made a frame of; whoever receives it throws it away, and counts it. */
static void spoil(struct port_frame *frame, size_t room)
{
	frame->size = (uint32_t)room + 1;
}

/* A frame, or a super-packet that begins to be cut.  Returns whether there is a frame. */
static bool take_frame(struct packet_port *self, const struct virtio_net_hdr *header, uint32_t size,
		       uint32_t moved, struct port_frame *frame, size_t room)
{
	const unsigned kind = header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

	if (kind == VIRTIO_NET_HDR_GSO_TCPV4 || kind == VIRTIO_NET_HDR_GSO_TCPV6 ||
	    kind == VIRTIO_NET_HDR_GSO_UDP_L4) {
		self->is_cutting = segment_begin(&self->cutting, self->super, size,
						 ethernet_ip_offset(self->super, size),
						 header->gso_size) == 0;
		if (!self->is_cutting)
			spoil(frame, room);
		return !self->is_cutting;
	}
	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		segment_complete_checksum(self->super, size, header->csum_start + moved,
					  header->csum_offset);
	memcpy(frame->bytes, self->super, size < room ? size : room);
	frame->size = size;
	return true;
}

/* The next part of a super-packet.  Returns whether there is one. */
static bool next_part(struct packet_port *self, struct port_frame *frame, size_t room)
{
	const struct segmenter *cutting = &self->cutting;
	const bool was_all = cutting->index > 0 && cutting->next == cutting->end;

	frame->size = (uint32_t)segment_next(&self->cutting, frame->bytes, room);
	self->is_cutting = frame->size > 0;
	if (!self->is_cutting && !was_all)
		spoil(frame, room); /* and with it what is left */
	return !was_all;
}

/* Whatever is read becomes a frame at least, so that this ends however quickly packets come. */
static int packet_receive(struct port *port, struct port_frame *frames, size_t count, size_t room)
{
	struct packet_port *self = (struct packet_port *)port;
	size_t came = 0;

	while (came < count) {
		struct virtio_net_hdr header = {0};
		uint32_t moved;
		ssize_t size;

		if (self->is_cutting) {
			came += next_part(self, &frames[came], room);
			continue;
		}
		size = read_frame(self, &header, &moved);
		if (size >= 0) {
			came += take_frame(self, &header, (uint32_t)size, moved, &frames[came],
					   room);
		} else if (errno == EINVAL) {
			/* A super-packet of a kind for which the header has no word; it is gone. */
			spoil(&frames[came++], room);
		} else if (errno == EAGAIN || errno == EINTR || errno == ENETDOWN) {
			break; /* ENETDOWN: the interface was set down, and may come up again */
		} else {
			return came > 0 ? (int)came : -1;
		}
	}
	return (int)came;
}

static size_t packet_send(struct port *port, const struct port_frame *frames, size_t count)
{
	static struct virtio_net_hdr plain;
	struct mmsghdr messages[PORT_BATCH] = {0};
	struct iovec parts[PORT_BATCH][2];
	size_t sent = 0, at = 0;

	for (size_t i = 0; i < count; i++) {
		parts[i][0] = (struct iovec){&plain, sizeof(plain)};
		parts[i][1] = (struct iovec){frames[i].bytes, frames[i].size};
		messages[i].msg_hdr.msg_iov = parts[i];
		messages[i].msg_hdr.msg_iovlen = 2;
	}
	while (at < count) {
		const int went =
			sendmmsg(port->fd, messages + at, (unsigned)(count - at), MSG_DONTWAIT);

		/* A frame that the interface refuses is lost alone. */
		sent += went > 0 ? (size_t)went : 0;
		at += went > 0 ? (size_t)went : 1;
	}
	return sent;
}

static void packet_close(struct port *port)
{
	close(port->fd);
	free(port);
}

static const struct port_ops packet_ops = {
	.name = "packet socket",
	.receive = packet_receive,
	.send = packet_send,
	.close = packet_close,
};

static int set_up(int fd, int index, const char *interface, struct error *error)
{
	const int yes = 1, room = SOCKET_BUFFER_BYTES;
	const struct packet_mreq all = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};
	const struct sockaddr_ll at = {.sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = index};

	/* Without it bursts are lost, nothing else. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof(yes)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes, sizeof(yes)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		return error_errno(error, interface, "cannot open a packet socket");
	return 0;
}

int packet_socket_open(struct port **port, const char *interface, struct error *error)
{
	struct packet_port *self = calloc(1, sizeof(*self));
	int index, code;

	if (self == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = interface_index(interface, &index, error);
	if (code == 0) {
		/* Bound before it hears anything: protocol 0 hears nothing. */
		self->port.ops = &packet_ops;
		self->port.ethernet = true;
		self->port.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		if (self->port.fd < 0 && errno == EPERM)
			code = error_set(error, ERR_UNSUPPORTED,
					 "needs the capabilities CAP_NET_RAW and CAP_NET_ADMIN to "
					 "bridge interfaces; run it as root (sudo)");
		else if (self->port.fd < 0)
			code = error_errno(error, interface, "cannot open a packet socket");
		else
			code = set_up(self->port.fd, index, interface, error);
		if (code && self->port.fd >= 0)
			close(self->port.fd);
	}
	if (code) {
		free(self);
		return code;
	}
	*port = &self->port;
	return 0;
}
