/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets, cases, and telling.
 */
#include "kernel/freebsd/test/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/student_shipped.h"
#include "policy/student_file.h"

#define IP_BYTES 20
#define IP6_BYTES 40
#define MOST_BYTES 2048

/* Behind the header. */
struct payload {
	uint64_t number;
	uint8_t ecn;
};

/* Who is told of packets that are freed. */
static struct vectors *told;
static uint64_t next_random;
static bool marked; /* since it was last looked at */

static uint64_t random_of_packet(void)
{
	return next_random;
}

static uint16_t checksum_of(const uint8_t *header)
{
	uint32_t sum = 0;

	for (int i = 0; i < IP_BYTES; i += 2)
		sum += (uint32_t)header[i] << 8 | header[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

static void make_header(uint8_t *bytes, uint8_t ecn, size_t size, bool ipv6)
{
	uint16_t checksum;

	if (ipv6) {
		bytes[0] = 0x60;
		bytes[1] = (uint8_t)(ecn << 4);
		bytes[6] = 17;
		return;
	}
	bytes[0] = 0x45;
	bytes[1] = ecn;
	bytes[2] = (uint8_t)(size >> 8);
	bytes[3] = (uint8_t)size;
	bytes[8] = 64;
	bytes[9] = 17;
	checksum = checksum_of(bytes);
	bytes[10] = (uint8_t)(checksum >> 8);
	bytes[11] = (uint8_t)checksum;
}

struct world_packet *bench_packet(uint64_t number, uint8_t ecn, size_t size, bool ipv6)
{
	const struct payload payload = {number, ecn};
	uint8_t bytes[MOST_BYTES] = {0};

	make_header(bytes, ecn, size, ipv6);
	memcpy(bytes + (ipv6 ? IP6_BYTES : IP_BYTES), &payload, sizeof(payload));
	return world_packet_new(bytes, size, size, false);
}

static struct payload payload_of(const struct world_packet *packet, uint8_t *bytes)
{
	struct payload payload;

	world_packet_read(packet, bytes, IP6_BYTES + sizeof(payload));
	memcpy(&payload, bytes + (bytes[0] >> 4 == 6 ? IP6_BYTES : IP_BYTES), sizeof(payload));
	return payload;
}

uint64_t bench_number(const struct world_packet *packet)
{
	uint8_t bytes[MOST_BYTES];

	return payload_of(packet, bytes).number;
}

uint8_t bench_first_ecn(const struct world_packet *packet)
{
	uint8_t bytes[MOST_BYTES];

	return payload_of(packet, bytes).ecn;
}

uint8_t bench_ecn(const struct world_packet *packet)
{
	uint8_t bytes[MOST_BYTES];

	payload_of(packet, bytes);
	return bytes[0] >> 4 == 6 ? bytes[1] >> 4 & 3 : bytes[1] & 3;
}

bool bench_is_sound(const struct world_packet *packet)
{
	uint8_t bytes[MOST_BYTES];

	payload_of(packet, bytes);
	return bytes[0] >> 4 == 6 || checksum_of(bytes) == 0;
}

/* The source that it comes from, also where one queue holds both. */
static unsigned queue_of(const struct world_packet *packet)
{
	return aqm_dual_classify(bench_first_ecn(packet));
}

static void on_freed(const struct world_packet *packet)
{
	if (told)
		vectors_told(told, bench_number(packet), queue_of(packet), AQM_DROP);
}

static void on_marked(const struct world_packet *packet)
{
	(void)packet;
	marked = true;
}

int bench_load(void (*line)(const char *text))
{
	const struct world_hooks hooks = {random_of_packet, line, on_freed, on_marked};

	return world_load(&hooks);
}

int bench_write_weights(const struct aqm_student_model *model)
{
	static unsigned char bytes[STUDENT_FILE_MAX];
	static char text[2 * STUDENT_FILE_MAX + 1];
	const size_t size = student_file_build(model, bytes);

	for (size_t i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return world_sysctl_write("student.weights", text, 2 * size);
}

/* Whoever holds the packets: a scheduler, or a queue. */
struct held {
	struct world_scheduler *scheduler;
	struct world_queue *queue;
};

static struct world_packet *take(const struct held *held)
{
	return held->scheduler ? world_scheduler_dequeue(held->scheduler)
			       : world_queue_dequeue(held->queue);
}

static bool put(const struct held *held, struct world_packet *packet)
{
	return held->scheduler ? world_scheduler_enqueue(held->scheduler, packet)
			       : world_queue_enqueue(held->queue, packet);
}

/* Of the packet that was put or taken last, and not dropped. */
static enum aqm_verdict verdict_of_last(void)
{
	const enum aqm_verdict verdict = marked ? AQM_MARK : AQM_PASS;

	marked = false;
	return verdict;
}

static void arrive(const struct held *held, struct vectors *vectors, const struct vectors_op *op)
{
	struct world_packet *packet =
		bench_packet(op->random, op->ecn, op->len_bytes,
			     op->len_bytes >= IP6_BYTES + sizeof(struct payload) && op->random & 1);

	next_random = op->random;
	if (put(held, packet))
		vectors_told(vectors, op->random, queue_of(packet), verdict_of_last());
}

static void depart(const struct held *held, struct vectors *vectors)
{
	struct world_packet *packet = take(held);

	if (packet == NULL) {
		vectors_told_empty(vectors);
		return;
	}
	vectors_told(vectors, bench_number(packet), queue_of(packet), verdict_of_last());
	told = NULL;
	world_packet_free(packet);
	told = vectors;
}

static void run(const struct held *held, uint64_t packets, uint64_t seed, struct vectors *vectors)
{
	vectors_init(vectors, seed);
	told = vectors;
	while (vectors->arrivals < packets) {
		struct vectors_op op;

		vectors_next(vectors, &op);
		world_set_clock(op.at_ns);
		if (op.kind == VECTORS_ARRIVAL)
			arrive(held, vectors, &op);
		else
			depart(held, vectors);
	}
	told = NULL;
}

/* Every parameter of a scheduler that a case sets, or another one may have set. */
static int set_case(uint32_t which, bool student)
{
	const struct {
		const char *law, *name;
		int64_t value;
	} settings[] = {
		{"dualpi2", "profile", which == VECTORS_rfc},
		{"dualpi2", "limit_packets", VECTORS_LIMIT_PKTS},
		{"dualpi2", "drop_overload", which != VECTORS_rfc},
		{"dualpi2", "drop_early", which == VECTORS_early},
		{"dualpi2", "scheduler", which == VECTORS_early},
		{"student", "limit_packets", VECTORS_LIMIT_PKTS},
		{"student", "pauses_millionths", which == VECTORS_pauses ? 2000000 : 1000000},
		{"student", "guard", which != VECTORS_unguarded && which != VECTORS_verdict},
	};
	int error = 0;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]) && !error; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s.%s", settings[i].law, settings[i].name);
		if ((strcmp(settings[i].law, "student") == 0) == student)
			error = world_sysctl_set(name, settings[i].value);
	}
	return error;
}

static int set_weights(uint32_t which)
{
	static struct aqm_student_model model;

	if (which == VECTORS_shipped)
		return bench_write_weights(aqm_student_shipped());
	memset(&model, 0, sizeof(model));
	vectors_model(which, &model);
	return bench_write_weights(&model);
}

uint64_t bench_run_case(uint32_t which, uint64_t packets, uint64_t seed, struct vectors *vectors)
{
	const bool student = which >= VECTORS_shipped;
	struct held held = {0};
	uint64_t sum;

	if (set_case(which, student) || (student && set_weights(which)))
		return 0;
	world_set_clock(0);
	held.scheduler = world_scheduler_new(student ? "student" : "dualpi2", false);
	if (held.scheduler == NULL || !world_scheduler_start(held.scheduler))
		return 0;
	run(&held, packets, seed, vectors);
	sum = vectors_close(vectors, world_scheduler_p_q32(held.scheduler));
	world_scheduler_delete(held.scheduler);
	return sum;
}

uint64_t bench_run_queue(const char *law, const int64_t *values, int slots, uint64_t packets,
			 uint64_t seed, struct vectors *vectors)
{
	struct held held = {0};

	world_set_clock(0);
	held.queue = world_queue_new(law, values, slots, false);
	if (held.queue == NULL)
		return 0;
	run(&held, packets, seed, vectors);
	world_queue_delete(held.queue);
	return vectors_close(vectors, 0);
}
