#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The comparison of backbone families, as a user runs it.  usage: compare.sh PROGRAM
. "$(dirname "$0")/common.sh"

cat >short.yaml <<'Y'
name: short
duration_s: 2
warmup_s: 1
bottleneck: {rate_mbps: 4, delay_ms: 5, aqm: pie}
flows:
  - {cc: cubic, count: 2}
Y
"$program" simulate short.yaml --log log -q && "$program" pool log -o pool.csv -q || fail "pool"
"$program" compare pool.csv -o four --epochs 2 --windows-per-epoch 2 --rows 30 --json -q >rows ||
	fail "compare"
for title in GPT-2 OPT "Llama 2" T5; do
	grep -q "\"backbone\": \"$title\"" rows || fail "no row for $title"
done
grep -q null rows && fail "a figure is missing: $(grep -m1 null rows)"
for name in fig09_loss fig10_accuracy fig17_parameters fig18_memory fig19_decision fig20_training; do
	[ -s four/figures/$name.csv ] || fail "no $name.csv"
done
[ -s four/report.html ] || fail "no report"
grep -q "majority" four/figures/fig10_accuracy.csv || fail "figure 10 has no majority line"
"$program" compare pool.csv -o one --only rnn -q 2>said
[ $? = 2 ] && grep -q "none of gpt2, opt, llama, t5" said || fail "--only takes anything"
"$program" compare -q 2>said
[ $? = 2 ] && grep -q "compare POOL -o DIR" said || fail "no pool and no line"

# A family that fails: those before it are told, and the program says which failed.
mkdir late && : >late/opt
"$program" compare pool.csv -o late --epochs 1 --windows-per-epoch 1 --rows 30 --no-full --json -q \
	>rows 2>said
[ $? = 1 ] || fail "a family failed and the status is another"
grep -q "OPT is adapted" said || fail "the family that failed is not named: $(cat said)"
[ "$(grep -c backbone rows)" = 1 ] && grep -q GPT-2 rows || fail "GPT-2 finished and is not told"
[ -s late/report.html ] || fail "no report of what finished"
finish "compare"
