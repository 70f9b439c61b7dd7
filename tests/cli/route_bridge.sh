#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Two Ethernet interfaces bridged through a law: hosts on either side of it, with all their
# offloading on, see one network, marks and whole packets.  SKIP where that cannot be made.
# usage: route_bridge.sh PROGRAM
. "$(dirname "$0")/route_common.sh"
needs_tools unshare nsenter ip ping python3
bridge_hosts

refuses 'nosuch' route --bridge lo,nosuch
refuses '--io' route --bridge lo,lo --io fast
refuses '--io' route --demo --io xdp

# A TCP flow whose every byte arrives, from a host that leaves cutting and checksums to its interface.
cat >tcp.py <<'P'
import hashlib, socket, sys, time
address = ("10.97.0.2", 5555)
data = bytes(range(256)) * 32768
if sys.argv[1] == "receive":
    listener = socket.socket()
    listener.bind(address)
    listener.listen()
    end, got = listener.accept()[0], hashlib.sha256()
    while block := end.recv(1 << 16):
        got.update(block)
    sys.exit(got.digest() != hashlib.sha256(data).digest())
time.sleep(0.5)
begun = time.time()
end = socket.create_connection(address)
end.sendall(data)
end.shutdown(socket.SHUT_WR)
end.recv(1)
print(len(data) * 8 / (time.time() - begun) / 1e6)
P
through() { # io
	local io=$1
	nsenter -t $between -n "$program" route --bridge left,right --io $io --rate 20 --delay 5 \
		--pcap run.pcapng --json >bridge.json 2>bridge.err &
	router=$!
	sleep 1
	grep -q . bridge.err && fail "$io: $(cat bridge.err)"
	for to in 10.97.0.2 fd97::2; do
		inside $one ping -c 10 -i 0.05 -q $to >ping || fail "$io: ping $to: $(cat ping)"
		inside $one ping -c 3 -i 0.05 -s 8000 -q $to >ping || fail "$io: fragments to $to"
	done

	inside $two timeout 60 python3 tcp.py receive &
	receiver=$!
	inside $one timeout 60 python3 tcp.py send >mbps &
	sender=$!
	look_after $sender $receiver $router
	wait $sender || fail "$io: a TCP flow did not get through"
	wait $receiver || fail "$io: bytes of a TCP flow did not arrive as they were sent"
	holds "$io: TCP over 20 Mbit/s" "4 < $(cat mbps) < 20"
	keeps "$io: TCP over 20 Mbit/s" "$(cat mbps) > 12"
	kill -INT $router
	wait $router || fail "$io: bridge: exit status $?"
	python3 - <<'P' || fail "$io: the summary of the bridge: $(head -c 1500 bridge.json)"
import json, sys
o = json.load(open("bridge.json"))
way = o["ways"][0]
tcp = [f for f in o["flows"] if f["protocol"] == "tcp"][0]
sys.exit(not (o["queues"]["C"]["marks"] > 0 and tcp["ecn"] in ("ect0", "not-ect") and
              way["malformed"] == 0 and way["not_sent"] == 0 and
              # Cut: 8 MiB are thousands of packets.
              tcp["packets"] > 5000))
P
	if command -v tshark >/dev/null; then
		[ "$(tshark -r run.pcapng -Y 'ip.len > 1500 or ipv6.plen > 1460' 2>/dev/null |
			wc -l)" = 0 ] ||
			fail "$io: super-packets passed whole"
	fi
	inside $between ip -d link show left >left
	grep -q 'promiscuity 0' left && ! grep -q xdp left || fail "$io: left is not as before: $(cat left)"
}

# AF_XDP gets frames as the other end of the pair leaves them: it has to sum them itself.
cat >whole.py <<'P'
import array, fcntl, socket, struct
value = array.array("B", struct.pack("II", 0x17, 0))
fcntl.ioctl(socket.socket(), 0x8946, struct.pack("16sP", b"eth0", value.buffer_info()[0]))
P
through packet
inside $one python3 whole.py && inside $two python3 whole.py && through xdp
nsenter -t $between -n "$program" route --bridge left,right --io xdp --quiet &
router=$!
sleep 1
inside $between ip -d link show left | grep -q xdp || fail "xdp: no program is attached"
kill -KILL $router
wait $router 2>/dev/null
sleep 0.3
inside $between ip -d link show left | grep -q xdp && fail "SIGKILL: the program is attached still"
end "route --bridge"
