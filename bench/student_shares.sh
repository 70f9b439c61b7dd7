#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What boldness buys and costs: students of other shares of their room (docs/guard.md) beside DualPI2
# on networks of the suite `train`, one seed each: the shipped one (`shipped`), the one before it
# (`before`), and others.
#   bench/student_shares.sh BUILD FOLDER [SUITE]      SUITE: train:150:21
# An hour of processor; the same command goes on where it was interrupted.  FOLDER/report/claims.csv
# and report.html there have the result.
set -eu
[ $# -ge 2 ] || { sed -n '3,8s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
build=$1 folder=$2 suite=${3:-train:150:21}
mkdir -p "$folder/students"
policies=()
student() { # name, shares
	local made=$folder/students/$1
	[ -s "$made.aqms" ] || {
		"$build/aqmllm" reinforce train:4 --held-back 1 --networks 2 --generations 0 --quiet \
			-o "$made" --shape "" --features idle_4000,packets_c,balance,room,own_level \
			--start "regularity=1,decay=0.95,steepness=1,$2" >/dev/null
		cp "$made/student.aqms" "$made.aqms"
	}
	policies+=(--policy "$made.aqms")
}
rest=step=0,gain=0.8
student steep target=0.7,k=0.25,k/balance=0.5,$rest
student coupled_more target=0.7,k=0.8,k/balance=0.5,$rest
student not_steep target=0.7,k=0.8,k/balance=0.5,$rest,steepness=0
student half_as_steep target=0.7,k=0.8,k/balance=0.5,$rest,steepness=0.5
student own_target target=0,k=0.25,k/balance=0.5,$rest
student milder target=0.5,k=0.8,k/balance=0.5,$rest
student bolder target=0.9,k=0.8,k/balance=0.5,$rest
student boldest target=1,k=1,k/balance=0.5,$rest
student coupling_half target=0.7,k=0.5,k/balance=0.5,$rest
student low_gains target=0.7,k=0.8,k/balance=0.5,step=0,gain=0.5
student step_too target=0.7,k=0.8,k/balance=0.5,step=0.6,gain=0.8
student before target=0.6,k=0.25,k/balance=0.5,step=0.6,gain=0.8,steepness=0
rest=target=1,k/balance=0.5,step=0
student mild $rest,k=0.25,gain=0.3,steepness=0.12
student mild_gains_half $rest,k=0.25,gain=0.5,steepness=0.12
student mild_gains_high $rest,k=0.25,gain=0.8,steepness=0.15
student steeper $rest,k=0.25,gain=0.3,steepness=0.25
student steeper_coupled_more $rest,k=0.6,gain=0.3,steepness=0.25
rest=step=0.3,step/packets_c=0.2,k=0.25,k/balance=0.5,gain=0.3,steepness=0.12
student step_follows target=1,$rest
student shipped target=0.5,target/packets_c=0.3,$rest
exec "$build/aqmllm" evaluate "$suite" "${policies[@]}" --seeds 1 --pictures 0 -o "$folder/report" \
	--baseline dualpi2:profile=linux:min_qlen_step=1
