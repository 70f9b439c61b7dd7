/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets' headers and notes.
 */
#include "kernel/freebsd/packet.h"

#define IP_MIN_BYTES 20
#define IP6_BYTES 40

/* Does the frame's type say so of what follows its header? */
static bool is_ethernet_of(const uint8_t *frame, unsigned version)
{
	const unsigned type = (unsigned)frame[12] << 8 | frame[13];

	return type == (version == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
}

uint8_t packet_ecn(struct mbuf *m)
{
	const int offset = dn_tag_get(m)->iphdr_off;
	const uint8_t *frame = mtod(m, const uint8_t *);
	unsigned version;

	if (m->m_len < offset + IP_MIN_BYTES || m->m_pkthdr.len < offset + IP_MIN_BYTES)
		return AQM_NOT_ECT;
	version = frame[offset] >> 4;
	if ((version != 4 && version != 6) || (version == 6 && m->m_len < offset + IP6_BYTES))
		return AQM_NOT_ECT;
	if (offset == ETHER_HDR_LEN && !is_ethernet_of(frame, version))
		return AQM_NOT_ECT;
	return version == 4 ? frame[offset + 1] & 3 : frame[offset + 1] >> 4 & 3;
}

struct packet_note *packet_note_find(struct mbuf *m)
{
	struct m_tag *tag = m_tag_locate(m, MTAG_ABI_COMPAT, DN_AQM_MTAG_TS, NULL);

	/* Another queue before this one may have left a bare time stamp. */
	if (tag == NULL || tag->m_tag_len != sizeof(struct packet_note))
		return NULL;
	return (struct packet_note *)(tag + 1);
}

void packet_note_remove(struct mbuf *m)
{
	struct m_tag *tag;

	while ((tag = m_tag_locate(m, MTAG_ABI_COMPAT, DN_AQM_MTAG_TS, NULL)) != NULL)
		m_tag_delete(m, tag);
}

static struct m_tag *tag_of(struct packet_note *note)
{
	return (struct m_tag *)note - 1;
}

struct packet_note *packet_note_new(void)
{
	struct m_tag *tag = m_tag_alloc(MTAG_ABI_COMPAT, DN_AQM_MTAG_TS,
					sizeof(struct packet_note), M_NOWAIT);
	struct packet_note *note;

	if (tag == NULL)
		return NULL;
	note = (struct packet_note *)(tag + 1);
	*note = (struct packet_note){0};
	return note;
}

void packet_note_free(struct packet_note *note)
{
	m_tag_free(tag_of(note));
}

void packet_note_attach(struct mbuf *m, struct packet_note *note)
{
	packet_note_remove(m);
	m_tag_prepend(m, tag_of(note));
}

uint32_t packet_length(const struct mbuf *m)
{
	return m->m_pkthdr.len > 0 ? (uint32_t)m->m_pkthdr.len : 1;
}
