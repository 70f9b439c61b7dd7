#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A test script's folder is gone after it, however it ends, and whatever still writes there then.
# usage: work_folder_test.sh SOURCE
source=$(realpath "$1")
TMPDIR=$(mktemp -d) || exit 1
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
failed=0

# Ends a script that has its folder from FILE: by itself, by a runner that loses patience half a
# second after SIGTERM (rm is slow on a busy machine), or at once.
gone() { # end, shell, file, arguments of the file...
	local end=$1 shell=$2 file=$3 script
	shift 3
	cat >"$TMPDIR/script" <<-S
		. "$file"
		trap '' TERM
		(while :; do : >"\$work/of a child \$((i = i + 1))"; sleep 0.1; done 2>/dev/null) &
		trap - TERM
		echo \$work >"$TMPDIR/folder.new" && mv "$TMPDIR/folder.new" "$TMPDIR/folder"
		[ $end = itself ] && { kill -9 \$!; exit 0; }
		sleep 60
	S
	PATH=$TMPDIR/slow:$PATH setsid "$shell" "$TMPDIR/script" "$@" >/dev/null 2>&1 &
	script=$!
	until [ -e "$TMPDIR/folder" ]; do sleep 0.1; done
	[ $end = runner ] && kill -TERM -- -$script && sleep 0.5
	[ $end = itself ] || kill -KILL -- -$script
	wait $script 2>/dev/null
	for _ in $(seq 100); do
		[ -e "$(cat "$TMPDIR/folder")" ] || break
		sleep 0.1
	done
	[ -e "$(cat "$TMPDIR/folder")" ] && echo "FAILED: $shell, $file, $end: it stays behind" && failed=1
	rm -f "$TMPDIR/folder"
}

mkdir "$TMPDIR/slow"
printf '#!/bin/sh\nsleep 1\nexec %s "$@"\n' "$(command -v rm)" >"$TMPDIR/slow/rm"
chmod +x "$TMPDIR/slow/rm"
for end in itself runner killed; do
	gone $end bash "$source/tests/cli/common.sh" /bin/true
	for shell in sh bash; do
		gone $end $shell "$source/tests/work_folder.sh"
	done
done
[ $failed = 0 ] && echo "work_folder: good"
exit $failed
