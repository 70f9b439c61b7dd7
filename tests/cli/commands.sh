#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The program as its users meet it: the path from a scenario to a report, the same bytes twice,
# interruption and resumption, and what bad input gets.  usage: commands.sh PROGRAM SCENARIOS
scenarios=$(realpath "$2")
. "$(dirname "$0")/common.sh"

# A scenario short enough for a test.
cat >short.yaml <<'Y'
name: short
duration_s: 4
warmup_s: 1
bottleneck: {rate_mbps: 8, delay_ms: 10, aqm: l4s-freebsd, params: ["hz=100", "shared_pipe=1"]}
flows:
  - {cc: cubic, count: 1}
  - {cc: dctcp, count: 1}
Y

echo "== the path"
for i in 1 2; do
	aqmllm simulate short.yaml --seed 3 --log log$i --json >sum$i || fail "simulate"
	grep -v packets_per_wall_s sum$i >plain$i
done
cmp log1 log2 || fail "two runs, two logs"
cmp plain1 plain2 || fail "two runs, two summaries"
aqmllm pool log1 -o pool.safetensors -q || fail "pool"
gzip -k log1 && aqmllm pool log1.gz -o pool.csv -q && aqmllm pool - -o pool.jsonl -q <log1 || fail "pool"
aqmllm pool --convert pool.csv -o again.jsonl -q || fail "convert"
tail -n +2 pool.jsonl >a && tail -n +2 again.jsonl >b && cmp a b || fail "formats differ"
small="--epochs 2 --windows-per-epoch 24 --window 6 --rank 2 --threads 1 -q"
aqmllm train pool.safetensors $small -o whole || fail "train"
aqmllm predict pool.safetensors --policy whole --limit 100 --json >predict || fail "predict"
aqmllm generate pool.safetensors --limit 20 --threads 1 --json >spoken || fail "generate"
for field in accuracy balanced_accuracy answered tokens_per_decision ms_per_decision one_pass_ms \
	ratio confusion; do
	grep -q "\"$field\"" spoken || fail "generate --json has no $field"
done
aqmllm backbones --export tiny.gguf --type q8_0 "$(dirname "$scenarios")/models/builtin" >listed ||
	fail "backbones --export"
grep -q 'GGUF, 52 tensors' listed || fail "backbones does not list what it wrote"
aqmllm train pool.safetensors $small --backbone tiny.gguf -o ongguf || fail "train on GGUF"
aqmllm predict pool.safetensors --policy ongguf --limit 20 --json >/dev/null || fail "predict on GGUF"
grep -q '"law_entropy": null' predict || fail "nobody told the law, and predict knows it"
aqmllm pool log1 --law l4s-freebsd --set hz=100 -o told.csv -q || fail "pool --law"
cut -d, -f1-7,9- told.csv | cmp - pool.csv || fail "pool --law changes other columns"
aqmllm predict told.csv --policy whole --limit 100 --json >told || fail "predict with --law"
grep -q '"law_entropy": [0-9]' told && grep -q '"law_log_loss": [0-9]' told ||
	fail "predict does not tell the law's entropy"
for law in dualpi2 fifo no-such-law; do
	refuses "$law|these can.*: pie, l4s-freebsd" pool log1 --law $law -o x.csv
done
sed '3s/[^,]*\(,[^,]*,[^,]*,[^,]*\)$/1.5\1/' told.csv >astray.csv
refuses "astray.csv:3|law_probability" predict astray.csv --policy whole
aqmllm generate told.csv --limit 3 --threads 1 -q || fail "generate on a pool with --law"
# Nothing is random here: the law's own entropy is 0, and what it did contradicts it.
sed 's/[^,]*\(,[^,]*,[^,]*,[^,]*\)$/0\1/; 1s/.*/'"$(head -1 told.csv)/" told.csv >certain.csv
aqmllm predict certain.csv --policy whole --limit 100 >said || fail "predict on a law without chance"
grep -qi 'inf\|nan' said && fail "predict prints no numbers: $(grep -i 'inf\|nan' said)"
for field in rows accuracy majority_rate balanced_accuracy macro_f1 log_loss law_entropy \
	baselines majority two_comparisons copy_previous confusion ece; do
	grep -q "\"$field\"" predict || fail "predict --json has no $field"
done
# Rules are scored on the rows that the policy is scored on.
[ "$(sed -n 's/.*"majority_rate": \([0-9.]*\).*/\1/p' predict)" = \
	"$(sed -n '/"majority": {/,/}/s/.*"accuracy": \([0-9.]*\).*/\1/p' predict)" ] ||
	fail "the most frequent action of other rows: $(grep -A1 'majority' predict)"
aqmllm simulate short.yaml --policy whole --interval 50 --json >policy || fail "simulate --policy"
grep -q '"decisions": [1-9]' policy || fail "the policy was never asked"
aqmllm train pool.safetensors $small --untrained -o untrained || fail "train --untrained"
for threads in 1 3; do
	aqmllm evaluate short.yaml --policy whole --policy untrained --against pie --interval 50 \
		--seeds 2 --threads $threads -q -o report$threads || fail "evaluate"
done
cmp report1/results.csv report3/results.csv || fail "results depend on threads"
for file in report1/report.html report1/results.sqlite report1/figures/short-qdelay_cdf.csv; do
	[ -s $file ] || fail "evaluate made no $file"
done
sed 's/short/long/; s/duration_s: 4/duration_s: 400/' short.yaml >long.yaml
mkdir suite && cp short.yaml long.yaml suite
sweep="evaluate suite --against pie,dualpi2 --seeds 3 -q"
aqmllm $sweep --jobs 1 -o sweep1 || fail "evaluate with laws alone"
"$program" $sweep -j2 -o sweep2 & # killed below, and then goes on
until ls sweep2/runs/*.run >ls 2>&1; do sleep 0.02; done
kill -TERM $! && wait $!
[ $? = 1 ] || fail "SIGTERM did not end a sweep with status 1"
[ ! -e sweep2/results.csv ] || fail "the sweep was too short to interrupt"
kept=$(ls sweep2/runs | wc -l)
aqmllm ${sweep% -q} -j2 --json -o sweep2 >json || fail "an interrupted sweep does not go on"
grep -q "\"runs\": 18, \"kept\": $kept}" json || fail "kept runs: $kept, but $(cat json)"
[ "$kept" -gt 0 ] || fail "an interrupted sweep kept nothing"
cmp sweep1/results.csv sweep2/results.csv || fail "results depend on jobs or interruption"
cmp sweep1/figures/long-qdelay_cdf.csv sweep2/figures/long-qdelay_cdf.csv || fail "figures differ"
for run in sweep2/runs/*; do printf x >>"$run"; break; done
aqmllm ${sweep% -q} --json -o sweep2 | grep -q '"kept": 17}' || fail "a damaged run was taken for good"
sed -i 's/delay_ms: 10/delay_ms: 11/' suite/short.yaml
aqmllm ${sweep% -q} --json -o sweep2 | grep -q '"kept": 9}' || fail "runs of another scenario were kept"
aqmllm evaluate short.yaml --against pie,pie:target_ms=5:tupdate_ms=10 --seeds 1 --pictures 0 \
	-o set >said || fail "a law with parameters"
grep -q '^pie:target_ms=5:tupdate_ms=10 ' said || fail "a law with parameters is not told"
aqmllm scenarios --list >list || fail "scenarios --list"
grep " $" list && fail "scenarios --list: blanks at the end of a line"
for name in paper paper_as_run room-40m-20ms-ccp train heldout small; do
	grep -q "\<$name\>" list || fail "scenarios --list does not name $name"
done
aqmllm scenarios --describe --suite heldout | grep -q 'log-uniform' || fail "scenarios --describe"
aqmllm scenarios --describe --suite small | grep -q '^Of 24 networks of small' || fail "what small covers"
for name in nets1 nets2; do
	aqmllm scenarios --suite heldout --seed 5 -n 3 -o $name -q || fail "scenarios --suite"
done
diff -r nets1 nets2 || fail "a suite sampled twice is not the same"
# A trace in a file and the same one made up in the run are one network.
aqmllm scenarios --trace lte --mean-mbps 12 --duration-s 10 --seed 3 -q -o lte.trace || fail "scenarios --trace"
for rate in 'rate_trace: lte.trace' 'rate_generated: {kind: lte, mean_mbps: 12}'; do
	printf 'duration_s: 10\nbottleneck: {%s}\nflows: [{cc: cubic}]\n' "$rate" >moves.yaml
	aqmllm simulate moves.yaml --seed 3 --json | sed 's/"packets_per_wall_s": [^,]*,//' >moves.${rate%%:*}
done
cmp moves.rate_trace moves.rate_generated || fail "a trace from a file differs from the generated one"
aqmllm evaluate nets1 --seeds 1 -q -o sampled1 &&
	aqmllm evaluate heldout:3:5 --baseline own --seeds 1 -q -o sampled2 || fail "evaluate a sampled suite"
cmp sampled1/results.csv sampled2/results.csv || fail "a suite by name and from files differ"
# Beside baselines: laws on their defaults whatever a scenario says of them, and files that tell it.
compared="evaluate small:3 --against dualpi2:target_ms=5 --seeds 2 --pictures 0"
aqmllm $compared --estimate --json -o compared >said || fail "evaluate --estimate"
grep -q '"runs": 12, "kept": 0, "processor_s": [0-9.]*, "cores": [0-9]*, "wall_s": ' said ||
	fail "an estimate does not tell how long: $(cat said)"
aqmllm $compared -o compared >said || fail "evaluate beside the reference"
grep -q '^dualpi2:target_ms=5 beside dualpi2:profile=linux:min_qlen_step=1$' said || fail "no claims are told"
grep -q 'Classic p99, ratio in the median network .*<= 0.5 .*n = [1-3] ' said || fail "a claim is not told"
grep -q '"comparison": "compared/comparison.json", .*"kept": 12}' \
	<(aqmllm $compared --json -o compared) || fail "where the comparison is, is not told"
[ "$(grep -c ',classic_p99,' compared/networks.csv)" = 3 ] || fail "networks.csv has not all networks"
[ "$(wc -l <compared/claims.csv)" = 9 ] || fail "claims.csv has not all claims"
grep -q '"verdict": "' compared/comparison.json || fail "comparison.json has no verdicts"
grep -q 'Beside dualpi2:profile=linux:min_qlen_step=1' compared/report.html || fail "the report compares nothing"
cp compared/claims.csv claims && aqmllm $compared -j1 -q -o compared && cmp claims compared/claims.csv ||
	fail "a comparison made again differs"
# The same law twice under two names is no better and no worse, in networks whose own law it is too.
aqmllm evaluate small:3 --baseline dualpi2,dualpi2:target_ms=15 --seeds 1 --pictures 0 -q -o twice || fail "two baselines"
[ "$(grep -c ',goodput,1,,,1,0$' twice/networks.csv)" = 6 ] || fail "a law beside itself: $(grep ,goodput, twice/networks.csv)"
refuses 'baseline|nosuchlaw' evaluate small:3 --baseline nosuchlaw -o made
aqmllm evaluate --in-data pool.csv --policy whole --steps 100 --interval 10 -q -o walk || fail "--in-data"
refuses "int3" evaluate --in-data pool.csv --policy whole --steps 9 --precision int3 -o made
refuses "oblivion" evaluate --in-data pool.csv --policy whole --steps 9 --context oblivion -o made
grep -q 'not a closed loop' walk/report.html || fail "the walk is not labelled"
printf 't_ns,op,len_bytes,ecn,flow\n0,enq,1500,ect1,1\n9000000,deq,,,\n9000000,deq,,,\n' >trace.csv
aqmllm replay trace.csv --aqm dualpi2 >replay || fail "replay"
grep -q '^9000000,deq,mark,L,9000000,' replay || fail "replay: no mark over the step"
grep -q '^9000000,deq,empty,' replay || fail "replay: no row for an empty queue"
printf 't_ns,op,len_bytes,ecn,flow\n0,enq,1500,ect0,1\n1,enq,1500,ect0,1\n2,enq,90,not,2\n3,deq,,,\n4,enq,90,not,3\n5,deq,,,\n' >trace.csv
# Every law replays: a row of eight columns for every packet, probabilities between 0 and 1.
awk 'BEGIN { CONVFMT = "%.0f"; print "t_ns,op,len_bytes,ecn,flow"
	split("not,ect0,ect1,ce", ecn, ",")
	for (i = 0; i < 3000; i++) {
		print i * 1000000 ",enq," 100 + i % 1400 "," ecn[1 + i % 4] "," i % 7
		if (i % 3) print i * 1000000 + 500 ",deq,,,"
	}
	print "3000000000,obs,,,"
	for (i = 0; i < 3000; i++) print 3000000000 + i * 1000 ",deq,,," }' >long.csv
laws=$(aqmllm aqms --quiet | awk '{ print $1 }')
[ "$(echo "$laws" | wc -l)" -ge 12 ] || fail "aqms: too few laws: $laws"
aqmllm manual | tr -d '\\' >manual
if command -v groff >/dev/null; then
	for columns in 60 80 132; do
		aqmllm manual | groff -k -man -wbreak -rLL=${columns}n -Tutf8 2>&1 >/dev/null | grep . &&
			fail "manual: lines out of place at $columns columns"
	done
fi
for law in $laws; do
	aqmllm replay long.csv --aqm "$law" >replay || fail "replay $law"
	awk -F, -v law="$law" 'NR == 1 { next }
		NF != 8 || $3 !~ /^(pass|mark|drop|empty)$/ || $6 < 0 || $6 > 1 || $7 > 1 || $8 > 1 {
			print "row " NR ": " $0; exit 1 }
		$2 == "enq" { arrived++ }
		$2 == "deq" && $3 != "empty" || $2 == "enq" && $3 == "drop" { gone++ }
		$3 == "mark" || $3 == "drop" { signals++ }
		END { exit arrived < 3000 || gone < 3000 || law != "fifo" && !signals }' replay ||
		fail "replay $law: rows"
	grep -q "^.SS $law\$" manual || fail "manual: $law"
done

aqmllm replay trace.csv --aqm fq_codel --set limit_packets=2 >replay || fail "replay fq_codel"
grep -q '^2,enq,drop,C,2,' replay || fail "replay: the fattest queue lost nothing"
grep -q '^5,deq,pass,C,3,' replay || fail "replay: not the turn of the next flow"

echo "== no room"
# As on a full disk, but that the limit is one for files; the message names the file and why.
for full in "simulate short.yaml --log made" "pool log1 -o made.csv" "pool log1 -o made.jsonl"; do
	(ulimit -f 16 && trap '' XFSZ && exec "$program" $full) >out 2>err && fail "$full: no room, but good"
	grep -q "made.*writing: File too large" err || fail "$full: $(cat err)"
	ls made* 2>/dev/null && fail "$full: left something behind"
	rm -f made*
done

echo "== by name"
for name in "$scenarios/paper.yaml" paper paper.yaml; do
	aqmllm simulate $name --json | grep -v packets_per_wall_s >named || fail "simulate $name"
	[ -e first ] || cp named first
	cmp named first || fail "a scenario of the library, by its name $name and by its path"
done

echo "== time series"
for width in 50 1000; do
	aqmllm simulate short.yaml --seed 3 -q -o series$width --bin-ms $width || fail "simulate -o"
	# A header, then each of three queues and two flows in each bin of the four seconds.
	[ "$(wc -l <series$width/queue.csv)" = $((1 + 3 * 4000 / width)) ] || fail "rows of queue.csv"
	[ "$(wc -l <series$width/flows.csv)" = $((1 + 2 * 4000 / width)) ] || fail "rows of flows.csv"
	awk -F, -v w=$width '$2 == 0 { sum += $3 * w / 1000 } END { printf "%.4f\n", sum }' \
		series$width/flows.csv >sent$width
done
cmp sent50 sent1000 || fail "the width of bins changes what a flow got"
grep -q '^4,L,[0-9.]*,[0-9]*,0\.[0-9]*$' series1000/queue.csv || fail "queue.csv: $(tail -3 series1000/queue.csv)"

echo "== pictures"
aqmllm plot series50 >charts || fail "plot in the terminal"
grep -q 'short through l4s-freebsd, seed 3' charts && grep -q 'Queue delay' charts || fail "charts: $(head -3 charts)"
[ "$(grep -c '0 cubic' charts)" = 2 ] || fail "flows are not named in both of their charts"
aqmllm plot report1 >charts || fail "plot of results in the terminal"
grep -q '^pie ' charts || fail "plot of results: no law in $(head -5 charts)"
[ "$(aqmllm plot report1/results.csv --json | grep -c '"overview", .*"jain-box"')" = 1 ] || fail "plot --json"
aqmllm plot series50 -o figures -q && aqmllm plot report1 -o figures -q || fail "plot into a folder"
for name in qdelay qdelay_cdf backlog probability goodput rtt utilisation utilisation-box; do
	[ -s figures/$name.csv ] && grep -q '</svg>' figures/$name.svg || fail "plot: no good $name"
done
aqmllm plot series50 -o over.png -q && aqmllm plot series50 --figure rtt -o rtt.svg -q || fail "plot"
head -c 4 over.png | grep -q PNG && [ -s over-rtt.csv ] && cmp rtt.csv over-rtt.csv || fail "plot: bad files"

echo "== killed and resumed"
train="train pool.safetensors --epochs 3 --windows-per-epoch 40 --window 6 --rank 2 --threads 1
	--checkpoint 0.05 -q"
aqmllm $train -o straight || fail "train"
tries=0

# Goes on where a killed run was, or begins when it was killed before it wrote anything.
go_on() {
	if [ -e killed/train.json ]; then
		exec "$program" train --resume -q -o killed
	fi
	exec "$program" $train -o killed
}

go_on &
for delay in 0.15 0.3 0.5 0.7; do
	sleep $delay
	kill -9 $! 2>/dev/null && tries=$((tries + 1))
	wait $! 2>/dev/null
	[ ! -e killed/policy.json ] || aqmllm predict pool.safetensors --policy killed --limit 20 -q ||
		fail "a killed run's policy cannot be used"
	go_on &
done
wait $! || fail "resume"
[ $tries -gt 0 ] || fail "nothing was killed"
for file in policy.safetensors adapter_model.safetensors; do
	cmp straight/$file killed/$file || fail "a resumed run ends in another $file"
done

echo "== bad input"
mkdir folder && : >empty && head -c 100 pool.safetensors >cut.safetensors
printf 'a,action,reward,done\n\xff\xfe,0,1,0\n' >latin.csv
printf 'a,b\n1,2\n' >shape.csv
printf '\xff\xff\xff\xff\xff\xff\xff\x7f{}' >hostile.safetensors
mkdir huge && printf '{"model_type":"gpt2","n_embd":1000000000,"n_layer":99999,"n_head":1,"vocab_size":9,"n_positions":9}' \
	>huge/config.json && cp hostile.safetensors huge/model.safetensors
refuses 'missing.yaml|paper_as_run, ' simulate missing.yaml -o made
refuses 'room|folder' simulate room -o made
refuses 'empty' simulate empty -o made
refuses 'folder' simulate folder -o made
sed 's/delay_ms/dealy_ms/' short.yaml >bad.yaml && refuses 'bad.yaml:4|dealy_ms' simulate bad.yaml -o made
sed 's/rate_mbps: 8/rate_mbps: -8/' short.yaml >bad.yaml && refuses 'bad.yaml:4|rate_mbps' simulate bad.yaml -o made
sed 's/cubic/vegas/' short.yaml >bad.yaml && refuses 'bad.yaml|vegas' simulate bad.yaml -o made
printf 'warmup_s: 1\nduration_s: 3\nbottleneck:\n  aqm: pie\n  params: ["target_ms=5"]\nflows: [{cc: cubic}]\n' >lines.yaml
spoil() { sed "$1" lines.yaml >bad.yaml; } # so that its line 4, 5 or another is at fault
spoil 's/target_ms=5/target_ms=x/' && refuses 'bad.yaml:5: target_ms' simulate bad.yaml -o made
spoil 's/target_ms=5/taget_ms=5/' && refuses 'bad.yaml:5: taget_ms=5|target_ms, ' simulate bad.yaml -o made
spoil 's/pie/pier/' && refuses 'bad.yaml:4: aqm: pier' simulate bad.yaml -o made
spoil 's/warmup_s: 1/warmup_s: 4/' && refuses 'bad.yaml:1: warmup_s: 4|duration_s, 3' simulate bad.yaml -o made
spoil '/warmup_s/d' && refuses 'bad.yaml:1: warmup_s: 5|duration_s, 3' simulate bad.yaml -o made
spoil 's/params.*/rate_trace: none.trace/' && refuses 'bad.yaml:5: rate_trace: none.trace' simulate bad.yaml -o made
spoil 's/params.*/rate_steps:\n   - {at_s: 2, rate_mbps: 3}\n   - {at_s: 2, rate_mbps: 3}/' &&
	refuses 'bad.yaml:7: at_s' simulate bad.yaml -o made
spoil 's/pie/cake/; s/target_ms=5/flows=9/' && refuses 'bad.yaml:5: flows|multiple of 8' simulate bad.yaml -o made
spoil 's/cubic/cubic, options: [linux_prague]/' &&
	refuses 'bad.yaml:6: options: linux_prague is of prague|linux_cubic' simulate bad.yaml -o made
refuses 'missing/log' simulate lines.yaml --log missing/log -o made
refuses 'missing/pcap' simulate lines.yaml --pcap missing/pcap -o made/deep/in
aqmllm simulate lines.yaml -q -o cut || fail "a run to cut"
cp cut/queue.csv whole.csv
for bytes in 2000 2001 2002; do
	head -c $bytes whole.csv >cut/queue.csv && refuses "cut/queue.csv:$(($(wc -l <cut/queue.csv) + 1))|cut" plot cut -o made
done
head -n 20 whole.csv >cut/queue.csv && refuses 'cut/queue.csv:20|cut' plot cut -o made
head -n 19 whole.csv >cut/queue.csv && refuses 'cut/queue.csv:19|cut' plot cut -o made
refuses 'aqm|nonsense' simulate short.yaml --aqm nonsense -o made
refuses 'target_ms' simulate short.yaml --aqm pie --set target_ms=-3 -o made
refuses 'no-such' simulate short.yaml --policy no-such -o made
refuses '--precision|--policy' simulate short.yaml --precision int8 -o made
refuses '--context|--policy' simulate short.yaml --context exact -o made
refuses 'folder' simulate short.yaml --pcap folder
refuses '--pcap|--json' simulate short.yaml --pcap - --json
mkdir series && printf 't_s,queue,qdelay_ms,backlog_bytes,p_base\n0.1,L,x,0,0\n' >series/queue.csv
printf 't_s,flow,goodput_mbps,rtt_ms\n' >series/flows.csv
printf 'scenario,seed,aqm,metric,value\na,1,pie,m,1\na,1,pie,m\n' >bad.csv
refuses 'series/queue.csv:2|qdelay_ms' plot series -o made
refuses 'bad.csv:3' plot bad.csv -o made
refuses 'folder' plot folder -o made
refuses 'missing' plot missing -o made
refuses '--figure|nonsense|qdelay_cdf' plot series50 --figure nonsense -o made.svg
refuses '--scenario' plot series50 --scenario short -o made
refuses 'nonsense' plot report1 --scenario nonsense -o made
refuses '--watch|terminal' simulate short.yaml --watch -o made
refuses '--watch|fast' simulate short.yaml --watch=fast -o made
refuses '--bin-ms' simulate short.yaml --bin-ms 0 -o made
refuses '--intreval|--interval' simulate short.yaml --intreval 3 -o made
refuses 'missing.log' pool missing.log -o made.csv
refuses 'made.xyz' pool log1 -o made.xyz
refuses 'missing.csv' train missing.csv -o made
refuses 'empty' train empty -o made
refuses 'cut.safetensors' train cut.safetensors -o made
refuses 'latin.csv:2' train latin.csv -o made
refuses 'shape.csv' train shape.csv -o made
refuses 'hostile.safetensors' train hostile.safetensors -o made
refuses 'folder' train pool.csv --backbone folder -o made
head -c 1000 tiny.gguf >cut.gguf
refuses 'cut.gguf' train pool.csv --backbone cut.gguf -o made
refuses 'cut.gguf' backbones cut.gguf
refuses 'q3' backbones --export made.gguf --type q3 folder
refuses 'gguf' backbones --export made folder
refuses '--type|--export' backbones --type q8_0
refuses 'name one model' backbones --export made.gguf
refuses 'huge' train pool.csv --backbone huge -o made
refuses 'policy' predict pool.csv --policy folder
refuses 'output' evaluate short.yaml
refuses 'output' evaluate short.yaml -o ''
refuses 'output' analyse --scenario short.yaml -o '' # reports stood in the root folder
touch folder/diary && refuses 'folder|output' evaluate short.yaml -o folder
refuses 'short.yaml|output' evaluate short.yaml -o short.yaml
refuses 'nosuchsuite|paper_as_run, ' evaluate nosuchsuite -o made
refuses 'train' evaluate train:0 -o made
refuses 'target_ms' evaluate short.yaml --against pie:target_ms=-1 -o made
refuses 'foo=3|target_ms, ' evaluate short.yaml --against pie:foo=3 -o made
refuses 'count' scenarios --suite train -n 0 -o made
refuses 'suite|nonsense|heldout' scenarios --suite nonsense -o made
refuses 'output' scenarios --suite train
refuses 'folder|output' scenarios --suite train -o folder
mkdir begun && : >begun/pretrain.safetensors
refuses 'begun|holds a run|--resume' pretrain -o begun --steps 1 --networks 1 --seconds 1
refuses 'trace|lte' scenarios --trace dsl -o made.trace
refuses 'output' scenarios --trace lte
refuses 'nosuchsuite' evaluate nosuchsuite -o made
refuses 'trace' replay notrace.csv --aqm pie
printf 't_ns,op,len_bytes,ecn,flow\n5,enq,0,not,1\n' >bad.csv && refuses 'bad.csv:2|len_bytes' replay bad.csv --aqm pie
printf 't_ns,op,len_bytes,ecn,flow\n1700000000000000000,enq,1500,not,1\n' >trace.csv
refuses 'trace.csv:2|t_ns|subtract' replay trace.csv --aqm pie
aqmllm replay trace.csv --aqm codel >replay || fail "a trace with an epoch through a law without updates"
refuses 'against' evaluate short.yaml --against pie, -o made
refuses 'notes|nosuch' evaluate short.yaml --notes nosuch -o made
refuses 'log' simulate short.yaml --log - -o made
refuses 'log|pcap' simulate short.yaml --log made --pcap made
refuses 'empty' simulate ''
refuses '1 GiB' simulate /dev/zero
for wrong in 'cc: nosuch' 'cc: cubic, rate_mbps: 3' 'cc: cubic, rtt_ms: 1' 'cc: udp_prague, ecn: classic'; do
	printf 'flows:\n  - {cc: cubic}\n  - {%s}\n' "$wrong" >wrong.yaml
	refuses 'wrong.yaml:3' simulate wrong.yaml -o made
done
refuses 'nonesuch' nonesuch
# A slip of the finger gets what was meant; a word that is far from all names gets none of them.
refuses '--sed: no such option|mean --set' simulate short.yaml --sed 3
refuses '--out: no such option|mean --output' simulate short.yaml --out made
refuses 'no such option; see --help' simulate short.yaml --rate 3
refuses 'simluate|mean simulate' simluate short.yaml
refuses 'nosuch|--help lists' nosuch
refuses '--epochs: 0' train pool.csv -e 0 -o made

echo "== help"
aqmllm --help >helped && aqmllm help | cmp - helped || fail "help is not --help"
aqmllm simulate --help >helped && aqmllm help simulate | cmp - helped || fail "help COMMAND is not COMMAND --help"
refuses 'simluate|mean simulate' help simluate
for word in help --help -h; do
	aqmllm help $word | cmp - <(aqmllm --help) || fail "help $word is not help"
done
refuses 'student: is a queue law|aqmllm aqms student' help student
refuses 'pie: is a queue law' pie
completes() { # words of a command line
	bash -c 'source <("$1" completion bash); shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _aqmllm
		echo "${COMPREPLY[*]}"' completes "$program" aqmllm "$@"
}
[ "$(completes si)" = simulate ] && [ "$(completes help si)" = simulate ] && [ "$(completes he)" = help ] &&
	[ "$(completes simulate --se)" = "--set --seed" ] && [ -z "$(completes simulate si)" ] || fail "completion"
for name in $(sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p' <(aqmllm --help)); do
	aqmllm "$name" --help >told || fail "$name --help"
	grep -q ' $' told && fail "$name --help: blanks at the end of a line"
done
finish "commands"
