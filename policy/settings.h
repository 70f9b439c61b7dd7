/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A supervising policy's table: settings of the law between which it moves.
 *
 * Instead of verdicts such a policy says, every so many packets, whether to keep
 * the law's present row of the table or to go one row down or up (the paper's
 * figure 1: the model tunes what the router enforces).  The law then decides
 * every packet under that row.  What a policy can do to a router is thereby
 * declared in full: no setting outside the table, no step wider than one row.
 *
 * The decision head is that of verdicts, its classes read as moves.
 */
#ifndef POLICY_SETTINGS_H
#define POLICY_SETTINGS_H

#include "aqm/facts.h"
#include "aqm/ops.h"
#include "base/error.h"
#include "experience/pool.h"

#define POLICY_SETTINGS_ROWS 16
#define POLICY_SETTING_BYTES 96

/* X(move, a pool's action, a verdict, by how many rows) */
#define POLICY_MOVE_TABLE(X)                                                                       \
	X(keep, POOL_ENQUEUE, AQM_PASS, 0)                                                         \
	X(down, POOL_DROP, AQM_DROP, -1)                                                           \
	X(up, POOL_MARK, AQM_MARK, 1)

struct policy_settings {
	int rows; /* 0: not a supervising policy */
	char row[POLICY_SETTINGS_ROWS][POLICY_SETTING_BYTES]; /* "NAME=VALUE:NAME=VALUE" */
};

/* Rows the verdict's move goes, -1 to 1. */
int policy_move_of_verdict(enum aqm_verdict verdict);

/* The action of a pool that goes from row `from` towards row `to`. */
enum pool_action policy_move_towards(int from, int to);

/* "NAME=VALUE:NAME=VALUE/NAME=VALUE/...": rows from the first to the last, at least two. */
int policy_settings_parse(struct policy_settings *settings, const char *text, struct error *error);

/* Applies a row to a law's parameters.  ERR_INVALID, ERR_RANGE as the law has it. */
int policy_settings_apply(const struct policy_settings *settings, int row,
			  const struct aqm_ops *law, void *params, struct error *error);

/*
 * The parameters of every row, one after another (rows x law->params_size bytes, malloc'd, the
 * caller frees): `params` with the row's settings.
 */
int policy_settings_expand(const struct policy_settings *settings, const struct aqm_ops *law,
			   const void *params, void **all, struct error *error);

/* The row that a law's own parameters are, or the middle one: where a policy begins. */
int policy_settings_start(const struct policy_settings *settings, const struct aqm_ops *law,
			  const void *params);

#endif
