#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Reinforcement from recorded pools (advantage-weighted regression) beside plain imitation of the
# same pools and DualPI2, in closed loop: students of several betas, discounts and rewards.
#
#   bash bench/offline.sh [BUILD] [OUT]        (defaults: build, build/offline)
#
# Six networks to record in and three others to measure in, 20 seconds each.  Pools: `law`, DualPI2 at
# four targets; `all`, besides PIE and PI2; `own`, the student that imitates `law`, without its guard
# and with four seeds, whose draws depend on nothing but what students see.  Measured with the guard
# and without.  SEEDS (10) of the networks, SEED (1) of the training, JOBS (2).  What is in OUT is
# kept, so a run that was interrupted goes on.  Prints the tables and writes OUT/offline.csv; four
# minutes of processor.
set -eu
build=${1:-build} out=${2:-build/offline}
program=$(realpath "$build")/aqmllm
. "$(dirname "$0")/networks.sh"
mkdir -p "$out" && cd "$out"

networks record 20 5 "${to_learn_from[@]}"
networks test 20 5 "${to_measure_in[@]}"

mkdir -p law other own students rewards
recorded() { # pool, network, options of simulate
	local pool=$1 network=$2
	shift 2
	[ ! -e "$pool" ] || return 0
	"$program" simulate "$network" "$@" --log log -q
	"$program" pool log --features 8 -o "$pool" -q
	rm log
}
for network in record/*.yaml; do
	name=$(basename "$network" .yaml)
	for target in 2 5 15 30; do
		recorded "law/$name-$target.safetensors" "$network" --aqm dualpi2 \
			--set min_qlen_step=1 --set target_ms=$target
	done
	for law in pie pi2; do
		recorded "other/$name-$law.safetensors" "$network" --aqm $law
	done
done

students=()
student() { # pools, name, options
	local pools=$1 name=$2
	shift 2
	students+=("$name")
	# shellcheck disable=SC2086
	[ -e "students/$name/student.aqms" ] || "$program" reinforce --pool $pools \
		--features is_l,packet_length,qdelay_own,backlog_own,p_own --seed "${SEED:-1}" \
		"$@" -o "students/$name" >"students/$name.txt"
	cp "students/$name/student.aqms" "students/$name.aqms"
}
betas() { # name of the pools, pools
	student "$2" "$1-imitated" --beta 1e9
	student "$2" "$1-beta-3" --beta 3
	student "$2" "$1-beta-1"
	student "$2" "$1-beta-0.3" --beta 0.3
	student "$2" "$1-qdelay" --reward qdelay
}
betas law "law/*"
betas all "law/* other/*"
for network in record/*.yaml; do
	for seed in 1 2 3 4; do
		recorded "own/$(basename "$network" .yaml)-$seed.safetensors" "$network" \
			--policy students/law-imitated.aqms --no-guard --seed $seed
	done
done
betas own "own/*"
student "law/*" law-gamma-0.95 --gamma 0.95
student "law/*" law-gamma-0.99 --gamma 0.99
student "law/*" law-gamma-0.9999 --gamma 0.9999 --lambda 0.999

seeds=${SEEDS:-10}
for guard in guarded free; do
	alone=()
	[ $guard = guarded ] || alone=(--no-guard)
	"$program" evaluate test $(printf -- '-p students/%s.aqms ' "${students[@]}") "${alone[@]}" \
		--seeds "$seeds" -j "${JOBS:-2}" --against "dualpi2:target_ms=5:min_qlen_step=1" \
		--pictures 0 -q -o $guard
done

# What they were trained for: the mean of the paper's reward over packets, without the guard.
reward() { # arm, network, seed, options of simulate: "arm,network,seed,reward"
	local arm=$1 network=$2 seed=$3 pool
	pool=rewards/$1-$(basename "$2" .yaml)-$3.json
	shift 3
	[ -s "$pool" ] || {
		recorded reward.safetensors "$network" --seed "$seed" "$@"
		"$program" pool --info reward.safetensors --json >"$pool"
		rm reward.safetensors
	}
	echo "$arm,$network,$seed,$(tr -d '\n' <"$pool" | sed 's/.*"mean_reward":\([-0-9.e+]*\).*/\1/')"
}
for network in test/*.yaml; do
	for ((seed = 1; seed <= seeds; seed++)); do
		reward dualpi2 "$network" $seed --aqm dualpi2 --set min_qlen_step=1
		for name in "${students[@]}"; do
			reward "$name" "$network" $seed --policy "students/$name.aqms" --no-guard
		done
	done
done >rewards.csv

# A line an arm: means over networks and seeds of what is relative to DualPI2 on the same seed.
for guard in guarded free; do
	awk -F, -v guard=$guard '
	NR == 1 { next }
	{ gsub(/"/, "", $3); value[$1 "," $2, $3, $4] = $5; run[$1 "," $2] = 1
	  if (!($3 in known)) { known[$3] = 1; order[++arms] = $3 } }
	function ln(x) { return log(x > 0.01 ? x : 0.01) }
	function over(r, arm, metric) { return ln(value[r, arm, metric]) - ln(value[r, order[1], metric]) }
	END {
		for (a = 1; a <= arms; a++) {
			arm = order[a]; n = c = m = l = g = h = s = q = o = 0
			for (r in run) {
				n++
				rc = over(r, arm, "classic_delay_ms_p99"); rl = over(r, arm, "l4s_delay_ms_p99")
				rg = value[r, arm, "goodput_mbps"] / value[r, order[1], "goodput_mbps"]
				c += rc; l += rl; g += rg; m += over(r, arm, "classic_delay_ms_mean")
				h += value[r, arm, "l4s_goodput_mbps"] / value[r, arm, "goodput_mbps"]
				x = rc + rl + (rg < 0.995 ? 40 * (0.995 - rg) : 0)
				s += x; q += x * x
				o += value[r, arm, "guarded_percent"] / 100
			}
			ci = n > 1 ? 1.96 * sqrt((q / n - s * s / n / n) / (n - 1) + 1e-18) : 0
			printf "%s,%s,%.3f,%.3f,%.3f,%.4f,%.3f,%.3f,%.3f,%d,%.3f\n", guard, arm, exp(c / n),
				exp(m / n), exp(l / n), g / n, h / n, s / n, ci, n, o / n
		}
	}' $guard/results.csv
done | { echo "guard,arm,c_p99,c_mean,l_p99,goodput,l_share,score,ci95,runs,overridden"; cat; } >offline.csv
column -s, -t offline.csv
awk -F, '
	$1 == "dualpi2" { of_law[$2, $3] = $4; next }
	{ ratio = log($4 / of_law[$2, $3]); n[$1]++; sum[$1] += ratio; square[$1] += ratio * ratio
	  if (n[$1] == 1) order[++arms] = $1 }
	END {
		print "arm,reward,low,high"
		for (a = 1; a <= arms; a++) {
			mean = sum[order[a]] / n[order[a]]
			error = sqrt((square[order[a]] / n[order[a]] - mean * mean) / (n[order[a]] - 1))
			printf "%s,%.3f,%.3f,%.3f\n", order[a], exp(mean), exp(mean - 1.96 * error),
				exp(mean + 1.96 * error)
		}
	}' rewards.csv | column -s, -t
for name in "${students[@]}"; do
	printf '%-20s %s\n' "$name" "$(grep -o 'explains.*%\|have [^,]*effect\|to .*student' \
		"students/$name.txt" | tr '\n' ' ')"
done
echo "c_p99 .. goodput: times DualPI2's; l_share: of L4S flows in all goodput; score: ln(L p99) + ln(Classic p99) + 40 max(0, 0.995 - goodput),"
echo "relative to DualPI2, below 0 is better, ci95 +- over runs; overridden: share of decisions that the guard took"
echo "reward: mean over packets of the paper's, times DualPI2's, without the guard, with its 95 % interval"
