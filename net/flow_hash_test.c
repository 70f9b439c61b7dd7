/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows are told apart, evenly, and differently for every perturbation. */
#include "net/flow_hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define PLACES 1024
#define FLOWS 102400
#define MEAN ((double)FLOWS / PLACES)

static void direction_and_protocol_tell_flows_apart(void **state)
{
	struct packet packet = {.flow = 5, .protocol = NET_TCP, .to_server = true};
	const uint64_t hash = net_flow_hash(1, &packet);
	struct packet other = packet;

	(void)state;
	packet.len_bytes = 77;
	packet.tcp.seq = 12345;
	packet.ecn = 3;
	assert_true(net_flow_hash(1, &packet) == hash);
	assert_true(net_flow_hash(2, &packet) != hash);
	other.to_server = false;
	assert_true(net_flow_hash(1, &other) != hash);
	other = packet;
	other.protocol = NET_UDP;
	assert_true(net_flow_hash(1, &other) != hash);
}

/* Chi-square of consecutive flow numbers over the table's places, mean 1023, deviation 45. */
static void places_are_even(void **state)
{
	(void)state;
	for (uint64_t perturbation = 0; perturbation < 8; perturbation++) {
		uint32_t held[PLACES] = {0};
		double chi = 0;

		for (uint32_t flow = 0; flow < FLOWS; flow++) {
			const struct packet packet = {.flow = flow, .protocol = NET_TCP};

			held[(net_flow_hash(perturbation, &packet) >> 32) * PLACES >> 32]++;
		}
		for (int i = 0; i < PLACES; i++)
			chi += pow((double)held[i] - MEAN, 2) / MEAN;
		assert_true(fabs(chi - (PLACES - 1)) < 5 * 45.2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(direction_and_protocol_tell_flows_apart),
		cmocka_unit_test(places_are_even),
	};

	return cmocka_run_group_tests_name("flow hash", tests, NULL, NULL);
}
