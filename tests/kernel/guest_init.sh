#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause
# What runs in the guest as its first process: the module with real TCP, changes under load,
# insertions.  guest.sh makes the initramfs and reads the lines "RESULT ..." of the console.
# The kernel's command line has packets=N (vectors; 0: neither these nor traffic that is measured),
# seconds=N, mbit=N and pause_ms=N (traffic under changes, and between two of them), rounds=N
# (insertions).
export PATH=/tools:/bin:/sbin
/bin/busybox --install -s /bin 2>/dev/null
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tracefs trace /sys/kernel/tracing
mount -t tmpfs run /run
mkdir -p /var /run/netns
ln -s /run /var/run
for word in $(cat /proc/cmdline); do
	case $word in packets=* | seconds=* | mbit=* | pause_ms=* | rounds=*) eval "$word" ;; esac
done
# busybox would take its own.
ip() { /tools/ip "$@"; }
tc() { /tools/tc "$@"; }
say() { echo "RESULT $*"; }
over() {
	say "over"
	poweroff -f
}
die() {
	say "FAILED: $*"
	dmesg | tail -30
	over
}
trap 'die "the script ended early"' EXIT

export TC_LIB_DIR=/lib/tc
for module in $(cat /modules.list); do
	insmod "$module" || die "insmod $module"
done
# The vectors: sums for guest.sh to compare.
if [ "$packets" != 0 ]; then
	insmod /aqmllm_vectors.ko packets="$packets" || die "insmod aqmllm_vectors.ko"
	dmesg | sed -n 's/.*aqmllm_vectors: \([0-9a-f]\{16\} \)/RESULT vectors \1/p'
	rmmod aqmllm_vectors || die "rmmod aqmllm_vectors"
fi
insmod /sch_aqmllm.ko || die "insmod sch_aqmllm.ko"
say "loaded $(uname -r)"

# a - r - b; r sends to b at 8 Mbit/s; 20 ms on the way back.
for ns in a r b; do
	ip netns add $ns || die "netns $ns"
	ip -n $ns link set lo up
done
ip -n a link add v0 type veth peer name v1 netns r
ip -n r link add v2 type veth peer name v3 netns b
addresses() { # namespace device address
	ip -n "$1" addr add "$3/24" dev "$2" && ip -n "$1" link set "$2" up || die "address of $2"
}
addresses a v0 10.1.0.1
addresses r v1 10.1.0.2
addresses r v2 10.2.0.2
addresses b v3 10.2.0.3
ip -n a route add default via 10.1.0.2
ip -n b route add default via 10.2.0.2
echo "reno cubic dctcp" >/proc/sys/net/ipv4/tcp_allowed_congestion_control
for ns in a r b; do
	ip netns exec $ns sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv4/tcp_ecn'
done
ip netns exec b sh -c 'echo dctcp >/proc/sys/net/ipv4/tcp_congestion_control' || die "dctcp"
tc -n r qdisc add dev v1 root netem delay 20ms limit 10000 || die "netem"
# DCTCP's port: ECT(0) becomes ECT(1).
tc -n r qdisc add dev v1 clsact || die "clsact"
tc -n r filter add dev v1 ingress protocol ip u32 match ip dport 5202 0xffff match ip tos 2 3 \
	action pedit ex munge ip dsfield set 1 retain 3 pipe csum ip || die "pedit"
tc -n r qdisc add dev v2 root handle 1: htb default 1 || die "htb"
link() { # add or change, Mbit/s
	tc -n r class "$1" dev v2 parent 1: classid 1:1 htb rate "$2mbit" burst 3000 cburst 3000 ||
		die "class"
}
link add 8
aqm() { tc -n r qdisc "$1" dev v2 parent 1:1 handle 10: aqmllm $2; }
aqm add "dualpi2 min_qlen_step 1" || die "tc qdisc add ... aqmllm"
say "options $(tc -n r -j qdisc show dev v2 parent 1:1)"

for port in 5201 5202; do
	ip netns exec b iperf3 -s -p $port -D >/dev/null || die "iperf3 -s"
done
sleep 1
# Bits per second that arrived.
arrived() { # file
	sed -n '/"sum_received"/,/}/s/.*"bits_per_second":[[:space:]]*\([0-9]*\).*/\1/p' "$1" | head -1
}
# A server may still be at the end of the flow before, behind a slow link, or hang up because of it.
flow() { # port congestion-control seconds
	for try in $(seq 20); do
		ip netns exec a iperf3 -c 10.2.0.3 -p "$1" -C "$2" -i 0 -t "$3" -J >"/tmp/$2.json" \
			2>"/tmp/$2.err"
		[ ! "$(arrived "/tmp/$2.json")" ] || return
		usleep 500000
	done
}
flows() { # seconds
	flow 5202 dctcp "$1" &
	dctcp=$!
	flow 5201 cubic "$1" &
	cubic=$!
}
# The shell's own wait now and then sleeps on for children that are all gone.
await() { # processes
	for process in "$@"; do
		while kill -0 "$process" 2>/dev/null; do usleep 100000; done
	done
}
stats() { # when
	say "stats $1 $(tc -n r -s -j qdisc show dev v2 parent 1:1)"
}
tell() { # what
	say "$1 cubic $(arrived /tmp/cubic.json) dctcp $(arrived /tmp/dctcp.json)"
	stats "$1"
}

# The queues' delays, four times a second, until the flows are over.
watch_delays() { # file
	while kill -0 $cubic 2>/dev/null; do
		tc -n r -s qdisc show dev v2 parent 1:1 |
			sed -n 's/^ *\([CL]\):.* delay \([0-9.]*\) ms.*/\1 \2/p' >>"$1"
		usleep 250000
	done
}
mean() { # file queue
	awk -v queue="$2" '$1 == queue { sum += $2; n++ } END { print n ? sum / n : 0 }' "$1"
}
steady() { # name, options
	aqm change "$2" || die "$1: $2"
	rm -f /tmp/delays
	flows 10
	sleep 3
	watch_delays /tmp/delays
	await $cubic $dctcp
	tell "$1"
	say "delays $1 C $(mean /tmp/delays C) L $(mean /tmp/delays L)"
}
# A packet lasts 1.5 ms here: the step is two of them.
if [ "$packets" != 0 ]; then
	aqm change "dualpi2 step_ms 3"
	rm -f /tmp/delays
	flow 5202 dctcp 10 &
	cubic=$!
	sleep 3
	watch_delays /tmp/delays
	await $cubic
	say "alone dctcp $(arrived /tmp/dctcp.json) L $(mean /tmp/delays L)"
	steady dualpi2 "dualpi2"
	steady student "student"
fi

# Without the module's help: a FIFO at the link, and in front of it marks from a virtual queue.
virtual() { # name, options
	ip netns exec r vqueue attach v2 7.8 object /vqueue.bpf.o step_ms 3 $2 || die "vqueue, $1"
	flows 10
	await $cubic $dctcp
	say "virtual $1 cubic $(arrived /tmp/cubic.json) dctcp $(arrived /tmp/dctcp.json)"
	ip netns exec r vqueue show v2 | sed "s/^/RESULT virtual $1 /"
	ip netns exec r vqueue detach v2 || die "vqueue detach"
}
if [ "$packets" != 0 ] && [ -f /vqueue.bpf.o ]; then
	aqm del "" && tc -n r qdisc add dev v2 parent 1:1 handle 20: pfifo limit 1000
	ip -n a link set v0 gso_max_segs 1
	virtual dualpi2 "dualpi2"
	virtual student "student model /net.aqms"
	ip -n a link set v0 gso_max_segs 65535
	tc -n r qdisc del dev v2 parent 1:1 handle 20: && aqm add "" || die "the module's qdisc again"
fi

# What the kernel keeps for itself, in KiB, when all is quiet: a leak stays in it.
kept() {
	sleep 3
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|VmallocUsed):/ { sum += $2 } END { print sum }' /proc/meminfo
}

# Complaints of the kernel end the test; slub_debug has it complain of memory misused.
listen() {
	dmesg | grep -E "WARNING|BUG|Oops|Call Trace|refcount|rcu:.*stall|soft lockup|general protection" &&
		die "the kernel complains"
}

# Insertions, with a qdisc that holds packets each time.
aqm del "" || die "qdisc del"
rmmod sch_aqmllm || die "rmmod"
for round in $(seq "$rounds"); do
	insmod /sch_aqmllm.ko || die "insertion $round"
	aqm add "student log 1 model /tree.aqms" || die "qdisc, insertion $round"
	rmmod sch_aqmllm 2>/dev/null && die "removed in use"
	ip netns exec a ping -q -c 20 -i 0.01 -s 1400 -W 1 10.2.0.3 >/dev/null 2>&1 &
	pings=$!
	usleep 20000
	aqm change "dualpi2" || die "change, insertion $round"
	aqm del "" || die "qdisc del, insertion $round"
	rmmod sch_aqmllm || die "removal $round"
	await $pings
	[ "$round" != 1 ] || at_first=$(kept)
done
say "inserted $rounds"
say "kept after one insertion $at_first then $(kept)"
insmod /sch_aqmllm.ko && aqm add "student" || die "the module again"

# Everything changes under load, the log included, until the flows are over.
change_all() {
	for change in "dualpi2 target_ms 5 k 1" "student target_ms 15 k 2" "model /net.aqms" "log 1" \
		"model /tree.aqms" "guard 0" "model /verdict.aqms" "dualpi2 profile rfc9332 limit_packets 20" \
		"scheduler tsf drop_early 1" "profile linux scheduler wrr drop_early 0" \
		"student limit_packets 10000 guard 1 model default" "log 0"; do
		aqm change "$change" || die "under load: $change"
		changes=$((changes + 1))
		case $change in *model*) swaps=$((swaps + 1)) ;; esac
		usleep $((pause_ms * 1000))
		kill -0 $cubic 2>/dev/null || return
	done
	# What must be refused leaves everything as it is.
	before=$(tc -n r qdisc show dev v2 parent 1:1)
	for change in "target_ms 0.5" "model /cut.aqms" "model /noise.aqms" "drop_early 1" "k 9"; do
		aqm change "$change" 2>/dev/null && die "taken: $change"
	done
	[ "$before" = "$(tc -n r qdisc show dev v2 parent 1:1)" ] || die "a refused change changed something"
}
calm() {
	aqm change "dualpi2 profile linux scheduler wrr drop_early 0 limit_packets 10000" &&
		aqm change "student step_ms 1 guard 1 model default log 0" || die "calm"
}
echo 1 >/sys/kernel/tracing/events/aqmllm/enable || die "no tracepoint"
echo 512 >/sys/kernel/tracing/buffer_size_kb
changes=0 swaps=0 left=$seconds
link change "$mbit"
calm
at_first=$(kept)
stats before
began=$(cut -d. -f1 /proc/uptime)
# Flows come and go every minute.
while [ "$left" -gt 0 ]; do
	part=$((left < 60 ? left : 60))
	left=$((left - part))
	calm # the minute before may have ended anywhere
	flows $part
	while kill -0 $cubic 2>/dev/null; do
		change_all
	done
	await $cubic $dctcp
	[ "$(arrived /tmp/cubic.json)" ] && [ "$(arrived /tmp/dctcp.json)" ] ||
		die "a flow failed: $(grep -h '"error"' /tmp/cubic.json /tmp/dctcp.json)"
	listen
	say "so far $((seconds - left)) s of flows, $changes changes"
done
calm
tell "changes"
say "changed $changes of which models $swaps in $(($(cut -d. -f1 /proc/uptime) - began)) s"
say "kept under load $at_first then $(kept)"
sed -n 's/.*\(l4s_ecn_marking-start,.*,end\).*/\1/p' /sys/kernel/tracing/trace >/tmp/log
lines=$(awk '/^(entries|overrun):/ { sum += $2 } END { print sum }' /sys/kernel/tracing/per_cpu/cpu0/stats)
say "log $lines lines; of the last $(wc -l </tmp/log) are $(awk -F, 'NF == 26' /tmp/log | wc -l) whole"
# As trace_pipe has them, for aqmllm pool.
grep l4s_ecn_marking /sys/kernel/tracing/trace | head -200 | sed 's/^/RESULT line /'
echo 0 >/sys/kernel/tracing/events/aqmllm/enable

aqm del "" && rmmod sch_aqmllm || die "the last removal"
listen
say "quiet"
trap - EXIT
over
