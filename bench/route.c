/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user-space router beside a bare forwarder between the same kind of TUN devices: throughput of
 * one TCP Cubic flow without an emulated link; the round trip of small packets when nothing else is
 * on the way; the emulated rate and delay against what was asked for.
 *
 * Everything runs in namespaces of its own.  Both forwarders take turns, and of each the best run
 * counts: on a shared machine the others measure its other users.  Both have the router's priority.
 * SKIP without privileges.
 */
#include <arpa/inet.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/units.h"
#include "net/ethernet.h"
#include "os/linux/interface.h"
#include "os/linux/loop.h"
#include "os/linux/namespace.h"
#include "os/linux/packet_socket.h"
#include "os/linux/traffic.h"
#include "os/linux/tun.h"
#include "os/linux/xdp_socket.h"

#define ROUNDS 5
#define MTU 1500
#define ECHO_PORT 7
#define SINK_PORT 9
#define PINGS 1000
#define RATE_S 5
#define BURST 40 /* packets */
#define PING_BYTES 64
#define WANTED_SHARE 0.8
#define WANTED_LATENCY_US 150
#define WANTED_RATE 0.01
#define WANTED_DELAY_MS 1

/* What the processes of a run tell each other. */
struct shared {
	_Atomic uint64_t first_bytes, bytes; /* IP, that came out, at the begin and at the end */
	_Atomic uint64_t first_ns, last_ns;
	_Atomic bool done;
	double asked_mbps;
	struct histogram rtt_ns;
};

struct bed {
	int namespaces[ROUTER_WAYS];
	struct port *ports[ROUTER_WAYS];
	struct shared *shared;
	double seconds;
	uint64_t begun_ns;
};

static int open_bed(struct bed *bed, struct error *error)
{
	static const char *const addresses[] = {"10.98.0.1/24", "10.98.0.2/24"};
	int code = 0;

	bed->shared = mmap(NULL, sizeof(*bed->shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bed->shared == MAP_FAILED)
		return error_errno(error, NULL, "no memory to share");
	for (int i = 0; code == 0 && i < ROUTER_WAYS; i++) {
		const struct tun_config config = {"bench0", {addresses[i]}, MTU, 4096};

		bed->namespaces[i] = namespace_new(error);
		code = bed->namespaces[i] < 0 ? bed->namespaces[i] : 0;
		if (code == 0)
			code = tun_open(&bed->ports[i], bed->namespaces[i], &config, error);
	}
	return code;
}

static void close_bed(struct bed *bed, bool ports_too)
{
	for (int i = 0; i < ROUTER_WAYS; i++) {
		if (ports_too && bed->ports[i])
			bed->ports[i]->ops->close(bed->ports[i]);
		close(bed->namespaces[i]);
	}
	munmap(bed->shared, sizeof(*bed->shared));
}

/* A process of the run in one of the namespaces. */
static pid_t start(const struct bed *bed, int end, void (*run)(struct shared *shared))
{
	const pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
		if (setns(bed->namespaces[end], CLONE_NEWNET) == 0)
			run(bed->shared);
		_exit(1);
	}
	return child;
}

static void stop(pid_t child)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

static int udp_socket(const char *bind_to, const char *connect_to, unsigned port)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const int room = 8 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	inet_pton(AF_INET, bind_to ? bind_to : connect_to, &at.sin_addr);
	if (bind_to ? bind(fd, (struct sockaddr *)&at, sizeof(at))
		    : connect(fd, (struct sockaddr *)&at, sizeof(at)))
		_exit(1);
	return fd;
}

static void echo(struct shared *shared)
{
	const int fd = udp_socket("10.98.0.2", NULL, ECHO_PORT);
	char data[2048];
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	ssize_t size;

	(void)shared;
	while ((size = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &length)) > 0)
		sendto(fd, data, (size_t)size, 0, (struct sockaddr *)&from, length);
}

static void ping(struct shared *shared)
{
	const int fd = udp_socket(NULL, "10.98.0.2", ECHO_PORT);
	char data[PING_BYTES - 28] = {0};

	histogram_init(&shared->rtt_ns);
	for (int i = -20; i < PINGS; i++) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		const uint64_t sent_ns = clock_ns();

		if (send(fd, data, sizeof(data), 0) < 0 || poll(&ready, 1, 1000) != 1 ||
		    recv(fd, data, sizeof(data), 0) < 0)
			continue;
		/* The first ones wait for processes that start. */
		if (i >= 0)
			histogram_add(&shared->rtt_ns, clock_ns() - sent_ns);
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	shared->done = true;
	pause();
}

/* IP bytes that came out of the device, as the namespace counts them. */
static uint64_t bytes_out(void)
{
	char line[512];
	unsigned long long bytes = 0;
	FILE *file = fopen("/proc/self/net/dev", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " bench0: %llu", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return bytes;
}

/* Where the flood ends: nobody reads it, which costs least. */
static void sink(struct shared *shared)
{
	const int fd = udp_socket("10.98.0.2", NULL, SINK_PORT), room = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	usleep(500000);
	shared->first_bytes = bytes_out();
	shared->first_ns = clock_ns();
	for (;;) {
		usleep(100000);
		shared->bytes = bytes_out();
		shared->last_ns = clock_ns();
	}
}

/* A third more than the link carries, in bursts that the kernel cuts. */
static void flood(struct shared *shared)
{
	const int fd = udp_socket(NULL, "10.98.0.2", SINK_PORT), part = MTU - 28;
	static char data[BURST * (MTU - 28)];
	const int burst = shared->asked_mbps < 50 ? 1 : BURST;
	const uint64_t gap_ns = (uint64_t)(burst * MTU * 8e3 / (shared->asked_mbps * 1.33));
	uint64_t due_ns = clock_ns();

	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &part, sizeof(part)))
		_exit(1);
	for (;;) {
		const uint64_t now = clock_ns();

		if (due_ns > now)
			nanosleep(&(struct timespec){(time_t)((due_ns - now) / NS_PER_S),
						     (long)((due_ns - now) % NS_PER_S)},
				  NULL);
		(void)!send(fd, data, (size_t)burst * (size_t)part, 0);
		due_ns += gap_ns;
	}
}

static bool is_over(void *context, uint64_t now)
{
	struct bed *bed = context;

	if (bed->begun_ns == 0)
		bed->begun_ns = now;
	return bed->shared->done || seconds_from_ns(now - bed->begun_ns) > bed->seconds;
}

/* Routes for the bed's time; returns IP bytes that the managed way carried. */
static uint64_t route(struct bed *bed, const char *law, double rate_mbps, double delay_ms)
{
	const struct aqm_ops *ops = aqm_find(law);
	void *params = calloc(1, ops->params_size + 1);
	struct router_config config = {
		.ports = {bed->ports[0], bed->ports[1]},
		.frame_bytes = MTU + 36,
		.frame_limit = 65536,
		.clock = loop_clock(),
	};
	struct router *router = calloc(1, sizeof(*router));
	uint64_t bytes;

	aqm_params_default(ops, params, NULL);
	/* Room for what comes while the process does not run. */
	aqm_params_set(ops, params, "limit_packets=20000", NULL);
	for (int i = 0; i < ROUTER_WAYS; i++)
		config.ways[i] = (struct path_config){.law = ops,
						      .params = params,
						      .delay_ns = ns_from_ms(delay_ms),
						      .seed = 1};
	config.ways[0].rate.rate_mbps = rate_mbps;
	if (router_open(router, &config, NULL))
		exit(1);
	bed->begun_ns = 0;
	loop_run(&(struct loop){10 * NS_PER_MS, bed, is_over}, router, NULL);
	bytes = router->ways[0].sent_bytes;
	router_close(router);
	free(router);
	free(params);
	return bytes;
}

/* The bare forwarder: from one device to the other, whatever comes; nothing is looked at. */
static uint64_t forward(struct bed *bed)
{
	const uint64_t end_ns = clock_ns() + ns_from_seconds(bed->seconds);
	uint64_t bytes = 0;

	while (!bed->shared->done && clock_ns() < end_ns) {
		struct pollfd ports[] = {{.fd = bed->ports[0]->fd, .events = POLLIN},
					 {.fd = bed->ports[1]->fd, .events = POLLIN}};

		poll(ports, 2, 10);
		for (int i = 0; i < 2; i++) {
			char data[MTU + 36];
			ssize_t size;
			int most = PORT_BATCH;

			while (most-- > 0 &&
			       (size = read(ports[i].fd, data, sizeof(data))) > 0) {
				(void)!write(ports[1 - i].fd, data, (size_t)size);
				bytes += i == 0 ? (uint64_t)size : 0;
			}
		}
	}
	return bytes;
}

/* The same between ports of any kind. */
static uint64_t forward_ports(struct bed *bed)
{
	static uint8_t buffers[PORT_BATCH][2048];
	struct port_frame frames[PORT_BATCH];
	const uint64_t end_ns = clock_ns() + ns_from_seconds(bed->seconds);
	uint64_t bytes = 0;

	for (int i = 0; i < PORT_BATCH; i++)
		frames[i].bytes = buffers[i];
	while (clock_ns() < end_ns) {
		struct pollfd ports[] = {{.fd = bed->ports[0]->fd, .events = POLLIN},
					 {.fd = bed->ports[1]->fd, .events = POLLIN}};

		poll(ports, 2, 10);
		for (int i = 0; i < 2; i++) {
			const int came = bed->ports[i]->ops->receive(bed->ports[i], frames,
								     PORT_BATCH, 2048);

			for (int f = 0; i == 0 && f < came; f++)
				bytes += frames[f].size - ETHERNET_HEADER_BYTES;
			if (came > 0)
				bed->ports[1 - i]->ops->send(bed->ports[1 - i], frames,
							     (size_t)came);
		}
	}
	return bytes;
}

/* Mbit/s of one TCP Cubic flow; law NULL: through the bare forwarder. */
static double throughput_mbps(const char *law)
{
	const struct traffic_flow flow = {"cubic", "10.98.0.2"};
	struct traffic traffic = {0};
	struct bed bed = {.seconds = 2};
	struct error error = {0};
	uint64_t bytes;

	if (open_bed(&bed, &error) ||
	    traffic_start(&traffic, bed.namespaces[0], bed.namespaces[1], &flow, 1, false, &error))
		exit(1);
	bytes = law ? route(&bed, law, 0, 0) : forward(&bed);
	traffic_stop(&traffic);
	close_bed(&bed, law == NULL);
	return (double)bytes * 8 / bed.seconds / 1e6;
}

static void bench_throughput(void)
{
	static const char *const laws[] = {NULL, "fifo", "dualpi2", "fq_codel"};
	double best[4] = {0};

	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < 4; i++)
			best[i] = fmax(best[i], throughput_mbps(laws[i]));
	printf("one TCP Cubic flow, best of %d runs of 2 s in turns\n", ROUNDS);
	printf("%-24s %8.0f Mbit/s\n", "bare TUN forwarder", best[0]);
	for (size_t i = 1; i < 4; i++)
		printf("router, %-16s %8.0f Mbit/s   %.2f of it\n", laws[i], best[i],
		       best[i] / best[0]);
	printf("wanted: %.2f\n\n", WANTED_SHARE);
}

/* Round trips of small packets; law NULL: through the bare forwarder. */
static void round_trips(const char *law, double delay_ms, struct histogram *rtt_ns)
{
	struct bed bed = {.seconds = 60};
	struct error error = {0};
	pid_t one, two;

	if (open_bed(&bed, &error))
		exit(1);
	one = start(&bed, 1, echo);
	two = start(&bed, 0, ping);
	if (law)
		route(&bed, law, 0, delay_ms);
	else
		forward(&bed);
	memcpy(rtt_ns, &bed.shared->rtt_ns, sizeof(*rtt_ns));
	stop(one);
	stop(two);
	close_bed(&bed, law == NULL);
}

/* Packets on the wire are whole: checksums are made before they leave (ETHTOOL_STXCSUM). */
static int set_up_end(void *context, struct error *error)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value value = {ETHTOOL_STXCSUM, 0};
	struct ifreq request = {.ifr_name = "eth0", .ifr_data = (char *)&value};
	int code = ioctl(fd, SIOCETHTOOL, &request) ? ERR_IO : 0;

	close(fd);
	if (code == 0)
		code = interface_add_address("eth0", context, error);
	return code ? code : interface_up("eth0", error);
}

static void hold(struct shared *shared)
{
	(void)shared;
	pause();
}

/* Two hosts, and between them, in this process's namespace, the other ends of two veth pairs. */
static bool open_veths(struct bed *bed)
{
	static const char *const names[] = {"left", "right"};
	static char addresses[][16] = {"10.98.0.1/24", "10.98.0.2/24"};
	bool made = true;

	for (int i = 0; i < ROUTER_WAYS; i++) {
		char command[128];
		pid_t holder;

		bed->namespaces[i] = namespace_new(NULL);
		holder = start(bed, i, hold);
		usleep(20000);
		snprintf(command, sizeof(command),
			 "ip link add %s type veth peer name eth0 netns %d 2>/dev/null", names[i],
			 (int)holder);
		made = made && system(command) == 0 &&
		       namespace_within(bed->namespaces[i], set_up_end, addresses[i], NULL) == 0 &&
		       interface_up(names[i], NULL) == 0;
		stop(holder);
	}
	return made;
}

static int open_interface(struct port **port, const char *name, bool xdp, struct error *error)
{
	return xdp ? xdp_socket_open(port, name, false, error)
		   : packet_socket_open(port, name, error);
}

/* Mbit/s of one TCP Cubic flow between two hosts on veth pairs; negative: it cannot be. */
static double bridge_mbps(bool xdp, const char *law)
{
	const struct traffic_flow flow = {"cubic", "10.98.0.2"};
	struct traffic traffic = {0};
	struct bed bed = {.seconds = 2};
	static struct shared shared;
	uint64_t bytes = 0;
	bool made;

	bed.shared = &shared;
	made = open_veths(&bed) && open_interface(&bed.ports[0], "left", xdp, NULL) == 0 &&
	       open_interface(&bed.ports[1], "right", xdp, NULL) == 0;
	if (made && traffic_start(&traffic, bed.namespaces[0], bed.namespaces[1], &flow, 1, false,
				  NULL) == 0)
		bytes = law ? route(&bed, law, 0, 0) : forward_ports(&bed);
	traffic_stop(&traffic);
	for (int i = 0; i < ROUTER_WAYS; i++) {
		if (bed.ports[i] && (law == NULL || !made))
			bed.ports[i]->ops->close(bed.ports[i]);
		close(bed.namespaces[i]);
	}
	/* They would go with their namespaces, but later. */
	made = system("ip link del left 2>/dev/null; ip link del right 2>/dev/null") == 0 && made;
	return made ? (double)bytes * 8 / bed.seconds / 1e6 : -1;
}

static void bench_bridge(void)
{
	static const char *const kinds[] = {"packet sockets", "AF_XDP"};
	double best[2][2] = {{0}};

	if (unshare(CLONE_NEWNET))
		return;
	for (int round = 0; round < 3; round++)
		for (int xdp = 0; xdp < 2; xdp++)
			for (int routed = 0; routed < 2; routed++)
				best[xdp][routed] = fmax(
					best[xdp][routed],
					bridge_mbps(xdp, routed ? "dualpi2" : NULL));
	printf("\nthe same flow bridged between veth pairs, best of 3 runs of 2 s in turns\n");
	for (int xdp = 0; xdp < 2; xdp++) {
		if (best[xdp][0] <= 0) {
			printf("SKIP: %s (no veth devices, no tool ip, or no AF_XDP)\n",
			       kinds[xdp]);
			continue;
		}
		printf("%-16s bare forwarder %6.0f Mbit/s   router, dualpi2 %6.0f Mbit/s   %.2f of "
		       "it\n",
		       kinds[xdp], best[xdp][0], best[xdp][1], best[xdp][1] / best[xdp][0]);
	}
	printf("wanted: %.2f\n", WANTED_SHARE);
}

static double us(const struct histogram *histogram, double q)
{
	return histogram_quantile(histogram, q) / 1e3;
}

static void bench_latency(void)
{
	static const char *const laws[] = {NULL, "dualpi2"};
	struct histogram *rtt_ns = calloc(1, sizeof(*rtt_ns));
	double best[2][2] = {{1e9, 1e9}, {1e9, 1e9}};

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 2; i++) {
			round_trips(laws[i], 0, rtt_ns);
			best[i][0] = fmin(best[i][0], us(rtt_ns, 0.5));
			best[i][1] = fmin(best[i][1], us(rtt_ns, 0.99));
		}
	}
	printf("round trip of %d-byte packets, idle, both hosts and two crossings included, best "
	       "of 3 runs of %d\n",
	       PING_BYTES, PINGS);
	printf("%-24s median %6.0f us   p99 %6.0f us\n", "bare TUN forwarder", best[0][0],
	       best[0][1]);
	printf("%-24s median %6.0f us   p99 %6.0f us   a crossing: %.0f us at most\n",
	       "router, dualpi2", best[1][0], best[1][1], best[1][1] / 2);
	printf("wanted: p99 of a crossing <= %d us\n\n", WANTED_LATENCY_US);
	free(rtt_ns);
}

static void bench_delay(void)
{
	static const double delays_ms[] = {1, 10, 50};
	struct histogram *rtt_ns = calloc(1, sizeof(*rtt_ns));

	printf("emulated delay\n");
	for (size_t i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
		round_trips("fifo", delays_ms[i], rtt_ns);
		printf("%3g ms each way: round trip median %8.3f ms, p99 %8.3f ms; off by %.3f ms "
		       "each way\n",
		       delays_ms[i], us(rtt_ns, 0.5) / 1e3, us(rtt_ns, 0.99) / 1e3,
		       us(rtt_ns, 0.5) / 2e3 - delays_ms[i]);
	}
	printf("wanted: within %d ms\n\n", WANTED_DELAY_MS);
	free(rtt_ns);
}

/* What comes out of a flood. */
static double rate_mbps(double asked_mbps)
{
	struct bed bed = {.seconds = RATE_S};
	struct error error = {0};
	struct shared *shared;
	double mbps;
	pid_t one, two;

	if (open_bed(&bed, &error))
		exit(1);
	shared = bed.shared;
	shared->asked_mbps = asked_mbps;
	one = start(&bed, 1, sink);
	usleep(50000);
	two = start(&bed, 0, flood);
	route(&bed, "fifo", asked_mbps, 0);
	stop(two);
	stop(one);
	mbps = (double)(shared->bytes - shared->first_bytes) * 8e3 /
	       (double)(shared->last_ns - shared->first_ns);
	close_bed(&bed, false);
	return mbps;
}

static void bench_rate(void)
{
	static const double rates_mbps[] = {1, 10, 100, 500, 1000};

	printf("emulated rate, as the receiving host counts a flood of 1500-byte packets, %d s\n",
	       RATE_S);
	for (size_t i = 0; i < sizeof(rates_mbps) / sizeof(rates_mbps[0]); i++) {
		const double got = rate_mbps(rates_mbps[i]);

		printf("%5g Mbit/s: %9.4f, off by %+.2f %%\n", rates_mbps[i], got,
		       (got / rates_mbps[i] - 1) * 100);
	}
	printf("wanted: within %g %%\n", WANTED_RATE * 100);
}

/* All of it, or what is named: throughput, latency, delay, rate, bridge. */
int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {{"throughput", bench_throughput},
		     {"latency", bench_latency},
		     {"delay", bench_delay},
		     {"rate", bench_rate},
		     {"bridge", bench_bridge}};
	struct error error = {0};

	if (namespace_allowed(&error)) {
		printf("SKIP: %s\n", error.text);
		return 0;
	}
	loop_come_forward();
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (argc < 2 || strcmp(argv[1], parts[i].name) == 0)
			parts[i].run();
	return 0;
}
