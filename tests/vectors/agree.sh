#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Two hosts of the laws come to the same sums, and to the same log where the other one has one.
# usage: agree.sh VECTORS OTHER [PACKETS [SEED]]
[ $# -ge 2 ] || { echo "usage: agree.sh VECTORS OTHER [PACKETS [SEED]]" >&2; exit 2; }
vectors=$1 other=$2 packets=${3:-1000000} seed=${4:-1}
failed() { # status, what was printed
	[ -z "$2" ] || printf '%s\n' "$2"
	exit "$1"
}
here=$("$vectors" "$packets" "$seed" log) || failed $? "$here"
there=$("$other" "$packets" "$seed") || failed $? "$there"
printf '%s\n' "$there" | awk -v here="$here" '
	BEGIN {
		rows = split(here, row, "\n")
		for (i = 1; i <= rows; i++) {
			split(row[i], word, " ")
			sum[word[2]] = word[1]; log_sum[word[2]] = word[7]; packets = word[3]
		}
	}
	sum[$2] != $1 { print "FAILED: " $2 ": " $1 " there, " sum[$2] " here"; bad = 1 }
	NF > 3 && log_sum[$2] != $4 { print "FAILED: " $2 ": log " $4 " there, " log_sum[$2] " here"; bad = 1 }
	END {
		if (NR != rows) { print "FAILED: " NR " cases there, " rows " here"; bad = 1 }
		if (!bad) print rows " cases of " packets " packets: the same verdicts"
		exit bad
	}'
