/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dnaqm: gives a dummynet queue one of the laws of dn_aqm_laws.ko, which ipfw(8) has no words for.
 */
#include <sys/types.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "kernel/freebsd/request.h"

static void usage(void)
{
	fprintf(stderr, "usage: dnaqm queue N sched M LAW [slots=N | bytes=N] [NAME=VALUE ...]\n"
			"       dnaqm pipe N LAW [slots=N | bytes=N] [NAME=VALUE ...]\n"
			"LAW: pi2, pie_rfc, codel_rfc, red_floyd (kldload dn_aqm_laws)\n"
			"NAME: sysctl -d net.inet.ip.dummynet.LAW lists names and meanings\n");
	exit(EX_USAGE);
}

int main(int argc, char **argv)
{
	struct dn_extra_parms answer;
	socklen_t size = sizeof(answer);
	struct request request;
	const char *where, *wrong;
	int s;

	if (argc < 2)
		usage();
	wrong = request_fill(&request, argc - 1, (const char *const *)argv + 1, &where);
	if (wrong)
		errx(EX_USAGE, "%s%s%s", where ? where : "", where ? ": " : "", wrong);
	s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (s < 0)
		err(EX_UNAVAILABLE, "a raw socket (be root)");
	if (setsockopt(s, IPPROTO_IP, IP_DUMMYNET3, &request, sizeof(request)) < 0)
		err(EX_UNAVAILABLE, "dummynet refuses (is it loaded, and is there such a %s?)",
		    argv[1]);
	request_question(&request, &answer);
	if (getsockopt(s, IPPROTO_IP, IP_DUMMYNET3, &answer, &size) < 0)
		err(EX_UNAVAILABLE, "dummynet does not tell what the %s has now", argv[1]);
	wrong = request_check(&request, &answer);
	if (wrong)
		errx(EX_UNAVAILABLE, "%s", wrong);
	return 0;
}
