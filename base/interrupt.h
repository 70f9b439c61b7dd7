/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals that leave the interrupted thread's stack alone.
 *
 * Generated code may use the stack pointer as a register of its own: oneDNN
 * 2.6's matrix kernels point it into their packed operands.  A handler on the
 * ordinary stack would then write its frame into the heap.  So handlers run on
 * a stack of their own, and threads other than the program's first take none.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include <signal.h>

/*
 * Lets `handler` take signal `number` on the program's signal stack; system
 * calls go on afterwards.  Call it in the program's first thread.  ERR_IO with
 * errno set when the system declines.
 */
int interrupt_handle(int number, void (*handler)(int number));

/*
 * Around the start of a thread: it inherits that no signal comes to it.
 * `before` takes the mask that interrupt_unblock() gives back.
 */
void interrupt_block(sigset_t *before);
void interrupt_unblock(const sigset_t *before);

#endif
