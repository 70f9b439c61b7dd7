/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conversation, always begun by a follower and answered by rank 0:
 *
 *   HELLO (how preparation went, digest of all keys)  ->  WAIT or STOP
 *   READY                                             ->  RUN (index) or STOP
 *   DONE (index, outcome) or FAILED (index, error)    ->  RUN (index) or STOP
 *
 * Rank 0 answers as long as a follower has not been told to stop.
 */
#include "cli/trial_spread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/trial_runner.h"

enum tag { HELLO, READY, DONE, FAILED, WAIT, RUN, STOP };

#define NAP_NS 200000 /* of rank 0 between looks at its messages */

struct hello {
	unsigned char keys[DIGEST_BYTES];
	int code;
	struct error error;
};

struct failure {
	uint64_t index;
	int code;
	struct error error;
};

static void digest_keys(const struct trial *trial, unsigned char *value)
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, trial->keys, trial_runs(trial) * sizeof(*trial->keys));
	digest_end(&digest, value);
}

/* Joins a follower's preparation to what is known of the others. */
static int hear_hello(const struct ranks_message *message, const struct hello *own, int code,
		      struct error *error)
{
	struct hello hello;
	char text[sizeof(hello.error.text)];

	if (code || message->size != sizeof(hello))
		return code ? code : error_set(error, ERR_FAILED, "ranks run different programs");
	memcpy(&hello, message->bytes, sizeof(hello));
	if (hello.code) {
		error_format(&hello.error, text, sizeof(text));
		return error_set(error, hello.code, "rank %d: %s", message->from, text);
	}
	if (memcmp(hello.keys, own->keys, sizeof(own->keys)) != 0)
		return error_set(error, ERR_INVALID,
				 "rank %d has another program, other scenarios or other policies "
				 "than rank 0; give every machine the same files",
				 message->from);
	return 0;
}

static int hear_all(const struct ranks *ranks, const struct hello *own, struct error *error)
{
	int code = own->code;

	for (int heard = 1; heard < ranks->count; heard++) {
		struct ranks_message message;

		if (ranks_wait(&message) < 0)
			abort();
		code = hear_hello(&message, own, code, error);
		free(message.bytes);
	}
	for (int to = 1; to < ranks->count; to++)
		ranks_send(to, code ? STOP : WAIT, NULL, 0);
	return code;
}

int trial_spread_meet(const struct ranks *ranks, const struct trial *trial, int code,
		      struct error *error)
{
	struct ranks_message answer;
	struct hello own;

	memset(&own, 0, sizeof(own));
	own.code = code;
	own.error = *error;
	if (code == 0)
		digest_keys(trial, own.keys);
	if (ranks->rank == 0)
		return hear_all(ranks, &own, error);
	ranks_send(0, HELLO, &own, sizeof(own));
	if (ranks_wait(&answer) < 0)
		abort();
	free(answer.bytes);
	return answer.tag == STOP ? error_set(error, ERR_FAILED, "rank 0 says stop") : 0;
}

/* An outcome from another rank is kept as one of our own. */
static void take_outcome(struct trial_runner *runner, const struct ranks_message *message)
{
	const struct trial *trial = runner->trial;
	struct error error = {0};
	uint64_t index;
	int code = ERR_INVALID;

	memcpy(&index, message->bytes, sizeof(index));
	code = trial_outcome_read(&runner->trial->outcomes[index], trial->keys[index].bytes,
				  message->bytes + sizeof(index), message->size - sizeof(index));
	if (code == 0) {
		trial_runner_done(runner, index);
		return;
	}
	error_set(&error, code, "rank %d sent what is no outcome of run %llu", message->from,
		  (unsigned long long)index);
	trial_runner_failed(runner, index, code, &error);
}

static void take_failure(struct trial_runner *runner, const struct ranks_message *message)
{
	struct failure failure;

	memcpy(&failure, message->bytes, sizeof(failure));
	trial_runner_failed(runner, failure.index, failure.code, &failure.error);
}

/* True when the follower has been told to stop. */
static bool answer(struct trial_runner *runner, const struct ranks_message *message)
{
	size_t index;
	uint64_t word;

	if (message->tag == DONE)
		take_outcome(runner, message);
	else if (message->tag == FAILED)
		take_failure(runner, message);
	if (!trial_runner_next(runner, &index)) {
		ranks_send(message->from, STOP, NULL, 0);
		return true;
	}
	word = index;
	ranks_send(message->from, RUN, &word, sizeof(word));
	return false;
}

static void *work(void *runner)
{
	trial_runner_work(runner);
	return NULL;
}

static int serve(struct trial_runner *runner, int followers)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};

	while (followers > 0) {
		struct ranks_message message;
		const int there = ranks_poll(&message);

		if (there < 0)
			abort();
		if (there == 0) {
			nanosleep(&nap, NULL);
			continue;
		}
		followers -= answer(runner, &message);
		free(message.bytes);
	}
	return 0;
}

int trial_spread_lead(const struct ranks *ranks, struct trial *trial, struct error *error)
{
	struct trial_runner runner;
	pthread_t own;
	bool works;
	int code = trial_runner_open(&runner, trial, error);

	/* Followers wait for an answer whatever happened here. */
	if (code) {
		runner.stopped = true;
		serve(&runner, ranks->count - 1);
		trial_runner_close(&runner, NULL);
		return code;
	}
	works = pthread_create(&own, NULL, work, &runner) == 0;
	serve(&runner, ranks->count - 1);
	if (works)
		pthread_join(own, NULL);
	return trial_runner_close(&runner, error);
}

/* Says what became of a run, and hears what comes next. */
static void report(uint64_t index, const struct trial *trial, struct trial_outcome *outcome,
		   int code, const struct error *error)
{
	struct failure failure;
	char *bytes = NULL, *message = NULL;
	size_t size = 0;

	if (code == 0)
		code = trial_outcome_write(outcome, trial->keys[index].bytes, &bytes, &size);
	if (code == 0)
		message = malloc(sizeof(index) + size);
	if (message) {
		memcpy(message, &index, sizeof(index));
		memcpy(message + sizeof(index), bytes, size);
		ranks_send(0, DONE, message, sizeof(index) + size);
	} else {
		memset(&failure, 0, sizeof(failure));
		failure.index = index;
		failure.code = code ? code : ERR_NO_MEMORY;
		failure.error = *error;
		ranks_send(0, FAILED, &failure, sizeof(failure));
	}
	free(message);
	free(bytes);
}

static bool is_stopped(void *context, double done)
{
	const struct trial *trial = context;

	(void)done;
	return trial->stop && trial->stop(trial->context);
}

void trial_spread_follow(const struct trial *trial)
{
	struct ranks_message order;

	for (ranks_send(0, READY, NULL, 0); ranks_wait(&order) == 1 && order.tag == RUN;) {
		struct trial_outcome outcome = {0};
		struct error error = {0};
		struct trial_job job;
		uint64_t index;
		int code;

		memcpy(&index, order.bytes, sizeof(index));
		free(order.bytes);
		job = trial_job_at(trial, index);
		code = trial_run(&job, trial->bin_s, (void *)trial, is_stopped, &outcome, &error);
		report(index, trial, &outcome, code, &error);
		trial_outcome_free(&outcome);
	}
	free(order.bytes);
}
