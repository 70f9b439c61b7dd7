#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The modules' machine code, made as FreeBSD's kernel build makes it, touches no SSE, MMX or x87
# register and calls no soft float.  SKIP without clang.  usage: no_float.sh SOURCE STANDIN BYTES
source=$1 standin=$2 bytes=$3
command -v clang >/dev/null || { echo "SKIP: no clang"; exit 77; }
objdump=$(command -v llvm-objdump || command -v objdump) || { echo "SKIP: no objdump"; exit 77; }
. "$source/tests/work_folder.sh"
failed=0

build() { # object, file, flags...
	object=$1 file=$2
	shift 2
	clang -target x86_64-unknown-freebsd13 -nostdinc -ffreestanding -std=gnu99 -O2 -D_KERNEL \
		-DKLD_MODULE -mcmodel=kernel -mno-red-zone -fno-strict-aliasing -fno-common -Wall \
		-Wextra -Wno-unused-parameter -Werror -Wframe-larger-than=2048 -I"$standin" \
		-I"$source/kernel/freebsd/include" -I"$source" -I"$(dirname "$bytes")" "$@" \
		-c -o "$object" "$file"
}

# What there is of floating point in an object: registers, or calls of soft float.
floats() {
	"$objdump" -d "$1" | grep -E '%[xyz]mm[0-9]|%mm[0-7]|%st\b|\bf(ld|st|add|mul|div)[a-z]*\s' | head -3
	"$objdump" -t "$1" | grep -E '\*UND\*.*__(add|sub|mul|div|float|fix|trunc|extend)[a-z]*[sd]f' | head -3
}

echo 'double half(double x) { return x / 2; }' >"$work/control.c"
build "$work/control.o" "$work/control.c" || exit 1
[ -n "$(floats "$work/control.o")" ] || { echo "FAILED: floating point is not found where it is"; exit 1; }

for version in 1300139 1400097; do
	for file in dn_aqm_laws dn_sched_aqm dual_queue packet packet_log settings weights; do
		build "$work/$file.o" "$source/kernel/freebsd/$file.c" -DSTANDIN_VERSION=$version \
			-mno-sse -mno-mmx -mno-avx -msoft-float -mno-aes || failed=1
		found=$(floats "$work/$file.o")
		[ -z "$found" ] || { echo "FAILED: $file.c: $found"; failed=1; }
	done
done
[ $failed = 0 ] && echo "no floating point"
exit $failed
