#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Students from the outside: what they are told to be, in closed loop, as C headers; damaged ones.
# usage: students.sh PROGRAM SOURCE
. "$(dirname "$0")/common.sh"
source=$2
cp "$source/models/student.aqms" mine.aqms

cat >loop.yaml <<'Y'
name: loop
duration_s: 3
warmup_s: 1
bottleneck: {rate_mbps: 12, delay_ms: 10, aqm: dualpi2, params: ["min_qlen_step=1"]}
flows:
  - {cc: cubic, count: 1}
  - {cc: prague, count: 1}
Y

echo "== info"
aqmllm info mine.aqms >told || fail "info"
grep -q "^a student: " told || fail "info does not say what it is"
aqmllm info mine.aqms --json | grep -q '"mode": "share"' || fail "info --json"
aqmllm info | grep -q "^qdelay_c_slow " || fail "info does not list features"
aqmllm aqms student | grep -q "^  guard " || fail "aqms does not list the student's guard"

echo "== in closed loop"
aqmllm simulate loop.yaml --policy mine.aqms --json >file || fail "simulate --policy FILE"
aqmllm simulate loop.yaml --aqm student --json >shipped || fail "simulate --aqm student"
grep -q '"decisions": 18[67]' file || fail "the student was not asked at every update"
grep -v packets_per_wall_s file >a
grep -v packets_per_wall_s shipped | cmp -s a - || fail "the shipped student is not models/student.aqms"
aqmllm simulate loop.yaml --aqm student >told || fail "simulate --aqm student as text"
grep -q '^student: 18[67] decisions .* left under settings that the guard had cut$' told ||
	fail "a student that moves settings: $(grep -m1 decisions told)"
grep -q "otherwise than under the law" told && fail "the student is set beside its own settings"
grep -q '"differed": null' shipped || fail "what nobody counted is told"
mkdir folder && cp mine.aqms folder/student.aqms
aqmllm simulate loop.yaml --policy folder --json | grep -v packets_per_wall_s | cmp -s a - ||
	fail "a folder with a student"
aqmllm evaluate loop.yaml --policy mine.aqms --against student --seeds 2 -o swept -q ||
	fail "evaluate --policy FILE"
grep -q "mine.aqms" swept/results.csv || fail "the student is not in the results"
grep -q "mine.aqms,differed,$" swept/results.csv && grep -q "dualpi2,differed,0$" swept/results.csv ||
	fail "differed: $(grep -m2 differed, swept/results.csv)"

echo "== made again from its seed"
mkdir made_of && ln -s "$program" made_of/aqmllm
bash "$source/bench/student.sh" made_of again >/dev/null 2>&1 || fail "bench/student.sh"
cmp -s again/student.aqms mine.aqms || fail "bench/student.sh does not make models/student.aqms"

# Held-out networks are faster ones: overload that begins too early shows here.
echo "== nothing is lost at 8 Mbit/s"
cat >slow.yaml <<'Y'
name: slow
duration_s: 30
bottleneck: {rate_mbps: 8, delay_ms: 10, aqm: student, params: ["step_ms=3"]}
flows:
  - {cc: cubic, ecn: classic, rtt_ms: 20, options: [linux_cubic]}
  - {cc: dctcp, ecn: ect1, rtt_ms: 20, options: [linux_dctcp]}
Y
for seed in 1 2 3; do
	aqmllm simulate slow.yaml --seed $seed --json >slow.json || fail "simulate slow.yaml"
	python3 -c "
import json
queues = json.load(open('slow.json'))['queues']
assert queues['all']['drops'] == 0 and queues['L']['marks'] > 100" || fail "seed $seed: $(cat slow.json)"
done

# DualPI2's step marks L for waiting for the next aggregate, and L4S flows starve.
echo "== a step that knows the link's pauses"
for seed in 1 2 3; do
	for pauses in 0 1; do
		set=
		[ $pauses = 1 ] || set="--set pauses=0"
		aqmllm simulate "$source/scenarios/wifi_l4s.yaml" --aqm student $set --seed $seed \
			--json >pauses_$pauses.json || fail "simulate --set pauses=$pauses"
	done
	python3 -c "
import json
told = [json.load(open('pauses_%d.json' % p)) for p in (0, 1)]
l4s = [sum(f['goodput_mbps'] for f in t['flows'] if f['cc'] == 'prague') for t in told]
p99 = [t['queues']['L']['qdelay_ms']['p99'] for t in told]
print('L4S %.1f, %.1f Mbit/s, p99 %.2f, %.2f ms' % (*l4s, *p99))
assert l4s[0] < 10 and 25 < l4s[1] < 50 and p99[1] < 1.1 * p99[0]" || fail "pauses, seed $seed"
done

echo "== names"
stem=$(printf 'n%.0s' {1..80})
cp mine.aqms "${stem}1.aqms" && cp mine.aqms "${stem}2.aqms"
settings=$(printf ':target_ms=15%.0s' {1..35})
aqmllm evaluate loop.yaml --policy "${stem}1.aqms" --policy "${stem}2.aqms" --seeds 1 --pictures 0 \
	--against "pie$settings,codel$settings,pi2$settings,pie:target_ms=14$settings,pi2:target_ms=14$settings" \
	-o named >told || fail "long names"
# A table of one width, whatever the names are.
[ "$(sed -n '2,/^$/p' told | grep -v report.html | awk '{ print length }' | sort -u | wc -l)" = 1 ] ||
	fail "a table out of line: $(cut -c1-150 told)"
names=$(cut -d, -f3 named/results.csv | sort -u)
[ "$(grep -c "${stem}[12].aqms" <<<"$names")" = 2 ] || fail "two students became one: $names"
[ "$(grep -c "target_ms" <<<"$names")" = 5 ] || fail "laws with long settings: $names"
# Folders of one name are told apart by those that they stand in, and so is one that a law has.
mkdir -p runs/a/student runs/b/student && cp mine.aqms runs/a/student/student.aqms &&
	cp mine.aqms runs/b/student/student.aqms
aqmllm evaluate loop.yaml --policy runs/a/student --policy runs/b/student --seeds 1 --pictures 0 \
	-o alike -q || fail "two students of one name"
aqmllm evaluate loop.yaml --policy runs/a/student --against student --seeds 1 --pictures 0 \
	-o alaw -q || fail "a student with the name of a law"
[ "$(cut -d, -f3 alike/results.csv alaw/results.csv | sort -u | xargs)" = \
	"a/student aqm b/student dualpi2 student" ] ||
	fail "labels: $(cut -d, -f3 alike/results.csv alaw/results.csv | sort -u)"
refuses "student|twice" evaluate loop.yaml --policy runs/a/student --policy runs/a/student -o made
refuses "characters name" evaluate loop.yaml --against "pie$settings$settings" -o made

echo "== as a header"
aqmllm export --student mine.aqms --c-header mine.h --name mine -q || fail "export --c-header"
cat >host.c <<'C'
#include "mine.h"
int main(void) { return !(mine.inputs > 0 && mine.layers + mine.leaves > 0); }
C
if command -v cc >/dev/null; then
	cc -std=c11 -Wall -Wextra -Werror -Wno-unused-function -I"$source" -I. host.c -o host && ./host ||
		fail "the header is no C"
fi

echo "== what is refused"
for student in "simulate loop.yaml --policy" info; do
	printf 'AQMS' >made.aqms
	refuses "made.aqms|not a student" $student made.aqms
	head -c 100 mine.aqms >made.aqms
	refuses "made.aqms|size|cut" $student made.aqms
	(head -c 200 mine.aqms; printf x; tail -c +202 mine.aqms) >made.aqms
	refuses "made.aqms|checksum|damaged" $student made.aqms
done
refuses "made.aqms|No such file" simulate loop.yaml --policy not/made.aqms
refuses "law of its own" simulate loop.yaml --aqm pie --policy mine.aqms
for command in "simulate loop.yaml" "evaluate loop.yaml -o made" "analyse -s loop.yaml -o made"; do
	for option in "--interval 10" "--decision-ms 0" "--verdict drawn" "--device cpu" \
		"--precision f32" "--context keep"; do
		refuses "${option% *}|not of a student" $command --policy mine.aqms $option
		refuses "${option% *}|there is none" $command $option
	done
	refuses "no-guard|there is none" $command --no-guard
done
aqmllm simulate loop.yaml --policy mine.aqms --no-guard -q || fail "a student without guard"
mkdir trained && cp mine.aqms trained/student.aqms && echo '{"kind": "student"}' >trained/policy.json
aqmllm simulate loop.yaml --log log -q && aqmllm pool log -o pool.csv -q || fail "a pool"
refuses "trained|a student" predict pool.csv --policy trained
refuses "trained|a student" evaluate --in-data pool.csv --policy trained -o made
refuses "no name in C" export --student mine.aqms --c-header made.h --name 1x
refuses "c-header" export --student mine.aqms
finish students
