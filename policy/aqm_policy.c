/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wraps a law: parameters, state and table of the inner one stand behind the
 * wrapper's, so every offset in its parameter table moves by the same amount.
 *
 * The wrapper's own state is not in the queue's vars but in struct aqm_policy,
 * to which the parameters point: counters outlive the queue, and one policy
 * serves one run at a time anyway.
 *
 * Bit 31 of a packet's cookie says that the policy decided it, bits 29 and 30
 * hold its verdict: a law that decides at departure is heard there, and its
 * signal stands where the guard does not let the policy omit it.  The inner law
 * keeps the bits below.
 */
#include "policy/aqm_policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/guard.h"
#include "base/units.h"
#include "policy/settings.h"

#define USUAL_TARGET_MS 15 /* of a law that names none */
#define SETTING_UNITS 1e6  /* settings are compared as multiples of a millionth */
#define VERDICT_SHIFT 29
#define INNER_COOKIE ((UINT32_C(1) << VERDICT_SHIFT) - 1)

/* What stands before the inner law's parameters. */
struct wrapper_params {
	_Alignas(16) struct aqm_policy *self;
};

struct aqm_policy {
	struct aqm_policy_config config;
	struct aqm_ops ops;
	struct aqm_param *table;       /* the inner law's, moved */
	struct wrapper_params *params; /* the inner law's follow */
	struct aqm_guard_params guard_params;
	struct aqm_guard_vars guard;
	struct aqm_policy_counts counts;
	struct error failure;
	int failed;
	bool waiting;                  /* a decision is being made */
	uint64_t ready_ns;             /* when it will be there */
	double probability[3];         /* of it */
	bool senseless;                /* they are no probabilities */
	int64_t decided_action;        /* of the last packet, for its record; 0: the law's */
	/* Of a supervising policy: */
	int rows;                      /* 0: it gives verdicts */
	unsigned char *row_params;     /* (rows) parameters of the inner law; owned */
	bool row_is_fewer[POLICY_SETTINGS_ROWS]; /* too few signals for the guard */
	int first_row, row;
};

static const char *const choice_names[] = {
#define CHOICE_NAME(name, text) #name,
	AQM_POLICY_CHOICE_TABLE(CHOICE_NAME)
#undef CHOICE_NAME
};

int aqm_policy_choice_find(const char *name)
{
	for (int i = 0; i < AQM_POLICY_CHOICES; i++)
		if (strcmp(choice_names[i], name) == 0)
			return i;
	return -1;
}

static struct aqm_policy *self_of(const void *params)
{
	return ((const struct wrapper_params *)params)->self;
}

/* Does the guard let the row's settings be in force? */
static bool row_stands(const struct aqm_policy *self)
{
	return !self->config.guarded ||
	       (aqm_guard_trusts(&self->guard) && !self->row_is_fewer[self->row]);
}

/* What the queue was given, or what a supervising policy put in its place. */
static const void *inner_params(const void *params)
{
	const struct aqm_policy *self = self_of(params);

	if (self->rows == 0 || !row_stands(self))
		return (const struct wrapper_params *)params + 1;
	return self->row_params + (size_t)self->row * self->config.law->params_size;
}

static const struct aqm_ops *inner_of(const void *params)
{
	return self_of(params)->config.law;
}

static void fail(struct aqm_policy *self, int code)
{
	self->failed = code;
	self->waiting = false;
}

static bool are_probabilities(const double p[3])
{
	const double sum = p[AQM_PASS] + p[AQM_DROP] + p[AQM_MARK];

	return p[AQM_PASS] >= 0 && p[AQM_DROP] >= 0 && p[AQM_MARK] >= 0 && fabs(sum - 1) < 1e-3;
}

/* The policy's word is there from `ready_ns` on. */
static void spoken(struct aqm_policy *self, uint64_t ready_ns)
{
	self->senseless = !are_probabilities(self->probability);
	self->ready_ns = ready_ns;
}

/* Shows the policy the state before the decision and lets it think. */
static void ask(struct aqm_policy *self, const void *params, const void *vars,
		const struct aqm_facts *facts)
{
	const struct policy_ops *ops = self->config.policy->ops;
	struct aqm_record record = {0};
	int code;

	aqm_record_host_fields(facts, &record);
	self->config.law->record(inner_params(params), vars, facts, false, &record);
	code = ops->observe(self->config.policy, &record, &self->failure);
	if (code == 0 && ops->ready == NULL)
		code = ops->decide(self->config.policy, facts->now_ns, self->probability,
				   &self->failure);
	if (code) {
		fail(self, code);
		return;
	}
	self->counts.decisions++;
	self->waiting = true;
	self->ready_ns = TIME_NEVER_NS;
	if (ops->ready == NULL)
		spoken(self, facts->now_ns + self->config.latency_ns);
}

/* Is a decision that is made elsewhere there? */
static void listen(struct aqm_policy *self, uint64_t now_ns)
{
	const struct policy_ops *ops = self->config.policy->ops;
	int said;

	if (!self->waiting || ops->ready == NULL)
		return;
	said = ops->ready(self->config.policy, self->probability, &self->failure);
	if (said < 0)
		fail(self, said);
	else if (said > 0)
		spoken(self, now_ns);
}

/* Counts an arrival and puts every interval-th packet to the policy. */
static void consider(struct aqm_policy *self, const void *params, const void *vars,
		     const struct aqm_facts *facts)
{
	if (self->counts.arrivals++ % self->config.interval != 0 || self->failed)
		return;
	if (self->waiting && self->ready_ns > facts->now_ns) {
		self->counts.late++;
		return;
	}
	if (!self->waiting)
		ask(self, params, vars, facts);
}

static enum aqm_verdict choose(const struct aqm_policy *self, uint64_t random)
{
	const double *p = self->probability;
	const double share = (double)(uint32_t)random / 4294967296.0;

	if (self->config.choice == AQM_POLICY_argmax) {
		if (p[AQM_PASS] >= p[AQM_DROP] && p[AQM_PASS] >= p[AQM_MARK])
			return AQM_PASS;
		return p[AQM_DROP] >= p[AQM_MARK] ? AQM_DROP : AQM_MARK;
	}
	if (share < p[AQM_DROP])
		return AQM_DROP;
	return share < p[AQM_DROP] + p[AQM_MARK] ? AQM_MARK : AQM_PASS;
}

/* What becomes of a packet: it has to be able to carry a mark. */
static enum aqm_verdict effect_of(enum aqm_verdict verdict, unsigned ecn)
{
	return verdict == AQM_MARK && ecn == AQM_NOT_ECT ? AQM_DROP : verdict;
}

/* What the guard makes of a policy's wish where the law says `law`. */
static enum aqm_verdict judge(struct aqm_policy *self, const void *params, const void *vars,
			      const struct aqm_facts *facts, enum aqm_verdict law,
			      enum aqm_verdict wanted)
{
	const struct aqm_ops *ops = self->config.law;
	struct aqm_view view = {0};

	if (!self->config.guarded)
		return wanted;
	if (ops->view)
		ops->view(inner_params(params), vars, &view);
	return aqm_guard_judges(&self->guard_params, &self->guard, facts, law, wanted,
				view.p_l >= AQM_Q32_ONE || view.p_c >= AQM_Q32_ONE);
}

/* A decision is there: the packet's verdict, in place of `law_verdict`. */
static enum aqm_verdict apply(struct aqm_policy *self, const void *params, const void *vars,
			      const struct aqm_facts *facts, enum aqm_verdict law_verdict,
			      uint32_t *cookie)
{
	const enum aqm_verdict law = effect_of(law_verdict, facts->ecn);
	const enum aqm_verdict wanted =
		self->senseless ? law : effect_of(choose(self, facts->random), facts->ecn);
	const enum aqm_verdict verdict = judge(self, params, vars, facts, law, wanted);

	self->waiting = false;
	self->counts.applied++;
	if (self->senseless || verdict != wanted) {
		self->counts.overridden++;
	} else {
		*cookie |= AQM_COOKIE_DECIDED | (uint32_t)verdict << VERDICT_SHIFT;
		self->decided_action = verdict == AQM_PASS   ? AQM_LOGGED_ENQUEUE
				       : verdict == AQM_DROP ? AQM_LOGGED_DROP
							     : AQM_LOGGED_MARK;
		if (self->config.law->late ? verdict == AQM_DROP : verdict != law)
			self->counts.differed++;
	}
	self->config.policy->ops->acted(self->config.policy, verdict);
	return verdict;
}

/*
 * A decision of a supervising policy is there: the law moves to another row, within the table.
 * Bits of the packet that the law's own draw does not show are mixed for the move.
 */
static void move(struct aqm_policy *self, uint64_t random)
{
	const uint32_t bits = (uint32_t)(random * UINT64_C(0x9E3779B97F4A7C15) >> 32);
	const enum aqm_verdict wanted = choose(self, bits);
	const int to = self->row + policy_move_of_verdict(wanted);

	self->waiting = false;
	self->counts.applied++;
	self->counts.overridden += !row_stands(self);
	if (to < 0 || to >= self->rows) {
		self->config.policy->ops->acted(self->config.policy, AQM_PASS);
		return;
	}
	self->row = to;
	self->config.policy->ops->acted(self->config.policy, wanted);
}

static enum aqm_verdict on_enqueue(const void *params, void *vars, void *stats,
				   const struct aqm_facts *facts, uint32_t *cookie)
{
	struct aqm_policy *self = self_of(params);
	enum aqm_verdict verdict;

	aqm_guard_arrived(&self->guard, facts);
	listen(self, facts->now_ns);
	consider(self, params, vars, facts);
	self->decided_action = 0;
	if (self->rows && self->waiting && self->ready_ns <= facts->now_ns)
		move(self, facts->random);
	verdict = self->config.law->on_enqueue(inner_params(params), vars, stats, facts, cookie);
	*cookie &= INNER_COOKIE;
	if (self->rows || !self->waiting || self->ready_ns > facts->now_ns)
		return verdict;
	return apply(self, params, vars, facts, verdict, cookie);
}

/*
 * A packet departs on which the policy decided `was`, and has its mark if that was one; now the
 * law decides, too late to be asked before.
 */
static enum aqm_verdict depart(struct aqm_policy *self, const void *params, const void *vars,
			       const struct aqm_facts *facts, enum aqm_verdict law,
			       enum aqm_verdict was)
{
	if (law == was) {
		if (was != AQM_PASS)
			aqm_guard_repays(&self->guard, facts->queue);
		return AQM_PASS;
	}
	if (law > was && judge(self, params, vars, facts, law, was) != was) {
		self->counts.overridden++;
		return law;
	}
	self->counts.differed++;
	return AQM_PASS;
}

static enum aqm_verdict on_dequeue(const void *params, void *vars, void *stats,
				   const struct aqm_facts *facts)
{
	struct aqm_policy *self = self_of(params);
	struct aqm_facts plain = *facts;
	enum aqm_verdict verdict = AQM_PASS;

	aqm_guard_departs(&self->guard_params, &self->guard, facts);
	plain.cookie &= INNER_COOKIE;
	if (self->config.law->on_dequeue)
		verdict = self->config.law->on_dequeue(inner_params(params), vars, stats, &plain);
	if (!self->config.law->late || !(facts->cookie & AQM_COOKIE_DECIDED))
		return verdict;
	return depart(self, params, vars, facts, effect_of(verdict, facts->ecn),
		      facts->cookie >> VERDICT_SHIFT & 3);
}

static void record(const void *params, const void *vars, const struct aqm_facts *facts,
		   bool decided, struct aqm_record *out)
{
	const struct aqm_policy *self = self_of(params);

	self->config.law->record(inner_params(params), vars, facts, decided, out);
	if (decided && self->decided_action)
		out->dequeue_action = self->decided_action;
}

static void init(const void *params, void *vars, void *stats)
{
	struct aqm_policy *self = self_of(params);

	self->counts = (struct aqm_policy_counts){.uncompared = self->rows > 0};
	self->waiting = false;
	self->failed = 0;
	self->decided_action = 0;
	self->row = self->first_row;
	aqm_guard_init(&self->guard);
	self->config.policy->ops->reset(self->config.policy);
	self->config.law->init(inner_params(params), vars, stats);
}

static int check(const void *params, struct error *error)
{
	const struct aqm_ops *law = inner_of(params);

	return law->check ? law->check(inner_params(params), error) : 0;
}

static enum aqm_queue classify(const void *params, const struct aqm_facts *facts)
{
	return inner_of(params)->classify(inner_params(params), facts);
}

static struct aqm_flow_shape flow_shape(const void *params)
{
	return inner_of(params)->flow_shape(inner_params(params));
}

static bool at_rest(const void *params, const void *vars, uint64_t now_ns)
{
	return inner_of(params)->at_rest(inner_params(params), vars, now_ns);
}

static void on_overflow(const void *params, void *vars, void *stats, const struct aqm_facts *facts)
{
	inner_of(params)->on_overflow(inner_params(params), vars, stats, facts);
}

static uint64_t tick_due_ns(const void *params, const void *vars)
{
	return inner_of(params)->tick_due_ns(inner_params(params), vars);
}

static void tick(const void *params, void *vars, void *stats, const struct aqm_facts *facts)
{
	inner_of(params)->tick(inner_params(params), vars, stats, facts);
}

static enum aqm_queue schedule(const void *params, void *vars,
			       const struct aqm_head heads[AQM_QUEUES])
{
	return inner_of(params)->schedule(inner_params(params), vars, heads);
}

static void served(const void *params, void *vars, enum aqm_queue queue, uint32_t len_bytes,
		   bool other_waits)
{
	inner_of(params)->served(inner_params(params), vars, queue, len_bytes, other_waits);
}

static void idle(const void *params, void *vars)
{
	inner_of(params)->idle(inner_params(params), vars);
}

static void on_empty(const void *params, void *vars, void *stats, const struct aqm_facts *facts)
{
	struct aqm_policy *self = self_of(params);

	aqm_guard_found_empty(&self->guard, facts->now_ns);
	if (self->config.law->on_empty)
		self->config.law->on_empty(inner_params(params), vars, stats, facts);
}

static void view(const void *params, const void *vars, struct aqm_view *out)
{
	inner_of(params)->view(inner_params(params), vars, out);
}

/* The inner law's table of operations with the wrapper's functions where it has any. */
static void wrap_ops(struct aqm_policy *self)
{
	const struct aqm_ops *law = self->config.law;
	struct aqm_ops *ops = &self->ops;

	*ops = (struct aqm_ops){
		.name = law->name,
		.summary = law->summary,
		.params_size = sizeof(struct wrapper_params) + law->params_size,
		.vars_size = law->vars_size,
		.stats_size = law->stats_size,
		.params = self->table,
		.dual = law->dual,
		.late = law->late,
		.limit_each = law->limit_each,
		.check = check,
		.init = init,
		.on_enqueue = on_enqueue,
		.on_dequeue = on_dequeue,
		.on_empty = on_empty,
		.record = record,
	};
	ops->flow_shape = law->flow_shape ? flow_shape : NULL;
	ops->at_rest = law->at_rest ? at_rest : NULL;
	ops->on_overflow = law->on_overflow ? on_overflow : NULL;
	ops->classify = law->classify ? classify : NULL;
	ops->tick_due_ns = law->tick_due_ns ? tick_due_ns : NULL;
	ops->tick = law->tick ? tick : NULL;
	ops->schedule = law->schedule ? schedule : NULL;
	ops->served = law->served ? served : NULL;
	ops->idle = law->idle ? idle : NULL;
	ops->view = law->view ? view : NULL;
}

static int wrap_params(struct aqm_policy *self, struct error *error)
{
	const struct aqm_ops *law = self->config.law;
	size_t count = 0;

	while (law->params[count].name)
		count++;
	self->table = calloc(count + 1, sizeof(*self->table));
	self->params = calloc(1, sizeof(*self->params) + law->params_size);
	if (!self->table || !self->params)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a policy in the loop");
	memcpy(self->table, law->params, count * sizeof(*self->table));
	for (size_t i = 0; i < count; i++)
		self->table[i].offset += sizeof(*self->params);
	self->params->self = self;
	memcpy(self->params + 1, self->config.law_params, law->params_size);
	return 0;
}

/* The law's aims, by the names that laws give them. */
static void set_guard(struct aqm_policy *self)
{
	const struct aqm_ops *law = self->config.law;
	double target_ms = USUAL_TARGET_MS, step_ms;

	aqm_params_get(law, self->config.law_params, "target_ms", &target_ms);
	step_ms = target_ms;
	aqm_params_get(law, self->config.law_params, "step_ms", &step_ms);
	aqm_guard_set(&self->guard_params, ns_from_ms(target_ms), ns_from_ms(step_ms));
}

/*
 * Do these settings ask for fewer signals than the guard allows beside the law's own?  Of targets
 * and steps more is fewer signals, of gains and couplings less is.
 */
static bool is_fewer(const struct aqm_policy *self, const void *params)
{
	static const struct {
		const char *name;
		bool more; /* of it is fewer signals */
	} names[] = {{"target_ms", true}, {"step_ms", true}, {"k", false}, {"alpha", false},
		     {"beta", false}};
	const struct aqm_ops *law = self->config.law;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		double own, wanted;
		uint64_t usual, asked;

		if (aqm_params_get(law, self->config.law_params, names[i].name, &own) ||
		    aqm_params_get(law, params, names[i].name, &wanted))
			continue;
		usual = (uint64_t)(own * SETTING_UNITS);
		asked = (uint64_t)(wanted * SETTING_UNITS);
		if (names[i].more ? aqm_guard_at_most(asked, usual) < asked
				  : aqm_guard_at_least(asked, usual) > asked)
			return true;
	}
	return false;
}

/* Parameters of every row of a supervising policy. */
static int expand_settings(struct aqm_policy *self, struct error *error)
{
	const struct policy_ops *ops = self->config.policy->ops;
	const struct policy_settings *settings =
		ops->settings ? ops->settings(self->config.policy) : NULL;
	void *all;
	int code;

	if (settings == NULL)
		return 0;
	code = policy_settings_expand(settings, self->config.law, self->config.law_params, &all,
				      error);
	if (code)
		return code;
	self->rows = settings->rows;
	self->row_params = all;
	for (int i = 0; i < self->rows; i++)
		self->row_is_fewer[i] = is_fewer(
			self, self->row_params + (size_t)i * self->config.law->params_size);
	self->first_row =
		policy_settings_start(settings, self->config.law, self->config.law_params);
	return 0;
}

int aqm_policy_new(struct aqm_policy **wrapped, const struct aqm_policy_config *config,
		   struct error *error)
{
	struct aqm_policy *self;
	int code;

	if (config->interval == 0)
		return error_at(error, ERR_INVALID, NULL, 0, "interval",
				"ask the policy every 1 or more packets, not every 0");
	self = calloc(1, sizeof(*self));
	if (self == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a policy in the loop");
	self->config = *config;
	code = wrap_params(self, error);
	if (code == 0)
		code = expand_settings(self, error);
	if (code) {
		aqm_policy_free(self);
		return code;
	}
	wrap_ops(self);
	self->config.law_params = self->params + 1;
	set_guard(self);
	*wrapped = self;
	return 0;
}

void aqm_policy_free(struct aqm_policy *wrapped)
{
	if (wrapped == NULL)
		return;
	free(wrapped->table);
	free(wrapped->params);
	free(wrapped->row_params);
	free(wrapped);
}

const struct aqm_ops *aqm_policy_ops(const struct aqm_policy *wrapped)
{
	return &wrapped->ops;
}

const void *aqm_policy_params(const struct aqm_policy *wrapped)
{
	return wrapped->params;
}

struct aqm_policy_counts aqm_policy_counts(const struct aqm_policy *wrapped)
{
	return wrapped->counts;
}

int aqm_policy_failure(const struct aqm_policy *wrapped, struct error *error)
{
	if (wrapped->failed)
		*error = wrapped->failure;
	return wrapped->failed;
}
