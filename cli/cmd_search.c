/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm search: which small designs imitate best for what they cost.
 *
 *     DIR/search.json   every design measured so far: its genes and figures
 *     DIR/designs/NNN   what was made of it: a policy directory, or a student
 *
 * What was measured is not measured again, so the same command goes on where
 * it was, and more generations add to fewer.
 */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/library.h"
#include "cli/pareto.h"
#include "cli/search_design.h"
#include "policy/reference.h"
#include "tensor/threads.h"

#define RECORD_FILE "search.json"

static struct {
	const char *output, *objective, *space, *scenario;
	double mutation, rate, held_out, duration_s;
	uint64_t population, generations, epochs, windows, batch, limit, timed, seed, threads;
	uint64_t interval, seeds;
} o = {
	.objective = "operations",
	.space = "policies",
	.mutation = 0.1,
	.rate = 3e-3,
	.held_out = 0.2,
	.population = 10,
	.generations = 4,
	.epochs = 1,
	.windows = 300,
	.batch = 8,
	.limit = 1500,
	.timed = 200,
	.seed = 1,
	.duration_s = 10,
	.interval = 10,
	.seeds = 2,
};

static const struct option search_options[] = {
	{"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder for designs and tables; required", 0,
	 0},
	{"space", 0, OPTION_TEXT, &o.space, "WHAT",
	 "policies (on a pool) or students (in a scenario); default policies", 0, 0},
	{"objective", 0, OPTION_TEXT, &o.objective, "WHAT",
	 "cost that selection goes by, beside held-out loss: operations (counted: the search is "
	 "the same everywhere) or ns (a decision, measured here); default operations", 0, 0},
	{"population", 0, OPTION_U64, &o.population, "N", "default 10", 2, 10000},
	{"generations", 0, OPTION_U64, &o.generations, "N", "after the first; default 4", 1, 10000},
	{"mutation", 0, OPTION_DOUBLE, &o.mutation, "P",
	 "chance of a gene to change, beside the one that does; default 0.1", 0, 1},
	{"epochs", 'e', OPTION_U64, &o.epochs, "N", "of training for a design; default 1", 1, 1000},
	{"windows-per-epoch", 0, OPTION_U64, &o.windows, "N", "default 300", 1, 1e9},
	{"batch", 0, OPTION_U64, &o.batch, "N", "windows of an optimizer step; default 8", 1, 4096},
	{"lr", 0, OPTION_DOUBLE, &o.rate, "R", "highest learning rate; default 3e-3", 0, 1},
	{"held-out", 0, OPTION_DOUBLE, &o.held_out, "F",
	 "share of rows at the end that is measured on and never trained on; default 0.2", 0.01,
	 0.95},
	{"limit", 0, OPTION_U64, &o.limit, "N",
	 "held-out rows scored, evenly spread; default 1500, 0: all", 0, 0},
	{"timed", 0, OPTION_U64, &o.timed, "N", "decisions timed; default 200", 32, 1e9},
	{"scenario", 0, OPTION_TEXT, &o.scenario, "NAME",
	 "closed loop that every design runs in, unguarded: a scenario or none; default paper, of "
	 "students the one that they learn in", 0, 0},
	{"duration-s", 0, OPTION_DOUBLE, &o.duration_s, "S",
	 "of the closed loop, warm-up included; default 10", 1, 1e6},
	{"interval", 0, OPTION_U64, &o.interval, "N",
	 "packets there between questions to a policy; default 10", 1, 1e9},
	{"seeds", 0, OPTION_U64, &o.seeds, "N", "runs of the closed loop; default 2", 1, 1000},
	{"threads", 0, OPTION_U64, &o.threads, "N", "default 0: every core", 0, 4096},
	{"seed", 0, OPTION_U64, &o.seed, "N", "of search and training; default 1", 0, 0},
	{0},
};

/* A search under way. */
struct searching {
	const struct command_common *common;
	struct sources sources;
	struct search_designs designs;
	json_t *root; /* search.json */
	enum search_figure cost;
	size_t asked, made;
	double started_s;
};

static bool on_stop(void *context)
{
	(void)context;
	return command_interrupted();
}

/* ---- what was measured before ---- */

static int record_path(char *path, struct error *error)
{
	return file_join(path, PATH_MAX, o.output, RECORD_FILE, error);
}

static int record_write(const struct searching *s, struct error *error)
{
	char path[PATH_MAX];
	char *text = json_dumps(s->root, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
	int status = text ? record_path(path, error)
			  : error_set(error, ERR_NO_MEMORY, "a record");

	if (!status)
		status = file_write_all(path, text, strlen(text), error);
	free(text);
	return status;
}

/* What the figures depend on; how the search goes does not change them. */
static int record_open(struct searching *s, uint64_t checksum, struct error *error)
{
	char path[PATH_MAX], run[512];
	uint64_t loop = 0;
	int status = file_make_folders(o.output, error);

	if (!status)
		status = record_path(path, error);
	if (!status && strcmp(o.scenario, "none") != 0)
		status = library_checksum(&loop, o.scenario, error);
	if (status)
		return status;
	snprintf(run, sizeof(run),
		 "%s %016" PRIx64 " epochs %" PRIu64 " windows %" PRIu64 " batch %" PRIu64
		 " lr %g held-out %g limit %" PRIu64 " timed %" PRIu64 " seed %" PRIu64
		 " loop %016" PRIx64 " %g interval %" PRIu64 " seeds %" PRIu64,
		 o.space, checksum, o.epochs, o.windows, o.batch, o.rate, o.held_out, o.limit,
		 o.timed, o.seed, loop, o.duration_s, o.interval, o.seeds);
	s->root = json_load_file(path, 0, NULL);
	if (!json_is_string(json_object_get(s->root, "run")) ||
	    strcmp(json_string_value(json_object_get(s->root, "run")), run) != 0 ||
	    !json_is_array(json_object_get(s->root, "designs"))) {
		json_decref(s->root);
		s->root = json_pack("{s:s, s:[]}", "run", run, "designs");
	}
	return s->root ? 0 : error_set(error, ERR_NO_MEMORY, "a record");
}

static json_t *genes_json(const struct searching *s, const struct search_design *design)
{
	json_t *list = json_array();

	for (int g = 0; g < s->designs.count; g++)
		json_array_append_new(list, json_integer(design->gene[g]));
	return list;
}

/* The row of a design; NULL: it was not measured yet. */
static json_t *row_find(const struct searching *s, const struct search_design *design)
{
	json_t *genes = genes_json(s, design), *row, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(s->root, "designs"), i, row)
		if (json_equal(json_object_get(row, "genes"), genes))
			found = row;
	json_decref(genes);
	return found;
}

static const char *figure_name(int figure)
{
	static const char *const names[SEARCH_FIGURES] = {
#define SEARCH_FIGURE_NAME(name, heading, digits) #name,
		SEARCH_FIGURE_TABLE(SEARCH_FIGURE_NAME)
#undef SEARCH_FIGURE_NAME
	};

	return names[figure];
}

static double figure_of(const json_t *row, int figure)
{
	const json_t *value = json_object_get(row, figure_name(figure));

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* ---- the search ---- */

static void show(struct searching *s)
{
	const size_t total = o.population * (o.generations + 1);
	char text[160], note[48];

	snprintf(note, sizeof(note), "%zu made", s->made);
	command_progress(s->common,
			 progress_text(text, sizeof(text), "search", s->asked, total,
				       clock_s() - s->started_s, note),
			 false);
}

/* Makes a design and remembers it. */
static int make(struct searching *s, const struct search_design *design, struct error *error)
{
	json_t *list = json_object_get(s->root, "designs"), *row;
	const size_t number = json_array_size(list);
	char folder[PATH_MAX], text[SEARCH_TEXT_BYTES];
	double figures[SEARCH_FIGURES];
	int status;

	if (snprintf(folder, sizeof(folder), "%s/designs/%03zu", o.output, number) >=
	    (int)sizeof(folder))
		return error_at(error, ERR_RANGE, o.output, 0, NULL, "name too long");
	status = s->designs.make(s->designs.context, design, folder, figures, error);
	if (status)
		return status;
	s->designs.describe(s->designs.context, design, text);
	row = json_pack("{s:I, s:s, s:o}", "design", (json_int_t)number, "is", text, "genes",
			genes_json(s, design));
	for (int f = 0; f < SEARCH_FIGURES; f++)
		json_object_set_new(row, figure_name(f), isfinite(figures[f])
								 ? json_real(figures[f])
								 : json_null());
	json_array_append_new(list, row);
	s->made++;
	return record_write(s, error);
}

static int measure(void *context, struct search_design *design, struct error *error)
{
	struct searching *s = context;
	const json_t *row = row_find(s, design);
	int status = 0;

	if (command_interrupted())
		return error_set(error, ERR_INTERRUPTED, "interrupted");
	show(s);
	if (!row)
		status = make(s, design, error);
	row = row_find(s, design);
	s->asked++;
	design->loss = figure_of(row, SEARCH_loss);
	design->cost = figure_of(row, s->cost);
	return status;
}

/* ---- what came of it ---- */

struct results {
	char (*names)[16];
	const char **name;
	const json_t **row;
	double *values;
	bool *front;
	struct pareto_table table;
};

static void results_free(struct results *r)
{
	free(r->names);
	free(r->name);
	free(r->row);
	free(r->values);
	free(r->front);
}

static const struct pareto_column columns[SEARCH_FIGURES] = {
#define SEARCH_FIGURE_COLUMN(name, heading, digits) {#name, heading, digits},
	SEARCH_FIGURE_TABLE(SEARCH_FIGURE_COLUMN)
#undef SEARCH_FIGURE_COLUMN
};

/* Every design of the search, or its front alone, cheapest first. */
static int collect(struct results *r, const struct searching *s,
		   const struct search_result *found, bool front_alone, struct error *error)
{
	size_t rows = 0;

	*r = (struct results){.names = calloc(found->count, sizeof(*r->names)),
			      .name = calloc(found->count, sizeof(*r->name)),
			      .row = calloc(found->count, sizeof(*r->row)),
			      .values = calloc(found->count, SEARCH_FIGURES * sizeof(double)),
			      .front = calloc(found->count, sizeof(*r->front))};
	if (!r->names || !r->name || !r->row || !r->values || !r->front)
		return error_set(error, ERR_NO_MEMORY, "tables");
	for (size_t i = 0; i < found->count; i++) {
		const json_t *row = row_find(s, &found->designs[i]);
		size_t at = rows;

		if (front_alone && !found->front[i])
			continue;
		for (; at > 0 && figure_of(r->row[at - 1], (int)s->cost) >
					 figure_of(row, (int)s->cost); at--) {
			r->row[at] = r->row[at - 1];
			r->front[at] = r->front[at - 1];
		}
		r->row[at] = row;
		r->front[at] = found->front[i];
		rows++;
	}
	for (size_t i = 0; i < rows; i++) {
		snprintf(r->names[i], sizeof(r->names[i]), "%03lld",
			 json_integer_value(json_object_get(r->row[i], "design")));
		r->name[i] = r->names[i];
		for (int f = 0; f < SEARCH_FIGURES; f++)
			r->values[i * SEARCH_FIGURES + (size_t)f] = figure_of(r->row[i], f);
	}
	r->table = (struct pareto_table){.what = "design", .columns = columns,
					 .column_count = SEARCH_FIGURES, .row_count = rows,
					 .names = r->name, .values = r->values,
					 .front = r->front};
	return 0;
}

static int write_tables(const struct results *all, const struct results *front,
			struct error *error)
{
	static const struct pareto_axes axes[] = {
		{SEARCH_operations, SEARCH_loss, "operations", "held-out loss by operations",
		 "operations of a decision", "loss, nats"},
		{SEARCH_decision_ns, SEARCH_loss, "time", "held-out loss by time", "decision, ns",
		 "loss, nats"},
	};
	char path[PATH_MAX];
	int status = file_join(path, sizeof(path), o.output, "designs.csv", error);

	if (!status)
		status = pareto_write(path, &all->table, error);
	if (!status)
		status = file_join(path, sizeof(path), o.output, "pareto.svg", error);
	if (!status)
		status = pareto_draw(path, "Designs that no other one beats", &front->table,
				     axes, 2, error);
	return status == ERR_UNSUPPORTED ? 0 : status;
}

static void print_json(const struct results *all)
{
	json_t *list = json_array();

	for (size_t i = 0; i < all->table.row_count; i++) {
		json_t *row = json_copy((json_t *)(uintptr_t)all->row[i]);

		json_object_set_new(row, "front", json_boolean(all->front[i]));
		json_array_append_new(list, row);
	}
	list = json_pack("{s:s, s:o}", "objective", o.objective, "designs", list);
	json_dumpf(list, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(list);
}

/* In percent of the first design's, what a design of the front has more of it. */
static double more(const json_t *row, const json_t *first, int figure)
{
	return 100 * (figure_of(row, figure) / figure_of(first, figure) - 1);
}

/* What was before and what is after: the front beside the design that the search begins with. */
static void print_beside(const struct searching *s, const struct results *front)
{
	const json_t *first = json_array_get(json_object_get(s->root, "designs"), 0);
	const bool students = strcmp(o.space, "students") == 0;

	printf("\nbeside design 000, %s:\n", json_string_value(json_object_get(first, "is")));
	for (size_t i = 0; i < front->table.row_count; i++) {
		const json_t *row = front->row[i];

		printf("%s  parameters %+.1f %%, bytes %+.1f %%, operations %+.1f %%, ns %+.1f %%; "
		       "loss %+.4f",
		       front->name[i], more(row, first, SEARCH_parameters),
		       more(row, first, SEARCH_bytes), more(row, first, SEARCH_operations),
		       more(row, first, SEARCH_decision_ns),
		       figure_of(row, SEARCH_loss) - figure_of(first, SEARCH_loss));
		if (!students)
			printf(", accuracy %+.2f points, balanced %+.2f",
			       100 * (figure_of(row, SEARCH_accuracy) -
				      figure_of(first, SEARCH_accuracy)),
			       100 * (figure_of(row, SEARCH_balanced_accuracy) -
				      figure_of(first, SEARCH_balanced_accuracy)));
		if (!isnan(figure_of(row, SEARCH_quality)))
			printf(", closed-loop quality %+.2f %%", more(row, first, SEARCH_quality));
		putchar('\n');
	}
	printf("the paper's estimates, of what it compresses: memory -75 %%, parameters -70 %% at "
	       "95 %% of performance\n");
}

static void print_text(const struct searching *s, const struct results *front)
{
	printf("%zu designs, %zu of them made now; the front of held-out loss and %s:\n\n",
	       s->asked, s->made, o.objective);
	pareto_print(stdout, &front->table);
	putchar('\n');
	for (size_t i = 0; i < front->table.row_count; i++)
		printf("%s  %s\n", front->name[i],
		       json_string_value(json_object_get(front->row[i], "is")));
	print_beside(s, front);
	printf("\n%s\n", o.output);
}

static int report(const struct searching *s, const struct search_result *found,
		  struct error *error)
{
	struct results all = {0}, front = {0};
	int status = collect(&all, s, found, false, error);

	if (!status)
		status = collect(&front, s, found, true, error);
	if (!status)
		status = write_tables(&all, &front, error);
	if (!status && s->common->json)
		print_json(&all);
	else if (!status && !s->common->quiet)
		print_text(s, &front);
	results_free(&all);
	results_free(&front);
	return status;
}

static int search_and_report(struct searching *s, struct error *error)
{
	const struct search_space space = {.genes = s->designs.genes, .count = s->designs.count,
					   .first = s->designs.first,
					   .first_count = s->designs.first_count,
					   .settle = s->designs.settle};
	const struct search_options options = {.population = o.population,
					       .generations = o.generations,
					       .mutation = o.mutation, .seed = o.seed};
	struct search_result found;
	int status;

	s->started_s = clock_s();
	status = search_run(&space, &options, measure, s, &found, error);
	command_progress(s->common, "", false);
	if (status)
		return status;
	status = report(s, &found, error);
	search_result_free(&found);
	return status;
}

static int search_cost(struct searching *s, struct error *error)
{
	s->cost = strcmp(o.objective, "ns") == 0 ? SEARCH_decision_ns : SEARCH_operations;
	if (s->cost == SEARCH_operations && strcmp(o.objective, "operations") != 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--objective",
				"%s is neither operations nor ns", o.objective);
	return 0;
}

/* The space, and what was measured in it before. */
static int open_space(struct searching *s, const struct search_training *training,
		      const char *const *operands, struct error *error)
{
	uint64_t checksum;
	int status;

	if (strcmp(o.space, "students") == 0) {
		status = search_students(&s->designs, training, operands[0], error);
		if (!status)
			status = library_checksum(&checksum, operands[0], error);
		return status ? status : record_open(s, checksum, error);
	}
	if (strcmp(o.space, "policies") != 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--space",
				"%s is neither policies nor students", o.space);
	status = sources_read(&s->sources, operands, 1, o.held_out, error);
	if (!status)
		status = search_policies(&s->designs, training, error);
	if (!status)
		status = reference_file_checksum(&checksum, operands[0], error);
	return status ? status : record_open(s, checksum, error);
}

/* The closed loop that designs are measured in, or none; the caller frees it. */
static int open_loop(struct scenario **loop, const char *operand, struct error *error)
{
	struct scenario *scenario;
	int status;

	if (!o.scenario)
		o.scenario = strcmp(o.space, "students") == 0 ? operand : "paper";
	if (strcmp(o.scenario, "none") == 0)
		return 0;
	scenario = calloc(1, sizeof(*scenario));
	status = scenario ? library_read_for(scenario, o.scenario, o.duration_s, error)
			  : error_set(error, ERR_NO_MEMORY, "a scenario");
	if (status) {
		free(scenario);
		return status;
	}
	*loop = scenario;
	return 0;
}

static int search(const struct command_common *common, const char **operands, size_t count,
		  struct error *error)
{
	struct searching s = {.common = common};
	struct search_training training = {
		.sources = &s.sources, .epochs = o.epochs, .windows = o.windows, .batch = o.batch,
		.seed = o.seed, .limit = o.limit, .timed = o.timed, .rate = o.rate,
		.interval = o.interval, .seeds = o.seeds, .stop = on_stop};
	struct scenario *loop = NULL;
	int status = search_cost(&s, error);

	if (!status && (count != 1 || !o.output))
		status = error_set(error, ERR_INVALID,
				   "name a pool, or a scenario for students, and a folder: aqmllm "
				   "search POOL -o DIR");
	if (o.threads)
		tensor_threads_set((int)o.threads);
	if (!status)
		status = open_loop(&loop, operands[0], error);
	training.loop = loop;
	if (!status)
		status = open_space(&s, &training, operands, error);
	if (!status)
		status = search_and_report(&s, error);
	if (s.designs.close)
		s.designs.close(s.designs.context);
	json_decref(s.root);
	sources_free(&s.sources);
	if (loop)
		scenario_free(loop);
	free(loop);
	return command_goes_on(status, error, "the same command goes on");
}

const struct command command_search = {
	.name = "search",
	.operands = "POOL | SCENARIO -o DIR",
	.summary = "evolve small policies: encoder and backbone, loss against cost",
	.details =
		"A design of a policy: gpt2 or llama, layers, width, heads, feed-forward, window, "
		"and for each feature how many channels look at one, three, five or seven steps, "
		"alone or side by side; the linear and the multiscale encoder are two of them and "
		"begin. With --space students: hidden layers, their widths, a recurrent cell or "
		"none, and which features are seen; students learn DualPI2's probabilities in a "
		"scenario, packet by packet, and their loss is what is above the law's entropy. "
		"Each design is trained from random weights on the same windows; its held-out loss "
		"and its cost are what NSGA-II selects by: fronts of non-domination, crowding, "
		"crossover and mutation. The front is told beside the first design, closed loop "
		"(without the guard) included.\n\n"
		"With --objective operations the search is a function of pool, options and seed; "
		"with ns it follows this machine's clock. Designs stay in DIR/designs as policies "
		"or students that simulate and evaluate take; designs.csv and pareto.svg hold the "
		"figures. Stopped with Ctrl-C, the same command goes on; more --generations add to "
		"fewer.",
	.options = search_options,
	.heeds_interrupt = true,
	.run = search,
};
