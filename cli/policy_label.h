/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What policies of one command line are called: no longer than it takes to tell them apart.
 */
#ifndef CLI_POLICY_LABEL_H
#define CLI_POLICY_LABEL_H

#include <stddef.h>

/*
 * The shortest end of paths[index] in whole names that no other of the `count` paths ends in, at
 * least the last name; points into it.  A path that stands twice has one label.
 */
const char *policy_label(const char *const *paths, size_t count, size_t index);

/* The same with one folder more; the whole path is as long as it gets. */
const char *policy_label_longer(const char *path, const char *label);

#endif
