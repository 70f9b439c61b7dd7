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

# The same again takes over what finished, with its figures; another command does not.
mv rows first && stat -c %y four/*/metrics.csv >then
again() { # epochs, options... ; how many folders are new since `then`
	"$program" compare pool.csv -o four --windows-per-epoch 2 --rows 30 --json -q --epochs "$@" \
		>rows || fail "compare again"
	stat -c %y four/*/metrics.csv | diff then - | grep -c "^>"
}
[ "$(again 2)" = 0 ] || fail "a family that had finished was trained again"
figures() {
	grep -o '"[a-z_]*\(peak\|epoch_s\|train_s\)[a-z_]*": [0-9.e+]*' "$1"
}
figures first >wanted && [ -s wanted ] && figures rows | cmp -s wanted - ||
	fail "figures of what was taken over differ: $(figures rows | diff wanted - | head -3)"
rm -r four/opt && [ "$(again 2)" = 1 ] || fail "not the one family that was gone"
# gpt2 with its one epoch of full training, the same as before, beside opt from above.
[ "$(again 1 --only gpt2)" = 2 ] || fail "another command took something over"

# Cut short while a family learns: the same command resumes it.
cut="compare pool.csv -o cut --only gpt2 --epochs 60 --windows-per-epoch 8 --rows 30 --no-full --json -q"
setsid "$program" $cut >rows 2>said &
pid=$!
for _ in $(seq 300); do
	[ -s cut/gpt2/metrics.csv ] && break
	sleep 0.1
done
kill -INT -- -$pid
wait $pid && fail "finished before it was interrupted"
grep -q seconds cut/gpt2.json && fail "an interrupted family counts as finished"
before=$(sed -n 2p cut/gpt2/metrics.csv)
"$program" $cut >rows || fail "resume"
[ "$(sed -n 2p cut/gpt2/metrics.csv)" = "$before" ] || fail "it began anew"
[ "$(wc -l <cut/gpt2/metrics.csv)" = 61 ] || fail "not all epochs: $(wc -l <cut/gpt2/metrics.csv)"
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
refuses 'nosuch.csv' compare nosuch.csv -o made/deep
finish "compare"
