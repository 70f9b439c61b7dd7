#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The vectors in BPF come to the sums of user space.
# usage: bpf_vectors.sh SOURCE VECTORS BPF_VECTORS [PACKETS [SEED]]
set -u
source=$1 vectors=$2 program=$3
shift 3
. "$source/tests/kernel/common.sh"
[ "$(id -u)" = 0 ] || skip "not root"
need clang make
. "$source/tests/work_folder.sh"
make -s -C "$source/kernel/bpf" OUT="$work" "$work/vectors.bpf.o" >"$work/log" 2>&1 ||
	{ cat "$work/log"; fail "does not build"; }
"$program" "$work/vectors.bpf.o" 1 >/dev/null 2>"$work/log"
[ $? != 77 ] || skip "this kernel lets nobody load BPF"
cat >"$work/other" <<END
#!/bin/sh
exec "$(realpath "$program")" "$work/vectors.bpf.o" "\$@"
END
chmod +x "$work/other"
"$source/tests/vectors/agree.sh" "$vectors" "$work/other" "$@"
