#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The names under which the modules include FreeBSD's headers, each leading to standin.h.
# usage: standin.sh FOLDER STAMP
here=$(cd "$(dirname "$0")" && pwd)
for name in sys/param.h sys/systm.h sys/stdint.h sys/kernel.h sys/lock.h sys/malloc.h sys/mbuf.h \
	sys/module.h sys/mutex.h sys/proc.h sys/prng.h sys/rwlock.h sys/socket.h sys/sysctl.h \
	sys/syslog.h sys/time.h sys/queue.h net/if.h net/ethernet.h net/vnet.h netinet/in.h \
	netinet/ip_var.h netinet/ip_fw.h netinet/ip_dummynet.h netpfil/ipfw/ip_fw_private.h \
	netpfil/ipfw/dn_heap.h netpfil/ipfw/ip_dn_private.h netpfil/ipfw/dn_aqm.h \
	netpfil/ipfw/dn_sched.h string.h stdbool.h stddef.h stdint.h; do
	mkdir -p "$1/$(dirname $name)" && echo "#include \"$here/standin.h\"" >"$1/$name" || exit 1
done
[ -z "$2" ] || echo "/* $1 */" >"$2"
