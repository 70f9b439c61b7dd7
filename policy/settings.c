/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/settings.h"

#include <stdlib.h>
#include <string.h>

int policy_move_of_verdict(enum aqm_verdict verdict)
{
	static const int by[] = {
#define MOVE_BY(move, action, verdict, rows) [verdict] = rows,
		POLICY_MOVE_TABLE(MOVE_BY)
#undef MOVE_BY
	};

	return by[verdict];
}

enum pool_action policy_move_towards(int from, int to)
{
	const int by = to > from ? 1 : to < from ? -1 : 0;

#define MOVE_ACTION(move, action, verdict, rows)                                                   \
	if (by == rows)                                                                            \
		return action;
	POLICY_MOVE_TABLE(MOVE_ACTION)
#undef MOVE_ACTION
	return POOL_ENQUEUE;
}

int policy_settings_parse(struct policy_settings *settings, const char *text, struct error *error)
{
	const char *at = text;

	memset(settings, 0, sizeof(*settings));
	while (*at) {
		const size_t length = strcspn(at, "/");

		if (settings->rows == POLICY_SETTINGS_ROWS)
			return error_at(error, ERR_RANGE, NULL, 0, "settings",
					"more than %d rows", POLICY_SETTINGS_ROWS);
		if (length == 0 || length >= POLICY_SETTING_BYTES)
			return error_at(error, ERR_INVALID, NULL, 0, "settings",
					"row %d is empty or longer than %d characters",
					settings->rows + 1, POLICY_SETTING_BYTES - 1);
		memcpy(settings->row[settings->rows++], at, length);
		at += length + (at[length] == '/');
	}
	if (settings->rows < 2)
		return error_at(error, ERR_INVALID, NULL, 0, "settings",
				"give two rows or more: target_ms=5/target_ms=15/target_ms=30");
	return 0;
}

int policy_settings_apply(const struct policy_settings *settings, int row,
			  const struct aqm_ops *law, void *params, struct error *error)
{
	int status = aqm_params_set_all(law, params, settings->row[row], error);

	if (!status && law->check)
		status = law->check(params, error);
	return status;
}

int policy_settings_expand(const struct policy_settings *settings, const struct aqm_ops *law,
			   const void *params, void **all, struct error *error)
{
	unsigned char *rows = malloc((size_t)settings->rows * law->params_size + 1);
	int status = rows ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory for settings");

	for (int i = 0; i < settings->rows && !status; i++) {
		unsigned char *row = rows + (size_t)i * law->params_size;

		memcpy(row, params, law->params_size);
		status = policy_settings_apply(settings, i, law, row, error);
	}
	if (status)
		free(rows);
	else
		*all = rows;
	return status;
}

int policy_settings_start(const struct policy_settings *settings, const struct aqm_ops *law,
			  const void *params)
{
	int start = settings->rows / 2;
	void *all;

	if (policy_settings_expand(settings, law, params, &all, NULL))
		return start;
	for (int i = 0; i < settings->rows; i++)
		if (memcmp((unsigned char *)all + (size_t)i * law->params_size, params,
			   law->params_size) == 0)
			start = i;
	free(all);
	return start;
}
