# SPDX-License-Identifier: BSD-2-Clause
# What the tests of aqmllm route share, sourced by each with PROGRAM, its first argument, and perhaps
# SOURCE, its second; both may be relative to where the test was started.
source=$(realpath "${2:-.}")
. "$(dirname "$0")/common.sh"
hosts= router=
trap 'kill $hosts $router 2>/dev/null; rm -rf "$work"' EXIT

# SKIP where no devices and namespaces can be made for us.
needs_routing() {
	aqmllm route --demo --duration 0.2 --quiet 2>err && return
	grep -qE 'CAP_NET_ADMIN|/dev/net/tun|namespace|TUN|device' err || fail "demo: $(cat err)"
	unshare -n ip tuntap add aqm0 mode tun 2>/dev/null &&
		fail "demo, where namespaces and devices can be made: $(cat err)"
	[ $failed = 0 ] && echo "SKIP: routing real packets: $(cat err)" && exit 77
	exit 1
}

needs_tools() { # tool...
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || { echo "SKIP: $(basename "$0") needs $tool"; exit 77; }
	done
}

inside() { # process number whose namespace it is, command
	nsenter -t "$1" -n "${@:2}"
}

# Hosts: processes in network namespaces of their own, whose numbers become the variables' values.
open_hosts() { # variables...
	local host
	for host in "$@"; do
		unshare -n sleep 300 &
		printf -v "$host" %s $!
		hosts="$hosts $!"
	done
	sleep 0.3
}

# Two hosts, `one` and `two`, each at a veth pair with all its offloading, whose other ends, left and
# right, are in the namespace `between`.
bridge_hosts() {
	local side
	unshare -n true 2>/dev/null || { echo "SKIP: no network namespaces can be made here"; exit 77; }
	open_hosts one two between
	inside $between ip link add left type veth peer name eth0 netns $one 2>err &&
		inside $between ip link add right type veth peer name eth0 netns $two 2>>err || {
		echo "SKIP: no veth devices here: $(cat err)"
		exit 77
	}
	for side in "$one 1" "$two 2"; do
		set -- $side
		inside $1 ip address add 10.97.0.$2/24 dev eth0
		inside $1 ip address add fd97::$2/64 dev eth0 nodad
		inside $1 ip link set lo up
		inside $1 ip link set eth0 up
		inside $1 sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_ecn'
	done
	inside $between ip link set left up
	inside $between ip link set right up
}

holds() { # what, expression of Python
	[ "$(python3 -c "print($2)")" = True ] || fail "$1: $2"
}

resident_kb() { # pid
	awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

# Until a command succeeds, for half a minute at most.
await() { # what, command
	local what=$1
	shift
	for _ in $(seq 300); do
		"$@" && return
		sleep 0.1
	done
	fail "$what: not within half a minute"
}

# Where sessions share the processors among them (sched_autogroup), a niceness counts within its own
# alone: a session that is only this test's goes before others, as the router's process does.
[ "$(cut -d' ' -f6 /proc/$$/stat)" = $$ ] && { echo -11 >/proc/self/autogroup; } 2>/dev/null

# Bounds of speed hold where there is a processor to be had.  Looks after processes, their threads
# and children until the first process has ended, and says in the file `waited`, in percent of that
# time, how long the thread that waited most was ready and did not run, and how long all of them
# together ran (/proc/PID/task/TID/schedstat).  Where it cannot be read it says 0: no excuse.
cat >waits.py <<'P'
import os, sys, time
def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
def is_there(pid):
    return read(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])
def threads(pids):
    for pid in pids:
        try:
            tids = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for tid in tids:
            yield f"{pid}/task/{tid}"
            yield from threads(read(f"/proc/{pid}/task/{tid}/children").split())
def look():
    for thread in threads(sys.argv[1:]):
        times = read(f"/proc/{thread}/schedstat").split()
        if len(times) == 3: # ns that it ran, ns that it waited
            yield thread, (int(times[0]), int(times[1]))
first = dict(look())
last, begun, elapsed = dict(first), time.monotonic(), 0.1
while is_there(sys.argv[1]):
    last.update(look())
    elapsed = max(elapsed, time.monotonic() - begun)
    time.sleep(0.1)
spent = [[now - before for now, before in zip(times, first.get(thread, (0, 0)))]
         for thread, times in last.items()] or [[0, 0]]
print(round(max(waited for _, waited in spent) / elapsed / 1e7, 1),
      round(sum(ran for ran, _ in spent) / elapsed / 1e7, 1))
P
look_after() { # pid...
	nice -n -15 python3 waits.py "$@" >waited &
	watcher=$!
}

# A thread that waited so long, in percent, was late often enough to slow its flow down; but
# processes that ran so long themselves were in their own way.
BUSY_PERCENT=25
OWN_PERCENT=50
is_busy=0

# As holds, of the last look_after(), which has to be over.  Without a processor: SKIP at the end.
# What is no figure at all fails anyway.
keeps() { # what, expression of Python, percent of waiting that it does not bear (BUSY_PERCENT)
	local waits=0 runs=0 busy=${3:-$BUSY_PERCENT} kept
	wait $watcher 2>/dev/null
	kept=$(python3 -c "print($2)")
	[ "$kept" = True ] && return
	[ "$kept" = False ] || { fail "$1: $2"; return; }
	read -r waits runs <waited
	if [ "$(python3 -c "print($waits >= $busy and $runs < $OWN_PERCENT)")" = True ]; then
		echo "SKIP: $1: $2: the machine is busy: a process waited for a processor $waits % of" \
			"the time; all together ran $runs %"
		is_busy=1
	else
		fail "$1: $2 (a process waited for a processor $waits % of the time; all together" \
			"ran $runs %)"
	fi
}

end() { # name
	[ $failed = 0 ] && [ $is_busy = 1 ] && exit 77
	finish "$1"
}
