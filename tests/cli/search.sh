#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# search from the outside: a few tiny designs, which decide; the same search twice; going on with more
# generations; bad input.  usage: search.sh PROGRAM
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
few="--population 3 --windows-per-epoch 8 --limit 60 --timed 40 --threads 1 --duration-s 2 --seeds 1"

echo "== a search"
aqmllm search pool.csv -o found $few --generations 1 --json >out || fail "search"
[ "$(grep -c '"genes"' out)" = 6 ] || fail "not six designs"
grep -q '"front": true' out || fail "no front"
[ "$(cut -d, -f1-3 found/designs.csv | head -1)" = design,front,loss ] || fail "designs.csv"
grep -q 'gpt2 2x64/16 ffn256 w20 enc' found/search.json || fail "the linear encoder was not first"
aqmllm simulate loop.yaml --policy found/designs/003 --interval 50 --json >sum || fail "simulate"
grep -q '"decisions": [1-9]' sum || fail "a design was never asked"
head -1 found/designs.csv | grep -q ',quality$' || fail "no closed loop"
awk -F, 'NR > 1 && !($NF > 0) { exit 1 }' found/designs.csv || fail "a closed loop came to nothing"

echo "== the seed alone decides"
strip() { sed '/decision_ns/d' "$1/search.json"; }
aqmllm search pool.csv -o again $few --generations 1 -q || fail "again"
[ "$(strip found)" = "$(strip again)" ] || fail "the same command found something else"

echo "== more generations add"
cp found/search.json before
aqmllm search pool.csv -o found $few --generations 1 -q || fail "a finished search"
cmp -s before found/search.json || fail "a finished search was run again"
aqmllm search pool.csv -o found $few --generations 2 -q || fail "more generations"
[ "$(grep -c '"genes"' found/search.json)" = 9 ] || fail "not nine designs"
aqmllm search pool.csv -o found $few --generations 2 --objective ns >out || fail "by the clock"
grep -q '^beside design 000' out && grep -q 'closed-loop quality [-+]' out && grep -q "the paper's" out ||
	fail "not told beside the first design: $(cat out)"

echo "== without a closed loop"
aqmllm search pool.csv -o alone $few --generations 1 --scenario none >out || fail "no loop"
grep -q 'closed-loop quality' out && fail "a closed loop that was not asked for"

echo "== students"
aqmllm search loop.yaml --space students -o students $few --generations 1 -q || fail "students"
[ "$(grep -c '"genes"' students/search.json)" = 6 ] || fail "not six students"
aqmllm simulate loop.yaml --policy students/designs/001/student.aqms --json >sum || fail "a student"
grep -q '"decisions": [1-9]' sum || fail "a student was never asked"

echo "== their closed loop is the paper's reward, by hand from the log of the same run"
sed 's/warmup_s: 0.5/warmup_s: 0/' loop.yaml >whole.yaml
aqmllm search whole.yaml --space students -o whole $few --generations 1 -q || fail "students"
aqmllm simulate whole.yaml --policy whole/designs/001/student.aqms --no-guard --seed 1 --log log2 -q &&
	aqmllm pool log2 -o visited.csv -q || fail "a student's log"
by_hand=$(awk -F, 'NR > 1 && $8 != 1 { sum += $9 } END { print sum / 2 }' visited.csv)
told=$(awk -F, '$1 == "001" { print $NF }' whole/designs.csv)
awk -v told="$told" -v by_hand="$by_hand" \
	'BEGIN { exit !(by_hand > 0 && told / by_hand > 0.99 && told / by_hand < 1.01) }' ||
	fail "closed-loop quality $told, by hand $by_hand"

echo "== figures are those of the scenario's file as it is"
cp loop.yaml other.yaml
again() { # what is made
	aqmllm search loop.yaml --space students -o other $few --generations 1 --scenario other.yaml >out ||
		fail "beside another scenario"
	grep -q ", $1 of them made now" out || fail "not $1 made: $(head -1 out)"
}
again '[1-9]'
again 0
sed -i 's/warmup_s: 0.5/warmup_s: 0.6/' other.yaml
again '[1-9]'

echo "== bad input"
refuses "--space" search pool.csv -o made --space ships
refuses "no_such" search no_such -o made --space students
refuses "name a pool" search -o made
refuses "nowhere" search pool.csv -o made --scenario nowhere
refuses "--objective" search pool.csv -o made --objective beauty
refuses "nowhere" search nowhere.csv -o made
finish "search"
