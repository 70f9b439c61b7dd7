#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Real packets over links that take them in turns, as Wi-Fi does: two flows of the kernel's Cubic
# and two of UDP Prague through aqmllm route, 20 ms of round trip, under DualPI2 and under the
# shipped student with its `pauses`; then the same in the simulator, and both side by side.
#   bench/wifi.sh BUILD FOLDER
# Needs root, network namespaces and TUN.  Takes real time, for every law RUNS x (DURATION + 2) s,
# nine minutes; the same command goes on where it was interrupted.  From the environment:
#   RUNS=3       traces, each with a run of each law
#   DURATION=40  seconds of a run, of which the first 5 are left out
#   MBIT=20      mean rate of the traces
#   LAWS="..."   as aqmllm evaluate takes them; the first is what others are compared with
# FOLDER/report gets report.html (simulated), real/report.html and beside/report.html.
set -u
[ $# = 2 ] || { sed -n '3,14s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 folder=$2
runs=${RUNS:-3} duration=${DURATION:-40} warmup=5 mbit=${MBIT:-20}
laws=(${LAWS:-dualpi2:min_qlen_step=1 student:pauses=0 student student:pauses=2})
trap 'exit 130' INT TERM HUP

skip() { # reason
	echo "SKIP: $1"
	exit 77
}
[ "$(id -u)" = 0 ] || skip "not root: network namespaces and TUN devices need it"
[ -e /dev/net/tun ] || skip "no /dev/net/tun here"
unshare -n true 2>/dev/null || skip "no network namespaces here"
# Packets come before whatever else the machine does, where that is allowed.
before_others=$(chrt -r 1 true 2>/dev/null && echo chrt -r 1)

mkdir -p "$folder" || exit 1
settings="$duration s, $mbit Mbit/s"
if [ -e "$folder/settings" ] && [ "$(cat "$folder/settings")" != "$settings" ]; then
	echo "bench/wifi.sh: $folder holds runs of $(cat "$folder/settings"); name another folder" >&2
	exit 2
fi
echo "$settings" >"$folder/settings"
rm -rf "$folder/suite"
mkdir "$folder/suite" || exit 1
for run in $(seq "$runs"); do
	name=wifi-$mbit-$run
	trace=$folder/suite/$name.trace
	"$build/aqmllm" scenarios --trace wifi --mean-mbps "$mbit" --seed "$run" -o "$trace" -q || exit 1
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
		mkdir -p "$(dirname "$kept")" || exit 1
		[ -n "${QUIET:-}" ] || echo "$law, trace $run of $runs" >&2
		set=()
		[ "$law" = "${law#*:}" ] || set=(--set "${law#*:}")
		$before_others "$build/aqmllm" route --demo --flows cubic,cubic,prague,prague --delay 10 \
			--rate-trace "$trace" --aqm "${law%%:*}" "${set[@]}" --warmup "$warmup" \
			--duration $((duration - warmup)) --run "$kept.part" -q >/dev/null || exit 1
		mv "$kept.part" "$kept" || exit 1
	done
done
exec "$build/aqmllm" evaluate "$folder/suite" --baseline "${laws[0]}" \
	--against "$(IFS=, && echo "${laws[*]:1}")" --seeds 1 --real "$folder/real" \
	--title "Links that take turns, simulated and real" -o "$folder/report"
