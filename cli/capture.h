/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run's packets as a capture file (pcapng), headers only.
 *
 * Four interfaces: "C" and "L" show packets as they leave that queue for the link, after marking
 * and dropping, each with its sojourn time as a comment; "dropped" those that the router dropped,
 * at that moment; "return" what receivers send on a way that avoids the queue.  Time 0 of the
 * run is 1970-01-01.
 */
#ifndef CLI_CAPTURE_H
#define CLI_CAPTURE_H

#include "base/file.h"
#include "sim/run.h"

struct capture {
	struct file_replace file; /* unless it goes to standard output */
	FILE *stream;
};

/* `path` "-" is standard output. */
int capture_open(struct capture *capture, const char *path, const struct scenario *scenario,
		 const char *law, uint64_t seed, struct error *error);

/* A packet of the run; false when it could not be written (see capture_close()). */
bool capture_packet(struct capture *capture, uint64_t now_ns, const struct packet *packet,
		    enum sim_tap tap, uint64_t sojourn_ns);

/* The file takes its place when `keep`, and disappears otherwise. */
int capture_close(struct capture *capture, bool keep, struct error *error);

#endif
