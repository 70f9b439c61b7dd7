#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Makes the shipped student again, from its seed (models/student.md): seconds of processor.
#   bench/student.sh BUILD FOLDER
# GENERATIONS=N (a multiple of 5) goes on from it by reinforcement, about a minute of processor each,
# and keeps the best on networks held back; the same command goes on where it was interrupted.
# The result is FOLDER/student.aqms; without generations models/student.aqms holds the same bytes.
set -eu
[ $# = 2 ] || { sed -n '3,8s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 folder=$2
resume=()
[ ! -e "$folder/checkpoint.safetensors" ] || resume=(--resume)
exec "$build/aqmllm" reinforce train:120 --held-back 60 -o "$folder" --shape 8 \
	--start target=0.9,step=0.5,k=0.45,gain=0.95,decay=0.95,regularity=1 \
	--most-mbps 150 --seed 1 --generations "${GENERATIONS:-0}" ${resume[@]+"${resume[@]}"}
