/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collecting: one record, one row.
 */
#include "experience/collect.h"

#include <stdio.h>
#include <string.h>

/* Order for 8 features; 7 leave out total_drops. */
static const struct {
	const char *name, *unit;
	size_t offset;
} columns[] = {
	{"queue_type", "", offsetof(struct aqm_record, queue_type)},
	{"burst_allowance", "us", offsetof(struct aqm_record, burst_allowance)},
	{"drop_probability", "2^-31", offsetof(struct aqm_record, drop_probability)},
	{"current_queue_delay", "us", offsetof(struct aqm_record, current_queue_delay)},
	{"accumulated_probability", "2^-31", offsetof(struct aqm_record, accumulated_probability)},
	{"length_in_bytes", "bytes", offsetof(struct aqm_record, length_in_bytes)},
	{"total_drops", "packets", offsetof(struct aqm_record, total_drops)},
	{"packet_length", "bytes", offsetof(struct aqm_record, packet_length)},
};

#define COLUMNS 8
#define TOTAL_DROPS 6

const char *collect_reward_name(enum collect_reward reward)
{
	static const char *const names[] = {
#define NAME(name, text) #name,
		COLLECT_REWARD_TABLE(NAME)
#undef NAME
	};

	return names[reward];
}

int collect_reward_find(const char *name)
{
	for (int i = 0; i < COLLECT_REWARDS; i++)
		if (strcmp(name, collect_reward_name((enum collect_reward)i)) == 0)
			return i;
	return -1;
}

double collect_reward_of(enum collect_reward reward, const struct aqm_record *record)
{
	const double length = (double)record->packet_length;
	const double qdelay_us = (double)record->current_queue_delay;

	switch (reward) {
	case COLLECT_released:
		return length / (qdelay_us + 1000);
	case COLLECT_qdelay:
		return -qdelay_us / 1000;
	default:
		return length / (qdelay_us / 1000 + 1);
	}
}

void collect_defaults(struct collect_options *options)
{
	*options = (struct collect_options){
		.features = 7,
		.state = COLLECT_BEFORE,
		.reward = COLLECT_paper,
		.gamma = 0.95,
		.gap_s = 5,
	};
}

void collect_features(const struct aqm_record *record, int features, double *state)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (features == COLUMNS - 1 && i == TOTAL_DROPS)
			continue;
		*state++ = (double)*(const int64_t *)((const char *)record + columns[i].offset);
	}
}

static void set_columns(struct pool *pool, const struct collect_options *options)
{
	const int features = options->features;

	pool->features = 0;
	for (int i = 0; i < COLUMNS; i++) {
		struct pool_column *column = &pool->columns[pool->features];

		if (features == COLUMNS - 1 && i == TOTAL_DROPS)
			continue;
		snprintf(column->name, sizeof(column->name), "%s", columns[i].name);
		snprintf(column->unit, sizeof(column->unit), "%s", columns[i].unit);
		column->is_integer = true;
		pool->features++;
	}
	if (options->law)
		pool->columns[pool->features++] =
			(struct pool_column){.name = POOL_LAW_COLUMN, .is_probability = true};
}

static void start_episode(struct collector *collector)
{
	memset(collector->accumulated, 0, sizeof(collector->accumulated));
	memset(collector->total_packets, 0, sizeof(collector->total_packets));
	if (collector->pool->rows)
		collector->pool->done[collector->pool->rows - 1] = 1;
}

void collector_init(struct collector *collector, const struct collect_options *options,
		    struct pool *pool)
{
	memset(collector, 0, sizeof(*collector));
	collector->options = *options;
	collector->pool = pool;
	collector->last_s = -1;
	set_columns(pool, options);
	snprintf(pool->meta.reward, sizeof(pool->meta.reward), "%s",
		 collect_reward_name(options->reward));
	snprintf(pool->meta.state, sizeof(pool->meta.state), "%s",
		 options->state == COLLECT_BEFORE ? "before" : "as-logged");
	pool->meta.gamma = options->gamma;
}

/* An episode ends at a gap in time and where a queue's packet counter falls: the router restarted.
 */
static bool begins_episode(const struct collector *collector, const struct aqm_record *record,
			   int64_t syslog_s)
{
	if (!collector->started)
		return false;
	if (syslog_s >= 0 && collector->last_s >= 0 &&
	    (double)(syslog_s - collector->last_s) > collector->options.gap_s)
		return true;
	return record->total_packets < collector->total_packets[record->queue_type];
}

int collector_add(struct collector *collector, const struct aqm_record *record, int64_t syslog_s)
{
	const int64_t queue = record->queue_type;
	const bool dropped = record->dequeue_action == AQM_LOGGED_DROP &&
			     record->burst_allowance == 0;
	struct aqm_record before = *record;
	double state[COLUMNS + 1];

	if (begins_episode(collector, record, syslog_s))
		start_episode(collector);
	collector->started = true;
	before.accumulated_probability = collector->accumulated[queue];
	collect_features(collector->options.state == COLLECT_BEFORE ? &before : record,
			 collector->options.features, state);
	if (collector->options.law)
		state[collector->options.features] = collector->options.law->act_probability(
			collector->options.law_params, &before);
	collector->accumulated[queue] = dropped ? 0 : record->accumulated_probability;
	collector->total_packets[queue] = record->total_packets;
	if (syslog_s >= 0)
		collector->last_s = syslog_s;
	return pool_append(collector->pool, state, (int32_t)record->dequeue_action - 1,
			   collect_reward_of(collector->options.reward, record), false);
}

void collector_finish(struct collector *collector)
{
	if (collector->pool->rows)
		collector->pool->done[collector->pool->rows - 1] = 1;
}
