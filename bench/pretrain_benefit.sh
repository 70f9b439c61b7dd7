#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How much pre-training helps on networks that it has not seen: the same adaptation on the same
# pool from the built-in weights and from random ones.
# usage: bench/pretrain_benefit.sh [BUILD [WORK_FOLDER]]
set -eu
build=${1:-build} work=${2:-$(mktemp -d)}
here=$(dirname "$0")/..
printf '%-14s %-5s %-9s %10s %10s %9s\n' network seed weights "log loss" balanced macro-F1
for network in paper paper_as_run; do
	for seed in 1 2 3; do
		pool=$work/$network-$seed.safetensors
		[ -f "$pool" ] || {
			"$build/aqmllm" simulate "$here/scenarios/$network.yaml" --seed $((500 + seed)) \
				--log "$work/$network-$seed.log" --quiet
			"$build/aqmllm" pool "$work/$network-$seed.log" -o "$pool" --quiet
		}
		for weights in builtin random; do
			name=$work/$network-$seed-$weights
			[ $weights = random ] && more="--random-weights --cold-start" || more=
			[ -f "$name.done" ] || {
				"$build/aqmllm" train "$pool" --encoder linear $more --epochs 3 --seed $seed -o "$name" --quiet
				touch "$name.done"
			}
			"$build/aqmllm" predict "$pool" --policy "$name" --held-out 0.2 --stride 10 \
				--json >"$name.json"
			awk -v head="$(printf '%-14s %-5s %-9s' $network $seed $weights)" '
				/"baselines"/ { exit }
				/"balanced_accuracy"/ { balanced = $2 } /"macro_f1"/ { f1 = $2 }
				/"log_loss"/ { loss = $2 }
				END { printf "%s %10.4f %10.4f %9.4f\n", head, loss, balanced, f1 }' "$name.json"
		done
	done
done
