#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Hosts that mean harm: floods of ten thousand flows, packets that are none, cut ones, IP options,
# fragments that never end, ECT(1) that ignores every mark.  The router goes on, serves the others,
# keeps its memory and can account for every packet.  SKIP where no namespaces or TUN devices can be
# made.
# usage: route_abuse.sh PROGRAM
. "$(dirname "$0")/route_common.sh"
needs_tools unshare nsenter python3 ping
needs_routing
open_hosts one two

# Whatever is sent to the device of the namespace comes to the router as it is.
cat >abuse.py <<'P'
import random, socket, struct, sys, time
out = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
def send(data, kind=0x800):
    try:
        out.sendto(data, ("aqm0", kind))
    except OSError: # nowhere to put it: the router has to read first
        time.sleep(0.001)
def checksum(header):
    total = sum(struct.unpack("!%dH" % (len(header) // 2), header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def packet(flow, size, ecn=0, fragment=0):
    source = bytes([10, 50, flow >> 8, flow & 255])
    head = struct.pack("!BBHHHBBH4s4s", 0x45, ecn, size, flow, fragment, 64, 17, 0, source,
                       bytes([10, 99, 0, 2]))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return head + struct.pack("!HHHH", 1000 + flow, 9, size - 20, 0) + bytes(size - 28)
def with_options(flow):
    options = random.randbytes(4 * random.randrange(1, 11))
    data = bytearray(packet(flow, 400, ecn=1)[:20] + options + packet(flow, 400)[20:])
    data[0] = 0x45 + len(options) // 4
    data[2:4] = struct.pack("!H", len(data))
    data[10:12] = bytes(2)
    data[10:12] = struct.pack("!H", checksum(bytes(data[:20 + len(options)])))
    return bytes(data)
random.seed(1)
for count in range(1, int(sys.argv[1]) + 1):
    send(packet(count % 10000, 100 + count % 900, ecn=1))
    if count % 10 == 0:
        send(random.randbytes(random.randrange(1, 200)))
        send(b"\x45" + random.randbytes(60))
        send(b"\x60" + random.randbytes(120), 0x86dd)
        send(packet(7, 400)[:random.randrange(1, 400)])
        send(with_options(count % 10000))
        send(packet(7, 400, fragment=0x2000 | random.randrange(0x1fff)))
    if count % 64 == 0:
        time.sleep(0.002)
P
attack() { # law
	local law=$1
	"$program" route --between $one,$two --rate 20 --delay 2 --aqm $law --json >run.json 2>run.err &
	router=$!
	sleep 1
	begun=$(resident_kb $router)
	nsenter -t $one -n python3 abuse.py 40000 &
	attacker=$!
	sleep 0.5
	nsenter -t $two -n ping -c 60 -i 0.03 -W 3 -q 10.99.0.1 >ping
	wait $attacker
	# What it left in the queue is carried, and then all is as before.
	sleep 3
	nsenter -t $two -n ping -c 10 -i 0.05 -W 2 -q 10.99.0.1 >after ||
		fail "$law: nothing comes through afterwards"
	grep -q ' 10 received' after || fail "$law: losses afterwards: $(cat after)"
	grown=$(($(resident_kb $router) - begun))
	kill -INT $router
	wait $router || fail "$law: exit status $?: $(cat run.err)"
	# The flood's losses are theirs too (RFC 9332 section 4.2.3), but they are not shut out.
	python3 - "$law" "$(grep -o '[0-9]* received' ping | cut -d' ' -f1)" <<'P' ||
import json, sys
law, answers = sys.argv[1], int(sys.argv[2])
o = json.load(open("run.json"))
for way in o["ways"]:
    assert way["received"] == way["sent"] + way["dropped"] + way["inside"] + way["malformed"] + \
        way["no_room"] + way["not_sent"], way
way = o["ways"][0]
assert way["received"] > 40000, way
assert way["malformed"] > 4000, way
assert way["sent"] > 1000, way
assert o["flows_seen"] > 10000, o["flows_seen"]
assert answers > 0, answers
P
		fail "$law: $(tail -1 ping)"
	echo "$law: the router grew by $grown kB"
	[ "$grown" -lt 60000 ] || fail "$law: the router grew by $grown kB"
}
attack fq_codel
attack dualpi2
attack student
finish "route under abuse"
