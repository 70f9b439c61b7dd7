/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the modules use of FreeBSD's kernel, written for the tests: no more members, constants and
 * functions than that, in no kernel's layout.  STANDIN_VERSION, 1300000 or 1400000 and above,
 * chooses between one dummynet (13) and one in each network stack (14).
 *
 * kernel/freebsd/README.md says how it was held against the real headers.
 */
#ifndef STANDIN_H
#define STANDIN_H

/* sys/param.h, sys/types.h, sys/stdint.h, sys/systm.h, sys/libkern.h */
#define __FreeBSD_version STANDIN_VERSION
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INTMAX_TYPE__ intmax_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __SIZE_TYPE__ size_t;
typedef uint32_t u_int32_t;
typedef unsigned int u_int;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)
#define INT64_C(c) c##L
#define UINT64_C(c) c##UL
#define UINT32_C(c) c##U
#define INT8_MIN (-128)
#define INT16_MIN (-32768)
#define INT16_MAX 32767
#define INT32_MAX 2147483647
#define UINT32_MAX 4294967295U
#define UINT64_MAX 18446744073709551615UL
#define INTMAX_MAX 9223372036854775807L
#define offsetof(type, member) __builtin_offsetof(type, member)
#define ENOMEM 12
#define EBUSY 16
#define EINVAL 22
#define EOPNOTSUPP 45

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
size_t strlen(const char *text);
int strncmp(const char *a, const char *b, size_t size);
int strcmp(const char *a, const char *b);
int strcasecmp(const char *a, const char *b);
size_t strlcpy(char *to, const char *from, size_t size);

/* sys/prng.h, sys/time.h */
typedef int64_t sbintime_t;
struct bintime {
	int64_t sec;
	uint64_t frac;
};
uint64_t prng64(void);
void binuptime(struct bintime *bt);

static inline sbintime_t sbinuptime(void)
{
	struct bintime now;

	binuptime(&now);
	return (sbintime_t)(((uint64_t)now.sec << 32) + (now.frac >> 32));
}

static inline int64_t sbttons(sbintime_t time)
{
	const uint64_t rest = (uint64_t)time & 0xffffffffU;

	return (int64_t)(((uint64_t)time >> 32) * 1000000000 + (rest * 1000000000 >> 32));
}

/* sys/queue.h */
#define SLIST_HEAD(name, type)                                                                     \
	struct name {                                                                              \
		struct type *slh_first;                                                            \
	}
#define SLIST_ENTRY(type)                                                                          \
	struct {                                                                                   \
		struct type *sle_next;                                                             \
	}

/* sys/malloc.h.  Names that the C library has too are renamed, here and below. */
struct malloc_type {
	const char *name;
};
#define M_NOWAIT 1
#define M_WAITOK 2
#define M_ZERO 0x100
#define MALLOC_DEFINE(type, shortdesc, longdesc) struct malloc_type type[1] = {{shortdesc}}
extern struct malloc_type M_DUMMYNET[1];
void *standin_malloc(size_t size, struct malloc_type *type, int flags);
void standin_free(void *block, struct malloc_type *type);
#define malloc standin_malloc
#define free standin_free

/* sys/syslog.h */
#define LOG_ERR 3
#define LOG_INFO 6
#define log standin_log
void log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* sys/lock.h, sys/mutex.h */
struct mtx {
	int held;
};
#define MTX_DEF 0
#define mtx_init standin_mtx_init
#define mtx_destroy standin_mtx_destroy
#define mtx_lock standin_mtx_lock
#define mtx_unlock standin_mtx_unlock
void mtx_init(struct mtx *mtx, const char *name, const char *type, int options);
void mtx_destroy(struct mtx *mtx);
void mtx_lock(struct mtx *mtx);
void mtx_unlock(struct mtx *mtx);

/* sys/linker_set.h, sys/kernel.h, sys/module.h */
#define SET_ENTRY(set, object)                                                                     \
	static const void *const in_##set##_##object                                               \
		__attribute__((section("set_" #set), used)) = &object
struct sysinit {
	u_int subsystem;
	u_int order;
	void (*func)(const void *);
	const void *udata;
};
#define SI_SUB_PROTO_FIREWALL 0x8806000
#define SI_SUB_PROTO_IFATTACHDOMAIN 0x8800001
#define SI_ORDER_MIDDLE 0x1000000
#define SI_ORDER_ANY 0xfffffff
#define SYSINIT(name, sub, ord, function, data)                                                    \
	static struct sysinit name##_init = {sub, ord, (void (*)(const void *))function, data};    \
	SET_ENTRY(sysinit_set, name##_init)
#define SYSUNINIT(name, sub, ord, function, data)                                                  \
	static struct sysinit name##_uninit = {sub, ord, (void (*)(const void *))function, data};  \
	SET_ENTRY(sysuninit_set, name##_uninit)

typedef struct module *module_t;
typedef int (*modeventhand_t)(module_t module, int event, void *argument);
typedef struct moduledata {
	const char *name;
	modeventhand_t evhand;
	void *priv;
} moduledata_t;
enum { MOD_LOAD, MOD_UNLOAD, MOD_SHUTDOWN, MOD_QUIESCE };
void module_register_init(const void *data);
#define DECLARE_MODULE(name, data, sub, order)                                                     \
	SYSINIT(name##module, sub, order, module_register_init, &data)
#define MODULE_DEPEND(module, other, least, preferred, most)                                       \
	static const int module##_needs_##other __attribute__((unused)) = preferred
#define MODULE_VERSION(module, number)                                                             \
	static const int module##_version __attribute__((unused)) = number

/* sys/sysctl.h */
struct sysctl_oid;
struct sysctl_oid_list {
	struct sysctl_oid *slh_first;
};
struct sysctl_req {
	void *oldptr;
	size_t oldlen, oldidx;
	int (*oldfunc)(struct sysctl_req *, const void *, size_t);
	const void *newptr;
	size_t newlen, newidx;
	int (*newfunc)(struct sysctl_req *, void *, size_t);
};
#define SYSCTL_HANDLER_ARGS                                                                        \
	struct sysctl_oid *oidp, void *arg1, intmax_t arg2, struct sysctl_req *req
struct sysctl_oid {
	struct sysctl_oid_list oid_children;
	struct sysctl_oid *oid_link;
	const char *oid_name;
	void *oid_arg1;
	intmax_t oid_arg2;
	int (*oid_handler)(SYSCTL_HANDLER_ARGS);
};
struct sysctl_ctx_list {
	void *tqh_first;
};
#define OID_AUTO (-1)
#define CTLTYPE_NODE 1
#define CTLTYPE_STRING 3
#define CTLTYPE_S64 4
#define CTLFLAG_RW 0xc0000000
#define CTLFLAG_MPSAFE 0x40000
#define CTLFLAG_SKIP 0x1000000
#define SYSCTL_DECL(name) extern struct sysctl_oid sysctl__##name
#define SYSCTL_CHILDREN(oid) (&(oid)->oid_children)
#define SYSCTL_STATIC_CHILDREN(name) (&sysctl__##name.oid_children)
#define SYSCTL_IN(req, to, size) (req)->newfunc(req, to, size)
#define SYSCTL_OUT(req, from, size) (req)->oldfunc(req, from, size)
#define SYSCTL_ADD_NODE(context, parent, number, name, access, handler, text)                      \
	sysctl_add_oid(context, parent, number, name, (int)(CTLTYPE_NODE | (access)), NULL, 0,     \
		       handler, "N", text, NULL)
#define SYSCTL_ADD_PROC(context, parent, number, name, access, ptr, arg, handler, format, text)    \
	sysctl_add_oid(context, parent, number, name, (int)(access), ptr, arg, handler, format,    \
		       text, NULL)
struct sysctl_oid *sysctl_add_oid(struct sysctl_ctx_list *context, struct sysctl_oid_list *parent,
				  int number, const char *name, int kind, void *arg1,
				  intmax_t arg2, int (*handler)(SYSCTL_HANDLER_ARGS),
				  const char *format, const char *text, const char *label);
int sysctl_ctx_init(struct sysctl_ctx_list *context);
int sysctl_ctx_free(struct sysctl_ctx_list *context);
int sysctl_handle_64(SYSCTL_HANDLER_ARGS);

/* sys/mbuf.h */
struct m_tag {
	SLIST_ENTRY(m_tag) m_tag_link;
	uint16_t m_tag_id;
	uint16_t m_tag_len;
	uint32_t m_tag_cookie;
	void (*m_tag_free)(struct m_tag *);
};
struct ifnet;
struct pkthdr {
	struct ifnet *rcvif;
	SLIST_HEAD(packet_tags, m_tag) tags;
	int32_t len;
};
struct mbuf {
	struct mbuf *m_next;
	struct mbuf *m_nextpkt;
	char *m_data;
	int32_t m_len;
	struct pkthdr m_pkthdr;
};
#define MTAG_ABI_COMPAT 0
#define PACKET_TAG_DUMMYNET 15
#define mtod(m, type) ((type)((m)->m_data))
#define mtodo(m, offset) ((void *)((m)->m_data + (offset)))
struct m_tag *m_tag_alloc(uint32_t cookie, int type, int length, int wait);
void m_tag_delete(struct mbuf *m, struct m_tag *tag);
struct m_tag *m_tag_locate(struct mbuf *m, uint32_t cookie, int type, struct m_tag *from);
void m_freem(struct mbuf *m);

static inline void m_tag_free(struct m_tag *tag)
{
	tag->m_tag_free(tag);
}

static inline struct m_tag *m_tag_first(struct mbuf *m)
{
	return m->m_pkthdr.tags.slh_first;
}

static inline void m_tag_prepend(struct mbuf *m, struct m_tag *tag)
{
	tag->m_tag_link.sle_next = m->m_pkthdr.tags.slh_first;
	m->m_pkthdr.tags.slh_first = tag;
}
#if STANDIN_VERSION >= 1400000
void m_rcvif_serialize(struct mbuf *m);
struct ifnet *m_rcvif_restore(struct mbuf *m);
#endif

/* net/ethernet.h */
#define ETHER_HDR_LEN 14
#define ETHERTYPE_IP 0x0800
#define ETHERTYPE_IPV6 0x86dd

/* netinet/ip_dummynet.h */
#define NEW_AQM
#define DN_API_VERSION 12500000
#define DN_MAX_ID 0x10000
struct dn_id {
	uint16_t len;
	uint8_t type;
	uint8_t subtype;
	uint32_t id;
};
enum { DN_FS = 2, DN_SCH = 3, DN_SCH_I = 4, DN_QUEUE = 5 };
enum { DN_CMD_CONFIG = 0x80, DN_CMD_GET = 0x82, DN_TEXT = 9 };
enum { DN_AQM_PARAMS = 0x89, DN_SCH_PARAMS = 0x8a };
enum { DN_HAVE_MASK = 0x0001, DN_QSIZE_BYTES = 0x0008, DN_IS_AQM = 0x0100 };
struct dn_fs {
	struct dn_id oid;
	uint32_t fs_nr;
	uint32_t flags;
	int qsize;
	uint32_t sched_nr;
	int par[4];
};
struct dn_flow {
	struct dn_id oid;
	uint64_t tot_pkts;
	uint64_t tot_bytes;
	uint32_t length;
	uint32_t len_bytes;
	uint32_t drops;
};
struct dn_sch {
	uint32_t sched_nr;
	uint32_t flags;
	char name[16];
};
#define DN_MAX_EXTRA_PARM 10
struct dn_extra_parms {
	struct dn_id oid;
	char name[16];
	uint32_t nr;
	int64_t par[DN_MAX_EXTRA_PARM];
};

/* netpfil/ipfw/ip_fw_private.h, ip_dn_private.h */
#define FREE_PKT(m) m_freem(m)
struct mq {
	struct mbuf *head, *tail;
	int count;
};
struct dn_parms {
	unsigned long io_pkt_drop;
	uint64_t curr_time;
};
struct dn_fsk {
	struct dn_fs fs;
	struct dn_aqm *aqmfp;
	void *aqmcfg;
};
struct dn_queue {
	struct dn_flow ni;
	struct mq mq;
	struct dn_sch_inst *_si;
	struct dn_fsk *fs;
	uint64_t q_time;
	void *aqm_status;
};
struct dn_schk {
	struct dn_sch sch;
	struct dn_alg *fp;
	struct dn_id *cfg;
	struct dn_fsk *fs;
};
struct dn_sch_inst {
	struct dn_flow ni;
	struct dn_schk *sched;
};
struct dn_pkt_tag {
	int dn_dir;
	uint16_t iphdr_off;
};
#if STANDIN_VERSION >= 1400000
extern struct dn_parms standin_vnet_dn_cfg;
#define V_dn_cfg standin_vnet_dn_cfg
#else
extern struct dn_parms dn_cfg;
extern unsigned long io_pkt_drop;
#endif
struct dn_pkt_tag *dn_tag_get(struct mbuf *m);
int ecn_mark(struct mbuf *m);

static inline void set_oid(struct dn_id *oid, int type, int len)
{
	oid->type = (uint8_t)type;
	oid->len = (uint16_t)len;
	oid->subtype = 0;
}

static inline void mq_append(struct mq *queue, struct mbuf *m)
{
	if (queue->head == NULL)
		queue->head = m;
	else
		queue->tail->m_nextpkt = m;
	queue->tail = m;
	queue->count++;
	m->m_nextpkt = NULL;
}

/* netpfil/ipfw/dn_aqm.h */
#define DN_AQM_MTAG_TS 55345
#define DN_AQM_NAME_MAX 50
struct dn_aqm {
	char name[DN_AQM_NAME_MAX];
	uint32_t type;
	int (*enqueue)(struct dn_queue *, struct mbuf *);
	struct mbuf *(*dequeue)(struct dn_queue *);
	int (*config)(struct dn_fsk *, struct dn_extra_parms *, int);
	int (*deconfig)(struct dn_fsk *);
	int (*init)(struct dn_queue *);
	int (*cleanup)(struct dn_queue *);
	int (*getconfig)(struct dn_fsk *, struct dn_extra_parms *);
	int ref_count;
	int cfg_ref_count;
};
int dn_aqm_modevent(module_t module, int command, void *argument);
#define DECLARE_DNAQM_MODULE(name, dnaqm)                                                          \
	static moduledata_t name##_mod = {#name, dn_aqm_modevent, dnaqm};                          \
	DECLARE_MODULE(name, name##_mod, SI_SUB_PROTO_IFATTACHDOMAIN, SI_ORDER_ANY);               \
	MODULE_DEPEND(name, dummynet, 3, 3, 3)

/* Positive: enqueued, negative: dequeued; `drop`: counted as such, lengths stay. */
static inline void update_stats(struct dn_queue *q, int len, int drop)
{
	struct dn_flow *const both[] = {&q->ni, &q->_si->ni};

	for (int i = 0; i < 2; i++) {
		if (drop) {
			both[i]->drops++;
		} else {
			both[i]->length += (uint32_t)((len > 0) - (len < 0));
			both[i]->len_bytes += (uint32_t)len;
		}
	}
#if STANDIN_VERSION >= 1400000
	V_dn_cfg.io_pkt_drop += drop != 0;
#else
	io_pkt_drop += drop != 0;
#endif
}

/* netpfil/ipfw/dn_sched.h */
struct dn_alg {
	uint32_t type;
	const char *name;
	uint32_t flags;
	size_t schk_datalen;
	size_t si_datalen;
	size_t q_datalen;
	int (*enqueue)(struct dn_sch_inst *, struct dn_queue *, struct mbuf *);
	struct mbuf *(*dequeue)(struct dn_sch_inst *);
	int (*config)(struct dn_schk *);
	int (*destroy)(struct dn_schk *);
	int (*new_sched)(struct dn_sch_inst *);
	int (*free_sched)(struct dn_sch_inst *);
	int (*getconfig)(struct dn_schk *, struct dn_extra_parms *);
	int ref_count;
};
void dn_free_pkts(struct mbuf *first);
int dn_sched_modevent(module_t module, int command, void *argument);
#define DECLARE_DNSCHED_MODULE(name, dnsched)                                                      \
	static moduledata_t name##_mod = {#name, dn_sched_modevent, dnsched};                      \
	DECLARE_MODULE(name, name##_mod, SI_SUB_PROTO_FIREWALL, SI_ORDER_ANY);                     \
	MODULE_DEPEND(name, dummynet, 3, 3, 3)

#endif
