#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The two scenarios of the paper against what is known of the testbed.
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
		/"qdelay_ms"/ { in_queue = 1 }
		/"rtt_ms"/ { in_queue = 0 }
		/"packets":|"marks":|"drops":/ { if (!seen_flows) counts = counts " " value() }
		/"flows"/ { seen_flows = 1 }
		/"mean"/ { if (in_queue) delays = delays " " value(); else rtts = rtts " " value() }
		/"p99"/ { if (in_queue) delays = delays " " value() }
		END { print line, flows, rtts, counts, delays }'
}

runs() { # scenario
	for seed in $(seq "$seeds"); do figures "$1" "$seed"; done
}

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
		row("cubic goodput", 2, "Mbit/s", "wanted 0.83 .. 1.94")
		row("newreno goodput", 3, "Mbit/s", "wanted 0.29 .. 0.68")
		row("dctcp goodput", 4, "Mbit/s", "wanted 0.71 .. 1.65")
		row("cubic RTT mean", 5, "ms", "wanted 667 .. 1500")
		row("newreno RTT mean", 6, "ms", "wanted 667 .. 1500")
		row("dctcp RTT mean", 7, "ms", "wanted 667 .. 1500")
		printf "%-34s %9.2f %%               real 17.5\n", "L share of packets",
			100 * mean(8) / mean(14)
		printf "%-34s %9.2f %%               real 0.73\n", "drops", 100 * mean(16) / mean(14)
		printf "%-34s %9.2f %%               real 0.07\n", "marks", 100 * mean(15) / mean(14) }'
echo "paper, $seeds seeds, mean +- 95 %"
runs paper | awk -v t="$t" "$statistics"'
	END { row("utilisation", 1, "", "wanted >= 0.98")
		row("dctcp goodput", 6, "Mbit/s", "wanted >= 0.5")
		row("L queue delay, mean", 21, "ms", "wanted <= 2.5")
		row("L queue delay, p99", 22, "ms", "wanted <= 7")
		row("Classic queue delay, mean", 23, "ms", "wanted 12 .. 18")
		row("Classic queue delay, p99", 24, "ms", "") }'
