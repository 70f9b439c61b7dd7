#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The scenarios of the paper against what is known of the testbed.
# usage: bench/paper_as_run.sh [BUILD [SEEDS]]
set -eu
build=${1:-build} seeds=${2:-10}
here=$(dirname "$0")/..
real=${AQMLLM_SHARED_DIR:-$here/../shared}/data/authors_testbed_iperf.csv

# One line a run: utilisation, then goodput and mean RTT of each flow, then packets, marks and
# drops of L, C and both, then mean and p99 queue delay of L, C and both.
figures() { # scenario, seed
	"$build/aqmllm" simulate "$here/scenarios/$1.yaml" --seed "$2" --json | awk '
		function value() { gsub(/[",]/, ""); return $2 }
		/"utilisation"/ { line = value() }
		/"goodput_mbps"/ { flows = flows " " value() }
		/_ms": {/ { in_queue = /"qdelay_ms"/; in_rtt = /"rtt_ms"/ }
		/"packets":|"marks":|"drops":/ { if (!seen_flows) counts = counts " " value() }
		/"flows"/ { seen_flows = 1 }
		/"mean"/ { if (in_queue) delays = delays " " value(); else if (in_rtt) rtts = rtts " " value() }
		/"p99"/ { if (in_queue) delays = delays " " value() }
		END { print line, flows, rtts, counts, delays }'
}

runs() { # scenario
	for seed in $(seq "$seeds"); do figures "$1" "$seed"; done
}

# The router's log of every run, as its readers count it: lines, and percent of them that are in
# the L queue, enqueued, dropped and marked.
lines() { # scenario
	for seed in $(seq "$seeds"); do
		"$build/aqmllm" simulate "$here/scenarios/$1.yaml" --seed "$seed" --log "$log" \
			--json >"$log.json"
		awk -F, '{ all++; in_l += $2 == 1; action[$25]++ }
			END { printf "%d %g %g %g %g\n", all, 100 * in_l / all,
				100 * action[1] / all, 100 * action[2] / all, 100 * action[3] / all }' "$log"
	done
}
log=$(mktemp)
trap 'rm -f "$log" "$log.json"' EXIT

statistics='
	{ for (i = 1; i <= NF; i++) { sum[i] += $i; square[i] += $i * $i } n++ }
	function mean(i) { return sum[i] / n }
	function half(i,  v) { v = (square[i] - sum[i] * sum[i] / n) / (n > 1 ? n - 1 : 1)
		return (n > 1 ? t : 0) * sqrt(v > 0 ? v / n : 0) }
	function row(name, i, unit, wanted) {
		printf "%-34s %9.3f +- %7.3f %-7s %s\n", name, mean(i), half(i), unit, wanted }'
# Student t, two-sided 95 %, for 2 to 11 runs; 1.96 beyond.
t=$(echo "$seeds" | awk '{ split("0 12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262 2.228", t)
	print (($1 in t) && $1 > 1 ? t[$1] : 1.96) }')

echo "paper_as_run, $seeds seeds, mean +- 95 %"
if [ -f "$real" ]; then
	awk -F, 'NR > 1 { rate[$2] += $5; rtt[$2] += $8; n[$2]++ }
		END { for (c in n) printf "  real runs: %-8s received %.3f Mbit/s, RTT mean %.0f ms\n", c,
			rate[c] / n[c], rtt[c] / n[c] }' "$real" | sort
else
	echo "SKIP: the real runs (no $real)"
fi
runs paper_as_run | awk -v t="$t" "$statistics"'
	END { row("utilisation", 1, "", "")
		row("cubic goodput", 2, "Mbit/s", "wanted 0.88 .. 2.04")
		row("newreno goodput", 3, "Mbit/s", "wanted 0.31 .. 0.73")
		row("dctcp goodput", 4, "Mbit/s", "wanted 0.73 .. 1.71")
		row("cubic RTT mean", 5, "ms", "wanted 667 .. 1500")
		row("newreno RTT mean", 6, "ms", "wanted 667 .. 1500")
		row("dctcp RTT mean", 7, "ms", "wanted 667 .. 1500")
		row("Classic queue delay, mean", 19, "ms", "")
		row("L queue delay, mean", 17, "ms", "") }'
lines paper_as_run | awk -v t="$t" "$statistics"'
	END { row("log lines", 1, "", "real 54,000 .. 74,500 a run")
		row("in the L queue", 2, "%", "real 17.5")
		row("enqueued", 3, "%", "real 99.2")
		row("dropped", 4, "%", "real 0.73")
		row("marked", 5, "%", "real 0.07") }'
paper() { # scenario, its fifth flow, that flow's least Mbit/s
	echo "$1, $seeds seeds, mean +- 95 %"
	runs "$1" | awk '{ $2 = ($2 + $3) / 2; $4 = ($4 + $5) / 2; print }' |
		awk -v t="$t" -v cc="$2" -v least="$3" "$statistics"'
		END { row("utilisation", 1, "", "wanted >= 0.98")
			row("two cubic, mean goodput", 2, "Mbit/s", "")
			row("two newreno, mean goodput", 4, "Mbit/s", "")
			row(cc " goodput", 6, "Mbit/s", "wanted >= " least)
			row("L queue delay, mean", 21, "ms", "wanted <= 2.5")
			row("L queue delay, p99", 22, "ms", "wanted <= 7")
			row("Classic queue delay, mean", 23, "ms", "wanted 12 .. 18")
			row("Classic queue delay, p99", 24, "ms", "") }'
}
paper paper dctcp 0.5
paper paper_prague udp_prague 1.2
