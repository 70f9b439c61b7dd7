/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads that pass one slot to and fro: whose turn it is stands in `turn`, and whoever has it
 * owns record, verdict, probabilities and failure.  Nobody waits for a lock; the thinking thread
 * sleeps on a semaphore.
 */
#include "policy/background.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"

enum turn {
	TURN_IDLE,   /* the router's: nothing is asked */
	TURN_ASKED,  /* the thread's */
	TURN_SPOKEN, /* the router's: probabilities, or a failure, are there */
};

enum reload { RELOAD_NONE, RELOAD_WANTED, RELOAD_DONE, RELOAD_FAILED };

struct background {
	struct policy policy; /* first */
	struct background_config config;
	char *directory;
	struct policy *inner;
	pthread_t thread;
	sem_t wake;
	_Atomic int turn, reload;
	_Atomic bool closing;
	struct aqm_record record;
	bool has_acted;            /* since the last question */
	enum aqm_verdict acted;
	double probability[3];
	int failed;
	struct error failure, reload_failure;
	bool observed;             /* the inner policy, since it was opened */
};

static void think(struct background *self)
{
	const struct policy_ops *ops = self->inner->ops;

	/* What was done with a packet that another policy saw says nothing to this one. */
	if (self->has_acted && self->observed)
		ops->acted(self->inner, self->acted);
	self->has_acted = false;
	self->failed = ops->observe(self->inner, &self->record, &self->failure);
	self->observed = true;
	if (self->failed == 0)
		self->failed = ops->decide(self->inner, clock_ns(),
					   self->probability, &self->failure);
}

static bool moves_settings(const struct policy *policy)
{
	return policy->ops->settings && policy->ops->settings(policy);
}

/* A policy whose verdicts mean what the old one's did: moves of settings are bound to a table. */
static int open_again(struct background *self)
{
	struct policy *fresh;
	int code = policy_open_as(&fresh, self->directory, &self->config.manner,
				  &self->reload_failure);

	if (code)
		return code;
	if (moves_settings(fresh) || moves_settings(self->inner)) {
		policy_destroy(fresh);
		return error_set(&self->reload_failure, ERR_UNSUPPORTED,
				 "%s moves settings: stop and start to take another one",
				 self->directory);
	}
	policy_destroy(self->inner);
	self->inner = fresh;
	self->observed = false;
	return 0;
}

static void *run(void *context)
{
	struct background *self = context;

	if (self->config.started)
		self->config.started();
	for (;;) {
		while (sem_wait(&self->wake))
			continue;
		if (self->closing)
			return NULL;
		if (self->reload == RELOAD_WANTED)
			self->reload = open_again(self) ? RELOAD_FAILED : RELOAD_DONE;
		if (self->turn == TURN_ASKED) {
			think(self);
			self->turn = TURN_SPOKEN;
		}
	}
}

static int observe(struct policy *policy, const struct aqm_record *record, struct error *error)
{
	struct background *self = (struct background *)policy;

	(void)error;
	self->record = *record;
	self->turn = TURN_ASKED;
	sem_post(&self->wake);
	return 0;
}

static int ready(struct policy *policy, double probability[3], struct error *error)
{
	struct background *self = (struct background *)policy;

	if (self->turn != TURN_SPOKEN)
		return 0;
	self->turn = TURN_IDLE;
	if (self->failed) {
		*error = self->failure;
		return self->failed;
	}
	memcpy(probability, self->probability, sizeof(self->probability));
	return 1;
}

static void acted(struct policy *policy, enum aqm_verdict verdict)
{
	struct background *self = (struct background *)policy;

	self->acted = verdict;
	self->has_acted = true;
}

/* Before the first question only: the thread sleeps. */
static void reset(struct policy *policy)
{
	struct background *self = (struct background *)policy;

	if (self->turn == TURN_IDLE && !self->observed)
		self->inner->ops->reset(self->inner);
}

static void cost(const struct policy *policy, struct policy_cost *out)
{
	const struct background *self = (const struct background *)policy;

	self->inner->ops->cost(self->inner, out);
}

static const struct policy_settings *settings(const struct policy *policy)
{
	const struct background *self = (const struct background *)policy;

	return moves_settings(self->inner) ? self->inner->ops->settings(self->inner) : NULL;
}

static void destroy(struct policy *policy)
{
	struct background *self = (struct background *)policy;

	self->closing = true;
	sem_post(&self->wake);
	pthread_join(self->thread, NULL);
	sem_destroy(&self->wake);
	policy_destroy(self->inner);
	free(self->directory);
	free(self);
}

void background_policy_reload(struct policy *policy)
{
	struct background *self = (struct background *)policy;

	self->reload = RELOAD_WANTED;
	sem_post(&self->wake);
}

int background_policy_reloaded(struct policy *policy, struct error *error)
{
	struct background *self = (struct background *)policy;
	const int said = self->reload;

	if (said != RELOAD_DONE && said != RELOAD_FAILED)
		return 0;
	self->reload = RELOAD_NONE;
	if (said == RELOAD_DONE)
		return 1;
	*error = self->reload_failure;
	return error->code;
}

static const struct policy_ops background_ops = {
	.name = "background",
	.observe = observe,
	.ready = ready,
	.acted = acted,
	.reset = reset,
	.cost = cost,
	.settings = settings,
	.destroy = destroy,
};

static int start(struct background *self, struct error *error)
{
	sigset_t before;
	int failed;

	sem_init(&self->wake, 0, 0);
	interrupt_block(&before);
	failed = pthread_create(&self->thread, NULL, run, self);
	interrupt_unblock(&before);
	if (failed) {
		sem_destroy(&self->wake);
		return error_set(error, ERR_FAILED, "cannot start a thread for the policy");
	}
	return 0;
}

int background_policy_open(struct policy **policy, const struct background_config *config,
			   struct error *error)
{
	struct background *self = calloc(1, sizeof(*self));
	int code = 0;

	if (self)
		self->directory = strdup(config->directory);
	if (self == NULL || self->directory == NULL)
		code = error_set(error, ERR_NO_MEMORY, "out of memory for a policy");
	if (code == 0)
		code = policy_open_as(&self->inner, config->directory, &config->manner, error);
	if (code == 0) {
		self->policy.ops = &background_ops;
		self->config = *config;
		code = start(self, error);
		if (code)
			policy_destroy(self->inner);
	}
	if (code) {
		if (self)
			free(self->directory);
		free(self);
		return code;
	}
	*policy = &self->policy;
	return 0;
}
