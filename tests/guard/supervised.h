/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DualPI2 whose settings somebody else chose, under the guard: each setting is
 * in force while the guard allows signals to be more frequent, or less, than
 * they are by default, whichever the setting makes them.
 */
#ifndef TESTS_GUARD_SUPERVISED_H
#define TESTS_GUARD_SUPERVISED_H

#include "aqm/guard.h"
#include "aqm/ops.h"

struct supervised_params {
	const struct aqm_ops *law;
	/* Of the law, by what is allowed: bit 0 more signals, bit 1 fewer; owned. */
	void *settings[4];
	struct aqm_guard_params guard;
	bool unguarded;
	uint64_t *packets, *overridden; /* counted up: all, and those under other settings */
};

extern const struct aqm_ops supervised_law;

/* "target_ms=5:k=4" over `usual`.  ERR_INVALID, ERR_RANGE, ERR_NO_MEMORY. */
int supervised_set(struct supervised_params *params, const struct aqm_ops *law, const void *usual,
		   const char *settings, struct error *error);
void supervised_free(struct supervised_params *params);

#endif
