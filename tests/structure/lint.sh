#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# clang-tidy and cppcheck over everything.  usage: lint.sh BUILD
set -u
build=${1:-build}
cd "$(dirname "$0")/../.." || exit 1
status=0
if command -v cppcheck >/dev/null; then
	# AQM_STUDENT_OWN names a header of a host's; cppcheck would try it without a name.
	cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem -UAQM_STUDENT_OWN -I. -j"$(nproc)" \
		base aqm net queue tcp sim experience tensor backbone policy router os cluster learn report cli || status=1
else
	echo "SKIP: cppcheck is not there (apt-get install cppcheck)"
fi
if command -v clang-tidy >/dev/null; then
	find base aqm net queue tcp sim experience tensor backbone policy router os cluster learn report cli -name '*.c' |
		xargs -P "$(nproc)" -n 8 clang-tidy -p "$build" --quiet 2>/dev/null || status=1
else
	echo "SKIP: clang-tidy is not there (apt-get install clang-tidy)"
fi
exit $status
