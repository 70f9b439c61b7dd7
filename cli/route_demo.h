/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The demonstration: two namespaces of its own and flows between them.
 */
#ifndef CLI_ROUTE_DEMO_H
#define CLI_ROUTE_DEMO_H

#include "cli/route.h"
#include "os/linux/traffic.h"

struct route_demo {
	struct traffic traffic;
	char words[1024]; /* the flows' congestion controls, one after another */
};

/*
 * Starts the flows of the options from namespace `ends[0]` to `ends[1]`, whose second end has the
 * addresses `four` and `six` (with prefixes): TCP over IPv6, UDP Prague over IPv4.
 */
int route_demo_start(struct route_demo *demo, const struct route_options *options,
		     const int ends[ROUTER_WAYS], const char *four, const char *six,
		     struct error *error);
void route_demo_stop(struct route_demo *demo);

#endif
