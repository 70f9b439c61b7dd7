/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a device, its faults, memory, copies and graphs.
 */
#include "tensor/cuda/internal.cuh"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKSPACE_BYTES (size_t{64} << 20)
#define CHUNK_BYTES (size_t{2} << 20)
#define ALIGN_BYTES                                                                                \
	size_t                                                                                     \
	{                                                                                          \
		256                                                                                \
	}

struct cuda_chunk {
	struct cuda_chunk *next;
	size_t bytes;
	char *memory;
};

struct cuda_graph {
	cudaGraphExec_t exec;
};

void cuda_fault(struct cuda *cuda, int code, const char *format, ...)
{
	va_list list;

	if (cuda->code)
		return;
	cuda->code = code;
	va_start(list, format);
	vsnprintf(cuda->fault, sizeof(cuda->fault), format, list);
	va_end(list);
}

bool cuda_good(struct cuda *cuda, cudaError_t status, const char *what)
{
	if (status == cudaSuccess)
		return true;
	cuda_fault(cuda, ERR_FAILED, "%s: %s: %s", cuda->name, what, cudaGetErrorString(status));
	return false;
}

bool cuda_failed(const struct cuda *cuda)
{
	return cuda->code != 0;
}

int cuda_finish(struct cuda *cuda, struct error *error)
{
	int code;

	cuda_good(cuda, cudaStreamSynchronize(cuda->stream), "waiting for queued work");
	code = cuda->code;
	cuda->code = 0;
	return code ? error_set(error, code, "%s", cuda->fault) : 0;
}

/* What a device must have, before anything is made on it. */
static int device_describe(struct cuda *cuda, struct error *error)
{
	struct cudaDeviceProp properties;
	int count = 0;
	cudaError_t status = cudaGetDeviceCount(&count);

	if (status != cudaSuccess || count == 0)
		return error_set(error, ERR_UNSUPPORTED, "no CUDA device: %s",
				 status == cudaSuccess ? "none is visible"
						       : cudaGetErrorString(status));
	status = cudaGetDeviceProperties(&properties, 0);
	if (status != cudaSuccess)
		return error_set(error, ERR_FAILED, "CUDA device 0: %s",
				 cudaGetErrorString(status));
	if (properties.major < 8)
		return error_set(error, ERR_UNSUPPORTED,
				 "%s has compute capability %d.%d; 8.0 or later is needed",
				 properties.name, properties.major, properties.minor);
	memcpy(cuda->name, properties.name, sizeof(cuda->name));
	cuda->name[sizeof(cuda->name) - 1] = '\0';
	cuda->total_bytes = properties.totalGlobalMem;
	cuda->overlaps = properties.major >= 9;
	return 0;
}

static bool device_prepare(struct cuda *cuda)
{
	if (!cuda_good(cuda, cudaSetDevice(0), "selecting the device") ||
	    !cuda_good(cuda, cudaStreamCreateWithFlags(&cuda->stream, cudaStreamNonBlocking),
		       "making a stream"))
		return false;
	cuda->workspace = cuda_alloc(cuda, WORKSPACE_BYTES);
	if (cublasCreate(&cuda->blas) != CUBLAS_STATUS_SUCCESS) {
		cuda->blas = NULL;
		cuda_fault(cuda, ERR_FAILED, "%s: cuBLAS does not start", cuda->name);
		return false;
	}
	if (!cuda->workspace ||
	    cublasSetStream(cuda->blas, cuda->stream) != CUBLAS_STATUS_SUCCESS ||
	    cublasSetWorkspace(cuda->blas, cuda->workspace, WORKSPACE_BYTES) !=
		    CUBLAS_STATUS_SUCCESS)
		cuda_fault(cuda, ERR_FAILED, "%s: cuBLAS takes no stream", cuda->name);
	return !cuda->code;
}

int cuda_open(struct cuda **out, struct error *error)
{
	struct cuda *cuda = (struct cuda *)calloc(1, sizeof(*cuda));
	int code;

	*out = NULL;
	if (!cuda)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a device");
	code = device_describe(cuda, error);
	if (!code && !device_prepare(cuda))
		code = error_set(error, cuda->code, "%s", cuda->fault);
	if (code)
		cuda_close(cuda);
	else
		*out = cuda;
	return code;
}

void cuda_close(struct cuda *cuda)
{
	if (!cuda)
		return;
	if (cuda->blas)
		cublasDestroy(cuda->blas);
	cuda_free(cuda, cuda->workspace);
	if (cuda->stream)
		cudaStreamDestroy(cuda->stream);
	free(cuda);
}

const char *cuda_name(const struct cuda *cuda)
{
	return cuda->name;
}

void *cuda_alloc(struct cuda *cuda, size_t bytes)
{
	void *memory = NULL;
	size_t before = 0, after = 0, total = 0;
	cudaError_t status;

	if (cuda->code)
		return NULL;
	cudaMemGetInfo(&before, &total);
	status = cudaMalloc(&memory, bytes ? bytes : 1);
	if (status != cudaSuccess) {
		cudaGetLastError(); /* it is told here, not at the next launch */
		cuda_fault(cuda, status == cudaErrorMemoryAllocation ? ERR_NO_MEMORY : ERR_FAILED,
			   "out of memory on %s: %.0f MiB more are needed, %.0f of %.0f MiB are "
			   "free; take a smaller batch, or weights in bf16 (--device cuda:bf16)",
			   cuda->name, (double)bytes / 0x1p20, (double)before / 0x1p20,
			   (double)total / 0x1p20);
		return NULL;
	}
	cudaMemGetInfo(&after, &total);
	cuda->held_bytes = total - after;
	if (cuda->held_bytes > cuda->peak_bytes)
		cuda->peak_bytes = cuda->held_bytes;
	return memory;
}

void cuda_free(struct cuda *cuda, void *memory)
{
	size_t after = 0, total = 0;

	if (!memory)
		return;
	cudaFree(memory);
	cudaMemGetInfo(&after, &total);
	cuda->held_bytes = total - after;
}

size_t cuda_held_bytes(const struct cuda *cuda)
{
	return cuda->held_bytes;
}

size_t cuda_peak_bytes(const struct cuda *cuda)
{
	return cuda->peak_bytes;
}

void *cuda_host_alloc(struct cuda *cuda, size_t bytes)
{
	void *host = NULL;

	if (cuda->code ||
	    !cuda_good(cuda, cudaMallocHost(&host, bytes ? bytes : 1), "pinning host memory"))
		return NULL;
	return host;
}

void cuda_host_free(struct cuda *cuda, void *host)
{
	if (host)
		cuda_good(cuda, cudaFreeHost(host), "freeing host memory");
}

void cuda_copy_in(struct cuda *cuda, void *to, const void *host, size_t bytes)
{
	if (!cuda->code)
		cuda_good(cuda,
			  cudaMemcpyAsync(to, host, bytes, cudaMemcpyHostToDevice, cuda->stream),
			  "copying in");
}

void cuda_copy_out(struct cuda *cuda, void *host, const void *from, size_t bytes)
{
	if (!cuda->code)
		cuda_good(cuda,
			  cudaMemcpyAsync(host, from, bytes, cudaMemcpyDeviceToHost, cuda->stream),
			  "copying out");
}

void cuda_copy(struct cuda *cuda, void *to, const void *from, size_t bytes)
{
	if (!cuda->code)
		cuda_good(cuda,
			  cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, cuda->stream),
			  "copying");
}

void cuda_zero(struct cuda *cuda, void *memory, size_t bytes)
{
	if (!cuda->code)
		cuda_good(cuda, cudaMemsetAsync(memory, 0, bytes, cuda->stream), "clearing");
}

void cuda_arena_init(struct cuda_arena *arena, struct cuda *cuda)
{
	memset(arena, 0, sizeof(*arena));
	arena->cuda = cuda;
}

void cuda_arena_free(struct cuda_arena *arena)
{
	for (struct cuda_chunk *chunk = arena->first; chunk;) {
		struct cuda_chunk *next = chunk->next;

		cuda_free(arena->cuda, chunk->memory);
		free(chunk);
		chunk = next;
	}
	memset(arena, 0, sizeof(*arena));
}

static struct cuda_chunk *chunk_new(struct cuda *cuda, size_t bytes)
{
	struct cuda_chunk *chunk = (struct cuda_chunk *)calloc(1, sizeof(*chunk));

	if (!chunk)
		return NULL;
	chunk->bytes = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
	chunk->memory = (char *)cuda_alloc(cuda, chunk->bytes);
	if (!chunk->memory) {
		free(chunk);
		return NULL;
	}
	return chunk;
}

/* Goes on to the next chunk, or to a new one put in before it when that is too small. */
static bool arena_advance(struct cuda_arena *arena, size_t bytes)
{
	struct cuda_chunk **link = arena->current ? &arena->current->next : &arena->first;

	if (!*link || (*link)->bytes < bytes) {
		struct cuda_chunk *chunk = chunk_new(arena->cuda, bytes);

		if (!chunk)
			return false;
		chunk->next = *link;
		*link = chunk;
	}
	arena->current = *link;
	arena->offset = 0;
	return true;
}

void *cuda_arena_alloc(struct cuda_arena *arena, size_t bytes)
{
	void *memory;

	if (arena->cuda->code)
		return NULL;
	bytes = (bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
	if ((!arena->current || arena->current->bytes - arena->offset < bytes) &&
	    !arena_advance(arena, bytes)) {
		cuda_fault(arena->cuda, ERR_NO_MEMORY, "out of memory for device scratch");
		return NULL;
	}
	memory = arena->current->memory + arena->offset;
	arena->offset += bytes;
	return memory;
}

struct cuda_mark cuda_arena_save(const struct cuda_arena *arena)
{
	return {arena->current, arena->offset};
}

void cuda_arena_restore(struct cuda_arena *arena, struct cuda_mark mark)
{
	arena->current = mark.chunk;
	arena->offset = mark.offset;
}

void cuda_graph_begin(struct cuda *cuda)
{
	if (!cuda->code)
		cuda_good(cuda,
			  cudaStreamBeginCapture(cuda->stream, cudaStreamCaptureModeThreadLocal),
			  "recording");
}

struct cuda_graph *cuda_graph_end(struct cuda *cuda)
{
	struct cuda_graph *graph = (struct cuda_graph *)calloc(1, sizeof(*graph));
	cudaGraph_t recorded = NULL;

	/* Recording is ended even after a fault: the stream must leave that state. */
	if (cuda_good(cuda, cudaStreamEndCapture(cuda->stream, &recorded), "recording") && graph &&
	    !cuda->code)
		cuda_good(cuda, cudaGraphInstantiate(&graph->exec, recorded, 0),
			  "preparing recorded work");
	if (recorded)
		cudaGraphDestroy(recorded);
	if (!graph)
		cuda_fault(cuda, ERR_NO_MEMORY, "out of memory for recorded work");
	if (cuda->code) {
		free(graph);
		return NULL;
	}
	return graph;
}

void cuda_graph_run(struct cuda *cuda, const struct cuda_graph *graph)
{
	if (!cuda->code)
		cuda_good(cuda, cudaGraphLaunch(graph->exec, cuda->stream),
			  "running recorded work");
}

void cuda_graph_free(struct cuda_graph *graph)
{
	if (graph)
		cudaGraphExecDestroy(graph->exec);
	free(graph);
}
