/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * dummynet schedulers `dualpi2` and `student`:
 *
 *     ipfw sched 1 config pipe 1 type dualpi2
 *
 * A scheduler holds a pair of queues for each of its instances (dual_queue.h).  dummynet throws an
 * instance away at every tick at which it is idle, unless net.inet.ip.dummynet.expire is 0; what a
 * law has learned lives longer: without a mask, where there is one instance, the scheduler keeps
 * its pair and gives it to the next one.
 *
 * Parameters are the sysctls' (settings.h) at the time of `ipfw sched N config`.  The same command
 * once more, after sysctls were changed, changes them for packets that wait, too.
 */
#include "kernel/freebsd/dn_sched_aqm.h"

/* Numbers of dummynet's own schedulers are below 10; they have to fit 8 bits. */
#define TYPE_DUALPI2 201
#define TYPE_STUDENT 202

enum dual_setting {
	SET_TARGET,
	SET_TUPDATE,
	SET_ALPHA,
	SET_BETA,
	SET_K,
	SET_STEP,
	SET_MIN_QLEN_STEP,
	SET_C_PROTECTION,
	SET_LIMIT,
	SET_MTU,
	SET_DROP_EARLY,
	SET_DROP_OVERLOAD,
	SET_SCHEDULER,
	SET_TSHIFT,
	SET_PROFILE,
	SET_GUARD,
	SET_PAUSES,
	SET_LOG,
};

/*
 * Rows of both laws, in the order above; ranges and defaults are those of the program.  What only
 * one of them has is fixed for the other, and has no sysctl there.
 */
#define ROWS(target_least, target_most, gain_most, k_least, k_most, step_least, step_most, qlen,   \
	     plain, guard_least, pauses, pauses_most)                                              \
	{"target_us", 15000, target_least, target_most, "Classic queue delay aimed at"},           \
	{"tupdate_us", 16000, 100, 4000000, "time between updates of p'"},                         \
	{"alpha_millionths", 160071, 0, gain_most, "integral gain, per second"},                   \
	{"beta_millionths", 3197783, 0, gain_most, "proportional gain, per second"},               \
	{"k_millionths", 2000000, k_least, k_most, "coupling factor"},                             \
	{"step_us", 1000, step_least, step_most, "sojourn above which L packets are marked"},      \
	{"min_qlen_step", qlen, qlen, 1000000, "packets L must have held for the step to mark"},   \
	{"c_protection_percent", 10, 1, 99, "wrr: share of the link kept for Classic"},            \
	{"limit_packets", 10000, 1, 1000000, "packets both queues have room for"},                 \
	{"mtu_bytes", 1500, 64, 65535, "longest packet"},                                          \
	{"drop_early", 0, 0, plain, "decide at enqueue"},                                          \
	{"drop_overload", 1, 0, 1, "drop on overload"},                                            \
	{"scheduler", 0, 0, 1, "0: weighted round robin, 1: time-shifted FIFO"},                   \
	{"tshift_us", 50000, 0, 4000000, "time-shifted FIFO: head start of L"},                    \
	{"profile", 0, 0, plain, "set of defaults, 0: Linux, 1: RFC 9332; set it first"},          \
	{"guard", 1, guard_least, 1, "keep the network near DualPI2 (docs/guard.md)"},             \
	{"pauses_millionths", pauses, 0, pauses_most, "least step, in pauses behind batches"},    \
	{"log", 0, 0, 1, "print a line for every packet"}

_Static_assert(SET_LOG < SETTINGS_MOST, "all settings have a place");

static const struct setting dualpi2_table[] = {
	ROWS(10, 4000000, 64000000, 62500, 64000000, 0, 4000000, 0, 1, 1, 0, 0),
	{0},
};

static const struct setting student_table[] = {
	ROWS(1000, 60000, 8000000, 250000, 8000000, 250, 4000, 1, 0, 0, 1000000, 4000000),
	{0},
};

/* The values that a profile stands for, as in the program. */
static void was_set(int64_t *values, unsigned index)
{
	const bool rfc = values[SET_PROFILE] != 0;

	if (index != SET_PROFILE)
		return;
	values[SET_TUPDATE] = rfc ? 15000 : 16000;
	values[SET_ALPHA] = rfc ? 150000 : 160071;
	values[SET_BETA] = rfc ? 3000000 : 3197783;
	values[SET_MIN_QLEN_STEP] = rfc;
}

static struct settings dualpi2_settings = {
	.law = "dualpi2",
	.table = dualpi2_table,
	.was_set = was_set,
};
static struct settings student_settings = {.law = "student", .table = student_table};

static struct dn_alg dualpi2_desc, student_desc;

static struct sched_config *config_of(struct dn_schk *schk)
{
	return (struct sched_config *)(schk + 1);
}

static bool is_student(const struct dn_schk *schk)
{
	return schk->fp == &student_desc;
}

static struct settings *settings_of(const struct dn_schk *schk)
{
	return is_student(schk) ? &student_settings : &dualpi2_settings;
}

static void fill_params(const int64_t *values, bool student, struct dual_host_params *params)
{
	*params = (struct dual_host_params){
		.law = student ? DUAL_HOST_STUDENT : DUAL_HOST_DUALPI2,
		.own = {.base = {.target_ns = (uint64_t)values[SET_TARGET] * 1000,
				 .tupdate_ns = (uint64_t)values[SET_TUPDATE] * 1000,
				 .alpha_q16 = settings_q16(values[SET_ALPHA]),
				 .beta_q16 = settings_q16(values[SET_BETA]),
				 .k_q16 = settings_q16(values[SET_K]),
				 .mtu_bytes = (uint32_t)values[SET_MTU],
				 .profile = student ? AQM_DUALPI2_LINUX
						    : (uint32_t)values[SET_PROFILE],
				 .step = {(uint64_t)values[SET_STEP] * 1000,
					  (uint32_t)values[SET_MIN_QLEN_STEP]},
				 .drop_early = !student && values[SET_DROP_EARLY],
				 .drop_overload = values[SET_DROP_OVERLOAD] != 0},
			.scheduler = {.kind = (uint32_t)values[SET_SCHEDULER],
				      .wrr = {(uint32_t)values[SET_C_PROTECTION]},
				      .tshift_ns = (uint64_t)values[SET_TSHIFT] * 1000},
			.limit_pkts = (uint32_t)values[SET_LIMIT],
			.pauses_q16 = settings_q16(values[SET_PAUSES]),
			.guarded = values[SET_GUARD] != 0},
	};
}

/* Parameters of this scheduler that came with the command; ipfw sends none for names it does not
 * know. */
static const struct dn_extra_parms *given_parms(const struct dn_schk *schk)
{
	const struct dn_extra_parms *parms = (const struct dn_extra_parms *)schk->cfg;

	if (parms == NULL || parms->oid.len != sizeof(*parms) ||
	    parms->oid.subtype != DN_SCH_PARAMS)
		return NULL;
	return strncmp(parms->name, schk->fp->name, sizeof(parms->name)) == 0 ? parms : NULL;
}

/* `sched N config`, the first time and again. */
static int on_config(struct dn_schk *schk)
{
	struct sched_config *config = config_of(schk);

	settings_take(settings_of(schk), given_parms(schk), config->values);
	fill_params(config->values, is_student(schk), &config->params);
	config->logs = config->values[SET_LOG] != 0;
	config->version++;
	if (!config->counted)
		schk->fp->ref_count++;
	config->counted = true;
	return 0;
}

static int on_getconfig(struct dn_schk *schk, struct dn_extra_parms *parms)
{
	settings_give(settings_of(schk), config_of(schk)->values, parms);
	return 0;
}

/* `sched N delete`, or another type: its instances are gone. */
static int on_destroy(struct dn_schk *schk)
{
	struct sched_config *config = config_of(schk);

	if (config->kept)
		dual_queue_free(config->kept);
	config->kept = NULL;
	if (config->counted)
		schk->fp->ref_count--;
	config->counted = false;
	return 0;
}

/* A configuration that the instance does not have yet. */
static void follow_config(struct sched_instance *instance)
{
	const struct sched_config *config = config_of(instance->_si.sched);

	if (instance->version == config->version)
		return;
	instance->version = config->version;
	instance->queue->logs = config->logs;
	dual_queue_change(instance->queue, &config->params);
}

/*
 * Takes nothing and counts nothing: dummynet may still give the instance up, without a word, where
 * its flow set has an AQM and that has no memory.
 */
static int on_new_sched(struct dn_sch_inst *si)
{
	struct dn_queue *q = &((struct sched_instance *)si)->main_q;

	set_oid(&q->ni.oid, DN_QUEUE, sizeof(*q));
	q->_si = si;
	q->fs = si->sched->fs;
	return 0;
}

bool sched_instance_begin(struct sched_instance *instance)
{
	struct sched_config *config = config_of(instance->_si.sched);

	if (instance->queue)
		return true;
	instance->queue = config->kept;
	instance->version = config->kept_version;
	config->kept = NULL;
	if (instance->queue)
		return true;
	instance->queue = dual_queue_new(&config->params);
	if (instance->queue == NULL)
		return false;
	instance->queue->logs = config->logs;
	instance->version = config->version;
	return true;
}

static int on_free_sched(struct dn_sch_inst *si)
{
	struct sched_instance *instance = (struct sched_instance *)si;
	struct sched_config *config = config_of(si->sched);

	if (instance->queue == NULL)
		return 0;
	dual_queue_flush(instance->queue);
	if (config->kept == NULL && !(si->sched->sch.flags & DN_HAVE_MASK)) {
		config->kept = instance->queue;
		config->kept_version = instance->version;
	} else {
		dual_queue_free(instance->queue);
	}
	instance->queue = NULL;
	return 0;
}

/* What ipfw shows. */
static void show_drops(struct sched_instance *instance, uint64_t drops)
{
	instance->main_q.ni.drops += (uint32_t)drops;
	instance->_si.ni.drops += (uint32_t)drops;
}

static void show_lengths(struct sched_instance *instance)
{
	struct dn_flow *const both[] = {&instance->main_q.ni, &instance->_si.ni};

	for (unsigned i = 0; i < 2; i++) {
		both[i]->length = dual_queue_packets(instance->queue);
		both[i]->len_bytes = (uint32_t)dual_queue_bytes(instance->queue);
	}
}

static void show_arrival(struct sched_instance *instance, uint32_t len_bytes)
{
	struct dn_flow *const both[] = {&instance->main_q.ni, &instance->_si.ni};

	for (unsigned i = 0; i < 2; i++) {
		both[i]->tot_pkts++;
		both[i]->tot_bytes += len_bytes;
	}
}

/* 0, or 1: dropped. */
static int on_enqueue(struct dn_sch_inst *si, struct dn_queue *q, struct mbuf *m)
{
	struct sched_instance *instance = (struct sched_instance *)si;
	uint64_t drops;
	bool taken;

	(void)q;
	show_arrival(instance, packet_length(m));
	if (!sched_instance_begin(instance)) {
		show_drops(instance, 1);
		host_count_drop();
		FREE_PKT(m);
		return 1;
	}
	follow_config(instance);
	drops = dual_queue_drops(instance->queue);
	taken = dual_queue_enqueue(instance->queue, m);
	show_drops(instance, dual_queue_drops(instance->queue) - drops);
	show_lengths(instance);
	return taken ? 0 : 1;
}

static struct mbuf *on_dequeue(struct dn_sch_inst *si)
{
	struct sched_instance *instance = (struct sched_instance *)si;
	struct dual_queue *queue = instance->queue;
	uint64_t drops;
	struct mbuf *m;

	if (queue == NULL)
		return NULL;
	follow_config(instance);
	drops = dual_queue_drops(queue);
	m = dual_queue_dequeue(queue);
	show_drops(instance, dual_queue_drops(queue) - drops);
	show_lengths(instance);
	if (instance->main_q.ni.length == 0)
		instance->main_q.q_time = host_dummynet.curr_time;
	return m;
}

#define HOOKS                                                                                      \
	.schk_datalen = sizeof(struct sched_config),                                               \
	.si_datalen = sizeof(struct sched_instance) - sizeof(struct dn_sch_inst),                  \
	.enqueue = on_enqueue, .dequeue = on_dequeue, .config = on_config, .destroy = on_destroy,  \
	.new_sched = on_new_sched, .free_sched = on_free_sched, .getconfig = on_getconfig

static struct dn_alg dualpi2_desc = {.type = TYPE_DUALPI2, .name = "dualpi2", HOOKS};
static struct dn_alg student_desc = {.type = TYPE_STUDENT, .name = "student", HOOKS};

DECLARE_DNSCHED_MODULE(dn_sched_dualpi2, &dualpi2_desc);
MODULE_VERSION(dn_sched_dualpi2, 1);
DECLARE_DNSCHED_MODULE(dn_sched_student, &student_desc);
MODULE_VERSION(dn_sched_student, 1);

/* Neither scheduler goes while the other one is in use: both are in this file. */
static int on_module(module_t module, int command, void *argument)
{
	(void)module;
	(void)argument;
	if (command == MOD_QUIESCE)
		return dualpi2_desc.ref_count || student_desc.ref_count ? EBUSY : 0;
	return command == MOD_LOAD || command == MOD_UNLOAD ? 0 : EOPNOTSUPP;
}

static moduledata_t sched_module = {"dn_sched_aqm", on_module, NULL};
DECLARE_MODULE(dn_sched_aqm, sched_module, SI_SUB_PROTO_FIREWALL, SI_ORDER_ANY);
MODULE_VERSION(dn_sched_aqm, 1);

/* Sysctls and weights: before dummynet knows the schedulers, until after it has forgotten them. */
static void start(void *unused)
{
	(void)unused;
	settings_start(&dualpi2_settings);
	settings_start(&student_settings);
	weights_start(&student_settings.context, student_settings.node);
}
SYSINIT(dn_sched_aqm_start, SI_SUB_PROTO_FIREWALL, SI_ORDER_MIDDLE, start, NULL);

static void stop(void *unused)
{
	(void)unused;
	settings_stop(&student_settings);
	settings_stop(&dualpi2_settings);
	weights_stop();
}
SYSUNINIT(dn_sched_aqm_stop, SI_SUB_PROTO_FIREWALL, SI_ORDER_MIDDLE, stop, NULL);
