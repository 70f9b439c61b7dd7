#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds the fuzz targets with clang and runs them for SECONDS in all.
# Exit status 77 (SKIP) without clang.
seconds=${1:-60}
cd "$(dirname "$0")/../.." || exit 1
command -v clang >/dev/null || {
	echo "SKIP: fuzzing needs clang (apt-get install clang libclang-rt-14-dev)"
	exit 77
}
[ -f build-fuzz/build.ninja ] || CC=clang meson setup build-fuzz --buildtype=debugoptimized \
	-Db_sanitize=address,undefined -Db_lundef=false \
	-Dc_args=-fsanitize=fuzzer-no-link >/dev/null || exit 1
ninja -C build-fuzz $(sed -n "s#.*'\(fuzz_[a-z_]*\)':.*#tests/fuzz/\1#p" tests/fuzz/meson.build) \
	>/dev/null || exit 1
targets=$(find build-fuzz/tests/fuzz -maxdepth 1 -type f -name 'fuzz_*' -perm -u+x)
each=$((seconds / $(echo "$targets" | wc -w)))
for target in $targets; do
	echo "$(basename "$target"): $each s"
	"$target" -max_total_time=$each -max_len=65536 -print_final_stats=1 2>&1 |
		grep -E 'stat::number_of_executed_units|SUMMARY|ERROR' || exit 1
	[ -z "$(ls crash-* leak-* timeout-* oom-* 2>/dev/null)" ] || {
		echo "$(basename "$target") found: $(ls crash-* leak-* timeout-* oom-* 2>/dev/null)"
		exit 1
	}
done
