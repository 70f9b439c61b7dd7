/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Words to bytes.
 */
#include "kernel/freebsd/request.h"

#include "kernel/freebsd/laws.h"

/* Dummynet walks from object to object by their lengths. */
_Static_assert(__builtin_offsetof(struct request, flow_set) ==
		       sizeof(struct dn_id) + sizeof(struct dn_extra_parms),
	       "the objects of a request follow each other");

struct parameter {
	const char *name;
	int64_t least, most;
};

#define ROW(name, initial, least, most, text) {#name, least, most},
static const struct parameter parameters_PI2[] = {LAWS_PI2(ROW){0}};
static const struct parameter parameters_PIE[] = {LAWS_PIE(ROW){0}};
static const struct parameter parameters_CODEL[] = {LAWS_CODEL(ROW){0}};
static const struct parameter parameters_RED[] = {LAWS_RED(ROW){0}};
#undef ROW

static const struct {
	const char *name;
	const struct parameter *parameters;
} laws[] = {
#define ROW(name, host_law) {#name, parameters_##host_law},
	LAWS(ROW)
#undef ROW
};

#define LAW_COUNT (sizeof(laws) / sizeof(laws[0]))

/* A number of digits only, at most 10^15, or -1. */
static int64_t number_of(const char *text)
{
	int64_t value = 0;

	if (*text == '\0')
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > 100000000000000)
			return -1;
		value = 10 * value + (*text - '0');
	}
	return value;
}

/* The value of "NAME=VALUE", where it has this name; NULL: it does not. */
static const char *value_of(const char *word, const char *name)
{
	const size_t length = strlen(name);

	return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

static const char *set_room(struct dn_fs *fs, const char *text, int bytes)
{
	const int64_t value = number_of(text);

	if (value < 1 || value > 100000000)
		return "room is from 1 to 100000000; dummynet has limits of its own";
	fs->qsize = (int)value;
	if (bytes)
		fs->flags |= DN_QSIZE_BYTES;
	else
		fs->flags &= ~(uint32_t)DN_QSIZE_BYTES;
	return NULL;
}

static const char *set_parameter(struct request *request, const struct parameter *parameters,
				 const char *word)
{
	const char *room = value_of(word, "slots"), *bytes = value_of(word, "bytes");

	if (room || bytes)
		return set_room(&request->flow_set, room ? room : bytes, bytes != NULL);
	for (int i = 0; parameters[i].name; i++) {
		const char *text = value_of(word, parameters[i].name);
		const int64_t value = text ? number_of(text) : 0;

		if (text && (value < parameters[i].least || value > parameters[i].most))
			return "out of its range, or no number";
		if (text) {
			request->parms.par[i] = value;
			return NULL;
		}
	}
	return "no such parameter: slots, bytes, or one of sysctl -d net.inet.ip.dummynet.LAW";
}

/* Whose queue: its flow set, and the scheduler of that. */
static const char *set_target(struct dn_fs *fs, int argc, const char *const *argv, int *used)
{
	const int64_t number = argc > 1 ? number_of(argv[1]) : -1;
	const int queue = argc > 0 && strcmp(argv[0], "queue") == 0;
	int64_t sched;

	if (!queue && (argc == 0 || strcmp(argv[0], "pipe") != 0))
		return "first comes queue or pipe, with its number";
	if (number < 1 || number >= DN_MAX_ID)
		return "a queue's or pipe's number is from 1 to 65535";
	if (!queue) {
		/* A pipe's queue hangs on the FIFO that dummynet keeps beside its scheduler. */
		fs->fs_nr = (uint32_t)number + 2 * DN_MAX_ID;
		fs->sched_nr = (uint32_t)number + DN_MAX_ID;
		*used = 2;
		return NULL;
	}
	sched = argc > 3 && strcmp(argv[2], "sched") == 0 ? number_of(argv[3]) : -1;
	if (sched < 1 || sched >= DN_MAX_ID)
		return "a queue needs its scheduler: queue N sched M";
	fs->fs_nr = (uint32_t)number;
	fs->sched_nr = (uint32_t)sched;
	*used = 4;
	return NULL;
}

static void start(struct request *request)
{
	memset(request, 0, sizeof(*request));
	request->command.len = sizeof(request->command);
	request->command.type = DN_CMD_CONFIG;
	request->command.id = DN_API_VERSION;
	request->parms.oid.len = sizeof(request->parms);
	request->parms.oid.type = DN_TEXT;
	request->parms.oid.subtype = DN_AQM_PARAMS;
	request->flow_set.oid.len = sizeof(request->flow_set);
	request->flow_set.oid.type = DN_FS;
	request->flow_set.flags = DN_IS_AQM;
	request->flow_set.qsize = 50;
	for (int i = 0; i < DN_MAX_EXTRA_PARM; i++)
		request->parms.par[i] = -1;
	for (int i = 0; i < 4; i++)
		request->flow_set.par[i] = -1;
}

const char *request_fill(struct request *request, int argc, const char *const *argv,
			 const char **where)
{
	const struct parameter *parameters = NULL;
	const char *wrong;
	int used = 0;

	*where = NULL;
	start(request);
	wrong = set_target(&request->flow_set, argc, argv, &used);
	if (wrong)
		return wrong;
	for (size_t i = 0; i < LAW_COUNT && used < argc; i++)
		if (strcmp(laws[i].name, argv[used]) == 0)
			parameters = laws[i].parameters;
	*where = used < argc ? argv[used] : NULL;
	if (parameters == NULL)
		return "then comes a law: pi2, pie_rfc, codel_rfc or red_floyd";
	memcpy(request->parms.name, argv[used], strlen(argv[used]) + 1);
	for (int i = used + 1; i < argc; i++) {
		*where = argv[i];
		wrong = set_parameter(request, parameters, argv[i]);
		if (wrong)
			return wrong;
	}
	return NULL;
}

void request_question(const struct request *request, struct dn_extra_parms *question)
{
	memset(question, 0, sizeof(*question));
	question->oid.len = sizeof(*question);
	question->oid.type = DN_CMD_GET;
	question->oid.subtype = DN_AQM_PARAMS;
	question->oid.id = DN_API_VERSION;
	question->nr = request->flow_set.fs_nr;
}

const char *request_check(const struct request *request, const struct dn_extra_parms *answer)
{
	int same = strncmp(answer->name, request->parms.name, sizeof(answer->name)) == 0;

	for (int i = 0; i < DN_MAX_EXTRA_PARM; i++)
		same = same && (request->parms.par[i] == -1 ||
				request->parms.par[i] == answer->par[i]);
	return same ? NULL
		    : "dummynet has not given the queue this law: is dn_aqm_laws loaded, do the "
		      "values go together, is the queue unused (delete it first) and its scheduler "
		      "or pipe without a mask?";
}
