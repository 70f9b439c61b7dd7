/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The tc plug-in of sch_aqmllm: tc loads q_aqmllm.so from TC_LIB_DIR (/usr/lib/tc).
 *
 * What it needs of tc is declared here, because Debian ships no headers of it; these have been the
 * same since iproute2 5.0.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/linux/uapi.h"

/* A qdisc's row in tc's list. */
struct qdisc_util {
	struct qdisc_util *next;
	const char *id;
	int (*parse_qopt)(struct qdisc_util *row, int count, char **words, struct nlmsghdr *message,
			  const char *device);
	int (*print_qopt)(struct qdisc_util *row, FILE *out, struct rtattr *options);
	int (*print_xstats)(struct qdisc_util *row, FILE *out, struct rtattr *stats);
	int (*parse_copt)(struct qdisc_util *row, int count, char **words,
			  struct nlmsghdr *message, const char *device);
	int (*print_copt)(struct qdisc_util *row, FILE *out, struct rtattr *options);
	int (*has_block)(struct qdisc_util *row, struct rtattr *options, bool *has);
};

enum output_type { PRINT_FP = 1, PRINT_JSON = 2, PRINT_ANY = 4 };
enum color_attr { COLOR_NONE = 6 };

int addattr_l(struct nlmsghdr *message, int room, int type, const void *data, int size);
struct rtattr *addattr_nest(struct nlmsghdr *message, int room, int type);
int addattr_nest_end(struct nlmsghdr *message, struct rtattr *nest);
int print_color_string(enum output_type type, enum color_attr color, const char *key,
		       const char *format, const char *value);
int print_color_u64(enum output_type type, enum color_attr color, const char *key,
		    const char *format, uint64_t value);
int print_color_float(enum output_type type, enum color_attr color, const char *key,
		      const char *format, double value);
void open_json_object(const char *key);
void close_json_object(void);

extern struct qdisc_util aqmllm_qdisc_util;

#define ROOM (60 * 1024) /* of tc's message */

enum kind { MS, GAIN, COUNT, SWITCH, WORD };

static const struct option {
	const char *name;
	enum kind kind;
	uint64_t least, most;
	const char *text;
} options[] = {
#define OPTION_ROW(attribute, name, kind, member, least, most, text)                               \
	{#name, kind, least, most, text},
	AQMLLM_OPTIONS(OPTION_ROW)
#undef OPTION_ROW
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const char *const laws[] = AQMLLM_LAWS;
static const char *const profiles[] = AQMLLM_PROFILES;
static const char *const schedulers[] = AQMLLM_SCHEDULERS;
static const char *const switches[] = {"0", "1"};

/* Stored units in one of the name's. */
static double unit_of(enum kind kind)
{
	return kind == MS ? 1e6 : kind == GAIN ? 65536 : 1;
}

static void explain(void)
{
	fprintf(stderr, "Usage: ... aqmllm [ dualpi2 | student ] [ profile linux|rfc9332 ]\n"
			"           [ model FILE.aqms|default ] [ split_gso 0|1 ] [ log 0|1 ] "
			"[ OPTION VALUE ]...\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		if (options[i].kind == WORD)
			fprintf(stderr, "  %-22s wrr|tsf         %s\n", options[i].name,
				options[i].text);
		else
			fprintf(stderr, "  %-22s %-6g to %-6g %s\n", options[i].name,
				(double)options[i].least / unit_of(options[i].kind),
				(double)options[i].most / unit_of(options[i].kind),
				options[i].text);
	}
}

static int put(struct nlmsghdr *message, int attribute, uint64_t value)
{
	return addattr_l(message, ROOM, attribute, &value, sizeof(value));
}

/* Index of a word, or -1. */
static int index_of(const char *word, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

static int put_word(struct nlmsghdr *message, int attribute, const char *name, const char *value,
		    const char *const words[2])
{
	const int index = index_of(value, words, 2);

	if (index >= 0)
		return put(message, attribute, (uint64_t)index);
	fprintf(stderr, "aqmllm: %s is %s or %s, not \"%s\"\n", name, words[0], words[1], value);
	return -1;
}

/* A number within its range; the kernel asks again. */
static int put_number(struct nlmsghdr *message, size_t index, const char *text)
{
	const struct option *option = &options[index];
	const double unit = unit_of(option->kind);
	char *end;
	const double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value * unit >= (double)option->least) ||
	    !(value * unit <= (double)option->most)) {
		fprintf(stderr, "aqmllm: %s is a number from %g to %g, not \"%s\"\n", option->name,
			(double)option->least / unit, (double)option->most / unit, text);
		return -1;
	}
	return put(message, AQMLLM_ATTR_FIRST_OPTION + (int)index, (uint64_t)(value * unit + 0.5));
}

/* The bytes of a file, for the kernel to read; nothing for the module's own model. */
static int put_model(struct nlmsghdr *message, const char *path)
{
	static char bytes[AQMLLM_MODEL_MAX + 1];
	FILE *file;
	size_t size;

	if (strcmp(path, "default") == 0)
		return addattr_l(message, ROOM, AQMLLM_ATTR_MODEL, NULL, 0);
	file = fopen(path, "rb");
	if (!file) {
		fprintf(stderr, "aqmllm: model %s: %s\n", path, strerror(errno));
		return -1;
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (size == 0 || size > AQMLLM_MODEL_MAX) {
		fprintf(stderr, "aqmllm: model %s: %s; a student (*.aqms) has at most %d bytes\n",
			path, size ? "too long" : "empty", AQMLLM_MODEL_MAX);
		return -1;
	}
	return addattr_l(message, ROOM, AQMLLM_ATTR_MODEL, bytes, (int)size);
}

static int put_option(struct nlmsghdr *message, const char *name, const char *value)
{
	if (strcmp(name, "law") == 0)
		return put_word(message, AQMLLM_ATTR_LAW, name, value, laws);
	if (strcmp(name, "profile") == 0)
		return put_word(message, AQMLLM_ATTR_PROFILE, name, value, profiles);
	if (strcmp(name, "split_gso") == 0)
		return put_word(message, AQMLLM_ATTR_SPLIT_GSO, name, value, switches);
	if (strcmp(name, "log") == 0)
		return put_word(message, AQMLLM_ATTR_LOG, name, value, switches);
	if (strcmp(name, "model") == 0)
		return put_model(message, value);
	for (size_t i = 0; i < OPTIONS; i++) {
		if (strcmp(options[i].name, name) != 0)
			continue;
		return options[i].kind == WORD
			       ? put_word(message, AQMLLM_ATTR_FIRST_OPTION + (int)i, name, value,
					  schedulers)
			       : put_number(message, i, value);
	}
	fprintf(stderr, "aqmllm: there is no option \"%s\"; tc qdisc add ... aqmllm help\n", name);
	return -1;
}

static int parse(struct qdisc_util *row, int count, char **words, struct nlmsghdr *message,
		 const char *device)
{
	struct rtattr *nest = addattr_nest(message, ROOM, TCA_OPTIONS | NLA_F_NESTED);

	(void)row;
	(void)device;
	for (int i = 0; i < count; i++) {
		const int law = index_of(words[i], laws, 2);

		if (strcmp(words[i], "help") == 0) {
			explain();
			return -1;
		}
		if (law >= 0) {
			put(message, AQMLLM_ATTR_LAW, (uint64_t)law);
			continue;
		}
		if (i + 1 == count) {
			fprintf(stderr, "aqmllm: \"%s\" needs a value\n", words[i]);
			return -1;
		}
		if (put_option(message, words[i], words[i + 1]))
			return -1;
		i++;
	}
	addattr_nest_end(message, nest);
	return 0;
}

static void print_count(const char *key, const char *format, uint64_t value)
{
	print_color_u64(PRINT_ANY, COLOR_NONE, key, format, value);
}

/* In units of `one`. */
static void print_number(const char *key, const char *format, uint64_t value, double one)
{
	print_color_float(PRINT_ANY, COLOR_NONE, key, format, (double)value / one);
}

static void print_word(const char *key, const char *format, uint64_t index,
		       const char *const words[2])
{
	print_color_string(PRINT_ANY, COLOR_NONE, key, format, words[index & 1]);
}

/* "name value", in the unit of the name. */
static void print_option(const struct option *option, uint64_t value)
{
	char format[64];

	if (option->kind == WORD) {
		snprintf(format, sizeof(format), "%s %%s ", option->name);
		print_word(option->name, format, value, schedulers);
	} else if (option->kind == COUNT || option->kind == SWITCH) {
		snprintf(format, sizeof(format), "%s %%llu ", option->name);
		print_count(option->name, format, value);
	} else {
		snprintf(format, sizeof(format), "%s %%.6g ", option->name);
		print_number(option->name, format, value, unit_of(option->kind));
	}
}

/* Attributes of 64 bits by their number; `known`: which are there. */
static void read_values(struct rtattr *nest, uint64_t values[AQMLLM_ATTR_COUNT],
			bool known[AQMLLM_ATTR_COUNT])
{
	int left = (int)RTA_PAYLOAD(nest);

	for (struct rtattr *at = RTA_DATA(nest); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		const int type = at->rta_type & NLA_TYPE_MASK;

		if (type >= AQMLLM_ATTR_COUNT || RTA_PAYLOAD(at) != sizeof(uint64_t))
			continue;
		memcpy(&values[type], RTA_DATA(at), sizeof(uint64_t));
		known[type] = true;
	}
}

static int print_options(struct qdisc_util *row, FILE *out, struct rtattr *nest)
{
	uint64_t values[AQMLLM_ATTR_COUNT] = {0};
	bool known[AQMLLM_ATTR_COUNT] = {false};

	(void)row;
	(void)out;
	if (!nest)
		return 0;
	read_values(nest, values, known);
	print_word("law", "%s ", values[AQMLLM_ATTR_LAW], laws);
	print_word("profile", "profile %s ", values[AQMLLM_ATTR_PROFILE], profiles);
	for (size_t i = 0; i < OPTIONS; i++)
		if (known[AQMLLM_ATTR_FIRST_OPTION + i])
			print_option(&options[i], values[AQMLLM_ATTR_FIRST_OPTION + i]);
	print_count("split_gso", "split_gso %llu ", values[AQMLLM_ATTR_SPLIT_GSO]);
	print_count("log", "log %llu ", values[AQMLLM_ATTR_LOG]);
	if (values[AQMLLM_ATTR_LAW] && values[AQMLLM_ATTR_CHECKSUM]) {
		char text[32];

		snprintf(text, sizeof(text), "%016llx",
			 (unsigned long long)values[AQMLLM_ATTR_CHECKSUM]);
		print_color_string(PRINT_ANY, COLOR_NONE, "model", "model %s ", text);
	} else if (values[AQMLLM_ATTR_LAW]) {
		print_color_string(PRINT_ANY, COLOR_NONE, "model", "model %s ", "default");
	}
	return 0;
}

static void print_queue(const char *name, const struct aqmllm_queue_stats *stats)
{
	open_json_object(name);
	print_color_string(PRINT_FP, COLOR_NONE, NULL, "\n  %s:", name);
	print_count("arrived_pkts", " arrived %llu pkts", stats->arrived_pkts);
	print_count("arrived_bytes", " %llu bytes", stats->arrived_bytes);
	print_count("left_pkts", ", left %llu pkts", stats->left_pkts);
	print_count("left_bytes", " %llu bytes", stats->left_bytes);
	print_count("marks", ", marks %llu", stats->marks);
	print_count("drops", " drops %llu", stats->drops);
	print_count("overflows", " (no room %llu)", stats->overflows);
	print_count("backlog_pkts", ", holds %llu pkts", stats->backlog_pkts);
	print_count("backlog_bytes", " %llu bytes", stats->backlog_bytes);
	print_number("delay_ms", " delay %.3f ms", stats->delay_ns, 1e6);
	close_json_object();
}

static void print_law(const struct aqmllm_stats *stats)
{
	print_number("p", "\n  p %.9f", stats->p_q32, 4294967296.0);
	print_number("p_c", " p_c %.9f", stats->p_c_q32, 4294967296.0);
	print_number("p_l", " p_l %.9f", stats->p_l_q32, 4294967296.0);
	print_count("updates", ", updates %llu", stats->updates);
	print_count("step_marks", " step marks %llu", stats->step_marks);
	print_count("overload_packets", " in overload %llu", stats->overload_packets);
	print_number("target_now_ms", "\n  in force: target_ms %.4g", stats->target_ns, 1e6);
	print_number("step_now_ms", " step_ms %.4g", stats->step_ns, 1e6);
	print_number("k_now", " k %.4g", stats->k_q16, 65536);
	print_number("alpha_now", " alpha %.4g", stats->alpha_q16, 65536);
	print_number("beta_now", " beta %.4g", stats->beta_q16, 65536);
	print_count("decisions", ", decisions %llu", stats->decisions);
	print_count("overridden", " overridden %llu", stats->overridden);
	print_count("guard_open", " guard open %llu", stats->guard_open);
	print_number("room", " room %.3f", stats->room_q16, 65536);
}

static int print_stats(struct qdisc_util *row, FILE *out, struct rtattr *attribute)
{
	struct aqmllm_stats stats;

	(void)row;
	(void)out;
	if (!attribute || RTA_PAYLOAD(attribute) < sizeof(stats))
		return 0;
	memcpy(&stats, RTA_DATA(attribute), sizeof(stats));
	print_queue("C", &stats.queue[0]);
	print_queue("L", &stats.queue[1]);
	print_law(&stats);
	return 0;
}

struct qdisc_util aqmllm_qdisc_util = {
	.id = "aqmllm",
	.parse_qopt = parse,
	.print_qopt = print_options,
	.print_xstats = print_stats,
};
