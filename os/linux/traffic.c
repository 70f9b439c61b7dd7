/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two processes a flow.  Both ask the kernel for a signal when their parent is gone, so that
 * nothing stays behind even when that one is killed.
 */
#include "os/linux/traffic.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/linux/namespace.h"
#include "os/linux/traffic_end.h"

#define IPERF "iperf3"
#define RESTART_NS 50000000

struct part {
	const struct traffic_flow *flow;
	unsigned port;
	bool sends, with_iperf;
};

bool traffic_has_iperf(void)
{
	const char *path = getenv("PATH");
	char file[4096];

	while (path && *path) {
		const size_t length = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/" IPERF, (int)length, path);
		if (access(file, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

/* A setting of the kernel's in a namespace. */
struct sysctl {
	const char *path, *value;
};

static int write_sysctl(void *context, struct error *error)
{
	const struct sysctl *sysctl = context;
	const size_t length = strlen(sysctl->value);
	const int fd = open(sysctl->path, O_WRONLY | O_CLOEXEC);
	bool written;

	(void)error;
	if (fd < 0)
		return ERR_IO;
	written = write(fd, sysctl->value, length) == (ssize_t)length;
	close(fd);
	return written ? 0 : ERR_IO;
}

bool traffic_use_ecn(int namespace_fd)
{
	struct sysctl sysctl = {"/proc/sys/net/ipv4/tcp_ecn", "1"};

	return namespace_within(namespace_fd, write_sysctl, &sysctl, NULL) == 0;
}

bool traffic_begin_as_reno(int namespace_fd)
{
	struct sysctl sysctl = {"/proc/sys/net/ipv4/tcp_congestion_control", "reno"};

	return namespace_within(namespace_fd, write_sysctl, &sysctl, NULL) == 0;
}

/* Replaces the process by iperf3. */
static void become_iperf(const struct part *part)
{
	const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	char port[16];

	snprintf(port, sizeof(port), "%u", part->port);
	if (nothing >= 0) {
		dup2(nothing, STDIN_FILENO);
		dup2(nothing, STDOUT_FILENO);
		dup2(nothing, STDERR_FILENO);
	}
	if (!part->sends)
		execlp(IPERF, IPERF, "-s", "-p", port, (char *)NULL);
	else
		execlp(IPERF, IPERF, "-c", part->flow->address, "-p", port, "-C",
		       part->flow->control, "-t", "0", (char *)NULL);
}

/* iperf3 gives up when its other end does not listen yet: then it is started again. */
static void keep_iperf(const struct part *part)
{
	for (;;) {
		const pid_t parent = getpid();
		const pid_t child = fork();

		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() == parent)
				become_iperf(part);
			_exit(1);
		}
		if (child < 0 || waitpid(child, NULL, 0) < 0)
			return;
		nanosleep(&(struct timespec){0, RESTART_NS}, NULL);
	}
}

static void play(const struct part *part)
{
	if (strcmp(part->flow->control, TRAFFIC_PRAGUE) == 0) {
		if (part->sends)
			traffic_prague_send(part->flow->address, part->port);
		else
			traffic_prague_receive(part->flow->address, part->port);
		return;
	}
	if (part->with_iperf && part->sends)
		keep_iperf(part);
	else if (part->with_iperf)
		become_iperf(part);
	if (part->sends)
		traffic_tcp_send(part->flow->address, part->port, part->flow->control);
	else
		traffic_tcp_receive(part->flow->address, part->port);
}

static int start(struct traffic *traffic, int namespace_fd, const struct part *part,
		 struct error *error)
{
	const pid_t parent = getpid();
	const pid_t child = fork();

	if (child < 0)
		return error_errno(error, NULL, "cannot start a flow");
	if (child > 0) {
		traffic->children[traffic->count++] = child;
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN); /* the parent's to answer, and it ends us */
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	if (getppid() == parent && setns(namespace_fd, CLONE_NEWNET) == 0)
		play(part);
	_exit(1);
}

static int check_controls(void *context, struct error *error)
{
	const struct traffic_flow *flow = context;
	char all[512] = "", *word, *rest = all;
	const int fd = open("/proc/sys/net/ipv4/tcp_available_congestion_control",
			    O_RDONLY | O_CLOEXEC);
	const ssize_t got = fd < 0 ? -1 : read(fd, all, sizeof(all) - 1);
	char known[512];

	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return 0;
	all[strcspn(all, "\n")] = '\0';
	snprintf(known, sizeof(known), "%s", all);
	while ((word = strsep(&rest, " ")))
		if (strcmp(word, flow->control) == 0)
			return 0;
	return error_at(error, ERR_INVALID, NULL, 0, "--flows",
			"%s is no congestion control of this kernel; it has %s, and there is "
			TRAFFIC_PRAGUE,
			flow->control, known);
}

int traffic_start(struct traffic *traffic, int from, int to, const struct traffic_flow *flows,
		  size_t count, bool with_iperf, struct error *error)
{
	int code = 0;

	traffic->count = 0;
	for (size_t i = 0; code == 0 && i < count; i++)
		if (strcmp(flows[i].control, TRAFFIC_PRAGUE) != 0)
			code = namespace_within(from, check_controls, (void *)&flows[i], error);
	for (size_t i = 0; code == 0 && i < count; i++) {
		struct part part = {&flows[i], TRAFFIC_FIRST_PORT + (unsigned)i, false, with_iperf};

		code = start(traffic, to, &part, error);
		part.sends = true;
		if (code == 0)
			code = start(traffic, from, &part, error);
	}
	if (code)
		traffic_stop(traffic);
	return code;
}

void traffic_stop(struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->count; i++)
		kill(traffic->children[i], SIGKILL);
	for (size_t i = 0; i < traffic->count; i++)
		waitpid(traffic->children[i], NULL, 0);
	traffic->count = 0;
}
