/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm pool: logs into experience, pools from one format to another, and
 * what is in a pool.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/progress.h"
#include "cli/command.h"
#include "experience/collect.h"
#include "experience/kernel_log.h"
#include "learn/baselines.h"

static struct {
	const char *output, *convert, *info, *reward, *state;
	const char *law;
	struct option_list settings;
	uint64_t features;
	double gamma, gap_s;
} chosen = {
	.reward = "paper",
	.state = "before",
	.features = 7,
	.gamma = 0.95,
	.gap_s = 5,
};

static const struct option options[] = {
	{"output", 'o', OPTION_TEXT, &chosen.output, "POOL",
	 "pool to write: .jsonl, .safetensors or .csv", 0, 0},
	{"features", 0, OPTION_U64, &chosen.features, "N",
	 "7 features, or 8 with total_drops (default 7)", 7, 8},
	{"reward", 0, OPTION_TEXT, &chosen.reward, "NAME",
	 "paper: packet_length / (qdelay_ms + 1); released: a thousandth of it; qdelay: minus the "
	 "delay in ms (default paper)",
	 0, 0},
	{"gamma", 0, OPTION_DOUBLE, &chosen.gamma, "G",
	 "discount of returns, kept with the pool (default 0.95)", 0, 1},
	{"state", 0, OPTION_TEXT, &chosen.state, "WHEN",
	 "before the decision, reconstructed, or as-logged after it (default before)", 0, 0},
	{"gap-s", 0, OPTION_DOUBLE, &chosen.gap_s, "S",
	 "an episode ends where syslog time jumps by more (default 5)", 0, 1e9},
	{"law", 0, OPTION_TEXT, &chosen.law, "NAME",
	 "the law that wrote the log: adds its own probability of acting on each packet, which is "
	 "no feature, for predict to compare with; another name lists the laws that can tell "
	 "theirs",
	 0, 0},
	{"set", 0, OPTION_LIST, &chosen.settings, "K=V",
	 "parameter of that law; may be repeated", 0, 0},
	{"convert", 0, OPTION_TEXT, &chosen.convert, "POOL",
	 "convert this pool to the one named by -o", 0, 0},
	{"info", 0, OPTION_TEXT, &chosen.info, "POOL", "tell what is in this pool", 0, 0},
	{0},
};

/* One reading of logs. */
struct reading {
	const struct command_common *common;
	struct collector collector;
	const char *path;
	uint64_t total_bytes;
};

static int take_record(void *context, const struct aqm_record *record, int64_t syslog_s)
{
	return collector_add(&((struct reading *)context)->collector, record, syslog_s);
}

static int show_progress(void *context, uint64_t bytes)
{
	struct reading *reading = context;
	char text[512];

	command_progress(reading->common,
			 progress_text(text, sizeof(text), reading->path, bytes,
				       reading->total_bytes, 0, NULL),
			 bytes == reading->total_bytes);
	return 0;
}

static uint64_t file_bytes(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
}

static int choose_collection(struct collect_options *collection, struct error *error)
{
	const int reward = collect_reward_find(chosen.reward);

	collect_defaults(collection);
	if (reward < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--reward",
				"%s is not one of paper, released, qdelay", chosen.reward);
	if (strcmp(chosen.state, "before") != 0 && strcmp(chosen.state, "as-logged") != 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--state",
				"%s is not one of before, as-logged", chosen.state);
	collection->reward = (enum collect_reward)reward;
	collection->state =
		strcmp(chosen.state, "before") == 0 ? COLLECT_BEFORE : COLLECT_AS_LOGGED;
	collection->features = (int)chosen.features;
	collection->gamma = chosen.gamma;
	collection->gap_s = chosen.gap_s;
	return 0;
}

/* "l4s-freebsd, pie": the laws that can tell their probability from a log. */
static const char *telling_laws(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (const struct aqm_ops *const *law = aqm_all; *law && used < size; law++)
		if ((*law)->act_probability)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
						 (*law)->name);
	return text;
}

/* The law behind --law with its parameters, malloc'd, of which the collection keeps a pointer. */
static int choose_law(struct collect_options *collection, void **params, struct error *error)
{
	const struct aqm_ops *law = chosen.law ? aqm_find(chosen.law) : NULL;
	char telling[512];
	int code;

	*params = NULL;
	if (!chosen.law)
		return chosen.settings.count ? error_at(error, ERR_INVALID, NULL, 0, "--set",
							"needs --law, whose parameters it sets")
					     : 0;
	if (!law || !law->act_probability)
		return error_at(error, ERR_INVALID, NULL, 0, "--law",
				law ? "%s cannot tell its probability from a log; these can: %s"
				    : "%s is not a law; these can tell from a log: %s",
				chosen.law, telling_laws(telling, sizeof(telling)));
	*params = calloc(1, law->params_size);
	if (!*params)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = aqm_params_default(law, *params, error);
	for (size_t i = 0; code == 0 && i < chosen.settings.count; i++)
		code = aqm_params_set(law, *params, chosen.settings.items[i], error);
	if (code == 0 && law->check)
		code = law->check(*params, error);
	collection->law = law;
	collection->law_params = *params;
	return code;
}

/* Provenance: which logs, how many records of each.  Names only: a folder means nothing elsewhere.
 */
static void note_source(json_t *sources, const char *path, uint64_t records)
{
	const char *slash = strrchr(path, '/');

	json_array_append_new(sources, json_pack("{s:s,s:I,s:I}", "log", slash ? slash + 1 : path,
						 "bytes", (json_int_t)file_bytes(path), "records",
						 (json_int_t)records));
}

static int read_logs(struct reading *reading, struct kernel_log_parser *parser, const char **logs,
		     size_t count, struct error *error)
{
	json_t *sources = json_array();
	struct pool *pool = reading->collector.pool;
	char *text;
	int code = 0;

	for (size_t i = 0; code == 0 && i < count; i++) {
		const uint64_t before = parser->counts.records;

		reading->path = logs[i];
		reading->total_bytes = file_bytes(logs[i]);
		code = kernel_log_read(parser, logs[i], error);
		note_source(sources, logs[i], parser->counts.records - before);
	}
	if (code == 0)
		code = kernel_log_finish(parser, error);
	text = json_dumps(sources, JSON_COMPACT);
	json_decref(sources);
	if (text) {
		free(pool->meta.source);
		pool->meta.source = text;
	}
	if (code == ERR_NO_MEMORY)
		return error_set(error, code, "out of memory");
	return code;
}

static void print_counts(const struct command_common *common,
			 const struct kernel_log_counts *counts)
{
	if (common->json) {
		printf("{\"lines\":%" PRIu64 ",\"records\":%" PRIu64 ",\"damaged\":{",
		       counts->lines, counts->records);
		for (int i = 0; i < KERNEL_LOG_DAMAGES; i++)
			printf("%s\"%s\":%" PRIu64, i ? "," : "",
			       kernel_log_damage_name((enum kernel_log_damage)i),
			       counts->damaged[i]);
		printf("},\"first_damaged_line\":");
		if (counts->first_damaged_line)
			printf("%" PRIu64 "}\n", counts->first_damaged_line);
		else
			printf("null}\n");
		return;
	}
	if (common->quiet)
		return;
	printf("%s: %" PRIu64 " records of %" PRIu64 " lines\n", chosen.output, counts->records,
	       counts->lines);
	for (int i = 0; i < KERNEL_LOG_DAMAGES; i++)
		if (counts->damaged[i])
			printf("  damaged, %s: %" PRIu64 "\n",
			       kernel_log_damage_name((enum kernel_log_damage)i),
			       counts->damaged[i]);
	if (counts->first_damaged_line)
		printf("  first damaged line: %" PRIu64 "\n", counts->first_damaged_line);
	if (counts->short_records)
		fprintf(stderr,
			"aqmllm: warning: %" PRIu64
			" records have 23 fields; their packet_length is 0\n",
			counts->short_records);
}

static int collect(const struct command_common *common, const char **logs, size_t count,
		   struct error *error)
{
	struct collect_options collection;
	struct reading reading = {.common = common};
	struct kernel_log_parser parser;
	struct pool pool;
	void *law_params = NULL;
	int code = choose_collection(&collection, error);

	if (code == 0)
		code = choose_law(&collection, &law_params, error);
	if (code) {
		free(law_params);
		return code;
	}
	pool_init(&pool);
	collector_init(&reading.collector, &collection, &pool);
	kernel_log_parser_init(&parser, &(struct kernel_log_sink){&reading, take_record,
								  show_progress});
	code = read_logs(&reading, &parser, logs, count, error);
	collector_finish(&reading.collector);
	if (code == 0 && pool.rows == 0)
		code = error_at(error, ERR_INVALID, logs[0], 0, NULL,
				"holds no intact record (%" PRIu64
				" lines read); is it a router's log?",
				parser.counts.lines);
	if (code == 0)
		code = pool_write(&pool, chosen.output, error);
	if (code == 0)
		print_counts(common, &parser.counts);
	kernel_log_parser_free(&parser);
	pool_free(&pool);
	free(law_params);
	return code;
}

static int convert(struct error *error)
{
	struct pool pool;
	int code;

	pool_init(&pool);
	code = pool_read(&pool, chosen.convert, error);

	if (code)
		return code;
	code = pool_write(&pool, chosen.output, error);
	pool_free(&pool);
	return code;
}

/* What a person wants to know of a pool. */
struct portrait {
	uint64_t actions[POOL_ACTIONS];
	uint64_t episodes, l_rows;
	double reward_mean;
	double low[POOL_MAX_FEATURES], high[POOL_MAX_FEATURES];
};

static void look(const struct pool *pool, struct portrait *portrait)
{
	const int queue = pool_feature(pool, "queue_type");

	memset(portrait, 0, sizeof(*portrait));
	for (size_t row = 0; row < pool->rows; row++) {
		const double *state = pool->state + row * pool->features;

		portrait->actions[pool->action[row]]++;
		portrait->episodes += pool->done[row] || row + 1 == pool->rows;
		portrait->l_rows += queue >= 0 && state[queue] == 1;
		portrait->reward_mean += pool->reward[row] / (double)pool->rows;
		for (size_t i = 0; i < pool->features; i++) {
			if (row == 0 || state[i] < portrait->low[i])
				portrait->low[i] = state[i];
			if (row == 0 || state[i] > portrait->high[i])
				portrait->high[i] = state[i];
		}
	}
}

static json_t *portrait_json(const struct pool *pool, const struct portrait *portrait)
{
	json_t *features = json_array(), *baselines = json_object();

	for (size_t i = 0; i < pool->features; i++)
		json_array_append_new(features,
				      json_pack("{s:s,s:s,s:f,s:f}", "name", pool->columns[i].name,
						"unit", pool->columns[i].unit, "min",
						portrait->low[i], "max", portrait->high[i]));
	for (int i = 0; i < BASELINES; i++) {
		struct metrics metrics;

		struct metrics_summary summary;

		if (!baseline_score((enum baseline)i, pool, 0, pool->rows, NULL, &metrics))
			continue;
		summary = metrics_summarise(&metrics);
		json_object_set_new(baselines, baseline_name((enum baseline)i),
				    json_pack("{s:f,s:f,s:f}", "accuracy", summary.accuracy,
					      "balanced_accuracy", summary.balanced_accuracy,
					      "macro_f1", summary.macro_f1));
	}
	return json_pack("{s:I,s:I,s:{s:I,s:I,s:I},s:I,s:f,s:s,s:f,s:s,s:o,s:o}", "rows",
			 (json_int_t)pool->rows, "episodes", (json_int_t)portrait->episodes,
			 "actions", "enqueue", (json_int_t)portrait->actions[0], "drop",
			 (json_int_t)portrait->actions[1], "mark", (json_int_t)portrait->actions[2],
			 "l4s_rows", (json_int_t)portrait->l_rows, "mean_reward",
			 portrait->reward_mean, "reward", pool->meta.reward, "gamma",
			 pool->meta.gamma, "state", pool->meta.state, "features", features,
			 "baselines", baselines);
}

static void print_portrait(const struct pool *pool, const struct portrait *portrait)
{
	const double rows = pool->rows ? (double)pool->rows : 1;

	printf("%s: %zu rows in %" PRIu64 " episodes, reward %s (mean %.4g), gamma %g, state %s\n",
	       chosen.info, pool->rows, portrait->episodes, pool->meta.reward,
	       portrait->reward_mean, pool->meta.gamma, pool->meta.state);
	printf("actions: enqueue %.2f %%, drop %.2f %%, mark %.2f %%; L4S queue %.1f %%\n",
	       100 * (double)portrait->actions[0] / rows, 100 * (double)portrait->actions[1] / rows,
	       100 * (double)portrait->actions[2] / rows, 100 * (double)portrait->l_rows / rows);
	printf("%-26s %-8s %18s %18s\n", "column", "unit", "min", "max");
	for (size_t i = 0; i < pool->features; i++)
		printf("%-26s %-8s %18.10g %18.10g\n", pool->columns[i].name, pool->columns[i].unit,
		       portrait->low[i], portrait->high[i]);
	for (int i = 0; i < BASELINES; i++) {
		struct metrics metrics;

		struct metrics_summary summary;

		if (!baseline_score((enum baseline)i, pool, 0, pool->rows, NULL, &metrics))
			continue;
		summary = metrics_summarise(&metrics);
		printf("rule %-16s accuracy %.4f, balanced %.4f, macro F1 %.4f\n",
		       baseline_name((enum baseline)i), summary.accuracy,
		       summary.balanced_accuracy, summary.macro_f1);
	}
}

static int tell_info(const struct command_common *common, struct error *error)
{
	struct portrait portrait;
	struct pool pool;
	int code;

	pool_init(&pool);
	code = pool_read(&pool, chosen.info, error);

	if (code)
		return code;
	look(&pool, &portrait);
	if (common->json) {
		json_t *root = portrait_json(&pool, &portrait);

		json_dumpf(root, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
		putchar('\n');
		json_decref(root);
	} else {
		print_portrait(&pool, &portrait);
	}
	pool_free(&pool);
	return 0;
}

static int run(const struct command_common *common, const char **operands, size_t count,
	       struct error *error)
{
	if ((chosen.info || chosen.convert) && count > 0)
		return error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"--info and --convert take no logs");
	if (chosen.info)
		return tell_info(common, error);
	if (chosen.output == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, "--output",
				"is missing: name the pool to write with -o");
	if (chosen.convert)
		return convert(error);
	if (count == 0)
		return error_set(error, ERR_INVALID,
				 "name the logs to read, - for standard input; see aqmllm pool "
				 "--help");
	return collect(common, operands, count, error);
}

const struct command command_pool = {
	.name = "pool",
	.operands = "LOG... -o POOL | --convert POOL -o POOL | --info POOL",
	.summary = "turn router logs into experience, convert pools, tell what is in one",
	.details =
		"Logs may be plain, gzip or zstd, several rotated pieces (oldest first) or - for "
		"standard input. Damaged records are counted by kind and never cost an intact one. "
		"The suffix of a pool decides its format; conversion is lossless in every "
		"direction. With --state before the accumulated probability is what stood there "
		"when the decision was made; the logged one gives the decision away.",
	.options = options,
	.run = run,
};
