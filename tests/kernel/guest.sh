#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The module in a guest: Debian's kernel under QEMU, in virtual time (TCG counts instructions, so a
# loaded machine changes nothing), with a RAM disk of what guest_init.sh needs.
#
# usage: guest.sh SOURCE BUILD [PACKETS [SECONDS [ROUNDS [MBIT [PAUSE_MS]]]]]
#     packets of each case of the vectors (0: neither these nor traffic that is measured), seconds
#     of traffic under changes, insertions, the rate of that traffic's link, and the time between
#     two changes: what an hour of it costs
# GUEST_LOG=FILE keeps the console; GUEST_TIMEOUT=900 is how many seconds the guest may take, beyond
# which the exit status is 124.
set -u
source=$(cd "$1" && pwd) build=$(cd "$2" && pwd)
packets=${3:-5000} seconds=${4:-10} rounds=${5:-10} mbit=${6:-8} pause_ms=${7:-300}
. "$source/tests/kernel/common.sh"
export PATH=$PATH:/usr/sbin
need qemu-system-x86_64 busybox iperf3 tc ip cpio make gcc
image=$(ls /boot/vmlinuz-*-amd64 2>/dev/null | sort -V | tail -1)
[ -n "$image" ] || skip "no Debian kernel here (linux-image-amd64)"
version=${image#/boot/vmlinuz-}
[ -d "/lib/modules/$version/build" ] || skip "no headers of $version here (linux-headers-amd64)"
file "$(command -v busybox)" 2>/dev/null | grep -q 'dynamically' && skip "busybox is not static"
. "$source/tests/work_folder.sh"
trap 'exit 1' INT TERM
root=$work/root
mkdir -p "$root"/{bin,sbin,tools,lib/tc,proc,sys,dev,tmp,run,etc}

# The modules, as a user builds them.
quietly() {
	"$@" >"$work/log" 2>&1 || { tail -30 "$work/log"; fail "$*"; }
}
quietly make -C "$source/kernel/linux" dkms-source DEST="$work/src"
quietly make -C "$work/src/kernel/linux" KDIR="/lib/modules/$version/build" VECTORS=1
grep -E 'warning|WARNING' "$work/log" && fail "the module compiles with warnings"
cp "$work"/src/kernel/linux/{sch_aqmllm,aqmllm_vectors}.ko "$root/"
cp "$work/src/kernel/linux/q_aqmllm.so" "$root/lib/tc/"

# The virtual queue in BPF, where it can be built.
programs="ip tc iperf3" virtual=
if make -s -C "$source/kernel/bpf" OUT="$work/bpf" "$work/bpf/vqueue.bpf.o" "$work/bpf/vqueue" \
	>"$work/log" 2>&1; then
	cp "$work/bpf/vqueue.bpf.o" "$root/"
	PATH=$PATH:$work/bpf programs="$programs vqueue" virtual=virtual
else
	echo "SKIP: the virtual queue in BPF: $(tail -1 "$work/log")"
fi

# Programs with their libraries, Debian's modules in the order in which they depend.
cp "$(command -v busybox)" "$root/bin/busybox"
for program in $programs; do
	cp "$(command -v $program)" "$root/tools/"
	ldd "$(command -v $program)" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root/$(dirname "$library")" && cp -n "$library" "$root/$library"
	done
done
for module in veth sch_netem sch_htb tcp_dctcp sch_ingress cls_u32 cls_bpf act_pedit act_csum; do
	modprobe -S "$version" --show-depends $module
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$work/modules"
while read -r path; do
	cp "$path" "$root/$(basename "$path")" && echo "/$(basename "$path")"
done <"$work/modules" >"$root/modules.list"

# Models to swap in, and what must be refused.
quietly "$build/tests/vectors/vectors_models" "$work"
cp "$work/supervise.aqms" "$root/net.aqms"
cp "$work/tree.aqms" "$work/verdict.aqms" "$root/"
head -c 700 "$work/supervise.aqms" >"$root/cut.aqms"
head -c 700 /dev/urandom >"$root/noise.aqms"
cp "$source/tests/kernel/guest_init.sh" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initramfs"

log=${GUEST_LOG:-$work/console}
timeout --foreground "${GUEST_TIMEOUT:-900}" qemu-system-x86_64 \
	-accel tcg,thread=single -icount shift=0,sleep=off \
	-rtc clock=vm -smp 1 -m 512 -cpu max -display none -no-reboot -nodefaults -serial stdio \
	-kernel "$image" -initrd "$work/initramfs" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off slub_debug=FZP log_buf_len=4M \
packets=$packets seconds=$seconds rounds=$rounds mbit=$mbit pause_ms=$pause_ms" \
	</dev/null 2>&1 | stdbuf -oL tr -d '\r' >"$log"
[ "${PIPESTATUS[0]}" != 124 ] || { echo "the guest was not done after ${GUEST_TIMEOUT:-900} s"; exit 124; }
results() { # key
	sed -n "s/^.*RESULT $1 //p" "$log"
}
grep -q 'RESULT over' "$log" || { tail -30 "$log"; fail "the guest did not come to its end"; }
grep -q 'RESULT FAILED' "$log" && { grep -A30 'RESULT FAILED' "$log"; fail "in the guest"; }

# The same verdicts as here.
if [ "$packets" != 0 ]; then
	"$build/tests/vectors/vectors" "$packets" >"$work/here" || fail "vectors, here"
	awk '{ print $1, $2, $3 }' "$work/here" >"$work/sums"
	results vectors >"$work/there"
	cmp -s "$work/sums" "$work/there" || { diff "$work/sums" "$work/there"; fail "other verdicts in the kernel"; }
fi
results line >"$work/log_lines"
[ -s "$work/log_lines" ] || fail "no log lines"
"$build/aqmllm" pool "$work/log_lines" -o "$work/pool.csv" --json --quiet >"$work/pool" ||
	fail "aqmllm pool does not read the log"
grep -q '"records": *'"$(wc -l <"$work/log_lines")"'\b' "$work/pool" || { cat "$work/pool"; fail "records lost"; }

python3 - "$log" "$packets" "$seconds" "$mbit" $virtual <<'END' || fail "traffic"
import json, re, sys
text = open(sys.argv[1]).read()
measured, with_virtual = int(sys.argv[2]) > 0, len(sys.argv) > 5
def line(key):
    return re.search(r"RESULT " + key + r" (.*)", text).group(1)
def steady():
    alone, _, delay = line("alone dctcp").split()
    print("dualpi2, dctcp alone: Mbit/s %.2f; delay ms L %s" % (float(alone) / 1e6, delay))
    bad = float(alone) < 7.2e6 or float(delay) > 4
    for law in "dualpi2", "student":
        rates = line(law + " cubic").split()
        cubic, dctcp = float(rates[0]) / 1e6, float(rates[2]) / 1e6
        delays = line("delays " + law).split()
        stats = json.loads(line("stats " + law))[0]
        c, l = stats["C"], stats["L"]
        print("%s: Mbit/s cubic %.2f dctcp %.2f; delay ms C %s L %s; marks C %d L %d, drops C %d L %d"
              % (law, cubic, dctcp, delays[1], delays[3], c["marks"], l["marks"], c["drops"], l["drops"]))
        # 8 Mbit/s of Ethernet frames; neither starves; the target is 15 ms, which a student lowers.
        bad |= not (7 < cubic + dctcp < 8 and 2 <= cubic <= 6 and 2 <= dctcp <= 6)
        least = 10 if law == "dualpi2" else 0.5
        bad |= not least < float(delays[1]) < 20 or float(delays[3]) > 4
        bad |= not (c["marks"] and l["marks"]) or l["drops"] > 0
    return bad
def virtual():
    pattern = r"RESULT virtual (\S+) cubic (\d+) dctcp (\d+)\s+RESULT virtual .*\s+" \
        r"RESULT virtual \S+ C: (.*)\s+RESULT virtual \S+ L: (.*)"
    behind = re.findall(pattern, text)
    bad = len(behind) != (2 if with_virtual else 0)
    for law, cubic, dctcp, c, l in behind:
        print("virtual queue, %s: Mbit/s cubic %.2f dctcp %.2f; C %s; L %s"
              % (law, float(cubic) / 1e6, float(dctcp) / 1e6, c, l))
        bad |= float(cubic) + float(dctcp) < 5.5e6 or int(re.search(r"marked (\d+)", l).group(1)) == 0
    return bad
def changes():
    first, last = (json.loads(line("stats " + when))[0] for when in ("before", "changes"))
    packets, bytes = last["packets"] - first["packets"], last["bytes"] - first["bytes"]
    print("under load: %d packets (%.2f Mbit/s) in %s; log: %s"
          % (packets, bytes * 8e-6 / int(sys.argv[3]), line("changed"), line("log")))
    print("insertions: %s; kernel %s; it keeps, KiB: %s; %s" % (line("inserted"), line("loaded"),
          line("kept under load"), line("kept after one insertion")))
    # A model is 21 KiB and a log 13 MiB: each swap or insertion that loses one shows.
    kept = re.findall(r"RESULT kept .* (\d+) then (\d+)", text)
    return bytes * 8 < 0.3e6 * float(sys.argv[4]) * int(sys.argv[3]) or len(kept) != 2 or \
        any(int(after) - int(before) > 1024 for before, after in kept)
bad = changes()
if measured:
    bad |= steady() | virtual()
sys.exit(bad)
END
[ "$packets" = 0 ] || echo "guest: $packets packets a case decided as here"
