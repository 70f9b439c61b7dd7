/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm route: a router for real packets in this process.
 *
 * Port 1 is where the managed way comes in: the first namespace or interface.  What comes there
 * passes the law, the emulated link and the delay, and leaves at port 2; the other way has a link
 * only where --return-rate says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/units.h"
#include "cli/route_demo.h"
#include "cli/route_keep.h"
#include "cli/route_law.h"
#include "cli/route_report.h"
#include "cli/policy_options.h"
#include "cli/route_taps.h"
#include "cli/route_web.h"
#include "net/ethernet.h"
#include "os/linux/interface.h"
#include "os/linux/loop.h"
#include "os/linux/namespace.h"
#include "os/linux/packet_socket.h"
#include "os/linux/tun.h"
#include "os/linux/xdp_socket.h"

#define TICK_MS 100
#define FRAME_LIMIT 65536
#define TUN_QUEUE_PACKETS 4096
#define DEMO_RATE_MBPS 8
#define DEMO_DELAY_MS 10
#define DEMO_DURATION_S 20
#define USUAL_TUN "aqm0"
#define USUAL_ADDRESSES "10.99.0.1/24,10.99.0.2/24,fd99::1/64,fd99::2/64"
#define ADDRESSES (ROUTER_WAYS * TUN_ADDRESSES)
#define NAME_BYTES 512 /* of a namespace or an interface */

static struct route_options chosen = {.seed = 1, .mtu_bytes = NET_MTU_BYTES, .delay_ms = -1};

/* Names of the two ports' namespaces or interfaces. */
struct ends {
	char name[ROUTER_WAYS][NAME_BYTES];
};

/* Everything that one run of the command has. */
struct routing {
	const struct command_common *common;
	struct route_law law;
	struct route_law return_law; /* of the other way: the same, or none */
	struct route_taps taps;
	struct router router;
	struct monitor *monitor;
	struct board board;
	struct route_view view;
	struct route_web web;
	struct route_demo demo;
	struct route_keep keep; /* of --run */
	int namespaces[ROUTER_WAYS]; /* -1: not open */
	char address_text[256];
	const char *addresses[ADDRESSES]; /* of port 1, port 2, then the same in IPv6 */
	uint64_t *trace_ms;
	struct rate_plan rate;
	bool begun; /* warm-up is over */
};

/* "ONE,TWO" into two names. */
static int split_ends(const char *text, const char *option, struct ends *ends,
		      struct error *error)
{
	const char *comma = strchr(text, ',');
	const size_t first = comma ? (size_t)(comma - text) : 0;

	if (first == 0 || first >= NAME_BYTES || comma[1] == '\0' || strchr(comma + 1, ',') ||
	    strlen(comma + 1) >= NAME_BYTES)
		return error_at(error, ERR_INVALID, NULL, 0, option,
				"%s does not name two, such as one,two", text);
	snprintf(ends->name[0], NAME_BYTES, "%.*s", (int)first, text);
	snprintf(ends->name[1], NAME_BYTES, "%s", comma + 1);
	return 0;
}

static int check_policy_options(struct error *error)
{
	const struct policy_option options[] = {
		{"--device", chosen.device != NULL, false},
		{"--precision", chosen.manner.precision != NULL, false},
		{"--context", chosen.manner.context != NULL, false},
		{"--interval", chosen.interval > 0, false},
		{"--verdict", chosen.verdict != NULL, false},
		{"--no-guard", chosen.unguarded, true},
	};

	return policy_options_check(options, sizeof(options) / sizeof(*options), &chosen.policy,
				    chosen.policy != NULL, error);
}

static bool is_io(const char *text)
{
	return strcmp(text, "auto") == 0 || strcmp(text, "xdp") == 0 ||
	       strcmp(text, "packet") == 0;
}

static int check_options(struct error *error)
{
	const int places = chosen.demo + (chosen.between != NULL) + (chosen.bridge != NULL);

	if (places != 1)
		return error_set(error, ERR_INVALID,
				 "say where to route: --demo, --between NAMESPACE,NAMESPACE or "
				 "--bridge INTERFACE,INTERFACE");
	if (chosen.trace && chosen.rate_mbps > 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--rate-trace",
				"stands in place of --rate; leave one out");
	if (chosen.flows && !chosen.demo)
		return error_at(error, ERR_INVALID, NULL, 0, "--flows",
				"belongs to --demo; elsewhere traffic is yours");
	if (chosen.log && chosen.pcap && strcmp(chosen.log, chosen.pcap) == 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--log",
				"%s is the file of --pcap too; name another", chosen.log);
	if (chosen.io && (chosen.bridge == NULL || !is_io(chosen.io)))
		return error_at(error, ERR_INVALID, NULL, 0, "--io",
				"is of --bridge, and auto, xdp or packet");
	if (chosen.bridge && (chosen.addresses || chosen.tun))
		return error_at(error, ERR_INVALID, NULL, 0, "--bridge",
				"has no TUN devices: leave out --tun and --addresses");
	if (chosen.watch && !isatty(STDOUT_FILENO))
		return error_at(error, ERR_UNSUPPORTED, NULL, 0, "--watch",
				"needs a terminal as standard output");
	return check_policy_options(error);
}

/* What is not said. */
static void complete_options(const struct command_common *common)
{
	if (chosen.demo && chosen.rate_mbps <= 0 && chosen.trace == NULL)
		chosen.rate_mbps = DEMO_RATE_MBPS;
	if (chosen.delay_ms < 0)
		chosen.delay_ms = chosen.demo ? DEMO_DELAY_MS : 0;
	if (chosen.demo && chosen.duration_s <= 0)
		chosen.duration_s = DEMO_DURATION_S;
	if (chosen.demo && !common->json && !common->quiet && isatty(STDOUT_FILENO))
		chosen.watch = true;
	if (chosen.tun == NULL)
		chosen.tun = USUAL_TUN;
}

static int read_trace(struct routing *routing, struct error *error)
{
	struct rate_plan *rate = &routing->rate;
	char *text;
	size_t size;
	int code;

	rate->rate_mbps = chosen.rate_mbps;
	if (chosen.trace == NULL)
		return 0;
	code = file_read_all(chosen.trace, &text, &size, error);
	if (code)
		return code;
	code = rate_trace_parse(text, size, chosen.trace, &routing->trace_ms, &rate->trace_count,
				error);
	rate->trace_ms = routing->trace_ms;
	free(text);
	return code;
}

/* The other way: the same law behind a link of its own, or none. */
static int open_return_law(struct route_law *law, struct error *error)
{
	struct route_options options = chosen;

	options.policy = NULL;
	if (chosen.return_mbps <= 0) {
		options.aqm = "fifo";
		options.settings.count = 0;
	}
	return route_law_open(law, &options, error);
}

static int split_addresses(struct routing *routing, struct error *error)
{
	char *word, *rest = routing->address_text;
	int count = 0;

	if (chosen.addresses && strlen(chosen.addresses) >= sizeof(routing->address_text))
		return error_at(error, ERR_INVALID, NULL, 0, "--addresses", "is too long");
	snprintf(routing->address_text, sizeof(routing->address_text), "%s",
		 chosen.addresses ? chosen.addresses : USUAL_ADDRESSES);
	while ((word = strsep(&rest, ",")) && count <= ADDRESSES) {
		if (count < ADDRESSES)
			routing->addresses[count] = word;
		count++;
	}
	if (count != ROUTER_WAYS && count != ADDRESSES)
		return error_at(error, ERR_INVALID, NULL, 0, "--addresses",
				"names an address for either end, and perhaps two of IPv6, such "
				"as " USUAL_ADDRESSES);
	return 0;
}

static int open_namespaces(struct routing *routing, struct error *error)
{
	struct ends ends = {{""}};
	int code = namespace_allowed(error);

	if (code == 0 && chosen.between)
		code = split_ends(chosen.between, "--between", &ends, error);
	for (int i = 0; code == 0 && i < ROUTER_WAYS; i++) {
		routing->namespaces[i] = chosen.between ? namespace_open(ends.name[i], error)
							: namespace_new(error);
		code = routing->namespaces[i] < 0 ? routing->namespaces[i] : 0;
	}
	return code;
}

static int open_tuns(struct routing *routing, struct port *ports[ROUTER_WAYS], struct error *error)
{
	int code = split_addresses(routing, error);

	if (code == 0)
		code = open_namespaces(routing, error);
	for (int i = 0; code == 0 && i < ROUTER_WAYS; i++) {
		const struct tun_config config = {
			.name = chosen.tun,
			.addresses = {routing->addresses[i], routing->addresses[ROUTER_WAYS + i]},
			.mtu_bytes = (uint32_t)chosen.mtu_bytes,
			.queue_packets = TUN_QUEUE_PACKETS,
		};

		code = tun_open(&ports[i], routing->namespaces[i], &config, error);
	}
	return code;
}

/*
 * AF_XDP where the interface is a device whose driver has it; virtual ones hand about packets that
 * are neither cut nor summed, which a packet socket sees to.
 */
static int open_interface(struct port **port, const char *interface, struct error *error)
{
	const char *io = chosen.io ? chosen.io : "auto";
	char device[128];

	if (strcmp(io, "xdp") == 0)
		return xdp_socket_open(port, interface, false, error);
	snprintf(device, sizeof(device), "/sys/class/net/%.64s/device", interface);
	if (strcmp(io, "auto") == 0 && file_exists(device) &&
	    xdp_socket_open(port, interface, true, NULL) == 0)
		return 0;
	return packet_socket_open(port, interface, error);
}

static int open_ports(struct routing *routing, struct port *ports[ROUTER_WAYS],
		      struct error *error)
{
	struct ends ends;
	int code;

	if (chosen.bridge == NULL)
		return open_tuns(routing, ports, error);
	code = split_ends(chosen.bridge, "--bridge", &ends, error);
	for (int i = 0; code == 0 && i < ROUTER_WAYS; i++) {
		uint32_t mtu_bytes;

		code = open_interface(&ports[i], ends.name[i], error);
		if (code == 0)
			code = interface_mtu(ends.name[i], &mtu_bytes, error);
		if (code == 0 && mtu_bytes > chosen.mtu_bytes)
			chosen.mtu_bytes = mtu_bytes;
	}
	return code;
}

static int open_router(struct routing *routing, struct error *error)
{
	struct router_config config = {
		.frame_limit = FRAME_LIMIT,
		.clock = loop_clock(),
		.ways[0] = {.law = routing->law.law,
			    .params = routing->law.params,
			    .rate = routing->rate,
			    .delay_ns = ns_from_ms(chosen.delay_ms),
			    .seed = chosen.seed,
			    .sink = route_taps_sink(&routing->taps)},
		.ways[1] = {.law = routing->return_law.law,
			    .params = routing->return_law.params,
			    .rate = {.rate_mbps = chosen.return_mbps},
			    .delay_ns = ns_from_ms(chosen.delay_ms),
			    .seed = chosen.seed + 1},
	};
	int code = open_ports(routing, config.ports, error);

	config.frame_bytes = (size_t)chosen.mtu_bytes + ETHERNET_ROOM_BYTES;
	if (code == 0)
		code = router_open(&routing->router, &config, error);
	for (int i = 0; code && i < ROUTER_WAYS; i++)
		if (config.ports[i])
			config.ports[i]->ops->close(config.ports[i]);
	return code;
}

static volatile sig_atomic_t hung_up;

static void on_hangup(int number)
{
	(void)number;
	hung_up = 1;
}

/* Student or policy are read again where a SIGHUP asked for it; what fails leaves the old one. */
static void reload(struct routing *routing)
{
	struct error error = {0};
	char line[1024];
	int code = 0;

	if (hung_up && chosen.policy) {
		hung_up = 0;
		code = route_law_reload(&routing->law, routing->router.ways[0].queue, &error);
	}
	if (code == 0)
		code = route_law_reloaded(&routing->law, &error);
	if (code > 0)
		routing->monitor->reloads++;
	if (code < 0)
		fprintf(stderr, "aqmllm: %s; the old one goes on\n",
			error_format(&error, line, sizeof(line)));
}

static bool tick(void *context, uint64_t now_ns)
{
	struct routing *routing = context;
	struct monitor *monitor = routing->monitor;
	const double now_s = seconds_from_ns(now_ns);

	if (chosen.run)
		route_keep_look(&routing->keep, &routing->router, now_s);
	if (!routing->begun && chosen.warmup_s > 0 && now_s >= chosen.warmup_s) {
		routing->begun = true;
		monitor_begin(monitor, &routing->router, now_ns);
		route_keep_begin(&routing->keep);
	}
	reload(routing);
	monitor->verdicts = route_law_counts(&routing->law);
	monitor_bin(monitor, &routing->router, now_ns);
	if (routing->view.open || routing->web.http)
		board_put(&routing->board, monitor);
	/* Without a policy a hangup means that the terminal is gone. */
	return command_interrupted() || (hung_up && !chosen.policy) || routing->view.quit ||
	       (chosen.duration_s > 0 && now_s >= chosen.warmup_s + chosen.duration_s);
}

static int tell(const struct routing *routing, struct error *error)
{
	int code = 0;

	if (routing->common->json) {
		json_t *object = route_json(&chosen, routing->monitor);

		if (json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12)))
			code = error_set(error, ERR_IO, "cannot print the summary");
		putchar('\n');
		json_decref(object);
	} else if (!routing->common->quiet) {
		route_print(stdout, &chosen, routing->monitor);
	}
	return code;
}

/* Routes, and shows it, until it is enough. */
/* Where to look; the port may be one that the system chose. */
static void tell_page(unsigned port)
{
	const char *colon = strrchr(chosen.metrics, ':');

	fprintf(stderr, "live page at http://%.*s:%u/, /metrics for Prometheus\n",
		colon ? (int)(colon - chosen.metrics) : 9, colon ? chosen.metrics : "127.0.0.1",
		port);
}

static int run_router(struct routing *routing, struct error *error)
{
	const struct loop loop = {TICK_MS * NS_PER_MS, routing, tick};
	int code = 0;

	loop_come_forward();
	if (chosen.demo)
		code = route_demo_start(&routing->demo, &chosen, routing->namespaces,
					routing->addresses[1],
					routing->addresses[3] ? routing->addresses[3]
							      : routing->addresses[1],
					error);
	if (code == 0 && chosen.watch)
		code = route_view_open(&routing->view, &routing->board, &chosen, error);
	if (code == 0 && chosen.metrics)
		code = route_web_open(&routing->web, &routing->board, &chosen, error);
	if (code == 0 && chosen.metrics && !routing->common->quiet)
		tell_page(http_port(routing->web.http));
	if (code == 0)
		code = loop_run(&loop, &routing->router, error);
	route_web_close(&routing->web);
	route_view_close(&routing->view);
	if (chosen.demo)
		route_demo_stop(&routing->demo);
	return code;
}

static int route(struct routing *routing, struct error *error)
{
	int code = open_router(routing, error), closed;

	if (code == 0) {
		code = run_router(routing, error);
		if (code == 0 && chosen.run)
			code = route_keep_write(&routing->keep, chosen.run, &routing->router,
						routing->monitor, &routing->law, error);
		route_keep_free(&routing->keep);
		router_close(&routing->router);
	}
	closed = route_taps_close(&routing->taps, code == 0, code ? NULL : error);
	if (code == 0)
		code = tell(routing, error);
	if (code == 0)
		code = closed;
	return code ? code : route_law_failure(&routing->law, error);
}

/* Laws and files, then the rest. */
static int open_and_route(struct routing *routing, struct error *error)
{
	int code = read_trace(routing, error);

	if (code == 0 && chosen.run)
		code = route_keep_check(chosen.run, error);
	if (code == 0)
		code = route_law_open(&routing->law, &chosen, error);
	if (code)
		return code;
	code = open_return_law(&routing->return_law, error);
	if (code == 0) {
		monitor_init(routing->monitor, routing->law.law->name, chosen.policy);
		code = board_open(&routing->board, error);
	}
	if (code == 0) {
		code = route_taps_open(&routing->taps, chosen.log, chosen.pcap,
				       routing->law.law->name, loop_clock().now_ns(NULL), error);
		if (code == 0)
			code = route(routing, error);
		board_close(&routing->board);
	}
	route_law_close(&routing->return_law);
	route_law_close(&routing->law);
	return code;
}

static int run_route(const struct command_common *common, const char **operands, size_t count,
		     struct error *error)
{
	struct routing *routing;
	int code = check_options(error);

	if (code)
		return code;
	if (count > 0)
		return error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"route takes no operands, only options");
	complete_options(common);
	interrupt_handle(SIGHUP, on_hangup);
	routing = calloc(1, sizeof(*routing));
	if (routing)
		routing->monitor = calloc(1, sizeof(*routing->monitor));
	if (routing == NULL || routing->monitor == NULL) {
		free(routing);
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	}
	routing->common = common;
	routing->namespaces[0] = routing->namespaces[1] = -1;
	code = open_and_route(routing, error);
	for (int i = 0; i < ROUTER_WAYS; i++)
		if (routing->namespaces[i] >= 0)
			close(routing->namespaces[i]);
	free(routing->trace_ms);
	free(routing->monitor);
	free(routing);
	return code;
}

static const struct option route_options[] = {
	{"demo", 0, OPTION_FLAG, &chosen.demo, NULL,
	 "make two namespaces, two flows between them and show what becomes of both; all is gone "
	 "afterwards, however it ends; 8 Mbit/s, 10 ms each way, 20 s unless said otherwise",
	 0, 0},
	{"between", 0, OPTION_TEXT, &chosen.between, "NS1,NS2",
	 "route between two network namespaces (names of ip netns, paths or process numbers): each "
	 "gets a TUN device, and what NS1 sends to NS2 is managed",
	 0, 0},
	{"bridge", 0, OPTION_TEXT, &chosen.bridge, "IF1,IF2",
	 "bridge two Ethernet interfaces; what comes in at IF1 is managed", 0, 0},
	{"io", 0, OPTION_TEXT, &chosen.io, "HOW",
	 "of --bridge: xdp (AF_XDP), packet (packet sockets), or auto: AF_XDP for devices whose "
	 "driver has it, packet sockets for others (auto)",
	 0, 0},
	{"rate", 0, OPTION_DOUBLE, &chosen.rate_mbps, "MBIT",
	 "Mbit/s of the emulated link, of IP bytes; default: no link, packets pass at once", 0.001,
	 100000},
	{"rate-trace", 0, OPTION_TEXT, &chosen.trace, "FILE",
	 "a Mahimahi trace in place of a rate", 0, 0},
	{"return-rate", 0, OPTION_DOUBLE, &chosen.return_mbps, "MBIT",
	 "a link for the other way, under the same law (not the policy); default: none", 0.001,
	 100000},
	{"delay", 0, OPTION_DOUBLE, &chosen.delay_ms, "MS",
	 "emulated delay of each way, behind the link (0)", 0, 10000},
	{"aqm", 0, OPTION_TEXT, &chosen.aqm, "NAME", "queue law (dualpi2); aqmllm aqms lists them",
	 0, 0},
	{"set", 0, OPTION_LIST, &chosen.settings, "K=V", "parameter of the law; may be repeated",
	 0, 0},
	{"policy", 0, OPTION_TEXT, &chosen.policy, "DIR",
	 "a student, FILE.aqms, as the law; or the folder of a policy that decides on top of the "
	 "law, in a thread of its own: packets never wait for it, and between its decisions the "
	 "law decides; SIGHUP reads it again",
	 0, 0},
	{"device", 0, OPTION_TEXT, &chosen.device, "NAME", DEVICE_DOC, 0, 0},
	{"precision", 0, OPTION_TEXT, &chosen.manner.precision, "P", PRECISION_DOC, 0, 0},
	{"context", 0, OPTION_TEXT, &chosen.manner.context, "HOW", CONTEXT_DOC, 0, 0},
	{"interval", 0, OPTION_U64, &chosen.interval, "N",
	 "every Nth arriving packet is put to the policy, if it has decided on the last one (10)",
	 1, 1e9},
	{"verdict", 0, OPTION_TEXT, &chosen.verdict, "HOW", VERDICT_DOC, 0, 0},
	{"no-guard", 0, OPTION_FLAG, &chosen.unguarded, NULL, NO_GUARD_DOC, 0, 0},
	{"seed", 0, OPTION_U64, &chosen.seed, "S", "seed of the law's random bits (1)", 0, 0},
	{"log", 0, OPTION_TEXT, &chosen.log, "FILE",
	 "write the router's log, 24 fields a packet, which aqmllm pool reads; .gz and .zst "
	 "compress it",
	 0, 0},
	{"pcap", 0, OPTION_TEXT, &chosen.pcap, "FILE",
	 "write the managed way's headers as pcapng: interfaces C, L (leaving that queue, after "
	 "marking) and dropped",
	 0, 0},
	{"run", 0, OPTION_TEXT, &chosen.run, "FILE",
	 "keep the run as evaluate keeps simulated ones, for its --real", 0, 0},
	{"metrics", 0, OPTION_TEXT, &chosen.metrics, "ADDR",
	 "serve a live page at /, its summary at /summary.json and Prometheus text at /metrics; "
	 "PORT (of 127.0.0.1), HOST:PORT or [V6]:PORT",
	 0, 0},
	{"duration", 0, OPTION_DOUBLE, &chosen.duration_s, "S",
	 "end after S seconds behind the warm-up; default: at Ctrl-C", 0.1, 1e9},
	{"warmup", 0, OPTION_DOUBLE, &chosen.warmup_s, "S",
	 "leave the first S seconds out of the statistics (0)", 0, 1e9},
	{"flows", 0, OPTION_TEXT, &chosen.flows, "LIST",
	 "of --demo: congestion controls of the kernel's TCP, and prague (UDP), one for each flow "
	 "(cubic,prague)",
	 0, 0},
	{"addresses", 0, OPTION_TEXT, &chosen.addresses, "LIST",
	 "of the TUN devices in both namespaces, with prefixes: IPv4, or IPv4 and IPv6 "
	 "(" USUAL_ADDRESSES ")",
	 0, 0},
	{"tun", 0, OPTION_TEXT, &chosen.tun, "NAME", "name of the TUN devices (" USUAL_TUN ")", 0,
	 0},
	{"mtu", 0, OPTION_U64, &chosen.mtu_bytes, "BYTES", "of the TUN devices (1500)", 576, 65521},
	{"watch", 0, OPTION_FLAG, &chosen.watch, NULL,
	 "show it live in the terminal; --demo does so by itself", 0, 0},
	{0},
};

const struct command command_route = {
	.name = "route",
	.operands = "--demo | --between NS1,NS2 | --bridge IF1,IF2",
	.summary = "route real packets through a queue law, on Linux",
	.details =
		"A wire with a queue in it: packets keep their TTL. IPv4 and IPv6; ECT(1) and CE "
		"go to the L queue of dual laws; marks are CE with right checksums. It needs root "
		"(CAP_NET_ADMIN and CAP_SYS_ADMIN). Devices and namespaces that it makes are gone "
		"when it ends, even by SIGKILL. Decisions are those of the simulator's queues: the "
		"same code with the same facts.\n"
		"Ctrl-C ends it and prints the summary.",
	.options = route_options,
	.heeds_interrupt = true,
	.run = run_route,
};
