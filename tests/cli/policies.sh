#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Everything that train can make, from the outside: encoders, adapters, whole backbones, several
# pools, and the released code with its quirks.  usage: policies.sh PROGRAM
. "$(dirname "$0")/common.sh"

# A JSON file holds "key": value, whatever the layout.
holds() { # file, key, value
	tr -d ' \n' <"$1" | grep -qF -- "\"$2\":$3" || fail "$1: $2 is not $3"
}

cat >loop.yaml <<'Y'
name: loop
duration_s: 2
warmup_s: 0.5
bottleneck: {rate_mbps: 8, delay_ms: 10, aqm: l4s-freebsd, params: ["hz=100", "shared_pipe=1"]}
flows:
  - {cc: cubic, count: 1}
  - {cc: dctcp, count: 1}
Y
for seed in 1 2; do
	aqmllm simulate loop.yaml --seed $seed --log log$seed -q || fail "simulate"
	aqmllm pool log$seed -o pool$seed.csv -q || fail "pool"
done
small="--epochs 1 --windows-per-epoch 12 --threads 1 -q"
tiny="$small --window 6 --rank 2"

echo "== encoders"
aqmllm train pool1.csv $tiny --untrained -o default || fail "train"
holds default/policy.json encoder '{"kind":"multiscale"'
aqmllm train pool1.csv $tiny --encoder multiscale --residual -o multi || fail "multiscale"
holds multi/policy.json encoder '{"kind":"multiscale"'
holds multi/policy.json residual true
aqmllm simulate loop.yaml --policy multi --interval 50 --json >sum || fail "multiscale at a router"
grep -q '"decisions": [1-9]' sum || fail "the multiscale policy was never asked"
aqmllm pool log1 --features 8 -o pool8.csv -q || fail "pool --features 8"
for encoder in linear multiscale; do
	aqmllm train pool8.csv $tiny --encoder $encoder -o eight || fail "8 features, $encoder"
	grep -aq embed_state8.weight eight/policy.safetensors || fail "no eighth feature"
	aqmllm simulate loop.yaml --policy eight --interval 50 -q || fail "8 features at a router"
done
refuses "linear or multiscale" train pool1.csv $tiny --encoder conv -o made

echo "== adapters"
aqmllm train pool1.csv $tiny --lora-targets all -o all || fail "all targets"
for name in c_attn c_proj c_fc; do
	grep -q "\"$name\"" all/adapter_config.json || fail "all targets lack $name"
done
for key in base_model_name_or_path peft_type r lora_alpha lora_dropout target_modules bias \
	fan_in_fan_out task_type; do
	grep -q "\"$key\"" all/adapter_config.json || fail "adapter_config.json lacks $key"
done
many=$(printf 'c_attn,%.0s' $(seq 32))
refuses "31 names" train pool1.csv $tiny --lora-targets "$many" -o made
refuses "far-behind" train pool1.csv $tiny --lora-targets "c_attn$(printf ',%.0s' $(seq 1100))far-behind" -o made
refuses "c_attn, c_proj, c_fc" train pool1.csv $tiny --lora-targets c_fc,query -o made
aqmllm train pool2.csv $small --window 6 --adapter all -o further || fail "--adapter"
holds further/adapter_config.json r 2
cmp -s all/adapter_model.safetensors further/adapter_model.safetensors && fail "nothing learned"
refuses "--adapter" train pool1.csv $tiny --adapter all -o made
sed 's/"LORA"/"IA3"/' all/adapter_config.json >changed && mkdir ia3 && mv changed ia3/adapter_config.json
cp all/adapter_model.safetensors ia3/
cp -r all other && sed -i 's/"c_fc"/"fc1"/' other/adapter_config.json
refuses "other/adapter_config.json: target_modules: .*c_proj" train pool1.csv $small \
	--adapter other -o made
sed -i '/"r":/d' other/adapter_config.json
refuses "other/adapter_config.json: r: " train pool1.csv $small --adapter other -o made
refuses "peft_type" train pool1.csv $small --adapter ia3 -o made

echo "== merged and whole"
aqmllm export --merge all -o merged -q || fail "export --merge"
aqmllm backbones merged >/dev/null || fail "a merged backbone does not open"
aqmllm train pool1.csv $tiny --backbone merged --untrained -o onmerged || fail "train on it"
refuses "--output" export --merge all -o merged
aqmllm train pool1.csv $tiny --precision bf16 -o rounded || fail "train --precision bf16"
aqmllm export --merge rounded -o "from \"bf16\"" --json >told || fail "export of bf16"
grep -qF '"from \"bf16\""' told || fail "--json without escapes"
aqmllm backbones 'from "bf16"' >/dev/null || fail "a backbone merged from bf16 does not open"
(trap '' XFSZ; ulimit -f 8; aqmllm export --merge all -o made/deep -q 2>told) && fail "it fitted"
[ ! -e made ] || fail "export left a folder behind"
aqmllm train pool1.csv $small --window 6 --full -o whole || fail "--full"
holds whole/policy.json full true
aqmllm predict pool2.csv --policy whole --limit 50 --stride 5 -q || fail "predict with --full"
aqmllm export --merge whole -o merged2 -q || fail "export of a whole backbone"
cmp -s whole/backbone/model.safetensors merged2/model.safetensors || fail "not the same weights"
refuses "--full" train pool1.csv --rank 0 --lora-targets c_fc -o made

echo "== several pools, and measures against overfitting"
measures="--augment-offset 0.1 --augment-noise 0.1 --augment-mask 0.1 --augment-queue 0.2
	--augment-shift 5"
aqmllm train pool1.csv pool2.csv $tiny $measures --even-sources -o two || fail "two pools"
aqmllm train --resume -q -o two || fail "a finished run does not resume"
refuses "not 1" train --resume pool1.csv -o two
cut -d, -f2- pool2.csv >short.csv
refuses "queue_type" train pool1.csv short.csv $tiny -o made
refuses "augment-mask" train pool1.csv $tiny --augment-mask 1 -o made

echo "== the released code"
aqmllm train pool1.csv --compat --untrained --threads 1 -q -o compat || fail "--compat"
for option in '"accumulate":32' '"warmup":2000' '"epochs":80' '"batch":1' '"stride":20' \
	'"window":20' '"windows-per-epoch":0' '"class-weights":"none"' '"scaling":"identity"' \
	'"patience":0' '"clip":0.25' '"encoder":"linear"'; do
	tr -d ' \n' <compat/train.json | grep -qF "$option" || fail "--compat: not $option"
done
for key in shared_last no_positions compat; do
	holds compat/policy.json $key true
done
holds compat/policy.json rule '"clamp"'
holds compat/policy.json feature_dim 256
holds compat/policy.json residual false
grep -q '"gamma": 1.0' compat/policy.json || fail "--compat: gamma"
[ "$(grep -c '"kind": "identity"' compat/policy.json)" = 8 ] || fail "--compat scales something"
for pair in 'r 128' 'lora_alpha 32.0' 'lora_dropout 0.05' 'target_modules ["c_attn"]'; do
	holds compat/adapter_config.json $pair
done
refuses "encoder linear" train pool1.csv --compat --encoder multiscale --untrained -o made

finish "policies"
