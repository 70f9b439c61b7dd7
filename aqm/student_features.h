/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a student sees: named numbers, int16 with 8 fraction bits, most of them
 * logarithms to the base of 2 of 1 + a delay, a size or a count.
 *
 * Delays are in units of 1024 ns (a shift, nearly a microsecond).  Trackers cost
 * a few instructions a packet and no division; whatever is smoothed, compared
 * or divided is done at ticks, which come with the law's updates (16 ms).
 *
 * Features of the first group need a packet, those of the second change with
 * every packet, the rest at ticks only.
 */
#ifndef AQM_STUDENT_FEATURES_H
#define AQM_STUDENT_FEATURES_H

#include "aqm/fixed.h"
#include "aqm/log2.h"

/*
 * X(name, offset, scale, text): a student's input is (feature - offset) x scale, by default.
 * Windows: the delays of packets that left in the last 64 to 128 ms, 1/4 to 1/2 s, 1 to 2 s.
 */
#define AQM_STUDENT_FEATURES_PACKET(X)                                                             \
	X(is_l, 0.5, 2, "the packet is for L: 1, for Classic: 0")                                  \
	X(can_mark, 0.5, 2, "the packet can carry a mark: 1")                                      \
	X(packet_length, 9, 0.5, "log2 of its bytes")                                              \
	X(qdelay_own, 10, 0.25, "log2 of the age of its queue's first packet")                     \
	X(backlog_own, 14, 0.25, "log2 of its queue's bytes")                                      \
	X(p_own, 24, 0.25, "log2 of the law's probability of signalling it, x 2^32")               \
	X(drops_own, 6, 0.125, "log2 of packets its queue has dropped since the start")

#define AQM_STUDENT_FEATURES_NOW(X)                                                                \
	X(qdelay_c, 12, 0.25, "log2 of the age of Classic's first packet")                         \
	X(qdelay_l, 8, 0.25, "log2 of the age of L's first packet")                                \
	X(backlog_c, 14, 0.25, "log2 of Classic's bytes")                                          \
	X(backlog_l, 11, 0.25, "log2 of L's bytes")                                                \
	X(backlog_c_pkts, 4, 0.375, "log2 of Classic's packets")                                   \
	X(backlog_l_pkts, 2, 0.375, "log2 of L's packets")                                         \
	X(since_signal_c, 18, 0.25, "log2 of the time since a Classic packet was signalled")       \
	X(since_signal_l, 14, 0.25, "log2 of the time since an L packet was signalled")

#define AQM_STUDENT_FEATURES_TICK(X)                                                               \
	X(p_base, 24, 0.25, "log2 of p', x 2^32")                                                  \
	X(overload, 0.5, 2, "k p' is 1 or more: 1")                                                \
	X(qdelay_c_slow, 12, 0.25, "log2 of Classic's delay at ticks, averaged over 1/2 s")        \
	X(qdelay_l_slow, 8, 0.25, "log2 of L's delay at ticks, averaged over 1/2 s")               \
	X(trough_c_100, 11, 0.25, "log2 of Classic's least delay, 0.1 s")                          \
	X(trough_c_500, 10, 0.25, "log2 of Classic's least delay, 0.5 s")                          \
	X(trough_c_2000, 9, 0.25, "log2 of Classic's least delay, 2 s")                            \
	X(peak_c_100, 13, 0.25, "log2 of Classic's largest delay, 0.1 s")                          \
	X(peak_c_500, 14, 0.25, "log2 of Classic's largest delay, 0.5 s")                          \
	X(peak_c_2000, 14, 0.25, "log2 of Classic's largest delay, 2 s")                           \
	X(trough_l_100, 5, 0.25, "log2 of L's least delay, 0.1 s")                                 \
	X(trough_l_500, 4, 0.25, "log2 of L's least delay, 0.5 s")                                 \
	X(trough_l_2000, 3, 0.25, "log2 of L's least delay, 2 s")                                  \
	X(peak_l_100, 9, 0.25, "log2 of L's largest delay, 0.1 s")                                 \
	X(peak_l_500, 10, 0.25, "log2 of L's largest delay, 0.5 s")                                \
	X(peak_l_2000, 10, 0.25, "log2 of L's largest delay, 2 s")                                 \
	X(idle_500, 8, 0.25, "log2 of the share of time with nothing to send, x 2^16, over 1/2 s") \
	X(idle_4000, 8, 0.25, "log2 of the share of time with nothing to send, x 2^16, over 4 s")  \
	X(idle, 0, 0.25, "16 x the share of the last tick with nothing to send")                   \
	X(idle_blamed, 0, 0.25, "the same if a Classic packet was signalled in the last 4 s")      \
	X(signalled_c, 0.5, 2, "a Classic packet was signalled in the last 4 s: 1")                \
	X(rate, 22, 0.25, "log2 of bytes a second that the link takes while there are any")        \
	X(rate_change, 0, 1, "log2 of that rate, of the last ticks over that of 2 s")              \
	X(rate_variation, 0.5, 1, "mean size of rate_change over 2 s")                             \
	X(load, 0, 1, "log2 of bytes that came over bytes that left, over 1/8 s")                  \
	X(balance, 0, 0.25, "log2 of L's bytes over Classic's among those that left, over 1/2 s")  \
	X(packets_c, 6, 0.25, "log2 of Classic packets that left, a decaying sum of 1/2 s")        \
	X(packets_l, 6, 0.25, "log2 of L packets that left, a decaying sum of 1/2 s")              \
	X(signal_share_c, 8, 0.25, "log2 of the share of Classic packets signalled, x 2^16, 2 s")  \
	X(signal_share_l, 8, 0.25, "log2 of the share of L packets signalled, x 2^16, 2 s")        \
	X(signal_gap_c, 18, 0.25, "log2 of the time between the last two Classic signals")         \
	X(burst_l, 4, 0.375, "log2 of the most packets that L held since the tick before")         \
	X(room, 1, 1, "octaves by which settings may be bolder than the law's own")              \
	X(own_target, 0, 0.5, "the student's own last output for target")                          \
	X(own_step, 0, 0.5, "likewise for step")                                                   \
	X(own_k, 0, 0.5, "likewise for k")                                                         \
	X(own_gain, 0, 0.5, "likewise for gain")                                                   \
	X(own_regularity, 0, 0.5, "likewise for regularity")                                       \
	X(own_decay, 0, 0.5, "likewise for decay")                                                 \
	X(own_level, 0, 1, "the level that the student moves")

#define AQM_STUDENT_FEATURES(X)                                                                    \
	AQM_STUDENT_FEATURES_PACKET(X)                                                             \
	AQM_STUDENT_FEATURES_NOW(X)                                                                \
	AQM_STUDENT_FEATURES_TICK(X)

#define AQM_STUDENT_FEATURE_ENUM(name, offset, scale, text) AQM_STUDENT_FEATURE_##name,
enum aqm_student_feature {
	AQM_STUDENT_FEATURES(AQM_STUDENT_FEATURE_ENUM) AQM_STUDENT_FEATURE_COUNT
};
#undef AQM_STUDENT_FEATURE_ENUM

/* Where the groups begin. */
#define AQM_STUDENT_FIRST_NOW AQM_STUDENT_FEATURE_qdelay_c
#define AQM_STUDENT_FIRST_TICK AQM_STUDENT_FEATURE_p_base
#define AQM_STUDENT_FIRST_OWN AQM_STUDENT_FEATURE_own_target

/* Places for a value behind each feature of the first two groups: whole vectors, for hosts. */
#define AQM_STUDENT_VALUES 16
_Static_assert(AQM_STUDENT_FIRST_TICK <= AQM_STUDENT_VALUES, "values fit");

/* In 1024 ns, 16.8 ms: what is longer is no way of taking packets but a link that stands still. */
#define AQM_STUDENT_LONGEST_PAUSE 16384

/* Windows of 4, 16 and 64 ticks, each the older half of what it looks back on. */
#define AQM_STUDENT_WINDOWS 3

/* Least and largest of two halves: one that grows, one that is done. */
struct aqm_student_window {
	uint32_t trough[2], peak[2];
};

/* What is counted from tick to tick. */
struct aqm_student_counts {
	uint64_t busy_ns;    /* in which the link took what it was given */
	uint64_t busy_bytes; /* that it took in them */
	uint64_t pause_squares; /* of times in them behind a batch, in 1024 ns */
	uint64_t idle_ns;    /* with nothing to send */
	uint64_t lacked; /* bytes that batches lacked x time until the next, in 1024 ns; < 2^57 */
	uint64_t came_bytes;
	uint64_t left_bytes[AQM_QUEUES];
	uint32_t left_pkts[AQM_QUEUES];
	uint32_t signals[AQM_QUEUES];
	uint32_t trough[AQM_QUEUES], peak[AQM_QUEUES]; /* delays, in 1024 ns */
	uint32_t most_l_pkts;
};

/* Sums that decay by 2^-shift a tick, of counts x 256. */
struct aqm_student_sums {
	uint64_t busy_ns, busy_bytes;           /* shift 3 */
	uint64_t slow_busy_ns, slow_busy_bytes; /* shift 7 */
	uint64_t pause_squares;                 /* shift 7 */
	uint64_t idle_ns, slow_idle_ns;         /* shift 5, 8 */
	uint64_t came_bytes, went_bytes;        /* shift 3 */
	uint64_t left_bytes[AQM_QUEUES];        /* shift 5 */
	uint64_t left_pkts[AQM_QUEUES];         /* shift 5 */
	uint64_t slow_pkts[AQM_QUEUES];         /* shift 7 */
	uint64_t signals[AQM_QUEUES];           /* shift 7 */
	uint64_t qdelay[AQM_QUEUES];            /* shift 5, 1024 ns */
	uint64_t variation;                     /* shift 7 */
};

struct aqm_student_sense {
	uint64_t last_left_ns; /* when the last packet left */
	uint32_t last_bytes;   /* its length */
	bool more_waited;      /* others waited behind it */
	uint32_t batch_bytes, batch_pkts; /* that left with it, at one moment */
	uint32_t full_bytes; /* of the last such batch that others waited behind; 0: one packet */
	uint64_t idle_told_ns; /* idle time is counted up to here */
	uint64_t byte_ns_q8;   /* what a byte takes, in ns with 8 fraction bits; below 2^32 */
	uint64_t signalled_ns[AQM_QUEUES]; /* 0: never */
	uint32_t signal_gap; /* between the last two in Classic, in 1024 ns */
	uint32_t idle_q16;   /* share of the last tick with nothing to send */
	uint32_t ticks;
	struct aqm_student_counts count;
	struct aqm_student_sums sum;
	struct aqm_student_window window[AQM_STUDENT_WINDOWS][AQM_QUEUES];
	int16_t feature[AQM_STUDENT_FEATURE_COUNT];
};

AQM_INLINE uint32_t aqm_student_delay(uint64_t ns)
{
	return ns >> 42 ? UINT32_MAX : (uint32_t)(ns >> 10);
}

/* In BPF a call: branches within a loop are what verifiers of 6.1 take for one without an end. */
AQM_PART int16_t aqm_student_log(uint64_t value)
{
	return (int16_t)aqm_log2_q8(value);
}

/* From `then` to now, in 1024 ns; 17 s stand for anything longer, and for never. */
AQM_INLINE uint32_t aqm_student_since(uint64_t now_ns, uint64_t then_ns)
{
	const uint32_t since = aqm_student_delay(now_ns - then_ns);

	return then_ns == 0 || since >> 24 ? 1U << 24 : since;
}

AQM_INLINE void aqm_student_counts_clear(struct aqm_student_counts *count)
{
	*count = (struct aqm_student_counts){.trough = {UINT32_MAX, UINT32_MAX}};
}

AQM_INLINE void aqm_student_sense_init(struct aqm_student_sense *sense)
{
	*sense = (struct aqm_student_sense){.signal_gap = 1U << 24};
	aqm_student_counts_clear(&sense->count);
}

/*
 * Links that take packets in batches (aggregates, a clock's ticks) are never seen idle: a batch
 * that takes all there is leaves a part of its time unused, as much as it lacks of a full one.
 */
AQM_INLINE bool aqm_student_batch_lacks(const struct aqm_student_sense *sense)
{
	return !sense->more_waited && sense->full_bytes > sense->batch_bytes;
}

/* Time since the last packet was through while nothing is held; told once. */
AQM_INLINE void aqm_student_sense_idle(struct aqm_student_sense *sense,
				       const struct aqm_facts *facts)
{
	uint64_t from_ns;

	if (facts->idle_ns == 0 || aqm_student_batch_lacks(sense))
		return;
	from_ns = facts->now_ns - facts->idle_ns + ((sense->last_bytes * sense->byte_ns_q8) >> 8);
	if (from_ns < sense->idle_told_ns)
		from_ns = sense->idle_told_ns;
	if (facts->now_ns <= from_ns)
		return;
	sense->count.idle_ns += facts->now_ns - from_ns;
	sense->idle_told_ns = facts->now_ns;
}

AQM_INLINE void aqm_student_sense_arrival(struct aqm_student_sense *sense,
					  const struct aqm_facts *facts)
{
	aqm_student_sense_idle(sense, facts);
	sense->count.came_bytes += facts->len_bytes;
	if (facts->backlog_pkts[AQM_QUEUE_L] > sense->count.most_l_pkts)
		sense->count.most_l_pkts = facts->backlog_pkts[AQM_QUEUE_L];
}

AQM_INLINE void aqm_student_sense_signal(struct aqm_student_sense *sense,
					 const struct aqm_facts *facts)
{
	const unsigned queue = aqm_queue_of(facts);

	sense->count.signals[queue]++;
	if (queue == AQM_QUEUE_C)
		sense->signal_gap = aqm_student_since(facts->now_ns, sense->signalled_ns[queue]);
	sense->signalled_ns[queue] = facts->now_ns;
}

/* A batch ends: its moment is past. */
AQM_INLINE void aqm_student_batch_ends(struct aqm_student_sense *sense, uint64_t now_ns)
{
	if (sense->more_waited) {
		sense->full_bytes = sense->batch_pkts > 1 ? sense->batch_bytes : 0;
	} else if (aqm_student_batch_lacks(sense)) {
		sense->count.lacked +=
			(uint64_t)aqm_student_since(now_ns, sense->last_left_ns) *
			(sense->full_bytes - sense->batch_bytes);
		sense->idle_told_ns = now_ns;
	}
	sense->batch_bytes = 0;
	sense->batch_pkts = 0;
}

/* The square of a time behind a batch, in 1024 ns; a longer one counts as the longest. */
AQM_INLINE uint64_t aqm_student_pause_square(uint64_t ns)
{
	const uint64_t pause = ns >> 10 < AQM_STUDENT_LONGEST_PAUSE ? ns >> 10
								    : AQM_STUDENT_LONGEST_PAUSE;

	return pause * pause;
}

/* A packet leaves its queue, with this verdict. */
AQM_PART void aqm_student_sense_departure(struct aqm_student_sense *sense,
					  const struct aqm_facts *facts, enum aqm_verdict verdict)
{
	const unsigned queue = aqm_queue_of(facts);
	const uint32_t delay = aqm_student_delay(facts->sojourn_ns);
	struct aqm_student_counts *count = &sense->count;

	if (verdict != AQM_PASS)
		aqm_student_sense_signal(sense, facts);
	if (verdict == AQM_DROP)
		return;
	if (facts->now_ns != sense->last_left_ns) {
		if (sense->more_waited && sense->batch_pkts > 1)
			count->pause_squares +=
				aqm_student_pause_square(facts->now_ns - sense->last_left_ns);
		aqm_student_batch_ends(sense, facts->now_ns);
	}
	sense->batch_bytes += facts->len_bytes;
	sense->batch_pkts++;
	if (sense->more_waited) {
		count->busy_ns += facts->now_ns - sense->last_left_ns;
		count->busy_bytes += sense->last_bytes;
	}
	sense->last_left_ns = facts->now_ns;
	sense->last_bytes = facts->len_bytes;
	sense->more_waited = facts->backlog_pkts[0] + facts->backlog_pkts[1] != 0;
	count->left_bytes[queue] += facts->len_bytes;
	count->left_pkts[queue]++;
	if (delay < count->trough[queue])
		count->trough[queue] = delay;
	if (delay > count->peak[queue])
		count->peak[queue] = delay;
}

/* At most 2^40 is added at a time, so that the sum stays below 2^(49 + shift). */
AQM_INLINE void aqm_student_decay(uint64_t *sum, unsigned shift, uint64_t more)
{
	const uint64_t added = more >> 40 ? UINT64_C(1) << 40 : more;

	*sum = *sum - (*sum >> shift) + (added << 8);
}

AQM_PART void aqm_student_sums_tick(struct aqm_student_sums *sum,
				    const struct aqm_student_counts *count,
				    const struct aqm_facts *facts)
{
	aqm_student_decay(&sum->busy_ns, 3, count->busy_ns);
	aqm_student_decay(&sum->busy_bytes, 3, count->busy_bytes);
	aqm_student_decay(&sum->slow_busy_ns, 7, count->busy_ns);
	aqm_student_decay(&sum->slow_busy_bytes, 7, count->busy_bytes);
	aqm_student_decay(&sum->pause_squares, 7, count->pause_squares);
	aqm_student_decay(&sum->idle_ns, 5, count->idle_ns);
	aqm_student_decay(&sum->slow_idle_ns, 8, count->idle_ns);
	aqm_student_decay(&sum->came_bytes, 3, count->came_bytes);
	aqm_student_decay(&sum->went_bytes, 3, count->left_bytes[0] + count->left_bytes[1]);
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		aqm_student_decay(&sum->left_bytes[q], 5, count->left_bytes[q]);
		aqm_student_decay(&sum->left_pkts[q], 5, count->left_pkts[q]);
		aqm_student_decay(&sum->slow_pkts[q], 7, count->left_pkts[q]);
		aqm_student_decay(&sum->signals[q], 7, count->signals[q]);
		aqm_student_decay(&sum->qdelay[q], 5, aqm_student_delay(facts->head_sojourn_ns[q]));
	}
}

/* A window takes a tick's least and largest; `turn`: the growing half is done. */
AQM_INLINE void aqm_student_window_tick(struct aqm_student_window *window, bool turn,
					uint32_t trough, uint32_t peak)
{
	if (turn) {
		window->trough[1] = window->trough[0];
		window->peak[1] = window->peak[0];
		window->trough[0] = trough;
		window->peak[0] = peak;
		return;
	}
	if (trough < window->trough[0])
		window->trough[0] = trough;
	if (peak > window->peak[0])
		window->peak[0] = peak;
}

AQM_PART void aqm_student_windows_tick(struct aqm_student_sense *sense,
				       const struct aqm_facts *facts)
{
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		const bool any = sense->count.left_pkts[q] != 0;
		const uint32_t age = aqm_student_delay(facts->head_sojourn_ns[q]);
		const uint32_t trough = any ? sense->count.trough[q] : age;
		/* A first packet that cannot leave has waited longer than those before it. */
		const uint32_t peak = age > sense->count.peak[q] ? age : sense->count.peak[q];

		for (unsigned w = 0; w < AQM_STUDENT_WINDOWS; w++)
			aqm_student_window_tick(&sense->window[w][q],
						sense->ticks % (4U << 2 * w) == 0, trough, peak);
	}
}

AQM_PART void aqm_student_window_features(struct aqm_student_sense *sense)
{
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		int16_t *trough = &sense->feature[q == AQM_QUEUE_C
							  ? AQM_STUDENT_FEATURE_trough_c_100
							  : AQM_STUDENT_FEATURE_trough_l_100];
		int16_t *peak = trough + AQM_STUDENT_WINDOWS;

		for (unsigned w = 0; w < AQM_STUDENT_WINDOWS; w++) {
			const struct aqm_student_window *window = &sense->window[w][q];
			const uint32_t low = window->trough[0] < window->trough[1]
						     ? window->trough[0]
						     : window->trough[1];
			const uint32_t high = window->peak[0] > window->peak[1] ? window->peak[0]
										: window->peak[1];

			trough[w] = aqm_student_log(low);
			peak[w] = aqm_student_log(high);
		}
	}
}

/* log2 (1 + over / under), under > 0 or the quotient 0; x 2^16. */
AQM_INLINE int16_t aqm_student_share(uint64_t over, uint64_t under)
{
	while (over >> 47) {
		over >>= 1;
		under >>= 1;
	}
	return under == 0 ? 0 : aqm_student_log(aqm_div64(over << 16, under));
}

/* log2 of a ratio of sums, each with one unit of a count added. */
AQM_INLINE int16_t aqm_student_ratio(uint64_t over, uint64_t under)
{
	return (int16_t)(aqm_log2_q8(over + 255) - aqm_log2_q8(under + 255));
}

AQM_PART void aqm_student_rate_features(struct aqm_student_sense *sense)
{
	struct aqm_student_sums *sum = &sense->sum;
	const int32_t fast = aqm_log2_q8(sum->busy_bytes) - aqm_log2_q8(sum->busy_ns);
	const int32_t slow = aqm_log2_q8(sum->slow_busy_bytes) - aqm_log2_q8(sum->slow_busy_ns);
	int16_t *feature = sense->feature;
	int32_t change = fast - slow;

	if (sum->slow_busy_ns >> 8 == 0)
		return;
	if (sum->busy_ns >> 8 == 0)
		change = 0;
	/* log2 of 10^9 ns a second is 29.897. */
	feature[AQM_STUDENT_FEATURE_rate] = (int16_t)(slow + 7654);
	feature[AQM_STUDENT_FEATURE_rate_change] = (int16_t)change;
	aqm_student_decay(&sum->variation, 7, (uint64_t)(change < 0 ? -change : change));
	feature[AQM_STUDENT_FEATURE_rate_variation] = (int16_t)(sum->variation >> 15);
	sense->byte_ns_q8 = aqm_div64(sum->slow_busy_ns, (sum->slow_busy_bytes >> 8) + 1);
	if (sense->byte_ns_q8 >> 32)
		sense->byte_ns_q8 = UINT32_MAX;
}

/*
 * The link's own pauses, of one that takes batches, over 2 s: how long the pause behind a batch is
 * in which a packet finds itself that comes at any moment while others wait, E[pause^2] / E[time].
 * Behind a packet that left alone there is none: that time is what the packet takes.
 */
AQM_INLINE uint64_t aqm_student_pause_ns(const struct aqm_student_sense *sense)
{
	const uint64_t pause =
		aqm_div64(sense->sum.pause_squares, (sense->sum.slow_busy_ns >> 10) + 1);

	return (pause < AQM_STUDENT_LONGEST_PAUSE ? pause : AQM_STUDENT_LONGEST_PAUSE) << 10;
}

/* What was idle since the tick before, and whether the law may have caused it. */
AQM_PART void aqm_student_idle_features(struct aqm_student_sense *sense, uint64_t now_ns,
					uint64_t tick_ns)
{
	const uint64_t idle_ns = sense->count.idle_ns < tick_ns ? sense->count.idle_ns : tick_ns;
	const bool recent =
		aqm_student_since(now_ns, sense->signalled_ns[AQM_QUEUE_C]) < 1U << 22;
	int16_t *feature = sense->feature;

	sense->idle_q16 = (uint32_t)aqm_div64(idle_ns << 16, tick_ns);
	feature[AQM_STUDENT_FEATURE_idle] = (int16_t)(sense->idle_q16 >> 4);
	feature[AQM_STUDENT_FEATURE_idle_blamed] =
		recent ? feature[AQM_STUDENT_FEATURE_idle] : (int16_t)0;
	feature[AQM_STUDENT_FEATURE_signalled_c] = recent ? AQM_LOG2_ONE : 0;
}

AQM_PART void aqm_student_flow_features(struct aqm_student_sense *sense, uint64_t tick_ns)
{
	const struct aqm_student_sums *sum = &sense->sum;
	int16_t *feature = sense->feature;

	feature[AQM_STUDENT_FEATURE_idle_500] = aqm_student_share(sum->idle_ns, tick_ns << 13);
	feature[AQM_STUDENT_FEATURE_idle_4000] =
		aqm_student_share(sum->slow_idle_ns, tick_ns << 16);
	feature[AQM_STUDENT_FEATURE_load] = aqm_student_ratio(sum->came_bytes, sum->went_bytes);
	feature[AQM_STUDENT_FEATURE_balance] =
		aqm_student_ratio(sum->left_bytes[AQM_QUEUE_L], sum->left_bytes[AQM_QUEUE_C]);
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		feature[q == AQM_QUEUE_C ? AQM_STUDENT_FEATURE_packets_c
					 : AQM_STUDENT_FEATURE_packets_l] =
			aqm_student_log(sum->left_pkts[q] >> 8);
		feature[q == AQM_QUEUE_C ? AQM_STUDENT_FEATURE_signal_share_c
					 : AQM_STUDENT_FEATURE_signal_share_l] =
			aqm_student_share(sum->signals[q], sum->slow_pkts[q]);
		feature[q == AQM_QUEUE_C ? AQM_STUDENT_FEATURE_qdelay_c_slow
					 : AQM_STUDENT_FEATURE_qdelay_l_slow] =
			aqm_student_log(sum->qdelay[q] >> 13);
	}
	feature[AQM_STUDENT_FEATURE_signal_gap_c] = aqm_student_log(sense->signal_gap);
	feature[AQM_STUDENT_FEATURE_burst_l] = aqm_student_log(sense->count.most_l_pkts);
}

/*
 * Features of the first two groups are the logarithms of values, of what is or is not of 1 or 0;
 * these are the second group's as the facts are now.
 */
AQM_INLINE void aqm_student_values_now(const struct aqm_student_sense *sense,
				       const struct aqm_facts *facts,
				       uint64_t value[AQM_STUDENT_VALUES])
{
	value[AQM_STUDENT_FEATURE_qdelay_c] =
		aqm_student_delay(facts->head_sojourn_ns[AQM_QUEUE_C]);
	value[AQM_STUDENT_FEATURE_qdelay_l] =
		aqm_student_delay(facts->head_sojourn_ns[AQM_QUEUE_L]);
	value[AQM_STUDENT_FEATURE_backlog_c] = facts->backlog_bytes[AQM_QUEUE_C];
	value[AQM_STUDENT_FEATURE_backlog_l] = facts->backlog_bytes[AQM_QUEUE_L];
	value[AQM_STUDENT_FEATURE_backlog_c_pkts] = facts->backlog_pkts[AQM_QUEUE_C];
	value[AQM_STUDENT_FEATURE_backlog_l_pkts] = facts->backlog_pkts[AQM_QUEUE_L];
	value[AQM_STUDENT_FEATURE_since_signal_c] =
		aqm_student_since(facts->now_ns, sense->signalled_ns[AQM_QUEUE_C]);
	value[AQM_STUDENT_FEATURE_since_signal_l] =
		aqm_student_since(facts->now_ns, sense->signalled_ns[AQM_QUEUE_L]);
}

/* The first group's; p_q32 is the law's probability for this packet. */
AQM_INLINE void aqm_student_values_packet(const struct aqm_facts *facts, uint64_t p_q32,
					  uint64_t value[AQM_STUDENT_VALUES])
{
	const unsigned queue = aqm_queue_of(facts);

	value[AQM_STUDENT_FEATURE_is_l] = queue == AQM_QUEUE_L;
	value[AQM_STUDENT_FEATURE_can_mark] = facts->ecn != AQM_NOT_ECT;
	value[AQM_STUDENT_FEATURE_packet_length] = facts->len_bytes;
	value[AQM_STUDENT_FEATURE_qdelay_own] = aqm_student_delay(facts->head_sojourn_ns[queue]);
	value[AQM_STUDENT_FEATURE_backlog_own] = facts->backlog_bytes[queue];
	value[AQM_STUDENT_FEATURE_p_own] = p_q32;
	value[AQM_STUDENT_FEATURE_drops_own] = facts->total_drops[queue];
}

/* Features [from, to) of the first two groups. */
AQM_INLINE void aqm_student_features_of(const uint64_t value[AQM_STUDENT_VALUES], uint32_t from,
					uint32_t to, int16_t *feature)
{
	for (uint32_t i = from; i < to; i++)
		feature[i] = aqm_student_log(value[i]);
}

/* The features of the second group, as the facts are now. */
AQM_PART void aqm_student_sense_now(struct aqm_student_sense *sense,
				    const struct aqm_facts *facts)
{
	uint64_t value[AQM_STUDENT_VALUES];

	aqm_student_values_now(sense, facts, value);
	aqm_student_features_of(value, AQM_STUDENT_FIRST_NOW, AQM_STUDENT_FIRST_TICK,
				sense->feature);
}

/* The features of the third group but the student's own outputs, and those of the second. */
AQM_INLINE void aqm_student_sense_tick(struct aqm_student_sense *sense,
				       const struct aqm_facts *facts, uint64_t p_q32, bool overload,
				       uint64_t tick_ns)
{
	aqm_student_sense_idle(sense, facts);
	if (sense->full_bytes)
		sense->count.idle_ns += aqm_div64(sense->count.lacked, sense->full_bytes) << 10;
	aqm_student_sums_tick(&sense->sum, &sense->count, facts);
	aqm_student_windows_tick(sense, facts);
	aqm_student_window_features(sense);
	aqm_student_rate_features(sense);
	aqm_student_flow_features(sense, tick_ns);
	aqm_student_idle_features(sense, facts->now_ns, tick_ns);
	sense->feature[AQM_STUDENT_FEATURE_p_base] = aqm_student_log(p_q32);
	sense->feature[AQM_STUDENT_FEATURE_overload] = overload ? AQM_LOG2_ONE : 0;
	aqm_student_sense_now(sense, facts);
	aqm_student_counts_clear(&sense->count);
	sense->ticks++;
}

#endif
