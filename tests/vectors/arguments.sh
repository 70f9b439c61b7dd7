#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the vectors and the scripts around them say of too few packets and of slips of the finger.
# usage: arguments.sh VECTORS SCRIPT OTHER...   each SCRIPT gets VECTORS, OTHER and the packets
vectors=$1
shift
failed=0
refuses() { # pattern, command
	local pattern=$1 said status
	shift
	said=$("$@" 2>&1)
	status=$?
	[ $status = 2 ] && [ "$(wc -l <<<"$said")" = 1 ] && grep -q -- "$pattern" <<<"$said" && return
	echo "FAILED: $*: status $status: $said"
	failed=1
}
for bad in '1999' '0' '' 'x' '-5' '5000x' '99999999999999999999999'; do
	refuses 'PACKETS.*2000' "$vectors" "$bad"
done
refuses 'SEED' "$vectors" 2000 x
refuses 'log.*wrong' "$vectors" 2000 1 lgo
refuses 'usage' "$vectors" 2000 1 log 1
"$vectors" 2000 >/dev/null || { echo "FAILED: the least number is too few"; failed=1; }
while [ $# -gt 1 ]; do
	refuses 'PACKETS.*2000' sh "$1" "$vectors" "$2" 1000
	refuses 'usage: ' sh "$1" "$vectors"
	sh "$1" "$vectors" "$2" 2000 >/dev/null || { echo "FAILED: $1: the least number is too few"; failed=1; }
	shift 2
done
exit $failed
