/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The laws: each is one line here and one `const struct oracle_row` in a file
 * of its own.
 */
#ifndef TESTS_ORACLES_ROWS_H
#define TESTS_ORACLES_ROWS_H

#include "tests/oracles/oracles.h"

/* X(law), in the order of the printed table */
#define ORACLE_ROWS(X)                                                                             \
	X(fifo)                                                                                    \
	X(red)                                                                                     \
	X(codel)                                                                                   \
	X(cobalt)                                                                                  \
	X(pie)                                                                                     \
	X(pi2)                                                                                     \
	X(dualpi2_linux)                                                                           \
	X(dualpi2_rfc9332)                                                                         \
	X(curvy_red)                                                                               \
	X(student)                                                                                 \
	X(transformer)                                                                             \
	X(wrr)                                                                                     \
	X(tsf)                                                                                     \
	X(drr)                                                                                     \
	X(fq_codel)                                                                                \
	X(fq_pie)                                                                                  \
	X(cake)                                                                                    \
	X(l4s_freebsd)

#define ORACLE_ROW_DECLARE(law) extern const struct oracle_row oracle_##law;
ORACLE_ROWS(ORACLE_ROW_DECLARE)
#undef ORACLE_ROW_DECLARE

extern const struct oracle_row oracle_wrong;

#endif
