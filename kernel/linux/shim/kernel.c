// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Lists of packets and a header checksum, in the plainest way.
 */
#include "kernel/linux/shim/kernel.h"

struct shim_net init_net;

static u32 skbs_held;

u32 shim_skbs_held(void)
{
	return skbs_held;
}

struct sk_buff *alloc_skb(u32 room, gfp_t flags)
{
	struct sk_buff *skb = kzalloc(sizeof(*skb) + room, flags);

	skbs_held += skb != NULL;
	return skb;
}

void kfree_skb(struct sk_buff *skb)
{
	skbs_held -= skb != NULL;
	free(skb);
}

void kfree_skb_list(struct sk_buff *list)
{
	while (list) {
		struct sk_buff *next = list->next;

		kfree_skb(list);
		list = next;
	}
}

/* RFC 1071 over `words` words of 32 bits; 0 where the header's own field is right. */
u16 ip_fast_csum(const u8 *header, u32 words)
{
	u32 sum = 0;

	for (u32 i = 0; i < 4 * words; i += 2) {
		u16 word;

		memcpy(&word, header + i, sizeof(word));
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

int INET_ECN_set_ce(struct sk_buff *skb)
{
	struct iphdr *header = ip_hdr(skb);

	if ((header->tos & INET_ECN_MASK) == 0)
		return 0;
	header->tos |= INET_ECN_MASK;
	ip_send_check(header);
	return 1;
}

void __qdisc_enqueue_tail(struct sk_buff *skb, struct qdisc_skb_head *list)
{
	skb->next = NULL;
	if (list->tail)
		list->tail->next = skb;
	else
		list->head = skb;
	list->tail = skb;
	list->qlen++;
}

struct sk_buff *__qdisc_dequeue_head(struct qdisc_skb_head *list)
{
	struct sk_buff *skb = list->head;

	if (!skb)
		return NULL;
	list->head = skb->next;
	if (!list->head)
		list->tail = NULL;
	skb->next = NULL;
	list->qlen--;
	return skb;
}

void __qdisc_reset_queue(struct qdisc_skb_head *list)
{
	kfree_skb_list(list->head);
	*list = (struct qdisc_skb_head){0};
}

struct Qdisc *qdisc_create_dflt(void *queue, const struct Qdisc_ops *ops, u32 parent,
				struct netlink_ext_ack *extack)
{
	struct Qdisc *sch = calloc(1, sizeof(*sch) + (size_t)ops->priv_size);

	(void)queue;
	(void)parent;
	if (!sch)
		return NULL;
	sch->ops = ops;
	if (ops->init(sch, NULL, extack) == 0)
		return sch;
	free(sch);
	return NULL;
}

void qdisc_put(struct Qdisc *sch)
{
	sch->ops->reset(sch);
	sch->ops->destroy(sch);
	free(sch);
}

struct sk_buff *qdisc_peek_dequeued(struct Qdisc *sch)
{
	(void)sch;
	return NULL;
}

int gnet_stats_copy_app(struct gnet_dump *dump, void *stats, int size)
{
	(void)dump;
	(void)stats;
	(void)size;
	return 0;
}

u64 ktime_get_ns(void)
{
	return 0;
}

u64 get_random_u64(void)
{
	return 0;
}
