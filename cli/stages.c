/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/stages.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static void add_note(struct stages *stages, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add_note(struct stages *stages, const char *format, ...)
{
	const size_t used = strlen(stages->notes);
	const size_t room = sizeof(stages->notes) - used;
	va_list arguments;

	va_start(arguments, format);
	if ((size_t)vsnprintf(stages->notes + used, room, format, arguments) >= room)
		stages->overflowed = true;
	va_end(arguments);
}

int stages_init(struct stages *stages, const struct command_common *common, struct error *error)
{
	const ssize_t length =
		readlink("/proc/self/exe", stages->program, sizeof(stages->program) - 1);

	stages->common = common;
	if (length <= 0)
		return error_errno(error, "/proc/self/exe", "cannot read");
	stages->program[length] = '\0';
	return 0;
}

void stages_say_list(struct stages *stages, const char *const *words)
{
	for (; *words; words++) {
		if (stages->words == STAGES_WORDS_MAX || strlen(*words) >= sizeof(stages->word[0]))
			stages->overflowed = true;
		else
			strcpy(stages->word[stages->words++], *words);
	}
}

static void show_stage(struct stages *stages, const char *title)
{
	const size_t start = strlen(stages->notes);

	add_note(stages, "# %s\naqmllm", title);
	for (size_t i = 0; i < stages->words; i++)
		add_note(stages, strpbrk(stages->word[i], " '") ? " \"%s\"" : " %s",
			 stages->word[i]);
	add_note(stages, "\n");
	if (!stages->common->quiet && !stages->common->json)
		printf("\n%s", stages->notes + start);
	fflush(stdout);
}

static void become_stage(const struct stages *stages)
{
	char *arguments[STAGES_WORDS_MAX + 3] = {(char *)stages->program};
	size_t count = 1;

	for (size_t i = 0; i < stages->words; i++)
		arguments[count++] = (char *)stages->word[i];
	if (stages->common->quiet || stages->common->json)
		arguments[count++] = (char *)"--quiet";
	setenv(COMMAND_STAGE_VARIABLE, "1", 1);
	execv(stages->program, arguments);
	_exit(127);
}

int stages_run(struct stages *stages, const char *title, struct error *error)
{
	const double started_s = clock_s();
	struct rusage usage = {0};
	int status = 0;
	pid_t child;

	show_stage(stages, title);
	if (stages->overflowed)
		return error_set(error, ERR_RANGE,
				 "the command of the stage '%s' is too long; use shorter paths",
				 title);
	child = fork();
	if (child < 0)
		return error_errno(error, stages->program, "cannot start");
	if (child == 0)
		become_stage(stages);
	while (wait4(child, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return error_errno(error, stages->program, "cannot wait for");
	if (command_interrupted())
		return error_set(error, ERR_INTERRUPTED, "interrupted");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(error, ERR_FAILED, "the stage '%s' failed: aqmllm %s ...", title,
				 stages->word[0]);
	stages->seconds = clock_s() - started_s;
	stages->peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
	add_note(stages, "# took %.1f s\n\n", stages->seconds);
	stages->words = 0;
	return 0;
}

void stages_take_over(struct stages *stages, const char *title, double seconds, uint64_t peak_bytes)
{
	show_stage(stages, title);
	stages->seconds = seconds;
	stages->peak_bytes = peak_bytes;
	add_note(stages, "# had taken %.1f s\n\n", seconds);
	stages->words = 0;
}
