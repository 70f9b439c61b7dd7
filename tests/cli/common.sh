# SPDX-License-Identifier: BSD-2-Clause
# What the tests of this folder share, sourced by each with PROGRAM, its first argument, a path from
# where the test was started: a folder of the test's own, in which it goes on and which is removed,
# and how it says what failed.  At the end of a test: finish NAME.
set -u
program=$(realpath "$1")
. "$(dirname "${BASH_SOURCE[0]}")/../work_folder.sh"
cd "$work" || exit 1
failed=0

fail() {
	echo "FAILED: $*"
	failed=1
}

finish() { # name
	[ $failed = 0 ] && echo "$1: good"
	exit $failed
}

aqmllm() {
	"$program" "$@"
}

# Bad input: one line that holds every PATTERN, status 2, and no output left.
refuses() { # patterns separated by |, then the command
	local patterns=$1 pattern
	shift
	aqmllm "$@" >out 2>err
	local status=$?
	[ $status = 2 ] || fail "$*: exit status $status, not 2: $(cat err)"
	[ "$(wc -l <err)" = 1 ] || fail "$*: $(wc -l <err) lines of error: $(cat err)"
	while read -r pattern; do
		grep -q -- "$pattern" err || fail "$*: no '$pattern' in: $(cat err)"
	done <<<"${patterns//|/$'\n'}"
	[ ! -e made ] || fail "$*: left something behind"
	rm -rf made
}

# SKIP where there is no mpirun; else it starts ranks on one machine, few cores, perhaps as root in
# a container.
needs_mpirun() { # what for
	command -v mpirun >/dev/null || {
		echo "SKIP: $1 (no mpirun: install openmpi-bin)"
		exit 77
	}
	export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
	export OMPI_MCA_plm_rsh_agent=false
	# Open MPI keeps memory to its end; leaks of ours are looked for elsewhere.
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
}
