#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A law tuned in hindsight, as a user runs it.  usage: tune.sh PROGRAM mpi|alone
built=$2
. "$(dirname "$0")/common.sh"

mkdir suite
for rtt in 10 60; do
	cat >suite/net$rtt.yaml <<Y
name: net$rtt
duration_s: 6
warmup_s: 2
bottleneck: {rate_mbps: 20, delay_ms: 5, aqm: dualpi2}
flows:
  - {cc: cubic, rtt_ms: $rtt}
  - {cc: prague, rtt_ms: $rtt}
Y
done

tune="tune suite --settings 6 --seeds 2 --tuning-seeds 2 --against pie"
aqmllm $tune -j1 -q -o one || fail "tune"
aqmllm $tune -j3 --json -o three >said || fail "tune on three threads"
for file in networks.csv settings.csv figures/gain.csv; do
	cmp one/$file three/$file || fail "$file depends on the number of threads"
done
[ "$(wc -l <one/networks.csv)" = 3 ] || fail "not a row a network"
[ "$(wc -l <one/settings.csv)" = 15 ] || fail "not a row a setting and network"
grep -q '"settings": 7,' said && grep -q '"networks": 2}' said || fail "summary: $(cat said)"
grep -q 'beyond_tuned_pie' said || fail "the law beside it is not told: $(cat said)"

# What is tried: the middle of the ranges first; the best on the seeds for tuning is what is chosen.
grep -q 'net10,min_qlen_step=1:target_ms=7.75:step_ms=1:k=2,' one/settings.csv || fail "the first setting"
for net in net10 net60; do
	best=$(grep ^$net, one/settings.csv | sort -t, -k3 -g -r | head -1 | cut -d, -f2)
	grep -q "^$net,$best," one/networks.csv || fail "$net: chosen is not $best"
done
# Where it does not pay, nothing is lost on those seeds.
awk -F, 'NR > 1 && $6 < 0 { exit 1 }' one/networks.csv || fail "worse than the law on its own seeds"

# A finished command runs nothing again; more settings only add runs, and the first stay.
before=$(ls -l --time-style=full-iso one/runs)
aqmllm $tune -q -o one || fail "tune again"
[ "$before" = "$(ls -l --time-style=full-iso one/runs)" ] || fail "runs were made again"
grep net10 one/settings.csv | head -7 >first
aqmllm tune suite --settings 8 --seeds 2 --tuning-seeds 2 -q -o one || fail "more settings"
grep net10 one/settings.csv | head -7 | cmp - first || fail "more settings changed the first ones"

# Another law, its own settings kept, words varied.
aqmllm tune suite/net10.yaml --law dualpi2:profile=rfc9332 --vary scheduler=wrr/tsf,k=1..4 \
	--settings 3 --seeds 1 --tuning-seeds 1 --reward balanced,c_p99=2 -q -o two || fail "words"
grep -q 'net10,profile=rfc9332:scheduler=tsf:k=2,' two/settings.csv || fail "$(cat two/settings.csv)"

# A student beside the tuned law: one of zeros is the law as it is.
aqmllm reinforce train:4 --shape 4 -g 0 --held-back 1 --most-mbps 20 -q -o made/zero || fail "reinforce"
mv made/zero/student.aqms zero.aqms && rm -r made
aqmllm tune suite --settings 1 --seeds 1 --tuning-seeds 1 --student zero.aqms --json -o beside >said ||
	fail "a student beside"
grep -q '"gain_zero.aqms": {"median": 0,' said || fail "a student of zeros is not DualPI2: $(cat said)"

refuses 'output' tune suite
refuses 'nosuch.aqms' tune suite --student nosuch.aqms -o made
refuses 'one suite' tune -o made
refuses 'nosuch' tune nosuch -o made
refuses 'goal' tune suite --vary goal=1..2 -o made
refuses 'LOW..HIGH' tune suite --vary k=3 -o made
refuses 'blue|not a law' tune suite --law blue -o made
refuses 'fifo|what to vary' tune suite --law fifo -o made
refuses 'joy|c_p99=' tune suite --reward joy -o made
refuses 'dualpi2|twice' tune suite --against dualpi2:min_qlen_step=1 -o made

if [ "$built" = mpi ] && command -v mpirun >/dev/null; then
	needs_mpirun "tuning over ranks"
	mpirun -n 2 "$program" $tune -q -o ranks || fail "tune over ranks"
	cmp ranks/networks.csv three/networks.csv && cmp ranks/settings.csv three/settings.csv ||
		fail "ranks give other tables"
	mpirun -n 2 "$program" tune nosuch -o made >said 2>&1
	[ $? = 2 ] && [ "$(grep -c '^aqmllm:' said)" = 1 ] || fail "bad input over ranks: $(cat said)"
fi
finish "tune"
