# SPDX-License-Identifier: BSD-2-Clause
# A testbed of network namespaces, sourced by bench/live.sh and bench/reality.sh: two clients, a
# router and a server, real TCP stacks, and a scenario's flows over them.
#
#   client 1 --- edge === aqmllm route === server
#   client 2 ---/
#
# The first client has the Classic flows, the second the scalable ones, whose packets it makes
# ECT(1).  All of it goes with the shell that made it.

testbed=aqmbed$$
edge=$testbed-e server=$testbed-s client1=$testbed-1 client2=$testbed-2
# Packets come before whatever else the machine does, where that is allowed: a host that stops for
# some milliseconds is no host of the simulator's.
before_others=$(chrt -r 1 true 2>/dev/null && echo chrt -r 1)
registered='' # id of l4s_dctcp in the kernel
PATH=$PATH:/usr/sbin:/sbin

has() { # programs...
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || return 1
	done
}

fail() { # reason, exit status (1; 2: what was asked for)
	echo "bench/$(basename "$0"): $1" >&2
	exit "${2:-1}"
}

# A scenario as it is run, for $duration and $warmup seconds; it stands beside its runs, and runs of
# other settings are not to go on with.
testbed_scenario() { # file, its place, more edits of sed
	[ -f "$1" ] || fail "there is no $1" 2
	mkdir -p "$(dirname "$2")" || exit 1
	sed "s/^duration_s: .*/duration_s: $duration/; s/^warmup_s: .*/warmup_s: $warmup/; ${3:-}" \
		"$1" >"$2.new" || exit 1
	if [ -e "$2" ] && ! cmp -s "$2.new" "$2"; then
		rm "$2.new"
		fail "$folder holds runs of another scenario or duration; name another folder" 2
	fi
	mv "$2.new" "$2" || exit 1
}

testbed_skip() { # reason
	echo "SKIP: $1"
	exit 77
}

# DCTCP: the kernel's, or the one of kernel/bpf where the kernel has BTF; empty: none.
testbed_dctcp=''
testbed_find_dctcp() { # source folder
	testbed_dctcp=dctcp
	modprobe -q tcp_dctcp 2>/dev/null
	grep -qw dctcp /proc/sys/net/ipv4/tcp_available_congestion_control && return
	testbed_dctcp=''
	[ -r /sys/kernel/btf/vmlinux ] && has clang bpftool || return 0
	make -s -C "$1/kernel/bpf" OUT="$testbed_work/bpf" "$testbed_work/bpf/dctcp.bpf.o" \
		"$testbed_work/bpf/ect1.bpf.o" >"$testbed_work/bpf.log" 2>&1 || return 0
	# It is machine-wide, and another testbed may have it already.
	bpftool struct_ops register "$testbed_work/bpf/dctcp.bpf.o" >"$testbed_work/bpf.log" 2>&1
	registered=$(awk '/Registered/ { print $NF }' "$testbed_work/bpf.log")
	! grep -qw l4s_dctcp /proc/sys/net/ipv4/tcp_available_congestion_control ||
		testbed_dctcp=l4s_dctcp
}

testbed_stop() { # processes in namespaces...
	local namespace
	for namespace in "$@"; do
		ip netns pids "$namespace" 2>/dev/null | xargs -r kill 2>/dev/null
	done
}

testbed_close() {
	testbed_stop "$client1" "$client2" "$server" "$edge"
	[ -z "${router:-}" ] || kill "$router" 2>/dev/null
	wait 2>/dev/null
	for namespace in "$client1" "$client2" "$server" "$edge"; do
		ip netns del "$namespace" 2>/dev/null
	done
	[ -z "$registered" ] || bpftool struct_ops unregister id "$registered" >/dev/null 2>&1
	registered=''
	[ -z "${testbed_work:-}" ] || rm -rf "$testbed_work"
}

client_open() { # namespace, number
	ip netns add "$1" &&
		ip -n "$1" link add up0 type veth peer name "c$2" netns "$edge" &&
		ip -n "$1" addr add "10.98.$2.2/24" dev up0 &&
		ip -n "$1" link set up0 up &&
		ip -n "$1" route add default via "10.98.$2.1" &&
		ip -n "$edge" addr add "10.98.$2.1/24" dev "c$2" &&
		ip -n "$edge" link set "c$2" up
}

testbed_open() { # program, source folder
	local namespace
	testbed_program=$1
	[ "$(id -u)" = 0 ] || testbed_skip "not root: network namespaces and TUN devices need it"
	for needed in ip iperf3 tc; do
		has "$needed" || testbed_skip "no $needed here (apt-get install $needed)"
	done
	[ -e /dev/net/tun ] || testbed_skip "no /dev/net/tun here"
	testbed_work=$(mktemp -d)
	trap testbed_close EXIT
	trap 'exit 130' INT TERM HUP
	ip netns add "$edge" 2>/dev/null || testbed_skip "no network namespaces here"
	ip netns add "$server"
	client_open "$client1" 1 && client_open "$client2" 2 ||
		testbed_skip "no virtual Ethernet pairs here"
	testbed_find_dctcp "$2"
	# Sockets begin as Reno's and change: what began as BBR's would stay paced.
	for namespace in "$edge" "$server" "$client1" "$client2"; do
		ip -n "$namespace" link set lo up
		ip netns exec "$namespace" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.tcp_ecn=1 \
			net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_congestion_control=reno
	done
	if [ -n "$testbed_dctcp" ]; then
		[ -e "$testbed_work/bpf/ect1.bpf.o" ] ||
			make -s -C "$2/kernel/bpf" OUT="$testbed_work/bpf" \
				"$testbed_work/bpf/ect1.bpf.o" >"$testbed_work/bpf.log" 2>&1
		tc -n "$client2" qdisc add dev up0 clsact &&
			tc -n "$client2" filter add dev up0 egress bpf direct-action \
				obj "$testbed_work/bpf/ect1.bpf.o" sec tc ||
			testbed_dctcp=''
	fi
}

# A scenario's flows, one a line: cc count ecn rate_mbps per_s size_kb.
scenario_flows() { # file
	awk '
	function value(key, otherwise) {
		if (!match($0, "[{, ]" key ": *[^,}]*")) return otherwise
		text = substr($0, RSTART + 1, RLENGTH - 1)
		sub(/^[^:]*: */, "", text)
		return text
	}
	/^ *- *{.*cc:/ {
		print value("cc", "-"), value("count", 1), value("ecn", "-"), value("rate_mbps", 0),
			value("per_s", 0), value("size_kb", 0)
	}' "$1"
}

scenario_value() { # file, key, otherwise
	awk -v key="$2" -v otherwise="$3" '
		$1 == key ":" { found = 1; print $2 } END { if (!found) print otherwise }' "$1"
}

# The law's parameters as options of route.
scenario_settings() { # file
	sed -n 's/^ *params: *\[\(.*\)\].*/\1/p' "$1" | tr -d '" ' | tr ',' '\n' |
		sed 's/^/--set /'
	sed -n 's/^ *limit_packets: *\([0-9]*\).*/--set limit_packets=\1/p' "$1"
}

in_namespace() { # namespace, log, command...: in the background
	local namespace=$1 log=$2
	shift 2
	ip netns exec "$namespace" $before_others "$@" >"$log" 2>&1 &
}

wait_for_server() { # port
	for _ in $(seq 100); do
		ip netns exec "$server" ss -Hltn "sport = :$1" | grep -q . && return
		sleep 0.02
	done
	return 1
}

# Whether TCP of the first client asks for ECN: its flows of a scenario all do, or none does.
client_ecn() { # scenario
	scenario_flows "$1" | awk '$1 !~ /^udp/ && $3 == "none" { none = 1 } END { print !none }'
}

# One group of flows, for `seconds` from now on.  Short flows are Reno's, as sockets begin here.
start_flows() { # log stem, port, seconds, cc, count, ecn, rate_mbps, per_s, size_kb
	local log=$1 port=$2 seconds=$3 cc=$4 count=$5 ecn=$6 rate=$7 per_s=$8 size_kb=$9
	local client=$client1
	case $cc in
	newreno) cc=reno ;;
	dctcp) client=$client2 cc=$testbed_dctcp ;;
	udp_prague) client=$client2 ;;
	esac
	if [ "$per_s" != 0 ]; then
		in_namespace "$server" "$log.server" socat -u "TCP-LISTEN:$port,fork,reuseaddr" \
			OPEN:/dev/null
		wait_for_server "$port" || return 1
		in_namespace "$client" "$log" bash -c 'set -u
			port=$1 gap=$2 bytes=$3
			while :; do
				head -c "$bytes" /dev/zero >"/dev/tcp/10.99.0.2/$port" &
				sleep "$gap"
			done' transfers "$port" "$(awk -v n="$per_s" 'BEGIN { print 1 / n }')" \
			"$(awk -v kb="$size_kb" 'BEGIN { print kb * 1000 }')"
		return
	fi
	case $cc in
	udp_prague)
		in_namespace "$server" "$log.server" udp_prague_receiver -p "$port" -q
		in_namespace "$client" "$log" udp_prague_sender -a 10.99.0.2 -p "$port" -c -q
		return
		;;
	udp)
		in_namespace "$server" "$log.server" iperf3 -s -1 -p "$port"
		wait_for_server "$port" || return 1
		# Rates of scenarios count IP bytes; datagrams fill a packet.
		in_namespace "$client" "$log" iperf3 -c 10.99.0.2 -p "$port" -t "$seconds" -u -l 1472 \
			-b "$(awk -v m="$rate" 'BEGIN { printf "%.0f", m * 1e6 * 1472 / 1500 }')" \
			-S "$([ "$ecn" = ect1 ] && echo 1 || echo 0)"
		return
		;;
	esac
	in_namespace "$server" "$log.server" iperf3 -s -1 -p "$port"
	wait_for_server "$port" || return 1
	in_namespace "$client" "$log" iperf3 -c 10.99.0.2 -p "$port" -t "$seconds" -C "$cc" -P "$count"
}

# A real run; once more where the first failed, as connections of iperf3 do on a busy machine.
testbed_run() { # scenario, stem, options of route...
	run_once "$@" || run_once "$@"
}

# One real run of a scenario into STEM.run, and STEM.log-* of those who took part.  1: it failed,
# and STEM.failed says why.
run_once() { # scenario, stem, options of route...
	local scenario=$1 stem=$2 port=5200 warmup duration seconds status=0 client
	local cc count ecn rate per_s size_kb settings=()
	shift 2
	warmup=$(scenario_value "$scenario" warmup_s 5)
	duration=$(scenario_value "$scenario" duration_s 60)
	seconds=$(awk -v d="$duration" 'BEGIN { print int(d) + 5 }')
	mkdir -p "$(dirname "$stem")"
	rm -f "$stem".log-* "$stem.part" "$stem.failed"
	$before_others "$testbed_program" route --between "$edge,$server" --json --run "$stem.part" \
		--rate "$(scenario_value "$scenario" rate_mbps 8)" \
		--delay "$(scenario_value "$scenario" delay_ms 10)" --warmup "$warmup" \
		--duration "$(awk -v d="$duration" -v w="$warmup" 'BEGIN { print d - w }')" \
		"$@" >"$stem.log-route" 2>"$stem.log-errors" &
	router=$!
	for _ in $(seq 250); do
		ip -n "$server" -o link show aqm0 2>/dev/null | grep -q 'state UP\|,UP' && break
		kill -0 "$router" 2>/dev/null || break
		sleep 0.02
	done
	# Connections that the second client opens are answered with its congestion control.
	ip -n "$server" route replace 10.98.1.0/24 via 10.99.0.1 dev aqm0 2>>"$stem.log-errors" &&
		ip -n "$server" route replace 10.98.2.0/24 via 10.99.0.1 dev aqm0 \
			${testbed_dctcp:+congctl "$testbed_dctcp"} 2>>"$stem.log-errors" || status=1
	ip netns exec "$client1" sysctl -qw "net.ipv4.tcp_ecn=$(client_ecn "$scenario")"
	while read -r cc count ecn rate per_s size_kb && [ $status = 0 ]; do
		port=$((port + 1))
		start_flows "$stem.log-$port-$cc" $port "$seconds" "$cc" "$count" "$ecn" "$rate" \
			"$per_s" "$size_kb" || status=1
	done < <(scenario_flows "$scenario")
	[ $status = 0 ] || kill "$router" 2>/dev/null
	wait "$router" || status=1
	router=''
	# Clients that left before the router did have met an error.
	for client in "$stem".log-52*; do
		case $client in
		*.server | *transfers) ;;
		*) grep -hi 'error\|unable' "$client" && status=1 ;;
		esac
	done >"$stem.failed"
	testbed_stop "$client1" "$client2" "$server"
	wait 2>/dev/null
	cat "$stem.log-errors" >>"$stem.failed"
	[ $status = 0 ] && [ -s "$stem.part" ] || return 1
	rm -f "$stem.failed"
	mv "$stem.part" "$stem.run"
}
