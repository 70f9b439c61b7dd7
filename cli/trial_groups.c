/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a network, and which groups it is in.
 */
#include <math.h>

#include "cli/trial_pairs.h"

static const char *const links[] = {
#define TRIAL_LINK_ROW(name, label) label,
	TRIAL_LINK_TABLE(TRIAL_LINK_ROW)
#undef TRIAL_LINK_ROW
};

static const struct {
	const char *name, *label;
	enum trial_attribute attribute;
	double from, below;
} groups[] = {
#define TRIAL_GROUP_ROW(name, attribute, from, below, label)                                       \
	{#name, label, TRIAL_ATTRIBUTE_##attribute, from, below},
	TRIAL_GROUP_TABLE(TRIAL_GROUP_ROW)
#undef TRIAL_GROUP_ROW
};

const char *trial_link_label(enum trial_link link)
{
	return links[link];
}

const char *trial_group_name(enum trial_group group)
{
	return groups[group].name;
}

const char *trial_group_label(enum trial_group group)
{
	return groups[group].label;
}

static enum trial_link link_of(const struct scenario *scenario)
{
	switch (scenario->rate_kind) {
	case RATE_LTE:
		return TRIAL_LINK_lte;
	case RATE_WIFI:
		return TRIAL_LINK_wifi;
	case RATE_SATELLITE:
		return TRIAL_LINK_satellite;
	default:
		break;
	}
	if (scenario->trace_count)
		return TRIAL_LINK_trace;
	if (scenario->handover.every_s > 0)
		return TRIAL_LINK_handover;
	if (scenario->step_count)
		return TRIAL_LINK_steps;
	return scenario->aggregation.packets ? TRIAL_LINK_aggregates : TRIAL_LINK_steady;
}

static double least_rate(const struct scenario *scenario)
{
	double least = scenario->rate_mbps;

	/* 1500 bytes a moment, over the milliseconds until the trace repeats. */
	if (scenario->trace_count)
		return 12 * (double)scenario->trace_count /
		       fmax(1, (double)scenario->trace_ms[scenario->trace_count - 1]);

	for (uint64_t i = 0; i < scenario->step_count; i++)
		least = fmin(least, scenario->steps[i].rate_mbps);
	return least;
}

/* Classes of long-lived flows, and their mean round trip (NaN: there is none). */
static unsigned classes_of(const struct scenario *scenario, double *rtt_ms)
{
	unsigned classes = 0;
	double sum = 0, flows = 0;

	for (uint64_t g = 0; g < scenario->group_count; g++) {
		const struct scenario_group *group = &scenario->groups[g];

		if (!scenario_is_long_lived(scenario, group))
			continue;
		classes |= scenario_is_l4s(group) ? 2 : 1;
		sum += (double)group->count *
		       (group->rtt_ms > 0 ? group->rtt_ms : 2 * scenario->delay_ms);
		flows += (double)group->count;
	}
	*rtt_ms = flows > 0 ? sum / flows : NAN;
	return classes;
}

void trial_network_attributes(const struct scenario *scenario, double *attributes)
{
	const enum trial_link link = link_of(scenario);
	double rtt_ms;

	attributes[TRIAL_ATTRIBUTE_classes] = classes_of(scenario, &rtt_ms);
	attributes[TRIAL_ATTRIBUTE_rtt] = isnan(rtt_ms) ? 2 * scenario->delay_ms : rtt_ms;
	attributes[TRIAL_ATTRIBUTE_rate] = least_rate(scenario);
	attributes[TRIAL_ATTRIBUTE_link] = link;
	attributes[TRIAL_ATTRIBUTE_varying] =
		link != TRIAL_LINK_steady && link != TRIAL_LINK_aggregates;
	attributes[TRIAL_ATTRIBUTE_unused] = NAN;
}

bool trial_pairing_in_group(const struct trial_pairs *pairs, const struct trial_pairing *pairing,
			    size_t network, enum trial_group group)
{
	const double *attributes = pairs->networks[network];
	const enum trial_attribute attribute = groups[group].attribute;
	const double value = attribute == TRIAL_ATTRIBUTE_unused ? pairing->unused[network]
								 : attributes[attribute];

	if (group != TRIAL_GROUP_low && attributes[TRIAL_ATTRIBUTE_rate] < TRIAL_LOW_MBPS)
		return false;
	return groups[group].from <= value && value < groups[group].below;
}
