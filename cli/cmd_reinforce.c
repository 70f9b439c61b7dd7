/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm reinforce: a student learns in closed loop, by evolution strategies, or from recorded
 * pools (cli/reinforce_pool.h).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/reinforce_pool.h"
#include "cli/reinforce_record.h"
#include "cli/reward_help.h"
#include "cli/trial.h"
#include "cli/tuned_labels.h"
#include "learn/spread.h"
#include "learn/student_start.h"
#include "policy/student_file.h"
#include "sim/suite.h"

#define FINGERPRINT_BYTES 4096
#define SETTINGS_BYTES 1024

struct values {
	const char *from, *start, *tuned, *shape, *features, *mode, *reward, *reference, *output;
	struct option_list settings;
	double sigma, rate, decay, duration_s, warmup_s, most_mbps;
	uint64_t population, generations, networks, held_back, every, seed, threads;
	bool resume;
	struct reinforce_pool pool; /* but for what both ways of learning share */
};

static const char usual_shape[] = "16,16", usual_reference[] = "dualpi2:min_qlen_step=1";

#define DEFAULTS {										\
	.shape = usual_shape,									\
	.reference = usual_reference,								\
	.sigma = 0.05,										\
	.rate = 0.02,										\
	.duration_s = 20,									\
	.warmup_s = 5,										\
	.population = 32,									\
	.generations = 100,									\
	.networks = 16,										\
	.held_back = 16,									\
	.every = 5,										\
	.seed = 1,										\
	.pool = {										\
		.gamma = 0.999,									\
		.lambda = 0.99,									\
		.beta = 1,									\
		.most = 20,									\
		.rate = 3e-3,									\
		.held_out = 0.1,								\
		.updates = 3000,								\
		.batch = 16,									\
		.critic_updates = 3000,								\
		.critic_width = 32,								\
	},											\
}

static const struct values defaults = DEFAULTS;
static struct values o = DEFAULTS;

static const struct option reinforce_options[] = {
	{"from", 0, OPTION_TEXT, &o.from, "FILE.aqms",
	 "start from this student; default: a new one of --shape that does as DualPI2", 0, 0},
	{"shape", 0, OPTION_TEXT, &o.shape, "LAYERS",
	 "hidden layers of a new student: 16,16 dense and relu, tanh32, gru16,32 a cell first, "
	 "transformer16:8 a block first; default 16,16",
	 0, 0},
	{"features", 0, OPTION_TEXT, &o.features, "NAME,...",
	 "what a new student sees (aqmllm info lists them); default: all that its mode can, or "
	 "that the --pool tells",
	 0, 0},
	{"start", 0, OPTION_TEXT, &o.start, "HOW",
	 "what a new student of shares does at first: controller, the same bold shares always; "
	 "NAME=VALUE,... the same with other shares (target, step, k, gain, decay, regularity, "
	 "steepness), or "
	 "NAME/FEATURE=VALUE by what it sees; default: as DualPI2",
	 0, 0},
	{"mode", 0, OPTION_TEXT, &o.mode, "MODE",
	 "of a new student: share (of the room for settings), supervise (settings) or verdict; "
	 "default share, with --tuned supervise", 0, 0},
	{"tuned", 0, OPTION_TEXT, &o.tuned, "DIR",
	 "teach the first student, before the first generation, the settings that aqmllm tune "
	 "found in DIR for the same suite",
	 0, 0},
	{"reward", 0, OPTION_TEXT, &o.reward, "REWARD",
	 "what is learned: a name, NAME=WEIGHT,... or both, default balanced; of a --pool: paper, "
	 "released or qdelay (aqmllm pool), default as recorded",
	 0, 0},
	{"reference", 0, OPTION_TEXT, &o.reference, "LAW",
	 "whose run of the same network and seed rewards are relative to, LAW:NAME=VALUE:...; "
	 "default dualpi2:min_qlen_step=1",
	 0, 0},
	{"set", 's', OPTION_LIST, &o.settings, "NAME=VALUE",
	 "a setting of the student's law, such as guard=0; may be repeated", 0, 0},
	{"population", 0, OPTION_U64, &o.population, "N",
	 "candidates of a generation, in antithetic pairs; default 32", 2, 65536},
	{"sigma", 0, OPTION_DOUBLE, &o.sigma, "S",
	 "standard deviation of what candidates differ by; default 0.05", 1e-6, 10},
	{"rate", 0, OPTION_DOUBLE, &o.rate, "R",
	 "learning rate, about the size of a step of every parameter; default 0.02", 1e-9, 10},
	{"decay", 0, OPTION_DOUBLE, &o.decay, "D", "weight decay; default 0", 0, 10},
	{"generations", 'g', OPTION_U64, &o.generations, "G",
	 "in all, those before --resume included; default 100", 0, 1e7},
	{"networks", 'n', OPTION_U64, &o.networks, "N",
	 "of a generation, drawn from those to train on; default 16", 1, 10000},
	{"held-back", 0, OPTION_U64, &o.held_back, "N",
	 "the last networks of SUITE, which tell how far it has come and which student is best; "
	 "default 16",
	 0, 10000},
	{"every", 0, OPTION_U64, &o.every, "N",
	 "generations from look to look at them; default 5; make --generations a multiple",
	 1, 1e6},
	{"duration-s", 0, OPTION_DOUBLE, &o.duration_s, "S",
	 "of a run on a sampled network; default 20", 1, 100000},
	{"warmup-s", 0, OPTION_DOUBLE, &o.warmup_s, "S", "of it, not rewarded; default 5", 0,
	 100000},
	{"most-mbps", 0, OPTION_DOUBLE, &o.most_mbps, "R",
	 "sample no link with a higher rate: its runs cost less; default: as the suite has it", 0,
	 1000},
	{"seed", 0, OPTION_U64, &o.seed, "S", "default 1", 0, 0},
	{"jobs", 'j', OPTION_U64, &o.threads, "N",
	 "rollouts at a time; default 0: one a core; over ranks: one a rank", 0, 4096},
	{"resume", 0, OPTION_FLAG, &o.resume, NULL,
	 "go on with the run in DIR; give the same options, perhaps more generations", 0, 0},
	{"output", 'o', OPTION_TEXT, &o.output, "DIR", "folder of the run; required", 0, 0},
	{"pool", 0, OPTION_LIST, &o.pool.pools, "POOL[,POOL...]",
	 "learn from these records in place of a suite, by advantage-weighted regression; may be "
	 "repeated, and operands are further pools, at most 64; the options below are for this",
	 0, 0},
	{"gamma", 0, OPTION_DOUBLE, &o.pool.gamma, "G",
	 "discount a row of a pool; default 0.999, a thousand packets", 0, 0.999999},
	{"lambda", 0, OPTION_DOUBLE, &o.pool.lambda, "L",
	 "of the lambda-returns that advantages are made of: 1 what was recorded alone, 0 the "
	 "critic's word for all after the next row; default 0.99",
	 0, 1},
	{"beta", 0, OPTION_DOUBLE, &o.pool.beta, "B",
	 "standard deviations of advantage by which a row's weight grows e times; a large one, "
	 "1e9, is plain imitation; default 1",
	 1e-3, 1e12},
	{"weight-max", 0, OPTION_DOUBLE, &o.pool.most, "W",
	 "bound of a row's weight, where 1 is that of no advantage; default 20", 1, 1e9},
	{"updates", 0, OPTION_U64, &o.pool.updates, "N",
	 "optimizer steps of the student; default 3000", 1, 1e9},
	{"batch", 0, OPTION_U64, &o.pool.batch, "N",
	 "segments of 32 rows in a step, of the critic as many rows; default 16", 1, 4096},
	{"lr", 0, OPTION_DOUBLE, &o.pool.rate, "RATE",
	 "highest learning rate of student and critic; default 0.003", 1e-9, 1},
	{"critic-updates", 0, OPTION_U64, &o.pool.critic_updates, "N",
	 "optimizer steps of the critic; default 3000", 5, 1e9},
	{"critic-width", 0, OPTION_U64, &o.pool.critic_width, "N",
	 "units of its two hidden layers; default 32", 1, AQM_STUDENT_WIDTH},
	{"held-out", 0, OPTION_DOUBLE, &o.pool.held_out, "SHARE",
	 "of each pool's rows, the last ones, that are told of and not learned from; default 0.1",
	 0.001, 0.9},
	{0},
};

/* One run of the command. */
struct session {
	const struct command_common *common;
	const char *suite;
	struct trial networks; /* holds the scenarios */
	struct aqm_student_model shape;
	float *theta;	       /* the first student's; owned */
	struct reinforce_options options;
	struct reinforce reinforce;
	bool is_open;
	struct rollout_crew crew;
	struct reinforce_record record;
	char fingerprint[FINGERPRINT_BYTES];
	double started_s;
	uint64_t first_generation;
};

static bool was_stopped(void *context)
{
	(void)context;
	return command_interrupted();
}

static void show_rollouts(void *context, size_t done, size_t total)
{
	const struct session *session = context;
	const struct reinforce *reinforce = &session->reinforce;
	const uint64_t generation = reinforce->evolution.generation;
	const double past = (double)(generation - session->first_generation) +
			    (double)done / (double)total;
	const double ahead = (double)(o.generations - session->first_generation);
	char bar[120], text[200];

	progress_text(bar, sizeof(bar), "reinforce", (uint64_t)(past * 1000),
		      (uint64_t)(ahead * 1000), clock_s() - session->started_s, NULL);
	snprintf(text, sizeof(text), "%s generation %" PRIu64, bar, generation + 1);
	command_progress(session->common, text, false);
}

/* What is held out stays unseen, whoever names it; what happens in a run has to fit in it. */
static int check_networks(const struct trial *networks, struct error *error)
{
	for (size_t i = 0; i < networks->scenario_count; i++) {
		const struct scenario *scenario = &networks->scenarios[i];
		struct error cause = {0};

		if (suite_side_of(scenario) != SUITE_TRAIN)
			return error_at(error, ERR_INVALID, NULL, 0, scenario->name,
					"has a rate and delay that are held out of training; train "
					"on the suite `train`");
		if (scenario_check(scenario, &cause) != 0)
			return error_at(error, ERR_INVALID, NULL, 0, scenario->name,
					"cannot run for %g s of which %g are warm-up: %s: %s",
					scenario->duration_s, scenario->warmup_s, cause.field,
					cause.text);
	}
	return 0;
}

static int read_networks(struct session *session, struct error *error)
{
	struct trial *networks = &session->networks;
	int code = 0;

	if (o.warmup_s >= o.duration_s)
		return error_at(error, ERR_RANGE, NULL, 0, "--warmup-s",
				"%g s leave nothing of %g s to reward", o.warmup_s, o.duration_s);
	networks->sampling = (struct trial_sampling){o.duration_s, o.warmup_s, o.most_mbps};
	code = trial_read_suite(networks, session->suite, error);
	return code ? code : check_networks(networks, error);
}

/* --start: what is written over a new student's weights. */
static int start_student(const struct aqm_student_model *shape, float *theta, struct error *error)
{
	struct student_start start;
	int code = 0;

	if (o.from)
		return error_at(error, ERR_INVALID, NULL, 0, "--start",
				"a student --from a file starts as it is: leave out one of them");
	student_start_default(&start);
	if (strcmp(o.start, "controller") != 0)
		code = student_start_set(&start, o.start, error);
	return code ? code : student_start_write(&start, shape, theta, error);
}

/* The features of --features, ascending and each once; none: all there are. */
static int read_features(uint8_t chosen[AQM_STUDENT_INPUTS], int *count, struct error *error)
{
	bool named[AQM_STUDENT_FEATURE_COUNT] = {false};
	char text[2048], *rest = text, *name;

	*count = 0;
	snprintf(text, sizeof(text), "%s", o.features ? o.features : "");
	while (o.features && (name = strsep(&rest, ","))) {
		const int feature = student_feature_find(name);

		if (feature < 0)
			return error_at(error, ERR_INVALID, NULL, 0, "--features",
					"'%s' is no feature; aqmllm info lists them", name);
		named[feature] = true;
	}
	for (int i = 0; i < AQM_STUDENT_FEATURE_COUNT; i++)
		if (named[i])
			chosen[(*count)++] = (uint8_t)i;
	return 0;
}

/* A new student of --mode, --features and --shape. */
static int new_student(struct aqm_student_model *shape, struct error *error)
{
	const char *named = o.mode ? o.mode : o.tuned ? "supervise" : "share";
	const int mode = student_mode_find(named);
	uint8_t chosen[AQM_STUDENT_INPUTS];
	int count, code;

	if (mode < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--mode",
				"'%s' is neither share, supervise nor verdict", named);
	code = read_features(chosen, &count, error);
	return code ? code
		    : student_model_shape(shape, (enum aqm_student_mode)mode, o.shape, chosen,
					  count, error);
}

/* The first student: a file's, or a new one. */
static int read_student(struct session *session, struct error *error)
{
	struct aqm_student_model *shape = &session->shape;
	struct rng rng;
	int code;

	code = o.from ? student_file_read(shape, o.from, error) : new_student(shape, error);
	if (code)
		return code;
	if (shape->kind != AQM_STUDENT_net)
		return error_at(error, ERR_UNSUPPORTED, o.from, 0, "--from",
				"a tree has no parameters to move; name a net");
	session->theta = calloc(student_float_count(shape) + 1, sizeof(*session->theta));
	if (session->theta == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	rng_seed(&rng, o.seed);
	rng = rng_split(&rng, 0);
	if (o.from)
		student_float_from_model(shape, session->theta);
	else
		student_float_init(shape, session->theta, &rng);
	return o.start ? start_student(shape, session->theta, error) : 0;
}

/* A law as the user says it, LAW:NAME=VALUE:..., by way of `text`, which it stays in. */
static int read_law(struct rollout_law *law, char text[SETTINGS_BYTES], const char *said,
		    const char *option, struct error *error)
{
	struct trial_arm arm;
	int code;

	if (snprintf(text, SETTINGS_BYTES, "%s", said) >= SETTINGS_BYTES)
		return error_at(error, ERR_RANGE, NULL, 0, option, "at most %d characters",
				SETTINGS_BYTES - 1);
	code = trial_arm_law(&arm, text, option, error);
	*law = (struct rollout_law){arm.law, arm.settings};
	return code;
}

static int read_laws(struct session *session, struct error *error)
{
	static char reference[SETTINGS_BYTES], student[SETTINGS_BYTES];
	char said[SETTINGS_BYTES] = "student";
	size_t used = strlen(said);
	int code;

	for (size_t i = 0; i < o.settings.count && used < sizeof(said); i++)
		used += (size_t)snprintf(said + used, sizeof(said) - used, ":%s",
					 o.settings.items[i]);
	if (used >= sizeof(said))
		return error_at(error, ERR_RANGE, NULL, 0, "--set", "too many settings");
	code = read_law(&session->options.student, student, said, "--set", error);
	return code ? code
		    : read_law(&session->options.reference, reference, o.reference, "--reference",
			       error);
}

static int read_options(struct session *session, struct error *error)
{
	struct reinforce_options *options = &session->options;

	if (o.population % 2)
		return error_at(error, ERR_INVALID, NULL, 0, "--population",
				"candidates come in pairs; give an even number");
	options->evolution = (struct evolution_options){
		.seed = o.seed,
		.pairs = o.population / 2,
		.sigma = o.sigma,
		.rate = o.rate,
		.decay = o.decay,
		.beta1 = 0.9,
		.beta2 = 0.99,
	};
	options->seed = o.seed;
	options->networks = o.networks;
	options->held_back = o.held_back;
	return objective_parse(&options->objective, o.reward, error);
}

/* Which run it is: all that its bits depend on, but how long it goes on. */
static void say_which(struct session *session)
{
	const struct trial *networks = &session->networks;
	unsigned char value[DIGEST_BYTES];
	struct digest digest;
	char reward[512];
	size_t used;

	digest_init(&digest);
	for (size_t i = 0; i < networks->scenario_count; i++)
		digest_add(&digest, networks->scenarios[i].content,
			   sizeof(networks->scenarios[i].content));
	digest_add(&digest, &session->shape, sizeof(session->shape));
	digest_add(&digest, session->theta,
		   student_float_count(&session->shape) * sizeof(*session->theta));
	digest_end(&digest, value);
	objective_text(&session->options.objective, reward, sizeof(reward));
	used = (size_t)snprintf(session->fingerprint, FINGERPRINT_BYTES,
				"reinforce 1 reward %s reference %s population %" PRIu64
				" sigma %a rate %a decay %a networks %" PRIu64 " held-back %" PRIu64
				" every %" PRIu64 " seed %" PRIu64 " on ",
				reward, o.reference, o.population, o.sigma, o.rate, o.decay,
				o.networks, o.held_back, o.every, o.seed);
	for (int i = 0; i < DIGEST_BYTES; i++)
		used += (size_t)snprintf(session->fingerprint + used, FINGERPRINT_BYTES - used,
					 "%02x", value[i]);
	for (size_t i = 0; i < o.settings.count && used < FINGERPRINT_BYTES; i++)
		used += (size_t)snprintf(session->fingerprint + used, FINGERPRINT_BYTES - used,
					 " set %s", o.settings.items[i]);
}

/* What tuning found for the networks to train on. */
static int teach(struct session *session, struct error *error)
{
	const struct trial *networks = &session->networks;
	const size_t training = networks->scenario_count > o.held_back
					? networks->scenario_count - o.held_back
					: 0;
	struct tuned_label *labels;
	struct tuned_fit fit;
	size_t count;
	int code = tuned_labels_read(&labels, &count, o.tuned, networks->scenarios,
					 training, error);

	if (code)
		return code;
	command_progress(session->common, "reinforce: runs under tuned settings", false);
	code = tuned_fit(&session->shape, session->theta, labels, count,
			     &session->options.student, o.seed, &session->crew, &fit, error);
	command_progress(session->common, "", false);
	if (code == 0 && !session->common->json && !session->common->quiet &&
	    session->crew.ranks.rank == 0)
		printf("tuned: %zu networks, %zu rows; log2 of settings, rms: %.3f, %.3f of it "
		       "not learned\n",
		       count, fit.rows, fit.spread, fit.error);
	free(labels);
	return code;
}

static int prepare(struct session *session, struct error *error)
{
	int code = read_options(session, error);

	if (code == 0)
		code = read_laws(session, error);
	if (code == 0)
		code = read_student(session, error);
	if (code == 0)
		code = read_networks(session, error);
	if (code == 0 && o.tuned)
		code = teach(session, error);
	if (code)
		return code;
	say_which(session);
	session->record.suite = session->suite;
	session->record.reward = o.reward;
	session->record.folder = o.output;
	session->record.fingerprint = session->fingerprint;
	code = reinforce_open(&session->reinforce, &session->options, &session->shape,
			      session->theta, session->networks.scenarios,
			      session->networks.scenario_count, error);
	session->is_open = code == 0;
	return code;
}

/* Rank 0 writes; all hear how it went. */
static int keep(struct session *session, const struct reinforce_row *row, struct error *error)
{
	const struct spread spread = {.ranks = session->crew.ranks};
	int code = 0;

	if (spread.ranks.rank == 0)
		code = reinforce_record_add(&session->record, &session->reinforce, row, error);
	return spread_agree(&spread, code, error);
}

static struct reinforce_row empty_row(void)
{
	double values[sizeof(struct reinforce_row) / sizeof(double)];
	struct reinforce_row row;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		values[i] = NAN;
	memcpy(&row, values, sizeof(row));
	return row;
}

static void say_row(const struct session *session, const struct reinforce_row *row)
{
	if (session->common->quiet || session->common->json || session->crew.ranks.rank > 0)
		return;
	command_progress(session->common, "", false);
	printf("generation %4.0f", row->generation);
	if (isfinite(row->reward_mean))
		printf("  candidates %8.4f", row->reward_mean);
	if (isfinite(row->held_back))
		printf("  held back %8.4f (worst %8.4f)  L p99 x%.3f  Classic p99 x%.3f  "
		       "goodput x%.4f (worst x%.4f)",
		       row->held_back, row->held_back_worst, row->l_p99, row->c_p99, row->goodput,
		       row->goodput_worst);
	printf("\n");
	fflush(stdout);
}

/* One generation, and a look at the networks held back where it is time for one. */
static int advance(struct session *session, bool first, struct error *error)
{
	struct reinforce *reinforce = &session->reinforce;
	struct reinforce_row row = empty_row();
	int code = 0;

	row.generation = 0;
	if (!first)
		code = reinforce_generation(reinforce, &session->crew, &row, error);
	if (code == 0 && (first || reinforce->evolution.generation % o.every == 0))
		code = reinforce_validate(reinforce, &session->crew, &row, error);
	if (code == 0)
		code = keep(session, &row, error);
	if (code == 0)
		say_row(session, &row);
	return code;
}

static int train(struct session *session, struct error *error)
{
	struct reinforce *reinforce = &session->reinforce;
	const struct spread spread = {.ranks = session->crew.ranks};
	int code = 0;

	if (spread.ranks.rank == 0)
		code = reinforce_record_open(&session->record, o.resume, error);
	if (code == 0 && spread.ranks.rank == 0 && o.resume)
		code = reinforce_record_resume(&session->record, reinforce, error);
	code = spread_agree(&spread, code, error);
	if (code == 0 && o.resume)
		code = reinforce_share(reinforce, &spread.ranks, error);
	session->first_generation = reinforce->evolution.generation;
	if (code == 0 && !o.resume)
		code = advance(session, true, error);
	while (code == 0 && reinforce->evolution.generation < o.generations)
		code = advance(session, false, error);
	return code;
}

static const struct reinforce_row *first_look(const struct reinforce_record *record)
{
	return &record->rows[0];
}

static void tell(const struct session *session)
{
	const struct reinforce *reinforce = &session->reinforce;
	const double seconds = clock_s() - session->started_s;
	const double rollouts =
		(double)(reinforce->evolution.generation - session->first_generation) *
		(double)reinforce_rollouts(reinforce);

	if (session->common->json) {
		printf("{\"generations\": %" PRIu64 ", \"best_generation\": %" PRIu64
		       ", \"rollouts\": %.0f, \"seconds\": %.3f, \"parameters\": %zu",
		       reinforce->evolution.generation, reinforce->best_generation, rollouts,
		       seconds, reinforce->evolution.count);
		if (o.held_back)
			printf(", \"held_back_first\": %.9g, \"held_back_best\": %.9g",
			       first_look(&session->record)->held_back, reinforce->best_reward);
		printf(", \"student\": \"%s/student.aqms\"}\n", o.output);
	} else if (!session->common->quiet) {
		printf("%.0f rollouts in %.1f s; the student of generation %" PRIu64 " is kept\n"
		       "%s/student.aqms\n",
		       rollouts, seconds, reinforce->best_generation, o.output);
	}
}

static int run_session(struct session *session, struct error *error)
{
	const struct spread spread = {.ranks = session->crew.ranks};
	int code = spread_agree(&spread, prepare(session, error), error);

	if (code == 0)
		code = train(session, error);
	command_progress(session->common, "", false);
	if (session->crew.ranks.rank == 0 && session->record.count > 0) {
		struct error lesser = {0};
		const int drawn = reinforce_record_picture(&session->record, &lesser);

		if (code == 0 && drawn) {
			*error = lesser;
			code = drawn;
		}
	}
	if (code == 0 && session->crew.ranks.rank == 0)
		tell(session);
	return code;
}

/* Under mpirun rank 0 speaks for all, also of failures. */
static int learn_in_closed_loop(const struct command_common *common, const char *suite,
				struct error *error)
{
	struct session *session;
	bool leads;
	int code;

	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	session->common = common;
	session->suite = suite;
	session->started_s = clock_s();
	session->crew = (struct rollout_crew){
		.threads = (unsigned)o.threads,
		.context = session,
		.stop = was_stopped,
		.done = show_rollouts,
	};
	code = ranks_open(&session->crew.ranks, error);
	if (code == 0) {
		leads = session->crew.ranks.rank == 0;
		code = run_session(session, error);
		ranks_close(&session->crew.ranks);
		code = command_goes_on(leads ? code : 0, error,
				       session->record.count
					       ? "the same command with --resume goes on"
					       : "the same command begins again");
	}
	reinforce_record_free(&session->record);
	if (session->is_open)
		reinforce_free(&session->reinforce);
	trial_free(&session->networks);
	free(session->theta);
	free(session);
	return code;
}

/* An option that has another value than its default. */
static bool is_set(const struct option *option)
{
	static const size_t sizes[] = {
		[OPTION_FLAG] = sizeof(bool),
		[OPTION_TEXT] = sizeof(const char *),
		[OPTION_MAYBE] = sizeof(const char *),
		[OPTION_LIST] = sizeof(struct option_list),
		[OPTION_U64] = sizeof(uint64_t),
		[OPTION_DOUBLE] = sizeof(double),
	};
	const size_t at = (size_t)((const char *)option->value - (const char *)&o);

	return memcmp(option->value, (const char *)&defaults + at, sizes[option->kind]) != 0;
}

/* Options of the other way of learning would go unheeded. */
static int check_options(bool from_pools, struct error *error)
{
	static const void *const both[] = {&o.shape, &o.features, &o.reward, &o.seed, &o.output};
	char name[64];

	for (const struct option *option = reinforce_options; option->name; option++) {
		const char *value = option->value;
		const bool of_pools = value >= (const char *)&o.pool &&
				      value < (const char *)(&o.pool + 1);
		bool of_both = false;

		for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++)
			of_both = of_both || value == both[i];
		snprintf(name, sizeof(name), "--%s", option->name);
		if (!of_both && of_pools != from_pools && is_set(option))
			return error_at(error, ERR_INVALID, NULL, 0, name,
					from_pools ? "is for learning in closed loop: leave it or "
						     "--pool out"
						   : "is for learning from pools: name them with "
						     "--pool");
	}
	return 0;
}

static int learn_from_pools(const struct command_common *common, const char **operands,
			    size_t count, struct error *error)
{
	struct reinforce_pool said = o.pool;
	uint8_t features[AQM_STUDENT_INPUTS];
	const int code = read_features(features, &said.feature_count, error);

	said.shape = o.shape;
	said.features = features;
	said.reward = o.reward;
	said.output = o.output;
	said.seed = o.seed;
	return code ? code : reinforce_pool(common, &said, operands, count, error);
}

static int reinforce(const struct command_common *common, const char **operands, size_t count,
		     struct error *error)
{
	const bool from_pools = o.pool.pools.count > 0;
	int code;

	if (o.output == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, "--output", "name the folder: -o DIR");
	code = check_options(from_pools, error);
	if (code)
		return code;
	if (from_pools)
		return learn_from_pools(common, operands, count, error);
	if (count != 1)
		return error_set(error, ERR_INVALID, "name one suite: train, or train:N:SEED");
	if (o.reward == NULL)
		o.reward = "balanced";
	return learn_in_closed_loop(common, operands[0], error);
}

const struct command command_reinforce = {
	.name = "reinforce",
	.operands = "SUITE|--pool POOL... -o DIR",
	.summary = "let a student learn from rewards: in closed loop, or from recorded pools",
	.details =
		"In closed loop the method is evolution strategies over many networks. SUITE is "
		"the sampled suite train, with a number of networks and a seed (train:200:7), or "
		"scenarios whose rates and delays are not held out. In a generation every "
		"candidate, the student with all its parameters moved a little, runs on the same "
		"networks with the same seeds; its fitness is its mean reward beside the "
		"reference's runs there. Ranks of fitness weigh the moves, AdamW takes the step. "
		"Candidates run in integers, guard on, as the student will.\n\n"
		"The last networks of SUITE are held back: there the student itself runs before "
		"the first generation and after every few, and the best student of these looks "
		"is kept. DIR receives student.aqms (for simulate and evaluate --policy) "
		"with policy.json, progress.csv, figures/curve.svg, and after every generation "
		"checkpoint.safetensors, from which --resume goes on to the same bytes. Results "
		"are the same on any number of cores, and over ranks: mpirun -n N aqmllm "
		"reinforce.\n\n"
		"With --pool nothing runs: a student that gives verdicts learns from recorded "
		"pools by advantage-weighted regression. A critic learns what states are worth, "
		"from returns of the recorded rewards; then the student imitates what was done, "
		"each row weighted by exp(advantage / beta). It sees what student and pools both "
		"know, by default is_l, packet_length, qdelay_own, backlog_own, p_own and, of "
		"pools with total_drops, drops_own. Told of the rows held back: the mean return of "
		"what was recorded, the share of its variance that the critic explains, how many "
		"rows the weights leave in effect, how often marks and drops were chosen, and how "
		"often the student does as was done. Only evaluate says what it is worth in closed "
		"loop (docs/learned.md). DIR, which may not hold a run, receives student.aqms and "
		"policy.json; the same command gives the same bytes.\n\n" REWARD_HELP,
	.options = reinforce_options,
	.heeds_interrupt = true,
	.run = reinforce,
};
