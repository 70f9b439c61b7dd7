/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/linux/interface.h"

#define OWN_NAMESPACE "/proc/self/ns/net"

static bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

int namespace_allowed(struct error *error)
{
	if (!has_capability(CAP_NET_ADMIN) || !has_capability(CAP_SYS_ADMIN))
		return error_set(error, ERR_UNSUPPORTED,
				 "needs the capabilities CAP_NET_ADMIN and CAP_SYS_ADMIN, for "
				 "devices and namespaces; run it as root (sudo)");
	if (access("/dev/net/tun", R_OK | W_OK))
		return error_set(error, ERR_UNSUPPORTED,
				 "needs /dev/net/tun (%s): modprobe tun, or give the container the "
				 "device",
				 strerror(errno));
	return 0;
}

static int open_file(const char *path, struct error *error)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? error_errno(error, path, "cannot open the namespace") : fd;
}

int namespace_open(const char *name, struct error *error)
{
	char path[4096];

	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else if (name[0] && name[strspn(name, "0123456789")] == '\0')
		snprintf(path, sizeof(path), "/proc/%s/ns/net", name);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", name);
	return open_file(path, error);
}

/* Runs it, and comes back to `home` whatever came of it. */
static int run_and_return(int home, int (*inside)(void *context, struct error *error),
			  void *context, struct error *error)
{
	const int code = inside(context, error);

	if (setns(home, CLONE_NEWNET))
		return error_errno(error, OWN_NAMESPACE, "cannot return to the namespace");
	return code;
}

int namespace_within(int fd, int (*inside)(void *context, struct error *error), void *context,
		     struct error *error)
{
	const int home = open_file(OWN_NAMESPACE, error);
	int code;

	if (home < 0)
		return home;
	if (setns(fd, CLONE_NEWNET))
		code = error_errno(error, NULL, "cannot enter the namespace");
	else
		code = run_and_return(home, inside, context, error);
	close(home);
	return code;
}

static int open_made(void *context, struct error *error)
{
	int *fd = context;
	int code;

	*fd = open_file(OWN_NAMESPACE, error);
	if (*fd < 0)
		return *fd;
	code = interface_up("lo", error);
	if (code)
		close(*fd);
	return code;
}

int namespace_new(struct error *error)
{
	const int home = open_file(OWN_NAMESPACE, error);
	int made = -1, code;

	if (home < 0)
		return home;
	if (unshare(CLONE_NEWNET))
		code = error_errno(error, NULL, "cannot make a network namespace");
	else
		code = run_and_return(home, open_made, &made, error);
	close(home);
	return code ? code : made;
}
