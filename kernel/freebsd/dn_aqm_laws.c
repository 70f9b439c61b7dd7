/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Laws of one queue for dummynet's queues and pipes: pi2, pie_rfc (RFC 8033), codel_rfc (RFC 8289)
 * and red_floyd.  dummynet's own codel and pie keep their names and stay as they are.
 *
 * ipfw(8) knows the names of dummynet's own AQMs only; dnaqm (request.h) asks for these:
 *
 *     dnaqm queue 1 sched 1 pi2 target_us=20000
 *
 * A parameter that is not given is the sysctl's (settings.h) at that time.  The room of a queue is
 * its flow set's, in packets or bytes.  dummynet refuses to change the AQM of a flow set whose
 * scheduler has instances.
 */
#include "kernel/freebsd/laws.h"
#include "kernel/freebsd/packet.h"
#include "kernel/freebsd/settings.h"

/* Numbers of dummynet's own AQMs are 1 and 2. */
#define TYPE_FIRST 201

#define CATCH_UP 1024 /* updates made up for after a long sleep */

/* What a flow set has: fs->aqmcfg. */
struct queue_config {
	struct single_host_params params;
	int64_t values[SETTINGS_MOST];
	bool logs;
};

/* What a queue has: q->aqm_status. */
struct queue_status {
	struct dn_queue *queue;
	struct dn_fsk *flow_set;           /* NULL: it was configured anew since */
	struct queue_status *next, **link; /* of all; what points here */
	uint32_t law;
	struct single_host host;
	struct packet_log log;
	uint64_t epoch_ns;
};

static struct queue_status *statuses; /* of all queues, under dummynet's lock */

#define ROW(name, initial, least, most, text) {#name, initial, least, most, text},
static const struct setting pi2_table[] = {LAWS_PI2(ROW){0}};
static const struct setting pie_rfc_table[] = {LAWS_PIE(ROW){0}};
static const struct setting codel_rfc_table[] = {LAWS_CODEL(ROW){0}};
static const struct setting red_floyd_table[] = {LAWS_RED(ROW){0}};
#undef ROW

#define ROW(name, initial, least, most, text) PI2_##name,
enum { LAWS_PI2(ROW) };
#undef ROW
#define ROW(name, initial, least, most, text) PIE_##name,
enum { LAWS_PIE(ROW) };
#undef ROW
#define ROW(name, initial, least, most, text) CODEL_##name,
enum { LAWS_CODEL(ROW) };
#undef ROW
#define ROW(name, initial, least, most, text) RED_##name,
enum { LAWS_RED(ROW) };
#undef ROW

#define SETTINGS(law_name, host_law)                                                               \
	static struct settings law_name##_settings = {.law = #law_name, .table = law_name##_table};
LAWS(SETTINGS)
#undef SETTINGS

static void fill_pi2(const int64_t *values, struct single_host_params *params)
{
	params->pi2 = (struct aqm_pi2_params){
		.target_ns = (uint64_t)values[PI2_target_us] * 1000,
		.tupdate_ns = (uint64_t)values[PI2_tupdate_us] * 1000,
		.max_burst_ns = (uint64_t)values[PI2_max_burst_us] * 1000,
		.ecn_max_p_q32 = settings_q32(values[PI2_ecn_max_p_millionths]),
		.alpha_q16 = settings_q16(values[PI2_alpha_millionths]),
		.beta_q16 = settings_q16(values[PI2_beta_millionths]),
		.k_q16 = settings_q16(values[PI2_k_millionths]),
		.mtu_bytes = (uint32_t)values[PI2_mtu_bytes],
	};
}

static void fill_pie(const int64_t *values, struct single_host_params *params)
{
	params->pie = (struct aqm_pie_params){
		.target_ns = (uint64_t)values[PIE_target_us] * 1000,
		.tupdate_ns = (uint64_t)values[PIE_tupdate_us] * 1000,
		.max_burst_ns = (uint64_t)values[PIE_max_burst_us] * 1000,
		.ecn_max_p_q32 = settings_q32(values[PIE_ecn_max_p_millionths]),
		.alpha_q16 = settings_q16(values[PIE_alpha_millionths]),
		.beta_q16 = settings_q16(values[PIE_beta_millionths]),
	};
}

static void fill_codel(const int64_t *values, struct single_host_params *params)
{
	params->codel = (struct aqm_codel_params){
		.target_ns = (uint64_t)values[CODEL_target_us] * 1000,
		.interval_ns = (uint64_t)values[CODEL_interval_us] * 1000,
		.mtu_bytes = (uint32_t)values[CODEL_mtu_bytes],
		.ecn = values[CODEL_ecn] != 0,
	};
}

static void fill_red(const int64_t *values, struct single_host_params *params)
{
	params->red = (struct aqm_red_params){
		.min_bytes = (uint64_t)values[RED_min_bytes],
		.max_bytes = (uint64_t)values[RED_max_bytes],
		.max_p_q32 = settings_q32(values[RED_max_p_millionths]),
		.weight_q32 = settings_q32(values[RED_weight_millionths]),
		.packet_time_ns = (uint64_t)values[RED_packet_time_us] * 1000,
		.adaptive = values[RED_adaptive] != 0,
		.gentle = values[RED_gentle] != 0,
		.ecn = values[RED_ecn] != 0,
	};
}

/* EINVAL where values do not go together. */
static int fill_config(uint32_t law, const int64_t *values, struct queue_config *config)
{
	config->params.law = law;
	if (law == SINGLE_HOST_PI2) {
		fill_pi2(values, &config->params);
		config->logs = values[PI2_log] != 0;
	} else if (law == SINGLE_HOST_PIE) {
		fill_pie(values, &config->params);
		config->logs = values[PIE_log] != 0;
	} else if (law == SINGLE_HOST_CODEL) {
		fill_codel(values, &config->params);
		config->logs = values[CODEL_log] != 0;
	} else {
		if (values[RED_min_bytes] >= values[RED_max_bytes])
			return EINVAL;
		fill_red(values, &config->params);
		config->logs = values[RED_log] != 0;
	}
	return 0;
}

#define DECLARATION(name, host_law) static struct dn_aqm name##_desc;
LAWS(DECLARATION)
#undef DECLARATION

static struct dn_aqm *desc_of(uint32_t law)
{
#define ROW(name, host_law) [SINGLE_HOST_##host_law] = &name##_desc,
	static struct dn_aqm *const all[] = {LAWS(ROW)};
#undef ROW
	return all[law];
}

static struct settings *settings_of(uint32_t law)
{
#define ROW(name, host_law) [SINGLE_HOST_##host_law] = &name##_settings,
	static struct settings *const all[] = {LAWS(ROW)};
#undef ROW
	return all[law];
}

/*
 * A flow set gets the law.  If it has a configuration, dummynet has forgotten it, as it does where
 * a flow set without a scheduler is configured again: whose it was nobody knows, and nobody but the
 * next law frees it.  So flow sets are not counted as references; dummynet takes the law from all
 * of them before it lets the module go.
 */
static int configure(uint32_t law, struct dn_fsk *fs, struct dn_extra_parms *parms, int len)
{
	struct queue_config *config;

	if (len < (int)sizeof(*parms))
		return EINVAL;
	/* Whether their queues are still there is unknown, too. */
	for (struct queue_status *status = statuses; status; status = status->next)
		if (status->flow_set == fs)
			status->flow_set = NULL;
	if (fs->aqmcfg)
		free(fs->aqmcfg, M_DUMMYNET);
	fs->aqmcfg = NULL;
	config = malloc(sizeof(*config), M_DUMMYNET, M_NOWAIT | M_ZERO);
	if (config == NULL)
		return ENOMEM;
	settings_take(settings_of(law), parms, config->values);
	if (fill_config(law, config->values, config) != 0) {
		free(config, M_DUMMYNET);
		return EINVAL;
	}
	fs->aqmcfg = config;
	return 0;
}

static int on_getconfig(struct dn_fsk *fs, struct dn_extra_parms *parms)
{
	const struct queue_config *config = fs->aqmcfg;

	if (config == NULL)
		return 1;
	settings_give(settings_of(config->params.law), config->values, parms);
	return 0;
}

/* Packets that wait have no note from here on: whoever comes next lets them pass. */
static int on_cleanup(struct dn_queue *q)
{
	struct queue_status *status = q->aqm_status;

	if (status == NULL)
		return 0;
	for (struct mbuf *m = q->mq.head; m; m = m->m_nextpkt)
		packet_note_remove(m);
	packet_log_free(&status->log);
	*status->link = status->next;
	if (status->next)
		status->next->link = status->link;
	desc_of(status->law)->ref_count--;
	q->aqm_status = NULL;
	free(status, M_DUMMYNET);
	return 0;
}

static int on_init(struct dn_queue *q)
{
	const struct queue_config *config = q->fs->aqmcfg;
	struct queue_status *status;

	if (config == NULL)
		return EINVAL;
	on_cleanup(q);
	status = malloc(sizeof(*status), M_DUMMYNET, M_NOWAIT | M_ZERO);
	if (status == NULL)
		return ENOMEM;
	single_host_init(&status->host, &config->params);
	status->law = config->params.law;
	status->epoch_ns = host_clock_ns();
	status->queue = q;
	status->flow_set = q->fs;
	status->next = statuses;
	status->link = &statuses;
	if (status->next)
		status->next->link = &status->next;
	statuses = status;
	q->aqm_status = status;
	desc_of(config->params.law)->ref_count++;
	return 0;
}

/*
 * Queues that still have the law: dummynet forgets to clean up those that a scheduler keeps itself
 * for the flow set of its own number.
 */
static int on_deconfig(struct dn_fsk *fs)
{
	struct queue_status *status, *next;

	if (fs->aqmcfg == NULL)
		return 0;
	for (status = statuses; status; status = next) {
		next = status->next;
		if (status->flow_set == fs)
			on_cleanup(status->queue);
	}
	free(fs->aqmcfg, M_DUMMYNET);
	fs->aqmcfg = NULL;
	fs->aqmfp = NULL;
	return 0;
}

/* NULL: none yet, or one of a configuration that is gone. */
static struct queue_status *status_of(const struct dn_queue *q)
{
	struct queue_status *status = q->aqm_status;

	return status && status->flow_set == q->fs ? status : NULL;
}

/* The first packet, or NULL; one without a note is none of ours, and counts as one that just came.
 */
static const struct single_host_packet *head_of(const struct dn_queue *q)
{
	struct packet_note *note = q->mq.head ? packet_note_find(q->mq.head) : NULL;

	return note ? &note->single : NULL;
}

/* No room in the flow set's own terms. */
static bool is_full(const struct dn_queue *q)
{
	const struct dn_fs *fs = &q->fs->fs;

	if (fs->flags & DN_QSIZE_BYTES)
		return q->ni.len_bytes > (uint32_t)fs->qsize;
	return q->ni.length >= (uint32_t)fs->qsize;
}

static int drop_arrival(struct dn_queue *q, struct mbuf *m, struct packet_note *note)
{
	if (note)
		packet_note_free(note);
	update_stats(q, 0, 1);
	FREE_PKT(m);
	return 1;
}

/* The law's word on an arrival, and its line. */
static enum aqm_verdict decide_arrival(struct dn_queue *q, struct packet_note *note)
{
	const struct queue_config *config = q->fs->aqmcfg;
	struct queue_status *status = q->aqm_status;
	const uint64_t now_ns = host_clock_ns() - status->epoch_ns;
	const struct single_host_packet *head = head_of(q);
	struct aqm_record record;
	enum aqm_verdict verdict;

	single_host_run(&config->params, &status->host, head, now_ns, CATCH_UP);
	verdict = single_host_arrive(&config->params, &status->host, head, &note->single,
				     is_full(q), now_ns, config->logs ? &record : NULL);
	/* CoDel decides at departure, the others have decided. */
	if (config->logs)
		note->entry = packet_log_arrival(
			&status->log, &record,
			verdict != AQM_DROP && config->params.law == SINGLE_HOST_CODEL);
	return verdict;
}

/* 0, or 1: dropped. */
static int on_enqueue(struct dn_queue *q, struct mbuf *m)
{
	const uint32_t len_bytes = packet_length(m);
	struct packet_note *note;
	enum aqm_verdict verdict;

	/* A queue that was there before its flow set had this law has no status yet. */
	if (status_of(q) == NULL && on_init(q) != 0)
		return drop_arrival(q, m, NULL);
	note = packet_note_new();
	if (note == NULL)
		return drop_arrival(q, m, NULL);
	note->single.random = host_random();
	note->single.len_bytes = len_bytes;
	note->single.ecn = packet_ecn(m);
	verdict = decide_arrival(q, note);
	if (verdict == AQM_DROP)
		return drop_arrival(q, m, note);
	if (verdict == AQM_MARK) {
		ecn_mark(m);
		note->single.ecn = AQM_CE;
	}
	packet_note_attach(m, note);
	host_hold(m);
	mq_append(&q->mq, m);
	update_stats(q, (int)len_bytes, 0);
	return 0;
}

/* The first packet, no longer in the queue. */
static struct mbuf *remove_first(struct dn_queue *q)
{
	struct mbuf *m = q->mq.head;

	if (m == NULL)
		return NULL;
	q->mq.head = m->m_nextpkt;
	m->m_nextpkt = NULL;
	update_stats(q, -(int)packet_length(m), 0);
	if (q->ni.length == 0)
		q->q_time = host_dummynet.curr_time;
	return m;
}

/* The law's word on the packet that was taken out, its line, and its mark. */
static enum aqm_verdict decide_departure(struct dn_queue *q, struct mbuf *m, uint64_t now_ns)
{
	const struct queue_config *config = q->fs->aqmcfg;
	struct queue_status *status = q->aqm_status;
	struct packet_note *note = packet_note_find(m);
	struct packet_log_entry *entry;
	struct single_host_packet packet;
	enum aqm_verdict verdict;

	/* It came before this law did. */
	if (note == NULL)
		return AQM_PASS;
	packet = note->single;
	entry = note->entry;
	packet_note_remove(m);
	verdict = single_host_depart(&config->params, &status->host, head_of(q), &packet, now_ns);
	packet_log_decide(&status->log, entry, verdict);
	if (verdict == AQM_MARK)
		ecn_mark(m);
	return verdict;
}

static struct mbuf *on_dequeue(struct dn_queue *q)
{
	const struct queue_config *config = q->fs->aqmcfg;
	struct queue_status *status = status_of(q);
	uint64_t now_ns;
	struct mbuf *m;

	if (status == NULL || config == NULL) {
		m = remove_first(q);
		if (m)
			packet_note_remove(m);
		return m;
	}
	now_ns = host_clock_ns() - status->epoch_ns;
	single_host_run(&config->params, &status->host, head_of(q), now_ns, CATCH_UP);
	while ((m = remove_first(q)) != NULL) {
		if (decide_departure(q, m, now_ns) != AQM_DROP && host_release(m))
			return m;
		update_stats(q, 0, 1);
		FREE_PKT(m);
	}
	single_host_found_empty(&config->params, &status->host);
	return NULL;
}

#define DESCRIPTION(law_name, host_law)                                                            \
	static int law_name##_config(struct dn_fsk *fs, struct dn_extra_parms *parms, int len)     \
	{                                                                                          \
		return configure(SINGLE_HOST_##host_law, fs, parms, len);                          \
	}                                                                                          \
	static struct dn_aqm law_name##_desc = {                                                   \
		.name = #law_name,                                                                 \
		.type = TYPE_FIRST + SINGLE_HOST_##host_law,                                       \
		.enqueue = on_enqueue,                                                             \
		.dequeue = on_dequeue,                                                             \
		.config = law_name##_config,                                                       \
		.deconfig = on_deconfig,                                                           \
		.init = on_init,                                                                   \
		.cleanup = on_cleanup,                                                             \
		.getconfig = on_getconfig,                                                         \
	};                                                                                         \
	DECLARE_DNAQM_MODULE(dn_aqm_##law_name, &law_name##_desc);                                 \
	MODULE_VERSION(dn_aqm_##law_name, 1);
LAWS(DESCRIPTION)
#undef DESCRIPTION

/* Sysctls: before dummynet knows the laws, until after it has forgotten them. */
static void start(void *unused)
{
	(void)unused;
	for (uint32_t law = SINGLE_HOST_PI2; law <= SINGLE_HOST_RED; law++)
		settings_start(settings_of(law));
}
SYSINIT(dn_aqm_laws_start, SI_SUB_PROTO_IFATTACHDOMAIN, SI_ORDER_MIDDLE, start, NULL);

static void stop(void *unused)
{
	(void)unused;
	for (uint32_t law = SINGLE_HOST_PI2; law <= SINGLE_HOST_RED; law++)
		settings_stop(settings_of(law));
}
SYSUNINIT(dn_aqm_laws_stop, SI_SUB_PROTO_IFATTACHDOMAIN, SI_ORDER_MIDDLE, stop, NULL);
