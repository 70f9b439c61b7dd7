#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Real packets over links that take them in turns, as Wi-Fi does: two flows of the kernel's Cubic and
# two of UDP Prague through aqmllm route, 20 ms of round trip, under DualPI2 and under the shipped
# student with its `pauses`; then the same in the simulator, and both side by side.
#   bench/wifi.sh BUILD FOLDER
# Needs root.  Takes real time, 4 x RUNS x (DURATION + 7) s, ten minutes; the same command goes on
# where it was interrupted.  From the environment:
#   RUNS=3       traces, each with a run of each law
#   DURATION=40  seconds of a run, of which the first 5 are left out
#   MBIT=20      mean rate of the traces
# FOLDER/report gets report.html (simulated), real/report.html and beside/report.html.
set -u
[ $# = 2 ] || { sed -n '3,12s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 folder=$2
runs=${RUNS:-3} duration=${DURATION:-40} warmup=5 mbit=${MBIT:-20}
[ "$(id -u)" = 0 ] || { echo "SKIP: not root: network namespaces and TUN devices need it" && exit 77; }
# Packets come before whatever else the machine does, where that is allowed.
before_others=$(chrt -r 1 true 2>/dev/null && echo chrt -r 1)
laws=(dualpi2:min_qlen_step=1 student:pauses=0 student student:pauses=2)

mkdir -p "$folder/suite" || exit 1
for run in $(seq "$runs"); do
	name=wifi-$mbit-$run
	"$build/aqmllm" scenarios --trace wifi --mean-mbps "$mbit" --seed "$run" \
		-o "$folder/suite/$name.trace" -q || exit 1
	cat >"$folder/suite/$name.yaml" <<-Y
		name: $name
		duration_s: $duration
		warmup_s: $warmup
		bottleneck: {rate_trace: $name.trace, delay_ms: 10}
		flows:
		  - {cc: cubic, ecn: classic, count: 2, rtt_ms: 20, options: [linux_cubic]}
		  - {cc: udp_prague, count: 2, rtt_ms: 20}
	Y
	for law in "${laws[@]}"; do
		kept=$folder/real/$name/$law/1.run
		[ -e "$kept" ] && continue
		mkdir -p "$(dirname "$kept")"
		[ -n "${QUIET:-}" ] || echo "$law, trace $run of $runs" >&2
		settings=${law#*:}
		[ "$settings" != "$law" ] || settings=
		$before_others "$build/aqmllm" route --demo --flows cubic,cubic,prague,prague --delay 10 \
			--rate-trace "$folder/suite/$name.trace" --aqm "${law%%:*}" \
			${settings:+--set "$settings"} --warmup "$warmup" \
			--duration $((duration - warmup)) --run "$kept" -q >/dev/null || exit 1
	done
done
exec "$build/aqmllm" evaluate "$folder/suite" --baseline "${laws[0]}" \
	--against "$(IFS=, && echo "${laws[*]:1}")" --seeds 1 --real "$folder/real" \
	--title "Links that take turns, simulated and real" -o "$folder/report"
