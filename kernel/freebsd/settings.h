/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A law's parameters: one table makes its sysctls, net.inet.ip.dummynet.LAW.NAME, with ranges.
 *
 * All are 64-bit integers in the unit of their name, the defaults of what is configured next: a
 * scheduler or a flow set takes them when ipfw configures it, or does so again.
 */
#ifndef KERNEL_FREEBSD_SETTINGS_H
#define KERNEL_FREEBSD_SETTINGS_H

#include "kernel/freebsd/host.h"

#define SETTINGS_MOST 18

struct setting {
	const char *name;
	int64_t initial, least, most; /* least = most: fixed, without a sysctl */
	const char *text;
};

struct settings {
	const char *law;
	const struct setting *table; /* ends with a NULL name */
	/* Told after one was set, so that it can set others; or NULL. */
	void (*was_set)(int64_t *values, unsigned index);
	int64_t values[SETTINGS_MOST];
	struct sysctl_ctx_list context;
	struct sysctl_oid *node;
};

/* Sets the defaults and makes the sysctls. */
void settings_start(struct settings *settings);
void settings_stop(struct settings *settings);

/*
 * Values for what is configured now: those of the sysctls, and in their place the first of
 * `parms` (may be NULL), cut to their ranges, where they are not negative.
 */
void settings_take(const struct settings *settings, const struct dn_extra_parms *parms,
		   int64_t values[SETTINGS_MOST]);

/* The first values into `parms`, as ipfw asks for them. */
void settings_give(const struct settings *settings, const int64_t *values,
		   struct dn_extra_parms *parms);

/* A number of millionths with 16 fraction bits, and with 32, rounded to nearest. */
static inline uint32_t settings_q16(int64_t millionths)
{
	return (uint32_t)((((uint64_t)millionths << 16) + 500000) / 1000000);
}

static inline uint64_t settings_q32(int64_t millionths)
{
	return (((uint64_t)millionths << 32) + 500000) / 1000000;
}

#endif
