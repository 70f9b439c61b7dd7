#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The modules' sums are those of the user build.  usage: vectors.sh USER MODULES [PACKETS [SEED]]
[ $# -ge 2 ] || { echo "usage: vectors.sh USER MODULES [PACKETS [SEED]]" >&2; exit 2; }
user=$1 modules=$2
shift 2
. "$(dirname "$0")/../../../tests/work_folder.sh"
failed() { # status, what was printed
	cat "$2"
	exit "$1"
}
"$user" "$@" >"$work/user" || failed $? "$work/user"
"$modules" "$@" >"$work/modules" || failed $? "$work/modules"
cat "$work/modules"
diff "$work/user" "$work/modules" >"$work/differ" &&
	echo "the modules come to the same as the user build" || { cat "$work/differ"; exit 1; }
