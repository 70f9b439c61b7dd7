/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only door to FreeBSD: its headers, what differs between 13 and 14, and what the modules ask
 * of a kernel in the words of this project.
 *
 * FreeBSD 13 has one dummynet (`dn_cfg`, `io_pkt_drop`); 14 has one in each network stack
 * (`V_dn_cfg`), whose packets remember the interface that they came in by as a number while they
 * wait, because it may go.
 */
#ifndef KERNEL_FREEBSD_HOST_H
#define KERNEL_FREEBSD_HOST_H

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/module.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/prng.h>
#include <sys/rwlock.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/syslog.h>
#include <sys/time.h>

#include <net/if.h>
#include <net/ethernet.h>
#include <net/vnet.h>
#include <netinet/in.h>
#include <netinet/ip_var.h>
#include <netinet/ip_fw.h>
#include <netinet/ip_dummynet.h>
#include <netpfil/ipfw/ip_fw_private.h>
#include <netpfil/ipfw/dn_heap.h>
#include <netpfil/ipfw/ip_dn_private.h>
#include <netpfil/ipfw/dn_aqm.h>
#include <netpfil/ipfw/dn_sched.h>

#if __FreeBSD_version < 1300000
#error "FreeBSD 13 or later"
#endif

#ifdef V_dn_cfg
#define host_dummynet V_dn_cfg
#else
#define host_dummynet dn_cfg
#endif

SYSCTL_DECL(_net_inet_ip_dummynet);

/* Of this machine, in ns; does not run backwards. */
static inline uint64_t host_clock_ns(void)
{
	return (uint64_t)sbttons(sbinuptime());
}

/* 64 bits for a packet. */
static inline uint64_t host_random(void)
{
	return prng64();
}

/* Adds to dummynet's count of dropped packets. */
static inline void host_count_drop(void)
{
#ifdef V_dn_cfg
	V_dn_cfg.io_pkt_drop++;
#else
	io_pkt_drop++;
#endif
}

/* A packet is about to wait. */
static inline void host_hold(struct mbuf *m)
{
#if __FreeBSD_version >= 1400000
	m_rcvif_serialize(m);
#else
	(void)m;
#endif
}

/* It has waited; false: the interface that it came in by is gone, and it has to go too. */
static inline bool host_release(struct mbuf *m)
{
#if __FreeBSD_version >= 1400000
	return m->m_pkthdr.rcvif == NULL || m_rcvif_restore(m) != NULL;
#else
	(void)m;
	return true;
#endif
}

#endif
