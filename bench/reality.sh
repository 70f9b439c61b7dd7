#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The simulator against real TCP stacks: every scenario of bench/reality (rates, round trips, mixes
# of flows) runs over aqmllm route and the kernel's stacks, and in the simulator; a table lays queue
# delays, goodput and marks of both side by side and tells what is off by more than 20 %.
#   bench/reality.sh BUILD FOLDER [SCENARIO...]
# Needs what bench/live.sh needs, and socat for short flows.  Takes real time: a minute for each run
# of each scenario; the same command goes on where it was interrupted.  From the environment:
#   RUNS=5           of each scenario, and seeds of the simulator
#   DURATION=60      seconds of a run, of which the first WARMUP=10 are left out
#   ONLY=1           the real runs only, no table
set -u
[ $# -ge 2 ] || { sed -n '3,14s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 folder=$2
shift 2
source=$(cd "$(dirname "$0")/.." && pwd)
runs=${RUNS:-5} duration=${DURATION:-60} warmup=${WARMUP:-10}
. "$source/bench/testbed.sh"

[ $# -gt 0 ] || set -- $(cd "$source/bench/reality" && ls -- *.yaml | sed 's/\.yaml$//')
if ! has udp_prague_sender udp_prague_receiver; then
	echo "without prague: no udp_prague_sender and udp_prague_receiver here" >&2
	set -- $(printf '%s\n' "$@" | grep -vx prague)
fi
for scenario in "$@"; do
	testbed_scenario "$source/bench/reality/$scenario.yaml" "$folder/real/$scenario/scenario.yaml"
done

testbed_open "$build/aqmllm" "$source"
[ -n "$testbed_dctcp" ] || testbed_skip "no DCTCP: neither the kernel's nor kernel/bpf's"
has socat || testbed_skip "no socat here (apt-get install socat)"

for run in $(seq "$runs"); do
	for scenario in "$@"; do
		file=$folder/real/$scenario/scenario.yaml
		stem=$folder/real/$scenario/dualpi2/$run
		[ -e "$stem.run" ] && continue
		echo "$scenario, run $run of $runs" >&2
		testbed_run "$file" "$stem" --aqm dualpi2 $(scenario_settings "$file") ||
			fail "a run failed: $(head -3 "$stem.failed")"
	done
done
testbed_close
[ -z "${ONLY:-}" ] || exit 0
# A suite of those that were named.
rm -rf "$folder/suite"
mkdir "$folder/suite" || exit 1
for scenario in "$@"; do
	cp "$folder/real/$scenario/scenario.yaml" "$folder/suite/$scenario.yaml" || exit 1
done
exec "$build/aqmllm" evaluate "$folder/suite" --seeds "$runs" --real "$folder/real" \
	--title "Simulator and reality" -o "$folder/report"
