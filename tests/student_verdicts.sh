#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Students decide the same whatever built them: without optimisation, with all of it, for this very
# machine, and by the compilers that are here.  usage: student_verdicts.sh SOURCE PROGRAM...
source=$1
shift
. "$source/tests/work_folder.sh"
expected=$("$1") || exit 1
failed=0
compare() { # what, digest
	[ "$2" = "$expected" ] && return
	echo "FAILED: $1 says $2, the first one $expected"
	failed=1
}
for program in "$@"; do
	compare "$program" "$("$program")"
done
built() { # compiler, flags...
	local compiler=$1
	shift
	command -v "$compiler" >/dev/null || return
	"$compiler" "$@" -std=c17 -D_GNU_SOURCE -I"$source" -o "$work/verdicts" \
		"$source/tests/student_verdicts.c" "$source/policy/student_model.c" \
		"$source/base/rng.c" "$source/base/error.c" -lm || failed=1
	[ $failed = 1 ] || compare "$compiler $*" "$("$work/verdicts")"
}
built gcc -O0
built gcc -O3 -march=native
built clang -O2
[ $failed = 0 ] && echo "students decide alike: $expected"
exit $failed
