/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The conformance vectors (tests/vectors/) in BPF, a step a run: whoever loads it puts a bench that
 * vectors_bench_init() made into `bench`, a model into `student_model`, and runs it until the bench
 * has had its packets.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define AQM_STUDENT_OWN "kernel/bpf/student_own.h"
#define VECTORS_PART static __attribute__((noinline))
#include "tests/vectors/bench.h"

char license_text[] SEC("license") = "Dual BSD/GPL";

struct vectors_bench bench SEC(".data.bench");

SEC("tc")
int vectors_step(struct __sk_buff *skb)
{
	(void)skb;
	vectors_bench_step(&bench);
	return 0;
}
