#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Checks the model of the switch between policy and law with spin, and that
# wrong models are found out.  usage: run.sh
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v spin >/dev/null; then
	echo "model: SKIP, spin is not there (apt-get install spin): the switch is NOT checked"
	exit 0
fi
. "$(dirname "$0")/../work_folder.sh"
failed=0

# Errors that spin finds in a model; a claim, or safety when it is empty.
errors() { # model, claim
	cd "$work" || exit 1
	if [ -n "$2" ]; then
		spin -a "$1" >spin.out 2>&1
		${CC:-cc} -O2 -w -DNFAIR=3 -o pan pan.c && ./pan -a -f -N "$2" -m100000
	else
		sed '/^ltl/d' "$1" >safety.pml
		spin -a safety.pml >spin.out 2>&1
		${CC:-cc} -O2 -w -DSAFETY -o pan pan.c && ./pan -m100000
	fi 2>&1 | awk '/error: max search depth/ { print "depth"; exit }
		/errors:/ { sub(/.*errors: /, ""); print; exit }'
}

expect() { # what, good or found, errors
	case "$2:$3" in
	good:0 | found:[1-9]*) printf '%-72s %s\n' "$1" good ;;
	*)
		printf '%-72s %s\n' "$1" "FAILED (errors: ${3:-none told})"
		failed=1
		;;
	esac
}

echo "The switch between policy and law (no run of the model contradicts it):"
expect "assertions: law's verdict unless the guard lets a fresh one through" good \
	"$(errors "$here/guard.pml" "")"
expect "every packet gets a verdict, whatever the policy does" good \
	"$(errors "$here/guard.pml" prompt)"
expect "a policy that died decides nothing more" good "$(errors "$here/guard.pml" orphan)"
expect "a link that stays busy opens the guard for good" good \
	"$(errors "$here/guard.pml" opens)"
expect "a link that stays idle closes it for good" good "$(errors "$here/guard.pml" closes)"

wrong() { # what, claim, sed script
	sed "$3" "$here/guard.pml" >"$work/wrong.pml"
	cmp -s "$here/guard.pml" "$work/wrong.pml" && echo "model: $1 changes nothing" && failed=1
	expect "found: $1" found "$(errors "$work/wrong.pml" "$2")"
}
wrong "a verdict while closed" "" 's/ \&\& open \&\& tokens > 0 ->/ \&\& tokens >= 0 ->/; s/tokens--$/skip/'
wrong "an answer used twice" "" 's/^\tfresh = false;$//; s/^\twanted = nothing;$//'
wrong "a packet that waits for its answer" prompt 's/^\t\tatomic {$/\t\t!thinking; atomic {/'
wrong "a budget that is never used up" closes 's/idle \&\& budget > 0 -> budget--/idle \&\& budget > 1 -> budget--/'
wrong "a budget that holds one more" "" 's/!idle \&\& budget < FULL ->/!idle \&\& budget < FULL + 1 ->/; s/budget == FULL ->/budget >= FULL ->/'
exit $failed
