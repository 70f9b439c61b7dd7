/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The epochs of a training run as a table of an SQLite database.
 */
#ifndef CLI_TRAIN_DATABASE_H
#define CLI_TRAIN_DATABASE_H

#include <stddef.h>

#include "base/error.h"
#include "learn/trainer.h"

/*
 * Replaces table `epochs` of the database at `path` (made when absent) by
 * `history`, in one transaction: a column for each figure of
 * TRAINER_EPOCH_TABLE, NULL where it is not a number.
 */
int train_database_write(const char *path, const struct trainer_epoch *history, size_t count,
			 struct error *error);

#endif
