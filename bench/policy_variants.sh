#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Encoders, residual and the measures against overfitting on held-out rows: one line a run with its
# log loss, balanced accuracy and macro-F1.  Short runs, three seeds each, one thread.
#   sh bench/policy_variants.sh BUILD FOLDER [POOL.csv]
# The demo's pool is made in FOLDER: its first 40 % of rows, for later ones hold no event to tell
# policies apart by.  POOL.csv: the encoders on that pool too.  Runs already in FOLDER are kept.
set -eu
program=$(realpath "$1")/aqmllm
scenario=$(realpath "$(dirname "$0")/../scenarios/paper_as_run.yaml")
other=${3:+$(realpath "$3")}
mkdir -p "$2" && cd "$2"

if [ ! -e demo40.csv ]; then
	"$program" simulate "$scenario" --seed 1000 --log router.log --quiet
	"$program" pool router.log -o whole.csv --quiet
	head -21855 whole.csv >demo40.csv
fi

variant() { # name, pool, seed, options of train
	local name=$1 pool=$2 seed=$3
	local run=$name.$(basename "$pool" .csv).$seed
	shift 3
	[ -e "$run.json" ] || {
		"$program" train "$pool" --quiet --threads 1 --seed "$seed" -o "$run" "$@"
		"$program" predict "$pool" -p "$run" --held-out 0.2 --stride 4 --threads 1 \
			--json >"$run.part"
		mv "$run.part" "$run.json"
	}
	echo "$run $(tr -d ' \n"' <"$run.json" | tr ',' '\n' |
		grep -E '^(log_loss|balanced_accuracy|macro_f1):' | head -3 | tr '\n' ' ')"
}

for seed in 1 2 3; do
	for pool in demo40.csv $other; do
		for encoder in linear multiscale; do
			variant $encoder "$pool" $seed --encoder $encoder --epochs 6 \
				--windows-per-epoch 240
		done
	done
	while read -r name options; do
		# shellcheck disable=SC2086
		variant "$name" demo40.csv $seed --encoder multiscale --epochs 1 \
			--windows-per-epoch 480 --window 10 $options
	done <<-END
		none
		residual --residual
		offset --augment-offset 0.1
		noise --augment-noise 0.1
		mask --augment-mask 0.1
		queue --augment-queue 0.2
		shift --augment-shift 10
	END
done
