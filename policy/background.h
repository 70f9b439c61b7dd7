/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy that thinks in a thread of its own, for routers that cannot wait.
 *
 * observe() hands the record over and returns; ready() tells later, whenever it is asked, whether
 * the decision is there.  Between them the law decides.  One decision is under way at a time:
 * observe() is called again only after ready() has given the last one, as policy/aqm_policy.c does.
 */
#ifndef POLICY_BACKGROUND_H
#define POLICY_BACKGROUND_H

#include "policy/policy.h"

struct background_config {
	const char *directory;         /* of the policy, as policy_open() takes it; copied */
	struct policy_manner manner;   /* its texts outlive the policy */
	/* Called in the thread before anything else, to set its priority; optional. */
	void (*started)(void);
};

/* Opens the policy and starts its thread.  Errors of policy_open_as(), ERR_FAILED: no thread. */
int background_policy_open(struct policy **policy, const struct background_config *config,
			   struct error *error);

/*
 * Asks for the policy to be read from its directory again, in the thread: until it is there the law
 * decides, then the new one takes over from the next decision on.  Its history is empty.
 */
void background_policy_reload(struct policy *policy);

/*
 * What became of the last background_policy_reload(): 1 once when the new policy has taken over, 0:
 * nothing new, negative once when it could not be opened: the old one goes on.
 */
int background_policy_reloaded(struct policy *policy, struct error *error);

#endif
