/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm: the table of commands, and the way into them.
 *
 * Only here does the process end; only `cli/` prints.  A command returns a code
 * of the error table, from which the exit status follows: 0 good, 1 failed,
 * 2 bad input.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aqm/ops.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "cli/command.h"
#include "cli/help.h"
#include "config.h"

/* Real packets are an operating system's. */
#ifdef __linux__
#define ROUTE_ROW(X) X(route)
#else
#define ROUTE_ROW(X)
#endif

#define COMMAND_TABLE(X)                                                                   \
	X(analyse)                                                                              \
	X(apps)                                                                                 \
	X(aqms)                                                                                 \
	X(backbones)                                                                            \
	X(compare)                                                                              \
	X(compress)                                                                             \
	X(completion)                                                                           \
	X(demo)                                                                                 \
	X(distill)                                                                              \
	X(evaluate)                                                                             \
	X(export)                                                                               \
	X(generate)                                                                             \
	X(info)                                                                                 \
	X(manual)                                                                               \
	X(plot)                                                                                 \
	X(pool)                                                                                 \
	X(predict)                                                                              \
	X(pretrain)                                                                             \
	X(reinforce)                                                                             \
	X(replay)                                                                               \
	ROUTE_ROW(X)                                                                            \
	X(scenarios)                                                                            \
	X(search)                                                                               \
	X(simulate)                                                                             \
	X(supervise)                                                                            \
	X(train)                                                                                \
	X(tune)

#define COMMAND_EXTERN(name) extern const struct command command_##name;
COMMAND_TABLE(COMMAND_EXTERN)
#undef COMMAND_EXTERN

const struct command *const commands[] = {
#define COMMAND_ROW(name) &command_##name,
	COMMAND_TABLE(COMMAND_ROW)
#undef COMMAND_ROW
	NULL,
};

static volatile sig_atomic_t interrupted, ends_at_once, shows_progress;

static const char clear_line[] = "\r\x1b[K";

/* timeout(1) signals its command and then the command's group. */
#define SAME_SIGNAL_S 0.2

/* As an error does, by what a handler may call. */
static void end_here(void)
{
	static const char line[] = "aqmllm: interrupted\n";

	file_replace_discard_all();
	if (shows_progress && write(STDERR_FILENO, clear_line, sizeof(clear_line) - 1) < 0)
		_exit(1);
	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(1);
	_exit(error_exit_status(ERR_INTERRUPTED));
}

/* The first signal asks, or ends the process as an error does; the second one as usual. */
static void on_signal(int number)
{
	static double first_s;

	if (!interrupted && ends_at_once)
		end_here();
	if (!interrupted) {
		first_s = clock_s();
		interrupted = 1;
		return;
	}
	if (clock_s() < first_s + SAME_SIGNAL_S)
		return;
	file_replace_discard_all();
	signal(number, SIG_DFL);
	raise(number);
}

bool command_interrupted(void)
{
	return interrupted;
}

void command_end_at_once(void)
{
	ends_at_once = 1;
	if (interrupted) /* before it could say so */
		end_here();
}

int command_goes_on(int code, struct error *error, const char *how)
{
	char text[sizeof(error->text)];

	if (code != ERR_INTERRUPTED || getenv(COMMAND_STAGE_VARIABLE))
		return code;
	snprintf(text, sizeof(text), "%s", error->text[0] ? error->text : error_text(code));
	snprintf(error->text, sizeof(error->text), "%.300s; %s", text, how);
	return code;
}

void command_progress(const struct command_common *common, const char *text, bool last)
{
	if (common->quiet || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%s\x1b[K%s", text, last ? "\n" : "");
	fflush(stderr);
	shows_progress = !last;
}

static int run_completion(const struct command_common *common, const char **operands, size_t count,
			  struct error *error)
{
	(void)common;
	if (count != 1 || strcmp(operands[0], "bash") != 0)
		return error_set(error, ERR_INVALID, "name the shell: aqmllm completion bash");
	help_completion(stdout);
	return 0;
}

static int run_manual(const struct command_common *common, const char **operands, size_t count,
		      struct error *error)
{
	(void)common;
	if (count > 0)
		return error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"manual takes no operands");
	help_manual(stdout);
	return 0;
}

static const struct option no_options[] = {{0}};

const struct command command_completion = {
	.name = "completion",
	.operands = "bash",
	.summary = "print tab completion for a shell: source <(aqmllm completion bash)",
	.options = no_options,
	.run = run_completion,
};

const struct command command_manual = {
	.name = "manual",
	.operands = "",
	.summary = "print the manual page: aqmllm manual | man -l -",
	.options = no_options,
	.run = run_manual,
};

static const char *command_name(const void *table, size_t index)
{
	const struct command *const *list = table;

	return list[index] ? list[index]->name : NULL;
}

static const struct command *find_command(const char *name, struct error *error)
{
	const char *nearest;

	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	nearest = options_nearest(name, command_name, commands);
	if (aqm_find(name))
		error_at(error, ERR_INVALID, NULL, 0, name,
			 "is a queue law, no command; aqmllm aqms %s tells of it", name);
	else if (nearest)
		error_at(error, ERR_INVALID, NULL, 0, name, "no such command; did you mean %s?",
			 nearest);
	else
		error_at(error, ERR_INVALID, NULL, 0, name,
			 "no such command; aqmllm --help lists them");
	return NULL;
}

/* The command's options and everybody's, as one table. */
static const struct option *join_options(const struct command *command,
					 struct command_common *common)
{
	const struct option *shared = help_common_options(common);
	size_t own = 0, more = 0;
	struct option *all;

	while (command->options[own].name)
		own++;
	while (shared[more].name)
		more++;
	all = calloc(own + more + 1, sizeof(*all));
	if (all) {
		memcpy(all, command->options, own * sizeof(*all));
		memcpy(all + own, shared, more * sizeof(*all));
	}
	return all;
}

static int run_command(const struct command *command, int argc, char **argv, struct error *error)
{
	struct command_common common = {0};
	const struct option *options = join_options(command, &common);
	const char **operands = calloc((size_t)argc, sizeof(*operands));
	size_t count;
	int code = ERR_NO_MEMORY;

	if (options && operands)
		code = options_parse(options, argc, argv, operands, &count, error);
	if (code == 0 && common.help)
		help_command(stdout, command);
	else if (code == 0)
		code = command->run(&common, operands, count, error);
	free((void *)options);
	free(operands);
	return code;
}

static int report(const struct error *error, int code)
{
	struct error named = *error;
	char line[2048];

	if (named.code == 0)
		named.code = code;
	fprintf(stderr, "%saqmllm: %s\n", shows_progress ? clear_line : "",
		error_format(&named, line, sizeof(line)));
	return error_exit_status(code);
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* `help`, and `help COMMAND`, which is COMMAND --help. */
static int run_help(const char *name, struct error *error)
{
	const struct command *command;

	if (name == NULL || asks_for_help(name) || strcmp(name, "help") == 0) {
		help_program(stdout);
		return 0;
	}
	command = find_command(name, error);
	if (command == NULL)
		return error->code;
	help_command(stdout, command);
	return 0;
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct error error = {0};
	int code;

	if (argc < 2 || asks_for_help(argv[1])) {
		help_program(argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("aqmllm %s\n", AQMLLM_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "help") == 0) {
		code = run_help(argv[2], &error);
		return code ? report(&error, code) : 0;
	}
	interrupt_handle(SIGINT, on_signal);
	interrupt_handle(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	command = find_command(argv[1], &error);
	if (command == NULL)
		return report(&error, error.code);
	if (!command->heeds_interrupt)
		command_end_at_once();
	code = run_command(command, argc - 1, argv + 1, &error);
	if (code == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		code = error_errno(&error, "standard output", "cannot write");
	return code == 0 ? 0 : report(&error, code);
}
