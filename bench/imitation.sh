#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# How close imitation comes to the law: held-out log loss of adapted backbones
# beside the entropy of the law's own choices, from states before its decision.
#
#   bench/imitation.sh [BUILD] [OUT] [LAW]      (defaults: build, build/imitation, pie)
#
# The paper's mix for 600 simulated seconds under LAW (pie or l4s-freebsd); the
# built-in backbone, stories260K (STORIES=DIR, else ../shared/weights/stories260K,
# else left out) and a small Llama shape, pre-trained weights beside random ones.
# JOBS trainings at once (default 1), THREADS each (default: cores / JOBS),
# EPOCHS (default 10), SEEDS (default "1").
build=${1:-build} out=${2:-build/imitation} law=${3:-pie}
program=$build/aqmllm
jobs=${JOBS:-1}
threads=${THREADS:-$(($(nproc) / jobs))}
[ "$threads" -ge 1 ] || threads=1
stories=${STORIES:-../shared/weights/stories260K}
mkdir -p "$out/llama" || exit 1
sed 's/^duration_s: .*/duration_s: 600/' scenarios/paper.yaml >"$out/mix.yaml"
cat >"$out/llama/config.json" <<'X'
{"model_type": "llama", "num_hidden_layers": 4, "hidden_size": 128, "num_attention_heads": 4,
 "num_key_value_heads": 4, "intermediate_size": 344, "vocab_size": 16,
 "max_position_embeddings": 4096, "rms_norm_eps": 1e-5}
X
[ -s "$out/pool-$law.safetensors" ] || {
	"$program" simulate "$out/mix.yaml" --aqm "$law" --seed 1 --log "$out/$law.log" -q &&
		"$program" pool "$out/$law.log" --law "$law" -o "$out/pool-$law.safetensors" -q
} || exit 1

one() { # name, seed, training options...
	name=$1 seed=$2
	shift 2
	folder=$out/$law-$name-$seed
	[ -s "$folder/result.json" ] ||
		{ "$program" train "$out/pool-$law.safetensors" --epochs "${EPOCHS:-10}" \
			--threads "$threads" --seed "$seed" -o "$folder" -q "$@" &&
			"$program" predict "$out/pool-$law.safetensors" --policy "$folder" \
				--held-out 0.2 --stride 10 --limit 20000 --threads "$threads" --json \
				>"$folder/result.json"; } || echo "FAILED: $name, seed $seed"
}

running=0
start() {
	one "$@" &
	running=$((running + 1))
	[ "$running" -lt "$jobs" ] || { wait; running=0; }
}
for seed in ${SEEDS:-1}; do
	start builtin "$seed"
	start builtin-random "$seed" --random-weights
	start llama-random "$seed" --random-weights --backbone "$out/llama"
	[ -d "$stories" ] || { echo "SKIP: no stories260K at $stories"; continue; }
	start stories260K "$seed" --backbone "$stories"
	start stories260K-random "$seed" --backbone "$stories" --random-weights
done
wait

field() { # file, key
	sed -n "s/^ \"$2\": \([-0-9.e]*\),*$/\1/p" "$1"
}
printf '%-22s %4s %9s %9s %9s %9s %9s %9s %7s %7s\n' "backbone ($law)" seed accuracy majority \
	balanced macro-F1 "log loss" entropy ratio "of law"
for result in "$out/$law"-*/result.json; do
	folder=${result%/result.json}
	label=${folder##*/"$law"-}
	awk -v name="${label%-*}" -v seed="${label##*-}" -v a="$(field "$result" accuracy)" \
		-v m="$(field "$result" majority_rate)" -v b="$(field "$result" balanced_accuracy)" \
		-v f="$(field "$result" macro_f1)" -v l="$(field "$result" log_loss)" \
		-v e="$(field "$result" law_entropy)" -v o="$(field "$result" law_log_loss)" \
		'BEGIN { printf "%-22s %4s %9.4f %9.4f %9.4f %9.4f %9.4f %9.4f %7.3f %7.3f\n",
			name, seed, a, m, b, f, l, e, l / e, l / o }'
done
echo "ratio: log loss over entropy (wanted: at most 1.05); of law: over the log loss of the law's own"
echo "probabilities on the same rows"
