#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The router's live page in headless Chromium, what Prometheus scrapes, and policies swapped by
# SIGHUP under traffic.  SKIP without privileges; the page's part also without Chromium.
# usage: route_page.sh PROGRAM SOURCE
. "$(dirname "$0")/route_common.sh"

needs_routing
refuses 'listen' route --demo --metrics nowhere:http
refuses '--interval' route --demo --interval 3
get() { # path
	python3 -c 'import sys, urllib.request as u
sys.stdout.buffer.write(u.urlopen("http://127.0.0.1:%s%s" % tuple(sys.argv[1:])).read())' $port "$1"
}

shows() { # pattern: a line of the metrics now
	get /metrics | grep -q -- "$1"
}

shows_bins() { # count
	get /series.json | python3 -c 'import json, sys
sys.exit(json.load(sys.stdin)["count"] < int(sys.argv[1]))' "$1"
}

start() { # options...
	"$program" route --demo --duration 600 --metrics 0 --json "$@" >run.json 2>run.err &
	router=$!
	for _ in $(seq 200); do
		port=$(sed -n 's|^live page at http://127.0.0.1:\([0-9]*\)/.*|\1|p' run.err)
		[ -n "$port" ] && break
		sleep 0.1
	done
	[ -n "$port" ] || { fail "no page: $(cat run.err)"; end "live page"; }
}

# Every packet that came left, was dropped by the law, or is inside still.
nothing_is_lost() {
	python3 - <<'P' || fail "$what: packets are lost: $(grep -A12 '"ways"' run.json)"
import json, sys
for way in json.load(open("run.json"))["ways"]:
    if way["received"] != way["sent"] + way["dropped"] + way["inside"]:
        sys.exit(1)
P
}

stop() {
	kill -INT $router
	wait $router || fail "$what: exit status $?: $(cat run.err)"
	nothing_is_lost
}

# A student, read again twenty times while packets go on: nothing is lost that it did not drop.
what=student
cp "$source/models/student.aqms" student.aqms
start --policy student.aqms
await "a packet through L" shows '^aqmllm_queue_packets_total{way="1",queue="L"} [1-9]'
for count in $(seq 20); do
	kill -HUP $router
	await "swap $count" shows "^aqmllm_policy_reloads_total $count\$"
done
echo damaged >student.aqms
kill -HUP $router
await "word of a damaged student" grep -q 'the old one goes on' run.err
get /metrics >metrics
grep -q '^aqmllm_policy_reloads_total 20$' metrics || fail "$(grep reloads metrics)"
# Every line is a comment or a sample, and every name has its type.
grep -vE '^# (HELP|TYPE) aqmllm_[a-z_]+ .+|^aqmllm_[a-z_]+(\{[a-zA-Z]+="[^"]*"(,[a-zA-Z]+="[^"]*")*\})? -?[0-9.e+-]+$' \
	metrics && fail "lines that are no metrics"
get /summary.json | python3 -c 'import json, sys
assert json.load(sys.stdin)["aqm"] == "student"' || fail "no summary at /summary.json"
get /nothing 2>/dev/null && fail "a page that is not there is served"
stop

# A policy that thinks in the background.
what=policy
start --policy adversary:gentle --interval 1
look_after $router
await "two hundred decisions" \
	shows '^aqmllm_policy_decisions_total \([2-9][0-9][0-9]\|[0-9]\{4\}\)'
kill -HUP $router
await "a swap" shows '^aqmllm_policy_reloads_total 1$'
sleep 2
stop
python3 - <<'P' || fail "a policy in the background: $(tail -30 run.json)"
import json, sys
o = json.load(open("run.json"))
sys.exit(not (o["policy"]["decisions"] > 100 and o["policy"]["applied"] > 100 and o["reloads"] == 1
              and o["carried_mbps"] > 2))
P
keeps "carried beside a policy" "$(python3 -c 'import json; print(json.load(open("run.json"))["carried_mbps"])') > 4"

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
	echo "SKIP: the live page in a browser (install chromium)"
	[ $failed = 0 ] && exit 77
	exit 1
}
what=page
start
await "thirty bins" shows_bins 30
# A slow machine may not have drawn anything when the browser's time is over.
for budget in 4000 16000 64000; do
	timeout 100 "$chromium" --headless=new --no-sandbox --disable-gpu \
		--user-data-dir="$work/profile" --enable-logging=stderr \
		--virtual-time-budget=$budget --dump-dom http://127.0.0.1:$port/ >dom.html \
		2>browser.err && grep -q 'data-high' dom.html && break
done
stop
grep -i 'CONSOLE.*\(error\|uncaught\)' browser.err && fail "errors of the page's script"
python3 - <<'P' || fail "the page: $(grep -o '<body[^>]*>' dom.html) $(tail -1 browser.err)"
import re, sys
dom = open("dom.html").read()
if "data-high" not in dom:
    sys.exit(1)
points = int(re.search(r'data-points="(\d+)"', dom)[1])
high = [float(h) for h in re.search(r'data-high="([^"]*)"', dom)[1].split()]
rows = re.findall(r"<tr><td>(udp|tcp) ", dom)
# Seven charts, of which delay, carried, verdicts, goodput and backlog show something.
sys.exit(not (points >= 20 and len(high) == 7 and all(0 < h < 1e6 for h in high) and high[2] == 10
              and 10 <= high[3] <= 2000 and set(rows) == {"tcp", "udp"}
              and "through dualpi2" in dom and dom.count("<canvas") == 7))
P
end "live page"
