/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runs/<first half of the key, in hexadecimal>.run under the trial's folder.
 */
#include "cli/trial_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

struct trial_store {
	char folder[4096];
	const struct trial_key *keys; /* (runs): the trial's */
	bool *has;		      /* (runs) */
	size_t kept;
};

static int path_of(const struct trial_store *store, size_t index, char *path, size_t size,
		   struct error *error)
{
	char name[DIGEST_BYTES + 8];

	for (int i = 0; i < DIGEST_BYTES / 2; i++)
		snprintf(name + 2 * i, 3, "%02x", store->keys[index].bytes[i]);
	snprintf(name + DIGEST_BYTES, 5, ".run");
	return file_join(path, size, store->folder, name, error);
}

/* What cannot be read or is another's is run again. */
static int look_for(struct trial_store *store, struct trial *trial, size_t index,
		    struct error *error)
{
	char path[4200], *bytes;
	size_t size;
	int code = path_of(store, index, path, sizeof(path), error);

	if (code || file_read_all(path, &bytes, &size, NULL) != 0)
		return code;
	code = trial_outcome_read(&trial->outcomes[index], store->keys[index].bytes, bytes, size);
	free(bytes);
	if (code == ERR_NO_MEMORY)
		return error_set(error, code, "out of memory for the runs");
	store->has[index] = code == 0;
	store->kept += code == 0;
	return 0;
}

int trial_store_open(struct trial_store **out, struct trial *trial, struct error *error)
{
	struct trial_store *store = calloc(1, sizeof(*store));
	int code = store ? file_join(store->folder, sizeof(store->folder), trial->folder, "runs",
				     error)
			 : error_set(error, ERR_NO_MEMORY, "out of memory");

	if (code == 0) {
		store->keys = trial->keys;
		store->has = calloc(trial_runs(trial) + 1, sizeof(*store->has));
		code = store->has ? file_make_folders(store->folder, error)
				  : error_set(error, ERR_NO_MEMORY, "out of memory");
	}
	for (size_t i = 0; code == 0 && i < trial_runs(trial); i++)
		if (trial_is_wanted(trial, i))
			code = look_for(store, trial, i, error);
	if (code) {
		trial_store_close(store);
		store = NULL;
	}
	*out = store;
	return code;
}

void trial_store_close(struct trial_store *store)
{
	if (store == NULL)
		return;
	free(store->has);
	free(store);
}

size_t trial_store_kept(const struct trial_store *store)
{
	return store->kept;
}

bool trial_store_has(const struct trial_store *store, size_t index)
{
	return store->has[index];
}

int trial_store_put(const struct trial_store *store, size_t index,
		    const struct trial_outcome *outcome, struct error *error)
{
	char path[4200], *bytes;
	size_t size;
	int code = trial_outcome_write(outcome, store->keys[index].bytes, &bytes, &size);

	if (code)
		return error_set(error, code, "out of memory for a run");
	code = path_of(store, index, path, sizeof(path), error);
	if (code == 0)
		code = file_write_all(path, bytes, size, error);
	free(bytes);
	return code;
}
