/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where kernels from 6.1 on differ; the only file of the module that asks for a version.
 */
#ifndef AQMLLM_COMPAT_H
#define AQMLLM_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <net/gso.h> /* skb_gso_segment(), of <linux/netdevice.h> before */
#else
#include <linux/netdevice.h>
#endif

#endif
