/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain UDP: at a constant rate, and datagram by datagram as an application
 * writes them; numbers and delays as the receiver reports them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "tcp/endpoint.h"

struct seen {
	struct datagram last;
	uint64_t count, bytes;
};

static void note(void *context, uint64_t now_ns, const struct datagram *datagram)
{
	struct seen *seen = context;

	(void)now_ns;
	seen->last = *datagram;
	seen->count++;
	seen->bytes += datagram->len_bytes;
}

static struct endpoint_config config_of(struct seen *seen)
{
	return (struct endpoint_config){
		.mtu_bytes = NET_MTU_BYTES,
		.stop_ns = 10 * NS_PER_S,
		.context = seen,
		.on_datagram = note,
	};
}

/* Takes all that `sender` has now to `receiver`, `delay_ns` later; every `lose`th is lost. */
static uint64_t carry(struct endpoint *sender, struct endpoint *receiver, uint64_t now_ns,
		      uint64_t delay_ns, uint64_t lose)
{
	uint64_t count = 0;

	for (;;) {
		struct packet packet = {0};

		if (!sender->ops->emit(sender, &packet, now_ns))
			return count;
		if (lose == 0 || packet.datagram.number % lose != 0)
			receiver->ops->receive(receiver, &packet, now_ns + delay_ns);
		count++;
	}
}

static void a_constant_rate_is_kept(void **state)
{
	struct seen seen = {0};
	struct endpoint_config config = config_of(&seen);
	struct endpoint *sender, *receiver;
	uint64_t packets = 0;

	(void)state;
	config.rate_bps = 1200000; /* 100 packets a second */
	sender = udp_sender_new(&config);
	receiver = udp_receiver_new(&config);
	for (uint64_t now_ns; (now_ns = sender->ops->next_ns(sender)) != TIME_NEVER_NS;)
		packets += carry(sender, receiver, now_ns, 7, 10);
	assert_int_equal(packets, 1000);
	assert_int_equal(seen.count, 900);
	assert_int_equal(seen.last.number, 999);
	assert_int_equal(seen.last.delay_ns, 7);
	sender->ops->destroy(sender);
	receiver->ops->destroy(receiver);
}

static void what_is_written_is_a_datagram(void **state)
{
	struct seen seen = {0};
	struct endpoint_config config = config_of(&seen);
	struct endpoint *sender, *receiver;
	struct endpoint_stats stats;

	(void)state;
	config.rate_bps = 1200000;
	config.from_application = true;
	sender = udp_sender_new(&config);
	receiver = udp_receiver_new(&config);
	assert_true(sender->ops->next_ns(sender) == TIME_NEVER_NS);
	assert_int_equal(carry(sender, receiver, NS_PER_S, 0, 0), 0);
	for (uint64_t bytes = 1; bytes <= 20; bytes++)
		sender->ops->write(sender, bytes, NS_PER_S);
	assert_int_equal(carry(sender, receiver, NS_PER_S, 0, 0), 20);
	assert_int_equal(seen.bytes, 20 * UDP_HEADER_BYTES + 20 * 21 / 2);
	assert_int_equal(seen.last.len_bytes, 20 + UDP_HEADER_BYTES);
	/* One that does not fit goes as several. */
	sender->ops->write(sender, 2 * (NET_MTU_BYTES - UDP_HEADER_BYTES) + 5, NS_PER_S);
	assert_int_equal(carry(sender, receiver, NS_PER_S, 0, 0), 3);
	assert_int_equal(seen.last.len_bytes, 5 + UDP_HEADER_BYTES);
	assert_int_equal(seen.last.number, 23);
	sender->ops->stats(sender, &stats);
	assert_int_equal(stats.sent_bytes, seen.bytes);
	sender->ops->destroy(sender);
	receiver->ops->destroy(receiver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_constant_rate_is_kept),
		cmocka_unit_test(what_is_written_is_a_datagram),
	};

	return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
