#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What a household's applications get under each queue law: scenarios/mixed_home.yaml, mean over
# seeds of each figure (of flows alike, the mean).
# usage: bench/applications.sh [BUILD [SEEDS]]
set -eu
build=${1:-build} seeds=${2:-10}
here=$(dirname "$0")/..

tables() { # law
	for seed in $(seq "$seeds"); do
		"$build/aqmllm" simulate "$here/scenarios/mixed_home.yaml" --aqm "$1" --seed "$seed"
	done
}

echo "mixed_home, $seeds seeds"
echo "law          voice delay, ms     game delay, ms      page load  transfer   video"
echo "               p50    p99           p50    p99      mean, s    p50, ms    Mbit/s  stall, s"
for law in fifo codel pie fq_codel cake dualpi2; do
	tables "$law" | awk -v law="$law" '
		/^flow / { kind = $2 }
		kind == "datagrams" && $2 == "voice" { v50 += $7; v99 += $10; v++ }
		kind == "datagrams" && $2 == "gaming" { g50 += $7; g99 += $10; g++ }
		kind == "pages" && $2 == "web" { p += $7 / 1000; ps++ }
		kind == "transfers" && $2 == "transfers" { t += $8; ts++ }
		kind == "video" && $2 == "video" { m += $4; s += $8; vs++ }
		END { printf "%-10s %7.1f %6.1f %13.1f %6.1f %12.2f %10.0f %9.2f %9.2f\n", law,
			v50 / v, v99 / v, g50 / g, g99 / g, p / ps, t / ts, m / vs, s / vs }'
done
