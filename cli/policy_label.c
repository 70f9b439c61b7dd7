/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folders have the same name where each experiment calls its policy so: `a/student`, `b/student`.
 */
#include "cli/policy_label.h"

#include <stdbool.h>
#include <string.h>

#include "base/file.h"

static bool ends_in(const char *path, const char *label)
{
	const size_t length = strlen(path), tail = strlen(label);

	if (length < tail || strcmp(path + length - tail, label) != 0)
		return false;
	return length == tail || path[length - tail - 1] == '/';
}

const char *policy_label_longer(const char *path, const char *label)
{
	if (label > path)
		label--; /* the slash */
	while (label > path && label[-1] != '/')
		label--;
	return label;
}

const char *policy_label(const char *const *paths, size_t count, size_t index)
{
	const char *path = paths[index], *label = file_name(path);

	for (size_t i = 0; i < count; i++)
		while (strcmp(paths[i], path) != 0 && label > path && ends_in(paths[i], label))
			label = policy_label_longer(path, label);
	return label;
}
