#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Ctrl-C: commands end soon, with status 1 and nothing half-written, and name no option that they do
# not have; those that keep their work say how they go on.  usage: interrupt.sh PROGRAM
. "$(dirname "$0")/common.sh"

# SIGINT to the command and its children, as a terminal sends it, once `condition` holds.
interrupt() { # condition, command...
	local condition=$1 pid status word
	shift
	setsid "$program" "$@" >out 2>err <"${input:-/dev/null}" &
	pid=$!
	until eval "$condition" >/dev/null 2>&1 || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
	kill -INT -- -$pid 2>/dev/null || fail "$*: ended before it was interrupted: $(cat out err)"
	kill -INT -- -$pid 2>/dev/null # as timeout(1) does, twice
	for _ in $(seq 200); do
		kill -0 $pid 2>/dev/null || break
		sleep 0.05
	done
	kill -KILL -- -$pid 2>/dev/null && fail "$*: goes on after Ctrl-C"
	wait $pid 2>/dev/null
	status=$?
	[ $status = 1 ] || fail "$*: interrupted, status $status: $(cat err)"
	grep -q 'interrupted\|stopped' err || fail "$*: does not say that it was interrupted: $(cat err)"
	aqmllm "$1" --help >help
	for word in $(grep -o -- '--[a-z-]\{2,\}' err); do
		grep -q -- "$word" help || fail "$*: there is no $word: $(cat err)"
	done
	ls -d made* ./*.tmp-* 2>/dev/null | grep . && fail "$*: left something behind"
	rm -rf made*
}

# The last line of what was said holds `words`.
says() { # words
	tail -1 err | grep -q -- "$1" || fail "not '$1' but: $(cat err)"
}

cat >short.yaml <<'Y'
name: short
duration_s: 4
warmup_s: 1
bottleneck: {rate_mbps: 8, delay_ms: 10, aqm: pie}
flows:
  - {cc: cubic, count: 2}
Y
sed 's/duration_s: 4/duration_s: 400/' short.yaml >long.yaml
aqmllm simulate short.yaml --seed 3 --log log -q && aqmllm pool log -o pool.csv -q || fail "pool"
aqmllm train pool.csv --untrained --rank 2 -q -o policy || fail "train"

echo "== commands that keep nothing"
mkfifo silence && exec 3<>silence # opens, and says nothing
input=silence interrupt 'sleep 0.3' pool - -o made.csv
interrupt 'sleep 0.3' pool silence -o made.csv
interrupt 'sleep 0.3' replay silence --aqm pie
exec 3>&-
awk 'NR == 1 || NR > 2 { print } NR == 2 { for (i = 0; i < 400000; i++) print }' pool.csv >large.csv
for suffix in csv jsonl; do
	interrupt "ls made.$suffix.tmp-*" pool --convert large.csv -o made.$suffix
done
interrupt 'ls made.csv.tmp-*' predict large.csv --policy policy -o made.csv
interrupt 'sleep 0.3' evaluate --in-data large.csv --policy policy -o made
interrupt 'sleep 0.3' evaluate heldout:200 --estimate -o estimated
interrupt 'sleep 0.3' supervise train:2 -o made.csv
interrupt '[ -e made/train-1-000003.yaml ]' scenarios --suite train -n 1000000 -o made

# The signal comes just when the last network is there: the suite is complete, and stays.
cat >late.c <<'C'
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int rename(const char *from, const char *to)
{
	const int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);

	if (strstr(to, "000002"))
		raise(SIGINT);
	return result;
}
C
if cc -shared -fPIC late.c -o late.so 2>/dev/null; then
	for count in 3 4; do
		LD_PRELOAD=$PWD/late.so ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 \
			"$program" scenarios --suite train -n $count -o suite$count -q 2>err
		echo $? $(ls suite$count 2>/dev/null | wc -l)
	done >ends
	[ "$(xargs <ends)" = "0 3 1 0" ] || fail "status and networks of a late signal, an early one: $(xargs <ends)"
fi

echo "== commands that go on"
small="--windows-per-epoch 40 --window 6 --rank 2 --threads 1 -q"
interrupt '[ -s trained/metrics.csv ]' train pool.csv --epochs 1000 $small -o trained
says '--resume -o DIR'
interrupt 'ls swept/runs/*.run' evaluate long.yaml --against dualpi2 --seeds 9 -j1 -o swept
says 'same command goes on$'
interrupt 'ls tuned/runs/*.run' tune long.yaml --seeds 9 -j1 -o tuned
says 'same command goes on$'
interrupt 'ls -d four/gpt2' compare pool.csv -o four --epochs 60 --windows-per-epoch 8 --rows 30
says 'same command goes on$'
interrupt 'ls -d demo/trained' demo -o demo
says 'same command'
interrupt '[ -s searched/designs/000/backbone/config.json ]' search pool.csv -o searched
says 'same command goes on$'
interrupt '[ -s squeezed/stages/pruned/checkpoint.safetensors ]' compress --policy policy --pool pool.csv \
	--stages pruned --calibration 4 --measured 2 --epochs 900 --windows-per-epoch 8 --limit 60 \
	--timed 40 --threads 1 --scenario short.yaml --duration 1 --interval 50 --seeds 1 -o squeezed
says 'same command goes on$'
interrupt '[ -s grown/checkpoint.safetensors ]' reinforce train:4 --held-back 2 --generations 900 -o grown
says '--resume goes on$'
interrupt '[ -s student/rounds.csv ]' distill short.yaml --policy policy --rounds 60 -o student
says '--resume goes on$'
finish "interrupt"
