/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting a decision network where its backbone's pre-training ended.
 *
 * A backbone that was pre-trained on telemetry brings an embedding for every
 * bin of every feature (policy/vocabulary.h).  A fresh encoder would throw that
 * away.  Here each feature's encoder is fitted, by ridge regression, so that a
 * value's token lies at the embedding of its bin; return and action tokens
 * likewise; and the head starts as the language model's own rows for the three
 * actions.  Before any training the network then is that language model asked
 * for the next action.
 */
#ifndef POLICY_WARM_START_H
#define POLICY_WARM_START_H

#include "policy/config.h"
#include "policy/net.h"
#include "policy/vocabulary.h"

/*
 * Overwrites the network's own parameters, except the encoders' first layer,
 * whose random kinks the fit builds on: call policy_net_init() before.  Of a
 * convolution, taps before the present step become 0 and are left to training.  A
 * feature that the vocabulary does not have keeps its fresh parameters.
 * ERR_INVALID when the backbone's embedding table does not fit the vocabulary.
 */
int policy_warm_start(struct policy_net *net, const struct policy_config *config,
		      const struct vocabulary *vocabulary, struct error *error);

#endif
