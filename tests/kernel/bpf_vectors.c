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

#define DEFAULT_PACKETS 1000000
#define STEPS_A_CALL 200000

static const char *const names[] = {
#define CASE_NAME(name, law, settings) #name,
	VECTORS_CASES(CASE_NAME)
#undef CASE_NAME
};

/* The object, loaded once: verifying it takes the kernel longer than running it. */
struct loaded {
	struct bpf_object *object;
	int program, bench, model;
};

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static int map_of(const struct loaded *loaded, const char *section)
{
	return bpf_map__fd(bpf_object__find_map_by_name(loaded->object, section));
}

static int load(struct loaded *loaded, const char *path)
{
	loaded->object = bpf_object__open_file(path, NULL);
	if (!loaded->object)
		return 1;
	if (bpf_object__load(loaded->object))
		return errno == EPERM ? 77 : 1;
	loaded->program = bpf_program__fd(
		bpf_object__find_program_by_name(loaded->object, "vectors_step"));
	loaded->bench = map_of(loaded, ".data.bench");
	loaded->model = map_of(loaded, ".data.model");
	return loaded->program < 0 || loaded->bench < 0 || loaded->model < 0;
}

/* A bench and a model in the place of the program's globals. */
static int set_case(const struct loaded *loaded, uint32_t which, uint64_t seed)
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
	return bpf_map_update_elem(loaded->bench, &key, &bench, BPF_ANY) ||
	       bpf_map_update_elem(loaded->model, &key, &model, BPF_ANY);
}

/* Steps until the bench has had its packets; a call of the kernel makes many. */
static int go_through(const struct loaded *loaded, uint64_t packets, struct vectors_bench *bench)
{
	static unsigned char frame[64];
	const uint32_t key = 0;
	uint32_t steps = 1;

	do {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
			    .data_size_in = sizeof(frame), .repeat = (int)steps);

		if (bpf_prog_test_run_opts(loaded->program, &options) ||
		    bpf_map_lookup_elem(loaded->bench, &key, bench))
			return 1;
		/* A step has one packet at most; the sum is that of the very last one. */
		steps = STEPS_A_CALL;
		if (packets < bench->vectors.arrivals + steps)
			steps = (uint32_t)(packets - bench->vectors.arrivals);
		if (steps == 0)
			steps = 1;
	} while (bench->vectors.arrivals < packets || bench->busy);
	return 0;
}

static int run_case(const struct loaded *loaded, uint32_t which, uint64_t packets, uint64_t seed)
{
	static struct vectors_bench bench;

	if (set_case(loaded, which, seed) || go_through(loaded, packets, &bench)) {
		fprintf(stderr, "%s: %s\n", names[which], strerror(errno));
		return 1;
	}
	printf("%016" PRIx64 " %s %" PRIu64 "\n",
	       vectors_close(&bench.vectors, dual_host_p_q32(&bench.host)), names[which], packets);
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
	for (uint32_t which = 0; which < VECTORS_CASE_COUNT && !status; which++)
		status = run_case(&loaded, which, packets, seed);
	bpf_object__close(loaded.object);
	return status;
}
