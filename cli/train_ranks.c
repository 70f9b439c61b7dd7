/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranks read the same pools and backbone from their own disks.  What they
 * compare is train.json: options, names of the pools and their checksums.
 */
#include "cli/train_ranks.h"

#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "learn/spread.h"

int train_ranks_meet(const struct ranks *ranks, const char *run, int code, struct error *error)
{
	const struct spread spread = {.ranks = *ranks};
	unsigned char own[DIGEST_BYTES], first[DIGEST_BYTES];
	struct digest digest;

	code = spread_agree(&spread, code, error);
	if (code)
		return code;
	digest_init(&digest);
	digest_add(&digest, run, strlen(run));
	digest_end(&digest, own);
	memcpy(first, own, sizeof(own));
	code = spread_record(&spread, first, sizeof(first), error);
	if (!code && memcmp(own, first, sizeof(own)) != 0)
		code = error_set(error, ERR_INVALID,
				 "other options or other pools than rank 0; give every machine the "
				 "same files and the same command");
	return spread_agree(&spread, code, error);
}

int train_ranks_check(const struct ranks *ranks, uint64_t begun, struct error *error)
{
	if (begun == (uint64_t)ranks->count)
		return 0;
	return error_at(error, ERR_INVALID, NULL, 0, "--ranks",
			"%" PRIu64 " processes share this run, %d are there: mpirun -n %" PRIu64
			" aqmllm train ...",
			begun, ranks->count, begun);
}
