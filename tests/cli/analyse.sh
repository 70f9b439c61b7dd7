#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The analysis of a closed loop, as a user runs it.  usage: analyse.sh PROGRAM
. "$(dirname "$0")/common.sh"

cat >short.yaml <<'Y'
name: short
duration_s: 14
warmup_s: 2
bottleneck: {rate_mbps: 8, delay_ms: 5, aqm: dualpi2}
flows:
  - {cc: cubic, count: 2}
Y
sed 's/duration_s: 14/duration_s: 3/' short.yaml >brief.yaml
aqmllm simulate brief.yaml --log log -q && aqmllm pool log -o pool.csv -q || fail "pool"
aqmllm train pool.csv --epochs 6 --windows-per-epoch 6 --window 6 --rank 2 --threads 1 --patience 0 \
	-q -o taught || fail "train"

echo "== parts"
aqmllm analyse -s short.yaml --policy taught --interval 200 --against pi2:target_ms=10 --seeds 3 \
	--eps-ms 1,500 -o all >told || fail "analyse"
for name in drift supremum mixing steps loop_gain margins training; do
	[ -s all/$name.csv ] || fail "no $name.csv"
	grep -q "\"$name\": \[" all/analysis.json || fail "analysis.json has no $name"
done
for name in drift load_step rate_step loop_gain loop_phase contraction-1; do
	[ -s all/figures/$name.csv ] || fail "no figures/$name.csv"
done
for arm in dualpi2 taught/200 pi2:target_ms=10; do
	for table in drift supremum mixing steps loop_gain margins; do
		grep -q "$arm," all/$table.csv || fail "$table.csv has no $arm"
	done
	# Nothing stays within 1 ms; half a second is never exceeded: 0.025^(1/3) = 0.292.
	grep -q "^$arm,1,3,0,0,0,0.7" all/supremum.csv || fail "$arm stays within 1 ms"
	grep -q "^$arm,500,3,3,1,0.292" all/supremum.csv || fail "$arm leaves 500 ms"
done
grep -q "negative" all/drift.csv && grep -q "positive" all/drift.csv || fail "drifts of one sign"
grep -q "^taught,held_out_log_loss,6," all/training.csv || fail "the training run is not told"
tail -1 told | grep -q "^all/report.html$" && [ -s all/report.html ] || fail "no report"

echo "== again, and parts of it"
cp all/drift.csv drift.before
aqmllm analyse -s short.yaml --policy taught --interval 200 --against pi2:target_ms=10 --seeds 3 \
	--eps-ms 1,500 --only loop --json -j 1 -o all >json || fail "again"
cmp -s drift.before all/drift.csv || fail "the same runs give other numbers"
grep -q '"arm": "taught/200"' json || fail "--json says nothing"
grep -q '"steps"' json && fail "--only loop tells of steps"
# A kept run that is damaged is run again.
for run in all/runs/*.course; do printf x | dd of="$run" bs=1 seek=99 conv=notrunc 2>dd.log; done
aqmllm analyse -s short.yaml --seeds 3 --only loop -q -o all || fail "damaged runs"
head -11 drift.before | grep '^dualpi2,16' >before
grep '^dualpi2,16' all/drift.csv | cmp -s - before || fail "damaged runs are believed"
mkdir rewarded && { echo generation,reward_mean,held_back; for k in 1 2 3 4 5 6 7 8; do
	awk "BEGIN { printf \"%d,-1,%.9f\n\", $k, -(0.5 ^ $k) }"; done; } \
	>rewarded/progress.csv
aqmllm analyse --run rewarded --only training -q -o rated || fail "a run of reinforce"
grep -q "^rewarded,held_back,8," rated/training.csv || fail "progress.csv is not read"
awk -F, 'NR == 2 && ($7 < 0.499 || $7 > 0.501) { exit 1 }' rated/training.csv || fail "rate not 0.5"
aqmllm analyse --run taught --only training --column train_loss -q -o trained || fail "--only training"
grep -q "^taught,train_loss,6," trained/training.csv || fail "--column"

echo "== layers"
aqmllm analyse --policy taught --only layers --states 1 --interval 1 -q -o layers || fail "layers"
# 4 layers and the whole, with the adapter and without; a residual layer stretches something.
[ "$(wc -l <layers/layers.csv)" = 11 ] || fail "layers.csv: $(wc -l <layers/layers.csv) lines"
awk -F, 'NR > 1 && ($4 <= 1 || $8 > 0.01) { print; bad = 1 } END { exit bad }' layers/layers.csv ||
	fail "no layer of a trained network contracts, and J and its transpose agree"
grep -q "refuted on these states" layers/report.html || fail "no verdict on layers"
mv pool.csv elsewhere.csv
refuses "taught|--pool" analyse --policy taught --only layers -o made
aqmllm analyse --policy taught --only layers --states 1 --pool elsewhere.csv -q -o layers || fail "--pool"

echo "== bad input"
refuses "--output" analyse -s short.yaml
refuses "takes no operands" analyse short.yaml -o made
refuses "--target-ms|fifo" analyse -s short.yaml --aqm fifo -o made
refuses "is not a law" analyse -s short.yaml --against nosuch -o made
refuses "target" analyse -s short.yaml --set targt_ms=3 -o made
refuses "--only|loop, steps" analyse -s short.yaml --only loops -o made
refuses "--run" analyse -s short.yaml --only training -o made
# Before the experiments, whose runs would stay.
refuses "nosuch: --run: holds no record" analyse -s short.yaml --run nosuch -o made
refuses "--policy" analyse -s short.yaml --only layers -o made
refuses "--eps-ms" analyse -s short.yaml --eps-ms 5,-1 -o made
refuses "--low-hz" analyse -s short.yaml --low-hz 5 --high-hz 1 -o made
refuses "--queue" analyse -s short.yaml --queue X -o made
refuses "nosuch" analyse --run taught --only training --column nosuch -o made
refuses "twice" analyse -s short.yaml --against dualpi2 -o made
refuses "nothere" analyse -s short.yaml --policy nothere -o made
refuses "one scenario" analyse -s room -o made
finish "analyse"
