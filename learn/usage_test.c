/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks and memory move with what is done; energy from a made powercap tree. */
#include "backbone/test_models.h"

#include <math.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "learn/energy.h"
#include "learn/usage.h"

static void memory_and_clocks_move(void **state)
{
	enum { BYTES = 64 << 20 };
	const struct usage before = usage_now();
	/* Not malloc: an allocator, ASan's above all, may hold on to what is freed. */
	volatile char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct usage after;

	(void)state;
	assert_true(memory != MAP_FAILED);
	for (int i = 0; i < BYTES; i += 1024)
		memory[i] = 1;
	after = usage_now();
	munmap((void *)memory, BYTES);
	assert_true(after.cpu_s > before.cpu_s && after.wall_s > before.wall_s);
	assert_true(after.cpu_s - before.cpu_s < after.wall_s - before.wall_s + 0.1);
	assert_true(after.now_bytes - before.now_bytes > BYTES * 9 / 10);
	assert_true(after.peak_bytes >= after.now_bytes);
	assert_true(usage_now().now_bytes < after.now_bytes - BYTES / 2);
}

static void counter_write(const char *folder, const char *file, const char *text)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/tree/%s", test_folder, folder);
	file_make_folders(path, NULL);
	snprintf(path, sizeof(path), "%s/tree/%s/%s", test_folder, folder, file);
	assert_int_equal(file_write_all(path, text, strlen(text), NULL), 0);
}

/* Two packages, one with a part that must not count twice; one runs round. */
static void packages_count_once_and_run_round(void **state)
{
	struct energy energy, none;
	char tree[300];
	double before;

	(void)state;
	snprintf(tree, sizeof(tree), "%s/empty", test_folder);
	energy_open(&none, tree);
	assert_true(none.count || isnan(energy_sample(&none)));
	energy_close(&none);
	snprintf(tree, sizeof(tree), "%s/tree", test_folder);
	counter_write("intel-rapl:0", "energy_uj", "1000000\n");
	counter_write("intel-rapl:0", "max_energy_range_uj", "9000000\n");
	counter_write("intel-rapl:0:0", "energy_uj", "500000\n");
	counter_write("intel-rapl:1", "energy_uj", "8500000\n");
	counter_write("intel-rapl:1", "max_energy_range_uj", "9000000\n");
	energy_open(&energy, tree);
	assert_true(energy.count >= 2);
	before = energy_sample(&energy);
	counter_write("intel-rapl:0", "energy_uj", "3500000\n");
	counter_write("intel-rapl:0:0", "energy_uj", "900000\n");
	counter_write("intel-rapl:1", "energy_uj", "500000\n");
	for (int i = 0; i < energy.count; i++) /* devices, if any, are not part of this test */
		if (energy.counters[i].path[0] == '\0')
			energy.count = i;
	assert_true(fabs(energy_sample(&energy) - before - 2.5 - 1.0) < 1e-9);
	energy_close(&energy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_and_clocks_move),
		cmocka_unit_test(packages_count_once_and_run_round),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
