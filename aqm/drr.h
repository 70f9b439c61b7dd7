/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Deficit round robin with priority for new flows (RFC 8290 section 4.2), as the
 * walk over flows that every host shares.
 *
 * A flow that gets its first packet is NEW; new flows are served before OLD ones.
 * A flow whose deficit is used up is granted more bytes and goes to the end of the
 * old ones (`renew`; where grants are so small that they would not do for many
 * rounds, it is PARKED meanwhile).  A flow that is found empty leaves the walk;
 * what then becomes of it the host says (`vacate`): RFC 8290 sends an empty new
 * flow once through the old ones, so that it cannot stay new by pausing briefly.
 * SETTLING flows hold no packet, but state that has not come to rest yet.  Only
 * new and old flows are walked over.
 *
 * The host embeds `struct aqm_drr_flow` in its flows and passes three constant
 * functions, which fold into the walk.  Each turn of the loop either serves a
 * packet, grants, or takes a flow out: O(1) per packet while a grant is at least
 * a packet.
 */
#ifndef AQM_DRR_H
#define AQM_DRR_H

#include "aqm/platform.h"

/* Which list a flow is on. */
enum aqm_drr_place {
	AQM_DRR_NEW,
	AQM_DRR_OLD,
	AQM_DRR_PARKED,
	AQM_DRR_SETTLING,
	AQM_DRR_PLACES,
};
#define AQM_DRR_NOWHERE AQM_DRR_PLACES

struct aqm_drr_flow {
	struct aqm_drr_flow *next, *previous;
	int64_t deficit_bytes; /* may be sent before the next grant; may fall below 0 by a packet */
	uint8_t place;	       /* enum aqm_drr_place */
};

struct aqm_drr {
	struct aqm_drr_flow lists[AQM_DRR_PLACES]; /* heads of circular lists */
};

AQM_INLINE void aqm_drr_init(struct aqm_drr *drr)
{
	for (int i = 0; i < AQM_DRR_PLACES; i++)
		drr->lists[i].next = drr->lists[i].previous = &drr->lists[i];
}

/* First flow of a list, or NULL. */
AQM_INLINE struct aqm_drr_flow *aqm_drr_first(struct aqm_drr *drr, enum aqm_drr_place place)
{
	struct aqm_drr_flow *list = &drr->lists[place];

	return list->next == list ? NULL : list->next;
}

/* The flow behind `flow` on its list, or NULL. */
AQM_INLINE struct aqm_drr_flow *aqm_drr_next(struct aqm_drr *drr, const struct aqm_drr_flow *flow)
{
	return flow->next == &drr->lists[flow->place] ? NULL : flow->next;
}

/* Takes a flow off its list, if it is on one. */
AQM_INLINE void aqm_drr_remove(struct aqm_drr_flow *flow)
{
	if (flow->place == AQM_DRR_NOWHERE)
		return;
	flow->previous->next = flow->next;
	flow->next->previous = flow->previous;
	flow->place = AQM_DRR_NOWHERE;
}

/* Puts a flow at the end of a list, from wherever it is. */
AQM_INLINE void aqm_drr_move(struct aqm_drr *drr, struct aqm_drr_flow *flow,
			     enum aqm_drr_place place)
{
	struct aqm_drr_flow *list = &drr->lists[place];

	aqm_drr_remove(flow);
	flow->next = list;
	flow->previous = list->previous;
	list->previous->next = flow;
	list->previous = flow;
	flow->place = (uint8_t)place;
}

/*
 * The next packet to send, or NULL when no flow has one.
 *
 * renew: adds to the deficit of a flow that has used it up, and moves the flow to the end of the
 * old ones or parks it; a deficit that stays at or below 0 means another round.  take: the flow's
 * next packet and its length, or NULL when it holds none (more).  vacate: takes an empty flow off
 * its list, or moves it.
 */
AQM_INLINE void *aqm_drr_dequeue(struct aqm_drr *drr, void *context,
				 void (*renew)(void *context, struct aqm_drr_flow *flow),
				 void *(*take)(void *context, struct aqm_drr_flow *flow,
					       uint32_t *len_bytes),
				 void (*vacate)(void *context, struct aqm_drr_flow *flow))
{
	for (;;) {
		struct aqm_drr_flow *flow = aqm_drr_first(drr, AQM_DRR_NEW);
		uint32_t len_bytes = 0;
		void *packet;

		if (flow == NULL)
			flow = aqm_drr_first(drr, AQM_DRR_OLD);
		if (flow == NULL)
			return NULL;
		if (flow->deficit_bytes <= 0) {
			renew(context, flow);
			continue;
		}
		packet = take(context, flow, &len_bytes);
		if (packet != NULL) {
			flow->deficit_bytes -= len_bytes;
			return packet;
		}
		vacate(context, flow);
	}
}

#endif
