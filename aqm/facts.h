/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a law may know, and what it may say.
 *
 * A core reads no clock, no random source and no packet: the host passes
 * `struct aqm_facts` and carries out the verdict.  The host owns packets,
 * marks, frees and locks.  Times are 64-bit ns; probabilities are Q0.32.
 */
#ifndef AQM_FACTS_H
#define AQM_FACTS_H

#include "aqm/platform.h"

enum aqm_verdict {
	AQM_PASS, /* keep the packet, send it on */
	AQM_MARK, /* set CE, then as AQM_PASS */
	AQM_DROP, /* the host frees the packet */
};

/* The two ECN bits as they stand in the IP header (RFC 3168 section 5). */
enum aqm_ecn { AQM_NOT_ECT = 0, AQM_ECT1 = 1, AQM_ECT0 = 2, AQM_CE = 3 };

/* Also the log's queue_type. A single-queue law uses AQM_QUEUE_C. */
enum aqm_queue { AQM_QUEUE_C = 0, AQM_QUEUE_L = 1 };
#define AQM_QUEUES 2

/* A probability of 1 in Q0.32 does not fit in 32 bits: probabilities are 64 bits wide. */
#define AQM_Q32_ONE (UINT64_C(1) << 32)

struct aqm_facts {
	uint64_t now_ns;
	uint64_t random; /* 64 bits drawn once per packet, the same at enqueue and dequeue */
	uint64_t sojourn_ns;                   /* of this packet, at dequeue; 0 at enqueue */
	uint64_t head_sojourn_ns[AQM_QUEUES];  /* age of each queue's first packet; 0 when empty */
	uint64_t backlog_bytes[AQM_QUEUES];    /* without the packet under decision */
	uint32_t backlog_pkts[AQM_QUEUES];     /* without the packet under decision */
	/*
	 * How long no packet has been held at all: since the last one left, or since the start.
	 * 0 while there are any, the packet under decision not counted.
	 */
	uint64_t idle_ns;
	uint64_t total_pkts[AQM_QUEUES]; /* accepted since the start, as dummynet counts them */
	uint64_t total_bytes[AQM_QUEUES];      /* likewise */
	uint64_t total_drops[AQM_QUEUES];      /* since the start */
	uint32_t len_bytes;                    /* IP length of this packet */
	uint32_t cookie;                       /* bits the law left with this packet at enqueue */
	uint8_t ecn;                           /* enum aqm_ecn */
	uint8_t queue;                         /* enum aqm_queue: where it is, or is going */
};

/* The packet's queue as an index: within AQM_QUEUES whatever is there, which BPF wants to see. */
AQM_INLINE unsigned aqm_queue_of(const struct aqm_facts *facts)
{
	return facts->queue & (AQM_QUEUES - 1U);
}

/* What a scheduler sees of a queue. */
struct aqm_head {
	uint64_t sojourn_ns; /* age of the first packet */
	uint32_t len_bytes;  /* IP length of the first packet; 0: the queue is empty */
};

#endif
