#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bench/wifi.sh in small: real packets over a trace of Wi-Fi, DualPI2 and the student; it goes on
# where it was interrupted.  usage: wifi.sh PROGRAM SOURCE
source=$(realpath "$2")
. "$(dirname "$0")/common.sh"
mkdir build && ln -s "$program" build/aqmllm
export RUNS=1 DURATION=12 LAWS="dualpi2:min_qlen_step=1 student"

bash "$source/bench/wifi.sh" build wifi >out 2>err &
sleep 6
kill $!
wait $!
status=$?
[ $status = 77 ] && cat out && exit 77
[ $status = 130 ] || fail "interrupted: exit status $status: $(tail -3 out err)"
[ -z "$(find wifi/real -name '*.run')" ] || fail "half a run was kept"

bash "$source/bench/wifi.sh" build wifi >out 2>err || fail "wifi.sh: $(tail -3 out err)"
for page in report real/report beside/report; do
	[ -s "wifi/report/$page.html" ] || fail "no $page.html"
done
figure() { # law, column: 4 simulated, 5 real
	awk -v law="$1" -v at="$2" '$2 == law && $3 == "l4s_goodput_mbps" { print $at }' out
}
gains() { # column, how many times
	awk -v one="$(figure dualpi2:min_qlen_step=1 "$1")" -v other="$(figure student "$1")" \
		-v times="$2" 'BEGIN { exit !(one > 0.5 && other > times * one) }'
}
# What the student is for, with real packets too: short runs on a busy machine are coarse, so the
# real ones have three chances.
gains 4 1.2 || fail "simulated L4S: $(grep l4s_goodput out)"
for again in 2 3; do
	gains 5 1.1 && break
	echo "real packets, once more: $(grep l4s_goodput out)"
	rm -rf wifi
	bash "$source/bench/wifi.sh" build wifi >out 2>err || fail "$again: $(tail -3 out err)"
done
gains 5 1.1 || fail "real L4S: $(grep l4s_goodput out)"
grep -q 'trace 1 of 1' err || fail "no word of what it does"
bash "$source/bench/wifi.sh" build wifi >out 2>err || fail "again: $(tail -3 out err)"
[ ! -s err ] || fail "a finished run was run again: $(cat err)"
DURATION=13 bash "$source/bench/wifi.sh" build wifi >out 2>err && fail "another duration was taken"
grep -q 'name another folder' err || fail "it does not say why: $(cat err)"
finish wifi
