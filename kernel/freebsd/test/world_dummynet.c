/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Dummynet's part: it knows schedulers and AQMs by their names, makes and drains instances, and
 * calls their hooks in its order.
 */
#include "kernel/freebsd/dn_sched_aqm.h"
#include "kernel/freebsd/request.h"
#include "kernel/freebsd/test/world.h"

#define MOST_KINDS 16

static struct dn_alg *algorithms[MOST_KINDS];
static struct dn_aqm *aqms[MOST_KINDS];
static bool refuses_instances, refuses_laws;

struct world_scheduler {
	struct dn_fsk fs; /* the internal one */
	struct dn_sch_inst *instance;
	struct dn_extra_parms none; /* ipfw sends an empty one */
	struct dn_schk *schk;
};

struct world_queue {
	struct dn_fsk fs;
	struct dn_sch_inst instance;
	struct dn_queue queue;
};

int dn_sched_modevent(module_t module, int command, void *argument)
{
	struct dn_alg *algorithm = argument;

	(void)module;
	for (int i = 0; i < MOST_KINDS; i++) {
		if (command == MOD_LOAD && algorithms[i] == NULL) {
			algorithms[i] = algorithm;
			return 0;
		}
		if (command == MOD_UNLOAD && algorithms[i] == algorithm) {
			if (algorithm->ref_count != 0)
				return EBUSY;
			algorithms[i] = NULL;
			return 0;
		}
	}
	return EINVAL;
}

int dn_aqm_modevent(module_t module, int command, void *argument)
{
	struct dn_aqm *aqm = argument;

	(void)module;
	for (int i = 0; i < MOST_KINDS; i++) {
		if (command == MOD_LOAD && aqms[i] == NULL) {
			aqms[i] = aqm;
			return 0;
		}
		if (command == MOD_UNLOAD && aqms[i] == aqm) {
			if (aqm->ref_count != 0 || aqm->cfg_ref_count != 0)
				return EBUSY;
			aqms[i] = NULL;
			return 0;
		}
	}
	return EINVAL;
}

static struct dn_alg *find_algorithm(const char *name)
{
	for (int i = 0; i < MOST_KINDS; i++)
		if (algorithms[i] && strcasecmp(algorithms[i]->name, name) == 0)
			return algorithms[i];
	return NULL;
}

static struct dn_aqm *find_aqm(const char *name)
{
	for (int i = 0; i < MOST_KINDS; i++)
		if (aqms[i] && strcasecmp(aqms[i]->name, name) == 0)
			return aqms[i];
	return NULL;
}

struct world_scheduler *world_scheduler_new(const char *name, bool mask)
{
	struct dn_alg *algorithm = find_algorithm(name);
	struct world_scheduler *scheduler;

	if (algorithm == NULL)
		return NULL;
	scheduler = malloc(sizeof(*scheduler), M_DUMMYNET, M_WAITOK | M_ZERO);
	scheduler->schk = malloc(sizeof(*scheduler->schk) + algorithm->schk_datalen, M_DUMMYNET,
				 M_WAITOK | M_ZERO);
	scheduler->none.oid.len = sizeof(scheduler->none);
	scheduler->schk->fp = algorithm;
	scheduler->schk->fs = &scheduler->fs;
	scheduler->schk->cfg = &scheduler->none.oid;
	scheduler->schk->sch.flags = mask ? DN_HAVE_MASK : 0;
	world_scheduler_configure(scheduler);
	return scheduler;
}

void world_scheduler_configure(struct world_scheduler *scheduler)
{
	scheduler->schk->fp->config(scheduler->schk);
}

void world_refuse_instances(bool refuse)
{
	refuses_instances = refuse;
}

void world_refuse_laws(bool refuse)
{
	refuses_laws = refuse;
}

/* si_new() */
static bool make_instance(struct world_scheduler *scheduler)
{
	struct dn_alg *algorithm = scheduler->schk->fp;
	struct dn_sch_inst *instance = scheduler->instance;

	if (instance)
		return true;
	instance = malloc(sizeof(*instance) + algorithm->si_datalen, M_DUMMYNET,
			  M_NOWAIT | M_ZERO);
	if (instance == NULL)
		return false;
	instance->sched = scheduler->schk;
	if (algorithm->new_sched(instance) != 0 || refuses_instances) {
		free(instance, M_DUMMYNET);
		return false;
	}
	scheduler->instance = instance;
	return true;
}

bool world_scheduler_start(struct world_scheduler *scheduler)
{
	return make_instance(scheduler) &&
	       sched_instance_begin((struct sched_instance *)scheduler->instance);
}

static void destroy_instance(struct world_scheduler *scheduler)
{
	if (scheduler->instance == NULL)
		return;
	scheduler->schk->fp->free_sched(scheduler->instance);
	memset(scheduler->instance, 0xa5, sizeof(*scheduler->instance));
	free(scheduler->instance, M_DUMMYNET);
	scheduler->instance = NULL;
}

void world_scheduler_delete(struct world_scheduler *scheduler)
{
	destroy_instance(scheduler);
	scheduler->schk->fp->destroy(scheduler->schk);
	free(scheduler->schk, M_DUMMYNET);
	free(scheduler, M_DUMMYNET);
}

/* dummynet looks at the length of the queue behind the instance. */
void world_scheduler_drain(struct world_scheduler *scheduler)
{
	const struct dn_queue *behind = (const struct dn_queue *)(scheduler->instance + 1);

	if (scheduler->instance != NULL && behind->ni.length == 0)
		destroy_instance(scheduler);
}

bool world_scheduler_enqueue(struct world_scheduler *scheduler, struct world_packet *packet)
{
	if (!make_instance(scheduler)) {
		m_freem((struct mbuf *)packet);
		return false;
	}
	return scheduler->schk->fp->enqueue(scheduler->instance, NULL, (struct mbuf *)packet) == 0;
}

struct world_packet *world_scheduler_dequeue(struct world_scheduler *scheduler)
{
	if (!make_instance(scheduler))
		return NULL;
	return (struct world_packet *)scheduler->schk->fp->dequeue(scheduler->instance);
}

uint64_t world_scheduler_p_q32(const struct world_scheduler *scheduler)
{
	const struct sched_instance *instance =
		(const struct sched_instance *)scheduler->instance;

	return dual_host_p_q32(&instance->queue->host);
}

void world_scheduler_show(const struct world_scheduler *scheduler, uint32_t *packets,
			  uint32_t *bytes, uint32_t *drops, uint64_t *arrived)
{
	const struct dn_sch_inst none = {0};
	const struct dn_flow *ni = scheduler->instance ? &scheduler->instance->ni : &none.ni;

	*packets = ni->length;
	*bytes = ni->len_bytes;
	*drops = ni->drops;
	*arrived = ni->tot_pkts;
}

/*
 * config_aqm(); busy flow sets are refused only if world_refuse_laws() says so: what waits
 * otherwise is the worst case.
 */
int world_queue_configure(struct world_queue *queue, const char *name, const int64_t *values)
{
	struct dn_extra_parms parms = {.oid = {.len = sizeof(parms), .subtype = DN_AQM_PARAMS}};
	struct dn_fsk *fs = &queue->fs;
	bool more = values != NULL;
	int error;

	for (int i = 0; i < DN_MAX_EXTRA_PARM; i++) {
		more = more && values[i] != -2;
		parms.par[i] = more ? values[i] : -1;
	}
	if (refuses_laws)
		return EINVAL;
	if (fs->aqmcfg && fs->aqmfp) {
		fs->aqmfp->cleanup(&queue->queue);
		fs->aqmfp->deconfig(fs);
	}
	fs->aqmfp = find_aqm(name);
	if (fs->aqmfp == NULL)
		return EINVAL;
	error = fs->aqmfp->config(fs, &parms, parms.oid.len);
	if (error != 0)
		fs->aqmfp = NULL;
	return error;
}

struct world_queue *world_queue_new(const char *name, const int64_t *values, int slots, bool bytes)
{
	struct world_queue *queue = malloc(sizeof(*queue), M_DUMMYNET, M_WAITOK | M_ZERO);

	queue->fs.fs.qsize = slots;
	queue->fs.fs.flags = bytes ? DN_QSIZE_BYTES : 0;
	queue->queue.fs = &queue->fs;
	queue->queue._si = &queue->instance;
	if (world_queue_configure(queue, name, values) == 0 &&
	    queue->fs.aqmfp->init(&queue->queue) == 0)
		return queue;
	world_queue_delete(queue);
	return NULL;
}

/*
 * A request goes object by object, each with its length and type; an errno.  Where a law is refused
 * there is none: do_config() keeps that to itself.
 */
static int carry_out(const void *bytes, size_t size, struct world_queue *queue)
{
	const struct dn_extra_parms *parms = NULL;
	int error = EINVAL;

	for (size_t at = 0; at + sizeof(struct dn_id) <= size;) {
		const struct dn_id *object = (const struct dn_id *)((const char *)bytes + at);

		if (object->len < sizeof(*object) || object->len > size - at)
			return EINVAL;
		if (at == 0 && (object->type != DN_CMD_CONFIG || object->id != DN_API_VERSION))
			return EINVAL;
		if (object->type == DN_TEXT)
			parms = (const struct dn_extra_parms *)object;
		if (object->type == DN_FS && parms && parms->oid.subtype == DN_AQM_PARAMS) {
			queue->fs.fs = *(const struct dn_fs *)object;
			world_queue_configure(queue, parms->name, parms->par);
			error = 0;
		}
		at += object->len;
	}
	return error;
}

struct world_queue *world_queue_ask(int argc, const char *const *argv, uint32_t *flow_set,
				    uint32_t *scheduler, const char **wrong)
{
	struct dn_extra_parms answer;
	struct world_queue *queue;
	struct request request;
	const char *where;

	*wrong = request_fill(&request, argc, argv, &where);
	if (*wrong)
		return NULL;
	queue = malloc(sizeof(*queue), M_DUMMYNET, M_WAITOK | M_ZERO);
	queue->queue.fs = &queue->fs;
	queue->queue._si = &queue->instance;
	*wrong = carry_out(&request, sizeof(request), queue) ? "dummynet refuses" : NULL;
	request_question(&request, &answer);
	if (queue->fs.aqmfp)
		queue->fs.aqmfp->getconfig(&queue->fs, &answer);
	if (*wrong == NULL)
		*wrong = request_check(&request, &answer);
	if (*wrong) {
		world_queue_delete(queue);
		return NULL;
	}
	*flow_set = queue->fs.fs.fs_nr;
	*scheduler = queue->fs.fs.sched_nr;
	return queue;
}

void world_queue_values(const struct world_queue *queue, int64_t *values)
{
	struct dn_extra_parms parms = {0};

	queue->fs.aqmfp->getconfig((struct dn_fsk *)(uintptr_t)&queue->fs, &parms);
	memcpy(values, parms.par, sizeof(parms.par));
}

void world_queue_lose_law(struct world_queue *queue)
{
	queue->fs.aqmfp->deconfig(&queue->fs);
}

void world_queue_forget_law(struct world_queue *queue)
{
	queue->fs.aqmfp = NULL;
}

void world_queue_delete(struct world_queue *queue)
{
	if (queue->fs.aqmfp) {
		queue->fs.aqmfp->cleanup(&queue->queue);
		dn_free_pkts(queue->queue.mq.head);
		queue->queue.mq.head = NULL;
		queue->fs.aqmfp->deconfig(&queue->fs);
	}
	dn_free_pkts(queue->queue.mq.head);
	free(queue, M_DUMMYNET);
}

bool world_queue_enqueue(struct world_queue *queue, struct world_packet *packet)
{
	return queue->fs.aqmfp->enqueue(&queue->queue, (struct mbuf *)packet) == 0;
}

struct world_packet *world_queue_dequeue(struct world_queue *queue)
{
	return (struct world_packet *)queue->fs.aqmfp->dequeue(&queue->queue);
}

uint32_t world_queue_length(const struct world_queue *queue)
{
	return queue->queue.ni.length;
}
