#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The released training pool, states as logged, its last 20 % held out: what backbones, random
# weights and rules that know nothing of learning make of it.
# usage: bench/real_input.sh [BUILD [WORK_FOLDER]]
set -eu
build=${1:-build} work=${2:-$(mktemp -d)}
shared=${AQMLLM_SHARED_DIR:-$(dirname "$0")/../../shared}
pool=$shared/data/authors_train_pool.csv
[ -f "$pool" ] || { echo "SKIP: no $pool"; exit 77; }
# Every window, and all epochs: the best come late, when the rate is low.
options="--encoder linear --stride 1 --epochs 40 --patience 0"

case_of() { # name, train options
	name=$1
	shift
	[ -f "$work/$name/policy.json" ] && [ -f "$work/$name.done" ] ||
		{ "$build/aqmllm" train "$pool" $options "$@" -o "$work/$name" --quiet && touch "$work/$name.done"; }
	"$build/aqmllm" predict "$pool" --policy "$work/$name" --held-out 0.2 --json >"$work/$name.json"
	row "$name" "$work/$name.json"
}

row() { # name, predict's JSON: the policy's own figures come before its baselines'
	awk -v name="$1" '
		/"baselines"/ { exit }
		/"accuracy"/ { accuracy = $2 } /"balanced_accuracy"/ { balanced = $2 }
		/"macro_f1"/ { f1 = $2 } /"log_loss"/ { loss = $2 }
		END { printf "%-26s %8.4f %9.4f %9.4f %9.4f\n", name, accuracy, balanced, f1, loss }' "$2"
}

printf '%-26s %8s %9s %9s %9s\n' "" accuracy balanced macro-F1 "log loss"
for seed in 1 2 3; do case_of "builtin-seed$seed" --seed $seed; done
for seed in 1 2 3; do case_of "builtin-random-seed$seed" --random-weights --cold-start --seed $seed; done
case_of stories260K --backbone "$shared/weights/stories260K"
case_of stories260K-random --backbone "$shared/weights/stories260K" --random-weights
"$build/aqmllm" predict "$pool" --policy "$work/builtin-seed1" --held-out 0.2 |
	grep -E '^(majority|two_comparisons|copy_previous)'
