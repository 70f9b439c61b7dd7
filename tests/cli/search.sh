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
few="--population 3 --windows-per-epoch 8 --limit 60 --timed 40 --threads 1"

echo "== a search"
aqmllm search pool.csv -o found $few --generations 1 --json >out || fail "search"
[ "$(grep -c '"genes"' out)" = 6 ] || fail "not six designs"
grep -q '"front": true' out || fail "no front"
[ "$(cut -d, -f1-3 found/designs.csv | head -1)" = design,front,loss ] || fail "designs.csv"
grep -q 'gpt2 2x64/16 ffn256 w20 enc' found/search.json || fail "the linear encoder was not first"
aqmllm simulate loop.yaml --policy found/designs/003 --interval 50 --json >sum || fail "simulate"
grep -q '"decisions": [1-9]' sum || fail "a design was never asked"

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
aqmllm search pool.csv -o found $few --generations 2 --objective ns -q || fail "by the clock"

echo "== students"
aqmllm search loop.yaml --space students -o students $few --generations 1 -q || fail "students"
[ "$(grep -c '"genes"' students/search.json)" = 6 ] || fail "not six students"
aqmllm simulate loop.yaml --policy students/designs/001/student.aqms --json >sum || fail "a student"
grep -q '"decisions": [1-9]' sum || fail "a student was never asked"

echo "== bad input"
refuses "--space" search pool.csv -o made --space ships
refuses "no_such" search no_such -o made --space students
refuses "name a pool" search -o made
refuses "--objective" search pool.csv -o made --objective beauty
refuses "nowhere" search nowhere.csv -o made
finish "search"
