/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every congestion control by its fixed name.
 */
#include "tcp/cc.h"

#include <string.h>

extern const struct tcp_cc_ops tcp_cc_bbr, tcp_cc_cubic, tcp_cc_dctcp, tcp_cc_newreno,
	tcp_cc_prague;

const struct tcp_cc_ops *const tcp_cc_all[] = {
	&tcp_cc_newreno, &tcp_cc_cubic, &tcp_cc_dctcp, &tcp_cc_prague, &tcp_cc_bbr, NULL,
};

const struct tcp_cc_ops *tcp_cc_find(const char *name)
{
	for (const struct tcp_cc_ops *const *cc = tcp_cc_all; *cc; cc++)
		if (strcmp((*cc)->name, name) == 0)
			return *cc;
	return NULL;
}
