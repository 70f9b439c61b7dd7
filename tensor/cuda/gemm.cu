/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Matrix products through cuBLAS, but for those that skinny.cu is faster at.
 *
 * cuBLAS counts columns first: a row-major X is its transpose there, so
 * C = op(A) op(B) is asked for as C^T = op(B)^T op(A)^T, operands swapped.
 */
#include "tensor/cuda/internal.cuh"
#include "tensor/cuda/ops.h"
#include "tensor/cuda/skinny.cuh"

static cudaDataType_t data_type(enum cuda_type type)
{
	return type == CUDA_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

void cuda_gemm_run(struct cuda *cuda, const struct cuda_gemm *g)
{
	const cublasOperation_t op_a = g->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
	const cublasOperation_t op_b = g->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
	float beta = g->beta;
	cublasStatus_t status;

	if (cuda->code)
		return;
	if (skinny_fits(g)) {
		skinny_run(cuda, g);
		return;
	}
	if (g->bias || g->residual) {
		if (g->bias || g->residual != g->c)
			cuda_bias_add(cuda, (float *)g->c, g->residual, g->bias, g->m, g->n,
				      g->c_stride);
		beta = 1;
	}
	status = cublasGemmEx(cuda->blas, op_b, op_a, (int)g->n, (int)g->m, (int)g->k, &g->alpha,
			      g->b, data_type(g->type), (int)g->b_stride, g->a, data_type(g->type),
			      (int)g->a_stride, &beta, g->c, data_type(g->type_c), (int)g->c_stride,
			      CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
	if (status != CUBLAS_STATUS_SUCCESS)
		cuda_fault(cuda, ERR_FAILED, "%s: matrix product (%lld, %lld, %lld): %s",
			   cuda->name, (long long)g->m, (long long)g->n, (long long)g->k,
			   cublasGetStatusString(status));
}
