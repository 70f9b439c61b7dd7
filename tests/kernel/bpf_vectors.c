/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bpf_vectors OBJECT [PACKETS [SEED]]: the vectors through kernel/bpf/vectors.bpf.o in the running
 * kernel.  A line a case, as vectors.c has them:
 *
 *     SUM CASE PACKETS
 *
 * Exit status 77 where the kernel lets nobody load BPF, 1 where it refuses this program.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/student_shipped.h"
#include "tests/vectors/bench.h"
#include "tests/vectors/single.h"

#define DEFAULT_PACKETS 1000000
#define STEPS_A_CALL 200000

static const char *const names[] = {
#define CASE_NAME(name, law, settings) #name,
	VECTORS_CASES(CASE_NAME) VECTORS_SINGLE_CASES(CASE_NAME)
#undef CASE_NAME
};

/* A program that takes a step of a bench at each run. */
struct stepper {
	int program, map;
};

/* The object, loaded once: verifying it takes the kernel longer than running it. */
struct loaded {
	struct bpf_object *object;
	struct stepper pair, single;
	int model;
};

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static int map_of(const struct loaded *loaded, const char *section)
{
	return bpf_map__fd(bpf_object__find_map_by_name(loaded->object, section));
}

static struct stepper stepper_of(const struct loaded *loaded, const char *program,
				 const char *section)
{
	return (struct stepper){
		.program =
			bpf_program__fd(bpf_object__find_program_by_name(loaded->object, program)),
		.map = map_of(loaded, section),
	};
}

static int load(struct loaded *loaded, const char *path)
{
	loaded->object = bpf_object__open_file(path, NULL);
	if (!loaded->object)
		return 1;
	if (bpf_object__load(loaded->object))
		return errno == EPERM ? 77 : 1;
	loaded->pair = stepper_of(loaded, "vectors_step", ".data.bench");
	loaded->single = stepper_of(loaded, "single_step", ".data.single");
	loaded->model = map_of(loaded, ".data.model");
	return loaded->pair.program < 0 || loaded->pair.map < 0 || loaded->single.program < 0 ||
	       loaded->single.map < 0 || loaded->model < 0;
}

/* So many steps, of which `bench` is what came; a call of the kernel makes many. */
static int make_steps(const struct stepper *stepper, uint64_t steps, void *bench)
{
	static unsigned char frame[64];
	const uint32_t key = 0;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)steps);

	return bpf_prog_test_run_opts(stepper->program, &options) ||
	       bpf_map_lookup_elem(stepper->map, &key, bench);
}

/* A step has one packet at most; the sum is that of the very last one. */
static uint64_t steps_to(const struct vectors *vectors, uint64_t packets)
{
	const uint64_t left = packets > vectors->arrivals ? packets - vectors->arrivals : 1;

	return left < STEPS_A_CALL ? left : STEPS_A_CALL;
}

/* A bench and a model in the place of the program's globals; the sum in `sum`. */
static int run_pair(const struct loaded *loaded, uint32_t which, uint64_t packets, uint64_t seed,
		    uint64_t *sum)
{
	static struct aqm_student_model model;
	static struct vectors_bench bench;
	struct dual_host_params params;
	const uint32_t key = 0;

	memset(&model, 0, sizeof(model));
	if (which == VECTORS_shipped)
		model = *aqm_student_shipped();
	else
		vectors_model(which, &model);
	vectors_params(which, &params);
	vectors_bench_init(&bench, seed, &params);
	if (bpf_map_update_elem(loaded->pair.map, &key, &bench, BPF_ANY) ||
	    bpf_map_update_elem(loaded->model, &key, &model, BPF_ANY))
		return 1;
	while (bench.vectors.arrivals < packets || bench.busy)
		if (make_steps(&loaded->pair, steps_to(&bench.vectors, packets), &bench))
			return 1;
	*sum = vectors_close(&bench.vectors, dual_host_p_q32(&bench.host));
	return 0;
}

static int run_single(const struct loaded *loaded, uint32_t which, uint64_t packets, uint64_t seed,
		      uint64_t *sum)
{
	static struct vectors_single bench;
	const uint32_t key = 0;

	vectors_single_init(&bench, seed, which);
	if (bpf_map_update_elem(loaded->single.map, &key, &bench, BPF_ANY))
		return 1;
	while (bench.vectors.arrivals < packets || bench.busy)
		if (make_steps(&loaded->single, steps_to(&bench.vectors, packets), &bench))
			return 1;
	*sum = vectors_close(&bench.vectors, 0);
	return 0;
}

static int run_case(const struct loaded *loaded, uint32_t which, uint64_t packets, uint64_t seed)
{
	uint64_t sum;

	if (vectors_is_single(which) ? run_single(loaded, which, packets, seed, &sum)
				     : run_pair(loaded, which, packets, seed, &sum)) {
		fprintf(stderr, "%s: %s\n", names[which], strerror(errno));
		return 1;
	}
	printf("%016" PRIx64 " %s %" PRIu64 "\n", sum, names[which], packets);
	return 0;
}

int main(int argc, char **argv)
{
	const uint64_t packets = argc > 2 ? strtoull(argv[2], NULL, 10) : DEFAULT_PACKETS;
	const uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	struct loaded loaded = {0};
	int status;

	if (argc < 2) {
		fputs("usage: bpf_vectors OBJECT [PACKETS [SEED]]\n", stderr);
		return 2;
	}
	libbpf_set_print(quiet);
	status = load(&loaded, argv[1]);
	for (uint32_t which = 0; which < VECTORS_END && !status; which++)
		status = run_case(&loaded, which, packets, seed);
	bpf_object__close(loaded.object);
	return status;
}
