#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One training run over ranks: what equals what, interruption, and errors of one rank.
# usage: train_ranks.sh PROGRAM mpi|alone   (how it was built)
built=$2
. "$(dirname "$0")/common.sh"

cat >net.yaml <<Y
name: net
duration_s: 12
warmup_s: 2
bottleneck: {rate_mbps: 8, delay_ms: 10, aqm: dualpi2}
flows:
  - {cc: cubic, rtt_ms: 20}
  - {cc: dctcp, rtt_ms: 20}
Y
"$program" simulate net.yaml --log log -q && "$program" pool log -o pool.safetensors -q || fail "pool"
train="train pool.safetensors --epochs 2 --windows-per-epoch 11 --window 6 --batch 3 --rank 2
	--threads 1 --held-out 0.1 -q"

if [ "$built" = alone ]; then
	OMPI_COMM_WORLD_SIZE=2 "$program" $train -o made 2>err
	[ $? = 2 ] || fail "without Open MPI, under mpirun: not status 2"
	[ $failed = 0 ] || exit 1
	echo "SKIP: training over ranks (built without Open MPI: install libopenmpi-dev)"
	exit 77
fi
needs_mpirun "training over ranks"
export OMPI_MCA_mpi_yield_when_idle=1

same() {
	for file in policy.json policy.safetensors adapter_model.safetensors; do
		cmp "$1/$file" "$2/$file" || fail "$3: $file differs"
	done
}

# Column NAME of the last epoch.
figure() {
	awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
		END { print $at }' "$1/metrics.csv"
}

# The same number of ranks, the same bits; against one process the same but for rounding.
mpirun -n 2 "$program" $train -o two || fail "two ranks"
mpirun -n 2 "$program" $train -o again || fail "two ranks again"
same two again "two ranks, twice"
"$program" $train --dropout 0 -o one || fail "one process"
for ranks in 2 4; do # with 4 one of them has nothing to do
	mpirun -n $ranks "$program" $train --dropout 0 -o of$ranks || fail "$ranks ranks"
	for name in steps train_loss gradient_norm held_out_log_loss train_reward; do
		awk -v a="$(figure one $name)" -v b="$(figure of$ranks $name)" \
			'BEGIN { d = a - b; exit !(d * d <= 1e-8 * (1e-6 + a * a)) }' ||
			fail "$ranks ranks: $name $(figure of$ranks $name), alone $(figure one $name)"
	done
done

# Stopped after a checkpoint and resumed, over ranks, with everything that could be forgotten.
hard="$train --accumulate 2 --checkpoint-activations --precision bf16 --checkpoint 0"
mpirun -n 2 "$program" $hard -o straight || fail "a run with all options"
mpirun -n 2 "$program" $hard -o stopped >said 2>&1 &
until [ -s stopped/checkpoint.safetensors ] || ! kill -0 $! 2>/dev/null; do sleep 0.02; done
kill -TERM $! 2>/dev/null
wait $! && fail "the run was too short to be stopped"
[ -s stopped/checkpoint.safetensors ] || fail "the run left no checkpoint: $(cat said)"
for _ in 1 2 3; do
	mpirun -n 2 "$program" train --resume -q -o stopped && break
done
same straight stopped "resumed over two ranks"
"$program" train --resume -q -o straight 2>said
[ $? = 2 ] && grep -q 'mpirun -n 2' said || fail "resumed over another number of ranks: $(cat said)"

# One line of error, whoever failed.
mpirun -n 2 "$program" train missing.csv -o made >said 2>&1
[ $? = 2 ] || fail "bad input under mpirun: not status 2"
[ "$(grep -c '^aqmllm:' said)" = 1 ] || fail "not one line of error from two ranks: $(cat said)"
mpirun -n 1 "$program" $train -o made : -n 1 "$program" $train --seed 2 -o made >said 2>&1
[ $? = 2 ] && grep -q 'rank 1: other options' said || fail "ranks with other options: $(cat said)"
mpirun -n 1 "$program" $train -o made : -n 1 "$program" train absent.csv -o made >said 2>&1
[ $? = 2 ] && grep -q 'rank 1: .*absent' said || fail "a rank without the pool: $(cat said)"
mpirun -n 2 "$program" $train --compat -o made >said 2>&1
[ $? = 2 ] && grep -q -- '--compat' said || fail "--compat over ranks: $(cat said)"
[ ! -e made/policy.json ] || fail "bad input left something behind"
finish "training over ranks"
