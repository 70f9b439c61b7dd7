/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rounds.csv and quality.csv: what rounds came to, and how everybody did in closed
 * loop.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "base/file.h"
#include "learn/dagger_parts.h"

#define COUNT_OF(type) (sizeof(type) / sizeof(double))
#define ROUND_OWN (offsetof(struct dagger_round, agreement) / sizeof(double))
#define PLAIN(name) "," #name
#define OF_STUDENT(name) ",student_" #name

static void print_number(FILE *stream, double value)
{
	if (isnan(value))
		fputc(',', stream);
	else
		fprintf(stream, ",%.9g", value);
}

static void print_numbers(FILE *stream, const double *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_number(stream, values[i]);
}

static void print_header(const struct dagger *dagger, FILE *stream)
{
	static const char first[] = DAGGER_ROUND_TABLE(PLAIN);

	fprintf(stream, "%s%s%s\n", first + 1,
		dagger_supervises(dagger) ? SETTINGS_ERROR_TABLE(PLAIN) : AGREEMENT_TABLE(PLAIN),
		QUALITY_TABLE(OF_STUDENT) ",student_score");
}

static void print_rounds(const struct dagger *dagger, FILE *stream)
{
	print_header(dagger, stream);
	for (size_t r = 0; r < dagger->report->count; r++) {
		const struct dagger_round *round = &dagger->report->rounds[r];

		fprintf(stream, "%.0f", round->round);
		print_numbers(stream, &round->round + 1, ROUND_OWN - 1);
		if (dagger_supervises(dagger))
			print_numbers(stream, (const double *)&round->settings,
				      COUNT_OF(struct settings_error));
		else
			print_numbers(stream, (const double *)&round->agreement,
				      COUNT_OF(struct agreement));
		print_numbers(stream, (const double *)&round->quality, COUNT_OF(struct quality));
		print_numbers(stream, &round->score, 1);
		fputc('\n', stream);
	}
}

static void print_quality(const struct dagger *dagger, FILE *stream)
{
	static const char header[] = "arm,round,network" QUALITY_TABLE(PLAIN);
	const bool taught = dagger->options->teacher == DAGGER_TEACHER_policy;
	static const char *const arms[] = {"dualpi2", "teacher"};

	fprintf(stream, "%s\n", header);
	for (size_t arm = 0; arm < 2 + dagger->report->count; arm++)
		for (size_t n = 0; n < dagger_measured(dagger); n++) {
			if (arm == DAGGER_ARM_TEACHER && !taught)
				continue;
			fprintf(stream, "%s,%zu,%s", arm < 2 ? arms[arm] : "student",
				arm < 2 ? (size_t)0 : arm - 1,
				dagger_measured_network(dagger, n)->name);
			print_numbers(stream, (const double *)&dagger_quality_of(dagger, arm)[n],
				      COUNT_OF(struct quality));
			fputc('\n', stream);
		}
}

static int write_table(const struct dagger *dagger, const char *name,
		       void (*print)(const struct dagger *dagger, FILE *stream),
		       struct error *error)
{
	struct file_replace file;
	char path[4096];
	int status = dagger_path(dagger, path, sizeof(path), name, error);

	if (!status)
		status = file_replace_open(&file, path, error);
	if (status)
		return status;
	print(dagger, file.stream);
	return file_replace_commit(&file, error);
}

int dagger_write_tables(const struct dagger *dagger, struct error *error)
{
	const int status = write_table(dagger, "rounds.csv", print_rounds, error);

	return status ? status : write_table(dagger, "quality.csv", print_quality, error);
}
