/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The student's weights: one model for all schedulers of this kernel, exchanged while they run.
 *
 * net.inet.ip.dummynet.student.weights holds the bytes of an *.aqms file in hexadecimal digits,
 * so that a shell can write and read them:
 *
 *     sysctl net.inet.ip.dummynet.student.weights=$(hexdump -ve '1/1 "%02x"' student.aqms)
 *
 * What is not a student is refused (EINVAL, a line in the log says why) and changes nothing.  Every
 * instance takes a new model with its next packet; the old one goes when the last has left it.
 */
#ifndef KERNEL_FREEBSD_WEIGHTS_H
#define KERNEL_FREEBSD_WEIGHTS_H

#include "kernel/freebsd/host.h"
#include "aqm/student_bytes.h"

struct weights {
	u_int users; /* and one more while they are the newest */
	u_int size;  /* of the file */
	struct aqm_student_model model;
	uint8_t bytes[]; /* the file */
};

/* Reads the compiled-in file and makes the sysctl under `parent`. */
void weights_start(struct sysctl_ctx_list *context, struct sysctl_oid *parent);

/* Nobody uses any more; the sysctl is gone. */
void weights_stop(void);

/* The newest ones, for which weights_drop() is due; NULL: there are none. */
struct weights *weights_take(void);
void weights_drop(struct weights *weights);

/* Are there newer ones than these? */
bool weights_are_old(const struct weights *weights);

#endif
