/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a build without CUDA says.
 */
#include "backbone/pass.h"

int backbone_place_cuda(struct backbone *backbone, bool bf16, struct error *error)
{
	(void)backbone;
	(void)bf16;
	return error_at(error, ERR_UNSUPPORTED, NULL, 0, "--device",
			"this program was built without CUDA; make cuda builds one with it "
			"(docs/gpu.md), or leave --device out");
}
