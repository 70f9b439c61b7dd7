/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/adversary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"

#define GENTLE_FULL_S 0.06 /* p' is 1 at this delay of Classic's */
#define GENTLE_COUPLING 2

struct adversary;

struct kind {
	const char *name, *pattern;
	void (*decide)(struct adversary *self, uint64_t now_ns, double p[3]);
};

struct adversary {
	struct policy base;
	const struct kind *kind;
	struct adversary_pattern pattern;
	struct aqm_record seen;
	struct rng rng;
	double base_p; /* gentle: p', from the last Classic packet's delay */
	struct policy_cost cost;
};

static void decide_pattern(struct adversary *self, uint64_t now_ns, double p[3])
{
	const struct adversary_pattern *pattern = &self->pattern;
	const double delay_ms = (double)self->seen.current_queue_delay / 1e3;
	const double phase_ms = fmod((double)now_ns / 1e6, pattern->period_ms);
	const unsigned queue = self->seen.queue_type != 0;
	const bool on = phase_ms < pattern->on_ms && delay_ms >= pattern->low_ms &&
			delay_ms <= pattern->high_ms;

	p[on ? pattern->on[queue] : pattern->rest[queue]] = on ? pattern->share : 1;
	p[pattern->rest[queue]] += on ? 1 - pattern->share : 0;
}

static void decide_chance(struct adversary *self, uint64_t now_ns, double p[3])
{
	double sum = 0;

	(void)now_ns;
	for (int i = 0; i < 3; i++)
		sum += p[i] = rng_uniform(&self->rng) + 1e-9;
	for (int i = 0; i < 3; i++)
		p[i] /= sum;
}

static void decide_nothing(struct adversary *self, uint64_t now_ns, double p[3])
{
	(void)self, (void)now_ns;
	p[AQM_PASS] = p[AQM_DROP] = p[AQM_MARK] = NAN;
}

static void decide_gently(struct adversary *self, uint64_t now_ns, double p[3])
{
	const bool classic = self->seen.queue_type == 0;
	double signal;

	(void)now_ns;
	if (classic)
		self->base_p =
			fmin((double)self->seen.current_queue_delay / 1e6 / GENTLE_FULL_S, 1);
	signal = classic ? self->base_p * self->base_p : fmin(GENTLE_COUPLING * self->base_p, 1);
	p[AQM_MARK] = signal;
	p[AQM_PASS] = 1 - signal;
}

static const struct kind kinds[] = {
#define ADVERSARY_ROW(name, how, pattern, doc) {#name, pattern, decide_##how},
	ADVERSARY_TABLE(ADVERSARY_ROW)
#undef ADVERSARY_ROW
};

/* Of a pattern that somebody gives. */
static const struct kind given = {"pattern", "", decide_pattern};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int observe(struct policy *policy, const struct aqm_record *record, struct error *error)
{
	(void)error;
	((struct adversary *)policy)->seen = *record;
	return 0;
}

static int decide(struct policy *policy, uint64_t now_ns, double probability[3],
		  struct error *error)
{
	struct adversary *self = (struct adversary *)policy;
	const double started_s = clock_s();

	(void)error;
	memset(probability, 0, 3 * sizeof(*probability));
	self->kind->decide(self, now_ns, probability);
	self->cost.wall_ns += (uint64_t)((clock_s() - started_s) * 1e9);
	self->cost.decisions++;
	return 0;
}

static void acted(struct policy *policy, enum aqm_verdict verdict)
{
	(void)policy, (void)verdict;
}

static void reset(struct policy *policy)
{
	struct adversary *self = (struct adversary *)policy;

	rng_seed(&self->rng, 1);
	self->base_p = 0;
}

static void cost(const struct policy *policy, struct policy_cost *cost)
{
	*cost = ((const struct adversary *)policy)->cost;
}

static void destroy(struct policy *policy)
{
	free(policy);
}

static const struct policy_ops adversary_ops = {
	.name = "adversary",
	.observe = observe,
	.decide = decide,
	.acted = acted,
	.reset = reset,
	.cost = cost,
	.destroy = destroy,
};

static int make(struct policy **policy, const struct kind *kind,
		const struct adversary_pattern *pattern, struct error *error)
{
	struct adversary *self = calloc(1, sizeof(*self));

	if (self == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a policy");
	self->base.ops = &adversary_ops;
	self->kind = kind;
	self->pattern = *pattern;
	self->cost.memory_bytes = sizeof(*self);
	reset(&self->base);
	*policy = &self->base;
	return 0;
}

int adversary_new(struct policy **policy, const struct adversary_pattern *pattern,
		  struct error *error)
{
	return make(policy, &given, pattern, error);
}

static int bad_setting(const char *setting, size_t length, struct error *error)
{
	return error_at(error, ERR_INVALID, NULL, 0, "adversary",
			"%.*s: give period_ms, on_ms, low_ms, high_ms, share (a number from 0), c, "
			"l, rest_c or rest_l (pass, mark or drop)",
			(int)length, setting);
}

static bool set_number(struct adversary_pattern *pattern, const char *key, const char *value)
{
	const struct {
		const char *name;
		double *to, most;
	} numbers[] = {
		{"period_ms", &pattern->period_ms, 1e9}, {"on_ms", &pattern->on_ms, 1e9},
		{"low_ms", &pattern->low_ms, 1e9},	 {"high_ms", &pattern->high_ms, 1e9},
		{"share", &pattern->share, 1},
	};
	char *end;
	const double number = strtod(value, &end);

	if (end == value || *end || !(number >= 0))
		return false;
	for (size_t i = 0; i < COUNT(numbers); i++)
		if (strcmp(numbers[i].name, key) == 0 && number <= numbers[i].most) {
			*numbers[i].to = number;
			return true;
		}
	return false;
}

static bool set_verdict(struct adversary_pattern *pattern, const char *key, const char *value)
{
	static const char *const names[] = {"pass", "mark", "drop"};
	const struct {
		const char *name;
		enum aqm_verdict *to;
	} verdicts[] = {{"c", &pattern->on[AQM_QUEUE_C]},
			{"l", &pattern->on[AQM_QUEUE_L]},
			{"rest_c", &pattern->rest[AQM_QUEUE_C]},
			{"rest_l", &pattern->rest[AQM_QUEUE_L]}};

	for (size_t i = 0; i < COUNT(verdicts); i++)
		for (size_t v = 0; strcmp(verdicts[i].name, key) == 0 && v < COUNT(names); v++)
			if (strcmp(names[v], value) == 0) {
				*verdicts[i].to = (enum aqm_verdict)v;
				return true;
			}
	return false;
}

int adversary_parse(struct adversary_pattern *pattern, const char *text, struct error *error)
{
	*pattern = (struct adversary_pattern){
		.period_ms = 1000, .on_ms = 1e9, .high_ms = 1e9, .share = 1};
	for (const char *at = text; *at;) {
		const size_t length = strcspn(at, ":");
		char setting[64];
		char *value;

		if (length >= sizeof(setting))
			return bad_setting(at, length, error);
		memcpy(setting, at, length);
		setting[length] = '\0';
		value = strchr(setting, '=');
		if (value == NULL)
			return bad_setting(at, length, error);
		*value++ = '\0';
		if (!set_number(pattern, setting, value) && !set_verdict(pattern, setting, value))
			return bad_setting(at, length, error);
		at += length + (at[length] == ':');
	}
	return pattern->period_ms > 0 ? 0 : bad_setting("period_ms=0", 11, error);
}

int adversary_open(struct policy **policy, const char *name, struct error *error)
{
	const struct kind *kind = &given;
	struct adversary_pattern pattern;
	int code;

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			kind = &kinds[i];
	if (kind == &given && strchr(name, '=') == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, "adversary",
				"no adversary '%s'; docs/guard.md lists them", name);
	code = adversary_parse(&pattern, kind == &given ? name : kind->pattern, error);
	return code ? code : make(policy, kind, &pattern, error);
}
