/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/policy_options.h"

#include "policy/student_file.h"

int policy_options_check(const struct policy_option *options, size_t count,
			 const char *const *policies, size_t policy_count, struct error *error)
{
	bool others = false;

	for (size_t i = 0; i < policy_count; i++)
		others = others || !student_file_named(policies[i]);
	for (size_t i = 0; i < count && !others; i++) {
		if (!options[i].given || (policy_count && options[i].students))
			continue;
		return error_at(error, ERR_INVALID, NULL, 0, options[i].name,
				policy_count ? "is not of a student, a law that decides whenever "
					       "it updates; leave it out"
					     : "is of a policy, and there is none: name one by "
					       "--policy DIR");
	}
	return 0;
}
