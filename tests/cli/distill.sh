#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Teacher to student from the outside: a policy, a law and recorded verdicts teach nets, cells and
# trees; the student runs; the same command, the same bytes; bad input.  usage: distill.sh PROGRAM
. "$(dirname "$0")/common.sh"

for seed in 1 2; do
	cat >net$seed.yaml <<Y
name: net$seed
duration_s: 3
warmup_s: 0.5
bottleneck: {rate_mbps: $((6 * seed)), delay_ms: 10, aqm: dualpi2, params: ["min_qlen_step=1"]}
flows: [{cc: cubic}, {cc: prague}]
Y
done
aqmllm simulate net1.yaml --log log -q && aqmllm pool log -o pool.csv -q || fail "a pool"
aqmllm train pool.csv --epochs 1 --windows-per-epoch 12 --window 6 --rank 2 --threads 1 -q \
	-o teacher || fail "a teacher"
small="--rounds 2 --interval 2 --updates 20 --batch 4 --stretches 2 --steps 96"

echo "== a policy teaches a net, the same bytes twice"
for i in 1 2; do
	aqmllm distill --policy teacher net1.yaml net2.yaml $small --student mlp:8 -j $i -o net$i \
		--json >told$i || fail "distill"
done
cmp net1/student.aqms net2/student.aqms || fail "two students"
cmp net1/rounds.csv net2/rounds.csv || fail "two tables"
for field in agreement majority balanced kl float_p99 teacher closed_loop score; do
	grep -q "\"$field\"" told1 || fail "--json has no $field"
done
[ "$(wc -l <net1/rounds.csv)" = 3 ] || fail "rounds.csv: not two rounds"
[ "$(grep -c ',net2,' net1/quality.csv)" = 4 ] || fail "quality.csv: not law, teacher, two students"
aqmllm simulate net2.yaml --policy net1/student.aqms --json >run || fail "simulate"
grep -q '"utilisation": 0.[89]\|"utilisation": 1' run || fail "the student starves its link"

echo "== others"
aqmllm distill --policy teacher net1.yaml $small --student gru:4,8 --loss plain -o gru -q ||
	fail "a cell"
aqmllm distill --policy teacher net1.yaml $small --student transformer:4:6 -o transformer -q ||
	fail "a transformer"
aqmllm info transformer/student.aqms | grep -q 'attention *18 x 4 ' || fail "info of a transformer"
aqmllm distill --teacher law --suite net1.yaml $small --student tree:8 -o tree -q || fail "a tree"
aqmllm distill --teacher none net1.yaml $small --student mlp:8 -o control -q || fail "a control"
for folder in gru transformer tree control; do
	aqmllm simulate net1.yaml --policy $folder/student.aqms -q || fail "simulate $folder"
done
cp -r control went_on
aqmllm distill --teacher none net1.yaml $small --student mlp:8 -o went_on -q --resume ||
	fail "--resume of a finished run"
cmp control/student.aqms went_on/student.aqms || fail "--resume changes a finished run"
refuses "went_on|holds a run|--resume" distill --teacher none net1.yaml $small --student mlp:8 -o went_on
cmp control/student.aqms went_on/student.aqms || fail "a refused run was touched"
aqmllm distill --teacher law net1.yaml $small --student mlp:8 -o went_on -q --resume 2>err &&
	fail "--resume with another teacher"
grep -q checkpoint err || fail "no checkpoint in: $(cat err)"

echo "== policies that move settings"
table=target_ms=2/target_ms=15/target_ms=40
aqmllm supervise net1.yaml net2.yaml --settings $table --seeds 1 --interval 10 -o moves.csv --json \
	>table || fail "supervise"
[ "$(grep -c '"best": [123]' table)" = 2 ] || fail "supervise: not two best rows"
head -1 moves.csv | grep -q qdelay_reference || fail "a pool of moves does not hold the target"
aqmllm supervise net1.yaml net2.yaml --settings $table --seeds 1 --interval 10 -o again.csv -q -j 1
cmp moves.csv again.csv || fail "two pools of moves"
aqmllm train moves.csv --settings $table --epochs 1 --windows-per-epoch 12 --window 6 --rank 2 \
	--threads 1 -q -o mover || fail "train --settings"
grep -q '"target_ms=40"' mover/policy.json || fail "policy.json does not hold the table"
aqmllm simulate net2.yaml --policy mover --interval 20 --json >run || fail "a mover at a router"
grep -q '"decisions": [1-9]' run || fail "the mover was never asked"
grep -q '"differed": null' run || fail "nobody asked what the law would have done"

echo "== a policy of settings teaches students that supervise"
for i in 1 2; do
	aqmllm distill --policy mover net1.yaml net2.yaml $small --interval 20 --student mlp:8 \
		-j $i -o moved$i --json >told$i || fail "distill a mover"
done
cmp moved1/student.aqms moved2/student.aqms || fail "two supervisors"
cmp moved1/rounds.csv moved2/rounds.csv || fail "two tables of settings"
for field in '"mode": "supervise"' spread error float_p99 teacher closed_loop score; do
	grep -q "$field" told1 || fail "--json of a supervisor has no $field"
done
head -1 moved1/rounds.csv | grep -q ',spread,error,float_mean,' || fail "rounds.csv of settings"
[ "$(grep -c ',net2,' moved1/quality.csv)" = 4 ] || fail "quality.csv of settings"
for shape in linear tree:4 transformer:4; do
	aqmllm distill --teacher none --settings $table net1.yaml $small --student $shape \
		--loss plain -o best-${shape%%:*} -q || fail "hindsight teaches $shape"
done
for folder in moved1 best-linear best-tree best-transformer; do
	aqmllm simulate net2.yaml --policy $folder/student.aqms --json >run ||
		fail "simulate $folder"
	grep -q '"utilisation": 0.[89]\|"utilisation": 1' run || fail "$folder starves its link"
done
refuses "--settings|table" distill --policy mover --settings $table net1.yaml -o made
refuses "--settings|none" distill --teacher law --settings $table net1.yaml -o made
refuses "row 2|scheduler" distill --teacher none --settings k=2/scheduler=tsf net1.yaml -o made
refuses "settings" supervise net1.yaml --settings target_ms=2 -o made
refuses "colour" supervise net1.yaml --settings target_ms=2/colour=red -o made
refuses "--output" supervise net1.yaml
refuses "settings" train moves.csv --settings target_ms=2 -o made

echo "== bad input"
refuses "--policy" distill net1.yaml -o made
refuses "--policy|law" distill --policy teacher --teacher law net1.yaml -o made
refuses "--output" distill --policy teacher net1.yaml
refuses "--suite" distill --policy teacher -o made
refuses "--student|mlp:" distill --policy teacher net1.yaml --student cnn -o made
refuses "--student|leaves" distill --policy teacher net1.yaml --student tree:1000 -o made
refuses "layers" distill --policy teacher net1.yaml --student mlp:96,96,96 -o made
refuses "transformer16:8" distill --policy teacher net1.yaml --student transformer:8:40 -o made
refuses "--loss" distill --policy teacher net1.yaml --loss hinge -o made
refuses "--teacher" distill --teacher someone net1.yaml -o made
refuses "nowhere" distill --policy nowhere net1.yaml -o made
refuses "--rounds" distill --policy teacher net1.yaml --rounds 0 -o made

finish "distill"
