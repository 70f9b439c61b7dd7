/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A FreeBSD kernel small enough for a test: a clock that stands still until it is told, mbufs,
 * tags, sysctls, the log, linker sets, and as much of dummynet as calls a scheduler and an AQM.
 *
 * This side knows neither FreeBSD's headers nor those that stand in for them: the tests are plain
 * user space.  One world a program.
 */
#ifndef KERNEL_FREEBSD_TEST_WORLD_H
#define KERNEL_FREEBSD_TEST_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world_scheduler;
struct world_queue;
struct world_packet; /* an mbuf chain with dummynet's tag */

/* What a program gives its world. */
struct world_hooks {
	uint64_t (*random)(void);          /* 64 bits for a packet */
	void (*line)(const char *text);    /* of the log, with its newline; or NULL */
	/* A packet is about to be freed, whoever does it; or NULL. */
	void (*freed)(const struct world_packet *packet);
	/* A packet is to get CE, whether it has it already or not; or NULL. */
	void (*marked)(const struct world_packet *packet);
};

/* kldload of what is linked in, and kldunload: an errno. */
int world_load(const struct world_hooks *hooks);
int world_unload(void);

void world_set_clock(uint64_t now_ns);

/* Every `one_in`th allocation that may fail does; 0: none. */
void world_fail_allocations(unsigned one_in);

/* Blocks, tags and mbufs that are allocated, and packets that dummynet counts as dropped. */
long world_blocks(void);
long world_packets(void);
unsigned long world_drops(void);

/* Interfaces go away: packets that wait (14 only) cannot leave any more. */
void world_detach_interfaces(bool gone);

/* A packet of `size` bytes in mbufs of at most `piece` bytes; behind an Ethernet header or not. */
struct world_packet *world_packet_new(const void *bytes, size_t size, size_t piece, bool layer2);
void world_packet_free(struct world_packet *packet);
/* Its bytes; returns how many there are. */
size_t world_packet_read(const struct world_packet *packet, void *bytes, size_t room);

/* As sysctl(8) and sysctlbyname(3) do it: an errno. */
int world_sysctl_set(const char *name, int64_t value);
int world_sysctl_get(const char *name, int64_t *value);
int world_sysctl_write(const char *name, const char *text, size_t size);
int world_sysctl_read(const char *name, char *text, size_t room);

/*
 * `ipfw sched N config pipe N type NAME`, with a mask or not; NULL: dummynet knows no such one.
 * The same once more reconfigures it.
 */
struct world_scheduler *world_scheduler_new(const char *name, bool mask);
void world_scheduler_configure(struct world_scheduler *scheduler);
void world_scheduler_delete(struct world_scheduler *scheduler);
/* Makes the instance and its pair of queues, which the first packet would; false: no memory. */
bool world_scheduler_start(struct world_scheduler *scheduler);
/*
 * From now on, or no longer, dummynet's own part in making an instance fails (an AQM of the inner
 * flow set has no memory): it frees what new_sched has seen, and tells nobody.
 */
void world_refuse_instances(bool refuse);
/* dummynet's drain: throws the instance away if it is idle. */
void world_scheduler_drain(struct world_scheduler *scheduler);
/* Takes the packet; false: dropped. */
bool world_scheduler_enqueue(struct world_scheduler *scheduler, struct world_packet *packet);
struct world_packet *world_scheduler_dequeue(struct world_scheduler *scheduler);
uint64_t world_scheduler_p_q32(const struct world_scheduler *scheduler); /* of DualPI2's law */
/* What `ipfw sched show` would: of the instance. */
void world_scheduler_show(const struct world_scheduler *scheduler, uint32_t *packets,
			  uint32_t *bytes, uint32_t *drops, uint64_t *arrived);

/*
 * A queue whose flow set has an AQM, with room for `slots` packets, or bytes if `bytes`.  `values`
 * (at most 10, ended by -2; -1: the sysctl's) may be NULL.  NULL: there is no such AQM, or it
 * refuses.
 */
struct world_queue *world_queue_new(const char *name, const int64_t *values, int slots, bool bytes);
/* The flow set gets another AQM, or the same with other values, while packets wait. */
int world_queue_configure(struct world_queue *queue, const char *name, const int64_t *values);
/*
 * What dnaqm asks for with these words, the program's name not among them: the queue that it makes,
 * and its flow set's and scheduler's numbers.  NULL: it says what is wrong in `wrong`.
 */
struct world_queue *world_queue_ask(int argc, const char *const *argv, uint32_t *flow_set,
				    uint32_t *scheduler, const char **wrong);
/*
 * From now on, or no longer, dummynet finds flow sets busy: it leaves their laws as they are, and
 * reports success.
 */
void world_refuse_laws(bool refuse);
/* Its flow set loses the law as one does whose queue is its scheduler's own: without a cleanup. */
void world_queue_lose_law(struct world_queue *queue);
/* dummynet forgets the law, as it does where the flow set has no scheduler and is configured. */
void world_queue_forget_law(struct world_queue *queue);
/* The parameters in force, at most 10. */
void world_queue_values(const struct world_queue *queue, int64_t *values);
void world_queue_delete(struct world_queue *queue);
bool world_queue_enqueue(struct world_queue *queue, struct world_packet *packet);
struct world_packet *world_queue_dequeue(struct world_queue *queue);
uint32_t world_queue_length(const struct world_queue *queue);

#endif
