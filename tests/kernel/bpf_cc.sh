#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# l4s_dctcp and ect1 between two namespaces: packets are ECT(1), a full link is used without loss,
# and marks of the virtual queue keep its own queue short.  usage: bpf_cc.sh SOURCE [SECONDS]
set -u
source=$1 seconds=${2:-3}
. "$source/tests/kernel/common.sh"
export PATH=$PATH:/usr/sbin
[ -r /sys/kernel/btf/vmlinux ] || skip "no BTF in this kernel"
need_root
need clang bpftool tc iperf3 nstat
[ -f /usr/include/bpf/bpf_helpers.h ] || skip "no libbpf-dev here"
grep -q l4s_dctcp /proc/sys/net/ipv4/tcp_available_congestion_control &&
	skip "l4s_dctcp is registered already"
. "$source/tests/work_folder.sh"
a=aqmcc$$a b=aqmcc$$b registered=
clean() {
	ip netns pids $b 2>/dev/null | xargs -r kill 2>/dev/null
	ip netns del $a 2>/dev/null
	ip netns del $b 2>/dev/null
	[ -z "$registered" ] || bpftool struct_ops unregister id "$registered" >/dev/null 2>&1
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM
make -s -C "$source/kernel/bpf" OUT="$work" >"$work/log" 2>&1 || { cat "$work/log"; fail "does not build"; }
bpftool struct_ops register "$work/dctcp.bpf.o" >"$work/log" 2>&1 ||
	{ cat "$work/log"; fail "the kernel refuses l4s_dctcp"; }
registered=$(awk '{ print $NF }' "$work/log")

ip netns add $a && ip netns add $b || fail "namespaces"
ip -n $a link add v0 type veth peer name v1 netns $b
ip -n $a addr add 10.77.0.1/24 dev v0 && ip -n $a link set v0 up
ip -n $b addr add 10.77.0.2/24 dev v1 && ip -n $b link set v1 up
for ns in $a $b; do
	ip netns exec $ns sysctl -qw net.ipv4.tcp_ecn=1 net.ipv4.tcp_congestion_control=l4s_dctcp ||
		fail "l4s_dctcp cannot be the default of a namespace"
done
tc -n $a qdisc add dev v0 clsact || skip "no clsact in this kernel"
tc -n $a filter add dev v0 egress bpf direct-action obj "$work/ect1.bpf.o" sec tc ||
	fail "ect1 does not load"
tc -n $b qdisc add dev v1 clsact
tc -n $b filter add dev v1 egress bpf direct-action obj "$work/ect1.bpf.o" sec tc

# Bits per second of one flow, and how many of its segments were sent again.
ip netns exec $b iperf3 -s -D >/dev/null
flow() {
	for _ in $(seq 50); do # a busy machine starts servers slowly
		ip netns exec $a iperf3 -c 10.77.0.2 -t "$seconds" -J >"$work/json"
		grep -q sum_received "$work/json" && break # it may say 0 with an error in its report
		sleep 0.2
	done
	python3 -c 'import json, sys
end = json.load(open(sys.argv[1]))["end"]
print(int(end["sum_received"]["bits_per_second"]), end["sum_sent"]["retransmits"])' "$work/json"
}
count() { # counter of the receiver
	ip netns exec $b nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'
}
read -r free_bps _ < <(flow)
ect1=$(count IpExtInECT1Pkts) ect0=$(count IpExtInECT0Pkts)
[ "$ect1" -gt 100 ] || fail "$ect1 packets came with ECT(1)"
[ "$ect0" -lt 10 ] || fail "$ect0 packets came with ECT(0)"

# A link of 20 Mbit/s whose queue is a FIFO.
ip -n $a link set v0 gso_max_segs 1
tc -n $a qdisc add dev v0 root tbf rate 20mbit burst 5000 limit 200000 || skip "no tbf here"
read -r bps again < <(flow)
[ "$bps" -gt 10000000 ] || fail "$bps bit/s through 20 Mbit/s"
# In front of it the virtual queue's marks.
marks=0
for law in dualpi2 "student model $source/models/student.aqms"; do
	ip netns exec $a "$work/vqueue" attach v0 19 object "$work/vqueue.bpf.o" step_ms 3 $law \
		>"$work/log" 2>&1 || { cat "$work/log"; fail "the virtual queue does not load: $law"; }
	read -r marked_bps lost < <(flow)
	shown=$(ip netns exec $a "$work/vqueue" show v0)
	ip netns exec $a "$work/vqueue" detach v0 || fail "vqueue detach"
	marks=$(echo "$shown" | sed -n 's/^L: .*marked \([0-9]*\).*/\1/p')
	[ "$marks" -gt 10 ] && [ "$marked_bps" -gt 8000000 ] ||
		{ echo "$shown"; fail "$law: $marks marks, $marked_bps bit/s"; }
	echo "virtual queue, ${law%% *}: $marked_bps bit/s, $marks marks, $lost sent again"
done
# A device without a header of its own: the field and the length are IP's.
ip -n $a tuntap add dev t0 mode tun && ip -n $a addr add 10.78.0.1/30 dev t0 && ip -n $a link set t0 up
ip netns exec $a "$work/vqueue" attach t0 19 object "$work/vqueue.bpf.o" || fail "vqueue on a TUN device"
ip netns exec $a ping -q -Q 1 -c 5 -i 0.01 -W 1 10.78.0.2 >/dev/null
shown=$(ip netns exec $a "$work/vqueue" show t0)
echo "$shown" | grep -q '^L: arrived 5 pkts 420 bytes' || { echo "$shown"; fail "vqueue on a TUN device"; }
ip netns exec $a "$work/vqueue" attach t0 19x 2>/dev/null && fail "19x is no rate"
echo "l4s_dctcp: $free_bps bit/s without a limit, $ect1 packets ECT(1), $ect0 ECT(0);" \
	"$bps bit/s through 20 Mbit/s, $again sent again"
