/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools as JSON Lines and as CSV, as the first byte chooses: read or refused
 * with a message that names the file.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "experience/pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct error error = {0};
	struct pool pool;
	FILE *file;

	if (size == 0)
		return 0;
	snprintf(path, sizeof(path), "/dev/shm/fuzz_pool_%ld.%s", (long)getpid(),
		 data[0] % 2 ? "csv" : "jsonl");
	file = fopen(path, "w");
	if (file == NULL)
		return 0;
	fwrite(data + 1, 1, size - 1, file);
	fclose(file);
	pool_init(&pool);
	if (pool_read(&pool, path, &error) != 0 && error.text[0] == '\0')
		abort();
	pool_free(&pool);
	unlink(path);
	return 0;
}
