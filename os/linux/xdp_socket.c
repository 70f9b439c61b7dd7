/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One socket for each receive queue, each with memory of its own that it shares with the kernel
 * (Documentation/networking/af_xdp.rst).  The first half of the memory's pieces is for frames that
 * come, the second for those that go.  Frames are copied between it and the router's buffers: those
 * wait for long, and the kernel must not run out of pieces meanwhile.
 */
#include "os/linux/xdp_socket.h"

#include <dirent.h>
#include <errno.h>
#include <linux/if_xdp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/linux/interface.h"
#include "os/linux/xdp_program.h"
#include "os/linux/xdp_ring.h"

#define PIECE_BYTES 4096
#define RING 2048 /* entries of each ring, and pieces for each direction */
#define AREA_BYTES ((size_t)2 * RING * PIECE_BYTES)
#define QUEUES_MAX 64
#define KICKS 8 /* what is left then goes with the next packets */

struct xdp_queue {
	int fd;
	uint8_t *area;
	struct xdp_ring fill, completion, receive, send;
	uint64_t idle[RING]; /* pieces that can be sent from */
	uint32_t idle_count;
};

struct xdp_port {
	struct port port; /* first; its fd is an epoll of all queues */
	struct xdp_program program;
	struct xdp_queue *queues; /* owned */
	uint32_t queue_count, next;
};

static uint64_t *address_at(const struct xdp_ring *ring, uint32_t index)
{
	return (uint64_t *)ring->entries + (index & (ring->size - 1));
}

static struct xdp_desc *frame_at(const struct xdp_ring *ring, uint32_t index)
{
	return (struct xdp_desc *)ring->entries + (index & (ring->size - 1));
}

/* Takes what waits of a queue into frames; its pieces go back to the kernel at once. */
static size_t take(struct xdp_queue *queue, struct port_frame *frames, size_t count, size_t room)
{
	uint32_t waiting = xdp_ring_waiting(&queue->receive);

	if (waiting > count)
		waiting = (uint32_t)count;
	for (uint32_t i = 0; i < waiting; i++) {
		const struct xdp_desc *frame = frame_at(&queue->receive, queue->receive.at++);

		memcpy(frames[i].bytes, queue->area + frame->addr,
		       frame->len < room ? frame->len : room);
		frames[i].size = frame->len;
		*address_at(&queue->fill, queue->fill.at++) =
			frame->addr & ~(uint64_t)(PIECE_BYTES - 1);
	}
	xdp_ring_consumed(&queue->receive);
	xdp_ring_produced(&queue->fill);
	return waiting;
}

static int xdp_receive(struct port *port, struct port_frame *frames, size_t count, size_t room)
{
	struct xdp_port *self = (struct xdp_port *)port;
	size_t came = 0;

	/* Another queue is first each time, so that none starves. */
	for (uint32_t i = 0; i < self->queue_count && came < count; i++) {
		self->next = self->next + 1 < self->queue_count ? self->next + 1 : 0;
		came += take(&self->queues[self->next], frames + came, count - came, room);
	}
	return (int)came;
}

/* Pieces whose frames have gone can be used again. */
static void reclaim(struct xdp_queue *queue)
{
	for (uint32_t gone = xdp_ring_waiting(&queue->completion); gone > 0; gone--)
		queue->idle[queue->idle_count++] =
			*address_at(&queue->completion, queue->completion.at++);
	xdp_ring_consumed(&queue->completion);
}

/* Has the kernel look at what is to be sent, of which it takes some at a time. */
static void kick(const struct xdp_queue *queue)
{
	for (int i = 0; i < KICKS; i++)
		if (sendto(queue->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno != EAGAIN)
			return;
}

static size_t xdp_send(struct port *port, const struct port_frame *frames, size_t count)
{
	struct xdp_queue *queue = ((struct xdp_port *)port)->queues;
	size_t sent = 0;

	reclaim(queue);
	for (size_t i = 0; i < count && queue->idle_count > 0 && xdp_ring_room(&queue->send); i++) {
		uint64_t piece;

		if (frames[i].size > PIECE_BYTES)
			continue;
		piece = queue->idle[--queue->idle_count];
		memcpy(queue->area + piece, frames[i].bytes, frames[i].size);
		*frame_at(&queue->send, queue->send.at++) =
			(struct xdp_desc){.addr = piece, .len = frames[i].size};
		sent++;
	}
	xdp_ring_produced(&queue->send);
	kick(queue);
	return sent;
}

static void unmap(const struct xdp_ring *ring)
{
	if (ring->map)
		munmap(ring->map, ring->map_bytes);
}

static void close_queue(struct xdp_queue *queue)
{
	unmap(&queue->fill);
	unmap(&queue->completion);
	unmap(&queue->receive);
	unmap(&queue->send);
	if (queue->fd >= 0)
		close(queue->fd);
	if (queue->area)
		munmap(queue->area, AREA_BYTES);
}

static void xdp_close(struct port *port)
{
	struct xdp_port *self = (struct xdp_port *)port;

	xdp_program_close(&self->program);
	for (uint32_t i = 0; i < self->queue_count; i++)
		close_queue(&self->queues[i]);
	if (port->fd >= 0)
		close(port->fd);
	free(self->queues);
	free(self);
}

static const struct port_ops xdp_ops = {
	.name = "AF_XDP",
	.receive = xdp_receive,
	.send = xdp_send,
	.close = xdp_close,
};

static int map_ring(struct xdp_ring *ring, int fd, const struct xdp_ring_offset *offset,
		    off_t where, size_t entry_bytes)
{
	ring->size = RING;
	ring->map_bytes = offset->desc + RING * entry_bytes;
	ring->map = mmap(NULL, ring->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 fd, where);
	if (ring->map == MAP_FAILED) {
		ring->map = NULL;
		return -1;
	}
	ring->producer = (_Atomic uint32_t *)(void *)((char *)ring->map + offset->producer);
	ring->consumer = (_Atomic uint32_t *)(void *)((char *)ring->map + offset->consumer);
	ring->entries = (char *)ring->map + offset->desc;
	return 0;
}

/* Sizes of rings and memory; -1 with errno. */
static int shape(struct xdp_queue *queue)
{
	const struct xdp_umem_reg memory = {.addr = (uint64_t)(uintptr_t)queue->area,
					    .len = AREA_BYTES,
					    .chunk_size = PIECE_BYTES};
	static const int rings[] = {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING,
				    XDP_TX_RING};
	const int size = RING;

	if (setsockopt(queue->fd, SOL_XDP, XDP_UMEM_REG, &memory, sizeof(memory)))
		return -1;
	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++)
		if (setsockopt(queue->fd, SOL_XDP, rings[i], &size, sizeof(size)))
			return -1;
	return 0;
}

static int map_rings(struct xdp_queue *queue)
{
	struct xdp_mmap_offsets offsets;
	socklen_t length = sizeof(offsets);

	if (getsockopt(queue->fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) ||
	    map_ring(&queue->fill, queue->fd, &offsets.fr, XDP_UMEM_PGOFF_FILL_RING,
		     sizeof(uint64_t)) ||
	    map_ring(&queue->completion, queue->fd, &offsets.cr, XDP_UMEM_PGOFF_COMPLETION_RING,
		     sizeof(uint64_t)) ||
	    map_ring(&queue->receive, queue->fd, &offsets.rx, XDP_PGOFF_RX_RING,
		     sizeof(struct xdp_desc)) ||
	    map_ring(&queue->send, queue->fd, &offsets.tx, XDP_PGOFF_TX_RING,
		     sizeof(struct xdp_desc)))
		return -1;
	return 0;
}

/* All pieces of the first half are the kernel's to fill, those of the second are idle. */
static void share_out(struct xdp_queue *queue)
{
	for (uint32_t i = 0; i < RING; i++) {
		*address_at(&queue->fill, queue->fill.at++) = (uint64_t)i * PIECE_BYTES;
		queue->idle[queue->idle_count++] = (uint64_t)(RING + i) * PIECE_BYTES;
	}
	xdp_ring_produced(&queue->fill);
}

static int open_queue(struct xdp_queue *queue, int interface_index, uint32_t number,
		      struct error *error)
{
	const struct sockaddr_xdp at = {.sxdp_family = AF_XDP,
					.sxdp_ifindex = (uint32_t)interface_index,
					.sxdp_queue_id = number};

	queue->area = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (queue->area == MAP_FAILED) {
		queue->area = NULL;
		return error_set(error, ERR_NO_MEMORY, "out of memory for AF_XDP");
	}
	queue->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (queue->fd < 0 || shape(queue) || map_rings(queue))
		return error_errno(error, NULL, "cannot open an AF_XDP socket");
	share_out(queue);
	if (bind(queue->fd, (const struct sockaddr *)&at, sizeof(at)))
		return error_errno(error, NULL, "cannot bind an AF_XDP socket");
	return 0;
}

/* Receive queues that the interface has. */
static uint32_t count_queues(const char *interface)
{
	char path[256];
	struct dirent *entry;
	uint32_t count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/class/net/%s/queues", interface);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		count += strncmp(entry->d_name, "rx-", 3) == 0;
	if (folder)
		closedir(folder);
	return count ? count : 1;
}

static int open_queues(struct xdp_port *self, int interface_index, struct error *error)
{
	const uint32_t wanted = self->queue_count;
	int code = 0;

	self->queue_count = 0;
	for (uint32_t i = 0; code == 0 && i < wanted; i++) {
		struct xdp_queue *queue = &self->queues[i];
		struct epoll_event readable = {.events = EPOLLIN};

		queue->fd = -1;
		self->queue_count++;
		code = open_queue(queue, interface_index, i, error);
		if (code == 0)
			code = xdp_program_serve(&self->program, i, queue->fd, error);
		if (code == 0 && epoll_ctl(self->port.fd, EPOLL_CTL_ADD, queue->fd, &readable))
			code = error_errno(error, NULL, "cannot wait for an AF_XDP socket");
	}
	return code;
}

static int open_all(struct xdp_port *self, const char *interface, bool native, struct error *error)
{
	int index, code = interface_index(interface, &index, error);

	self->queue_count = 0;
	if (code)
		return code;
	self->port.fd = epoll_create1(EPOLL_CLOEXEC);
	self->queues = calloc(QUEUES_MAX, sizeof(*self->queues));
	if (self->port.fd < 0 || self->queues == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for AF_XDP");
	self->queue_count = count_queues(interface);
	if (self->queue_count > QUEUES_MAX) {
		self->queue_count = 0;
		return error_set(error, ERR_UNSUPPORTED, "%s has more than %d receive queues",
				 interface, QUEUES_MAX);
	}
	code = xdp_program_open(&self->program, self->queue_count, error);
	if (code) {
		self->queue_count = 0;
		return code;
	}
	code = open_queues(self, index, error);
	return code ? code : xdp_program_attach(&self->program, index, native, error);
}

int xdp_socket_open(struct port **port, const char *interface, bool native, struct error *error)
{
	struct xdp_port *self = calloc(1, sizeof(*self));
	struct error cause = {0};
	int code;

	if (self == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	self->port = (struct port){&xdp_ops, -1, true};
	self->program = (struct xdp_program){-1, -1, -1};
	code = open_all(self, interface, native, &cause);
	if (code) {
		xdp_close(&self->port);
		return error_at(error, code == ERR_NOT_FOUND ? code : ERR_UNSUPPORTED, NULL, 0,
				interface, "%s", cause.text);
	}
	*port = &self->port;
	return 0;
}
