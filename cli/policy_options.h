/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What --help says of the options that every command which runs a policy has.
 */
#ifndef CLI_POLICY_OPTIONS_H
#define CLI_POLICY_OPTIONS_H

#define DEVICE_DOC                                                                                 \
	"where the backbone computes: cpu, cuda or cuda:bf16 (weights in bfloat16); default cpu"
#define PRECISION_DOC                                                                              \
	"storage of the policy's weights: f32, bf16, f16, int8, int4 or stored (as its file has "  \
	"them); default as policy.json says, f32"
#define CONTEXT_DOC                                                                                \
	"what a full window does: exact forgets the oldest step and computes all again; keep "     \
	"forgets about half, cheaply; cached forgets the oldest and keeps what was computed; "     \
	"default keep"

#endif
