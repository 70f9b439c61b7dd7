#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Packets of unusual sizes, through TUN devices and bridged: super-packets, which a law sees as what
# they stand for, and damaged ones; jumbo frames; longer packets than the router has room for.
# Every packet is accounted for, and others come through.  SKIP without namespaces or devices.
# usage: route_sizes.sh PROGRAM
. "$(dirname "$0")/route_common.sh"
needs_tools unshare nsenter ip ping python3
needs_routing
bridge_hosts

# Super-packets as a host leaves them to its interface, 40 packets of 1000 bytes in each: TCP over IPv4
# and IPv6, and UDP; then damaged ones.  usage: super.py DEVICE HOST MAC whole|damaged COUNT
cat >super.py <<'P'
import errno, random, socket, struct, sys, time
SOL_PACKET, VNET_HEADER = 263, 15
device, mac = sys.argv[1], bytes.fromhex(sys.argv[3].replace(":", ""))
ethernet = len(mac) == 6
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.setsockopt(SOL_PACKET, VNET_HEADER, 1)
four = [socket.inet_pton(socket.AF_INET, f"{sys.argv[2]}.{i}") for i in (1, 2)]
six = [socket.inet_pton(socket.AF_INET6, f"fd{sys.argv[2].split('.')[1]}::{i}") for i in (1, 2)]
def fold(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total
def packet(kind, flow):
    """As with an interface that cuts and sums: (virtio_net_hdr's fields, packet)."""
    version, protocol = (6, 6) if kind == 4 else (4, 17 if kind == 5 else 6)
    header = 8 if protocol == 17 else 20
    size = header + 40000
    ends = six if version == 6 else four
    partial = fold(ends[0] + ends[1] + struct.pack("!HH", protocol, size))
    if protocol == 17:
        inner = struct.pack("!HHHH", 4000 + flow, 7777, size, partial)
    else:
        inner = struct.pack("!HHIIBBHHH", 4000 + flow, 7777, 1, 1, 0x50, 0x18, 512, partial, 0)
    if version == 6:
        ip = struct.pack("!IHBB", 0x60200000, size, protocol, 64) + ends[0] + ends[1]
    else:
        ip = struct.pack("!BBHHHBBH", 0x45, 2, 20 + size, flow, 0x4000, 64, protocol, 0) + \
            ends[0] + ends[1]
        ip = ip[:10] + struct.pack("!H", fold(ip) ^ 0xffff) + ip[12:]
    at = 14 * ethernet + len(ip)
    fields = [1, kind, at + header, 1000, at, 6 if protocol == 17 else 16]
    return fields, ip + inner + bytes(40000)
def send(fields, data):
    kind = 0x86dd if data[:1] == b"\x60" else 0x800
    link = mac + bytes([2, 0, 0, 0, 0, 1]) + struct.pack("!H", kind) if ethernet else b""
    try:
        out.sendto(struct.pack("=BBHHHH", *fields) + link + data, (device, kind))
        return True
    except OSError as error: # damaged, or a kind that this kernel does not know
        if error.errno == errno.ENOBUFS:
            time.sleep(0.01)
        return False
random.seed(1)
sent = 0
for count in range(int(sys.argv[5])):
    fields, data = packet((1, 4, 5)[count % 3], count % 1000)
    if sys.argv[4] == "damaged":
        for _ in range(random.randrange(1, 4)):
            place = random.randrange(6)
            fields[place] = random.choice((0, 1, 2, 3, 4, 5, 0x81, 40, 536, 9000, 0xffff))
        fields[:2] = [field & 0xff for field in fields[:2]]
        data = bytearray(data[:random.choice((1, 20, 30, 40, 60, 1000, 3000, 40020))])
        for _ in range(random.randrange(3)):
            data[random.randrange(min(len(data), 60))] = random.randrange(256)
        data = bytes(data)
    sent += send(fields, data)
    time.sleep(0.005)
print(sent)
P

# What of them comes: cut to what was asked for, with right checksums.  usage: receive.py DEVICE LINK
cat >receive.py <<'P'
import socket, struct, sys
link = int(sys.argv[2])
end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
end.setsockopt(socket.SOL_SOCKET, 33, 64 << 20) # SO_RCVBUFFORCE
end.bind((sys.argv[1], 0))
end.settimeout(3)
def fold(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total
good = bad = 0
open("listens", "w").close()
try:
    while True:
        data = end.recv(70000)[link:]
        six = data[:1] >= b"\x60"
        header, protocol = (40, data[6]) if six else (20, data[9])
        inner, ends = data[header:], data[8:40] if six else data[12:20]
        if inner[2:4] != struct.pack("!H", 7777):
            continue
        whole = fold(ends + struct.pack("!HH", protocol, len(inner)) + inner) == 0xffff and \
            (six or fold(data[:20]) == 0xffff)
        good += whole and len(inner) == 1000 + (8 if protocol == 17 else 20)
        bad += not whole or len(inner) > 1020
except TimeoutError:
    pass
print(good, bad)
P

# Of the routed way: what came is somewhere, and nothing was thrown away that had to go on.
accounts() { # what, expression of Python over way
	python3 - "$2" <<'P' || fail "$1: $2: $(head -c 2000 sizes.json)"
import json, sys
o = json.load(open("sizes.json"))
for way in o["ways"]:
    assert way["received"] == way["sent"] + way["dropped"] + way["inside"] + way["malformed"] + \
        way["no_room"] + way["not_sent"], way
packets, way = o["queues"]["all"]["packets"], o["ways"][0]
sys.exit(not eval(sys.argv[1]))
P
}

start() { # options
	nsenter -t $between -n "$program" route --json "$@" >sizes.json 2>err &
	router=$!
	sleep 1
	grep -q . err && fail "$*: $(cat err)"
}

stop() { # what
	kill -INT $router
	wait $router || fail "$1: exit status $?: $(cat err)"
}

pings() { # what, options and address
	inside $one ping -c 10 -i 0.05 -W 2 -q "${@:2}" >ping
	grep -q ' 10 received' ping || fail "$1: $(tail -2 ping)"
}

super_packets() { # what, device, net, MAC address of the receiver or nothing, bytes of link header
	local what=$1 device=$2 net=$3 mac=$4 link=$5 sent good bad
	pings "$what" $net.2
	rm -f listens
	inside $two python3 receive.py $device $link >came &
	local receiver=$!
	await "the receiver" test -e listens
	sent=$(inside $one python3 super.py $device $net "$mac" whole 90)
	wait $receiver
	read -r good bad <came
	echo "$what: $sent super-packets, $good packets of them"
	# Those of UDP want Linux 6.2; what a device's own queue drops is not the router's.
	holds "$what: super-packets" "$sent >= 60"
	holds "$what: packets of super-packets" "0.9 * 40 * $sent <= $good <= 40 * $sent and $bad == 0"
	holds "$what: damaged super-packets" \
		"$(inside $one python3 super.py $device $net "$mac" damaged 600) > 20"
	pings "$what, after damaged ones" $net.2
	stop "$what"
	accounts "$what" "packets >= 0.9 * 40 * $sent and way['received'] >= packets"
}

# Longer than the router was told of, from a device that was changed behind its back.
too_long() { # what, address
	inside $one ping -c 5 -i 0.05 -W 1 -M do -s 8900 -q "$2" >ping
	grep -q ' 0 received' ping || fail "$1: longer than what there is room for: $(cat ping)"
	pings "$1, afterwards" "$2"
	stop "$1"
	accounts "$1" "way['malformed'] >= 5"
}

start --between $one,$two --rate 500
super_packets "TUN" aqm0 10.99.0 "" 0
start --between $one,$two --mtu 9000
pings "jumbo frames, TUN" -M do -s 8900 10.99.0.2
stop "jumbo frames, TUN"
start --between $one,$two
for end in $one $two; do
	inside $end ip link set aqm0 mtu 9000
done
too_long "TUN" 10.99.0.2

mac=$(inside $two cat /sys/class/net/eth0/address)
start --bridge left,right --io packet --rate 500
super_packets "bridge" eth0 10.97.0 "$mac" 14
jumbo() {
	inside $one ip link set eth0 mtu 9000
	inside $two ip link set eth0 mtu 9000
	inside $between ip link set left mtu 9000
	inside $between ip link set right mtu 9000
}
start --bridge left,right --io packet
jumbo
too_long "bridge" 10.97.0.2
start --bridge left,right --io packet
pings "jumbo frames, bridge" -M do -s 8900 10.97.0.2
stop "jumbo frames, bridge"
end "route, packets of unusual sizes"
