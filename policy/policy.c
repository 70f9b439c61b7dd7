/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a policy directory by the kind that its policy.json names.
 */
#include "policy/policy.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "policy/adversary.h"
#include "policy/config.h"
#include "policy/llm_policy.h"
#include "policy/student_file.h"

static const struct policy_kind {
	const char *name;
	int (*open)(struct policy **policy, const char *directory,
		    const struct policy_manner *manner, struct error *error);
} policy_kinds[] = {
	{"llm", llm_policy_open},
};

static int read_kind(char *kind, size_t size, const char *directory, struct error *error)
{
	char path[4096], *text;
	const char *name;
	size_t length;
	json_t *root;
	int status = file_join(path, sizeof(path), directory, POLICY_FILE, error);

	if (!status)
		status = file_read_all(path, &text, &length, error);
	if (status)
		return status;
	root = json_loadb(text, length, 0, NULL);
	name = json_string_value(json_object_get(root, "kind"));
	if (!name || strlen(name) >= size)
		status = error_at(error, ERR_INVALID, path, 0, "kind",
				  "not a policy.json: no kind of policy in it");
	else
		strcpy(kind, name);
	json_decref(root);
	free(text);
	return status;
}

int policy_open(struct policy **policy, const char *directory, struct error *error)
{
	const struct policy_manner as_told = {0};

	return policy_open_as(policy, directory, &as_told, error);
}

bool policy_has_directory(const char *name)
{
	return strncmp(name, ADVERSARY_PREFIX, strlen(ADVERSARY_PREFIX)) != 0;
}

int policy_open_as(struct policy **policy, const char *directory,
		   const struct policy_manner *manner, struct error *error)
{
	char kind[32];
	int status;

	if (!policy_has_directory(directory))
		return adversary_open(policy, directory + strlen(ADVERSARY_PREFIX), error);
	status = student_file_refuse(directory, error);
	if (!status)
		status = read_kind(kind, sizeof(kind), directory, error);
	if (status)
		return status;
	for (size_t i = 0; i < sizeof(policy_kinds) / sizeof(policy_kinds[0]); i++)
		if (strcmp(policy_kinds[i].name, kind) == 0)
			return policy_kinds[i].open(policy, directory, manner, error);
	return error_at(error, ERR_UNSUPPORTED, directory, 0, "kind", "no policy of kind '%s'",
			kind);
}

void policy_destroy(struct policy *policy)
{
	if (policy)
		policy->ops->destroy(policy);
}
