/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm generate: the baseline that the paper measures its decision head
 * against, an unadapted language model that writes its answer token by token.
 *
 * Each row asked for becomes a prompt: the steps before it with the actions
 * taken and its own state, in words (learn/spoken.h), or in the tokens of
 * telemetry where the backbone comes with vocabulary.json.  The model reads the
 * prompt, then writes the likeliest token over and over until its text names
 * an action, ends, or is as long as allowed.  An answer that names none is
 * wrong, and counted.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/generate.h"
#include "backbone/tokenizer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/command.h"
#include "learn/spoken.h"
#include "learn/telemetry.h"
#include "policy/reference.h"
#include "report/statistics.h"
#include "tensor/threads.h"

#define ANSWER_BYTES 512
#define NO_ANSWER POOL_ACTIONS
#define POSITIONS_MOST 8192 /* of prompt and answer, where the model allows more */

static struct {
	const char *backbone, *output;
	double held_out;
	uint64_t steps, max_tokens, limit, threads;
} o = {.backbone = "builtin", .steps = 20, .max_tokens = 8, .limit = 100};

static const struct option generate_options[] = {
	{"backbone", 'b', OPTION_TEXT, &o.backbone, "DIR|FILE.gguf",
	 "Hugging Face folder, GGUF file, or builtin; default builtin", 0, 0},
	{"steps", 0, OPTION_U64, &o.steps, "N",
	 "steps in a prompt, the one to decide included, as far as the model's positions reach; "
	 "default 20", 1, 4096},
	{"max-tokens", 0, OPTION_U64, &o.max_tokens, "N", "of an answer; default 8", 1, 4096},
	{"held-out", 0, OPTION_DOUBLE, &o.held_out, "F",
	 "ask about this share of rows, at the end; default 0: all rows", 0, 0.95},
	{"limit", 0, OPTION_U64, &o.limit, "N",
	 "ask about N rows, evenly spread; default 100, 0: all", 0, 0},
	{"threads", 0, OPTION_U64, &o.threads, "N", "default 0: every core", 0, 4096},
	{"output", 'o', OPTION_TEXT, &o.output, "FILE.csv",
	 "also write row,action,answer,tokens,ms,text", 0, 0},
	{0},
};

struct asking {
	const struct command_common *common;
	struct pool pool;
	struct backbone *backbone;
	struct generator generator;
	struct tokenizer tokenizer;   /* of text */
	struct vocabulary vocabulary; /* tokens 0: text */
	struct telemetry telemetry;
	int32_t *prompt; /* max_tokens of the generator */
	int64_t room;    /* of a prompt */
	struct file_replace file; /* stream NULL: none */
	/* What came of it. */
	uint64_t confusion[POOL_ACTIONS][POOL_ACTIONS + 1]; /* [truth][answer or none] */
	uint64_t rows, prompt_tokens, answer_tokens;
	double *read_s, *write_s, *pass_s; /* of each row; (pool.rows) */
	/* The forward pass that a decision is compared with, once after each answer. */
	float *window, *hidden;
	int64_t window_tokens;
};

/* First row of the prompt for `row`: `steps` back, within the episode. */
static size_t prompt_first(const struct pool *pool, size_t row)
{
	size_t first = row;

	while (first > 0 && row - first + 1 < o.steps && !pool->done[first - 1])
		first--;
	return first;
}

/* In telemetry tokens; the returns, which tell of the future, are not told. */
static int64_t telemetry_prompt(struct asking *asking, size_t row)
{
	const struct telemetry *t = &asking->telemetry;
	const int64_t width = t->step_tokens;
	const size_t first = prompt_first(&asking->pool, row);
	int64_t steps = (int64_t)(row - first) + 1;

	if (steps > asking->room / width)
		steps = asking->room / width;
	for (int64_t s = 0; s < steps; s++) {
		int32_t *step = asking->prompt + s * width;

		memcpy(step, t->tokens + ((int64_t)row - steps + 1 + s) * width,
		       (size_t)width * sizeof(*step));
		step[0] = asking->vocabulary.return_unknown;
	}
	return steps * width - 1; /* the action to decide is left out */
}

/* Text: the question, then as many of the last steps as there is room for. */
static int64_t text_prompt(struct asking *asking, size_t row, struct error *error)
{
	const struct tokenizer *tokenizer = &asking->tokenizer;
	const size_t first = prompt_first(&asking->pool, row);
	const int64_t question = tokenizer_encode(tokenizer, spoken_question, true,
						  asking->prompt, asking->room);
	int64_t begin = asking->room, count = question;
	char line[SPOKEN_LINE_BYTES];

	/* Laid from the end backwards, then moved behind the question. */
	for (size_t step = row + 1; count >= 0 && step-- > first;) {
		spoken_step(line, sizeof(line), &asking->pool, step, step != row);
		count = tokenizer_encode(tokenizer, line, false, NULL, 0);
		if (count < 0 || count > begin - question)
			break;
		begin -= count;
		tokenizer_encode(tokenizer, line, false, asking->prompt + begin, count);
	}
	if (count < 0)
		return error_set(error, (int)count, "the tokeniser (%s) cannot spell a prompt",
				 tokenizer->source);
	if (begin == asking->room)
		return error_set(error, ERR_RANGE,
				 "a step and the question do not fit in %lld tokens, what the "
				 "model's positions leave; lower --max-tokens or use another "
				 "backbone", (long long)asking->room);
	memmove(asking->prompt + question, asking->prompt + begin,
		(size_t)(asking->room - begin) * sizeof(*asking->prompt));
	return question + asking->room - begin;
}

/* The answer so far, from the latest token; *text grows. */
static int answer_read(const struct asking *asking, int32_t token, char *text, size_t size)
{
	const struct vocabulary_field *action;

	if (!asking->vocabulary.tokens) {
		tokenizer_decode(&asking->tokenizer, token, text, size);
		return spoken_answer(text);
	}
	action = vocabulary_find(&asking->vocabulary, VOCABULARY_ACTION);
	snprintf(text, size, "token %d", (int)token);
	return token >= action->first && token < action->first + POOL_ACTIONS
		       ? token - action->first : -1;
}

/* True when nothing more can come: the model ended its text, or a line that is not empty. */
static bool answer_ended(const struct asking *asking, int32_t token, const char *text)
{
	const char *word = text + strspn(text, " \n");

	return (!asking->vocabulary.tokens && token == asking->tokenizer.end) ||
	       strchr(word, '\n') != NULL;
}

struct answer {
	int action; /* -1: none */
	uint64_t tokens;
	double read_s, write_s;
	char text[ANSWER_BYTES];
};

static int ask(struct asking *asking, size_t row, struct answer *answer, struct error *error)
{
	struct generator *generator = &asking->generator;
	const int64_t count = asking->vocabulary.tokens ? telemetry_prompt(asking, row)
							: text_prompt(asking, row, error);
	double start;
	int code;

	if (count < 0)
		return (int)count;
	*answer = (struct answer){.action = -1};
	generator_restart(generator);
	start = clock_s();
	code = generator_feed(generator, asking->prompt, count, error);
	answer->read_s = clock_s() - start;
	while (!code && answer->tokens < o.max_tokens) {
		const int32_t token = generator_best(generator);

		answer->tokens++;
		answer->action = answer_read(asking, token, answer->text, sizeof(answer->text));
		if (answer->action >= 0 || answer_ended(asking, token, answer->text) ||
		    answer->tokens == o.max_tokens)
			break;
		code = generator_feed(generator, &token, 1, error);
	}
	answer->write_s = clock_s() - start - answer->read_s;
	asking->prompt_tokens += (uint64_t)count;
	return code;
}

static void answer_note(struct asking *asking, size_t row, const struct answer *answer)
{
	const int truth = asking->pool.action[row];

	asking->confusion[truth][answer->action < 0 ? NO_ANSWER : answer->action]++;
	asking->read_s[asking->rows] = answer->read_s;
	asking->write_s[asking->rows++] = answer->write_s;
	asking->answer_tokens += answer->tokens;
	if (!asking->file.stream)
		return;
	fprintf(asking->file.stream, "%zu,%d,%d,%" PRIu64 ",%.3f,\"", row, truth, answer->action,
		answer->tokens, 1e3 * (answer->read_s + answer->write_s));
	for (const char *c = answer->text; *c; c++)
		fputc((unsigned char)*c < ' ' || *c == '"' ? ' ' : *c, asking->file.stream);
	fputs("\"\n", asking->file.stream);
}

/* The embeddings of a window, as a decision head needs them; their values do not matter. */
static int window_make(struct asking *asking, struct error *error)
{
	const struct backbone_shape *shape = backbone_shape(asking->backbone);
	const int64_t features = (int64_t)asking->pool.features -
				 (pool_feature(&asking->pool, POOL_LAW_COLUMN) >= 0);
	int64_t tokens = (int64_t)o.steps * (features + 2) - 1;
	size_t floats;
	struct rng rng;

	if (shape->max_positions && tokens > shape->max_positions)
		tokens = shape->max_positions;
	floats = (size_t)(tokens * shape->width);
	asking->window_tokens = tokens;
	asking->window = malloc(floats * sizeof(float));
	asking->hidden = malloc(floats * sizeof(float));
	if (!asking->window || !asking->hidden)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a window");
	rng_seed(&rng, 1);
	for (size_t i = 0; i < floats; i++)
		asking->window[i] = (float)rng_normal(&rng);
	return 0;
}

static int pass_measure(struct asking *asking, struct error *error)
{
	const double start = clock_s();
	const int code = backbone_forward(asking->backbone, &asking->generator.arena,
					  asking->window, 1, asking->window_tokens, asking->hidden,
					  NULL, NULL, error);

	asking->pass_s[asking->rows - 1] = clock_s() - start;
	return code;
}

static int rows_ask(struct asking *asking, size_t first, struct error *error)
{
	const size_t rows = asking->pool.rows - first;
	const size_t wanted = o.limit && o.limit < rows ? (size_t)o.limit : rows;
	int code = 0;

	for (size_t i = 0; i < wanted && !code; i++) {
		const size_t row = first + (size_t)((double)i * (double)rows / (double)wanted);
		struct answer answer;
		char text[128];

		if (command_interrupted())
			return error_set(error, ERR_INTERRUPTED, "interrupted");
		code = ask(asking, row, &answer, error);
		if (!code) {
			answer_note(asking, row, &answer);
			code = pass_measure(asking, error);
		}
		progress_text(text, sizeof(text), "generate", i + 1, wanted, 0, "");
		command_progress(asking->common, text, false);
	}
	command_progress(asking->common, "", false);
	return code;
}

struct figures {
	double accuracy, majority_rate, balanced_accuracy, answered;
	double prompt_tokens, tokens, read_ms, write_ms, ms, pass_ms, ratio;
};

/* Median, in milliseconds; sorts. */
static double median_ms(double *seconds, uint64_t count)
{
	return count ? 1e3 * statistics_box(seconds, count).median : 0;
}

static struct figures figures_of(const struct asking *asking)
{
	const double rows = asking->rows ? (double)asking->rows : 1;
	uint64_t hits = 0, most = 0, none = 0;
	struct figures f = {0};
	int classes = 0;

	for (int truth = 0; truth < POOL_ACTIONS; truth++) {
		uint64_t sum = 0;

		for (int answer = 0; answer <= NO_ANSWER; answer++)
			sum += asking->confusion[truth][answer];
		hits += asking->confusion[truth][truth];
		none += asking->confusion[truth][NO_ANSWER];
		most = sum > most ? sum : most;
		classes += sum > 0;
		if (sum)
			f.balanced_accuracy +=
				(double)asking->confusion[truth][truth] / (double)sum;
	}
	f.accuracy = (double)hits / rows;
	f.majority_rate = (double)most / rows;
	f.balanced_accuracy /= classes ? classes : 1;
	f.answered = 1 - (double)none / rows;
	f.prompt_tokens = (double)asking->prompt_tokens / rows;
	f.tokens = (double)asking->answer_tokens / rows;
	f.read_ms = median_ms(asking->read_s, asking->rows);
	f.write_ms = median_ms(asking->write_s, asking->rows);
	f.ms = f.read_ms + f.write_ms;
	f.pass_ms = median_ms(asking->pass_s, asking->rows);
	f.ratio = f.pass_ms > 0 ? f.ms / f.pass_ms : 0;
	return f;
}

static const char *prompt_source(const struct asking *asking)
{
	return asking->vocabulary.tokens ? "vocabulary.json (telemetry tokens)"
					 : asking->tokenizer.source;
}

static void print_json(const struct asking *asking)
{
	const struct figures f = figures_of(asking);
	json_t *confusion = json_array(), *root;

	for (int truth = 0; truth < POOL_ACTIONS; truth++) {
		json_t *row = json_array();

		for (int answer = 0; answer <= NO_ANSWER; answer++)
			json_array_append_new(
				row, json_integer((json_int_t)asking->confusion[truth][answer]));
		json_array_append_new(confusion, row);
	}
	root = json_pack("{s:I, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o}",
			 "rows", (json_int_t)asking->rows, "tokeniser", prompt_source(asking),
			 "accuracy", f.accuracy, "majority_rate", f.majority_rate,
			 "balanced_accuracy", f.balanced_accuracy, "answered", f.answered,
			 "prompt_tokens", f.prompt_tokens, "tokens_per_decision", f.tokens,
			 "ms_per_decision", f.ms, "read_ms", f.read_ms, "write_ms", f.write_ms,
			 "one_pass_ms", f.pass_ms, "ratio", f.ratio, "confusion", confusion);
	json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
}

static void print_text(const struct asking *asking)
{
	static const char *const names[] = {"enqueue", "drop", "mark"};
	const struct figures f = figures_of(asking);

	printf("%" PRIu64 " rows, majority rate %.4f; tokeniser: %s\n", asking->rows,
	       f.majority_rate, prompt_source(asking));
	printf("accuracy %.4f, balanced %.4f; an action is named in %.1f %% of answers (the rest "
	       "count as wrong)\n", f.accuracy, f.balanced_accuracy, 100 * f.answered);
	printf("prompt %.1f tokens, answer %.2f tokens\n", f.prompt_tokens, f.tokens);
	printf("%.3f ms a decision: %.3f reading the prompt, %.3f writing the answer\n", f.ms,
	       f.read_ms, f.write_ms);
	printf("%.3f ms one forward pass over a window of %" PRIu64 " steps, as a decision head "
	       "needs; ratio %.2f\n\n", f.pass_ms, o.steps, f.ratio);
	printf("%-18s %9s %9s %9s %9s\n", "", names[0], names[1], names[2], "none");
	for (int truth = 0; truth < POOL_ACTIONS; truth++)
		printf("  truth %-10s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n",
		       names[truth], asking->confusion[truth][0], asking->confusion[truth][1],
		       asking->confusion[truth][2], asking->confusion[truth][NO_ANSWER]);
}

/* Telemetry tokens where the backbone has them, else its tokeniser. */
static int prompt_open(struct asking *asking, const char *path, struct error *error)
{
	const int64_t tokens = backbone_shape(asking->backbone)->vocabulary;
	struct error missing = {0};
	int code = vocabulary_read(&asking->vocabulary, path, &missing);

	if (code == ERR_INVALID) {
		*error = missing;
		return code;
	}
	if (code) {
		asking->vocabulary.tokens = 0;
		return tokenizer_open(&asking->tokenizer, path, tokens, error);
	}
	if (asking->vocabulary.tokens > tokens)
		return error_at(error, ERR_INVALID, path, 0, VOCABULARY_FILE,
				"has more tokens than the model's %lld", (long long)tokens);
	return telemetry_spell(&asking->telemetry, &asking->vocabulary, &asking->pool, 0, error);
}

static int asking_open(struct asking *asking, const char *pool, struct error *error)
{
	const struct backbone_options options = {.lm_head = true};
	char path[4096];
	int64_t positions;
	int code = pool_read(&asking->pool, pool, error);

	if (!code)
		code = reference_resolve(path, sizeof(path), o.backbone, NULL, error);
	if (!code)
		code = backbone_open(&asking->backbone, path, &options, error);
	if (!code)
		code = prompt_open(asking, path, error);
	if (code)
		return code;
	positions = backbone_shape(asking->backbone)->max_positions;
	if (positions == 0 || positions > POSITIONS_MOST)
		positions = POSITIONS_MOST;
	asking->room = positions - (int64_t)o.max_tokens;
	if (asking->room < 2)
		return error_at(error, ERR_RANGE, NULL, 0, "--max-tokens",
				"leaves no room for a prompt in the model's %lld positions",
				(long long)positions);
	asking->prompt = calloc((size_t)asking->room, sizeof(*asking->prompt));
	asking->read_s = calloc(3 * asking->pool.rows + 1, sizeof(*asking->read_s));
	if (!asking->prompt || !asking->read_s)
		return error_set(error, ERR_NO_MEMORY, "out of memory for prompts");
	asking->write_s = asking->read_s + asking->pool.rows;
	asking->pass_s = asking->write_s + asking->pool.rows;
	code = window_make(asking, error);
	if (code)
		return code;
	return generator_new(&asking->generator, asking->backbone, positions, error);
}

static void asking_close(struct asking *asking)
{
	if (asking->generator.backbone)
		generator_free(&asking->generator);
	if (asking->tokenizer.texts)
		tokenizer_close(&asking->tokenizer);
	telemetry_free(&asking->telemetry);
	backbone_close(asking->backbone);
	free(asking->prompt);
	free(asking->read_s);
	free(asking->window);
	free(asking->hidden);
	pool_free(&asking->pool);
}

static int run_generate(const struct command_common *common, const char **operands, size_t count,
			struct error *error)
{
	struct asking asking = {.common = common};
	int code;

	if (count != 1)
		return error_set(error, ERR_INVALID,
				 "name a pool: aqmllm generate POOL --backbone DIR");
	pool_init(&asking.pool);
	if (o.threads)
		tensor_threads_set((int)o.threads);
	code = asking_open(&asking, operands[0], error);
	if (!code && o.output)
		code = file_replace_open(&asking.file, o.output, error);
	if (asking.file.stream)
		fputs("row,action,answer,tokens,ms,text\n", asking.file.stream);
	if (!code)
		code = rows_ask(&asking, o.held_out > 0 ? pool_split_row(&asking.pool, o.held_out)
							: 0, error);
	if (!code && asking.file.stream)
		code = file_replace_commit(&asking.file, error);
	if (code && asking.file.stream)
		file_replace_abort(&asking.file);
	if (!code && common->json)
		print_json(&asking);
	else if (!code && !common->quiet)
		print_text(&asking);
	asking_close(&asking);
	return code;
}

const struct command command_generate = {
	.name = "generate",
	.operands = "POOL",
	.summary = "score an unadapted language model that writes its answers token by token",
	.details =
		"The baseline of a decision head: each row becomes a prompt of its step and those "
		"before it, in words, or in telemetry tokens for the built-in backbone; the model "
		"writes the likeliest tokens until they name enqueue, drop or mark (or 0, 1, 2). "
		"Answers that name none count as wrong. Shown with it: tokens and milliseconds a "
		"decision (medians, the tokeniser left out), and the ratio to one forward pass "
		"over a window of as many steps, which is what a decision head needs on the same "
		"backbone; passes and decisions take turns.",
	.options = generate_options,
	.heeds_interrupt = true,
	.run = run_generate,
};
