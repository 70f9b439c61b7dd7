#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A sweep under mpirun: the bytes of one process, interruption, and what ranks that differ get.
# usage: ranks.sh PROGRAM mpi|alone   (how it was built)
built=$2
. "$(dirname "$0")/common.sh"

for rtt in 20 40; do
	cat >net$rtt.yaml <<Y
name: net$rtt
duration_s: 40
warmup_s: 5
bottleneck: {rate_mbps: 20, delay_ms: 10, aqm: dualpi2, params: ["min_qlen_step=1"]}
flows:
  - {cc: cubic, rtt_ms: $rtt}
  - {cc: prague, rtt_ms: $rtt}
Y
done
mkdir suite && mv net*.yaml suite

if [ "$built" = alone ]; then
	OMPI_COMM_WORLD_SIZE=2 "$program" evaluate suite -o made 2>err
	[ $? = 2 ] || fail "without Open MPI, under mpirun: not status 2"
	[ "$(wc -l <err)" = 1 ] && grep -q libopenmpi-dev err || fail "no clear message: $(cat err)"
	OMPI_COMM_WORLD_SIZE=1 "$program" evaluate suite --seeds 1 -q -o one || fail "a single rank"
	[ $failed = 0 ] || exit 1
	echo "SKIP: sweeps over ranks (built without Open MPI: install libopenmpi-dev)"
	exit 77
fi
needs_mpirun "sweeps over ranks"

sweep="evaluate suite --against pie,codel --seeds 3 -q -o report"
for ranks in 1 2 3; do
	mkdir over$ranks && cd over$ranks && ln -s ../suite suite || exit 1
	if [ $ranks = 1 ]; then
		"$program" $sweep -j1 || fail "one process"
	else
		mpirun -n $ranks "$program" $sweep || fail "$ranks ranks"
	fi
	cd ..
	diff -r over1/report over$ranks/report || fail "$ranks ranks make another report"
done

mkdir stopped && cd stopped && ln -s ../suite suite
mpirun -n 2 "$program" $sweep >said 2>&1 &
until ls report/runs/*.run >ls 2>&1; do sleep 0.02; done
kill -TERM $! && wait $! && fail "SIGTERM did not end the sweep"
mpirun -n 2 "$program" $sweep || fail "an interrupted sweep over ranks does not go on"
# mpirun kills what is slow to end; what was being written then is left beside, and never read.
cd .. && diff -r -x '*.tmp-*' over1/report stopped/report || fail "an interrupted sweep ends otherwise"

mpirun -n 2 "$program" evaluate nosuchsuite -o made >said 2>&1
[ $? = 2 ] || fail "bad input under mpirun: not status 2"
[ "$(grep -c '^aqmllm:' said)" = 1 ] || fail "not one line of error from two ranks: $(cat said)"
mpirun -n 1 "$program" evaluate suite/net20.yaml -o made : \
	-n 1 "$program" evaluate suite/net40.yaml -o made >said 2>&1
[ $? = 2 ] && grep -q 'rank 1 has another' said || fail "ranks with other files: $(cat said)"
mpirun -n 1 "$program" evaluate suite/net20.yaml -o made : \
	-n 1 "$program" evaluate suite/absent.yaml -o made >said 2>&1
[ $? = 2 ] && grep -q 'rank 1: .*absent' said || fail "a rank without the file: $(cat said)"
[ ! -e made ] || fail "bad input left something behind"
finish "ranks"
