/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The vectors of tests/vectors/ through the modules in their world: packets with headers, whose
 * fate is what their world tells of marks and of what is freed.
 */
#ifndef KERNEL_FREEBSD_TEST_BENCH_H
#define KERNEL_FREEBSD_TEST_BENCH_H

#include "kernel/freebsd/test/world.h"
#include "tests/vectors/cases.h"

/* An IPv4 or IPv6 packet of `size` bytes, 64 or more, that carries a number. */
struct world_packet *bench_packet(uint64_t number, uint8_t ecn, size_t size, bool ipv6);

/* What such a packet says now. */
uint64_t bench_number(const struct world_packet *packet);
uint8_t bench_ecn(const struct world_packet *packet);
uint8_t bench_first_ecn(const struct world_packet *packet); /* as it was made */
/* Is the IPv4 header's checksum right?  Of IPv6: true. */
bool bench_is_sound(const struct world_packet *packet);

/* Loads the modules with the bench's own hooks; lines of the log go to `line` (may be NULL). */
int bench_load(void (*line)(const char *text));

/* Students' weights, as a shell would write them; an errno. */
int bench_write_weights(const struct aqm_student_model *model);

/* A case of tests/vectors/ through its scheduler; the sum, 0: it could not be set up. */
uint64_t bench_run_case(uint32_t which, uint64_t packets, uint64_t seed, struct vectors *vectors);

/*
 * The same packets through a queue with one of dn_aqm_laws.c's laws; `values` as for
 * world_queue_new().
 */
uint64_t bench_run_queue(const char *law, const int64_t *values, int slots, uint64_t packets,
			 uint64_t seed, struct vectors *vectors);

#endif
