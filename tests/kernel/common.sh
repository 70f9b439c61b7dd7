# SPDX-License-Identifier: BSD-2-Clause
# For the tests of kernel/: sourced by them.

# A test that cannot run here says so.
skip() { # reason...
	echo "SKIP: $*"
	exit 77
}

fail() {
	echo "FAILED: $*"
	exit 1
}

# Root with a network namespace to make, and programs that are there.
need_root() {
	[ "$(id -u)" = 0 ] || skip "not root"
	ip netns add "aqmprobe$$" 2>/dev/null || skip "no network namespaces here"
	ip netns del "aqmprobe$$"
}

need() { # program...
	for needed in "$@"; do
		command -v "$needed" >/dev/null || [ -x "/usr/sbin/$needed" ] ||
			skip "no $needed here"
	done
}
