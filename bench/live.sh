#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The paper's testbed with real TCP stacks (docs/live.md): two clients, a router and a server in
# network namespaces, 8 Mbit/s and 10 ms each way.  Collects the log of ten runs under DualPI2,
# makes a pool of it, adapts a backbone to the pool, and lets the policy at intervals 10 and 100 and
# the shipped student manage the queue; then the same in the simulator, and both side by side.
#   bench/live.sh BUILD FOLDER
# Needs root, iperf3, and clang and bpftool for DCTCP.  Takes real time, 4 x RUNS x (DURATION + 3) s,
# half an hour; the same command goes on where it was interrupted.  From the environment:
#   DURATION=40      seconds of a run, of which the first WARMUP=5 are left out
#   RUNS=10          of each arm
#   EPOCHS=6         of training
#   SCENARIO=paper   or paper_prague: UDP Prague in place of DCTCP, where it is installed
#   QUICK=1          two runs of 6 s and one epoch: does it work here?
# FOLDER/report gets report.html (simulated), real/report.html and beside/report.html.
set -u
[ $# = 2 ] || { sed -n '3,17s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 folder=$2
source=$(cd "$(dirname "$0")/.." && pwd)
if [ -n "${QUICK:-}" ]; then
	runs=${RUNS:-2} duration=${DURATION:-6} warmup=${WARMUP:-2} epochs=${EPOCHS:-1}
else
	runs=${RUNS:-10} duration=${DURATION:-40} warmup=${WARMUP:-5} epochs=${EPOCHS:-6}
fi
scenario=${SCENARIO:-paper}
. "$source/bench/testbed.sh"

# The simulator's stacks are to be Linux's, as the real ones are.
testbed_scenario "$source/scenarios/$scenario.yaml" "$folder/$scenario.yaml" \
	"s/{cc: cubic,/{cc: cubic, options: [linux_cubic],/
	s/{cc: dctcp,/{cc: dctcp, options: [linux_dctcp],/"

testbed_open "$build/aqmllm" "$source"
while read -r cc _; do
	case $cc in
	dctcp)
		[ -n "$testbed_dctcp" ] || testbed_skip \
			"no DCTCP: neither the kernel's nor kernel/bpf's (BTF, clang, bpftool, libbpf-dev)"
		;;
	udp_prague)
		has udp_prague_sender udp_prague_receiver ||
			testbed_skip "no udp_prague_sender and udp_prague_receiver here"
		;;
	esac
done < <(scenario_flows "$folder/$scenario.yaml")
echo "DCTCP is ${testbed_dctcp:-not here} ($([ "$testbed_dctcp" = dctcp ] && echo "the kernel's" ||
	echo "kernel/bpf: DCTCP's answer, paced")); Cubic and NewReno are the kernel's $(uname -r)"
if [ "$scenario" = paper ]; then
	has udp_prague_sender udp_prague_receiver &&
		echo "UDP Prague is here too: SCENARIO=paper_prague has it in place of DCTCP" ||
		echo "UDP Prague is not installed: DCTCP is the scalable flow"
fi

# A real run of every number of an arm; options of route say @RUN@ for it.
run_arm() { # its place of 4, name, options of route...
	local arm=$1 name=$2 stem run
	shift 2
	for run in $(seq "$runs"); do
		stem=$folder/runs_real/$scenario/$name/$run
		[ -e "$stem.run" ] && continue
		[ -n "${QUIET:-}" ] || echo "$name, run $run of $runs; about" \
			"$(((((4 - arm) * runs + runs - run + 1) * (duration + 3) + 59) / 60)) min left" >&2
		testbed_run "$folder/$scenario.yaml" "$stem" "${@//@RUN@/$run}" ||
			fail "a run failed: $(head -3 "$stem.failed")"
	done
}

# The law as the scenario has it: the log of every packet is what the policy learns from.
settings=$(scenario_settings "$folder/$scenario.yaml")
mkdir -p "$folder/logs"
run_arm 1 dualpi2 --aqm dualpi2 $settings --log "$folder/logs/@RUN@.log.zst"
if [ ! -e "$folder/policy.made" ]; then
	"$build/aqmllm" pool $(seq -f "$folder/logs/%g.log.zst" "$runs") \
		-o "$folder/pool.safetensors" || exit 1
	"$build/aqmllm" train "$folder/pool.safetensors" --interval 1,10,100 --epochs "$epochs" \
		${QUICK:+--windows-per-epoch 100} -o "$folder/policy" || exit 1
	touch "$folder/policy.made"
fi
run_arm 2 policy/10 --aqm dualpi2 $settings --policy "$folder/policy" --interval 10
run_arm 3 policy/100 --aqm dualpi2 $settings --policy "$folder/policy" --interval 100
run_arm 4 student --aqm student $(echo "$settings" | grep limit_packets)
testbed_close
"$build/aqmllm" predict "$folder/pool.safetensors" --policy "$folder/policy" --held-out 0.2 \
	--stride 10 >"$folder/predict.txt" || exit 1
exec "$build/aqmllm" evaluate "$folder/$scenario.yaml" --policy "$folder/policy" --interval 10,100 \
	--decision-ms measured --against student --seeds "$runs" --real "$folder/runs_real" \
	--notes "$folder/predict.txt" --title "The paper's testbed, simulated and real" -o "$folder/report"
