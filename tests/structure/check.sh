#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The house rules that a machine can check: include directions, budgets,
# freestanding cores, licences, paths.  `check.sh DIR` looks at another tree,
# which is how selftest.sh proves that every rule can fail.
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$here/../..}" || exit 1
status=0

fail() {
	echo "structure: $*"
	status=1
}

sources() {
	find base aqm net queue tcp sim experience tensor backbone policy cluster learn report cli tests \
		bench router os kernel \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' \) 2>/dev/null | sort
}

# 1. Include directions: folder, then the folders it may include (transitively).
allowed() {
	case $1 in
	base) echo base ;;
	aqm | net | tensor) echo "$1 base" ;;
	queue) echo "queue net aqm base" ;;
	tcp) echo "tcp net base" ;;
	sim) echo "sim queue tcp net aqm base" ;;
	experience) echo "experience aqm base" ;;
	backbone) echo "backbone tensor base" ;;
	policy) echo "policy aqm experience backbone tensor base" ;;
	router) echo "router queue net policy aqm experience backbone tensor base" ;;
	os) echo "os router tcp queue net policy aqm experience backbone tensor base" ;;
	cluster) echo "cluster base" ;;
	learn) echo "learn cluster policy sim queue tcp net aqm experience backbone tensor base" ;;
	report) echo "report experience aqm base" ;;
	*) echo "*" ;;
	esac
}
# All files at once here and below: a process a file takes minutes on a busy machine.
sources | xargs sed -n 's/^#include "\([a-z]*\)\/.*/\1/p;T;F' | paste - - | sort -u >/tmp/structure.$$
while read -r to file; do
	folder=${file%%/*}
	[ "$folder" = "$before" ] || may=$(allowed "$folder")
	before=$folder
	case " $may " in
	*" $to "* | " * ") ;;
	*) fail "$file includes $to/: $folder may include $may" ;;
	esac
done </tmp/structure.$$

# 2. Budgets: functions median <= 15, 90 % <= 50, all <= 100 lines; files <= 800; 100 columns.
sources | grep -v '_test\.c$' | xargs awk '
	FNR == 1 { open = 0 }
	/^\{/ { open = 1; count = 0; next }
	/^\}/ && open { print count, FILENAME ":" FNR; open = 0 }
	open { count++ }' | sort -n >/tmp/structure.$$
awk '{ n[NR] = $1; where[NR] = $2 }
	END {
		if (NR == 0) exit
		if (n[int((NR + 1) / 2)] > 15) print "median function has " n[int((NR + 1) / 2)] " lines, 15 allowed"
		if (n[int(NR * 0.9 + 0.5)] > 50) print "one in ten functions has over " n[int(NR * 0.9 + 0.5)] " lines, 50 allowed"
		for (i = 1; i <= NR; i++) if (n[i] > 100) print where[i] ": function of " n[i] " lines, 100 allowed"
	}' /tmp/structure.$$ >/tmp/structure.bad.$$
while read -r line; do fail "$line"; done </tmp/structure.bad.$$
sources | xargs awk '
	function told() { if (lines > 800) print file ": " lines " lines, 800 allowed" }
	FNR == 1 { told(); file = FILENAME }
	{
		lines = FNR
		columns = 0
		parts = split($0, part, "\t")
		for (i = 1; i <= parts; i++)
			columns += length(part[i]) + (i < parts ? 8 - (columns + length(part[i])) % 8 : 0)
		if (columns > 100) print FILENAME ":" FNR ": " columns " columns, 100 allowed"
	}
	END { told() }' >/tmp/structure.bad.$$
while read -r line; do fail "$line"; done </tmp/structure.bad.$$
rm -f /tmp/structure.$$ /tmp/structure.bad.$$

# 3. Cores: freestanding, no float, only platform.h and other cores.
for core in $(ls aqm/*.h 2>/dev/null | grep -v 'aqm/ops.h'); do
	bad=$(sed -n 's/^#include [<"]\(.*\)[>"]/\1/p' "$core" | grep -v '^aqm/' |
		grep -vE '^std(int|bool|def)\.h$')
	[ -z "$bad" ] || fail "$core includes $bad"
	echo "#include \"$core\"" | ${CC:-cc} -x c -std=c11 -ffreestanding -mgeneral-regs-only \
		-Wall -Wextra -Wconversion -Werror -Wno-unused-function -I. -c -o /dev/null - \
		2>/tmp/structure.$$ || fail "$core is not freestanding: $(head -3 /tmp/structure.$$)"
	grep -nE '\b(float|double)\b' "$core" | grep -vE '^[0-9]+:[[:space:]]*(\*|/\*)' |
		grep -q . && fail "$core uses floating point"
done
rm -f /tmp/structure.$$

# 4. A licence in every file, and no path of anyone's machine.
without() { # text, lines at the head, what is said of a file that lacks it; files from standard input
	xargs awk -v text="$1" -v head="$2" -v said="$3" '
		FNR <= head && index($0, text) { found[FILENAME] = 1 }
		END { for (i = 1; i < ARGC; i++) if (!found[ARGV[i]]) print ARGV[i] ": " said }'
}
{
	{ sources; find aqm base tests -name '*.sh' 2>/dev/null; } |
		without 'SPDX-License-Identifier:' 2 'no SPDX line'
	find aqm kernel -name '*.[ch]' 2>/dev/null |
		without 'GPL-2.0-only OR BSD-2-Clause' 1 'aqm/ and kernel/ are GPL-2.0-only OR BSD-2-Clause'
} >/tmp/structure.$$
while read -r line; do fail "$line"; done </tmp/structure.$$
rm -f /tmp/structure.$$
paths=$(grep -nE '(^|[^A-Za-z0-9_.])/(home|work|root)/' $(sources) README.md docs/*.md \
	2>/dev/null | head -3)
[ -z "$paths" ] || fail "a path of somebody's machine: $paths"

[ $status = 0 ] && echo "structure: good"
exit $status
