#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What boldness buys and costs: students of other shares of their room (docs/guard.md) beside DualPI2 on
# networks of the suite `train`, one seed each.  The shares of the shipped student were chosen here.
#   bench/student_shares.sh BUILD FOLDER [SUITE]      SUITE: train:150:21
# Half an hour of processor; the same command goes on where it was interrupted.  FOLDER/report/claims.csv
# and report.html there have the result.
set -eu
[ $# -ge 2 ] || { sed -n '3,7s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 folder=$2 suite=${3:-train:150:21}
mkdir -p "$folder/students"
policies=()
student() { # name, shares
	local made=$folder/students/$1
	[ -s "$made.aqms" ] || {
		"$build/aqmllm" reinforce train:4 --held-back 1 --networks 2 --generations 0 --quiet \
			-o "$made" --shape "" --features idle_4000,idle_blamed,balance,room,own_level \
			--start "regularity=1,decay=0.95,$2" >/dev/null
		cp "$made/student.aqms" "$made.aqms"
	}
	policies+=(--policy "$made.aqms")
}
follows=k=0.25,k/balance=0.5
student boldest target=0.95,step=0.6,gain=0.8,$follows
student bolder target=0.7,step=0.6,gain=0.8,$follows
student shipped target=0.6,step=0.6,gain=0.8,$follows
student milder target=0.5,step=0.6,gain=0.8,$follows
student mildest target=0.3,step=0.6,gain=0.8,$follows
student coupling_up target=0.9,step=0.5,gain=0.8,k=0.45
student coupling_as_it_is target=0.9,step=0.5,gain=0.8,k=0
student coupling_down target=0.9,step=0.5,gain=0.95,k=-1
student steep_gains target=0.9,step=0.5,gain=0.95,k=0.45
student by_idle_time target=1.3,target/idle_4000=-0.6,step=0.6,gain=0.8,$follows
lost=level=0.02,level/idle_blamed=-0.2
student by_memory target=1.95,target/own_level=0.5,step=1.6,step/own_level=0.5,gain=1.8,gain/own_level=0.5,$lost,$follows
exec "$build/aqmllm" evaluate "$suite" "${policies[@]}" --seeds 1 --pictures 0 -o "$folder/report" \
	--baseline dualpi2:profile=linux:min_qlen_step=1
