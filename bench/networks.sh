# SPDX-License-Identifier: BSD-2-Clause
# Small networks to learn from and to measure in, sourced by bench/chain.sh and bench/offline.sh.

networks() { # folder, duration and warm-up in s, then RATE:DELAY:FLOWS...
	local folder=$1 duration_s=$2 warmup_s=$3 spec rate delay flows cc
	mkdir -p "$folder"
	shift 3
	for spec in "$@"; do
		IFS=: read -r rate delay flows <<<"$spec"
		{
			echo "name: net-$rate-$delay-${flows//,/-}"
			echo "duration_s: $duration_s"
			echo "warmup_s: $warmup_s"
			echo "bottleneck: {rate_mbps: $rate, delay_ms: $delay, aqm: dualpi2, params: [\"min_qlen_step=1\"]}"
			echo "flows:"
			for cc in ${flows//,/ }; do echo "  - {cc: $cc}"; done
		} >"$folder/net-$rate-$delay-${flows//,/-}.yaml"
	done
}
to_learn_from=(6:5:cubic,prague 6:40:cubic,cubic,prague 9:20:cubic,dctcp 12:5:cubic,newreno,prague
	12:60:cubic,prague 9:45:cubic)
to_measure_in=(8:10:cubic,prague 8:50:cubic,prague 5:25:cubic,newreno,prague)
