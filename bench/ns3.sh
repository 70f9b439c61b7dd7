#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The paper's mix under PIE, CoDel and FQ-CoDel, here and in ns-3 (Debian's ns3 and libns3-dev), in
# one run: queue delay, utilisation, marks, and data packets a second on one core.
# usage: bench/ns3.sh [BUILD [SEEDS]]     status 77: ns-3 is not installed; 1: a bound is missed
set -eu
build=${1:-build} seeds=${2:-5}
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
libraries="-lns3-core -lns3-network -lns3-internet -lns3-point-to-point -lns3-applications
	-lns3-traffic-control"

command -v g++ >/dev/null && ls -d /usr/include/ns3* >/dev/null 2>&1 || {
	echo "SKIP: no ns-3 (apt-get install g++ ns3 libns3-dev)"
	exit 77
}
g++ -O2 "$here/ns3_peer.cc" -o "$work/peer" $libraries

# Lines of: delay mean, p50, p99, utilisation, marks, drops, packets a second
ours() { # law, parameter or nothing
	for seed in $(seq "$seeds"); do
		"$build/aqmllm" simulate "$here/../scenarios/paper.yaml" --aqm "$1" ${2:+--set "$2"} \
			--seed "$seed" --json
	done | tr -d ',"' | awk '
		$1 == "utilisation:" { utilisation = $2 }
		$1 == "packets_per_wall_s:" { rate = $2 }
		$1 == "all:" { inside = 1 }
		inside { value[$1] = $2 }
		inside && $1 == "max:" {
			inside = 0
			print value["mean:"], value["p50:"], value["p99:"], utilisation,
				value["marks:"], value["drops:"], rate
		}'
}

theirs() { # law, attribute or nothing
	for seed in $(seq "$seeds"); do "$work/peer" "$1" "$seed" ${2:-}; done
}

means() {
	awk '{ for (i = 1; i <= NF; i++) sum[i] += $i }
		END { for (i = 1; i <= 7; i++) printf "%.6g ", sum[i] / NR; print "" }'
}

compare() { # name, our law, our parameter, their law, their attribute
	ours "$2" "$3" | means >"$work/ours"
	theirs "$4" "$5" | means >"$work/theirs"
	paste -d' ' "$work/ours" "$work/theirs" | awk -v name="$1" '
		function off(a, b) { return 100 * (a / b - 1) }
		function verdict(value, bound) { return value <= bound && value >= -bound ? "met" : "MISSED" }
		{
			print name
			row("queue delay mean, ms", $1, $8, 15)
			print_only("queue delay p50, ms", $2, $9)
			print_only("queue delay p99, ms", $3, $10)
			row("utilisation", $4, $11, 1)
			row("marks", $5, $12, 25)
			print_only("drops", $6, $13)
			printf "  %-22s %10.0f %10.0f  x %-6.1f  >= x 20  %s\n", "data packets/s", $7, $14,
				$7 / $14, ($7 >= 20 * $14 ? "met" : "MISSED")
		}
		function row(what, a, b, bound) {
			printf "  %-22s %10.4g %10.4g  %+7.1f %%  +- %2d %%  %s\n", what, a, b, off(a, b),
				bound, verdict(off(a, b), bound)
		}
		function print_only(what, a, b) { printf "  %-22s %10.4g %10.4g\n", what, a, b }' |
		tee -a "$work/table"
}

printf '%-24s %10s %10s\n' "$seeds seeds" aqmllm ns-3
compare "PIE" pie "" Pie ""
compare "PIE, marking at any probability" pie ecn_max_p=1 Pie PieQueueDisc::MarkEcnThreshold=1
compare "CoDel" codel "" CoDel ""
compare "FQ-CoDel" fq_codel "" FqCoDel ""
! grep -q MISSED "$work/table"
