/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The conformance vectors (tests/vectors/) in BPF, a step a run: whoever loads it puts a bench that
 * vectors_bench_init() made into `bench`, a model into `student_model`, and runs vectors_step until
 * the bench has had its packets; for laws of one queue vectors_single_init() and `single`.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define AQM_STUDENT_OWN "kernel/bpf/student_own.h"
#define VECTORS_PART static __attribute__((noinline))
#define VECTORS_OPAQUE(pointer) barrier_var(pointer)
#include "tests/vectors/bench.h"
#include "tests/vectors/single.h"

char license_text[] SEC("license") = "Dual BSD/GPL";

struct vectors_bench bench SEC(".data.bench");

SEC("tc")
int vectors_step(struct __sk_buff *skb)
{
	(void)skb;
	vectors_bench_step(&bench);
	return 0;
}

struct vectors_single single SEC(".data.single");

SEC("tc")
int single_step(struct __sk_buff *skb)
{
	(void)skb;
	vectors_single_step(&single);
	return 0;
}
