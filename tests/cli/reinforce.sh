#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A student that learns in closed loop, as a user starts it.  usage: reinforce.sh PROGRAM mpi|alone
built=$2
. "$(dirname "$0")/common.sh"

run="reinforce train:6 --shape 4 --population 4 --networks 3 --held-back 2 --every 2 --most-mbps 20
	--duration-s 7 --warmup-s 1 --seed 3"
aqmllm $run -g 4 -j1 -o one >said || fail "reinforce"
for file in student.aqms policy.json progress.csv checkpoint.safetensors figures/curve.csv; do
	[ -s one/$file ] || fail "no $file"
done
# It starts as DualPI2, to the bit; then candidates differ from it.
awk -F, 'NR == 2 && !($1 == 0 && $5 == 0 && $7 == 1 && $8 == 1 && $9 == 1) { exit 1 }
	NR == 3 && $2 == 0 { exit 1 }' one/progress.csv || fail "first rows: $(head -3 one/progress.csv)"
[ "$(cut -d, -f1 one/progress.csv | tr '\n' ' ')" = "generation 0 1 2 3 4 " ] || fail "generations"
[ "$(cut -d, -f5 one/progress.csv | grep -c .)" = 4 ] || fail "held back at 0, 2 and 4"
grep -c 'held back' said | grep -qx 3 || fail "what is printed: $(cat said)"

# The same bytes on other threads, and when it was cut in two.
aqmllm $run -g 4 -j3 --json -o three >said || fail "three threads"
aqmllm $run -g 1 -q -o parts && aqmllm $run -g 4 --resume -q -o parts || fail "resume"
for folder in three parts; do
	for file in student.aqms policy.json progress.csv checkpoint.safetensors; do
		cmp one/$file $folder/$file || fail "$folder: another $file"
	done
done
grep -q '"generations": 4,' said && grep -q '"rollouts": 60,' said || fail "summary: $(cat said)"

# Interrupted somewhere, it goes on to the bytes of one that was not.
"$program" $run -g 100000 -q -o stopped 2>said &
while kill -0 $! && ! { [ -e stopped/progress.csv ] && [ "$(wc -l <stopped/progress.csv)" -gt 2 ]; }; do
	sleep 0.02
done
kill -TERM $! && wait $! && fail "SIGTERM did not end it"
[ "$(wc -l <said)" = 1 ] && grep -q interrupted said || fail "interrupted: $(cat said)"
some=$(($(tail -1 stopped/progress.csv | cut -d, -f1) + 2))
aqmllm $run -g $some --resume -q -o stopped && aqmllm $run -g $some -q -o whole || fail "going on"
cmp whole/student.aqms stopped/student.aqms && cmp whole/progress.csv stopped/progress.csv ||
	fail "interrupted, it learns otherwise"

# A row whose state was never written is forgotten.
echo "9,1,1,1,,,,,," >>parts/progress.csv
aqmllm $run -g 4 --resume -q -o parts && cmp one/progress.csv parts/progress.csv || fail "stray row"

# The student runs, and another run starts from it.
aqmllm simulate paper --policy one/student.aqms --duration-s 2 -q 2>/dev/null ||
	aqmllm evaluate small:1 --policy one/student.aqms --seeds 1 --pictures 0 -q -o used || fail "use"
aqmllm $run -g 1 --from one/student.aqms --reward paper --set guard=0 -q -o further || fail "--from"
cmp -s one/student.aqms further/student.aqms && [ "$(sed -n 3p further/progress.csv)" = "" ] &&
	fail "nothing was learned from"

# What tuning found teaches the first student: it does otherwise than DualPI2, and the same always.
aqmllm tune train:6:1 --settings 4 --seeds 1 --tuning-seeds 1 --most-mbps 20 --duration-s 7 \
	--warmup-s 1 -q -o tuned || fail "tune"
for threads in 1 3; do
	aqmllm $run -g 0 -j $threads --tuned tuned -q -o taught$threads || fail "--tuned"
done
cmp taught1/student.aqms taught3/student.aqms || fail "--tuned depends on threads"
cmp -s taught1/progress.csv one/progress.csv && fail "nothing was taught"
awk -F, 'NR == 2 && $5 == 0 { exit 1 }' taught1/progress.csv || fail "taught, it still is DualPI2"
refuses 'settings.csv' reinforce train:6 --held-back 1 --tuned one -o made
refuses 'settings.csv|same suite' reinforce train:6:9 --held-back 1 --tuned tuned -o made
refuses 'cells' reinforce train:6 --shape gru4 --held-back 1 --tuned tuned -o made

refuses 'output' reinforce train
refuses 'one suite' reinforce -o made
refuses 'even number' reinforce train:4 --population 3 -o made
refuses 'heldout-1-000000|held out' reinforce heldout:2 -o made
refuses 'small-1-000000|held out' reinforce small:2 -o made
refuses 'held back' reinforce train:4 --held-back 4 -o made
refuses 'warmup-s' reinforce train:4 --duration-s 5 --warmup-s 5 -o made
refuses 'cannot run for 3 s|rate_steps' reinforce train:6 --seed 3 --held-back 2 --duration-s 3 --warmup-s 1 -o made
refuses 'joy|c_p99=' reinforce train:4 --reward joy -o made
refuses 'mode|verdict' reinforce train:4 --mode magic -o made
refuses 'blue|not a law' reinforce train:4 --reference blue -o made
refuses 'goal=1' reinforce train:4 --set goal=1 -o made
refuses 'nosuch' reinforce train:4 --from nosuch.aqms -o made
refuses 'target, step' reinforce train:4 --held-back 1 --start rise=1 -o made
refuses 'share' reinforce train:4 --held-back 1 --start controller --mode supervise -o made
refuses 'leave out' reinforce train:4 --held-back 1 --start controller --from one/student.aqms -o made
refuses "resume|no run" reinforce train:4 --held-back 1 --resume -o made
refuses 'one|--resume' $run -g 4 -o one
refuses 'another run' $run -g 4 --resume --sigma 0.1 -o one

if [ "$built" = mpi ] && command -v mpirun >/dev/null; then
	needs_mpirun "reinforcement over ranks"
	mpirun -n 2 "$program" $run -g 2 -q -o ranks || fail "over ranks"
	mpirun -n 3 "$program" $run -g 4 --resume -q -o ranks || fail "resume over ranks"
	cmp one/student.aqms ranks/student.aqms && cmp one/progress.csv ranks/progress.csv ||
		fail "ranks learn otherwise"
	mpirun -n 2 "$program" reinforce nosuch -o made >said 2>&1
	[ $? = 2 ] && [ "$(grep -c '^aqmllm:' said)" = 1 ] || fail "bad input over ranks: $(cat said)"
fi
finish "reinforce"
