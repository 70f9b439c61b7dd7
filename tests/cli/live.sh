#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench/live.sh in small: real stacks over the testbed, a policy made of their log, the report of
# both worlds.  It goes on where it was interrupted, and leaves nothing.  usage: live.sh PROGRAM
# SOURCE
source=$(realpath "$2")
. "$(dirname "$0")/common.sh"
mkdir build && ln -s "$program" build/aqmllm

refuses 'dualpi2/1.run|--real' evaluate "$source/scenarios/paper.yaml" --seeds 1 --real nowhere -o made

left() { # what a run must not leave
	ip netns 2>/dev/null | grep -c '^aqmbed'
	pgrep -c iperf3
}
before=$(left)
QUICK=1 RUNS=1 bash "$source/bench/live.sh" build live >out 2>err
status=$?
[ $status = 77 ] && cat out && exit 77
[ $status = 0 ] || fail "live.sh: exit status $status: $(tail -3 out err)"
[ "$(left)" = "$before" ] || fail "left behind: $(left), before: $before"
for page in report real/report beside/report; do
	[ -s "live/report/$page.html" ] || fail "no $page.html"
done
grep -q 'Simulator and reality' live/report/beside/report.html || fail "nothing is laid side by side"
grep -q 'policy/10.*, real' live/report/beside/report.html || fail "the policy's real run is not told"
for arm in dualpi2 policy/10 policy/100 student; do
	grep -qE "^paper +$arm" out || fail "$arm is not told"
done
# A link of 8 Mbit/s, full of real packets.
real=$(awk '$2 == "dualpi2" && $3 == "goodput_mbps" { print $5 }' out)
[ "$(awk -v real="$real" 'BEGIN { print (real > 5 && real < 8) }')" = 1 ] ||
	fail "real goodput: '$real' Mbit/s"

# Once more: nothing is run again; another duration is refused.
sum=$(cat live/runs_real/paper/*/*.run | cksum)
QUICK=1 RUNS=1 bash "$source/bench/live.sh" build live >out2 2>err2 || fail "again: $(tail -3 err2)"
grep -q 'run 1 of 1' err2 && fail "a finished run was run again"
[ "$(cat live/runs_real/paper/*/*.run | cksum)" = "$sum" ] || fail "runs were changed"
QUICK=1 RUNS=1 DURATION=7 bash "$source/bench/live.sh" build live >out2 2>err2 &&
	fail "runs of another duration were taken"
[ "$(left)" = "$before" ] || fail "left behind: $(left), before: $before"
finish live
