#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Three flows that fill the link, and students swapped every second, one for the other: nothing is lost
# that the law did not drop, memory does not grow, every swap is made.  SKIP without privileges.
# usage: route_soak.sh PROGRAM SOURCE [SECONDS [MBIT]]
. "$(dirname "$0")/route_common.sh"
seconds=${3:-15} mbit=${4:-100}
needs_tools nsenter python3
needs_routing
cp "$source/models/student.aqms" one.aqms
aqmllm reinforce train:4 --held-back 2 --networks 2 --generations 1 --population 2 --duration-s 2 \
	--warmup-s 1 -o other -q || fail "a second student"
cmp -s one.aqms other/student.aqms && fail "both students are the same"
cp one.aqms student.aqms

"$program" route --demo --flows cubic,bbr,prague --rate $mbit --delay 5 --policy student.aqms \
	--duration $((seconds + 2)) --json >soak.json 2>soak.err &
router=$!
look_after $router

# What the devices drop before the router reads it; not 0 where none is seen.
waiting_drops() {
	local child
	for child in $(pgrep -P $router); do
		nsenter -t "$child" -n cat /proc/net/dev
	done 2>/dev/null | awk '
		/aqm0:/ { seen = 1 }
		/aqm0:/ && $13 > most { most = $13 }
		END { if (!seen) exit 1; print most + 0 }'
}

# Until the time is over, or Ctrl-C ends the router, which tells how far it came.
swaps=0 early=0 late=0 drops=
trap 'end=0' INT
sleep 2
end=$((SECONDS + seconds - 2))
while [ $SECONDS -lt $end ] && kill -0 $router 2>/dev/null; do
	if [ $((swaps % 2)) = 0 ]; then cp other/student.aqms next; else cp one.aqms next; fi
	mv next student.aqms
	late=$(resident_kb $router)
	[ $swaps = $((seconds / 5)) ] && early=$late
	[ $((swaps % 10)) = 0 ] && drops=$(waiting_drops || echo "$drops")
	kill -HUP $router && swaps=$((swaps + 1))
	[ -t 1 ] && printf '\r%d swaps, %d kB ' $swaps "$late"
	sleep 1
done
[ -t 1 ] && echo
wait $router || fail "exit status $?: $(cat soak.err)"
[ -s soak.err ] && fail "it complains: $(head -3 soak.err)"
python3 - $swaps "$drops" "$early" "$late" <<'P' || fail "$(cat soak.json)"
import json, sys
swaps, drops, early, late = map(int, sys.argv[1:])
o = json.load(open("soak.json"))
way = o["ways"][0]
print("%.0f s, %d swaps, %.1f Mbit/s: %d packets received, %d sent, %d dropped by the law, %d inside at "
      "the end; %d kB, %d at first; the devices' queues dropped %d" %
      (o["duration_s"], o["reloads"], o["carried_mbps"], way["received"], way["sent"],
       way["dropped"], way["inside"], late, early, drops))
for way in o["ways"]:
    assert way["received"] == way["sent"] + way["dropped"] + way["inside"], way
assert swaps - 1 <= o["reloads"] <= swaps # one may not have been seen when it ended
assert early == 0 or late < early + 4096
assert sum(flow["packets"] > 100 for flow in o["flows"]) >= 3, "a flow is stuck"
P
keeps "the devices' queues" "$drops == 0"
keeps "the link is full" \
	"$(python3 -c 'import json; print(json.load(open("soak.json"))["carried_mbps"])') > 0.85 * $mbit"
end "route, policies swapped every second"
