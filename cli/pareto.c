/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/figure.h"

#define PANELS_MAX 4
#define NAMED_MAX (FIGURE_MAX_SERIES - 1) /* points with a name of their own */

void pareto_front(bool *front, const double *x, const double *y, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		front[i] = !isnan(x[i]) && !isnan(y[i]);
		for (size_t j = 0; j < count && front[i]; j++)
			if (x[j] <= x[i] && y[j] <= y[i] && (x[j] < x[i] || y[j] < y[i]))
				front[i] = false;
	}
}

/* Width of the column that holds the names. */
static int name_width(const struct pareto_table *table)
{
	size_t width = strlen(table->what);

	for (size_t r = 0; r < table->row_count; r++)
		width = strlen(table->names[r]) > width ? strlen(table->names[r]) : width;
	return (int)width;
}

static int column_width(const struct pareto_table *table, size_t column)
{
	int width = (int)strlen(table->columns[column].heading);

	for (size_t r = 0; r < table->row_count; r++) {
		const double value = table->values[r * table->column_count + column];
		const int length =
			isnan(value) ? 1
				     : snprintf(NULL, 0, "%.*f", table->columns[column].digits,
						value);

		width = length > width ? length : width;
	}
	return width;
}

void pareto_print(FILE *out, const struct pareto_table *table)
{
	const int names = name_width(table);

	fprintf(out, "  %-*s", names, table->what);
	for (size_t c = 0; c < table->column_count; c++)
		fprintf(out, "  %*s", column_width(table, c), table->columns[c].heading);
	fputc('\n', out);
	for (size_t r = 0; r < table->row_count; r++) {
		fprintf(out, "%c %-*s", table->front[r] ? '*' : ' ', names, table->names[r]);
		for (size_t c = 0; c < table->column_count; c++) {
			const double value = table->values[r * table->column_count + c];

			if (isnan(value))
				fprintf(out, "  %*s", column_width(table, c), "-");
			else
				fprintf(out, "  %*.*f", column_width(table, c),
					table->columns[c].digits, value);
		}
		fputc('\n', out);
	}
}

int pareto_write(const char *path, const struct pareto_table *table, struct error *error)
{
	struct file_replace file;
	int code = file_replace_open(&file, path, error);

	if (code)
		return code;
	fprintf(file.stream, "%s,front", table->what);
	for (size_t c = 0; c < table->column_count; c++)
		fprintf(file.stream, ",%s", table->columns[c].name);
	fputc('\n', file.stream);
	for (size_t r = 0; r < table->row_count; r++) {
		fprintf(file.stream, "%s,%d", table->names[r], table->front[r]);
		for (size_t c = 0; c < table->column_count; c++) {
			const double value = table->values[r * table->column_count + c];

			if (isnan(value))
				fputc(',', file.stream);
			else
				fprintf(file.stream, ",%.9g", value);
		}
		fputc('\n', file.stream);
	}
	code = file_replace_commit(&file, error);
	if (code)
		file_replace_abort(&file);
	return code;
}

static const double *value_at(const struct pareto_table *table, size_t row, size_t column)
{
	return &table->values[row * table->column_count + column];
}

/* Rows by their x, those that are a front of these axes. */
struct joined {
	double *x, *y; /* room for all rows each, and as much behind */
	size_t count;
	bool *front;
};

static void join(struct joined *joined, const struct pareto_table *table,
		 const struct pareto_axes *axes)
{
	const size_t rows = table->row_count;
	double *all_x = joined->x + rows, *all_y = joined->y + rows;

	for (size_t r = 0; r < rows; r++) {
		all_x[r] = *value_at(table, r, axes->x);
		all_y[r] = *value_at(table, r, axes->y);
	}
	pareto_front(joined->front, all_x, all_y, rows);
	for (size_t r = 0; r < rows; r++) {
		const double x = all_x[r], y = all_y[r];
		size_t at = joined->count;

		if (!joined->front[r])
			continue;
		for (; at > 0 && joined->x[at - 1] > x; at--) {
			joined->x[at] = joined->x[at - 1];
			joined->y[at] = joined->y[at - 1];
		}
		joined->x[at] = x;
		joined->y[at] = y;
		joined->count++;
	}
}

static void panel_fill(struct figure *panel, const struct pareto_table *table,
		       const struct pareto_axes *axes, const struct joined *joined)
{
	*panel = (struct figure){.kind = FIGURE_LINES, .name = axes->name, .title = axes->title,
				 .x_label = axes->x_label, .y_label = axes->y_label,
				 .log_x = true, .points = true};
	panel->series[panel->series_count++] = (struct figure_series){
		.name = "front", .x = joined->x, .y = joined->y, .count = joined->count};
	for (size_t r = 0; r < table->row_count && r < NAMED_MAX; r++)
		panel->series[panel->series_count++] = (struct figure_series){
			.name = table->names[r], .x = value_at(table, r, axes->x),
			.y = value_at(table, r, axes->y), .count = 1};
}

int pareto_draw(const char *path, const char *title, const struct pareto_table *table,
		const struct pareto_axes *axes, size_t count, struct error *error)
{
	const size_t rows = table->row_count;
	double *memory = calloc(4 * PANELS_MAX * (rows + 1), sizeof(*memory));
	struct figure *panels = calloc(PANELS_MAX, sizeof(*panels));
	bool *front = calloc(rows + 1, sizeof(*front));
	int code = memory && panels && front ? 0 : error_set(error, ERR_NO_MEMORY, "a picture");

	for (size_t p = 0; p < count && p < PANELS_MAX && !code; p++) {
		struct joined joined = {.x = memory + 4 * p * (rows + 1), .front = front};

		joined.y = joined.x + 2 * (rows + 1);
		join(&joined, table, &axes[p]);
		panel_fill(&panels[p], table, &axes[p], &joined);
	}
	if (!code)
		code = figure_save(panels, count, title, path, error);
	free(memory);
	free(panels);
	free(front);
	return code;
}
