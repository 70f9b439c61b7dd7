/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every law by its fixed name.
 */
#include <string.h>

#include "aqm/ops.h"

extern const struct aqm_ops aqm_codel, aqm_dualpi2, aqm_fifo, aqm_l4s_freebsd, aqm_pie;
extern const struct aqm_ops aqm_cake, aqm_cobalt, aqm_fq_codel, aqm_fq_pie;
extern const struct aqm_ops aqm_curvy_red, aqm_pi2, aqm_red, aqm_student;

const struct aqm_ops *const aqm_all[] = {
	&aqm_fifo, &aqm_codel, &aqm_pie, &aqm_dualpi2, &aqm_l4s_freebsd,
	&aqm_cobalt, &aqm_cake, &aqm_fq_codel, &aqm_fq_pie,
	&aqm_pi2, &aqm_red, &aqm_curvy_red, &aqm_student,
	NULL,
};

const struct aqm_ops *aqm_find(const char *name)
{
	for (const struct aqm_ops *const *law = aqm_all; *law; law++)
		if (strcmp((*law)->name, name) == 0)
			return *law;
	return NULL;
}
