// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The qdisc's options: read from netlink into one set of parameters, checked as a whole, and put in
 * force under the lock at once, or not at all.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/netlink.h>
#include <net/pkt_sched.h>

#include "aqm/student_bytes.h"
#include "kernel/dual_params.h"
#include "kernel/linux/qdisc.h"
#include "kernel/linux/uapi.h"

struct option {
	size_t offset, size; /* in struct dual_host_params */
	u64 least, most;
};

#define OPTION_ROW(attribute, name, kind, member, lowest, highest, text)                           \
	{                                                                                          \
		.offset = offsetof(struct dual_host_params, member),                               \
		.size = sizeof_field(struct dual_host_params, member),                             \
		.least = lowest,                                                                   \
		.most = highest,                                                                   \
	},
static const struct option options[] = {AQMLLM_OPTIONS(OPTION_ROW)};
#undef OPTION_ROW

/* All that a change wants, before any of it is so. */
struct wanted {
	struct dual_host_params params;
	struct aqm_student_model *model; /* read from MODEL, or NULL */
	u64 model_checksum;
	bool model_given, split_gso, log;
};

static const struct nla_policy policy[AQMLLM_ATTR_COUNT] = {
	[AQMLLM_ATTR_LAW] = NLA_POLICY_MAX(NLA_U64, 1),
	[AQMLLM_ATTR_PROFILE] = NLA_POLICY_MAX(NLA_U64, 1),
	[AQMLLM_ATTR_SPLIT_GSO] = NLA_POLICY_MAX(NLA_U64, 1),
	[AQMLLM_ATTR_LOG] = NLA_POLICY_MAX(NLA_U64, 1),
	[AQMLLM_ATTR_MODEL] = {.type = NLA_BINARY, .len = AQMLLM_MODEL_MAX},
	[AQMLLM_ATTR_FIRST_OPTION ... AQMLLM_ATTR_MAX] = {.type = NLA_U64},
};

static u64 stored(const struct dual_host_params *params, const struct option *option)
{
	const void *at = (const u8 *)params + option->offset;

	return option->size == 8 ? *(const u64 *)at : option->size == 4 ? *(const u32 *)at
									: *(const u8 *)at;
}

static void store(struct dual_host_params *params, const struct option *option, u64 value)
{
	void *at = (u8 *)params + option->offset;

	if (option->size == 8)
		*(u64 *)at = value;
	else if (option->size == 4)
		*(u32 *)at = value;
	else
		*(bool *)at = value;
}

static int take_values(struct nlattr **attributes, struct dual_host_params *params,
		       struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		struct nlattr *attribute = attributes[AQMLLM_ATTR_FIRST_OPTION + i];
		u64 value;

		if (!attribute)
			continue;
		value = nla_get_u64(attribute);
		if (value < options[i].least || value > options[i].most) {
			NL_SET_ERR_MSG_ATTR(extack, attribute, "value out of range");
			return -ERANGE;
		}
		store(params, &options[i], value);
	}
	return 0;
}

/* `wrong` is a literal of this module, which the caller holds. */
static int refuse(struct netlink_ext_ack *extack, const char *wrong)
{
	if (extack)
		extack->_msg = wrong;
	return -EINVAL;
}

static int check(const struct wanted *wanted, struct netlink_ext_ack *extack)
{
	const char *wrong = dual_params_wrong(&wanted->params);

	if (!wrong && wanted->log && wanted->params.own.limit_pkts > AQMLLM_LOG_MOST)
		wrong = "log has room for a limit_packets of 65536 at most";
	return wrong ? refuse(extack, wrong) : 0;
}

/* Reads a model, or takes the module's. */
static int take_model(struct nlattr *attribute, struct wanted *wanted,
		      struct netlink_ext_ack *extack)
{
	const size_t size = nla_len(attribute);
	const char *wrong;

	wanted->model_given = true;
	wanted->model_checksum = 0;
	if (size == 0)
		return 0;
	wanted->model = kvzalloc(sizeof(*wanted->model), GFP_KERNEL);
	if (!wanted->model)
		return -ENOMEM;
	wrong = aqm_student_from_bytes(wanted->model, nla_data(attribute), size);
	if (!wrong) {
		wanted->model_checksum = aqm_student_bytes_checksum(
			nla_data(attribute), size - AQM_STUDENT_BYTES_CHECKSUM);
		return 0;
	}
	NL_SET_BAD_ATTR(extack, attribute);
	return refuse(extack, wrong);
}

static void take_words(struct nlattr **attributes, struct wanted *wanted)
{
	struct dual_host_params *params = &wanted->params;

	if (attributes[AQMLLM_ATTR_LAW]) {
		const u32 law = nla_get_u64(attributes[AQMLLM_ATTR_LAW]);
		const u32 floor = params->own.base.step.min_qlen_pkts;

		/* A student's step asks for a packet in L unless told for how many. */
		if (law == DUAL_HOST_STUDENT && params->law != law && floor == 0)
			params->own.base.step.min_qlen_pkts = 1;
		params->law = law;
	}
	if (attributes[AQMLLM_ATTR_PROFILE])
		dual_params_set_profile(params, nla_get_u64(attributes[AQMLLM_ATTR_PROFILE]));
	if (attributes[AQMLLM_ATTR_SPLIT_GSO])
		wanted->split_gso = nla_get_u64(attributes[AQMLLM_ATTR_SPLIT_GSO]);
	if (attributes[AQMLLM_ATTR_LOG])
		wanted->log = nla_get_u64(attributes[AQMLLM_ATTR_LOG]);
}

static int take_all(struct nlattr *given, struct wanted *wanted, struct netlink_ext_ack *extack)
{
	struct nlattr *attributes[AQMLLM_ATTR_COUNT];
	int status;

	if (!given)
		return 0;
	status = nla_parse_nested(attributes, AQMLLM_ATTR_MAX, given, policy, extack);
	if (status)
		return status;
	take_words(attributes, wanted);
	status = take_values(attributes, &wanted->params, extack);
	if (!status)
		status = check(wanted, extack);
	if (!status && attributes[AQMLLM_ATTR_MODEL])
		status = take_model(attributes[AQMLLM_ATTR_MODEL], wanted, extack);
	return status;
}

/*
 * What is wanted comes into force; packets that are there stay, also beyond a lower limit.
 * Returns what is no longer used in *old_model and *old_log.
 */
static void put_in_force(struct Qdisc *sch, struct wanted *wanted, struct aqmllm_log *log,
			 struct aqm_student_model **old_model, struct aqmllm_log **old_log)
{
	struct aqmllm *q = qdisc_priv(sch);

	*old_model = NULL;
	if (wanted->model_given) {
		*old_model = q->model;
		q->model = wanted->model;
		q->model_checksum = wanted->model_checksum;
	}
	wanted->params.own.model = q->model ? q->model : aqmllm_shipped_model();
	dual_host_change(&q->host, &wanted->params, ktime_get_ns());
	sch->limit = wanted->params.own.limit_pkts;
	q->split_gso = wanted->split_gso;
	*old_log = q->log == log ? NULL : q->log;
	q->log = log;
}

int aqmllm_change(struct Qdisc *sch, struct nlattr *given, struct netlink_ext_ack *extack)
{
	struct aqmllm *q = qdisc_priv(sch);
	struct wanted wanted = {
		.params = q->host.params,
		.split_gso = q->split_gso,
		.log = q->log != NULL,
	};
	struct aqm_student_model *old_model;
	struct aqmllm_log *log = NULL, *old_log;
	int status = take_all(given, &wanted, extack);

	/* A log with room stays, and with it the lines that wait. */
	if (!status && wanted.log && aqmllm_log_has_room(q->log, wanted.params.own.limit_pkts)) {
		log = q->log;
	} else if (!status && wanted.log) {
		log = aqmllm_log_new(wanted.params.own.limit_pkts, qdisc_dev(sch)->name);
		status = log ? 0 : -ENOMEM;
	}
	if (status) {
		kvfree(wanted.model);
		return status;
	}
	sch_tree_lock(sch);
	put_in_force(sch, &wanted, log, &old_model, &old_log);
	sch_tree_unlock(sch);
	kvfree(old_model);
	aqmllm_log_free(old_log);
	return 0;
}

int aqmllm_init(struct Qdisc *sch, struct nlattr *given, struct netlink_ext_ack *extack)
{
	struct aqmllm *q = qdisc_priv(sch);
	struct dual_host_params params;

	dual_params_default(&params, DUAL_HOST_DUALPI2);
	params.own.model = aqmllm_shipped_model();
	q->split_gso = true;
	dual_host_init(&q->host, &params, ktime_get_ns());
	return aqmllm_change(sch, given, extack);
}

void aqmllm_destroy(struct Qdisc *sch)
{
	struct aqmllm *q = qdisc_priv(sch);

	kvfree(q->model);
	aqmllm_log_free(q->log);
}

static int put(struct sk_buff *skb, int attribute, u64 value)
{
	return nla_put_u64_64bit(skb, attribute, value, AQMLLM_ATTR_PAD);
}

int aqmllm_dump(struct Qdisc *sch, struct sk_buff *skb)
{
	const struct aqmllm *q = qdisc_priv(sch);
	const struct dual_host_params *params = &q->host.params;
	struct nlattr *nest = nla_nest_start(skb, TCA_OPTIONS);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	if (put(skb, AQMLLM_ATTR_LAW, params->law) ||
	    put(skb, AQMLLM_ATTR_PROFILE, params->own.base.profile) ||
	    put(skb, AQMLLM_ATTR_SPLIT_GSO, q->split_gso) ||
	    put(skb, AQMLLM_ATTR_LOG, q->log != NULL) ||
	    put(skb, AQMLLM_ATTR_CHECKSUM, q->model_checksum))
		goto no_room;
	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (put(skb, AQMLLM_ATTR_FIRST_OPTION + i, stored(params, &options[i])))
			goto no_room;
	return nla_nest_end(skb, nest);

no_room:
	nla_nest_cancel(skb, nest);
	return -EMSGSIZE;
}
