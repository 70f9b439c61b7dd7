/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers on a stack of their own; threads that take no signals.
 */
#include "base/interrupt.h"

#include <pthread.h>
#include <stddef.h>

#include "base/error.h"

/* Room for the registers of any processor (AVX-512: 3 KiB, AMX: 11) and a handler. */
#define STACK_BYTES (64 * 1024)

static char stack[STACK_BYTES] __attribute__((aligned(64)));

int interrupt_handle(int number, void (*handler)(int number))
{
	const stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};
	stack_t now;

	if (sigaltstack(NULL, &now))
		return ERR_IO;
	if (now.ss_sp != stack && sigaltstack(&own, NULL))
		return ERR_IO;
	sigemptyset(&action.sa_mask);
	return sigaction(number, &action, NULL) ? ERR_IO : 0;
}

void interrupt_block(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

void interrupt_unblock(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}
