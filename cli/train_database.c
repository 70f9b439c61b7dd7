/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.csv once more for those who ask with SQL: same columns, same rows.
 */
#include "cli/train_database.h"

#include <math.h>
#include <sqlite3.h>

#define COLUMNS (sizeof(struct trainer_epoch) / sizeof(double))

static const char create_sql[] = "BEGIN IMMEDIATE; DROP TABLE IF EXISTS epochs;"
				 "CREATE TABLE epochs (at INTEGER PRIMARY KEY"
#define COLUMN_SQL(name) ", " #name " REAL"
	TRAINER_EPOCH_TABLE(COLUMN_SQL)
#undef COLUMN_SQL
		");";

static const char insert_sql[] = "INSERT INTO epochs VALUES (?"
#define VALUE_SQL(name) ", ?"
	TRAINER_EPOCH_TABLE(VALUE_SQL)
#undef VALUE_SQL
		");";

static int insert_epoch(sqlite3_stmt *insert, size_t at, const struct trainer_epoch *epoch)
{
	const double *values = &epoch->epoch;

	sqlite3_reset(insert);
	sqlite3_bind_int64(insert, 1, (sqlite3_int64)at);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (isnan(values[i]))
			sqlite3_bind_null(insert, (int)i + 2);
		else
			sqlite3_bind_double(insert, (int)i + 2, values[i]);
	}
	return sqlite3_step(insert) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
}

static int write_rows(sqlite3 *database, const struct trainer_epoch *history, size_t count)
{
	sqlite3_stmt *insert = NULL;
	int code = sqlite3_exec(database, create_sql, NULL, NULL, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(database, insert_sql, -1, &insert, NULL);
	for (size_t i = 0; code == SQLITE_OK && i < count; i++)
		code = insert_epoch(insert, i, &history[i]);
	sqlite3_finalize(insert);
	return code == SQLITE_OK ? sqlite3_exec(database, "COMMIT;", NULL, NULL, NULL) : code;
}

int train_database_write(const char *path, const struct trainer_epoch *history, size_t count,
			 struct error *error)
{
	sqlite3 *database = NULL;
	int status = 0;

	if (sqlite3_open(path, &database) != SQLITE_OK ||
	    write_rows(database, history, count) != SQLITE_OK)
		status = error_at(error, ERR_IO, path, 0, NULL, "cannot write the database: %s",
				  database ? sqlite3_errmsg(database) : "out of memory");
	sqlite3_close(database);
	return status;
}
