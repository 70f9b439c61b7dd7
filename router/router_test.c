/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router between two ports of memory: what goes in at one comes out at the other, and what is no
 * packet does no harm.
 */
#include "router/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "net/headers.h"
#include "router/monitor.h"

#define HELD 4096
#define ROOM_BYTES 1600

/* Packets that wait to be received, and how many were sent. */
struct memory_port {
	struct port port; /* first */
	uint8_t bytes[HELD][ROOM_BYTES];
	uint32_t sizes[HELD];
	size_t waiting, next, sent, closed;
	uint8_t last[ROOM_BYTES];
	bool gone;
};

static int port_receive(struct port *port, struct port_frame *frames, size_t count, size_t room)
{
	struct memory_port *memory = (struct memory_port *)port;
	size_t came = 0;

	if (memory->gone)
		return -1;
	while (came < count && memory->next < memory->waiting) {
		const uint32_t size = memory->sizes[memory->next];

		memcpy(frames[came].bytes, memory->bytes[memory->next], size < room ? size : room);
		frames[came++].size = size;
		memory->next++;
	}
	return (int)came;
}

static size_t port_send(struct port *port, const struct port_frame *frames, size_t count)
{
	struct memory_port *memory = (struct memory_port *)port;

	memory->sent += count;
	memcpy(memory->last, frames[count - 1].bytes, frames[count - 1].size);
	return count;
}

static void port_close(struct port *port)
{
	((struct memory_port *)port)->closed++;
}

static const struct port_ops memory_ops = {
	.name = "memory",
	.receive = port_receive,
	.send = port_send,
	.close = port_close,
};

struct bench {
	struct router router;
	struct memory_port ports[ROUTER_WAYS];
	uint64_t now_ns;
	unsigned char params[4096];
};

static uint64_t now_ns(void *context)
{
	return ((struct bench *)context)->now_ns;
}

static struct bench *bench_new(double rate_mbps, size_t limit)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	const struct aqm_ops *law = aqm_find("dualpi2");
	struct router_config config = {
		.frame_bytes = 1536, .frame_limit = limit, .clock = {now_ns, bench}};

	assert_true(law->params_size <= sizeof(bench->params));
	aqm_params_default(law, bench->params, NULL);
	for (int i = 0; i < ROUTER_WAYS; i++) {
		bench->ports[i].port.ops = &memory_ops;
		config.ports[i] = &bench->ports[i].port;
		config.ways[i] = (struct path_config){
			.law = law, .params = bench->params, .rate = {.rate_mbps = rate_mbps}};
	}
	assert_int_equal(router_open(&bench->router, &config, NULL), 0);
	return bench;
}

static void bench_free(struct bench *bench)
{
	router_close(&bench->router);
	assert_int_equal(bench->ports[0].closed, 1);
	assert_int_equal(bench->ports[1].closed, 1);
	free(bench);
}

static uint8_t *put(struct memory_port *port, uint32_t size, unsigned ecn)
{
	const struct packet packet = {.flow = (uint32_t)port->waiting,
				      .protocol = NET_UDP,
				      .len_bytes = size,
				      .ecn = (uint8_t)ecn,
				      .to_server = true};
	uint8_t *bytes = port->bytes[port->waiting];

	net_headers_write(&packet, bytes);
	port->sizes[port->waiting++] = size;
	return bytes;
}

static void turn_until(struct bench *bench, uint64_t end_ns)
{
	bool more;

	for (;;) {
		assert_int_equal(router_turn(&bench->router, &more, NULL), 0);
		if (more)
			continue;
		bench->now_ns = router_next_ns(&bench->router);
		if (bench->now_ns > end_ns)
			break;
	}
	bench->now_ns = end_ns;
}

static void packets_cross_both_ways(void **state)
{
	struct bench *bench = bench_new(0, 4096);

	(void)state;
	for (int i = 0; i < 1000; i++)
		put(&bench->ports[0], 100 + (unsigned)i % 1000, AQM_ECT1);
	for (int i = 0; i < 10; i++)
		put(&bench->ports[1], 200, AQM_NOT_ECT);
	turn_until(bench, NS_PER_MS);
	assert_int_equal(bench->ports[1].sent, 1000);
	assert_int_equal(bench->ports[0].sent, 10);
	assert_int_equal(router_held(&bench->router), 0);
	assert_int_equal(bench->router.counts[0].received, 1000);
	assert_int_equal(bench->router.counts[0].sent, 1000);
	bench_free(bench);
}

static void bad_packets_are_counted_and_gone(void **state)
{
	struct bench *bench = bench_new(8, 4096);

	(void)state;
	put(&bench->ports[0], 100, AQM_ECT0)[0] = 0x55;
	put(&bench->ports[0], 100, AQM_ECT0)[0] = 0x4f;
	put(&bench->ports[0], 100, AQM_ECT0)[2] = 9;  /* says that it is longer than it is */
	put(&bench->ports[0], 100, AQM_ECT0)[3] = 28; /* padding behind it */
	put(&bench->ports[0], 1590, AQM_ECT0);	      /* longer than a buffer: cut */
	bench->ports[0].sizes[bench->ports[0].waiting++] = 0;
	turn_until(bench, NS_PER_S);
	/* The first header length, 60 bytes, fits into 100. */
	assert_int_equal(bench->router.counts[0].malformed, 4);
	assert_int_equal(bench->ports[1].sent, 2);
	assert_int_equal(router_held(&bench->router), 0);
	bench_free(bench);
}

/* More packets than buffers: those without one are read away, and it goes on afterwards. */
static void too_many_packets_do_not_stop_it(void **state)
{
	struct bench *bench = bench_new(1, 128);

	(void)state;
	for (int i = 0; i < 1000; i++)
		put(&bench->ports[0], 1500, AQM_ECT0);
	turn_until(bench, 5 * NS_PER_S);
	assert_true(bench->router.counts[0].no_room > 0);
	assert_int_equal(bench->ports[1].sent + bench->router.counts[0].no_room +
				 bench->router.ways[0].queue->counts[AQM_QUEUE_C].drops,
			 1000);
	assert_int_equal(router_held(&bench->router), 0);
	put(&bench->ports[1], 100, AQM_ECT0);
	turn_until(bench, 6 * NS_PER_S);
	assert_int_equal(bench->ports[0].sent, 1);
	bench_free(bench);
}

static void a_port_that_is_gone_is_told(void **state)
{
	struct bench *bench = bench_new(1, 128);
	struct error error = {0};
	bool more;

	(void)state;
	bench->ports[1].gone = true;
	assert_int_equal(router_turn(&bench->router, &more, &error), ERR_IO);
	assert_non_null(strstr(error.text, "port 2"));
	bench_free(bench);
}

/* What the monitor adds up is what crossed. */
static void the_monitor_adds_up(void **state)
{
	struct bench *bench = bench_new(8, 4096);
	struct monitor *monitor = calloc(1, sizeof(*monitor));

	(void)state;
	monitor_init(monitor, "dualpi2", NULL);
	for (int i = 0; i < 500; i++)
		put(&bench->ports[0], 1000, AQM_ECT1);
	turn_until(bench, NS_PER_S / 10);
	monitor_bin(monitor, &bench->router, bench->now_ns);
	/* 8 Mbit/s: 100 packets of 1000 bytes in 100 ms. */
	assert_int_equal(monitor->ways[0].counts.received, 500);
	assert_int_equal(monitor->ways[0].counts.sent + monitor->ways[0].inside_pkts, 500);
	assert_in_range(monitor->ways[0].queues[AQM_QUEUE_L].packets, 100, 101);
	assert_int_equal((int)(monitor_bin_ago(monitor, 0)->rate_mbps + 0.5), 8);
	assert_int_equal((int)(monitor_bin_ago(monitor, 0)->utilisation * 100 + 0.5), 100);
	monitor_begin(monitor, &bench->router, bench->now_ns);
	turn_until(bench, NS_PER_S / 5);
	monitor_bin(monitor, &bench->router, bench->now_ns);
	assert_in_range(monitor->ways[0].queues[AQM_QUEUE_L].packets, 99, 101);
	assert_int_equal(monitor->ways[0].counts.received, 0);
	assert_int_equal(monitor->bin_count, 2);
	assert_null(monitor_bin_ago(monitor, 2));
	assert_int_equal(monitor->flow_count, MONITOR_FLOWS);
	assert_int_equal(monitor->flows_known, 500);
	free(monitor);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_cross_both_ways),
		cmocka_unit_test(bad_packets_are_counted_and_gone),
		cmocka_unit_test(too_many_packets_do_not_stop_it),
		cmocka_unit_test(a_port_that_is_gone_is_told),
		cmocka_unit_test(the_monitor_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
