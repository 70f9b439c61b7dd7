/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A training run over ranks.
 *
 * All ranks hold the whole state of the run and change it alike, so that each
 * of them could write the checkpoint; rank 0 does.  Failures are exchanged with
 * every micro-batch, before anybody waits for gradients: an error of one rank
 * ends all of them with its own line.
 */
#include "learn/spread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verdict {
	int code;
	struct error error;
};

/* What a rank says of its windows; `logits` follow. */
struct share {
	double loss;
	struct verdict verdict;
};

static bool is_alone(const struct spread *spread)
{
	return spread->ranks.count <= 1;
}

int spread_open(struct spread *spread, const struct ranks *ranks, int64_t windows,
		int64_t window_floats, struct error *error)
{
	int64_t most;

	*spread = (struct spread){.ranks = *ranks};
	if (is_alone(spread))
		return 0;
	most = (windows + ranks->count - 1) / ranks->count;
	spread->record_bytes =
		sizeof(struct share) + (size_t)(most * window_floats) * sizeof(float);
	spread->own = calloc(1, spread->record_bytes);
	spread->all = calloc((size_t)ranks->count, spread->record_bytes);
	spread->values = calloc((size_t)ranks->count, sizeof(*spread->values));
	if (spread->own && spread->all && spread->values)
		return 0;
	spread_close(spread);
	return error_set(error, ERR_NO_MEMORY, "messages between %d ranks", ranks->count);
}

void spread_close(struct spread *spread)
{
	free(spread->own);
	free(spread->all);
	free(spread->values);
	memset(spread, 0, sizeof(*spread));
}

void spread_windows(const struct spread *spread, int rank, int64_t windows, int64_t *first,
		    int64_t *end)
{
	const int64_t ranks = spread->ranks.count > 1 ? spread->ranks.count : 1;

	*first = windows * rank / ranks;
	*end = windows * (rank + 1) / ranks;
}

/* Takes over what the lowest failing rank said. */
static int adopt(const struct spread *spread, const struct verdict *verdict, int rank,
		 struct error *error)
{
	char text[sizeof(verdict->error.text)];

	if (rank == spread->ranks.rank || !error)
		return verdict->code;
	if (rank == 0) {
		*error = verdict->error;
		return verdict->code;
	}
	error_format(&verdict->error, text, sizeof(text));
	return error_set(error, verdict->code, "rank %d: %s", rank, text);
}

static struct verdict verdict_make(int code, const struct error *error)
{
	struct verdict verdict;

	memset(&verdict, 0, sizeof(verdict));
	verdict.code = code;
	if (code && error)
		verdict.error = *error;
	return verdict;
}

int spread_agree(const struct spread *spread, int code, struct error *error)
{
	const struct verdict own = verdict_make(code, error);
	struct verdict *all;

	if (is_alone(spread))
		return code;
	all = calloc((size_t)spread->ranks.count, sizeof(*all));
	if (!all)
		abort(); /* others would wait for ever; mpirun ends them */
	ranks_gather(&spread->ranks, &own, sizeof(own), all);
	for (int rank = 0; rank < spread->ranks.count; rank++)
		if (all[rank].code) {
			code = adopt(spread, &all[rank], rank, error);
			break;
		}
	free(all);
	return code;
}

int spread_results(struct spread *spread, int code, int64_t windows, float *logits,
		   int64_t window_floats, double *loss, struct error *error)
{
	struct share share;
	int64_t first, end;

	if (is_alone(spread))
		return code;
	memset(&share, 0, sizeof(share));
	share.loss = *loss;
	share.verdict = verdict_make(code, error);
	spread_windows(spread, spread->ranks.rank, windows, &first, &end);
	memcpy(spread->own, &share, sizeof(share));
	memcpy(spread->own + sizeof(share), logits + first * window_floats,
	       (size_t)((end - first) * window_floats) * sizeof(float));
	ranks_gather(&spread->ranks, spread->own, spread->record_bytes, spread->all);
	*loss = 0;
	for (int rank = 0; rank < spread->ranks.count; rank++) {
		const char *record = spread->all + (size_t)rank * spread->record_bytes;

		memcpy(&share, record, sizeof(share));
		if (share.verdict.code)
			return adopt(spread, &share.verdict, rank, error);
		spread_windows(spread, rank, windows, &first, &end);
		memcpy(logits + first * window_floats, record + sizeof(share),
		       (size_t)((end - first) * window_floats) * sizeof(float));
		*loss += share.loss;
	}
	return 0;
}

void spread_gradients(const struct spread *spread, const struct backbone_param *params,
		      size_t count)
{
	if (is_alone(spread))
		return;
	for (size_t i = 0; i < count; i++)
		if (params[i].gradient)
			ranks_sum(&spread->ranks, params[i].gradient, (size_t)params[i].count);
}

double spread_sum(const struct spread *spread, double value)
{
	double sum = 0;

	if (is_alone(spread))
		return value;
	ranks_gather(&spread->ranks, &value, sizeof(value), spread->values);
	for (int rank = 0; rank < spread->ranks.count; rank++)
		sum += spread->values[rank];
	return sum;
}

int spread_record(const struct spread *spread, void *record, size_t bytes, struct error *error)
{
	char *all;

	if (is_alone(spread))
		return 0;
	all = malloc((size_t)spread->ranks.count * bytes);
	if (spread_agree(spread, all ? 0 : ERR_NO_MEMORY, error)) {
		free(all);
		return ERR_NO_MEMORY;
	}
	ranks_gather(&spread->ranks, record, bytes, all);
	memcpy(record, all, bytes);
	free(all);
	return 0;
}
