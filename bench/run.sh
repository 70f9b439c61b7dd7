#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every benchmark, one after another; what they print is bench/RESULTS.md.
build=${1:-build}
cd "$(dirname "$0")/.." || exit 1
{
	echo "# Benchmarks"
	echo
	echo "Made by \`make bench\` on: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)," \
		"$(nproc) cores."
	for program in "$build"/bench/bench_*; do
		[ -f "$program" ] && [ -x "$program" ] || continue
		echo
		echo "## $(basename "$program")"
		echo
		echo '```'
		"$program" || exit 1
		echo '```'
	done
} >bench/RESULTS.md.tmp && mv bench/RESULTS.md.tmp bench/RESULTS.md && cat bench/RESULTS.md
