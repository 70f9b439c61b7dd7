/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Help is written once, in the tables; here it becomes text, troff and shell.
 */
#include "cli/help.h"

#include <string.h>

#include "aqm/ops.h"
#include "cli/terminal.h"

#define OPTION_COLUMN 26
#define UNBROKEN_WORD 24 /* characters that no line of a manual page is too short for */

static const char *const introduction =
	"aqmllm adapts a pre-trained language model to active queue management: it simulates "
	"or reads a router, turns its log into experience, adapts the model, and lets it "
	"decide packet by packet in closed loop against the classical laws.";

const struct option *help_common_options(struct command_common *common)
{
	static struct option options[4];

	options[0] = (struct option){"help", 'h', OPTION_FLAG, &common->help, NULL,
				     "print this help and exit", 0, 0};
	options[1] = (struct option){"json", 0, OPTION_FLAG, &common->json, NULL,
				     "print one JSON object instead of text", 0, 0};
	options[2] = (struct option){"quiet", 'q', OPTION_FLAG, &common->quiet, NULL,
				     "no progress, no remarks", 0, 0};
	return options;
}

/* Longer lines are hard to read. */
static int text_columns(void)
{
	const int columns = terminal_columns();

	return columns < 100 ? columns : 100;
}

/* Words of `text` from column `column`, later lines indented to `indent`. */
static void wrap(FILE *out, const char *text, int column, int indent)
{
	const int columns = text_columns();

	while (*text) {
		const int length = (int)strcspn(text, " \n");

		if (column > indent && column + 1 + length >= columns) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, (size_t)length, out);
		column += length;
		text += length;
		if (*text == '\n') {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		text += *text != '\0';
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const struct option *option)
{
	int column = 2;

	if (option->letter)
		column += fprintf(out, "  -%c, --%s", option->letter, option->name) - 2;
	else
		column += fprintf(out, "      --%s", option->name) - 2;
	if (option->argument)
		column += fprintf(out, option->kind == OPTION_MAYBE ? "[=%s]" : " %s",
				  option->argument);
	if (column + 2 > OPTION_COLUMN) {
		fputc('\n', out);
		column = 0;
	}
	fprintf(out, "%*s", OPTION_COLUMN - column, "");
	wrap(out, option->doc, OPTION_COLUMN, OPTION_COLUMN);
}

static void print_options(FILE *out, const struct option *options)
{
	for (const struct option *o = options; o && o->name; o++)
		print_option(out, o);
}

void help_program(FILE *out)
{
	fputs("Usage: aqmllm COMMAND [OPTION...] [OPERAND...]\n\n", out);
	wrap(out, introduction, 0, 0);
	fputs("\nCommands:\n", out);
	for (const struct command *const *c = commands; *c; c++) {
		fprintf(out, "  %-12s ", (*c)->name);
		wrap(out, (*c)->summary, 15, 15);
	}
	fputs("\naqmllm COMMAND --help, or help COMMAND, tells all about a command.\n"
	      "Exit status: 0 good, 1 failed, 2 bad input.\n",
	      out);
}

void help_command(FILE *out, const struct command *command)
{
	struct command_common common;

	fprintf(out, "Usage: aqmllm %s%s%s\n\n", command->name, *command->operands ? " " : "",
		command->operands);
	wrap(out, command->summary, 0, 0);
	if (command->details) {
		fputc('\n', out);
		wrap(out, command->details, 0, 0);
	}
	fputs("\nOptions:\n", out);
	print_options(out, command->options);
	print_options(out, help_common_options(&common));
}

/* Text with troff's special characters disarmed; long lists without blanks may break. */
static void troff(FILE *out, const char *text)
{
	bool line_start = true, word_start = true, breaks = false;

	for (; *text; text++) {
		if (word_start)
			breaks = strcspn(text, " \n") > UNBROKEN_WORD;
		if (line_start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
		if (breaks && strchr(",/|=", *text))
			fputs("\\:", out);
		line_start = *text == '\n';
		word_start = *text == '\n' || *text == ' ';
	}
}

static void troff_options(FILE *out, const struct option *options)
{
	for (const struct option *o = options; o && o->name; o++) {
		fputs(".TP\n.B ", out);
		if (o->letter)
			fprintf(out, "\\-%c, ", o->letter);
		fputs("\\-\\-", out);
		troff(out, o->name);
		if (o->argument) {
			fputs(o->kind == OPTION_MAYBE ? "[=" : " ", out);
			troff(out, o->argument);
			fputs(o->kind == OPTION_MAYBE ? "]" : "", out);
		}
		fputc('\n', out);
		troff(out, o->doc);
		fputc('\n', out);
	}
}

static void troff_param(FILE *out, const struct aqm_param *param)
{
	char range[80];

	if (param->choices)
		snprintf(range, sizeof(range), "%s", param->choices);
	else
		snprintf(range, sizeof(range), "%.10g..%.10g", param->min, param->max);
	fputs(".TP\n.B ", out);
	troff(out, param->name);
	fprintf(out, "\n%s; ", range);
	troff(out, "default ");
	troff(out, param->default_text);
	fputs(".\n", out);
	troff(out, param->doc);
	fputc('\n', out);
}

static void troff_laws(FILE *out)
{
	fputs(".SH QUEUE LAWS\nNames for \\-\\-aqm and scenarios, with the parameters that "
	      "\\-\\-set and a scenario's params take.\n",
	      out);
	for (const struct aqm_ops *const *law = aqm_all; *law; law++) {
		fputs(".SS ", out);
		troff(out, (*law)->name);
		fputc('\n', out);
		troff(out, (*law)->summary);
		fputc('\n', out);
		for (const struct aqm_param *p = (*law)->params; p->name; p++)
			troff_param(out, p);
	}
}

void help_manual(FILE *out)
{
	struct command_common common;

	fputs(".TH AQMLLM 1\n.ad l\n"
	      ".SH NAME\naqmllm \\- language models for active queue management\n"
	      ".SH SYNOPSIS\n.B aqmllm\n.I COMMAND\n[option...] [operand...]\n.SH DESCRIPTION\n",
	      out);
	troff(out, introduction);
	fputs("\n.SH COMMANDS\n", out);
	for (const struct command *const *c = commands; *c; c++) {
		fprintf(out, ".SS aqmllm %s ", (*c)->name);
		troff(out, (*c)->operands);
		fputc('\n', out);
		troff(out, (*c)->summary);
		fputc('\n', out);
		if ((*c)->details) {
			fputs(".PP\n", out);
			troff(out, (*c)->details);
			fputc('\n', out);
		}
		troff_options(out, (*c)->options);
	}
	fputs(".SH OPTIONS OF EVERY COMMAND\n", out);
	troff_options(out, help_common_options(&common));
	troff_laws(out);
	fputs(".SH EXIT STATUS\n0 good, 1 failed, 2 bad input.\n", out);
}

static void completion_options(FILE *out, const struct option *options)
{
	for (const struct option *o = options; o && o->name; o++)
		fprintf(out, " --%s", o->name);
}

void help_completion(FILE *out)
{
	struct command_common common;

	fputs("_aqmllm()\n{\n\tlocal word=${COMP_WORDS[COMP_CWORD]} words command=\n"
	      "\tcase $COMP_CWORD,${COMP_WORDS[1]} in 1,*|2,help) command=wanted ;; esac\n"
	      "\tif [ \"$command\" ]; then\n\t\twords=\"help",
	      out);
	for (const struct command *const *c = commands; *c; c++)
		fprintf(out, " %s", (*c)->name);
	fputs("\"\n\telse\n\t\tcase ${COMP_WORDS[1]} in\n", out);
	for (const struct command *const *c = commands; *c; c++) {
		fprintf(out, "\t\t%s) words=\"", (*c)->name);
		completion_options(out, (*c)->options);
		completion_options(out, help_common_options(&common));
		fputs("\" ;;\n", out);
	}
	fputs("\t\tesac\n\tfi\n\tcase $word in\n\t-*) ;;\n"
	      "\t*) [ \"$command\" ] || words= ;;\n\tesac\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
	      "complete -o default -F _aqmllm aqmllm\n",
	      out);
}
