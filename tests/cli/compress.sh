#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# compress from the outside: every stage of a tiny policy, smaller files that still decide, tables and
# picture, going on after a stop, and bad input.  usage: compress.sh PROGRAM
. "$(dirname "$0")/common.sh"

cat >loop.yaml <<'Y'
name: loop
duration_s: 2
warmup_s: 0.5
bottleneck: {rate_mbps: 8, delay_ms: 10, aqm: dualpi2}
flows:
  - {cc: cubic, count: 1}
  - {cc: dctcp, count: 1}
Y
aqmllm simulate loop.yaml --seed 1 --log log1 -q && aqmllm pool log1 -o pool.csv -q || fail "pool"
aqmllm train pool.csv --epochs 1 --windows-per-epoch 12 --threads 1 --window 6 --rank 2 -o policy -q ||
	fail "train"
few="--calibration 4 --measured 2 --epochs 1 --windows-per-epoch 8 --limit 60 --timed 40 --threads 1"
loop="--scenario loop.yaml --duration 1 --interval 50 --seeds 1"
smaller() { # folder, further options
	aqmllm compress --policy policy --pool pool.csv -o "$@" $few $loop
}

echo "== stages"
smaller small --stages int8,pruned_mixed --lose 100 --lose-loss 1e9 --json >out || fail "compress: $(cat out)"
for word in '"whole"' '"int8"' '"pruned"' '"pruned_mixed"' '"parts"' '"storages"' '"decision_ns"' \
	'"quality"' '"paper"'; do
	grep -q "$word" out || fail "no $word in: $(cat out)"
done
[ "$(grep -c '"stage"' out)" = 4 ] || fail "not four stages"
[ "$(sed -n 1p small/pareto.csv | cut -d, -f1-3)" = stage,front,parameters ] || fail "pareto.csv"
[ "$(wc -l <small/pareto.csv)" = 5 ] || fail "rows of pareto.csv"
[ ! -e small/pareto.svg ] || grep -q '<svg' small/pareto.svg || fail "the picture"
whole=$(stat -c %s small/stages/whole/backbone/model.safetensors)
int8=$(stat -c %s small/stages/int8/backbone/model.safetensors)
mixed=$(stat -c %s small/stages/pruned_mixed/backbone/model.safetensors)
[ $((whole)) -gt $((2 * int8)) ] && [ $((int8)) -gt $((mixed)) ] ||
	fail "sizes: whole $whole, int8 $int8, pruned_mixed $mixed"
grep -q layer_heads small/stages/pruned/backbone/config.json || fail "no layer_heads"
grep -q '"banks"' small/stages/pruned/policy.json || fail "no banks"

echo "== what was made decides"
for stage in int8 pruned pruned_mixed; do
	aqmllm predict pool.csv --policy small/stages/$stage --limit 40 --json >predicted ||
		fail "predict with $stage"
	aqmllm simulate loop.yaml --policy small/stages/$stage --interval 50 --json >sum ||
		fail "simulate with $stage"
	grep -q '"decisions": [1-9]' sum || fail "$stage was never asked"
done
aqmllm predict pool.csv --policy small/stages/int8 --precision f32 --limit 40 --json >exact ||
	fail "an int8 policy as f32"

echo "== the same command goes on"
cp small/compress.json before
smaller small --stages int8,pruned_mixed --lose 100 --lose-loss 1e9 -q || fail "again"
cmp -s before small/compress.json || fail "a finished run was run again"
smaller small --stages int8,pruned_mixed,pruned_int4 --lose 100 --lose-loss 1e9 -q || fail "one more stage"
[ -e small/stages/pruned_int4/policy.json ] || fail "no further stage"
aqmllm predict pool.csv --policy small --limit 40 --json >chosen || fail "the chosen policy"
echo "== figures are those of the scenario's file as it is"
cp small/compress.json before
sed -i 's/rate_mbps: 8/rate_mbps: 9/' loop.yaml
smaller small --stages int8 --lose 100 --lose-loss 1e9 -q || fail "another loop under the same name"
cmp -s before small/compress.json && fail "figures of another scenario are taken over"

smaller none --stages int4 --lose 0 -q --scenario none --labels || fail "no closed loop"

echo "== bad input"
refuses "--policy DIR" compress --pool pool.csv -o made
refuses "--stages|tiny" compress --policy policy --pool pool.csv -o made --stages tiny
refuses "nowhere" compress --policy nowhere --pool pool.csv -o made
refuses "no operands" compress pool.csv --policy policy -o made
refuses "folder of the policy" compress --policy policy --pool pool.csv -o policy
refuses "no_such" compress --policy policy --pool pool.csv -o made --scenario no_such
cp -r policy broken && sed -i 's/"kind": "multiscale"/"kind": "multiscale", "banks": [[[3, 0]]]/' broken/policy.json
refuses "banks" predict pool.csv --policy broken
finish "compress"
