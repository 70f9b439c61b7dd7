#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Proves that every rule of check.sh can fail: breaks each of them in a small tree.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../work_folder.sh"
failed=0

# A tree that follows all rules.
good_tree() {
	rm -rf "$work/tree" && mkdir -p "$work/tree/base" "$work/tree/aqm" "$work/tree/sim"
	cd "$work/tree" || exit 1
	cat >base/good.c <<-'C'
		/* SPDX-License-Identifier: BSD-2-Clause */
		int good(void);
		int good(void)
		{
			return 1;
		}
	C
	printf '/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */\n#include <stdint.h>\n' \
		>aqm/core.h
}

expect() { # what, pattern
	out=$(sh "$here/check.sh" "$work/tree" 2>&1)
	code=$?
	if [ "$2" = good ]; then
		[ $code = 0 ] || { echo "FAILED: a good tree is refused: $out"; failed=1; }
	elif [ $code = 0 ] || ! echo "$out" | grep -q "$2"; then
		echo "FAILED: $1 goes unnoticed: $out"
		failed=1
	fi
}

good_tree
expect "a good tree" good
good_tree
echo '#include "sim/run.h"' >>base/good.c
expect "an include against the arrows" 'base may include'
good_tree
{ echo 'int long_one(void)'; echo '{'; yes '	good();' | head -101; echo '}'; } >>base/good.c
expect "a function of 101 lines" 'function of 101 lines'
good_tree
yes '/* line */' | head -801 >>base/good.c
expect "a file over 800 lines" '800 allowed'
good_tree
printf '\t\t/* %091d */\n' 0 >>base/good.c
expect "a line over 100 columns" 'columns, 100 allowed'
good_tree
echo 'static inline double half(double x) { return x / 2; }' >>aqm/core.h
expect "floating point in a core" 'floating point'
good_tree
echo '#include <stdio.h>' >>aqm/core.h
expect "libc in a core" 'includes stdio.h'
good_tree
sed -i 1d base/good.c
expect "a file without a licence" 'no SPDX line'
good_tree
sed -i '1s/.*/\/* SPDX-License-Identifier: BSD-2-Clause *\//' aqm/core.h
expect "a core under another licence" 'GPL-2.0-only OR BSD-2-Clause'
good_tree
echo '/* see /home''/somebody/notes */' >>base/good.c
expect "a path of somebody's machine" 'path of a\|path of somebody'
[ $failed = 0 ] && echo "structure selftest: every rule can fail"
exit $failed
