#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Makes the shipped student again, from its seed (models/student.md): seconds of processor.
#   bench/student.sh BUILD FOLDER
# GENERATIONS=N (a multiple of 5) goes on from it by reinforcement, about a minute of processor each,
# and keeps the best on networks held back; the same command goes on where it was interrupted.
# START=SHARES begins with other shares than the shipped one's (aqmllm reinforce --start).
# The result is FOLDER/student.aqms; without either models/student.aqms holds the same bytes.
set -eu
[ $# = 2 ] || { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 folder=$2
resume=()
[ ! -e "$folder/checkpoint.safetensors" ] || resume=(--resume)
exec "$build/aqmllm" reinforce train:660:5 --held-back 160 -o "$folder" --shape "" --most-mbps 80 --seed 1 \
	--features p_base,qdelay_c_slow,idle_4000,rate_variation,balance,packets_c,signal_gap_c,room \
	--start "${START:-target=0.5,target/packets_c=0.3,step=0.3,step/packets_c=0.2,k=0.25,k/balance=0.5,gain=0.3,decay=0.95,regularity=1,steepness=0.12}" \
	--population 32 --networks 40 --sigma 0.1 --rate 0.025 --duration-s 25 --warmup-s 8 \
	--reward c_p99=1,l_p99=0.5,goodput=30,floor=0.997,balance=0.7,c_worse=1,l_worse=1,clip=2 \
	--generations "${GENERATIONS:-0}" ${resume[@]+"${resume[@]}"}
