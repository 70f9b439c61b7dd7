#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# L4S through the router, 8 Mbit/s and 20 ms under DualPI2: the kernel's TCP with l4s_dctcp and ECT(1)
# (kernel/bpf), alone and beside Cubic, and UDP Prague, the same.  SKIP without BTF or what builds BPF.
# usage: route_l4s.sh PROGRAM SOURCE [SECONDS]
. "$(dirname "$0")/route_common.sh"
seconds=${3:-12}
export PATH=$PATH:/usr/sbin:/sbin
[ -r /sys/kernel/btf/vmlinux ] || { echo "SKIP: no BTF in this kernel"; exit 77; }
needs_tools clang bpftool tc iperf3 unshare nsenter python3
[ -f /usr/include/bpf/bpf_helpers.h ] || { echo "SKIP: no libbpf-dev here"; exit 77; }
needs_routing

flows= registered=
clean() {
	kill $flows $hosts $router 2>/dev/null
	wait $flows $hosts $router 2>/dev/null # sockets let go of the congestion control
	[ -z "$registered" ] || bpftool struct_ops unregister id "$registered" >/dev/null 2>&1
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM
make -s -C "$source/kernel/bpf" OUT="$work" "$work/dctcp.bpf.o" "$work/ect1.bpf.o" >log 2>&1 || {
	fail "kernel/bpf does not build: $(cat log)"
	end "route, L4S"
}
if ! grep -qw l4s_dctcp /proc/sys/net/ipv4/tcp_available_congestion_control; then
	bpftool struct_ops register dctcp.bpf.o >log 2>&1 || {
		echo "SKIP: this kernel takes no congestion control in BPF: $(tail -1 log)"
		exit 77
	}
	registered=$(awk '{ print $NF }' log)
fi

# Delays and losses of the summary, and Mbit/s of the flows by their congestion controls.
figures() { # congestion control...
	python3 - "$@" <<'P'
import json, sys
o = json.load(open("l4s.json"))
print("drops=%(drops)d ect_drops=%(ect_drops)d" % o["queues"]["all"])
for queue in "LC":
    delay = o["queues"][queue]["qdelay_ms"]
    print("%s_mean=%.2f %s_p99=%.2f" % (queue, delay["mean"] or 0, queue, delay["p99"] or 0))
print("L_marks=%d" % o["queues"]["L"]["marks"])
for i, control in enumerate(sys.argv[1:]):
    of_it = [flow for flow in o["flows"] if flow["destination"].endswith(":%d" % (5201 + i))]
    flow = max(of_it, key=lambda flow: flow["packets"]) # iperf3 has another one to talk through
    print("%s=%.2f %s_ecn=%s" % (control, flow["goodput_mbps"], control, flow["ecn"]))
P
}

# Flows of the kernel's TCP through the router; sets their figures.
through() { # congestion control...
	local control port=5201 one two
	hosts= flows=
	open_hosts one two
	"$program" route --between $one,$two --rate 8 --delay 10 --set step_ms=3 --warmup 5 \
		--duration $seconds --json >l4s.json 2>err &
	router=$!
	sleep 1
	for end in $one $two; do
		nsenter -t $end -n sysctl -qw net.ipv4.tcp_ecn=1
		nsenter -t $end -n tc qdisc add dev aqm0 clsact || {
			echo "SKIP: no clsact in this kernel"
			exit 77
		}
		nsenter -t $end -n tc filter add dev aqm0 egress bpf direct-action obj ect1.bpf.o sec tc ||
			fail "ect1 does not load"
	done
	for control in "$@"; do
		nsenter -t $two -n iperf3 -s -1 -p $port &>/dev/null &
		flows="$flows $!"
		sleep 0.3
		nsenter -t $one -n iperf3 -c 10.99.0.2 -p $port -C $control -t 600 &>/dev/null &
		flows="$flows $!"
		port=$((port + 1))
	done
	look_after $router $flows
	wait $router || fail "$*: $(cat err)"
	kill $flows $hosts 2>/dev/null
	wait $flows $hosts 2>/dev/null
	tell "$@"
}

tell() { # congestion control...
	figures "$@" >figures || fail "$*: no figures"
	echo "$*: $(tr '\n' ' ' <figures)"
	. ./figures
	# What cannot, a host's hello to its neighbours say, is dropped where others are marked.
	holds "$*: nothing is dropped that can carry a mark" "$ect_drops == 0"
}

# A queue of two packets, or of less than one, leaves the link idle whenever a process is late.
NEAR_EMPTY_PERCENT=5
EMPTY_PERCENT=2
through l4s_dctcp
holds "packets of l4s_dctcp" "'$l4s_dctcp_ecn' == 'ect1' and $L_marks > 20"
keeps "l4s_dctcp alone" \
	"$l4s_dctcp >= 7.2 and $L_mean <= 4 and $L_p99 <= 8" $NEAR_EMPTY_PERCENT
through l4s_dctcp cubic
holds "packets of cubic" "'$cubic_ecn' == 'ect0'"
keeps "l4s_dctcp beside cubic" \
	"2 <= $l4s_dctcp <= 6 and 2 <= $cubic <= 6 and 12 <= $C_mean <= 18"

# The demonstration's own flows.
demo() { # step in ms, then congestion controls
	local step=$1 flows
	shift
	flows=$*
	"$program" route --demo --flows ${flows// /,} --set step_ms=$step --warmup 5 \
		--duration $seconds --json >l4s.json 2>err &
	router=$!
	look_after $router
	wait $router || fail "$*: $(cat err)"
	tell "$@"
}
demo 1 prague
holds "packets of UDP Prague" "'$prague_ecn' == 'ect1' and $L_marks > 20"
keeps "UDP Prague alone" "$prague >= 7.2 and $L_mean <= 1.5" $EMPTY_PERCENT
demo 3 prague cubic
keeps "UDP Prague beside cubic" \
	"2 <= $prague <= 6 and 2 <= $cubic <= 6 and 12 <= $C_mean <= 18"
end "route, L4S"
