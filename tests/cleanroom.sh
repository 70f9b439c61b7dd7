#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A new user's machine: a minimal Debian root, a clean clone, and the commands of the README.
# usage (as root, needs debootstrap): tests/cleanroom.sh FOLDER [TARGET...]   default: demo check
# FOLDER keeps the root's packages between runs.
set -eu
folder=$1
shift
targets=${*:-demo check}
here=$(cd "$(dirname "$0")/.." && pwd)
root=$folder/root
[ -d "$folder/base" ] || debootstrap --variant=minbase bookworm "$folder/base" >/dev/null
rm -rf "$root"
cp -a "$folder/base" "$root"
chroot "$root" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends make \
	>/dev/null 2>&1'
git clone -q "$here" "$root/aqm-llm"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
# Terminals, as every running machine has them; the bind above brings only the empty folder.
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
trap 'umount "$root/dev/pts" "$root/proc" "$root/dev"' EXIT
start=$(date +%s)
chroot "$root" make -s -C /aqm-llm deps
echo "cleanroom: packages installed in $(($(date +%s) - start)) s"
for target in $targets; do
	start=$(date +%s)
	# No network from here on: everything needed has been installed.
	unshare --net chroot "$root" make -C /aqm-llm "$target" >"$folder/$target.log" 2>&1 || {
		tail -20 "$folder/$target.log"
		echo "cleanroom: make $target FAILED after $(($(date +%s) - start)) s"
		exit 1
	}
	tail -1 "$folder/$target.log"
	echo "cleanroom: make $target in $(($(date +%s) - start)) s"
done
