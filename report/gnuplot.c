/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gnuplot as a child: a script into its standard input, the picture out of its
 * standard output.  No shell is involved.
 */
#include "report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_THERE 127 /* exit status of a child that could not become gnuplot */

/* In the child: stdin from the pipe, stdout to the picture, then gnuplot. */
static void become_gnuplot(const int pipe_ends[2], int picture)
{
	const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(pipe_ends[0], STDIN_FILENO);
	dup2(picture, STDOUT_FILENO);
	/* Its remarks on ranges and empty data help nobody; its exit status is looked at. */
	if (nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0)
		_exit(NOT_THERE);
	execlp("gnuplot", "gnuplot", "-", (char *)NULL);
	_exit(NOT_THERE);
}

/* Waits for gnuplot and says what became of it. */
static int reap(pid_t child, struct error *error)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(error, "gnuplot", "cannot wait for");
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_THERE)
		return error_set(error, ERR_UNSUPPORTED,
				 "pictures need gnuplot; install the package gnuplot-nox");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(error, ERR_FAILED, "gnuplot failed");
	return 0;
}

int gnuplot_run(void (*put)(FILE *script, const void *context), const void *context, int picture,
		struct error *error)
{
	int ends[2];
	pid_t child;
	FILE *script;
	void (*before)(int);

	/* Figures may be drawn at once: no gnuplot may hold another's script open. */
	if (pipe2(ends, O_CLOEXEC))
		return error_errno(error, "gnuplot", "cannot start");
	child = fork();
	if (child == 0)
		become_gnuplot(ends, picture);
	close(ends[0]);
	script = child > 0 ? fdopen(ends[1], "w") : NULL;
	if (script == NULL) {
		close(ends[1]);
		return child > 0 ? reap(child, error)
				 : error_errno(error, "gnuplot", "cannot start");
	}
	/* A child that is not there closes the pipe early. */
	before = signal(SIGPIPE, SIG_IGN);
	put(script, context);
	fclose(script);
	signal(SIGPIPE, before);
	return reap(child, error);
}
