/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * simulate --watch in a terminal of its own: what it shows, that keys steer it, and that the
 * terminal is as before when it is over, however it ended.  usage: watch_test PROGRAM
 *
 * Where the system has no pseudo-terminals (a root without /dev/pts) the test says so and counts
 * as skipped (exit status 77).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ENTER "\x1b[?1049h"
#define LEAVE "\x1b[?25h\x1b[?1049l"
#define PATIENCE_S 30
#define EXIT_SKIPPED 77

static const char *program;
static char scenario[64];

struct terminal {
	int master;
	pid_t child;
	struct termios before;
	char seen[1 << 20];
	size_t size;
};

static void start(struct terminal *terminal, const char *watch, const char *warmup)
{
	const struct winsize size = {.ws_row = 30, .ws_col = 100};
	FILE *file = fopen(scenario, "w");

	assert_non_null(file);
	fprintf(file, "name: watched\nduration_s: 20\nwarmup_s: %s\nbottleneck:\n  rate_mbps: 8\n"
		      "  delay_ms: 10\n  aqm: dualpi2\nflows:\n  - {cc: cubic}\n  - {cc: prague}\n",
		warmup);
	fclose(file);
	terminal->size = 0;
	terminal->child = forkpty(&terminal->master, NULL, NULL, &size);
	assert_true(terminal->child >= 0);
	if (terminal->child == 0) {
		setenv("LC_ALL", "C.UTF-8", 1);
		/* The parent looks at the terminal first. */
		raise(SIGSTOP);
		execl(program, program, "simulate", scenario, watch, (char *)NULL);
		_exit(127);
	}
	waitpid(terminal->child, NULL, WUNTRACED);
	assert_int_equal(tcgetattr(terminal->master, &terminal->before), 0);
	kill(terminal->child, SIGCONT);
}

/* Reads until `text` has been seen after `from`; false: it ended, or patience did. */
static bool wait_for(struct terminal *terminal, const char *text, size_t from)
{
	const time_t end = time(NULL) + PATIENCE_S;

	while (time(NULL) < end) {
		struct pollfd ready = {.fd = terminal->master, .events = POLLIN};
		ssize_t got;

		terminal->seen[terminal->size] = '\0';
		if (text && strstr(terminal->seen + from, text))
			return true;
		if (poll(&ready, 1, 1000) <= 0)
			continue;
		got = read(terminal->master, terminal->seen + terminal->size,
			   sizeof(terminal->seen) - terminal->size - 1);
		if (got <= 0)
			return false;
		terminal->size += (size_t)got;
	}
	return false;
}

static void press(const struct terminal *terminal, const char *keys)
{
	assert_int_equal(write(terminal->master, keys, strlen(keys)), (ssize_t)strlen(keys));
}

/* The exit status; the terminal's modes are those from before. */
static int finish(struct terminal *terminal)
{
	struct termios after;
	int status;

	wait_for(terminal, NULL, 0);
	assert_int_equal(tcgetattr(terminal->master, &after), 0);
	assert_int_equal(after.c_lflag, terminal->before.c_lflag);
	assert_int_equal(after.c_iflag, terminal->before.c_iflag);
	assert_memory_equal(after.c_cc, terminal->before.c_cc, sizeof(after.c_cc));
	waitpid(terminal->child, &status, 0);
	close(terminal->master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static struct terminal terminal;

static void q_ends_the_run_and_reports_it(void **state)
{
	const char *report;

	(void)state;
	start(&terminal, "--watch", "0");
	assert_true(wait_for(&terminal, ENTER, 0));
	assert_true(wait_for(&terminal, "watched through dualpi2, seed 1", 0));
	assert_true(wait_for(&terminal, " of 20 s, 1x real time", 0));
	for (const char *const *text = (const char *const[]){"queue delay  L", "0  cubic",
							     "1  prague", "\xe2\x96\x88", NULL};
	     *text; text++)
		assert_true(wait_for(&terminal, *text, 0));
	press(&terminal, "q");
	assert_int_equal(finish(&terminal), 0);
	report = strstr(terminal.seen, LEAVE);
	assert_non_null(report);
	assert_non_null(strstr(report, "watched: "));
	assert_non_null(strstr(report, "utilisation"));
}

static void keys_change_the_pace(void **state)
{
	size_t from;

	(void)state;
	start(&terminal, "--watch=2", "0");
	assert_true(wait_for(&terminal, "2x real time", 0));
	press(&terminal, "+");
	assert_true(wait_for(&terminal, "4x real time", 0));
	press(&terminal, "--");
	assert_true(wait_for(&terminal, "1x real time", terminal.size));
	press(&terminal, " ");
	assert_true(wait_for(&terminal, "s, paused", 0));
	from = terminal.size;
	press(&terminal, " ");
	assert_true(wait_for(&terminal, "1x real time", from));
	press(&terminal, "f");
	assert_int_equal(finish(&terminal), 0);
	assert_non_null(strstr(terminal.seen, "watched: 20 s through dualpi2"));
}

static void ends_by_itself(void **state)
{
	(void)state;
	start(&terminal, "--watch=0", "5");
	assert_int_equal(finish(&terminal), 0);
	assert_non_null(strstr(terminal.seen, "watched: 20 s through dualpi2"));
}

static void signals_give_the_terminal_back(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		start(&terminal, "--watch", "0");
		assert_true(wait_for(&terminal, " of 20 s, 1x real time", 0));
		if (signals[i] == SIGINT)
			press(&terminal, "\x03");
		else
			kill(terminal.child, SIGTERM);
		assert_int_equal(finish(&terminal), 1);
		assert_non_null(strstr(terminal.seen, LEAVE));
		assert_non_null(strstr(terminal.seen, "aqmllm: interrupted"));
	}
}

static void quitting_within_the_warm_up_says_so(void **state)
{
	(void)state;
	start(&terminal, "--watch", "10");
	assert_true(wait_for(&terminal, " of 20 s, 1x real time", 0));
	press(&terminal, "q");
	assert_int_equal(finish(&terminal), 1);
	assert_non_null(strstr(terminal.seen, "before the warm-up of 10 s was over"));
}

/* Whether this system gives out terminals at all; says why not. */
static bool has_pseudo_terminals(void)
{
	const int master = posix_openpt(O_RDWR | O_NOCTTY);
	const char *failed = "posix_openpt";
	int slave = -1;

	if (master >= 0) {
		failed = "opening its other end";
		if (grantpt(master) == 0 && unlockpt(master) == 0)
			slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	}
	if (slave < 0)
		fprintf(stderr,
			"SKIP watch: no pseudo-terminal can be opened here (%s: %s); "
			"mount -t devpts devpts /dev/pts\n",
			failed, strerror(errno));
	else
		close(slave);
	if (master >= 0)
		close(master);
	return slave >= 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(q_ends_the_run_and_reports_it),
		cmocka_unit_test(keys_change_the_pace),
		cmocka_unit_test(ends_by_itself),
		cmocka_unit_test(signals_give_the_terminal_back),
		cmocka_unit_test(quitting_within_the_warm_up_says_so),
	};
	int failed;

	if (argc != 2)
		return 2;
	if (!has_pseudo_terminals())
		return EXIT_SKIPPED;
	program = argv[1];
	snprintf(scenario, sizeof(scenario), "watch_test-%ld.yaml", (long)getpid());
	failed = cmocka_run_group_tests_name("watch", tests, NULL, NULL);
	unlink(scenario);
	return failed;
}
