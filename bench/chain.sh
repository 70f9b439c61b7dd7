#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What each ingredient of "an LLM teaches an AQM" is worth: teachers at intervals 1, 10 and 100 and
# at several decision latencies, their students, the same students without a teacher, backbones
# with random weights, encoders, window lengths, return targets, and settings instead of verdicts.
#
#   bash bench/chain.sh [BUILD] [OUT]        (defaults: build, build/chain)
#
# Small by default: six networks to learn from and three others to measure in, ten seconds each.
# TRAIN and TEST name folders of scenarios instead; SEEDS (5; 1 at interval 1), EPOCHS (2), WINDOWS an epoch (100),
# ROUNDS (2), UPDATES (600), JOBS (2), STORIES (../shared/weights/stories260K, left out where it is
# not), ONLY (a pattern of names: what to train and measure; all).  What is in OUT is kept, so a
# run that was interrupted goes on.  Prints the table and writes OUT/chain.csv.
set -u
build=${1:-build} out=${2:-build/chain}
program=$(realpath "$build")/aqmllm
. "$(dirname "$0")/networks.sh"
stories=$(realpath -m "${STORIES:-../shared/weights/stories260K}")
jobs=${JOBS:-2} rounds=${ROUNDS:-2} updates=${UPDATES:-600}
settings=target_ms=2/target_ms=5/target_ms=15/target_ms=40
mkdir -p "$out" && cd "$out" || exit 1

train=${TRAIN:+$(realpath "$TRAIN")} test=${TEST:+$(realpath "$TEST")}
[ -n "$train" ] || { train=train && networks train 10 2.5 "${to_learn_from[@]}"; }
[ -n "$test" ] || { test=test && networks test 10 2.5 "${to_measure_in[@]}"; }

wanted() { # name
	[[ $1 =~ ${ONLY:-.} ]]
}
quietly() { # what it is, command...
	local what=$1
	shift
	"$@" >"$what.log" 2>&1 || { echo "FAILED: $what: $(tail -1 "$what.log")"; return 1; }
}
pool() { # network, what to make, law[:NAME=VALUE]
	local law=${3%%:*} set=()
	[ "$law" != dualpi2 ] || set=(--set min_qlen_step=1)
	[ "$law" = "$3" ] || set+=(--set "${3#*:}")
	[ -e "$2" ] || { quietly pools/log "$program" simulate "$1" --aqm "$law" "${set[@]}" \
		--log pools/router.log -q &&
		quietly pools/log "$program" pool pools/router.log -o "$2" -q; }
}
pools=pools
teacher() { # name, options of train
	local name=$1
	shift
	wanted "$name" || return
	[ -e "$name/done" ] || { quietly "$name" "$program" train $pools/*.safetensors -q --threads 2 \
		--epochs "${EPOCHS:-2}" --windows-per-epoch "${WINDOWS:-100}" --even-sources \
		-o "$name" "$@" && touch "$name/done"; }
}
student() { # name, options of distill
	local name=$1
	shift
	wanted "$name" || return
	[ -e "$name/done" ] || { quietly "$name" "$program" distill --suite "$train" -q -j "$jobs" \
		--rounds "$rounds" --updates "$updates" --stretches 4 --held-out 0.2 --resume \
		-o "$name" "$@" && touch "$name/done"; }
}

mkdir -p pools/many
for network in "$train"/*.yaml; do
	pool "$network" "pools/$(basename "$network" .yaml).safetensors" dualpi2
	wanted many || continue
	for law in dualpi2 dualpi2:target_ms=5 dualpi2:target_ms=2 pie pi2 codel; do
		pool "$network" "pools/many/$(basename "$network" .yaml)-${law//[:=]/-}.safetensors" $law
	done
done
rm -f pools/router.log pools/log.log

teacher builtin
teacher random --random-weights
teacher linear --encoder linear
teacher window-5 --window 5
teacher window-50 --window 50
[ -d "$stories" ] && teacher stories --backbone "$stories"
pools=pools/many teacher many
for share in 0 0.5; do # of the return that the teacher asks for
	name=target-$share
	wanted "$name" && [ -e builtin/done ] || continue
	rm -rf "$name" && cp -r builtin "$name"
	awk -v share="$share" '/"target":/ { match($0, /[-0-9.e+]+,?$/)
		$0 = "  \"target\": " share * substr($0, RSTART) (/,$/ ? "," : "") } 1' \
		builtin/policy.json >"$name/policy.json"
done
mover() { # name, options of train
	local name=$1
	shift
	wanted "$name" || return
	[ -e moves.safetensors ] || quietly moves "$program" supervise "$train" --interval 10 \
		--seeds 1 --settings $settings -j "$jobs" -o moves.safetensors
	[ -e "$name/done" ] || { quietly "$name" "$program" train moves.safetensors -q --threads 2 \
		--settings $settings --epochs "${EPOCHS:-2}" --windows-per-epoch "${WINDOWS:-100}" \
		-o "$name" "$@" && touch "$name/done"; }
}
mover mover
mover mover-random --random-weights

for interval in 1 10 100; do
	student student-$interval --policy builtin --interval $interval
done
student student-plain --policy builtin --loss plain
student student-gru --policy builtin --student gru:12,24
student student-transformer --policy builtin --student transformer:16:8
student student-tree --policy builtin --student tree:64
student student-random --policy random
[ -d "$stories" ] && student student-stories --policy stories
student student-law --teacher law
student student-none --teacher none

student supervisor --policy mover
student supervisor-100 --policy mover --interval 100
student supervisor-plain --policy mover --loss plain
student supervisor-tree --policy mover --student tree:64
student supervisor-random --policy mover-random
student supervisor-none --teacher none --settings $settings

measure() { # seeds, intervals and latencies (of students, which decide by themselves: -), names
	local seeds=$1 intervals=$2 latencies=$3 name list=() asked=()
	shift 3
	for name in "$@"; do
		[ -e "$name/done" ] || [ -e "$name/policy.json" ] && wanted "$name" && list+=(-p "$name")
	done
	[ ${#list[@]} -gt 0 ] || return
	[ "$intervals" = - ] || asked=(--interval "$intervals" --decision-ms "$latencies")
	name=measured-$seeds-$intervals-$latencies-$(cksum <<<"$*" | cut -d' ' -f1)
	quietly "$name" "$program" evaluate "$test" "${list[@]}" "${asked[@]}" \
		--seeds "$seeds" -j "$jobs" --pictures 0 -q -o "$name" \
		--against "dualpi2:target_ms=5:min_qlen_step=1,dualpi2:target_ms=2:min_qlen_step=1$more"
}
seeds=${SEEDS:-5} more=
measure 1 1 0 builtin stories mover
measure "$seeds" 10,100 0,39 builtin stories mover
measure "$seeds" 10,100 measured builtin stories mover
measure "$seeds" 10 0 random linear window-5 window-50 target-0 target-0.5 mover-random
measure "$seeds" - - student-1 student-10 student-100 student-plain student-gru student-tree \
	student-transformer student-random student-stories student-law student-none
measure "$seeds" - - supervisor supervisor-100 supervisor-plain supervisor-tree supervisor-random \
	supervisor-none
more=,pie,pi2,codel measure "$seeds" 1,10,100 0 many

# A line an arm: means over networks and seeds of what is relative to DualPI2 on the same seed.
cat measured-*/results.csv | awk -F, '
	$1 == "scenario" { next }
	{ gsub(/"/, "", $3); value[$1 "," $2, $3, $4] = $5; run[$1 "," $2] = 1
	  if (!($3 in known)) { known[$3] = 1; order[++arms] = $3 } }
	function ln(x) { return log(x > 0.01 ? x : 0.01) }
	END {
		print "arm,c_p99,c_mean,l_p99,goodput,score,ci95,runs,decisions,guarded"
		for (a = 1; a <= arms; a++) {
			arm = order[a]; n = c = m = l = g = s = q = d = o = 0
			for (r in run) {
				if (!((r, arm, "goodput_mbps") in value)) continue
				n++
				rc = ln(value[r, arm, "classic_delay_ms_p99"]) - ln(value[r, "dualpi2", "classic_delay_ms_p99"])
				rm = ln(value[r, arm, "classic_delay_ms_mean"]) - ln(value[r, "dualpi2", "classic_delay_ms_mean"])
				rl = ln(value[r, arm, "l4s_delay_ms_p99"]) - ln(value[r, "dualpi2", "l4s_delay_ms_p99"])
				rg = value[r, arm, "goodput_mbps"] / value[r, "dualpi2", "goodput_mbps"]
				c += rc; m += rm; l += rl; g += rg
				x = rc + rl + (rg < 0.995 ? 40 * (0.995 - rg) : 0)
				s += x; q += x * x
				d += value[r, arm, "decisions"]; o += value[r, arm, "guarded_percent"] / 100
			}
			ci = n > 1 ? 1.96 * sqrt((q / n - s * s / n / n) * n / (n - 1) / n + 1e-18) : 0
			if (n) printf "%s,%.3f,%.3f,%.3f,%.4f,%.3f,%.3f,%d,%d,%.3f\n", arm, exp(c / n),
				exp(m / n), exp(l / n), g / n, s / n, ci, n, d / n, o / n
		}
	}' >chain.csv
column -s, -t chain.csv
echo "c_p99 .. goodput: times DualPI2's; score: ln(L p99) + ln(Classic p99) + 40 max(0, 0.995 - goodput),"
echo "relative to DualPI2, below 0 is better, ci95 +- over runs; guarded: share of what a policy or student"
echo "decided, of supervisors of all packets, that the guard overrode"
