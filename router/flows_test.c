/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows are told apart, repetitions do not count, floods find room. */
#include "router/flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/packet.h"

static const struct ip_summary tcp = {.version = 4, .protocol = NET_TCP, .len_bytes = 1000};

static void repetitions_do_not_count(void **state)
{
	struct flows *flows = calloc(1, sizeof(*flows));
	struct flow_entry *flow = flows_arrived(flows, 1, &tcp, 0);

	(void)state;
	flow_entry_left(flow, 1000, 900, UINT32_MAX - 499); /* the number wraps */
	assert_int_equal(flow->payload_bytes, 900);
	flow_entry_left(flow, 1000, 900, UINT32_MAX - 499); /* again */
	assert_int_equal(flow->payload_bytes, 900);
	flow_entry_left(flow, 1000, 900, 300); /* 100 of it left before */
	assert_int_equal(flow->payload_bytes, 1700);
	flow_entry_left(flow, 1000, 900, 5000); /* behind a gap */
	assert_int_equal(flow->payload_bytes, 2600);
	flow_entry_left(flow, 40, 0, 300); /* no payload */
	assert_int_equal(flow->payload_bytes, 2600);
	assert_int_equal(flow->left_pkts, 5);
	free(flows);
}

static void floods_take_the_oldest_places(void **state)
{
	struct flows *flows = calloc(1, sizeof(*flows));

	(void)state;
	for (uint64_t hash = 1; hash <= 100000; hash++) {
		flows_arrived(flows, hash, &tcp, hash);
		/* One that goes on is not forgotten. */
		flows_arrived(flows, 7, &tcp, hash);
	}
	assert_non_null(flows_find(flows, 7));
	assert_int_equal(flows_find(flows, 7)->arrived_pkts, 100001);
	assert_non_null(flows_find(flows, 100000));
	assert_null(flows_find(flows, 8));
	assert_int_equal(flows->known, 100000);
	assert_int_equal(flows->forgotten, 100000 - FLOWS_PLACES);
	assert_int_equal(flows->used_count, FLOWS_PLACES);
	free(flows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repetitions_do_not_count),
		cmocka_unit_test(floods_take_the_oldest_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
