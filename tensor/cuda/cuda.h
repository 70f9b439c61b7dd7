/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One CUDA device as tensor/ uses it: memory, copies, one stream, graphs.
 *
 * Everything is queued on one stream in the order of the calls.  Calls that
 * queue work return nothing: the first fault (a refused launch, no memory) is
 * kept, what follows it is skipped, and cuda_finish() tells it.  Pointers are
 * device memory unless a name says `host`.  Not for several threads at once.
 */
#ifndef TENSOR_CUDA_CUDA_H
#define TENSOR_CUDA_CUDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/error.h"

struct cuda;       /* an open device */
struct cuda_graph; /* recorded work */

/*
 * Opens device 0 of those that CUDA_VISIBLE_DEVICES leaves.  ERR_UNSUPPORTED
 * where there is none, or the driver is older than this build.
 */
int cuda_open(struct cuda **cuda, struct error *error);
void cuda_close(struct cuda *cuda);

/* "NVIDIA H100 80GB HBM3"; valid until cuda_close(). */
const char *cuda_name(const struct cuda *cuda);

/* Waits for everything queued.  The first fault since the last call, if any, and forgets it. */
int cuda_finish(struct cuda *cuda, struct error *error);

/* True once something failed that cuda_finish() has not told yet. */
bool cuda_failed(const struct cuda *cuda);

/* `bytes` of device memory, aligned to 256; NULL and a fault when there is none. */
void *cuda_alloc(struct cuda *cuda, size_t bytes);
void cuda_free(struct cuda *cuda, void *memory);

/* Device memory that this process holds now, and the most it ever held, in bytes. */
size_t cuda_held_bytes(const struct cuda *cuda);
size_t cuda_peak_bytes(const struct cuda *cuda);

/* Host memory that copies at full speed; NULL and a fault when there is none. */
void *cuda_host_alloc(struct cuda *cuda, size_t bytes);
void cuda_host_free(struct cuda *cuda, void *host);

/* The host side of a copy must stay as it is until cuda_finish(). */
void cuda_copy_in(struct cuda *cuda, void *to, const void *host, size_t bytes);
void cuda_copy_out(struct cuda *cuda, void *host, const void *from, size_t bytes);
void cuda_copy(struct cuda *cuda, void *to, const void *from, size_t bytes);
void cuda_zero(struct cuda *cuda, void *memory, size_t bytes);

/*
 * Scratch: allocations in order, given back all at once or to a mark.  Memory
 * is taken from the device in chunks that stay.  NULL and a fault when full.
 */
struct cuda_arena {
	struct cuda *cuda;
	struct cuda_chunk *first, *current;
	size_t offset; /* in the current chunk */
};

struct cuda_mark {
	struct cuda_chunk *chunk;
	size_t offset;
};

void cuda_arena_init(struct cuda_arena *arena, struct cuda *cuda);
void cuda_arena_free(struct cuda_arena *arena);
void *cuda_arena_alloc(struct cuda_arena *arena, size_t bytes);
struct cuda_mark cuda_arena_save(const struct cuda_arena *arena);
void cuda_arena_restore(struct cuda_arena *arena, struct cuda_mark mark);

/*
 * Work queued between begin and end is recorded, not done; run queues all of
 * it at the price of one launch.  Pointers are recorded as they are.  No copy
 * to or from the host in between.  cuda_graph_end() gives NULL and a fault
 * when recording failed.
 */
void cuda_graph_begin(struct cuda *cuda);
struct cuda_graph *cuda_graph_end(struct cuda *cuda);
void cuda_graph_run(struct cuda *cuda, const struct cuda_graph *graph);
void cuda_graph_free(struct cuda_graph *graph);

#ifdef __cplusplus
}
#endif

#endif
