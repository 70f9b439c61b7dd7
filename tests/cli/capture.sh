#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Captures as Wireshark's command line sees them, beside the summary of the same run.
# usage: capture.sh PROGRAM
. "$(dirname "$0")/common.sh"
command -v tshark >/dev/null || {
	echo "SKIP: no tshark, so nobody but ourselves reads the captures; install the package tshark"
	exit 77
}

# Packets of a capture that a display filter keeps.
count() { # filter
	tshark -r capture.pcapng -Y "$1" -T fields -e frame.number 2>tshark.err | wc -l
}

same() { # what, of the capture, of the summary
	[ "$2" = "$3" ] || fail "$what: $1: $2 in the capture, $3 in the summary"
}

# A number of the summary, of queue L, C or all.
told() { # queue, name
	sed -n "/\"$1\": {/,/}/s/.*\"$2\": \([0-9]*\).*/\1/p" summary | head -1
}

# Checksums are checked where the whole packet is there; nothing may be malformed.
sound() {
	local bad='_ws.malformed or ip.checksum.status == 0 or tcp.checksum.status == 0
		or udp.checksum.status == 0 or _ws.expert.group == "Malformed"
		or _ws.expert.group == "Protocol" and _ws.expert.severity >= "Warning"'
	[ "$(tshark -r capture.pcapng -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
		-o udp.check_checksum:TRUE -Y "$(echo $bad)" 2>tshark.err | wc -l)" = 0 ] ||
		fail "$what: malformed packets"
	grep -v 'Running as user' tshark.err | grep -q . && fail "$what: $(cat tshark.err)"
}

look() { # scenario
	what=$1
	"$program" simulate $1.yaml --pcap capture.pcapng --json >summary || fail "$what: simulate"
	sound
	for queue in L C; do
		same "packets of $queue" "$(count "frame.interface_name == \"$queue\"")" \
			"$(told $queue packets)"
	done
	same drops "$(count 'frame.interface_name == "dropped"')" "$(told all drops)"
	same "drops with ECN" "$(count 'frame.interface_name == "dropped" and ip.dsfield.ecn != 0')" \
		"$(told all ect_drops)"
}

cat >dumbbell.yaml <<'Y'
name: dumbbell
duration_s: 8
warmup_s: 0
bottleneck: {rate_mbps: 8, delay_ms: 10, aqm: dualpi2, params: ["min_qlen_step=1"]}
flows:
  - {cc: cubic}
  - {cc: newreno, ecn: none}
  - {cc: dctcp}
  - {cc: prague}
  - {cc: udp, rate_mbps: 0.2}
  - {cc: udp_prague}
Y
cat >testbed.yaml <<'Y'
name: testbed
duration_s: 8
warmup_s: 0
bottleneck: {rate_mbps: 4, delay_ms: 10, aqm: l4s-freebsd, params: ["hz=100", "shared_pipe=1"]}
flows:
  - {cc: cubic}
  - {cc: dctcp}
Y

look dumbbell
same marks "$(count 'ip.dsfield.ecn == 3 and frame.interface_name in {"L", "C"}')" "$(told all marks)"
[ "$(told all marks)" -gt 100 ] && [ "$(told all drops)" -gt 5 ] || fail "too little happened"
[ "$(count 'frame.interface_name == "return" and tcp.flags.ece == 1')" -gt 10 ] ||
	fail "no acknowledgement echoes congestion"
[ "$(count 'tcp.flags.cwr == 1')" -gt 1 ] || fail "nobody answers an echo"
[ "$(count 'frame.interface_name == "return" and tcp.options.acc_ecn')" -gt 10 ] ||
	fail "no counters of AccECN"
[ "$(count 'tcp.options.sack')" -gt 1 ] || fail "no selective acknowledgement"
[ "$(count 'tcp and not tcp.options.timestamp.tsval')" = 0 ] || fail "segments without timestamps"
[ "$(tshark -r capture.pcapng -T fields -e ip.src 2>/dev/null | sort -u | wc -l)" = 11 ] || # plain UDP hears nothing
	fail "flows cannot be told apart"
[ "$(tshark -r capture.pcapng -Y tcp.len -T fields -e frame.comment 2>/dev/null |
	grep -c '^sojourn [0-9.]* ms$')" -gt 1000 ] || fail "no sojourn times"

# The same bytes from a pipe, and the summary out of their way.
"$program" simulate dumbbell.yaml --pcap - >piped.pcapng 2>told || fail "--pcap -"
cmp capture.pcapng piped.pcapng || fail "another capture through a pipe"
grep -q '^dumbbell: ' told || fail "no summary beside a piped capture"

look testbed
[ "$(count 'frame.interface_name == "return"')" = 0 ] || fail "a way back past the shared pipe"
[ "$(count 'frame.interface_name == "C" and tcp.len == 0')" -gt 100 ] ||
	fail "no acknowledgement in the shared pipe"
finish "capture"
