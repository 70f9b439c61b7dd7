/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What dnaqm asks of dummynet, as bytes:
 *
 *     dnaqm queue N sched M LAW [slots=50] [NAME=VALUE...]
 *     dnaqm pipe N LAW [slots=50] [NAME=VALUE...]
 *
 * The first is `ipfw queue N config sched M` with one of this project's laws as AQM, the second
 * `ipfw pipe N config` for the queue of that pipe; slots (or bytes) is its room.  Parameters that
 * are not named are the sysctls'.
 */
#ifndef KERNEL_FREEBSD_REQUEST_H
#define KERNEL_FREEBSD_REQUEST_H

#include <sys/param.h>
#include <sys/socket.h>
#include <sys/queue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>
#include <string.h>

/* In the order in which they go: whose parameters come before what they are for. */
struct request {
	struct dn_id command;
	struct dn_extra_parms parms;
	struct dn_fs flow_set;
};

/*
 * Fills the request from the words after the program's name.  NULL, or what is wrong with them;
 * `*where` is then the word it is about, or NULL.
 */
const char *request_fill(struct request *request, int argc, const char *const *argv,
			 const char **where);

/*
 * dummynet reports success where it does not give the law, so it has to be asked: for the law of
 * the request's flow set, with getsockopt() in the same place.
 */
void request_question(const struct request *request, struct dn_extra_parms *question);

/* NULL: its answer, in the place of the question, is what was requested.  Or what is wrong. */
const char *request_check(const struct request *request, const struct dn_extra_parms *answer);

#endif
