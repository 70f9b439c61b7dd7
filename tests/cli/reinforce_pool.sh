#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A student that learns from recorded pools, as a user starts it.  usage: reinforce_pool.sh PROGRAM
. "$(dirname "$0")/common.sh"

# Delays are short or long and marks are drawn evenly; only a mark in a long queue is rewarded.
coins() { # seed
	awk -v seed="$1" 'BEGIN {
		srand(seed)
		print "queue_type,drop_probability,current_queue_delay,length_in_bytes,packet_length," \
			"total_drops,action,reward,done"
		for (row = 0; row < 4000; row++) {
			long = rand() < 0.5; mark = rand() < 0.5
			printf "0,1000000,%d,30000,1500,0,%d,%d,%d\n", long ? 60000 : 1000, mark ? 2 : 0,
				long && mark, row == 3999
		}
	}'
}
coins 1 >one.csv
coins 2 >two.csv
learn="--shape 8 --gamma 0.6 --lambda 0.9 --updates 300 --critic-updates 300 --critic-width 8 --lr 0.01"

aqmllm reinforce --pool one.csv,two.csv $learn --beta 0.5 -o weighted >said || fail "reinforce --pool"
for word in '7200 rows' '800 held back' 'explains' 'effect' 'signals' 'agreement' \
	'aqmllm evaluate .* --policy weighted/student.aqms'; do
	grep -q "$word" said || fail "no '$word' in: $(cat said)"
done
[ -s weighted/student.aqms ] && [ -s weighted/policy.json ] || fail "files: $(ls weighted)"
aqmllm info weighted/student.aqms | grep -q verdict || fail "no student that gives verdicts"

# Weighted by advantages it marks more than was recorded; imitated it marks as often.
aqmllm reinforce --pool one.csv $learn --json --beta 0.5 -o better two.csv >weights.json &&
	aqmllm reinforce --pool one.csv $learn --json --beta 1e9 -o like two.csv >plain.json ||
	fail "--json"
figure() { # name, file
	sed "s/.*\"$1\": *\\([-0-9.e+]*\\).*/\\1/" "$2"
}
awk -v weighted="$(figure student_signals weights.json)" -v plain="$(figure student_signals plain.json)" \
	-v logged="$(figure logged_signals plain.json)" -v effect="$(figure effective plain.json)" \
	'BEGIN { exit !(weighted > logged + 0.1 && plain < logged + 0.05 && plain > logged - 0.05 &&
		effect > 0.999) }' || fail "weights: $(cat weights.json plain.json)"

# Files named with --pool and beside it are the same; so are the bytes.
cmp weighted/student.aqms better/student.aqms || fail "other bytes"
cmp weighted/policy.json better/policy.json || fail "another policy.json"
cmp -s weighted/student.aqms like/student.aqms && fail "--beta changes nothing"
aqmllm reinforce --pool one.csv --pool two.csv $learn --beta 0.5 --seed 2 -q -o again >said || fail "--seed"
[ ! -s said ] || fail "--quiet: $(cat said)"
cmp -s weighted/student.aqms again/student.aqms && fail "--seed changes nothing"

# A router's pool: other rewards, fewer features, a cell; the student runs in closed loop.
cat >short.yaml <<'X'
name: short
duration_s: 3
warmup_s: 1
bottleneck: {rate_mbps: 8, delay_ms: 10, aqm: dualpi2, params: ["min_qlen_step=1"]}
flows:
  - {cc: cubic, count: 2, rtt_ms: 20, ecn: classic}
  - {cc: prague, rtt_ms: 20}
X
aqmllm simulate short.yaml --log router.log -q && aqmllm pool router.log -o router.safetensors -q ||
	fail "a pool"
few="--updates 40 --critic-updates 40"
aqmllm reinforce --pool router.safetensors $few -q -o router || fail "a router's pool"
for reward in paper qdelay; do
	aqmllm reinforce --pool router.safetensors $few --reward $reward -q -o router-$reward ||
		fail "--reward $reward"
done
grep -q '"checksum": "[0-9a-f]\{16\}"' router/policy.json && grep -q '"method"' router/policy.json ||
	fail "policy.json: $(cat router/policy.json)"
cmp router/student.aqms router-paper/student.aqms || fail "the pool's reward is the paper's"
cmp -s router/student.aqms router-qdelay/student.aqms && fail "--reward changes nothing"

# What --reward and --gamma replace may differ; without --reward the pools' have to agree.
aqmllm pool router.log --reward qdelay --gamma 0.5 -o other.safetensors -q || fail "another reward"
aqmllm pool router.log --gamma 0.5 -o nearer.safetensors -q || fail "another gamma"
refuses 'other.safetensors|reward' reinforce --pool router.safetensors,other.safetensors -o made
aqmllm reinforce --pool router.safetensors,other.safetensors $few --reward paper -q -o mixed &&
	aqmllm reinforce --pool router.safetensors,nearer.safetensors $few -q -o alike ||
	fail "pools of several rewards"
cmp mixed/student.aqms alike/student.aqms || fail "the reward was not replaced"
cut -d, -f1-4,6- one.csv >short.csv
aqmllm reinforce --pool short.csv $few --reward qdelay -q -o lengthless || fail "qdelay needs a delay alone"
refuses '--reward|released needs packet_length' reinforce --pool short.csv --reward released -o made

aqmllm reinforce --pool router.safetensors $few --shape gru4,8 --features qdelay_own,p_own -q -o cell ||
	fail "a cell"
aqmllm info cell/student.aqms | grep -q qdelay_own || fail "--features"
aqmllm evaluate short.yaml --policy router/student.aqms --seeds 1 --pictures 0 -q -o report ||
	fail "in closed loop"

refuses 'output' reinforce --pool one.csv
refuses 'nosuch.csv' reinforce --pool one.csv,nosuch.csv -o made
refuses 'total_drops' reinforce --pool one.csv router.safetensors -o made
refuses '--features|drops_own' reinforce --pool router.safetensors --features drops_own -o made
refuses 'sizes of layers' reinforce --pool one.csv --shape wide -o made
refuses 'joy|qdelay' reinforce --pool one.csv --reward joy -o made
refuses '--population|closed loop' reinforce --pool one.csv --population 8 -o made
refuses '--from|closed loop' reinforce --pool one.csv --from weighted/student.aqms -o made
refuses '--beta|--pool' reinforce train:4 --beta 2 -o made
refuses 'beta|out of range' reinforce --pool one.csv --beta 0 -o made
refuses 'gamma|out of range' reinforce --pool one.csv --gamma 1 -o made
head -41 one.csv >few.csv
refuses '32 of each' reinforce --pool few.csv -o made
awk -F, -v OFS=, 'NR > 1 { $9 = NR % 31 == 0 } 1' one.csv >short.csv
refuses '32 of each|episode' reinforce --pool short.csv -o made
refuses '70 pools' reinforce --pool one.csv $(yes one.csv | head -69) -o made
sed '7s/.*/0,1000000,1000,30000,1500,0,0,nan,0/' one.csv >odd.csv
refuses 'odd.csv:7|finite' reinforce --pool odd.csv -o made
for line in 7 3990; do
	for value in 1e17 -1000; do
		sed "${line}s/.*/0,1000000,$value,30000,1500,0,0,0,0/" one.csv >odd.csv
		refuses "odd.csv: current_queue_delay: row $((line - 1)) |no router" \
			reinforce --pool two.csv,odd.csv,one.csv --reward paper -o made
	done
done
refuses 'weighted|holds a run' reinforce --pool one.csv -o weighted
cmp weighted/student.aqms better/student.aqms || fail "a finished run was touched"
mkdir run && : >run/checkpoint.safetensors
refuses 'holds a run' reinforce --pool one.csv -o run
: >file
refuses 'file' reinforce --pool one.csv -o file/made

# Interrupted it leaves nothing.
"$program" reinforce --pool one.csv --updates 100000000 -q -o made/deep 2>said &
sleep 0.5
kill -TERM $!
wait $! && fail "SIGTERM did not end it"
[ "$(wc -l <said)" = 1 ] && grep -q 'begins again' said || fail "interrupted: $(cat said)"
[ ! -e made ] || fail "interrupted, it left something"
finish "reinforcement from pools"
