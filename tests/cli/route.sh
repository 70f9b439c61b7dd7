#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Real packets, from end to end, in namespaces of their own: what a user types, what comes out, and
# that nothing is left.  SKIP where the system has no namespaces or TUN devices for us.
# usage: route.sh PROGRAM
. "$(dirname "$0")/route_common.sh"

refuses '--demo' route
refuses '--demo' route --demo --bridge a,b
refuses '--between|two' route --between one
refuses '--rate-trace' route --demo --rate 5 --rate-trace trace
refuses '--flows' route --between a,b --flows cubic
refuses '--aqm|bogus' route --demo --aqm bogus
refuses '--log' route --demo --log x --pcap x

# Without privileges: one line that says what is missing.
setpriv=$(command -v setpriv) && [ "$(id -u)" = 0 ] &&
	"$setpriv" --bounding-set=-all --inh-caps=-all true 2>/dev/null && {
	setpriv --bounding-set=-all --inh-caps=-all "$program" route --demo >out 2>err
	[ $? = 2 ] || fail "without privileges: not exit status 2"
	[ "$(wc -l <err)" = 1 ] && grep -q CAP_NET_ADMIN err ||
		fail "without privileges: $(cat err)"
}

needs_routing

# A number of a JSON summary: value FILE PATH
value() {
	python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
for k in sys.argv[2].split("."):
    o = o[int(k)] if isinstance(o, list) else o[k]
print(o)' "$1" "$2"
}

# Network namespaces of processes.
namespaces() { # pid... (or * for all)
	for pid in "$@"; do
		readlink /proc/$pid/ns/net 2>/dev/null
	done | sort -u
}

# Two flows share a managed queue; log, capture and summary agree.
"$program" route --demo --duration 8 --json --log router.log --pcap run.pcapng >demo.json &
router=$!
look_after $router
wait $router || fail "demo with log and capture"
packets=$(value demo.json queues.all.packets) drops=$(value demo.json queues.all.drops)
keeps "carried" "7 < $(value demo.json carried_mbps)"
holds "carried" "5 < $(value demo.json carried_mbps) <= 8.03"
holds "L packets" "$(value demo.json queues.L.packets) > 50"
holds "C packets" "$(value demo.json queues.C.packets) > 500"
holds "marks" "$(value demo.json queues.all.marks) > 50"
holds "L delay" "$(value demo.json queues.L.qdelay_ms.mean) < 3"
aqmllm pool router.log -o pool.jsonl --json >pool.json || fail "pool of a routed log"
holds "log" "$(value pool.json records) == $packets + $drops"
[ "$(value pool.json damaged.cut)" = 0 ] || fail "the log is damaged"
if command -v tshark >/dev/null; then
	[ "$(tshark -r run.pcapng -o ip.check_checksum:TRUE -Y 'ip.checksum.status == 0' \
		2>/dev/null | wc -l)" = 0 ] || fail "marked packets with bad checksums"
	captured=$(tshark -r run.pcapng -Y 'ip or ipv6' -T fields -e frame.number 2>/dev/null | wc -l)
	holds "capture" "$captured == $packets + $drops"
fi

# SIGINT: a summary, and nothing left.  SIGKILL: nothing left.
"$program" route --demo --duration 60 >out &
sleep 2
kill -INT $!
wait $! || fail "SIGINT: not exit status 0"
grep -q goodput out || fail "SIGINT: no summary"
"$program" route --demo --duration 60 --quiet &
sleep 2
children=$(pgrep -P $!)
made=$(namespaces $children)
[ "$(echo "$made" | wc -l)" = 2 ] || fail "the demo's flows are not in two namespaces: $made"
kill -KILL $!
wait $! 2>/dev/null
sleep 0.5
for child in $children; do
	grep -q '^State:.[^Z]' /proc/$child/status 2>/dev/null &&
		fail "SIGKILL: process $child goes on"
done
for namespace in $made; do
	find /proc/[0-9]*/ns/net -maxdepth 0 -printf '%l\n' 2>/dev/null | grep -qF "$namespace" &&
		fail "SIGKILL: $namespace is left"
done

# Namespaces of the user's own, by the number of a process: IPv4 and IPv6, fragments, large pings.
if command -v unshare >/dev/null && command -v ip >/dev/null && command -v ping >/dev/null; then
	open_hosts one two
	means=
	"$program" route --between $one,$two --delay 5 --json >between.json &
	router=$!
	look_after $router
	sleep 1
	for to in 10.99.0.2 fd99::2; do
		nsenter -t $one -n ping -c 10 -i 0.05 -q $to >ping || fail "ping $to"
		nsenter -t $one -n ping -c 3 -i 0.05 -s 4000 -q $to >/dev/null ||
			fail "fragments to $to"
		holds "5 ms each way to $to, the quickest: $(tail -1 ping)" \
			"10 <= $(tail -1 ping | sed 's/.* = //' | cut -d/ -f1) < 12"
		means="$means $(tail -1 ping | cut -d/ -f5)"
	done
	nsenter -t $one -n ip -o link show aqm0 >/dev/null || fail "no device aqm0"
	kill -INT $router
	wait $router || fail "between: exit status $?"
	for mean in $means; do
		keeps "5 ms each way, the mean of ten" "$mean < 13"
	done
	holds "packets" "$(value between.json ways.0.sent) >= 32"
	holds "no loss" "$(value between.json queues.all.drops) == 0"
	nsenter -t $one -n ip -o link show aqm0 >/dev/null 2>&1 && fail "the device is left"
	before=$(nsenter -t $one -n ip -o link)
	"$program" route --between $one,$two --rate 8 --quiet &
	sleep 1
	[ "$(nsenter -t $one -n ip -o link)" != "$before" ] || fail "between: no device"
	kill -KILL $!
	wait $! 2>/dev/null
	sleep 0.3
	for end in $one $two; do
		[ "$(nsenter -t $end -n ip -o link)" = "$before" ] || fail "SIGKILL: the device is left"
	done
	kill $one $two
	wait $one $two 2>/dev/null
else
	echo "SKIP: pings between namespaces (no unshare, ip or ping)"
fi
end route
