/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options that every command which runs policies has: what --help says of them, and who they
 * are of.
 */
#ifndef CLI_POLICY_OPTIONS_H
#define CLI_POLICY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define DEVICE_DOC                                                                                 \
	"where the backbone computes: cpu, cuda or cuda:bf16 (weights in bfloat16); default cpu"
#define PRECISION_DOC                                                                              \
	"storage of the policy's weights: f32, bf16, f16, int8, int4 or stored (as its file has "  \
	"them); default as policy.json says, f32"
#define CONTEXT_DOC                                                                                \
	"what a full window does: exact forgets the oldest step and computes all again; keep "     \
	"forgets about half, cheaply; cached forgets the oldest and keeps what was computed; "     \
	"default keep"
#define VERDICT_DOC                                                                                \
	"drawn: from the policy's probabilities with the packet's random bits; argmax: the most "  \
	"likely; default drawn"
#define NO_GUARD_DOC                                                                               \
	"let policies signal as often or as rarely as they like; a student's guard goes as well"

/* An option of policies, as the user wrote the command. */
struct policy_option {
	const char *name; /* with its dashes */
	bool given;
	bool students; /* it is of students, too */
};

/*
 * Refuses options that were given where none of the policies (folders or students' files) takes
 * them.  ERR_INVALID.
 */
int policy_options_check(const struct policy_option *options, size_t count,
			 const char *const *policies, size_t policy_count, struct error *error);

#endif
