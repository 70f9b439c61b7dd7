/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's side: what the modules call, and dummynet's part in calling them.
 *
 * Written against the real headers' names, so that it compiles with them as it does with standin.h.
 */
#include "kernel/freebsd/host.h"
#undef malloc
#undef free

#include "kernel/freebsd/test/world.h"

/* Of the C library, whose headers do not go with a kernel's. */
void *world_c_alloc(size_t size);
void world_c_free(void *block);
int world_c_format(char *text, size_t size, const char *format, __builtin_va_list arguments);

#define SET_OF(set)                                                                                \
	extern const void *const __start_set_##set[] __attribute__((weak));                        \
	extern const void *const __stop_set_##set[] __attribute__((weak))
SET_OF(sysinit_set);
SET_OF(sysuninit_set);

#define MOST_MODULES 16
#define MOST_INITS 32
#define LINE_BYTES 1024

static struct {
	struct world_hooks hooks;
	uint64_t now_ns;
	unsigned fail_one_in, asked;
	long blocks, packets;
	bool interfaces_gone;
	const moduledata_t *modules[MOST_MODULES];
	int module_count;
} world;

#ifdef V_dn_cfg
struct dn_parms standin_vnet_dn_cfg;
#else
struct dn_parms dn_cfg;
unsigned long io_pkt_drop;
#endif
MALLOC_DEFINE(M_DUMMYNET, "dummynet", "dummynet heap");

/* Memory. */

static bool fails(int flags)
{
	return (flags & M_NOWAIT) && world.fail_one_in &&
	       ++world.asked % world.fail_one_in == 0;
}

/* What was not asked to be zeros is anything but. */
static void *allocate(size_t size, int flags)
{
	void *block = fails(flags) ? NULL : world_c_alloc(size);

	if (block == NULL)
		return NULL;
	memset(block, flags & M_ZERO ? 0 : 0xa5, size);
	world.blocks++;
	return block;
}

static void release(void *block)
{
	world.blocks -= block != NULL;
	world_c_free(block);
}

void *standin_malloc(size_t size, struct malloc_type *type, int flags)
{
	(void)type;
	return allocate(size, flags);
}

void standin_free(void *block, struct malloc_type *type)
{
	(void)type;
	release(block);
}

long world_blocks(void)
{
	return world.blocks;
}

long world_packets(void)
{
	return world.packets;
}

unsigned long world_drops(void)
{
#ifdef V_dn_cfg
	return V_dn_cfg.io_pkt_drop;
#else
	return io_pkt_drop;
#endif
}

void world_fail_allocations(unsigned one_in)
{
	world.fail_one_in = one_in;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
	const size_t length = strlen(from), room = size ? size - 1 : 0;
	const size_t kept = length < room ? length : room;

	memcpy(to, from, kept);
	if (size)
		to[kept] = '\0';
	return length;
}

/* Time, chance, the log, locks. */

void world_set_clock(uint64_t now_ns)
{
	world.now_ns = now_ns;
}

/* The least time of which sbttons() makes now_ns. */
void binuptime(struct bintime *bt)
{
	const uint64_t s = world.now_ns / 1000000000, ns = world.now_ns % 1000000000;

	bt->sec = (int64_t)s;
	bt->frac = ((ns << 32) + 999999999) / 1000000000 << 32;
}

uint64_t prng64(void)
{
	return world.hooks.random();
}

void log(int level, const char *format, ...)
{
	char line[LINE_BYTES];
	__builtin_va_list arguments;

	(void)level;
	__builtin_va_start(arguments, format);
	world_c_format(line, sizeof(line), format, arguments);
	__builtin_va_end(arguments);
	if (world.hooks.line)
		world.hooks.line(line);
}

void mtx_init(struct mtx *mtx, const char *name, const char *type, int options)
{
	(void)name;
	(void)type;
	(void)options;
	mtx->held = 0;
}

void mtx_destroy(struct mtx *mtx)
{
	if (mtx->held)
		__builtin_trap();
}

void mtx_lock(struct mtx *mtx)
{
	if (mtx->held++)
		__builtin_trap();
}

void mtx_unlock(struct mtx *mtx)
{
	if (--mtx->held)
		__builtin_trap();
}

/* Modules. */

void module_register_init(const void *data)
{
	const moduledata_t *module = data;

	world.modules[world.module_count++] = module;
	if (module->evhand(NULL, MOD_LOAD, module->priv))
		world.module_count--;
}

static bool comes_before(const struct sysinit *a, const struct sysinit *b)
{
	if ((u_int)a->subsystem != (u_int)b->subsystem)
		return (u_int)a->subsystem < (u_int)b->subsystem;
	return (u_int)a->order < (u_int)b->order;
}

/* All of a linker set by subsystem and order, or the other way round. */
static void run_set(const void *const *start, const void *const *stop, bool backwards)
{
	const struct sysinit *sorted[MOST_INITS];
	int count = 0;

	for (const void *const *at = start; at < stop && count < MOST_INITS; at++) {
		const struct sysinit *init = *at;
		int place = count++;

		for (; place > 0 && comes_before(init, sorted[place - 1]); place--)
			sorted[place] = sorted[place - 1];
		sorted[place] = init;
	}
	for (int i = 0; i < count; i++) {
		const struct sysinit *init = sorted[backwards ? count - 1 - i : i];

		init->func(init->udata);
	}
}

int world_load(const struct world_hooks *hooks)
{
	world.hooks = *hooks;
	world.module_count = 0;
	run_set(__start_set_sysinit_set, __stop_set_sysinit_set, false);
	return world.module_count ? 0 : EINVAL;
}

int world_unload(void)
{
	for (int i = 0; i < world.module_count; i++) {
		const moduledata_t *module = world.modules[i];
		const int error = module->evhand(NULL, MOD_QUIESCE, module->priv);

		if (error != 0 && error != EOPNOTSUPP && error != EINVAL)
			return error;
	}
	while (world.module_count) {
		const moduledata_t *module = world.modules[world.module_count - 1];
		const int error = module->evhand(NULL, MOD_UNLOAD, module->priv);

		if (error != 0)
			return error;
		world.module_count--;
	}
	run_set(__start_set_sysuninit_set, __stop_set_sysuninit_set, true);
	return 0;
}

/* Packets. */

struct m_tag *m_tag_alloc(uint32_t cookie, int type, int length, int wait)
{
	struct m_tag *tag = allocate(sizeof(*tag) + (size_t)length, wait);

	if (tag == NULL)
		return NULL;
	tag->m_tag_cookie = cookie;
	tag->m_tag_id = (uint16_t)type;
	tag->m_tag_len = (uint16_t)length;
	tag->m_tag_free = (void (*)(struct m_tag *))release;
	return tag;
}

struct m_tag *m_tag_locate(struct mbuf *m, uint32_t cookie, int type, struct m_tag *from)
{
	struct m_tag *tag = from ? from->m_tag_link.sle_next : m->m_pkthdr.tags.slh_first;

	while (tag && (tag->m_tag_cookie != cookie || tag->m_tag_id != type))
		tag = tag->m_tag_link.sle_next;
	return tag;
}

void m_tag_delete(struct mbuf *m, struct m_tag *tag)
{
	struct m_tag **at = &m->m_pkthdr.tags.slh_first;

	while (*at != tag)
		at = &(*at)->m_tag_link.sle_next;
	*at = tag->m_tag_link.sle_next;
	tag->m_tag_free(tag);
}

void m_freem(struct mbuf *m)
{
	if (m == NULL)
		return;
	if (world.hooks.freed)
		world.hooks.freed((const struct world_packet *)m);
	world.packets--;
	while (m->m_pkthdr.tags.slh_first)
		m_tag_delete(m, m->m_pkthdr.tags.slh_first);
	while (m) {
		struct mbuf *next = m->m_next;

		release(m);
		m = next;
	}
}

void dn_free_pkts(struct mbuf *first)
{
	while (first) {
		struct mbuf *next = first->m_nextpkt;

		m_freem(first);
		first = next;
	}
}

/* As dummynet's, time stamps in front are in the way and go. */
struct dn_pkt_tag *dn_tag_get(struct mbuf *m)
{
	struct m_tag *tag = m_tag_first(m);

	if (tag && tag->m_tag_id == DN_AQM_MTAG_TS) {
		m_tag_delete(m, tag);
		tag = m_tag_first(m);
	}
	if (tag == NULL || tag->m_tag_id != PACKET_TAG_DUMMYNET)
		__builtin_trap();
	return (struct dn_pkt_tag *)(tag + 1);
}

/* RFC 1624: a header's checksum after one of its 16-bit words changed; in the order of the wire. */
static void adjust_checksum(uint8_t *checksum, unsigned before, unsigned after)
{
	uint32_t sum = (~((uint32_t)checksum[0] << 8 | checksum[1]) & 0xffff) +
		       (~before & 0xffff) + after;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	checksum[0] = (uint8_t)(sum >> 8);
	checksum[1] = (uint8_t)sum;
}

int ecn_mark(struct mbuf *m)
{
	uint8_t *ip = mtodo(m, dn_tag_get(m)->iphdr_off);
	const unsigned before = (unsigned)ip[0] << 8 | ip[1];

	if (world.hooks.marked)
		world.hooks.marked((const struct world_packet *)m);
	if (ip[0] >> 4 == 4) {
		if ((ip[1] & 3) == 0)
			return 0;
		if ((ip[1] & 3) != 3) {
			ip[1] |= 3;
			adjust_checksum(ip + 10, before, (unsigned)ip[0] << 8 | ip[1]);
		}
		return 1;
	}
	if (ip[0] >> 4 != 6 || (ip[1] >> 4 & 3) == 0)
		return 0;
	ip[1] |= 0x30;
	return 1;
}

#if __FreeBSD_version >= 1400000
/* The index stands where the pointer was; twice is a mistake. */
void m_rcvif_serialize(struct mbuf *m)
{
	if ((uintptr_t)m->m_pkthdr.rcvif & 1)
		__builtin_trap();
	m->m_pkthdr.rcvif = (struct ifnet *)((uintptr_t)m->m_pkthdr.rcvif | 1);
}

struct ifnet *m_rcvif_restore(struct mbuf *m)
{
	if (!((uintptr_t)m->m_pkthdr.rcvif & 1))
		__builtin_trap();
	m->m_pkthdr.rcvif = world.interfaces_gone
				    ? NULL
				    : (struct ifnet *)((uintptr_t)m->m_pkthdr.rcvif - 1);
	return m->m_pkthdr.rcvif;
}
#endif

void world_detach_interfaces(bool gone)
{
	world.interfaces_gone = gone;
}

/* One mbuf with room for its bytes behind it. */
static struct mbuf *mbuf_new(const uint8_t *bytes, size_t size)
{
	struct mbuf *m = allocate(sizeof(*m) + size, M_WAITOK | M_ZERO);

	m->m_data = (char *)(m + 1);
	m->m_len = (int32_t)size;
	memcpy(m->m_data, bytes, size);
	return m;
}

struct world_packet *world_packet_new(const void *bytes, size_t size, size_t piece, bool layer2)
{
	const uint8_t *from = bytes;
	struct mbuf *m = mbuf_new(from, size < piece ? size : piece), *last = m;
	struct m_tag *tag;

	for (size_t at = piece; at < size; at += piece) {
		last->m_next = mbuf_new(from + at, size - at < piece ? size - at : piece);
		last = last->m_next;
	}
	m->m_pkthdr.len = (int32_t)size;
	m->m_pkthdr.rcvif = (struct ifnet *)(uintptr_t)0x1000;
	tag = m_tag_alloc(MTAG_ABI_COMPAT, PACKET_TAG_DUMMYNET, sizeof(struct dn_pkt_tag),
			  M_WAITOK);
	((struct dn_pkt_tag *)(tag + 1))->iphdr_off = layer2 ? ETHER_HDR_LEN : 0;
	m_tag_prepend(m, tag);
	world.packets++;
	return (struct world_packet *)m;
}

void world_packet_free(struct world_packet *packet)
{
	m_freem((struct mbuf *)packet);
}

size_t world_packet_read(const struct world_packet *packet, void *bytes, size_t room)
{
	size_t at = 0;

	for (const struct mbuf *m = (const struct mbuf *)packet; m; m = m->m_next)
		for (int32_t i = 0; i < m->m_len && at < room; i++)
			((uint8_t *)bytes)[at++] = (uint8_t)m->m_data[i];
	return at;
}
