/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates in steps and traces.
 *
 * A packet that began before a step keeps the rate it began with: the error is
 * less than one packet a step.  A trace repeats when its end is reached; bytes
 * of an opportunity that a short packet left over serve the next packet only
 * while the link stays busy.
 */
#include "net/capacity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define OPPORTUNITY_BYTES 1500

static uint64_t bps(double mbps)
{
	return (uint64_t)llround(mbps * 1e6);
}

void capacity_init(struct capacity *capacity, const struct rate_plan *plan)
{
	memset(capacity, 0, sizeof(*capacity));
	capacity->plan = *plan;
	capacity->rate_bps = bps(plan->rate_mbps);
}

static uint64_t period_ms(const struct rate_plan *plan)
{
	return plan->trace_ms[plan->trace_count - 1];
}

static uint64_t opportunity_ns(const struct rate_plan *plan, uint64_t index)
{
	return (index / plan->trace_count * period_ms(plan) +
		plan->trace_ms[index % plan->trace_count]) *
	       NS_PER_MS;
}

static uint64_t trace_finish_ns(struct capacity *capacity, uint64_t now_ns, uint32_t len_bytes)
{
	uint64_t at_ns = now_ns;

	if (capacity->spare_until_ns < now_ns)
		capacity->spare_bytes = 0;
	while (capacity->spare_bytes < len_bytes) {
		at_ns = opportunity_ns(&capacity->plan, capacity->opportunity++);
		if (at_ns >= now_ns)
			capacity->spare_bytes += OPPORTUNITY_BYTES;
	}
	capacity->spare_bytes -= len_bytes;
	capacity->spare_until_ns = at_ns > now_ns ? at_ns : now_ns;
	return capacity->spare_until_ns;
}

/* The next opportunity, unless bytes of the last one are left over. */
static uint64_t trace_begin_ns(struct capacity *capacity, uint64_t now_ns)
{
	if (capacity->spare_bytes > 0 && capacity->spare_until_ns >= now_ns)
		return now_ns;
	while (opportunity_ns(&capacity->plan, capacity->opportunity) < now_ns)
		capacity->opportunity++;
	return opportunity_ns(&capacity->plan, capacity->opportunity);
}

static uint64_t step_ns(const struct capacity *capacity, uint64_t index)
{
	return ns_from_seconds(capacity->plan.steps[index].at_s);
}

/* Steps up to `now_ns` come into force. */
static void take_steps(struct capacity *capacity, uint64_t now_ns)
{
	while (capacity->next_step < capacity->plan.step_count &&
	       step_ns(capacity, capacity->next_step) <= now_ns)
		capacity->rate_bps = bps(capacity->plan.steps[capacity->next_step++].rate_mbps);
}

/* A link that stands still begins when it goes on: the last step never is one of rate 0. */
uint64_t capacity_begin_ns(struct capacity *capacity, uint64_t now_ns)
{
	const struct rate_plan *plan = &capacity->plan;
	uint64_t next;

	if (plan->trace_count)
		return trace_begin_ns(capacity, now_ns);
	take_steps(capacity, now_ns);
	if (capacity->rate_bps > 0)
		return now_ns;
	for (next = capacity->next_step; bps(plan->steps[next].rate_mbps) == 0; next++)
		;
	return step_ns(capacity, next);
}

uint64_t capacity_finish_ns(struct capacity *capacity, uint64_t now_ns, uint32_t len_bytes)
{
	uint64_t begin_ns;

	if (capacity->plan.trace_count)
		return trace_finish_ns(capacity, now_ns, len_bytes);
	begin_ns = capacity_begin_ns(capacity, now_ns);
	take_steps(capacity, begin_ns);
	return begin_ns + transmission_ns(len_bytes, capacity->rate_bps);
}

/* The first opportunity that is not before `at_s`. */
static uint64_t opportunity_from(const struct rate_plan *plan, double at_s)
{
	const uint64_t repetition = (uint64_t)(at_s * 1e3) / period_ms(plan);
	uint64_t low = (repetition ? repetition - 1 : 0) * plan->trace_count;
	uint64_t high = (repetition + 2) * plan->trace_count;

	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;

		if (seconds_from_ns(opportunity_ns(plan, middle)) < at_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static double trace_bytes(const struct rate_plan *plan, double from_s, double to_s)
{
	const uint64_t first = opportunity_from(plan, from_s), end = opportunity_from(plan, to_s);

	return end > first ? (double)(end - first) * OPPORTUNITY_BYTES : 0;
}

double capacity_bytes(const struct rate_plan *plan, double from_s, double to_s)
{
	double bits = 0, rate_bps = plan->rate_mbps * 1e6, at_s = 0;

	if (plan->trace_count)
		return trace_bytes(plan, from_s, to_s);
	for (uint64_t i = 0; i <= plan->step_count; i++) {
		const double end_s = i < plan->step_count ? plan->steps[i].at_s : to_s;

		bits += rate_bps * fmax(0, fmin(end_s, to_s) - fmax(at_s, from_s));
		if (i < plan->step_count) {
			at_s = end_s;
			rate_bps = plan->steps[i].rate_mbps * 1e6;
		}
	}
	return bits / 8;
}

double capacity_share(const struct rate_plan *plan, uint64_t bytes, double from_s, double to_s)
{
	return fmin(1, (double)bytes / capacity_bytes(plan, from_s, to_s));
}

/* The file is no such trace: where it breaks the rule. */
static int refuse(const char *path, long line, struct error *error)
{
	return error_at(error, ERR_INVALID, path, line, "rate_trace",
			"needs one whole number of milliseconds a line, never decreasing, the last "
			"above 0");
}

int rate_trace_parse(const char *text, size_t size, const char *path, uint64_t **trace_ms,
		     uint64_t *count, struct error *error)
{
	uint64_t capacity = 0, last = 0;

	*trace_ms = NULL;
	*count = 0;
	if (size > RATE_TRACE_BYTES_MAX || strlen(text) != size)
		return refuse(path, 1, error);
	for (long line = 1; *text; line++) {
		char *end;
		const unsigned long long at_ms = strtoull(text, &end, 10);

		if (end == text || (*end && *end != '\n' && *end != '\r') || *text == '-' ||
		    at_ms < last || at_ms > UINT32_MAX)
			return refuse(path, line, error);
		if (*count == capacity) {
			uint64_t *grown;

			capacity = capacity ? 2 * capacity : 1024;
			grown = realloc(*trace_ms, capacity * sizeof(*grown));
			if (grown == NULL)
				return error_set(error, ERR_NO_MEMORY, "out of memory");
			*trace_ms = grown;
		}
		(*trace_ms)[(*count)++] = last = at_ms;
		text = end + strspn(end, "\r\n");
	}
	return last == 0 ? refuse(path, 1, error) : 0;
}
