/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy that an adapted backbone makes: `kind: llm` in policy.json.
 */
#ifndef POLICY_LLM_POLICY_H
#define POLICY_LLM_POLICY_H

#include "policy/config.h"
#include "policy/net.h"
#include "policy/policy.h"

/* Opens a policy directory; policy_open() comes here for its kind. */
int llm_policy_open(struct policy **policy, const char *directory,
		    const struct policy_manner *manner, struct error *error);

/*
 * The same from parts: takes `net` over (also on failure); `config` is copied.
 * ERR_INVALID when a feature is not a field of a router's record.
 */
int llm_policy_new(struct policy **policy, const struct policy_config *config,
		   struct policy_net *net, struct error *error);

#endif
