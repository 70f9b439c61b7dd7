#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Proves the laws' integer arithmetic with z3, and that proof and code belong
# together.  usage: run.sh POINTS-PROGRAM
points=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../work_folder.sh"
failed=0
command -v z3 >/dev/null || { echo "proofs: z3 is not there (apt-get install z3)"; exit 1; }
"$points" ranges >"$work/ranges.smt2" || exit 1

# The query of one claim: is there a point where it does not hold?
query() { # variables, claim, model
	cat "$work/ranges.smt2" "$3"
	echo "$1" | tr ',' '\n' | while read -r name low high; do
		case "$low" in
		"(-") low="(- ${high%%)*})" high=${high#*) } ;;
		esac
		printf '(declare-const %s Int)\n(assert (<= %s %s %s))\n' \
			"$name" "$low" "$name" "$high"
	done
	printf '(assert (not %s))\n(check-sat)\n' "$2"
}

# An error of z3 is no answer.  The longest claim takes seconds; a busy machine is given time.
answer() { # file
	z3 -T:600 "$1" 2>&1 | awk '/error/ { bad = $0 } { last = $0 } END { print bad ? bad : last }'
}

expect() { # what, wanted, answer
	if [ "$2" = "$3" ]; then
		printf '%-68s %s\n' "$1" good
	else
		printf '%-68s %s\n' "$1" "FAILED ($3)"
		failed=1
	fi
}

claim() { # name, model: a claim of the list, under a model
	line=$(grep "^$1 |" "$here/claims.txt")
	query "$(echo "$line" | cut -d'|' -f2)" "$(echo "$line" | cut -d'|' -f3-)" "$2" \
		>"$work/query.smt2"
	answer "$work/query.smt2"
}

echo "For all parameters in their declared ranges (no counterexample exists):"
grep -v '^#' "$here/claims.txt" | cut -d'|' -f1 | sed 's/ *$//' >"$work/names"
while read -r name; do
	expect "$name" unsat "$(claim "$name" "$here/model.smt2")"
done <"$work/names"

echo "The model is the compiled code:"
"$points" 200 >"$work/points.smt2"
{ cat "$work/ranges.smt2" "$here/model.smt2" "$work/points.smt2"; echo '(check-sat)'; } >"$work/agree.smt2"
expect "both agree at $(grep -c . "$work/points.smt2") random points" sat \
	"$(answer "$work/agree.smt2")"

# A wrong constant, rounding or order in the model must not pass.
refuted() { # what, sed script
	sed "$2" "$here/model.smt2" >"$work/wrong.smt2"
	cmp -s "$here/model.smt2" "$work/wrong.smt2" && echo "proofs: $1 changes nothing" && failed=1
	{ cat "$work/ranges.smt2" "$work/wrong.smt2" "$work/points.smt2"; echo '(check-sat)'; } >"$work/agree.smt2"
	expect "refuted by the code: $1" unsat "$(answer "$work/agree.smt2")"
}
refuted "a divisor of 1953124" 's/1953125/1953124/g'
refuted "division that rounds down, not towards zero" 's/(ite (< x 0) (- (div (- x) y)) (div x y))/(div x y)/'
refuted "a decay of 0.96" 's/(\* next 49) 50/(* next 48) 50/'
refuted "a ramp half as steep" 's/2147483648/1073741824/'
refuted "a power bent less" 's/(- 4096 f) 88)/(- 4096 f) 80)/'
refuted "a p' that follows the sojourn to twice the target" 's/(\* 3 target)/(* 2 target)/g'
refuted "pauses of twice the length at most" 's/student.longest_pause) pause student.longest_pause)/(* 2 student.longest_pause)) pause (* 2 student.longest_pause))/'
refuted "a guard that asks for a third" 's/(div share 65536)) 131072/(div share 65536)) 196608/'
refuted "a guard that earns a packet more" 's/(g_power (- 16 (div/(g_power (- 15 (div/'
refuted "a room that idle time costs no more" 's/(\* room.cost idle)/(* 1 idle)/'
refuted "PIE's cap at 3 %" 's/(div one 50)/(div one 33)/g'

# Claims are not empty: with a wider clamp there is an overflow, and z3 finds it.
sed 's/delay_max () Int 1099511627775/delay_max () Int 2199023255552/' "$here/model.smt2" \
	>"$work/wide.smt2"
expect "refuted by z3: delays of 2^41 fit" sat \
	"$(claim "PI: the sum fits, and can be negated" "$work/wide.smt2")"
sed -i.before 's/guard.idle_ns () Int [0-9]*/guard.idle_ns () Int 1/' "$work/ranges.smt2"
expect "refuted by z3: budgets of 1 ns keep within any stretch of 2" sat \
	"$(query "m 0 1, s 0 0" "(<= (worst m 2 0) guard.idle_ns)" "$here/model.smt2" >"$work/q"; answer "$work/q")"
mv "$work/ranges.smt2.before" "$work/ranges.smt2"
sed -i 's/dualpi2.alpha.max () Int .*/dualpi2.alpha.max () Int 16777216)/' "$work/ranges.smt2"
expect "refuted by z3: a gain of 256 fits" sat \
	"$(claim "PI: the sum fits, and can be negated" "$here/model.smt2")"
exit $failed
