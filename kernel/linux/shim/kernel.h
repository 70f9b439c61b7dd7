/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * As much of Linux as the qdisc's decision part asks for, in user space: qdisc.c, log.c and
 * vectors.c compile against this as they are.  What every <linux/...> and <net/...> of theirs
 * includes; kernel.c has the functions.
 *
 * A packet is one block of memory with its IP header at the start.  There is one thread, no lock,
 * and no clock: the vectors bring their own.
 */
#ifndef AQMLLM_SHIM_KERNEL_H
#define AQMLLM_SHIM_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long u64;
typedef long long s64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;
typedef unsigned long ulong;
typedef unsigned int gfp_t;
typedef u64 __u64;

#define U64_MAX UINT64_MAX
#define U32_MAX UINT32_MAX
#undef __always_inline /* glibc's */
#define __always_inline inline __attribute__((always_inline))
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define htons(value) ((u16)__builtin_bswap16(value))
#else
#define htons(value) ((u16)(value))
#endif
#define __packed __attribute__((packed))
#define __aligned(bytes) __attribute__((aligned(bytes)))
#define __read_mostly
#define THIS_MODULE NULL
#define GFP_KERNEL 0
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 1, 0)

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

static inline u32 roundup_pow_of_two(u32 value)
{
	u32 power = 1;

	while (power < value)
		power *= 2;
	return power;
}

/* Memory. */
static inline void *kzalloc(size_t size, gfp_t flags)
{
	(void)flags;
	return calloc(1, size);
}

static inline void *kvcalloc(size_t count, size_t size, gfp_t flags)
{
	(void)flags;
	return calloc(count, size);
}

#define kvzalloc kzalloc
#define kfree free
#define kvfree free

static inline void strscpy(char *to, const char *from, size_t size)
{
	strncpy(to, from, size - 1);
	to[size - 1] = '\0';
}

/* Packets. */
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define NETIF_F_GSO_MASK 1ULL
#define QDISC_CB_PRIV_LEN 20

struct iphdr {
	u8 ihl : 4, version : 4;
	u8 tos;
	u16 tot_len, id, frag_off;
	u8 ttl, protocol;
	u16 check;
	u32 saddr, daddr;
};

struct ipv6hdr {
	u8 bytes[40];
};

struct sk_buff {
	struct sk_buff *next;
	u32 len;
	u16 protocol;
	char cb[48] __aligned(8);
	u8 data[] __aligned(8);
};

struct qdisc_skb_cb {
	u32 pkt_len;
	u32 unused;
	u8 data[QDISC_CB_PRIV_LEN];
};

struct sk_buff *alloc_skb(u32 room, gfp_t flags);
void kfree_skb(struct sk_buff *skb);
void kfree_skb_list(struct sk_buff *list);
u32 shim_skbs_held(void); /* allocated and not freed */
u16 ip_fast_csum(const u8 *header, u32 words);
int INET_ECN_set_ce(struct sk_buff *skb);

static inline struct qdisc_skb_cb *qdisc_skb_cb(const struct sk_buff *skb)
{
	return (struct qdisc_skb_cb *)(uintptr_t)skb->cb;
}

static inline void *skb_put_zero(struct sk_buff *skb, u32 bytes)
{
	skb->len += bytes;
	return skb->data;
}

static inline struct iphdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct iphdr *)(uintptr_t)skb->data;
}

static inline void ip_send_check(struct iphdr *header)
{
	header->check = 0;
	header->check = ip_fast_csum((const u8 *)header, header->ihl);
}

#define qdisc_cb_private_validate(skb, size)                                                       \
	_Static_assert((size) <= QDISC_CB_PRIV_LEN, "too much for a control block")
#define skb_reset_network_header(skb) ((void)(skb))
#define skb_network_offset(skb) 0
#define skb_protocol(skb, whatever) ((skb)->protocol)
#define pskb_may_pull(skb, bytes) ((skb)->len >= (u32)(bytes))
#define ipv4_get_dsfield(header) ((header)->tos)
#define ipv6_hdr(skb) ((const struct ipv6hdr *)(skb)->data)
#define ipv6_get_dsfield(header) ((u8)((header)->bytes[0] << 4 | (header)->bytes[1] >> 4))
#define INET_ECN_MASK 3
#define qdisc_pkt_len(skb) (qdisc_skb_cb(skb)->pkt_len)

/* No packet here stands for several. */
#define skb_is_gso(skb) ((void)(skb), false)
#define netif_skb_features(skb) 0ULL
#define skb_gso_segment(skb, features) ((void)(features), (skb))
#define IS_ERR_OR_NULL(pointer) ((pointer) == NULL)
#define skb_list_walk_safe(first, at, following)                                                   \
	for ((at) = (first); (at) && ((following) = (at)->next, true); (at) = (following))
#define skb_mark_not_on_list(skb) ((skb)->next = NULL)
#define consume_skb kfree_skb

/* Qdiscs. */
#define NET_XMIT_SUCCESS 0
#define NET_XMIT_DROP 1

struct qdisc_skb_head {
	struct sk_buff *head, *tail;
	u32 qlen;
};

struct nlattr;
struct netlink_ext_ack;
struct gnet_dump;
struct Qdisc;

struct Qdisc_ops {
	char id[16];
	int priv_size;
	int (*enqueue)(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free);
	struct sk_buff *(*dequeue)(struct Qdisc *sch);
	struct sk_buff *(*peek)(struct Qdisc *sch);
	int (*init)(struct Qdisc *sch, struct nlattr *options, struct netlink_ext_ack *extack);
	void (*reset)(struct Qdisc *sch);
	void (*destroy)(struct Qdisc *sch);
	int (*change)(struct Qdisc *sch, struct nlattr *options, struct netlink_ext_ack *extack);
	int (*dump)(struct Qdisc *sch, struct sk_buff *skb);
	int (*dump_stats)(struct Qdisc *sch, struct gnet_dump *dump);
	void *owner;
};

struct Qdisc {
	const struct Qdisc_ops *ops;
	struct qdisc_skb_head q;
	struct {
		u32 backlog, drops;
	} qstats;
	u64 privdata[] __aligned(16);
};

#define qdisc_priv(sch) ((void *)(sch)->privdata)

struct Qdisc *qdisc_create_dflt(void *queue, const struct Qdisc_ops *ops, u32 parent,
				struct netlink_ext_ack *extack);
void qdisc_put(struct Qdisc *sch);
struct sk_buff *qdisc_peek_dequeued(struct Qdisc *sch);
void __qdisc_enqueue_tail(struct sk_buff *skb, struct qdisc_skb_head *list);
struct sk_buff *__qdisc_dequeue_head(struct qdisc_skb_head *list);
void __qdisc_reset_queue(struct qdisc_skb_head *list);
int gnet_stats_copy_app(struct gnet_dump *dump, void *stats, int size);
u64 ktime_get_ns(void);
u64 get_random_u64(void);

static inline void __qdisc_drop(struct sk_buff *skb, struct sk_buff **to_free)
{
	skb->next = *to_free;
	*to_free = skb;
}

#define qdisc_qstats_drop(sch) ((sch)->qstats.drops++)
#define qdisc_qstats_backlog_inc(sch, skb) ((sch)->qstats.backlog += qdisc_pkt_len(skb))
#define qdisc_qstats_backlog_dec(sch, skb) ((sch)->qstats.backlog -= qdisc_pkt_len(skb))
#define qdisc_bstats_update(sch, skb) ((void)(sch), (void)(skb))
#define qdisc_tree_reduce_backlog(sch, packets, bytes)                                             \
	((void)(sch), (void)(packets), (void)(bytes))

static inline int qdisc_drop(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free)
{
	__qdisc_drop(skb, to_free);
	qdisc_qstats_drop(sch);
	return NET_XMIT_DROP;
}

/* Nobody else is here. */
#define sch_tree_lock(sch) ((void)(sch))
#define sch_tree_unlock(sch) ((void)(sch))
#define rtnl_lock() ((void)0)
#define rtnl_unlock() ((void)0)
#define local_bh_disable() ((void)0)
#define local_bh_enable() ((void)0)
#define cond_resched() ((void)0)
#define netdev_get_tx_queue(device, index) (device)
struct shim_net {
	void *loopback_dev;
};
extern struct shim_net init_net;

/* A tracepoint calls shim_NAME(). */
struct aqm_record;
void shim_aqmllm_packet(const char *device, const struct aqm_record *record);
#define TP_PROTO(...) __VA_ARGS__
#define TP_ARGS(...) __VA_ARGS__
#define TRACE_EVENT(name, proto, arguments, ...) SHIM_TRACE(name, (proto), (arguments))
#define SHIM_TRACE(name, proto, arguments)                                                         \
	static inline void trace_##name proto { shim_##name arguments; }

#endif
